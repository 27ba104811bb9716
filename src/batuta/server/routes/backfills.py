"""`/backfills`: many partitions or logical times, previewed, launched, paused, cancelled and retried."""

from __future__ import annotations

from functools import partial
from typing import Annotated as A
from typing import Literal

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec.structs import replace

from batuta.core import backfills as core
from batuta.core.errors import RequestError
from batuta.scheduler.backfill_plan import Preview, planned, timing_for
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.paging import ByNumber, Cursor, Limit, by_number, cut, number_at
from batuta.server.problems import Conflict, Invalid, NotFound
from batuta.server.routes.base import IdempotencyKey, Text, operator, path, query, viewer
from batuta.server.shapes.backfills import (
    Backfill,
    BackfillAsked,
    BackfillItem,
    BackfillItemPage,
    BackfillPage,
    BackfillPreview,
    BackfillStateName,
    ItemStateName,
)
from batuta.server.shapes.base import at, at_or_none, seconds_of
from batuta.store.backfill_box import BackfillItemRow, BackfillRow

ITEMS_SHOWN = 1_000
SEVERAL = ""
"""The location of a backfill that concerns several."""
KEY_TAG, KEYS_LOOKED_AT = "batuta/idempotency-key", 200
ACTIONS: tuple[core.Action, ...] = ("pause", "resume", "cancel", "retry")
BackfillId = A[int, path("The backfill's number.", ge=1, le=2**63 - 1)]


class Backfills(Controller):
    """See the module."""

    path = "/backfills"
    tags = ("backfills",)

    @get("/", operation_id="listBackfills", summary="List backfills", sync_to_thread=True, opt=viewer())
    def list_backfills(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        states: A[list[BackfillStateName] | None, query("Only in these states.", "state")] = None,
        job: A[str | None, query("Only of this job.", max_length=500)] = None,
        locations: A[list[str] | None, query("Only of these code locations.", "location")] = None,
        text: Text = "",
        sort: ByNumber = "-id",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> BackfillPage:
        """A page of backfills with how far they are. `text` is looked for in job, selection, who asked, and error."""
        box = backend.store.backfills
        location = who.narrowed([*backend.catalog.locations, SEVERAL], locations or None)
        listed = partial(box.page, job=job, state=states, location=location, text=text)
        page, following = by_number(backend.store, "backfills", sort, cursor, limit, listed)
        counts = box.counts([row.id for row in page])
        return BackfillPage(items=[_shown(row, counts[row.id], who) for row in page], next=following)

    @post(
        "/preview",
        operation_id="previewBackfill",
        summary="What would be run",
        status_code=200,
        sync_to_thread=True,
        opt=viewer(),
    )
    def preview(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        data: JSONBody[BackfillAsked],
    ) -> BackfillPreview:
        """Which partitions or logical times a backfill would run, and what it leaves out; nothing is started."""
        found = _planned(backend, who, data, "viewer")
        return BackfillPreview(
            runs=len(found.items),
            items=[item.label for item in found.items[:ITEMS_SHOWN]],
            assets=list(found.assets),
            partitions=found.chosen,
            left_out=found.left_out,
            already_made=found.made,
            follow=found.follow,
        )

    @post("/", operation_id="launchBackfill", summary="Launch a backfill", sync_to_thread=True, opt=operator())
    def launch(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        data: JSONBody[BackfillAsked],
        key: IdempotencyKey = None,
    ) -> Response[Backfill]:
        """Have the schedulers run many partitions or logical times, so many at once."""
        found = _planned(backend, who, data, "operator")
        box = backend.store.backfills
        spec = found.spec
        if key is not None:
            for row in box.page(limit=KEYS_LOOKED_AT):
                if row.created_by == who.name and row.spec.tags.get(KEY_TAG) == key:
                    where = {"Location": f"/api/v1/backfills/{row.id}"}
                    return Response(_shown(row, box.counts([row.id])[row.id], who), status_code=200, headers=where)
            spec = replace(spec, tags={**spec.tags, KEY_TAG: key})
        if spec.environment:
            backend.store.environments.make(spec.environment, by=who.name, now=backend.clock())
        number = box.create(spec, found.items, by=who.name, now=backend.clock())
        backend.wake("backfills")
        where = {"Location": f"/api/v1/backfills/{number}"}
        return Response(_shown(box.get(number), box.counts([number])[number], who), status_code=201, headers=where)

    @get("/{backfill_id:int}", operation_id="getBackfill", summary="Show a backfill", sync_to_thread=True, opt=viewer())
    def get_backfill(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], backfill_id: BackfillId
    ) -> Backfill:
        """A backfill with how far it is."""
        row = _row(backend, who, backfill_id)
        return _shown(row, backend.store.backfills.counts([row.id])[row.id], who)

    @get(
        "/{backfill_id:int}/items",
        operation_id="listBackfillItems",
        summary="List its runs",
        sync_to_thread=True,
        opt=viewer(),
    )
    def items(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        backfill_id: BackfillId,
        states: A[list[ItemStateName] | None, query("Only in these states.", "state")] = None,
        text: Text = "",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> BackfillItemPage:
        """A page of what a backfill runs, in the order in which it is submitted. `text` is looked for in label and
        error."""
        _row(backend, who, backfill_id)
        order = "items"
        after = number_at(cursor, order)
        rows = backend.store.backfills.items(
            backfill_id, states=states, text=text, after=-1 if after is None else after, limit=limit + 1
        )
        page, following = cut(rows, limit, order, lambda row: row.no)
        return BackfillItemPage(items=[_item(row) for row in page], next=following)

    @post(
        "/{backfill_id:int}/{action:str}",
        operation_id="actOnBackfill",
        summary="Pause, resume, cancel or retry",
        status_code=200,
        sync_to_thread=True,
        opt=operator(),
    )
    def act(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        backfill_id: BackfillId,
        action: A[Literal["pause", "resume", "cancel", "retry"], path("What is asked of it.")],
    ) -> Backfill:
        """Submit nothing more for now; go on; stop it with its runs; or run again what failed or was stopped."""
        row = _row(backend, who, backfill_id)
        who.need("operator", row.spec.location, f"{action} backfills")
        try:
            backend.store.backfills.act(backfill_id, action, by=who.name, now=backend.clock())
        except RequestError as error:
            raise Conflict(error.what, hint=error.hint) from None
        backend.wake("backfills")
        return _shown(
            backend.store.backfills.get(backfill_id), backend.store.backfills.counts([backfill_id])[backfill_id], who
        )


def _planned(backend: Backend, who: Principal, asked: BackfillAsked, role: Literal["viewer", "operator"]) -> Preview:
    """The items of what is asked for. Raises what is wrong with it, Forbidden."""
    catalog = backend.catalog
    location, needed = _locations(backend, asked)
    for name in needed:
        who.need(role, name, "backfill there")
    definitions = catalog.location(location).definitions if location else catalog.definitions
    first = seconds_of(asked.first)
    spec = core.Backfill(
        job=asked.job,
        selection=asked.selection,
        location=location,
        partitions=asked.partitions,
        first=first,
        last=first if asked.last is None else seconds_of(asked.last),
        timing=timing_for(definitions, asked.job, asked.every) if asked.job and first is not None else None,
        mode=asked.mode,
        batch=asked.batch,
        runs_max=asked.runs_max,
        order=asked.order,
        priority=asked.priority,
        params=asked.params,
        tags=asked.tags,
        environment=asked.environment,
    )
    whole = catalog.joined if asked.job or not location else definitions  # a job's selection is one over all
    return planned(definitions, backend.store, spec, backend.clock(), whole)


def _locations(backend: Backend, asked: BackfillAsked) -> tuple[str, list[str]]:
    """The location, "" for a selection of assets of several; and all that it concerns."""
    catalog = backend.catalog
    if bool(asked.job) == bool(asked.selection):
        raise Invalid("either a job or a selection of assets is to be named", hint="give one of the two")
    if asked.job or asked.location:
        name = catalog.job(asked.job, asked.location)[0] if asked.job else catalog.location(asked.location).name
        return name, [name]
    keys = backend.asset_states().assets.select(asked.selection)
    found = sorted({catalog.location_of[key] for key in keys if not catalog.index.assets[key].external})
    if not found:
        raise Invalid("nothing of the selection is made here", hint="select assets that have a function")
    return found[0] if len(found) == 1 else "", found


def _row(backend: Backend, who: Principal, number: int) -> BackfillRow:
    try:
        row = backend.store.backfills.get(number)
    except RequestError as error:
        raise NotFound(error.what, hint="GET /api/v1/backfills lists them") from None
    who.need("viewer", row.spec.location, "look at that backfill")
    return row


def _shown(row: BackfillRow, counts: dict[str, int], who: Principal) -> Backfill:
    spec = row.spec
    return Backfill(
        id=row.id,
        state=row.state,  # type: ignore[arg-type]
        job=spec.job,
        selection=spec.selection,
        location=spec.location,
        partitions=spec.partitions,
        first=at_or_none(spec.first),
        last=at_or_none(spec.last),
        mode=spec.mode,
        batch=spec.batch,
        runs_max=spec.runs_max,
        params=spec.params,
        tags=spec.tags,
        environment=spec.environment,
        counts=counts,
        created_by=row.created_by,
        created_at=at(row.created_at),
        finished_at=at_or_none(row.finished_at),
        error=row.error,
        actions=_actions(row) if who.may("operator", spec.location) else [],
    )


def _actions(row: BackfillRow) -> list[str]:
    found: list[str] = []
    for action in ACTIONS:
        try:
            core.after(action, row.state, row.id)
        except RequestError:
            continue
        found.append(action)
    return found


def _item(row: BackfillItemRow) -> BackfillItem:
    return BackfillItem(
        no=row.no,
        label=row.item.label,
        state=row.state,  # type: ignore[arg-type]
        attempt=row.attempt,
        run=row.run_id,
        error=row.error,
    )
