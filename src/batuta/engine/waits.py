"""What deferred task runs wait for: any number of waits in one process, without a worker and without user code.

Equal triggers are looked at once, whoever waits. Files and HTTP are polled by a few threads, databases by one each;
runs, assets and signals are looked up in the store, all together about once a second, and at once where this engine
itself has the news. What fires becomes an event of the run, so that nothing here has to outlive a crash: a new engine
is told anew what to watch.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core import events as ev
from batuta.core.errors import BatutaError
from batuta.core.run_graph import TaskRun
from batuta.core.states import TaskState
from batuta.core.triggers import (
    AssetMade,
    At,
    FileArrives,
    HttpAnswers,
    RowArrives,
    RunEnds,
    Signal,
    Trigger,
    encode,
    wrong,
)
from batuta.core.values import ErrorInfo, Handle
from batuta.engine.active import ActiveRun
from batuta.engine.prober import Prober
from batuta.engine.probes import NOT_YET, is_quick, look_in_store, probe
from batuta.engine.row_looks import RowLooks
from batuta.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from batuta.engine.engine import Engine

STORE_LOOK_S = 1.0
STORE_SHARE = 0.1
"""Looking into the store takes at most this share of one thread's time: with very many waits it is done less often."""
QUICK_TOGETHER = 500
THREADS_MAX = 8
_STALE_MAX = 1000


@dataclass(slots=True, eq=False)
class _Watched:
    """One trigger, and who waits for it: attempts by (run, task)."""

    trigger: Trigger
    key: bytes
    waiters: dict[tuple[int, int], tuple[ActiveRun, int]] = field(default_factory=dict)
    due: float = 0.0
    busy: bool = False


class Waits:
    """See the module. All in the engine's thread, but for the looks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._prober = Prober(THREADS_MAX)
        self._store_prober = Prober(1, "batuta-store-probe")
        """One of its own: answers that do not come hold up nothing that the store knows."""
        self._rows = RowLooks(engine, self._rows_found)
        self._watched: dict[bytes, _Watched] = {}
        self._of_run: dict[int, dict[int, _Watched]] = {}
        self._count = 0
        self._heap: list[tuple[float, int, _Watched]] = []
        self._numbers = itertools.count()
        self._armed_at = float("inf")
        self._in_store: dict[bytes, _Watched] = {}
        self._store_due = float("inf")
        self._looking_in_store = False
        self._made: set[str] = set()
        self._new: list[_Watched] = []

    def __len__(self) -> int:
        """How many task runs wait. From any thread."""
        return self._count

    def close(self) -> None:
        """Look no more."""
        self._prober.stop()
        self._store_prober.stop()

    # ---- who waits ----

    def watch(self, active: ActiveRun, command: ev.Watch) -> None:
        """Tell the run when the trigger has fired."""
        task = active.run.task(command.task)
        if task.state is not TaskState.DEFERRED or task.attempt != command.attempt:
            return
        trigger = _since(command.wait.trigger, active.row.created_at)
        if message := wrong(trigger):
            error = ErrorInfo(type="RequestError", message=message, hint="see `batuta.triggers`")
            self._tell(active, command.task, command.attempt, error=error)
            return
        key = encode(trigger)
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _Watched(trigger, key)
        watched.waiters[active.id, command.task] = (active, command.attempt)
        self._of_run.setdefault(active.id, {})[command.task] = watched
        self._count += 1
        match trigger:
            case At():
                self._push(watched, trigger.at)
            case FileArrives() | HttpAnswers() | RowArrives():
                if not watched.busy:
                    self._push(watched, self._engine.now())
            case RunEnds() | AssetMade() | Signal():
                self._in_store[key] = watched
                self._look_at_new(watched)
                self._look_in_store_by(self._engine.now() + STORE_LOOK_S)

    def changed(self, active: ActiveRun, tasks: Iterable[TaskRun]) -> None:
        """These task runs have changed: those that wait no more are forgotten."""
        of_run = self._of_run.get(active.id)
        if of_run is None:
            return
        for task in tasks:
            if task.state is not TaskState.DEFERRED and (watched := of_run.pop(task.no, None)) is not None:
                self._leave(watched, active.id, task.no)
        if not of_run:
            del self._of_run[active.id]

    def forget(self, run_id: int) -> None:
        """The run is over, or not ours any more."""
        for task, watched in self._of_run.pop(run_id, {}).items():
            self._leave(watched, run_id, task)

    def _leave(self, watched: _Watched, run_id: int, task: int) -> None:
        del watched.waiters[run_id, task]
        self._count -= 1
        if not watched.waiters:
            self._watched.pop(watched.key, None)
            self._in_store.pop(watched.key, None)
            if len(self._heap) > _STALE_MAX + 2 * len(self._watched):
                self._heap = [entry for entry in self._heap if entry[2].waiters and entry[0] == entry[2].due]
                heapq.heapify(self._heap)

    # ---- news ----

    def run_ended(self, run_id: int, state: str) -> None:
        """A run of this engine has ended."""
        watched = self._watched.get(encode(RunEnds(run_id))) if self._in_store else None
        if watched is not None:
            self._fire(watched, state)

    def asset_made(self, asset: str) -> None:
        """A run of this engine has made an asset, which is about to be committed."""
        if self._in_store:
            if not self._made:
                self._engine.post(self._look_at_made)
            self._made.add(asset)

    def _look_at_made(self) -> None:
        made, self._made = self._made, set()
        concerned = [
            one for one in self._in_store.values() if isinstance(one.trigger, AssetMade) and one.trigger.asset in made
        ]
        if concerned:
            self._store_prober.submit(lambda: self._store_look(concerned))

    def _look_at_new(self, watched: _Watched) -> None:
        """It may have come already: one look for all that begin to wait in this turn."""
        if not self._new:
            self._engine.post(self._look_at_all_new)
        self._new.append(watched)

    def _look_at_all_new(self) -> None:
        wanted = self._not_ours(self._new)
        self._new = []
        if wanted:
            self._store_prober.submit(lambda: self._store_look(wanted))

    # ---- looking ----

    def _push(self, watched: _Watched, due: float) -> None:
        watched.due = due
        heapq.heappush(self._heap, (due, next(self._numbers), watched))
        self._arm(due)

    def _arm(self, at: float) -> None:
        if at < self._armed_at:
            self._armed_at = at
            self._engine.call_at(at, self._look)

    def _look(self) -> None:
        """Look at all that is due."""
        now = self._engine.now()
        if now < self._armed_at:
            return  # set for later since, and called then
        self._armed_at = float("inf")
        quick: list[_Watched] = []
        rows: list[RowArrives] = []
        while self._heap and self._heap[0][0] <= now:
            due, _number, watched = heapq.heappop(self._heap)
            if not watched.waiters or due != watched.due:
                continue
            if isinstance(watched.trigger, At):
                self._fire(watched, watched.trigger.at)
                continue
            watched.busy = True
            if isinstance(watched.trigger, RowArrives):
                rows.append(watched.trigger)
            elif is_quick(watched.trigger):
                quick.append(watched)
            else:
                self._submit([watched])
        for first in range(0, len(quick), QUICK_TOGETHER):
            self._submit(quick[first : first + QUICK_TOGETHER])
        if rows:
            self._rows.submit(rows)
        if self._store_due <= now:
            self._submit_store_look(now)
        if self._heap:
            self._arm(self._heap[0][0])

    def _submit(self, some: Sequence[_Watched]) -> None:
        def look() -> None:
            found = [(watched, _looked(watched.trigger)) for watched in some]
            self._engine.post(lambda: self._looked(found))

        self._prober.submit(look)

    def _looked(self, found: list[tuple[_Watched, Any]]) -> None:
        now = self._engine.now()
        for watched, value in found:
            watched.busy = False
            if not watched.waiters:
                continue
            if value is NOT_YET:
                self._push(watched, now + getattr(watched.trigger, "poll_s", STORE_LOOK_S))
            else:
                self._fire(watched, value)

    def _rows_found(self, found: Iterable[tuple[RowArrives, Any]]) -> None:
        known = [(self._watched.get(encode(trigger)), value) for trigger, value in found]
        told = [(each, _told(value) if isinstance(value, BatutaError) else value) for each, value in known if each]
        self._looked(told)

    # ---- the store ----

    def _look_in_store_by(self, at: float) -> None:
        if at < self._store_due:
            self._store_due = at
            self._arm(at)

    def _submit_store_look(self, now: float) -> None:
        self._store_due = float("inf")
        if not self._in_store:
            return
        if self._looking_in_store:
            self._look_in_store_by(now + STORE_LOOK_S)
            return
        wanted = self._not_ours(self._in_store.values())
        self._looking_in_store = True

        def look() -> None:
            began = time.perf_counter()
            self._store_look(wanted)
            took_s = time.perf_counter() - began
            self._engine.post(lambda: self._store_looked(took_s))

        self._store_prober.submit(look)

    def _not_ours(self, watched: Iterable[_Watched]) -> list[_Watched]:
        """Less the runs of this engine, whose ends it knows first."""
        run_of = self._engine.run_of
        return [one for one in watched if not isinstance(one.trigger, RunEnds) or run_of(one.trigger.run_id) is None]

    def _store_look(self, wanted: list[_Watched]) -> None:
        """In a thread of the prober."""
        by_key = {one.key: one for one in wanted}
        try:
            found = look_in_store(self._engine.store, [one.trigger for one in wanted])
        except StoreUnavailable:
            return
        fired = [(by_key[encode(trigger)], value) for trigger, value in found]
        if fired:
            self._engine.post(lambda: self._fire_all(fired))

    def _store_looked(self, took_s: float) -> None:
        self._looking_in_store = False
        if self._in_store:
            self._look_in_store_by(self._engine.now() + max(STORE_LOOK_S, took_s / STORE_SHARE))

    # ---- firing ----

    def _fire_all(self, fired: Iterable[tuple[_Watched, Any]]) -> None:
        for watched, value in fired:
            self._fire(watched, value)

    def _fire(self, watched: _Watched, value: Any) -> None:
        """Everybody who waits for it goes on."""
        if not watched.waiters:
            return
        error = None
        handle: Handle | None = None
        if isinstance(value, ErrorInfo):
            error = value
        else:
            handle = _recorded(value)
        waiters = dict(watched.waiters)
        for (run_id, task), (active, attempt) in waiters.items():
            of_run = self._of_run.get(run_id)
            if of_run is not None:
                of_run.pop(task, None)
            self._leave(watched, run_id, task)
            self._tell(active, task, attempt, handle, error)

    def _tell(
        self, active: ActiveRun, task: int, attempt: int, value: Handle | None = None, error: ErrorInfo | None = None
    ) -> None:
        engine = self._engine
        if engine.run_of(active.id) is active:
            engine.record(
                active, ev.TriggerFired(at=engine.now(), task=task, attempt=attempt, value=value, error=error)
            )


def _since(trigger: Trigger, created_at: float) -> Trigger:
    """The same after every crash: what came since the run was created counts, where nothing else is said."""
    if isinstance(trigger, AssetMade | Signal) and trigger.after is None:
        return msgspec.structs.replace(trigger, after=created_at)
    return trigger


def _looked(trigger: Trigger) -> Any:
    assert isinstance(trigger, FileArrives | HttpAnswers)
    try:
        return probe(trigger)
    except BatutaError as error:
        return _told(error)


def _told(error: BatutaError) -> ErrorInfo:
    return ErrorInfo(type=type(error).__name__, message=error.what, hint=error.hint or "")


def _recorded(value: Any) -> Handle:
    """What was found, as the value that the step is given."""
    from batuta.runtime.results import dumps

    payload = dumps(value)
    return Handle(payload.codec, payload.data, "", len(payload.data), payload.length, payload.preview)
