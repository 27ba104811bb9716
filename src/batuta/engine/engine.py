"""The engine: one thread that drives any number of runs.

Each turn hears what happened, lets the state machines decide, records everything in one transaction, and only then
acts (`turns`). So a crash at any instant loses no recorded result, and nothing is started whose reason is not durable.
This module is the engine's life, and what others may ask of it; `runs`, `hearing`, `journal` and `acting` do the work.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from batuta.core import events as ev
from batuta.core.errors import RequestError, StoreError
from batuta.core.plan import Plan
from batuta.core.run_graph import TaskRun
from batuta.core.states import RunState
from batuta.core.tallies import Histogram
from batuta.core.values import Handle
from batuta.engine.acting import Acting
from batuta.engine.active import ActiveRun, Assigned, BodyHost
from batuta.engine.calls import Calls
from batuta.engine.children import Children
from batuta.engine.hearing import Hearing
from batuta.engine.journal import Journal
from batuta.engine.lookups import EngineLookups
from batuta.engine.loop import EventLoop
from batuta.engine.owners import Owner
from batuta.engine.questions import Questions
from batuta.engine.runs import Runs
from batuta.engine.shared_pools import SharedPools
from batuta.engine.turns import Turns
from batuta.engine.waits import Waits
from batuta.executors.port import Executor
from batuta.runtime.observing_config import traces_wanted
from batuta.runtime.project import Project
from batuta.store.rows import NewRun, RunRow
from batuta.store.store import Store

_DRAIN_POLL_S = 0.02


class Engine:
    """Executes runs. Public methods may be called from any thread; the rest happens in the engine's own."""

    def __init__(
        self,
        store: Store,
        executors: dict[str, Executor],
        *,
        home: str,
        owner: Owner | None = None,
        pools: dict[str, int] | None = None,
        observers: list[Callable[[ActiveRun, list[TaskRun]], None]] | None = None,
        project: Project | None = None,
    ) -> None:
        self.store = store
        self.home = home
        self.executors = executors
        self._owner = owner or Owner(home)
        self.owner = self._owner.name
        self.observers = observers or []
        self.launcher: Callable[..., int] | None = None
        self._loop = EventLoop()
        self.runs = Runs(self, traced=project is not None and traces_wanted(project.config.traces))
        self.run_of: Callable[[int], ActiveRun | None] = self.runs.by_id.get
        """The run, if this engine executes it."""
        self.journal = Journal(store, self.runs.drop)
        self.record = self.journal.record
        """Record an event; in the engine's thread."""
        self.acting = Acting(self, pools)
        self.calls = Calls(self)
        self.children = Children(self)
        self.lookups = EngineLookups(self, project)
        self.waits = Waits(self)
        self.questions = Questions(self)
        self.hearing = Hearing(self)
        self.turns = Turns(self, self._loop)
        self._stopping = False
        self._failure: BaseException | None = None
        self._thread: threading.Thread | None = None

    # ---- life ----

    def start(self) -> None:
        """Start the executors and the engine's thread."""
        for executor in self.executors.values():
            executor.start(self._loop, self.hearing.heard)
        self._thread = threading.Thread(target=self._main, name="batuta-engine", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and the executors. Runs under way stay as recorded; their leases are given back."""
        if self._thread is None:
            return
        self._stopping = self.journal.closing = True
        self._loop.post(lambda: None)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._thread = None

    def _main(self) -> None:
        try:
            while not self._stopping:
                self.turns.turn()
            self.journal.write()
        except BaseException as error:
            self._failure = error
            self.runs.abandon()
        finally:
            for executor in self.executors.values():
                executor.stop()
            self.lookups.close()
            self.waits.close()
            self.runs.release()
            self._owner.close()
            self._loop.close()

    @property
    def failure(self) -> BaseException | None:
        """Why the engine's thread ended, if it did by itself."""
        return self._failure

    @property
    def owner_fd(self) -> int:
        """The descriptor of the engine's lock, for the processes that it starts to hold."""
        return self._owner.fd

    @property
    def turns_s(self) -> Histogram:
        """How long its turns took, without the wait that each begins with."""
        return self.turns.took_s

    def now(self) -> float:
        """The engine's clock: seconds since the epoch."""
        return time.time()

    def call(self, action: Callable[[], Any]) -> Any:
        """Run `action` in the engine's thread and return its value, or raise its error."""
        if threading.current_thread() is self._thread:
            return action()
        done = threading.Event()
        box: list[Any] = []

        def run() -> None:
            try:
                box.append((action(), None))
            except BaseException as error:
                box.append((None, error))
            done.set()

        self._loop.post(run)
        while not done.wait(0.5):
            if self._thread is None or not self._thread.is_alive():
                raise self._failure or StoreError("the engine has stopped")
        value, error = box[0]
        if error is not None:
            raise error
        return value

    def post(self, action: Callable[[], None]) -> None:
        """Run `action` in the engine's thread soon."""
        self._loop.post(action)

    def call_at(self, at: float, action: Callable[[], None]) -> Callable[[], None]:
        """Run `action` in the engine's thread at that time (seconds since the epoch). Returns what cancels that."""
        return self._loop.call_at(at, action)

    # ---- runs ----

    def start_run(
        self,
        new: NewRun,
        plan: Plan,
        *,
        executor: Assigned,
        body_host: BodyHost | None = None,
        waiter: Callable[[RunState], None] | None = None,
        listener: Any = None,
        params: dict[str, Any] | None = None,
    ) -> ActiveRun:
        """Create a run and start it; returns at once."""
        active: ActiveRun = self.call(
            lambda: self.runs.start(
                new, plan, executor, body_host=body_host, waiter=waiter, listener=listener, params=params
            )
        )
        return active

    def resume_run(
        self,
        run_id: int,
        *,
        executor: Assigned,
        force: bool = False,
        waiter: Callable[[RunState], None] | None = None,
        body_host: BodyHost | None = None,
        listener: Any = None,
        first: Callable[[ActiveRun], list[ev.Event]] | None = None,
    ) -> ActiveRun:
        """Take over a run and go on where its record ends. `first` may give events to record before (a restart).

        Raises RequestError if somebody else executes it.
        """
        active: ActiveRun = self.call(
            lambda: self.runs.resume(
                run_id, executor, force=force, waiter=waiter, body_host=body_host, listener=listener, first=first
            )
        )
        return active

    def adopt(
        self,
        claimed: Sequence[tuple[RunRow, Plan, Assigned]],
        *,
        then: Sequence[ev.Event] = (),
        asked: Sequence[int] = (),
    ) -> None:
        """Execute runs whose leases this engine holds, each on what is assigned to it; go on where a record ends.

        `then` is recorded next, before anything is done: that a run is to be cancelled. `asked` are the requests that
        this carries out: they are not to be taken up again.
        """

        def take() -> None:
            self.turns.requests.carried_out(asked)
            self.runs.adopt(claimed, then)

        self.call(take)

    @property
    def run_ids(self) -> list[int]:
        """The runs that it executes."""
        return list(self.runs.by_id)

    def cancel_run(self, run_id: int, by: str, hard: bool = False) -> None:
        """Ask a run of this engine to stop."""
        self.call(lambda: self.runs.cancel(run_id, by, hard))

    def mark_run(self, run_id: int, state: ev.Mark, tasks: Sequence[str] | None, by: str, note: str = "") -> None:
        """Say how task runs of a run of this engine have ended, or the run. Raises RequestError."""
        self.call(lambda: self.runs.mark(run_id, state, tasks, by, note))

    def give_input(self, run_id: int, key: str, value: Handle, by: str) -> None:
        """Answer a paused task run."""
        self.call(lambda: self.runs.give_input(run_id, key, value, by))

    def launch(self, job: str, params: dict[str, Any], **more: Any) -> int:
        """Start a run of another job of the same location, for a step that triggers it. Returns the run's id.

        Not to be called in the engine's thread: it waits for that, and for the parameters to be validated.
        """
        if self.launcher is None:
            raise RequestError(f"job {job!r} cannot be launched from here")
        return self.launcher(job, params, **more)

    # ---- executors and pools ----

    def add_executor(self, name: str, executor: Executor) -> None:
        """Have one more executor, from any thread."""

        def add() -> None:
            executor.start(self._loop, self.hearing.heard)
            self.executors[name] = executor

        self.call(add)

    def remove_executor(self, name: str) -> Executor | None:
        """Forget an executor that no run needs any more, and return it to be stopped; None where runs still do."""

        def remove() -> Executor | None:
            if any(active.uses(name) for active in self.runs.by_id.values()):
                return None
            return self.executors.pop(name, None)

        removed: Executor | None = self.call(remove)
        return removed

    def drain(self, patience_s: float) -> None:
        """Dispatch nothing more and wait, at most so long, until what is running has ended."""
        deadline = time.monotonic() + patience_s

        def begin() -> bool:
            self.acting.draining = True
            return self.acting.working

        with contextlib.suppress(Exception):  # it has ended by itself, which is told elsewhere
            while self.call(begin) and time.monotonic() < deadline:
                time.sleep(_DRAIN_POLL_S)

    def set_pools(self, pools: dict[str, int]) -> None:
        """The pools have other slots from now on."""
        self.call(lambda: self.acting.set_pools(pools))

    def share_pools(self, pools: dict[str, int]) -> None:
        """Other engines take slots of the same pools; before `start`."""
        self.acting.shared = SharedPools(self.store, self.owner, pools)

    def requests_left(self) -> None:
        """Another process may have left requests to runs of this engine; from any thread."""
        self.post(self.turns.look_for_requests)

    def pools_freed(self) -> None:
        """Another engine has given slots back; from any thread."""
        self.post(self.acting.widen)
