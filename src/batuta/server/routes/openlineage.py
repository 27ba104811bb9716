"""The receiving end of OpenLineage: `POST /lineage`, and what was heard of jobs, runs and datasets elsewhere.

Who sends events needs the role operator at the location `openlineage`, which is no code location: so a token for
them may do nothing else. An event that is not as the standard has it is refused with what is wrong and where.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated as A
from typing import Any, Literal

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType

from batuta.core.external_lineage import LOCATION
from batuta.core.openlineage import Event, EventError, read_batch, read_event
from batuta.engine.external import own_namespace
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.external_views import Views
from batuta.server.paging import Cursor, Limit, cursor_of, page_of, position
from batuta.server.problems import FieldProblem, Refused
from batuta.server.routes.base import Text, operator, path, query, viewer
from batuta.server.shapes.external import (
    EventsTaken,
    ExternalDataset,
    ExternalJobDetail,
    ExternalJobPage,
    ExternalRunDetail,
    ExternalRunPage,
    RefusedEvent,
)

EVENTS_MAX = 1_000
OWN_PRODUCER = "urn:batuta:"
Key = A[str, path("The key of the job or dataset: 32 hex digits.", min_length=1, max_length=100)]
RunNumber = A[str, path("The run's number, a UUID.", min_length=1, max_length=100)]

_EVENT = Schema(
    type=OpenAPIType.OBJECT,
    description="A RunEvent, JobEvent or DatasetEvent of the OpenLineage specification.",
    properties={
        "eventTime": Schema(type=OpenAPIType.STRING, description="When it happened (RFC 3339)."),
        "eventType": Schema(type=OpenAPIType.STRING, description="START, RUNNING, COMPLETE, ABORT, FAIL, OTHER."),
        "producer": Schema(type=OpenAPIType.STRING, description="Who says so: a URI."),
        "run": Schema(type=OpenAPIType.OBJECT, description="`runId`, a UUID, and facets."),
        "job": Schema(type=OpenAPIType.OBJECT, description="`namespace`, `name`, and facets."),
        "dataset": Schema(type=OpenAPIType.OBJECT, description="`namespace`, `name`, and facets."),
        "inputs": Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.OBJECT), description="What is read."),
        "outputs": Schema(
            type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.OBJECT), description="What is written."
        ),
    },
    required=["eventTime"],
)


def _body(schema: Schema) -> RequestBody:
    return RequestBody(content={"application/json": OpenAPIMediaType(schema=schema)}, required=True)


class EventOperation(Operation):
    """An operation that takes one event."""

    def __post_init__(self) -> None:
        self.request_body = _body(_EVENT)


class BatchOperation(Operation):
    """An operation that takes a list of events."""

    def __post_init__(self) -> None:
        self.request_body = _body(Schema(type=OpenAPIType.ARRAY, items=_EVENT))


class OpenLineageRoutes(Controller):
    """See the module."""

    path = "/lineage"
    tags = ("lineage",)

    @post(
        "/",
        operation_id="sendLineageEvent",
        operation_class=EventOperation,
        summary="Send an OpenLineage event",
        status_code=200,
        opt=operator(),
    )
    async def send_event(
        self,
        request: Request[Any, Any, Any],
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
    ) -> Response[EventsTaken]:
        """A run, job or dataset event, in any order and as often as it likes; takes the role operator at the location
        `openlineage`. This is the standard endpoint of OpenLineage clients."""
        who.need("operator", LOCATION, "send lineage")
        return Response(await asyncio.to_thread(_take, backend, await request.body()))

    @post(
        "/batch",
        operation_id="sendLineageEvents",
        operation_class=BatchOperation,
        summary="Send OpenLineage events",
        status_code=200,
        opt=operator(),
    )
    async def send_events(
        self,
        request: Request[Any, Any, Any],
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
    ) -> Response[EventsTaken]:
        """A list of events. What is wrong with one of them keeps none of the others out: the answer names it."""
        who.need("operator", LOCATION, "send lineage")
        return Response(await asyncio.to_thread(_take_all, backend, await request.body()))

    # ---- what was heard ----

    @get(
        "/jobs",
        operation_id="listExternalJobs",
        summary="List jobs that run elsewhere",
        sync_to_thread=True,
        opt=viewer(),
    )
    def list_jobs(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        namespace: A[str | None, query("Only those of this namespace.", max_length=1000)] = None,
        text: Text = "",
        sort: A[Literal["-active", "active", "name", "-name"], query("By when they were active last, or by name.")] = (
            "-active"
        ),
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ExternalJobPage:
        """A page of the jobs that events of OpenLineage tell of."""
        who.need("viewer", LOCATION, "look at what runs elsewhere")
        found = [
            one
            for one in Views(backend).jobs()
            if (namespace is None or one.namespace == namespace)
            and (text.lower() in f"{one.namespace}/{one.name}".lower())
        ]
        by_name = sort.endswith("name")
        items, following = page_of(
            found,
            lambda one: f"{one.namespace}/{one.name}" if by_name else one.last_at.timestamp(),
            lambda one: one.key,
            sort,
            cursor,
            limit,
        )
        return ExternalJobPage(items=items, next=following)

    @get(
        "/jobs/{key:str}",
        operation_id="getExternalJob",
        summary="A job that runs elsewhere",
        sync_to_thread=True,
        opt=viewer(),
    )
    def job(self, backend: NamedDependency[Backend], who: NamedDependency[Principal], key: Key) -> ExternalJobDetail:
        """A job with the datasets that it reads and writes, and all its facets."""
        who.need("viewer", LOCATION, "look at what runs elsewhere")
        return Views(backend).job_detail(key)

    @get(
        "/runs",
        operation_id="listExternalRuns",
        summary="List runs elsewhere",
        sync_to_thread=True,
        opt=viewer(),
    )
    def list_runs(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        job: A[str | None, query("Only runs of the job of this key.", max_length=100)] = None,
        parent: A[str | None, query("Only runs that this run started.", max_length=100)] = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ExternalRunPage:
        """A page of runs, those first that began last."""
        who.need("viewer", LOCATION, "look at what runs elsewhere")
        found = position(cursor, "external-runs", float, str)
        after = None if found is None else (float(found[0]), str(found[1]))
        rows = backend.store.external.runs(job=job, parent=parent, after=after, limit=limit + 1)
        views, shown = Views(backend), rows[:limit]
        following = (
            cursor_of("external-runs", shown[-1].began_at, shown[-1].id) if len(rows) > limit and shown else None
        )
        return ExternalRunPage(items=[views.run(row) for row in shown], next=following)

    @get(
        "/runs/{number:str}",
        operation_id="getExternalRun",
        summary="A run elsewhere",
        sync_to_thread=True,
        opt=viewer(),
    )
    def run(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], number: RunNumber
    ) -> ExternalRunDetail:
        """A run with what it read and wrote, what started it, what it started, and all its facets."""
        who.need("viewer", LOCATION, "look at what runs elsewhere")
        return Views(backend).run_detail(number.lower())

    @get(
        "/datasets/{key:str}",
        operation_id="getExternalDataset",
        summary="A dataset that events tell of",
        sync_to_thread=True,
        opt=viewer(),
    )
    def dataset(self, backend: NamedDependency[Backend], who: NamedDependency[Principal], key: Key) -> ExternalDataset:
        """A dataset with its columns, the jobs elsewhere that read and write it, and the asset that it is."""
        who.need("viewer", LOCATION, "look at what runs elsewhere")
        return Views(backend).dataset(key)


def _take(backend: Backend, body: bytes) -> EventsTaken:
    """Keep one event. Raises Refused."""
    try:
        event = read_event(body, backend.clock())
    except EventError as error:
        raise _refused(error) from None
    return _kept(backend, [event], [])


def _take_all(backend: Backend, body: bytes) -> EventsTaken:
    """Keep those events of a list that are as they should be. Raises Refused where none is."""
    try:
        raw = read_batch(body)
    except EventError as error:
        raise _refused(error) from None
    if len(raw) > EVENTS_MAX:
        raise Refused(
            "too-large", 413, f"there are {len(raw):,} events in it; up to {EVENTS_MAX:,} are taken at a time"
        )
    events, refused = [], []
    for index, one in enumerate(raw):
        try:
            events.append(read_event(one, backend.clock()))
        except EventError as error:
            refused.append(RefusedEvent(index=index, pointer=error.pointer, detail=error.detail))
    if refused and not events:
        errors = tuple(FieldProblem(pointer=f"/{one.index}{one.pointer}", detail=one.detail) for one in refused[:100])
        what = f"none of the {len(raw)} events is as the standard has it: {errors[0].pointer}: {errors[0].detail}"
        raise Refused("invalid", 422, what, errors=errors)
    return _kept(backend, events, refused)


def _kept(backend: Backend, events: Iterable[Event], refused: list[RefusedEvent]) -> EventsTaken:
    own = own_namespace(backend.project)
    events = list(events)
    kept = [one for one in events if not (one.namespace == own and one.producer.startswith(OWN_PRODUCER))]
    backend.store.external.add(kept, backend.clock())
    return EventsTaken(taken=len(kept), ignored=len(events) - len(kept), refused=refused)


def _refused(error: EventError) -> Refused:
    kind, status = ("invalid", 422) if error.pointer or error.is_json else ("bad-request", 400)
    errors = (FieldProblem(pointer=error.pointer, detail=error.detail),)
    return Refused(kind, status, error.what, hint=error.hint, errors=errors)
