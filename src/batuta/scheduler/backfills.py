"""The duty of backfills: items are submitted as runs, as many at once as asked for, and done for when their runs are.

Each attempt of an item has a run key of its own, so that whatever crashes between making runs and noting it, none is
made twice. What becomes of items is written under the lead. Surprising: thousands of items are submitted in one
transaction, most of them with a plan that differs from the first one's only in the names of partitions.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from batuta.core import backfills as core
from batuta.core.backfills import BackfillState, ItemState
from batuta.core.errors import BatutaError, LoadError, RequestError
from batuta.scheduler.backfill_runs import Plans
from batuta.scheduler.launching import RunSpec, location_of, rows_of
from batuta.store.backfill_box import BackfillItemRow, BackfillRow, ItemChange
from batuta.store.rows import KeyedRun, Leader

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

logger = logging.getLogger("batuta.scheduler")

KIND = "backfill"
AGAIN_S = 1.0
"""How long until it looks without having been woken, while a backfill is open."""

STOPPED_MAX = 200
"""So many runs are asked to stop at a time: other backfills go on in between."""

Made = KeyedRun | BatutaError | None
"""The rows of an item's run, why there is none, or that nothing is left to make."""


class BackfillDuty:
    """See the module."""

    name = "backfills"
    leads = True

    def __init__(self, service: Service) -> None:
        self._service = service
        self._asked_to_stop: set[int] = set()
        self._stops_more = False
        self.is_idle = True
        """Whether no backfill is open: then nobody need wake it when a run ends."""

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        rows = self._service.store.backfills.open()
        self.is_idle = not rows
        if not rows:
            self._asked_to_stop.clear()
            return None
        for row in rows:
            try:
                self._go_on(row, now, lead)
            except (LoadError, RequestError) as error:  # of this one: the others go on
                logger.warning("backfill %d waits: %s", row.id, error)
        if self._stops_more:
            self._stops_more = False
            return now
        return now + AGAIN_S

    def _go_on(self, row: BackfillRow, now: float, lead: Leader | None) -> None:
        box = self._service.store.backfills
        state: str = row.state
        while ended := box.ended(row.id):
            state = box.settle(row.id, ended, leader=lead, now=now)
        if state == BackfillState.CANCELLING:
            self._stop_runs(row)
        while True:
            counts = box.counts([row.id])[row.id]
            room = core.room(row.spec, state, counts.get(ItemState.SUBMITTED, 0))
            items = box.items(row.id, states=[ItemState.WAITING], limit=room) if room else []
            if not items:
                if core.next_state(state, counts) != state:
                    box.settle(row.id, (), leader=lead, now=now)
                return
            state = box.settle(row.id, self._submit(row, items, now), leader=lead, now=now)

    def _stop_runs(self, row: BackfillRow) -> None:
        """The newest first: what waits in the queue is not begun meanwhile."""
        left = [run for run in self._service.store.backfills.open_runs(row.id) if run not in self._asked_to_stop]
        for run_id in left[-STOPPED_MAX:]:
            self._asked_to_stop.add(run_id)
            with contextlib.suppress(RequestError):  # it has just ended
                self._service.cancel(run_id, row.created_by or f"backfill {row.id}")
        self._stops_more = self._stops_more or len(left) > STOPPED_MAX

    # ---- submitting ----

    def _submit(self, row: BackfillRow, items: Sequence[BackfillItemRow], now: float) -> list[ItemChange]:
        """Queue the runs of these items; what has become of them. Raises what keeps them from being run just now."""
        keyed: list[KeyedRun] = []
        of_run: list[BackfillItemRow] = []
        changes: list[ItemChange] = []
        for item, run in zip(items, self._made(row, items, now), strict=True):
            if run is None:
                changes.append(ItemChange(item.no, ItemState.SUCCEEDED, item.attempt, None, "nothing to make"))
            elif isinstance(run, KeyedRun):
                keyed.append(run)
                of_run.append(item)
            elif isinstance(run, LoadError) or not isinstance(run, RequestError):
                raise LoadError(run.what, where=run.where, hint=run.hint)
            else:
                changes.append(ItemChange(item.no, ItemState.FAILED, item.attempt, None, str(run)))
        created = self._service.store.create_keyed(f"{KIND}:{row.id}", keyed, now=now) if keyed else []
        for item, (run_id, _is_new) in zip(of_run, created, strict=True):
            changes.append(ItemChange(item.no, ItemState.SUBMITTED, item.attempt, run_id))
        if created:
            self._service.wake("queue")
        return changes

    def _made(self, row: BackfillRow, items: Sequence[BackfillItemRow], now: float) -> Sequence[Made]:
        spec = row.spec
        if spec.first is not None:
            return self._service.launching.runs_from([_timed(row, item) for item in items], now)
        locations = self._service.locations
        of_job = locations.with_job(spec.job, spec.location) if spec.job else None
        job = of_job.job(spec.job) if of_job is not None else None
        selection = job.selection if job is not None else spec.selection
        assets = locations.assets_for("" if job is not None else spec.location).within(spec.environment)
        plans = Plans(assets, spec, selection, [item.item for item in items], now)
        found: list[Made] = []
        for item in items:
            try:
                plan = plans.plan(item.item)
            except BatutaError as error:
                found.append(error)
                continue
            base = _base(row, item)
            base.partition = item.item.label
            if not plan.steps:
                found.append(None)
                continue
            version = locations.get(
                location_of(plan, of_job.location if of_job is not None else spec.location)
            ).version()
            root = self._service.project.root
            found.append(
                rows_of(base, job, plan, dict(spec.params), version.location, version.hash, project_root=root, now=now)
            )
        return found


def _base(row: BackfillRow, item: BackfillItemRow) -> RunSpec:
    spec = row.spec
    return RunSpec(
        job=spec.job,
        selection=spec.selection,
        location=spec.location,
        key=f"{item.no}.{item.attempt}",
        params=spec.params,
        tags=spec.tags,
        trigger=KIND,
        origin=str(row.id),
        priority=spec.priority,
        backfill_id=row.id,
        environment=spec.environment,
        config={"mode": "stale"} if spec.mode == "stale" else {},
    )


def _timed(row: BackfillRow, item: BackfillItemRow) -> RunSpec:
    fire = item.item.fire
    assert fire is not None
    base = _base(row, item)
    base.params = {**fire.params, **row.spec.params}
    base.logical_at = fire.logical_at
    base.interval = (fire.interval_start, fire.interval_end)
    base.partition = fire.partition or None
    return base
