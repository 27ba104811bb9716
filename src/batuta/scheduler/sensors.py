"""The duty that has sensors evaluated and starts what they ask for.

Evaluations go on in a few threads, each waiting for a process of the sensor's location that answers or is killed; here
their answers are recorded: runs, tick and cursor in one transaction, under the lead. So one that hangs holds up no
other, and whatever crashes, what a sensor asked for is started once or asked for again.
"""

from __future__ import annotations

import logging
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core import sensors
from batuta.core.errors import BatutaError, LoadError, RequestError
from batuta.core.sensor_specs import RECORDED, Asked, Evaluated, SensorSpec
from batuta.executors.evaluators import Evaluators
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.location import Version
from batuta.scheduler.sensor_events import Events, beginning
from batuta.store.rows import KeyedRun, Leader, NewTick, TickerRow

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

logger = logging.getLogger("batuta.scheduler")

KIND = "sensor"
NOTHING_NEW = "nothing new"
THREADS_MAX = 16
"""How many sensors are evaluated at a time."""
SETTLE_S = 0.5
"""What others write is looked at no more often than that."""
HEARD_S = 0.2
"""What is recorded is looked at no more often than that."""
NOTED_S = 60.0
"""How far a sensor has read is noted so often where it found nothing."""
PROBLEMS_SHOWN_MAX = 20

Name = tuple[str, str]


@dataclass(eq=False, slots=True)
class Entry:
    """A sensor that is evaluated; `busy` while it is."""

    spec: SensorSpec
    version: Version
    ticker: TickerRow
    next_at: float
    is_on: bool = True
    busy: bool = False
    began_at: float = 0.0
    seen: tuple[int, int] = (-1, -1)
    """The newest event and signal when it was last evaluated."""

    @property
    def hears(self) -> bool:
        """Whether it looks at what is recorded: then nothing recorded means nothing to look at."""
        return isinstance(self.spec.source, RECORDED)

    @property
    def name(self) -> Name:
        return self.version.location, self.spec.name

    @property
    def scope(self) -> str:
        """That of its run keys."""
        return f"{KIND}:{self.version.location}/{self.spec.name}"


@dataclass(slots=True)
class _Answer:
    """What one evaluation came to: what was asked for, with the rows of the runs, or why there is none."""

    entry: Entry
    began_at: float
    evaluated: Evaluated | None = None
    error: BatutaError | None = None
    runs: list[KeyedRun] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    repeated: int = 0


class SensorDuty:
    """See the module."""

    name = "sensors"
    leads = True

    def __init__(self, service: Service) -> None:
        self.entries: dict[Name, Entry] = {}
        self._service = service
        self._events = Events(service.store)
        self._pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="batuta-sensor")
        self._evaluators: dict[str, Evaluators] = {}
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._changed = threading.Event()
        self._changed.set()
        self._heard = False
        self._heard_at = 0.0
        self._epoch = -1

    @property
    def reads_events(self) -> bool:
        """Whether any sensor waits for what is recorded."""
        return any(entry.hears for entry in list(self.entries.values()))

    def definitions_changed(self) -> None:
        """Definitions, or who is on, may have changed: look anew at the next call."""
        self._changed.set()

    def store_changed(self) -> None:
        """Another process has written."""
        self._heard = True

    def close(self) -> None:
        """Begin no more evaluations, and wait for none."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for evaluators in self._evaluators.values():
            evaluators.close()

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        if lead is not None and lead.epoch != self._epoch:
            self._epoch = lead.epoch
            self.entries = {}  # what was begun under another lead is not recorded
            self._changed.set()
        if self._heard and abs(now - self._heard_at) >= SETTLE_S:
            self._changed.set()
        if self._changed.is_set():
            self._changed.clear()
            self._heard, self._heard_at = False, now
            try:
                self._sync(now, lead)
            except BaseException:
                self._changed.set()
                raise
        try:
            self._record(now, lead)
        except BaseException:
            self.entries = {}
            self._changed.set()
            raise
        self._begin(now)
        due = [entry.next_at for entry in self.entries.values() if entry.is_on and not entry.busy]
        if self._heard:
            due.append(self._heard_at + SETTLE_S)
        return min(due, default=None)

    # ---- what there is ----

    def _sync(self, now: float, lead: Leader | None) -> None:
        """Read definitions and tickers anew; evaluations of what has not changed go on."""
        known = {(row.location, row.name): row for row in self._service.store.tickers(KIND)}
        versions = self._service.locations.versions()
        entries: dict[Name, Entry] = {}
        fresh: list[NewTick] = []
        for version in versions:
            for spec in version.definitions.sensors:
                name = (version.location, spec.name)
                ticker = known.get(name)
                entry = self.entries.get(name)
                is_other_code = entry is not None and entry.version is not version
                if entry is None or is_other_code:
                    entry = Entry(spec, version, TickerRow(kind=KIND, location=name[0], name=name[1]), now)
                if ticker is None or (not ticker.cursor and isinstance(spec.source, RECORDED)):
                    row = ticker or entry.ticker
                    row.cursor = row.cursor or beginning(self._service.store, spec)
                    fresh.append(_quiet(row, now))
                    ticker = row
                if not entry.busy:
                    is_mended = is_other_code and ticker.failures > 0  # perhaps: it is not waited any longer
                    if ticker.changed_at != entry.ticker.changed_at or ticker.next_at is None or is_mended:
                        entry.next_at = now
                    else:
                        entry.next_at = ticker.next_at
                    entry.ticker = ticker
                elif ticker.changed_at != entry.ticker.changed_at:
                    entry = Entry(spec, version, ticker, now)  # a person was at it: what goes on is void
                entry.is_on = spec.enabled if ticker.enabled is None else ticker.enabled
                entries[name] = entry
        self.entries = entries
        if fresh:
            self._service.store.record_ticks(fresh, leader=lead, now=now)
        self._tidy({version.executor_name for version in versions})

    def _tidy(self, current: set[str]) -> None:
        for name in self._evaluators.keys() - current:
            self._evaluators.pop(name).close()

    # ---- evaluating ----

    def _begin(self, now: float) -> None:
        store = self._service.store
        newest = (store.last_event_id(), store.last_signal_id()) if self.reads_events else (-1, -1)
        for entry in self.entries.values():
            if entry.is_on and not entry.busy and self._is_due(entry, newest, now):
                entry.busy = True
                entry.seen, entry.began_at = newest, now
                self._pool.submit(self._evaluate, entry, replace(entry.ticker), now)

    def _is_due(self, entry: Entry, newest: tuple[int, int], now: float) -> bool:
        if not entry.hears or entry.ticker.failures:
            return entry.next_at <= now
        if newest == entry.seen:
            entry.next_at = max(entry.next_at, now + entry.spec.interval_s)
            return False
        entry.next_at = max(now, entry.began_at + HEARD_S)
        return entry.next_at <= now

    def _evaluate(self, entry: Entry, ticker: TickerRow, now: float) -> None:
        """In a thread of the pool."""
        answer = _Answer(entry, now)
        try:
            answer.evaluated = self._ask(entry, ticker, now)
            self._make_runs(answer, now)
        except BatutaError as error:
            answer.error = error
        except Exception as error:  # a bug of ours, in one sensor: the others go on
            answer.error = RequestError(f"{type(error).__name__}: {error}", where=str(entry.spec.place))
        self._answers.put(answer)
        self._service.wake(self.name)

    def _ask(self, entry: Entry, ticker: TickerRow, now: float) -> Evaluated:
        spec = entry.spec
        data: dict[str, Any] = {"name": spec.name, "cursor": ticker.cursor, "now": now, "last_tick": ticker.ticked_at}
        more = False
        if isinstance(spec.source, RECORDED):
            seen = self._events.after(entry.version.location, spec, ticker.cursor)
            if not seen.events:
                return Evaluated(reason=NOTHING_NEW, cursor=seen.cursor, more=seen.more)
            if not spec.has_function:
                asked = tuple(sensors.asked_for(spec, event) for event in seen.events)
                return Evaluated(asked, cursor=seen.cursor, more=seen.more)
            data["events"], data["cursor"], more = seen.events, seen.cursor, seen.more
        found = msgspec.convert(self._evaluator(entry.version)("sensor", data, spec.timeout_s), Evaluated)
        return msgspec.structs.replace(found, more=True) if more else found

    def _evaluator(self, version: Version) -> Any:
        """Where its code is asked: not by those that validate parameters, which must not wait for sensors that hang."""
        if version.host is None:
            return version.evaluate
        return self._evaluators.setdefault(version.executor_name, Evaluators(version.host, THREADS_MAX)).ask

    def _make_runs(self, answer: _Answer, now: float) -> None:
        """The rows of the runs that are asked for. Raises what passes by itself; what does not is a problem of that
        run alone."""
        evaluated, entry = answer.evaluated, answer.entry
        assert evaluated is not None
        keys = sensors.keys_of(evaluated, repr(now))
        taken = self._service.store.keys_taken(entry.scope, [one.key for one in evaluated.asked if one.key])
        specs: list[RunSpec] = []
        for asked, key in zip(evaluated.asked, keys, strict=True):
            if key in taken:
                answer.repeated += 1
            elif message := sensors.wrong(asked):
                answer.problems.append(message)
            elif not (asked.job or asked.selection or entry.spec.job or entry.spec.selection):
                hint = "give job= or assets= to the RunRequest, or to the sensor"
                answer.problems.append(f"the request {key!r} says nothing of what is to be started ({hint})")
            else:
                specs.append(run_spec(entry.spec, entry.version.location, asked, key))
        for run in self._service.launching.runs_from(specs, now):
            if not isinstance(run, BatutaError):
                answer.runs.append(run)
            elif _passes(run):
                raise run
            else:
                answer.problems.append(str(run))

    # ---- recording ----

    def _record(self, now: float, lead: Leader | None) -> None:
        ticks: list[NewTick] = []
        concerned: list[Entry] = []
        while not self._answers.empty():
            answer = self._answers.get()
            entry = answer.entry
            if self.entries.get(entry.name) is entry:
                if answer.evaluated is not None and answer.evaluated.more:
                    entry.seen = (-1, -1)
                if entry.hears and _found_nothing(answer, now):
                    entry.busy = False
                    entry.next_at = now + entry.spec.interval_s
                    continue
                ticks.append(_tick_of(answer, now))
                concerned.append(entry)
                if ticks[-1].outcome == "failed":
                    logger.warning("sensor %s of %s: %s", entry.spec.name, entry.version.location, ticks[-1].reason)
        if not ticks:
            return
        created = self._service.store.record_ticks(ticks, leader=lead, now=now)
        for entry in concerned:
            entry.busy = False
            entry.next_at = entry.ticker.next_at or now
        if created:
            self._service.wake("queue")


def run_spec(spec: SensorSpec, location: str, asked: Asked, key: str) -> RunSpec:
    """The run that a sensor asks for."""
    job = "" if asked.selection and not asked.job else asked.job or spec.job
    return RunSpec(
        job=job,
        selection="" if job else asked.selection or spec.selection,
        location=location,
        key=key,
        params=asked.params,
        tags={**spec.tags, **asked.tags} if spec.has_function else asked.tags,
        partition=asked.partition or None,
        trigger=KIND,
        origin=spec.name,
        priority=asked.priority or spec.priority,
        logical_at=asked.logical_at,
    )


def _found_nothing(answer: _Answer, now: float) -> bool:
    """Whether it is enough to remember how far it has read: a crash has it read that again, and find nothing again."""
    evaluated, ticker = answer.evaluated, answer.entry.ticker
    if answer.error is not None or evaluated is None or evaluated.asked or ticker.failures:
        return False
    if evaluated.reason != NOTHING_NEW or now - (ticker.ticked_at or 0.0) > NOTED_S:
        return False
    ticker.cursor = evaluated.cursor
    return True


def _passes(error: BatutaError) -> bool:
    """Whether trying again may help."""
    return isinstance(error, LoadError) or not isinstance(error, RequestError)


def _tick_of(answer: _Answer, now: float) -> NewTick:
    """The tick, with its ticker brought up to date."""
    spec, ticker = answer.entry.spec, answer.entry.ticker
    ticker.ticked_at = answer.began_at
    evaluated = answer.evaluated
    if evaluated is None or answer.error is not None:
        ticker.failures += 1
        ticker.state = ""
        ticker.next_at = sensors.next_at(spec, now, ticker.failures)
        data: dict[str, Any] = {}
        if traceback := getattr(answer.error, "traceback", ""):
            data["traceback"] = traceback
        return _tick(answer, now, "failed", str(answer.error), data)
    ticker.failures = ticker.failures + 1 if answer.problems and not answer.runs else 0
    ticker.next_at = sensors.next_at(spec, now, ticker.failures, evaluated.more)
    moved = evaluated.cursor != ticker.cursor
    ticker.cursor = evaluated.cursor
    data = {"more": True} if evaluated.more else {}
    if answer.repeated:
        data["repeated"] = answer.repeated
    if answer.problems:
        ticker.state = ""
        data["problems"] = answer.problems[:PROBLEMS_SHOWN_MAX]
        count = len(answer.problems)
        reason = answer.problems[0] if count == 1 else f"{count} runs could not be started: {answer.problems[0]}"
        return _tick(answer, now, "failed", reason, data)
    if answer.runs:
        ticker.state = ""
        return _tick(answer, now, "launched", evaluated.reason, data)
    reason = evaluated.reason or ("nothing to do" if not answer.repeated else "")
    if answer.repeated:
        reason = reason or f"all {answer.repeated} run keys were taken before"
    tick = _tick(answer, now, "skipped", reason, data)
    tick.quiet = (answer.entry.hears or not moved) and ticker.state == reason  # the same as before: told once
    ticker.state = reason
    return tick


def _tick(answer: _Answer, now: float, outcome: str, reason: str, data: dict[str, Any]) -> NewTick:
    return NewTick(
        ticker=answer.entry.ticker,
        at=answer.began_at,
        ended_at=max(now, answer.began_at),
        outcome=outcome,
        reason=reason,
        data=data,
        runs=answer.runs,
    )


def _quiet(ticker: TickerRow, now: float) -> NewTick:
    """Remember where a sensor begins."""
    return NewTick(ticker=ticker, at=now, ended_at=now, outcome="skipped", quiet=True)
