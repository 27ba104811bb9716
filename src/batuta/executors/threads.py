"""Steps in threads of this process: for scripts, for tasks that wait more than they compute, and for tests.

Values are shared, not serialized (but for the record). What threads cannot do: survive a segfault, tell apart what C
code prints, or end a task that is stuck in C code. An attempt that does not end when it is asked to is *abandoned*: it
has ended for the engine, its thread is replaced, and what it may still say is not heard.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from batuta.authoring.context import CancelledByRequest
from batuta.core.values import ErrorInfo
from batuta.executors.port import Executor, Heard, Loop
from batuta.executors.thread_attempt import ThreadAttempt
from batuta.executors.thread_calls import CallHere
from batuta.runtime.interrupts import Interrupts, ThreadInterrupts
from batuta.runtime.live import Live
from batuta.runtime.logs import ThreadAttempt as LoggedAttempt
from batuta.runtime.logs import ThreadCapture
from batuta.runtime.protocol import Reply, RunInfo, StepDone, StepRequest, TaskEnded
from batuta.runtime.steps import CodeSource, LogCapture, StepRunner

BODIES_MAX = 200
"""How many flow bodies may run at once, each on a thread of its own."""
IDLE_BODIES_MAX = 8
"""How many threads of bodies that have ended are kept for the next ones: starting one costs what a short flow does."""
GRACE_S = 2.0
"""How long an attempt that is asked to stop may take before it is abandoned; cancelling hard does not wait."""

_Mail = queue.SimpleQueue[tuple[RunInfo, StepRequest] | None]


class ThreadLogs:
    """Catches the output of attempts by thread; `echo` shows it on the terminal as well."""

    def __init__(self, echo: bool) -> None:
        self._capture = ThreadCapture()
        self._capture.install()
        self._echo = echo
        self._local = threading.local()

    def begin(self, path: str) -> None:
        """See `runtime.steps.LogCapture`."""
        self._local.attempts = [*self._under_way(), self._capture.attempt(path, self._echo).__enter__()]

    def end(self) -> bool:
        """See `runtime.steps.LogCapture`."""
        attempt = self._under_way().pop()
        attempt.__exit__(None, None, None)
        return attempt.logged

    def _under_way(self) -> list[LoggedAttempt]:
        """Those of this thread: a flow's body, and a call that it runs."""
        attempts: list[LoggedAttempt] = getattr(self._local, "attempts", [])
        return attempts

    def close(self) -> None:
        """Give the streams of this process back."""
        self._capture.remove()


class ThreadExecutor:
    """See `executors.port.Executor`."""

    def __init__(self, source: CodeSource, capture: LogCapture, threads: int, live: Live | None = None) -> None:
        self.live = live or Live()
        self._source = source
        self._capture = capture
        self._count = threads
        self._threads: set[threading.Thread] = set()
        self._thread_numbers = 0
        self._queue: _Mail = queue.SimpleQueue()
        self._queued: set[int] = set()  # steps that were sent and have not ended
        self._bodies: set[int] = set()
        self._idle_bodies: deque[_Mail] = deque()  # of threads that have run one and may run the next
        self._running: dict[int, ThreadAttempt] = {}
        self._cancelled: set[int] = set()  # before they began
        self._slots = threading.Semaphore(threads)  # each step that runs has one
        self._lent: set[CallHere] = set()  # calls that have a slot, and run on no thread of ours
        self._loop: Loop
        self._heard: Callable[[Executor, Heard], None]
        self._outbox: list[Heard] = []
        self._outbox_lock = threading.Lock()
        self._delivers_soon = False

    def start(self, loop: Loop, heard: Callable[[Executor, Heard], None]) -> None:
        """See the port."""
        self._loop, self._heard = loop, heard

    # ---- sending ----

    def has_room(self, kind: str, task: str) -> bool:
        """See the port."""
        if kind == "flow":
            return len(self._bodies) < BODIES_MAX
        return len(self._queued) < self._count * 4  # one queue for all threads: what waits in it blocks nobody

    def send(self, info: RunInfo, request: StepRequest) -> None:
        """See the port."""
        if request.kind == "flow":
            self._bodies.add(request.id)
            self._send_body(info, request)
            return
        self._queued.add(request.id)
        self._queue.put((info, request))
        if len(self._threads) < min(self._count, len(self._queued)):
            self._thread_numbers += 1
            self._threads.add(self._start_thread(self._work, f"batuta-{self._thread_numbers}"))

    def _send_body(self, info: RunInfo, request: StepRequest) -> None:
        mail: _Mail
        if self._idle_bodies:
            mail = self._idle_bodies.pop()
        else:
            mail = queue.SimpleQueue()
            self._start_thread(lambda: self._work_bodies(mail), f"batuta-flow-{request.run_id}")
        mail.put((info, request))

    def flush(self) -> None:
        """See the port."""

    def _start_thread(self, target: Callable[[], object], name: str) -> threading.Thread:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        return thread

    # ---- in the threads ----

    def _work(self) -> None:
        runner = self.runner()
        while (item := self._queue.get()) is not None:
            self._slots.acquire()
            if not self._run(*item, runner):
                return  # another has taken its place
            self._slots.release()

    def _work_bodies(self, mail: _Mail) -> None:
        runner = self.runner()
        while (item := mail.get()) is not None:
            if not self._run(*item, runner) or len(self._idle_bodies) >= IDLE_BODIES_MAX:
                return
            self._idle_bodies.append(mail)

    def runner(self) -> StepRunner:
        """What runs steps in this thread."""
        return StepRunner(self._source, self._capture, threading.current_thread().name, self.live.keep)

    def _run(self, info: RunInfo, request: StepRequest, runner: StepRunner) -> bool:
        """Run a step and tell how it ended; False where it has been abandoned meanwhile."""
        if request.id in self._cancelled:
            self.tell(StepDone(request.id, "cancelled", 0.0, 0.0))
            return True
        attempt = self.attempt(request, ThreadInterrupts(self._call_later))
        return self.end(attempt, runner.run(info, request, attempt, attempt.interrupts))

    def attempt(self, request: StepRequest, interrupts: Interrupts) -> ThreadAttempt:
        """An attempt that this thread is about to run."""
        attempt = ThreadAttempt(request, self.live, self.tell, interrupts, self._here)
        self._running[request.id] = attempt
        return attempt

    def end(self, attempt: ThreadAttempt, done: StepDone) -> bool:
        """It has come to its end: tell how. False where it has been abandoned meanwhile."""
        if not attempt.end():
            return False
        self._running.pop(attempt.request.id, None)
        self.tell(done)
        return True

    def _here(self, body: ThreadAttempt) -> CallHere:
        return CallHere(self, body)

    def lend(self, call: CallHere) -> bool:
        """Let a call be run by the thread of a body, where one of ours has nothing to do. Does not wait."""
        if len(self._queued) + len(self._lent) >= self._count or not self._slots.acquire(blocking=False):
            return False
        self._lent.add(call)
        return True

    def unlend(self, call: CallHere) -> None:
        """That call is over or abandoned, or nothing was lent to it."""
        try:
            self._lent.remove(call)
        except KeyError:
            return
        self._slots.release()

    def _call_later(self, delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
        at = time.time() + delay_s
        timers: list[Callable[[], None]] = []
        self._loop.post(lambda: timers.append(self._loop.call_at(at, callback)))
        return lambda: self._loop.post(lambda: timers.pop()())

    def tell(self, message: Heard, soon: bool = True) -> None:
        """Tell the engine, soon or together with what is told next."""
        with self._outbox_lock:
            self._outbox.append(message)
            posts = len(self._outbox) == 1 or (soon and not self._delivers_soon)
            self._delivers_soon = self._delivers_soon or soon
        if posts:
            self._loop.post(self._deliver, soon)

    def transport_for(self, request: StepRequest) -> ThreadAttempt:
        """The transport of a flow body that runs on a thread of this executor."""
        return self._running[request.id]

    # ---- in the engine's thread ----

    def _deliver(self) -> None:
        with self._outbox_lock:
            messages, self._outbox = self._outbox, []
            self._delivers_soon = False
        for message in messages:
            if isinstance(message, StepDone):
                self._ended(message)
            else:
                self._heard(self, message)

    def _ended(self, done: StepDone) -> None:
        self._cancelled.discard(done.id)
        self._queued.discard(done.id)
        self._bodies.discard(done.id)
        self._heard(self, done)

    def cancel(self, request_id: int, hard: bool, run_id: int = 0) -> None:
        """See the port. What runs is interrupted at its next bytecode, and abandoned if that does not end it."""
        attempt = self._running.get(request_id)
        if attempt is None:
            if request_id in self._queued or request_id in self._bodies:
                self._cancelled.add(request_id)
            return
        attempt.interrupts.interrupt_run(run_id or attempt.request.run_id, CancelledByRequest)
        if not run_id:
            done = StepDone(request_id, "cancelled", attempt.since, 0.0)
            self._loop.call_at(time.time() + (0.0 if hard else GRACE_S), lambda: self._abandon(attempt, done))

    def _abandon(self, attempt: ThreadAttempt, done: StepDone) -> None:
        if not attempt.abandon():
            return  # it has ended by itself
        self._running.pop(attempt.request.id, None)
        if attempt.thread in self._threads:
            self._threads.discard(attempt.thread)
            self._slots.release()
        for call in [call for call in list(self._lent) if call.attempt is attempt]:
            self.unlend(call)
        done.finished_at = time.time()
        self._ended(done)

    def reply(self, request_id: int, reply: Reply) -> None:
        """See the port."""
        attempt = self._running.get(request_id)
        if attempt is not None:
            attempt.replied(reply)

    def ended(self, request_id: int, message: TaskEnded) -> None:
        """See the port."""
        attempt = self._running.get(request_id)
        if attempt is not None:
            attempt.task_ended(message)

    def running(self) -> Iterable[tuple[int, float, str]]:
        """See the port. Also where attempts that have outlived their time by long are abandoned: it is asked often."""
        now = time.time()
        for attempt in list(self._running.values()):
            timeout_s = attempt.request.timeout_s
            if timeout_s is not None and now > attempt.since + timeout_s + GRACE_S:
                told = f"it did not end within {timeout_s:g} s, and goes on in its thread: nothing can end that"
                hint = "raise its timeout_s, or run it in processes, which can be ended"
                error = ErrorInfo(kind="timeout", type="TaskTimeout", message=told, hint=hint)
                self._abandon(attempt, StepDone(attempt.request.id, "failed", attempt.since, now, error=error))
        return [(a.request.id, a.since, f"thread {a.thread.name}") for a in list(self._running.values())]

    def forget(self, run_id: int) -> None:
        """See the port."""
        self.live.forget(run_id)

    def stop(self) -> None:
        """See the port."""
        for attempt in list(self._running.values()):
            attempt.interrupts.interrupt_run(attempt.request.run_id, CancelledByRequest)
        for _ in self._threads:
            self._queue.put(None)
        for mail in list(self._idle_bodies):
            mail.put(None)
