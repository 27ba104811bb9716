"""The engine inside a script: what makes `refresh(day)` a recorded run when a flow is called as a plain function.

One engine per process, started at the first call and stopped at exit; tasks run on its threads, the flow's body in
the thread that called it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from batuta.authoring.context import CancelledByRequest, StepContext, reset_current, set_current
from batuta.authoring.flow import Flow
from batuta.core.errors import InvariantError
from batuta.core.states import TaskState
from batuta.engine.active import ActiveRun
from batuta.engine.calls import taken_over
from batuta.engine.children import ExternalBody
from batuta.engine.engine import Engine
from batuta.executors.port import Executor
from batuta.executors.threads import ThreadExecutor, ThreadLogs
from batuta.runtime import outputs
from batuta.runtime.attempts import recordable
from batuta.runtime.flow_body import how_failed, run_bounded, run_bounded_async, validated
from batuta.runtime.interrupts import Interrupts, ThreadInterrupts
from batuta.runtime.live import Live
from batuta.runtime.load import location_of_modules
from batuta.runtime.masking import masked
from batuta.runtime.project import Project, find_project
from batuta.runtime.protocol import Ask, Reply, StepRequest, Submit, TaskEnded, answer_of
from batuta.runtime.steps import make_context
from batuta.store.rows import NewRun
from batuta.store.store import Store

THREADS = 8


class LocalLauncher:
    """See `authoring.session.Launcher`."""

    def __init__(self, project: Project | None = None, threads: int = THREADS) -> None:
        self._project = project
        self._threads = threads
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._pid = 0
        self._logs: ThreadLogs | None = None
        self.live = Live()

    @property
    def engine(self) -> Engine:
        """The engine, started when first needed (and anew in a forked child)."""
        with self._lock:
            if self._engine is None or self._pid != os.getpid():
                self._engine, self._pid = self._start(), os.getpid()
            return self._engine

    def _start(self) -> Engine:
        project = self._project or find_project()
        project.make_home()
        store = Store.open(project.store_url, durable=project.config.store.durable)
        self.live = Live()
        location = location_of_modules([], project, self.live)
        self._logs = ThreadLogs(echo=True)
        executor = ThreadExecutor(location, self._logs, self._threads, self.live)
        location.transport_for = executor.transport_for
        executors: dict[str, Executor] = {"threads": executor}
        engine = Engine(store, executors, home=project.home, pools=project.config.pools, project=project)
        engine.start()
        atexit.register(self.stop)
        return engine

    def stop(self) -> None:
        """Stop the engine and close its store."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None and self._pid == os.getpid():
            engine.stop()
            if self._logs is not None:
                self._logs.close()
            engine.store.close()

    def run_flow(self, flow: Flow[..., Any], params: dict[str, Any]) -> Any:
        """Record a run of the flow, execute its body here, and return its value or raise its error."""
        params = validated(flow, params)
        run = _ScriptRun(self, flow, params)
        return run.execute_async() if flow.is_async else run.execute()


class _ScriptRun:
    """A run whose body is executed by the calling thread, and again when it is retried."""

    def __init__(self, launcher: LocalLauncher, flow: Flow[..., Any], params: dict[str, Any]) -> None:
        self._engine = launcher.engine
        self._flow = flow
        self._params = params
        self._transport = LocalTransport(self._engine, launcher.live)
        self._body = ExternalBody()
        new = NewRun(
            job=flow.name,
            kind="flow",
            plan_hash="",
            location=flow.place.file,
            params=masked(outputs.shown_params(params)),
            trigger="script",
            config={"executor": "threads"},
        )
        self._active: ActiveRun = self._engine.start_run(
            new,
            flow.plan(),
            executor="threads",
            body_host=self._body.host(),
            listener=self._transport.heard,
            params=params,
        )
        self._transport.active = self._active
        self._engine.call(lambda: self._engine.children.host_for(self._active.id, self._body))

    def execute(self) -> Any:
        while True:
            context = self._context()
            try:
                with _current(context):
                    value = run_bounded(self._flow, self._params, self._active.info, self._transport)
            except BaseException as error:
                if not self._failed(error, context):
                    raise
                continue
            return self._succeeded(value, context)

    async def execute_async(self) -> Any:
        while True:
            context = self._context()
            try:
                with _current(context):
                    value = await run_bounded_async(self._flow, self._params, self._active.info, self._transport)
            except BaseException as error:
                if not await asyncio.to_thread(self._failed, error, context):
                    raise
                continue
            return await asyncio.to_thread(self._succeeded, value, context)

    def _context(self) -> StepContext:
        """What the body can know and say, in its present attempt."""
        body = self._active.run.task(0)
        request = StepRequest(0, self._active.id, body.node.spec.key, 0, body.attempt, kind="flow")
        return make_context(self._active.info, request, self._transport)

    def _failed(self, error: BaseException, context: StepContext) -> bool:
        """Tell the engine; says whether the body is to be run again."""
        status = "failed"
        if isinstance(error, (CancelledByRequest, KeyboardInterrupt, asyncio.CancelledError)):
            status = "cancelled"
        told, retryable = how_failed(self._flow, self._active.info, error)
        data = {"run_id": self._active.id, "status": status, "error": told, "retryable": retryable}
        data["records"] = _records(context)
        return bool(self._transport.ask("end_child", data)["again"])

    def _succeeded(self, value: Any, context: StepContext) -> Any:
        output = None if value is None else outputs.save_as(value, self._active.info, "result")
        data = {"run_id": self._active.id, "status": "succeeded", "output": output, "records": _records(context)}
        self._transport.ask("end_child", data)
        if self._engine.calls.is_taken(self._active.id):
            raise taken_over(self._active.id, self._flow.name)
        if self._active.run.task(0).state is not TaskState.SUCCEEDED:
            raise CancelledByRequest(f"run {self._active.id} was cancelled")
        return value


@contextlib.contextmanager
def _current(context: StepContext) -> Iterator[None]:
    token = set_current(context)
    try:
        yield
    finally:
        reset_current(token)


def _records(context: StepContext) -> list[Any]:
    return [recordable(record, context.key) for record in context.records]


class LocalTransport:
    """See `runtime.flow_session.Transport`: calls into the engine of this process."""

    def __init__(self, engine: Engine, live: Live) -> None:
        self.live: Live | None = live
        self.active: ActiveRun | None = None
        self._engine = engine
        self._listeners: dict[int, Callable[[TaskEnded], None]] = {}
        self._of_thread = threading.local()

    @property
    def interrupts(self) -> Interrupts:
        """See the port: of the thread that asks, whichever runs a body here."""
        found: Interrupts | None = getattr(self._of_thread, "interrupts", None)
        if found is None:
            found = self._of_thread.interrupts = ThreadInterrupts(_call_later)
        return found

    def submit(self, message: Submit) -> None:
        """See the port."""
        with self.interrupts.paused():
            self._engine.post(lambda: self._engine.calls.submitted(message))

    def here(self) -> AbstractContextManager[None]:
        """See the port: a script's own thread is left to its body."""
        return nullcontext()

    def listen(self, run_id: int, ended: Callable[[TaskEnded], None] | None) -> None:
        """See the port."""
        if ended is None:
            self._listeners.pop(run_id, None)
        else:
            self._listeners[run_id] = ended

    def heard(self, message: TaskEnded) -> None:
        """The engine says that a task run has ended; in the engine's thread."""
        listener = self._listeners.get(message.run_id)
        if listener is not None:
            listener(message)

    def ask(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        """See the port."""
        active = self.active
        if active is None:
            raise InvariantError(f"{what!r} was asked before the run began")
        box: list[Reply] = []
        done = threading.Event()

        def reply(answer: Reply) -> None:
            box.append(answer)
            done.set()

        with self.interrupts.paused():
            self._engine.post(lambda: self._engine.questions.ask(active, 0, Ask(0, 0, what, data), reply))
        while not done.wait(1.0):
            failure = self._engine.failure
            if failure is not None:
                raise failure
        return answer_of(box[0])


def _call_later(delay_s: float, callback: Callable[[], None]) -> Callable[[], None]:
    timer = threading.Timer(delay_s, callback)
    timer.daemon = True
    timer.start()
    return timer.cancel


_launcher = LocalLauncher()


def launcher() -> LocalLauncher:
    """The launcher of this process; see `authoring.session.launcher`."""
    return _launcher
