"""The duty that starts what schedules say is due: their definitions are asked (`core.schedules`), the answers recorded.

Runs, ticks and cursors of many schedules are one transaction, under the lead. So whatever crashes, and however many
schedulers there are, each logical time has one run. Surprising: a run that can never be (wrong parameters, a job that
is gone) is a failed tick and done with; one that cannot be just now (its location is broken) is tried again.
"""

from __future__ import annotations

import functools
import heapq
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from batuta.core import schedules
from batuta.core.errors import BatutaError, LoadError, RequestError
from batuta.core.schedule_specs import Custom, Due, Fire, ScheduleSpec, Skipped
from batuta.core.timetables import Following
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.location import Version
from batuta.store.rows import KeyedRun, Leader, NewTick, TickerRow

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

BATCH_MAX = 500
"""So many schedules are evaluated, then their runs recorded: the first are under way while the last are evaluated."""
SETTLE_S = 0.5
"""What others write is looked at no more often than that."""
LATE_S = 60.0
"""A run that starts later than that after it was due says so in its tick."""
RETRY_S, RETRY_S_MAX = 1.0, 300.0
TIMETABLE_S = 10.0
OFF = "off"
"""The state of a ticker while its schedule is off: what passes meanwhile is not caught up when it is turned on."""

KIND = "schedule"
Name = tuple[str, str]


@dataclass(eq=False, slots=True)
class Entry:
    """A schedule that is evaluated. `wake_at` None: nothing will ever be due."""

    spec: ScheduleSpec
    version: Version
    ticker: TickerRow
    wake_at: float | None
    is_on: bool = True

    @property
    def name(self) -> Name:
        return self.version.location, self.spec.name


@dataclass(slots=True)
class _Answer:
    """What an evaluation came to: `due`, or why there is none."""

    entry: Entry
    due: Due | None = None
    error: BatutaError | None = None
    specs: list[tuple[Fire, RunSpec]] = field(default_factory=list)
    skipped: list[tuple[Fire, str]] = field(default_factory=list)
    cancels: bool = False


class ScheduleDuty:
    """See the module. Schedules with timetables of the user's, which may be slow, have a duty of their own."""

    leads = True

    def __init__(self, service: Service, *, custom: bool = False) -> None:
        self.name = "timetables" if custom else "schedules"
        self.entries: dict[Name, Entry] = {}
        self._service = service
        self._custom = custom
        self._heap: list[tuple[float, int, Entry]] = []
        self._count = 0
        self._changed = threading.Event()
        self._changed.set()
        self._heard_at = 0.0
        self._heard = False
        self._switched: set[tuple[object, ...]] = set()
        self._epoch = -1

    def definitions_changed(self) -> None:
        """Definitions, or who is on, may have changed: look anew at the next call."""
        self._changed.set()

    def store_changed(self) -> None:
        """Another process has written: it may have turned a schedule on or off."""
        self._heard = True

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        if lead is not None and lead.epoch != self._epoch:
            self._epoch = lead.epoch
            self._changed.set()
        try:
            if self._heard and abs(now - self._heard_at) >= SETTLE_S:
                self._heard, self._heard_at = False, now
                if self._service.store.tickers_switched(KIND) != self._switched:
                    self._changed.set()
            if self._changed.is_set():
                self._changed.clear()
                self._sync(now, lead)
            while batch := self._take_due(now):
                self._tick(batch, now, lead)
        except BaseException:
            self._changed.set()  # what is in memory is behind, or ahead of, what is recorded
            raise
        if self._heard:
            return min(self._next_at() or now + SETTLE_S, self._heard_at + SETTLE_S)
        return self._next_at()

    # ---- what there is ----

    def _sync(self, now: float, lead: Leader | None) -> None:
        """Read definitions and tickers anew."""
        self._switched = self._service.store.tickers_switched(KIND)
        known = {(row.location, row.name): row for row in self._service.store.tickers(KIND)}
        fresh: list[NewTick] = []
        self.entries, self._heap = {}, []
        for version in self._service.locations.versions():
            for spec in version.definitions.schedules:
                if isinstance(spec.timing, Custom) is not self._custom:
                    continue
                ticker = known.get((version.location, spec.name))
                entry = Entry(spec, version, ticker or self._new_ticker(version, spec), None)
                entry.is_on = spec.enabled if entry.ticker.enabled is None else entry.ticker.enabled
                self.entries[entry.name] = entry
                if self._turned(entry, now) or ticker is None:
                    fresh.append(_quiet(entry, now))
                if entry.is_on:
                    self._plan(entry, entry.ticker.next_at if entry.ticker.failures else now)
        if fresh:
            self._service.store.record_ticks(fresh, leader=lead, now=now)

    def _new_ticker(self, version: Version, spec: ScheduleSpec) -> TickerRow:
        return TickerRow(kind=KIND, location=version.location, name=spec.name)

    def _turned(self, entry: Entry, now: float) -> bool:
        """Whether it was turned on or off since it was last looked at; what passed while it was off is over."""
        ticker = entry.ticker
        if entry.is_on and (ticker.state == OFF or (ticker.cursor and ticker.changed_at > float(ticker.cursor))):
            ticker.state, ticker.cursor = "", repr(now if ticker.state == OFF else ticker.changed_at)
            return True
        if not entry.is_on and ticker.state != OFF:
            ticker.state, ticker.next_at = OFF, None
            return True
        return False

    def _plan(self, entry: Entry, wake_at: float | None) -> None:
        entry.wake_at = wake_at
        if wake_at is not None:
            self._count += 1
            heapq.heappush(self._heap, (wake_at, self._count, entry))

    def _next_at(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def _take_due(self, now: float) -> list[Entry]:
        taken: list[Entry] = []
        while self._heap and self._heap[0][0] <= now and len(taken) < BATCH_MAX:
            taken.append(heapq.heappop(self._heap)[2])
        return taken

    # ---- what is due ----

    def _tick(self, batch: list[Entry], now: float, lead: Leader | None) -> None:
        answers = [self._evaluate(entry, now) for entry in batch]
        self._apply_overlap(answers)
        made = self._made(answers, now)
        ticks: list[NewTick] = []
        for answer in answers:
            ticks += self._ticks_of(answer, made, now)
        created = self._service.store.record_ticks(ticks, leader=lead, now=now) if ticks else []
        if created:
            self._service.wake("queue")
        for answer in answers:
            self._plan(answer.entry, answer.entry.ticker.next_at)

    def _evaluate(self, entry: Entry, now: float) -> _Answer:
        cursor = float(entry.ticker.cursor) if entry.ticker.cursor else None
        try:
            return _Answer(entry, schedules.due(entry.spec, cursor, now, self._following(entry)))
        except BatutaError as error:
            return _Answer(entry, error=error)
        except Exception as error:  # a bug of ours, in one schedule: the others go on
            return _Answer(entry, error=RequestError(f"{type(error).__name__}: {error}", where=str(entry.spec.place)))

    def _following(self, entry: Entry) -> Following | None:
        timing = entry.spec.timing
        if not isinstance(timing, Custom):
            return None

        @functools.cache
        def ask(after: float) -> float | None:
            data = {"name": timing.timetable, "after": after, "timezone": timing.timezone}
            answer = entry.version.evaluate("timetable", data, TIMETABLE_S)["at"]
            return None if answer is None else float(answer)

        return ask

    def _apply_overlap(self, answers: list[_Answer]) -> None:
        """Which of what is due is started, given what has not finished; those that are to be stopped are asked to."""
        firing = [answer for answer in answers if answer.due is not None and answer.due.fires]
        unfinished: dict[Name, list[int]] = {}
        if any(answer.entry.spec.overlap != "queue" for answer in firing):
            unfinished = self._service.store.unfinished_of(KIND)
        for answer in firing:
            assert answer.due is not None
            busy = unfinished.get(answer.entry.name, [])
            for fire in answer.due.fires:
                spec = answer.entry.spec
                if spec.overlap == "skip" and (busy or answer.specs):
                    told = f"run {busy[-1]}" if busy else "the run before it"
                    answer.skipped.append((fire, f"{told} is not finished, and overlap is 'skip'"))
                else:
                    answer.specs.append((fire, run_spec(spec, answer.entry.version.location, fire)))
            if answer.entry.spec.overlap == "cancel_running":
                for run_id in busy:
                    self._service.cancel(run_id, f"schedule {answer.entry.spec.name}")

    def _made(self, answers: list[_Answer], now: float) -> dict[int, KeyedRun | BatutaError]:
        """The rows of what is to be started, by the identity of its spec."""
        specs = [spec for answer in answers for _fire, spec in answer.specs]
        return {id(spec): made for spec, made in zip(specs, self._service.launching.runs_from(specs, now), strict=True)}

    def _ticks_of(self, answer: _Answer, made: dict[int, KeyedRun | BatutaError], now: float) -> list[NewTick]:
        """The ticks of one evaluation, with its ticker brought up to date."""
        entry = answer.entry
        temporary = next(
            (error for _, spec in answer.specs if isinstance(error := made[id(spec)], BatutaError) and _passes(error)),
            answer.error,
        )
        if temporary is not None or answer.due is None:
            return [self._failed(entry, temporary, now)]
        due = answer.due
        entry.ticker.cursor, entry.ticker.failures = repr(due.cursor), 0
        entry.ticker.next_at, entry.ticker.ticked_at = due.wake_at, now
        ended_at = self._service.clock()
        ticks = [_skip(entry, each, now, ended_at) for each in due.skipped]
        for fire, why in answer.skipped:
            ticks.append(_tick(entry, now, ended_at, "skipped", reason=why, logical_at=fire.logical_at))
        for fire, spec in answer.specs:
            run = made[id(spec)]
            data: dict[str, object] = {}
            if now - fire.fire_at > LATE_S:
                data["late_s"] = round(now - fire.fire_at, 3)
            if fire.moved_from is not None:
                data["moved_from"] = fire.moved_from
            if isinstance(run, BatutaError):
                tick = _tick(entry, now, ended_at, "failed", reason=str(run), logical_at=fire.logical_at)
            else:
                tick = _tick(entry, now, ended_at, "launched", logical_at=fire.logical_at)
                tick.runs = [run]
            tick.data = data
            ticks.append(tick)
        return ticks

    def _failed(self, entry: Entry, error: BatutaError | None, now: float) -> NewTick:
        ticker = entry.ticker
        ticker.failures += 1
        ticker.ticked_at = now
        ticker.next_at = now + min(RETRY_S * 2 ** min(ticker.failures, 20), RETRY_S_MAX)
        return _tick(entry, now, self._service.clock(), "failed", reason=str(error))


def run_spec(spec: ScheduleSpec, location: str, fire: Fire) -> RunSpec:
    """The run that a schedule starts for a logical time."""
    return RunSpec(
        job=spec.job,
        selection=spec.selection,
        location=location,
        key=repr(fire.logical_at),
        params=fire.params,
        tags=spec.tags,
        config={**spec.config, "overlap": spec.overlap},
        partition=fire.partition or None,
        trigger=KIND,
        origin=spec.name,
        priority=spec.priority,
        logical_at=fire.logical_at,
        interval=(fire.interval_start, fire.interval_end),
    )


def _passes(error: BatutaError) -> bool:
    """Whether trying again may help."""
    return isinstance(error, LoadError) or not isinstance(error, RequestError)


def _quiet(entry: Entry, now: float) -> NewTick:
    """Remember where a schedule begins."""
    spec = entry.spec
    from_start = spec.catch_up.policy == "all" and spec.start_at is not None and spec.start_at <= now
    if not entry.ticker.cursor and not from_start:
        entry.ticker.cursor = repr(now)
    tick = _tick(entry, now, now, "skipped")
    tick.quiet = True
    return tick


def _skip(entry: Entry, skipped: Skipped, now: float, ended_at: float) -> NewTick:
    data = {
        "cause": skipped.cause,
        "count": skipped.count,
        "from": skipped.logical_from,
        "to": skipped.logical_to,
    }
    tick = _tick(entry, now, ended_at, "skipped", reason=skipped.reason, logical_at=skipped.logical_to)
    tick.data = data
    return tick


def _tick(
    entry: Entry, now: float, ended_at: float, outcome: str, *, reason: str = "", logical_at: float | None = None
) -> NewTick:
    return NewTick(
        ticker=entry.ticker, at=now, ended_at=ended_at, outcome=outcome, reason=reason, logical_at=logical_at
    )


def upcoming(entries: Iterable[Entry], clock: Callable[[], float], count: int) -> list[tuple[float, Entry]]:
    """The next starts: of each schedule that is on the next one, the earliest first."""
    now = clock()
    found: list[tuple[float, Entry]] = []
    for entry in entries:
        if entry.is_on and not isinstance(entry.spec.timing, Custom):
            at = schedules.next_fire_at(entry.spec, max(now, float(entry.ticker.cursor or now)))
            if at is not None:
                found.append((at, entry))
    return heapq.nsmallest(count, found, key=lambda each: each[0])
