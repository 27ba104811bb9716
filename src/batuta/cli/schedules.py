"""`batuta schedules`: what starts runs by the clock, as it is defined; and when it will fire.

Of the store nothing is read but what a person has turned on or off. Times are shown on the schedule's own clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from batuta.cli.defined import Known, chosen, defined, known
from batuta.cli.formats import iso, parse_date, plural
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import file_option, one_at_most, open_workspace, split_target, store_if_any
from batuta.core.errors import BatutaError, RequestError
from batuta.runtime.people import person

if TYPE_CHECKING:
    from batuta.core.schedule_specs import Fire, ScheduleSpec, Skipped
    from batuta.core.timetables import Following
    from batuta.engine.workspace import Workspace
    from batuta.scheduler.consulting import CodeOf

KIND = "schedule"
TIMETABLE_S = 10.0
LEFT_OUT_MAX = 1000
"""How much that is left out is shown before the first run."""

SCHEDULES = {
    "list": Lazy("schedules:list_schedules", "List schedules, and when each fires next.", "Look"),
    "next": Lazy("schedules:next_times", "When a schedule will fire, and what its calendar leaves out.", "Look"),
    "ticks": Lazy("tickers:schedule_ticks", "What a schedule started, and what it did not, and why.", "Look"),
    "on": Lazy("tickers:schedule_on", "Turn a schedule on.", "Do"),
    "off": Lazy("tickers:schedule_off", "Turn a schedule off.", "Do"),
    "reset": Lazy("tickers:schedule_reset", "Let a schedule be on or off as its definition says.", "Do"),
}


@click.group(cls=LazyGroup, lazy=SCHEDULES)
def schedules() -> None:
    """List schedules, show when they fire, turn them on and off."""


@click.command("list")
@click.argument("words", nargs=-1, metavar="[FILE]")
@file_option
@output_options
def list_schedules(words: tuple[str, ...], file: str | None, out: Output) -> None:
    """List schedules, and when each fires next.

    \b
    Examples:
      batuta schedules list
      batuta schedules list pipelines/nightly.py --json
    """
    target, rest = split_target(words, file)
    one_at_most(rest, "file")
    if rest:
        raise RequestError(f"{rest[0]!r} is not a Python file", hint="`batuta schedules next NAME` shows one of them")
    with open_workspace(target) as workspace:
        found = known(defined(workspace), KIND)
        now = time.time()
        switched = _switched(workspace)
        with _Timetables(workspace) as speaking:
            rows = [
                _Row(one.location, one.spec, switched.get(_name_of(one), one.spec.enabled), *_next(one, now, speaking))
                for one in found
            ]
    out.document({"schedules": [_row_data(row) for row in rows]})
    if rows:
        out.say(_schedule_table(rows))
    else:
        out.note("no schedules: give a job a schedule=, or see `batuta.Schedule`")


@click.command("next")
@click.argument("words", nargs=-1, required=True, metavar="[FILE] NAME")
@click.option("-n", "--count", type=click.IntRange(1, 10_000), default=10, show_default=True, help="How many runs.")
@click.option("--after", metavar="TIME", help="From this time on instead of now, like 2026-01-31 or 2026-01-31T06:00.")
@file_option
@output_options
def next_times(words: tuple[str, ...], count: int, after: str | None, file: str | None, out: Output) -> None:
    """When a schedule will fire, and what its calendar leaves out.

    With the data interval of each run, the partition that it makes, and the delay by jitter. Times are on the
    schedule's clock; in JSON they are UTC.

    \b
    Examples:
      batuta schedules next nightly
      batuta schedules next nightly -n 50 --after 2026-12-20
    """
    from batuta.core import schedules as core

    target, rest = split_target(words, file)
    name = one_at_most(rest, "name")
    since = time.time() if after is None else parse_date(after)
    with open_workspace(target) as workspace:
        one = chosen(known(defined(workspace), KIND), KIND, name)
        spec: ScheduleSpec = one.spec
        with _Timetables(workspace) as speaking:
            items = _first(core.fires(spec, since, speaking.of(one)), count)
    out.document({**schedule_data(spec), "location": one.location, "times": [_item_data(item) for item in items]})
    if not items:
        out.note(f"{name} does not fire any more")
    elif not out.json:
        _tell(spec, items, out)


class _Row(NamedTuple):
    """A schedule as it is listed. `next_at` is when it would fire, whether it is on or off."""

    location: str
    spec: ScheduleSpec
    is_on: bool
    next_at: float | None
    error: str


def _name_of(one: Known) -> tuple[str, str]:
    """As the store names it."""
    return one.location, one.spec.name


def _switched(workspace: Workspace) -> dict[tuple[str, str], bool]:
    """What a person has turned on or off, by location and name; nothing where there is no store yet."""
    store = store_if_any(workspace)
    if store is None:
        return {}
    return {(row.location, row.name): row.enabled for row in store.tickers(KIND) if row.enabled is not None}


class _Timetables:
    """The timetables of a workspace: the code of a location is loaded only if one of its schedules has one."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._code: dict[str, Any] = {}
        self._open = ExitStack()

    def __enter__(self) -> _Timetables:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def of(self, one: Known) -> Following | None:
        """What answers for the schedule's timetable, if it has one."""
        from batuta.core.schedule_specs import Custom

        timing = one.spec.timing
        if not isinstance(timing, Custom):
            return None

        def following(after: float) -> float | None:
            data = {"name": timing.timetable, "after": after, "timezone": timing.timezone}
            answer = self._code_of(one.location).ask("timetable", data, TIMETABLE_S)["at"]
            return None if answer is None else float(answer)

        return following

    def _code_of(self, location: str) -> CodeOf:
        from batuta.scheduler.consulting import CodeOf

        if location not in self._code:
            here = self._workspace
            code = CodeOf(here.project, location, lambda: here.store, target=here.target, by=person())
            self._code[location] = self._open.enter_context(code)
        found: CodeOf = self._code[location]
        return found


def _next(one: Known, now: float, speaking: _Timetables) -> tuple[float | None, str]:
    """When it fires next, or what is wrong with its timetable."""
    from batuta.core.schedules import next_fire_at

    try:
        return next_fire_at(one.spec, now, speaking.of(one)), ""
    except BatutaError as error:
        return None, error.what


def _first(items: Iterable[Fire | Skipped], count: int) -> list[Fire | Skipped]:
    """The first so many runs, and what is left out between them."""
    from batuta.core.schedule_specs import Fire

    found: list[Fire | Skipped] = []
    for item in islice(items, 2 * count + LEFT_OUT_MAX):
        found.append(item)
        count -= isinstance(item, Fire)
        if count == 0:
            break
    return found


# ---- as text ----


def _schedule_table(rows: Sequence[_Row]) -> str:
    from batuta.core.timetables import text_of

    cells = []
    several = len({row.location for row in rows}) > 1
    for location, spec, is_on, next_at, error in rows:
        if error:
            shown = Cell(error, "red")
        elif next_at is None:
            shown = Cell("never again", dim=True)
        elif not is_on:
            shown = Cell("-", dim=True)
        else:
            shown = Cell(_local(next_at, spec.timing.timezone))
        state = Cell("on", "green") if is_on else Cell("off", dim=True)
        place = (location,) if several else ()
        cells.append((Cell(spec.name, bold=True), *place, _starts(spec), text_of(spec.timing), state, shown))
    columns = ("SCHEDULE", *(("LOCATION",) if several else ()), "STARTS", "WHEN", "", "NEXT")
    return table(columns, cells, indent="  ")


def _starts(spec: ScheduleSpec) -> str:
    return spec.job or f"assets {spec.selection}"


def _local(at: float, timezone: str) -> str:
    """A time on the clock of a zone: `Mon 2026-02-02 02:00 CET`; with seconds where it has some."""
    from batuta.core.timezones import to_datetime

    when = to_datetime(int(at), timezone)
    return when.strftime("%a %Y-%m-%d %H:%M:%S %Z" if when.second else "%a %Y-%m-%d %H:%M %Z")


def _tell(spec: ScheduleSpec, items: Sequence[Fire | Skipped], out: Output) -> None:
    from batuta.cli.show import title
    from batuta.core.timetables import describe

    zone = spec.timing.timezone
    title(out, spec.name, f"{describe(spec.timing)} ({zone})", f"starts {_starts(spec)}")
    rows = [_row(item, zone) for item in items]
    columns = ["TIME", "INTERVAL FROM", "PARTITION", ""]
    if not any(row[2].text for row in rows):
        del columns[2]
        rows = [(*row[:2], row[3]) for row in rows]
    out.say(table(columns, rows, indent="  "))


def _row(item: Fire | Skipped, zone: str) -> tuple[Cell, ...]:
    """Time, begin of the interval, partition, remarks."""
    from batuta.core.schedule_specs import Fire

    if isinstance(item, Fire):
        notes = []
        if item.moved_from is not None:
            notes.append(f"moved from {_local(item.moved_from, zone)}")
        if item.fire_at > item.logical_at:
            notes.append(f"starts {item.fire_at - item.logical_at:.1f} s later (jitter)")
        first = Cell(_local(item.logical_at, zone), bold=True)
        return first, Cell(_local(item.interval_start, zone)), Cell(item.partition), Cell(", ".join(notes))
    about = f"left out: {item.reason}"
    if item.logical_to > item.logical_from:
        times = "many times" if item.count is None else plural(item.count, "time")
        about = f"{about}; {times} up to {_local(item.logical_to, zone)}"
    return Cell(_local(item.logical_from, zone), dim=True), Cell(""), Cell(""), Cell(about, dim=True)


# ---- as JSON data ----


def _row_data(row: _Row) -> dict[str, Any]:
    more = {"on": row.is_on, "next_at": iso(row.next_at), "error": row.error or None}
    return {**schedule_data(row.spec), "location": row.location, **more}


def schedule_data(spec: ScheduleSpec) -> dict[str, Any]:
    """A schedule as JSON data."""
    from batuta.core.timetables import describe, text_of

    catch_up = spec.catch_up
    return {
        "name": spec.name,
        "job": spec.job or None,
        "selection": spec.selection or None,
        "when": text_of(spec.timing),
        "description": spec.description or describe(spec.timing),
        "timezone": spec.timing.timezone,
        "enabled_by_default": spec.enabled,
        "start_at": iso(spec.start_at),
        "end_at": iso(spec.end_at),
        "jitter_s": spec.jitter_s,
        "catch_up": {"policy": catch_up.policy, "runs_max": catch_up.runs_max, "age_max_s": catch_up.age_max_s},
        "overlap": spec.overlap,
        "params": spec.params,
        "config": spec.config,
        "tags": spec.tags,
        "priority": spec.priority,
        "place": str(spec.place),
    }


def _item_data(item: Fire | Skipped) -> dict[str, Any]:
    from batuta.core.schedule_specs import Fire

    if isinstance(item, Fire):
        return {
            "kind": "run",
            "logical_at": iso(item.logical_at),
            "fire_at": iso(item.fire_at),
            "interval_start": iso(item.interval_start),
            "interval_end": iso(item.interval_end),
            "partition": item.partition or None,
            "params": item.params,
            "moved_from": iso(item.moved_from),
        }
    return {
        "kind": "left_out",
        "logical_from": iso(item.logical_from),
        "logical_to": iso(item.logical_to),
        "count": item.count,
        "cause": item.cause,
        "reason": item.reason,
    }
