"""Schedules as plain records: when, on which days, what is started, and what becomes of times that were missed.

Times are seconds since 1970 UTC. A *logical time* is when a run is due by the definition, always a whole second; jitter
and outages move when it is started, never the logical time. Constructors check nothing, so that an error can name the
place in the author's file: see `core.schedules.validate`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from batuta.core.partition_types import Partitions
from batuta.core.place import Place


class Cron(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="cron"):
    """Whenever one of the cron expressions says so; a time that two of them share counts once."""

    expressions: tuple[str, ...]
    timezone: str = "UTC"


class Interval(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="interval"):
    """Every `every_s` seconds of real time, counted from `anchor`; `timezone` is for display and calendars."""

    every_s: int
    anchor: int = 0
    timezone: str = "UTC"


class Rrule(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="rrule"):
    """A recurrence of RFC 5545, counted from `start`, an ISO date-time on the clock of `timezone`.

    `rule` holds one or more lines: RRULE (the prefix may be left out where it is the only one), EXRULE, RDATE, EXDATE.
    """

    rule: str
    start: str
    timezone: str = "UTC"


class Custom(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="custom"):
    """A function of the user's, evaluated where the location's code is: the name of a timetable."""

    timetable: str
    timezone: str = "UTC"


Timing = Cron | Interval | Rrule | Custom

OnExcluded = Literal["skip", "next", "previous"]


class Calendar(msgspec.Struct, frozen=True, omit_defaults=True):
    """On which days of the schedule's zone it fires.

    A day is left out where its ISO weekday is not in `weekdays`, it is in `exclude`, or a holiday; `include` wins over
    all of them. Dates are `2026-12-24`, `12-24` (every year), or `2026-08-01..2026-08-15`. Holidays are those of a
    country (`ES`), a part of it (`ES-MD`) or an exchange (`XNYS`), as the package `holidays` knows them.
    `on_excluded`: leave such a time out, or move it to the next or previous day that is not left out, at the same hour.
    """

    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    holidays: tuple[str, ...] = ()
    on_excluded: OnExcluded = "skip"


class CatchUp(msgspec.Struct, frozen=True, omit_defaults=True):
    """What becomes of the times that passed while nobody looked.

    `all`: each is run, oldest first. `latest`: the last one only. `none`: those that are at most `age_max_s` late
    (60 s where nothing is said). `runs_max` (the newest ones count) and `age_max_s` limit `all`, too.
    """

    policy: Literal["all", "latest", "none"] = "latest"
    runs_max: int | None = None
    age_max_s: float | None = None


Overlap = Literal["queue", "skip", "cancel_running"]


class TickPartition(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which partition the run of a logical time makes.

    Of a time partition the last window that has ended by then, `offset` windows later (1: the one still open; -1: the
    one before). `fixed` has the keys of other dimensions, those not named are open: all keys; `key` is the same every
    time instead.
    """

    definition: Partitions | None = None
    offset: int = 0
    fixed: dict[str, str] = {}
    key: str = ""


class ScheduleSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is started, and when: a job, or (`job` being empty) the selection of assets.

    `jitter_s`: each start is put off by up to so many seconds, always by the same for one logical time. `start_at` and
    `end_at` bound the logical times, both included. `overlap`: what happens to a run that is due while another of this
    schedule is not finished. `params` may hold text like `{interval_start:%Y-%m-%d}`, see `core.schedules`. `enabled`
    is what it is until a person says otherwise.
    """

    name: str
    timing: Timing
    job: str = ""
    selection: str = ""
    calendar: Calendar | None = None
    jitter_s: float = 0.0
    start_at: float | None = None
    end_at: float | None = None
    catch_up: CatchUp = CatchUp()
    overlap: Overlap = "queue"
    enabled: bool = True
    params: dict[str, Any] = {}
    config: dict[str, Any] = {}
    tags: dict[str, str] = {}
    priority: int = 0
    partition: TickPartition | None = None
    description: str = ""
    place: Place = Place()


class Fire(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run that is due. The interval is the period before the logical time, back to the time before it.

    `fire_at` is the logical time with its jitter. `partition` is a choice of partitions as `asset_plan.plan_assets`
    takes it, "" for none. `params` are those of the schedule with this time's values filled in. `moved_from`: the
    excluded time that was moved here by the calendar.
    """

    logical_at: float
    fire_at: float
    interval_start: float
    interval_end: float
    partition: str = ""
    params: dict[str, Any] = {}
    moved_from: float | None = None


class Skipped(msgspec.Struct, frozen=True, omit_defaults=True):
    """Logical times that are not run, from the first to the last, and why. `count` is None where it is very large."""

    logical_from: float
    logical_to: float
    count: int | None
    cause: Literal["excluded", "catch_up", "partition"]
    reason: str


class Due(msgspec.Struct, frozen=True):
    """What is to be done now, and how far that goes.

    `cursor` is to be stored in the same transaction as the runs, and given to the next evaluation. `wake_at` is when to
    evaluate again: `now` where more is due than fits in one answer, None where nothing will ever be due.
    """

    fires: tuple[Fire, ...]
    skipped: tuple[Skipped, ...]
    cursor: float
    wake_at: float | None
