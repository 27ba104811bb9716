"""Which runs of a schedule are due: a pure function of its definition, how far it has been evaluated, and the time.

`due` is asked with a cursor and answers with the next one; runs and cursor are to be stored together. Whatever the
times at which it is asked, each logical time is answered once (what the catch-up policy leaves out depends on them).

Clock changes: a fixed wall-clock time that the clock skips fires when the clock has jumped; one that happens twice
fires the first time. Crons with `*` at the start of minute or hour or with seconds, hourly and minutely recurrences,
and intervals go by real time. Surprising rule: starts keep the order of their logical times, so that one that jitter
puts off holds back those after it.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from itertools import dropwhile
from typing import get_args

from batuta.core import calendars, timetables
from batuta.core.errors import DefinitionError, PartitionError, nearest
from batuta.core.partitions import MultiPartitions
from batuta.core.schedule_params import partition_key, render, time_dimension
from batuta.core.schedule_specs import CatchUp, Due, Fire, Overlap, ScheduleSpec, Skipped
from batuta.core.schedule_times import COUNT_MAX, Tick, Times
from batuta.core.timetables import Following

BATCH_MAX = 1000
"""How many logical times one answer of `due` covers at most; the rest is due at once."""
RUNS_MAX = 10_000
JITTER_MAX_S = 86_400
AGE_DEFAULT_S = 60.0
"""How late a run may be with the catch-up policy "none", where it does not say."""


def due(spec: ScheduleSpec, cursor: float | None, now: float, custom: Following | None = None) -> Due:
    """What is to be started at `now`, given that everything up to `cursor` has been decided.

    `cursor` is None for a schedule that was never evaluated: it begins now, or with its start where all is to be caught
    up. `custom` speaks for a timetable (`core.schedule_specs.Custom`); its errors pass through.
    """
    times = Times(spec, custom)
    if cursor is None:
        cursor = _first_cursor(spec, now)
    low = math.floor(cursor)
    tick = times.following(low)
    if now < cursor or tick is None or _fire_at(spec, tick) > now:
        return _nothing(spec, times, cursor, now, tick)
    following = times.following(tick.at)
    if following is None or _fire_at(spec, following) > now:
        decided, following = [tick], following
    else:
        base = _catch_up_from(spec, times, low, now)
        first = tick if base <= low else times.following(base)
        decided, following = _fired(spec, times, first, now)
    return _answer(spec, times, cursor, now, decided, following)


def next_fire_at(spec: ScheduleSpec, cursor: float, custom: Following | None = None) -> float | None:
    """When to evaluate a schedule that was evaluated up to `cursor`; None where nothing will ever be due."""
    tick = Times(spec, custom).following(math.floor(cursor))
    return None if tick is None else _fire_at(spec, tick)


def fires(spec: ScheduleSpec, after: float, custom: Following | None = None) -> Iterator[Fire | Skipped]:
    """All that will happen after `after` in order, as if it were always asked in time: runs, and what is excluded."""
    times = Times(spec, custom)
    at = math.floor(after)
    previous: int | None = None
    while (tick := times.following(at)) is not None:
        excluded = times.left_out(at, tick.at)
        if excluded is not None:
            yield excluded
        yield _reached(spec, times, tick, previous)
        at = previous = tick.at


def validate(spec: ScheduleSpec, where: str | None = None) -> None:
    """Raise DefinitionError for what is wrong with a schedule; `where` says where it is written."""
    where = where or f"{spec.place}: schedule {spec.name!r}"
    if bool(spec.job) == bool(spec.selection):
        what = "a schedule starts a job or assets, not both" if spec.job else "the schedule starts nothing"
        raise DefinitionError(what, where=where, hint='give job=, or assets="layer:gold"')
    timetables.validate(spec.timing, where)
    if spec.calendar is not None:
        calendars.validate(spec.calendar, where)
    if not 0 <= spec.jitter_s <= JITTER_MAX_S:
        hint = f"give seconds from 0 to {JITTER_MAX_S:,} (a day)"
        raise DefinitionError(f"jitter_s is {spec.jitter_s}", where=where, hint=hint)
    if spec.start_at is not None and spec.end_at is not None and spec.end_at < spec.start_at:
        raise DefinitionError("the schedule ends before it starts", where=where, hint="end is after start")
    _validate_catch_up(spec.catch_up, where)
    if spec.overlap not in get_args(Overlap):
        hint = nearest(str(spec.overlap), get_args(Overlap)) or f"it is one of {', '.join(get_args(Overlap))}"
        raise DefinitionError(f"overlap is {spec.overlap!r}", where=where, hint=hint)
    if spec.partition is not None and isinstance(spec.partition.definition, MultiPartitions):
        time_dimension(spec.partition, where)


def _validate_catch_up(catch_up: CatchUp, where: str) -> None:
    if catch_up.policy not in ("all", "latest", "none"):
        what = f"catch_up is {catch_up.policy!r}"
        raise DefinitionError(what, where=where, hint="it is 'all', 'latest' or 'none', or a CatchUp")
    if catch_up.runs_max is not None and not 1 <= catch_up.runs_max <= RUNS_MAX:
        hint = f"give 1 to {RUNS_MAX:,}, or None; catch_up='none' starts nothing that is late"
        raise DefinitionError(f"catch_up: runs_max is {catch_up.runs_max}", where=where, hint=hint)
    if catch_up.age_max_s is not None and not catch_up.age_max_s > 0:
        hint = "give seconds above 0, or None"
        raise DefinitionError(f"catch_up: age_max_s is {catch_up.age_max_s}", where=where, hint=hint)


def jitter(spec: ScheduleSpec, logical_at: int) -> float:
    """By how many seconds the start is put off: the same for every scheduler and every evaluation."""
    if spec.jitter_s <= 0:
        return 0.0
    digest = hashlib.blake2b(f"{spec.name}\0{logical_at}".encode(), digest_size=7).digest()
    return round(spec.jitter_s * int.from_bytes(digest) / (1 << 56), 3)


def _fire_at(spec: ScheduleSpec, tick: Tick) -> float:
    return tick.at + jitter(spec, tick.at)


def _first_cursor(spec: ScheduleSpec, now: float) -> float:
    if spec.catch_up.policy == "all" and spec.start_at is not None and spec.start_at <= now:
        return float(math.ceil(spec.start_at) - 1)
    return now


def _nothing(spec: ScheduleSpec, times: Times, cursor: float, now: float, tick: Tick | None) -> Due:
    moved = cursor if now < cursor else _cursor_before(tick, cursor, now)
    excluded = times.left_out(math.floor(cursor), math.floor(moved))
    wake_at = None if tick is None else _fire_at(spec, tick)
    return Due((), () if excluded is None else (excluded,), moved, wake_at)


def _cursor_before(tick: Tick | None, decided: float, now: float) -> float:
    """As far as all is decided, `tick` being the next that is not: a changed definition is to look back no further."""
    if tick is None or tick.at > now:
        return max(decided, now)
    return max(decided, float(tick.at - 1))


def _catch_up_from(spec: ScheduleSpec, times: Times, low: int, now: float) -> int:
    """After which time the catch-up policy begins to look; what is before it may be many, and is not looked at."""
    base = low
    age, runs = _limits(spec)
    if age is not None:
        base = max(base, math.ceil(now - age - spec.jitter_s) - 1)
    if runs is not None:
        at = math.floor(now - spec.jitter_s) + 1  # all before it has fired
        for _ in range(runs):
            earlier = times.preceding(at)
            if earlier is None or earlier <= base:
                return base
            at = earlier
        base = max(base, at - 1)
    return base


def _limits(spec: ScheduleSpec) -> tuple[float | None, int | None]:
    """The greatest age in seconds, and the greatest number of runs."""
    policy = spec.catch_up
    if policy.policy == "latest":
        return policy.age_max_s, 1
    if policy.policy == "none" and policy.age_max_s is None:
        return AGE_DEFAULT_S, policy.runs_max
    return policy.age_max_s, policy.runs_max


def _fired(spec: ScheduleSpec, times: Times, tick: Tick | None, now: float) -> tuple[list[Tick], Tick | None]:
    """The ticks from `tick` on that are to be decided now, and the one after them."""
    runs = _limits(spec)[1]
    found: deque[Tick] = deque(maxlen=runs)
    while tick is not None and _fire_at(spec, tick) <= now and (runs is not None or len(found) < BATCH_MAX):
        found.append(tick)
        tick = times.following(tick.at)
    return list(found)[:BATCH_MAX], (found[BATCH_MAX] if len(found) > BATCH_MAX else tick)


def _answer(
    spec: ScheduleSpec, times: Times, cursor: float, now: float, decided: list[Tick], following: Tick | None
) -> Due:
    """The ticks that were reached as runs, less those that are too late, and what was left out on the way to them."""
    age = _limits(spec)[0]
    kept = list(dropwhile(lambda tick: age is not None and now - _fire_at(spec, tick) > age, decided))
    skipped: list[Skipped] = []
    low = math.floor(cursor)
    first = kept[0] if kept else following
    missed = _missed(spec, times, low, None if first is None else first.at, now)
    if missed is not None:
        skipped.append(missed)
        low = int(missed.logical_to)
    runs: list[Fire] = []
    previous: int | None = None
    for tick in kept:
        excluded = times.left_out(low, tick.at)
        if excluded is not None:
            skipped.append(excluded)
        reached = _reached(spec, times, tick, previous)
        if isinstance(reached, Fire):
            runs.append(reached)
        else:
            skipped.append(reached)
        low = previous = tick.at
    decided_to = float(max([low, *(tick.at for tick in decided)]))
    wake_at = None if following is None else max(_fire_at(spec, following), now)
    at = _cursor_before(following, max(cursor, decided_to), now)
    if following is not None and _fire_at(spec, following) <= now:  # there is more than one answer holds
        at = max(cursor, decided_to)
    excluded = times.left_out(low, math.floor(at))
    if excluded is not None:
        skipped.append(excluded)
    return Due(tuple(runs), tuple(skipped), at, wake_at)


def _missed(spec: ScheduleSpec, times: Times, low: int, first: int | None, now: float) -> Skipped | None:
    """What the catch-up policy leaves out: the times after `low` and before `first` that have fired."""
    begin = times.following(low)
    if begin is None or (first is not None and begin.at >= first) or _fire_at(spec, begin) > now:
        return None
    until = first if first is not None else math.floor(now) + 1
    last = times.preceding(until)
    count = 0
    tick: Tick | None = begin
    while tick is not None and tick.at < until and count <= COUNT_MAX:
        count, tick = count + 1, times.following(tick.at)
    return Skipped(
        float(begin.at),
        float(begin.at if last is None else last),
        count if count <= COUNT_MAX else None,
        "catch_up",
        _why_missed(spec, now - begin.at),
    )


def _why_missed(spec: ScheduleSpec, late_s: float) -> str:
    age, runs = _limits(spec)
    text = f"missed by up to {timedelta(seconds=round(late_s))}"
    if spec.catch_up.policy == "latest":
        return f"{text}; catch_up is 'latest', and a later one was due"
    limits = [f"age_max_s={age:g}"] if age is not None else []
    limits += [f"runs_max={runs}"] if runs is not None else []
    return f"{text}; catch_up is {spec.catch_up.policy!r} with {', '.join(limits)}"


def _reached(spec: ScheduleSpec, times: Times, tick: Tick, previous: int | None) -> Fire | Skipped:
    """What becomes of a tick that is due. `previous`: the logical time before it, where that is known."""
    before = times.preceding(tick.at) if previous is None else previous
    begin = tick.at if before is None else before
    try:
        partition = partition_key(spec, tick.at)
    except PartitionError as error:
        reason = f"{error.what}; {error.hint}" if error.hint else error.what
        return Skipped(float(tick.at), float(tick.at), 1, "partition", reason)
    return Fire(
        logical_at=float(tick.at),
        fire_at=_fire_at(spec, tick),
        interval_start=float(begin),
        interval_end=float(tick.at),
        partition=partition,
        params=render(spec, tick.at, begin, partition),
        moved_from=None if tick.moved_from is None else float(tick.moved_from),
    )
