"""Schedules, sensors and automations as the API shows them: switched on or not, when next, what their ticks did."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from batuta.core.errors import BatutaError
from batuta.core.schedule_specs import Cron, Custom, Fire, Interval, Rrule, ScheduleSpec
from batuta.core.schedules import fires
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.shapes.base import at, at_or_none
from batuta.server.shapes.jobs import NextTime
from batuta.server.shapes.service import Tick, Ticker
from batuta.server.source_code import short_place
from batuta.store.rows import TickerRow, TickRow

LOOKED_AT_MAX = 2_000
"""How many times are looked at for the next ones: a calendar may leave most of them out."""
PER_SCHEDULE_MAX = 100
"""How many future times of one schedule are told of: one that fires each second would hide the others."""


def ticker_rows(backend: Backend, kind: str) -> dict[tuple[str, str], TickerRow]:
    """What tickers of a kind remember, by location and name."""
    return {(row.location, row.name): row for row in backend.store.tickers(kind)}


def state_of(
    backend: Backend, location: str, spec: ScheduleSpec, rows: dict[tuple[str, str], TickerRow] | None = None
) -> tuple[bool, TickerRow | None]:
    """Whether a schedule is on, and what it remembers."""
    known = ticker_rows(backend, "schedule") if rows is None else rows
    row = known.get((location, spec.name))
    return spec.enabled if row is None or row.enabled is None else row.enabled, row


def next_times(backend: Backend, spec: ScheduleSpec, count: int, row: TickerRow | None = None) -> list[float]:
    """The next logical times of a schedule; of a timetable of the user's only what the scheduler found."""
    if isinstance(spec.timing, Custom):
        return [row.next_at] if row is not None and row.next_at is not None else []
    now = backend.clock()
    try:
        coming: Iterable[object] = islice(fires(spec, now), LOOKED_AT_MAX)
        return [each.logical_at for each in islice((one for one in coming if isinstance(one, Fire)), count)]
    except BatutaError:
        return []


def coming(
    backend: Backend, who: Principal, *, until: float, count: int, each: int = PER_SCHEDULE_MAX
) -> list[NextTime]:
    """The future times of schedules that are on, the next first; of each schedule at most so many."""
    catalog, rows = backend.catalog, ticker_rows(backend, "schedule")
    found: list[tuple[float, NextTime]] = []
    for (location, _), spec in catalog.schedules.items():
        enabled, row = state_of(backend, location, spec, rows)
        if not enabled or not who.may("viewer", location):
            continue
        for moment in next_times(backend, spec, min(count, each), row):
            if moment > until:
                break
            shown = NextTime(
                schedule=spec.name, location=location, job=spec.job, selection=spec.selection, at=at(moment)
            )
            found.append((moment, shown))
    found.sort(key=lambda one: one[0])
    return [shown for _, shown in found[:count]]


# ---- as they are shown ----


def tick_of(row: TickRow) -> Tick:
    """A tick as it is shown."""
    return Tick(
        id=row.id,
        kind=row.kind,
        location=row.location,
        name=row.name,
        at=at(row.at),
        ended_at=at(row.ended_at),
        logical_at=at_or_none(row.logical_at),
        outcome=row.outcome,
        reason=row.reason,
        runs=row.runs,
        cursor=row.cursor,
        data=row.data,
    )


def schedule_of(
    backend: Backend, location: str, spec: ScheduleSpec, row: TickerRow | None, last: Tick | None
) -> Ticker:
    """A schedule as it is shown."""
    enabled = spec.enabled if row is None or row.enabled is None else row.enabled
    times = next_times(backend, spec, 1, row) if enabled else []
    return Ticker(
        kind="schedule",
        name=spec.name,
        location=location,
        description=spec.description,
        job=spec.job,
        selection=spec.selection,
        timing=timing_text(spec),
        timezone=spec.timing.timezone,
        enabled=enabled,
        defined=spec.enabled,
        switched=row is not None and row.enabled is not None,
        next_at=at(times[0]) if times else None,
        ticked_at=None if row is None else at_or_none(row.ticked_at),
        failures=0 if row is None else row.failures,
        cursor="" if row is None else row.cursor,
        last=last,
        place=short_place(spec.place, backend.project.root),
    )


def timing_text(spec: ScheduleSpec) -> str:
    """When a schedule fires, as it is written."""
    match spec.timing:
        case Cron() as cron:
            return ", ".join(cron.expressions)
        case Interval() as interval:
            return f"every {interval.every_s} s"
        case Rrule() as rrule:
            return rrule.rule
        case timetable:
            return timetable.timetable
