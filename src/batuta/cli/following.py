"""Following a run that is executed here: its progress, Ctrl-C and SIGTERM, its questions, and how it ended.

Ctrl-C once asks the run to stop and waits for it; twice ends what still runs; thrice leaves at once. SIGTERM leaves the
run as it is recorded, so that `batuta runs resume` goes on with it.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import click

from batuta.cli import exits
from batuta.cli.output import Output
from batuta.cli.progress import Change, Progress
from batuta.core.errors import BatutaError
from batuta.core.run_graph import TaskRun
from batuta.core.states import RUN_FINAL, RunState, TaskState
from batuta.runtime.people import person

if TYPE_CHECKING:
    from batuta.cli.log_tail import Logged, LogTail
    from batuta.engine.active import ActiveRun
    from batuta.engine.workspace import RunHandle, Workspace

TICK_S = 0.1


class View(Protocol):
    """Something that shows progress."""

    def start(self) -> None: ...
    def message(self, text: str) -> None: ...
    def log(self, logged: Logged) -> None: ...
    def tick(self, changes: list[Change], final: bool = False) -> None: ...
    def stop(self) -> None: ...


def make_view(progress: Progress, out: Output, *, plain: bool = False) -> View:
    """What fits where the output goes: JSON lines, nothing, plain lines, or a picture that is drawn anew."""
    if out.json:
        from batuta.cli.progress_json import JsonView

        return JsonView(progress)
    if out.quiet:
        from batuta.cli.progress_json import QuietView

        return QuietView()
    if plain or not sys.stdout.isatty():
        from batuta.cli.progress_plain import PlainView

        return PlainView(progress)
    from batuta.cli.progress_live import LiveView

    return LiveView(progress)


class Ticker:
    """Takes in progress and shows it, from a thread of its own. What that raises is raised again by `stop`."""

    def __init__(self, progress: Progress, view: View, tail: LogTail | None = None) -> None:
        self._progress = progress
        self._view = view
        self._tail = tail
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self) -> None:
        """Begin to tick."""
        self._view.start()
        self._over.clear()
        self._thread = threading.Thread(target=self._run, name="batuta-view", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tick a last time."""
        if self._thread is None:
            return
        self._over.set()
        self._thread.join()
        self._thread = None
        try:
            if self._error is None:
                self._tick(final=True)
        finally:
            self._view.stop()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._over.wait(TICK_S):
                self._tick(final=False)
        except BaseException as error:
            self._error = error

    def _tick(self, final: bool) -> None:
        changes = self._progress.absorb()
        if self._tail is not None:
            for logged in self._tail.lines(changes):
                self._view.log(logged)
        self._view.tick([change for change in changes if not change.is_body], final)


@dataclass
class Following:
    """How a run that was followed ended."""

    state: RunState | None
    terminated: bool = False
    abandoned: bool = False

    @property
    def interrupted_by(self) -> str:
        return "SIGTERM" if self.terminated else "Ctrl-C" if self.abandoned else ""

    @property
    def exit_code(self) -> int:
        if self.terminated:
            return exits.TERMINATED
        if self.abandoned:
            return exits.CANCELLED
        codes = {RunState.SUCCEEDED: exits.OK, RunState.CANCELLED: exits.CANCELLED, RunState.PAUSED: exits.PAUSED}
        return codes.get(self.state, exits.FAILED) if self.state else exits.FAILED


class Follower:
    """Watches the runs of a workspace from before they start; `follow` waits for one of them."""

    def __init__(self, workspace: Workspace, out: Output, *, plain: bool = False, tail: LogTail | None = None) -> None:
        self._workspace = workspace
        self._tail = tail
        self._out = out
        self.progress = Progress()
        self._view = make_view(self.progress, out, plain=plain)
        self._wake = threading.Event()
        self._handle: RunHandle
        self._seen: set[int] = set()
        self._interrupts = 0
        self._terminated = False
        workspace.observers.append(self._observe)

    def _observe(self, active: ActiveRun, tasks: list[TaskRun]) -> None:
        """Called by the engine, in its thread, after each commit."""
        state = active.run.shown_state
        record = self.progress.record
        if active.id not in self._seen:
            self._seen.add(active.id)
            changed = set(map(id, tasks))
            before = [task for task in active.run.graph.runs if id(task) not in changed]
            record(active.id, active.plan.job, state, before, active.ended_at, news=False)
        record(active.id, active.plan.job, state, tasks, active.ended_at)
        if state in RUN_FINAL or state is RunState.PAUSED:
            self._wake.set()

    def follow(self, handle: RunHandle) -> Following:
        """Show the run's progress until it ends, or until it waits for an answer that nobody can give here."""
        self._handle = handle
        self.progress.begin(handle.id, handle.active.plan)
        ticker = Ticker(self.progress, self._view, self._tail)
        with self._signals():
            ticker.start()
            try:
                while not self._wait():
                    ticker.stop()
                    if not self._ask():
                        return Following(RunState.PAUSED)
                    ticker.start()
            finally:
                ticker.stop()
        if self._terminated:
            return Following(None, terminated=True)
        if handle.state is None:
            return Following(None, abandoned=True)
        return Following(handle.wait())

    def _wait(self) -> bool:
        """Wait; False where the run is paused for an answer."""
        handle = self._handle

        def over() -> bool:
            return handle.state is not None or self._gone() or self._paused()

        while not over():
            if not self._workspace.wait_inline(over):
                self._wake.wait(0.5)
                self._wake.clear()
            if handle.state is None and self._workspace.engine.failure is not None:
                handle.wait()
        return handle.state is not None or self._gone()

    def _gone(self) -> bool:
        return self._terminated or self._interrupts > 2

    def _paused(self) -> bool:
        """Whether it waits for an answer; not where it has been asked to stop, which is about to end that."""
        return not self._interrupts and self._handle.active.run.shown_state is RunState.PAUSED

    # ---- questions ----

    def _ask(self) -> bool:
        """Ask the person at the terminal what the run asks; False where there is none."""
        waiting = [run for run in self._handle.active.run.graph.runs if run.state is TaskState.PAUSED]
        if self._out.json or self._out.quiet or not (sys.stdin.isatty() and sys.stdout.isatty()) or not waiting:
            return False
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # Ctrl-C leaves the question open
        try:
            if self._interrupts:  # it came before there was a question to be seen, and meant the run
                return True
            for task in waiting:
                question = click.style(f"? {task.node.spec.task}", bold=True)
                self._workspace.answer(self._handle.id, task.key, _typed(question), by=person())
        except (EOFError, KeyboardInterrupt):
            click.echo("")
            return False
        finally:
            signal.signal(signal.SIGINT, before)
        return True

    # ---- signals ----

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        signal.signal(signal.SIGINT, self._on_interrupt)
        signal.signal(signal.SIGTERM, self._on_terminate)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_interrupt(self, _number: int, _frame: Any) -> None:
        """Only marks: what follows takes locks, and the code that was interrupted may hold them."""
        self._interrupts += 1
        self._wake.set()
        threading.Thread(target=self._cancel, args=(self._interrupts,), daemon=True).start()

    def _on_terminate(self, _number: int, _frame: Any) -> None:
        self._terminated = True
        self._wake.set()

    def _cancel(self, count: int) -> None:
        texts = {
            1: "cancelling: waiting for what is running (Ctrl-C again ends it at once)",
            2: "ending what is still running (Ctrl-C again leaves without waiting)",
        }
        if count in texts:
            self._view.message(click.style(texts[count], fg="magenta"))
            with contextlib.suppress(BatutaError):
                self._handle.cancel(by=person(), hard=count > 1)


def _typed(question: str) -> str:
    """The line that is typed as the answer. Raises EOFError.

    `input` may miss a Ctrl-C that comes when it has begun and does not read yet: it would wait for a line all the same.
    """
    heard, woken = socket.socketpair()
    woken.setblocking(False)
    before = signal.set_wakeup_fd(woken.fileno(), warn_on_full_buffer=False)
    try:
        click.echo(f"{question}: ", nl=False)
        while sys.stdin not in select.select([sys.stdin, heard], [], [])[0]:
            heard.recv(64)
        line = sys.stdin.readline()
    finally:
        signal.set_wakeup_fd(before)
        heard.close()
        woken.close()
    if not line:
        raise EOFError
    return line.rstrip("\n")
