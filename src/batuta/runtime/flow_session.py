"""A running flow's side of the conversation: task calls become requests to the engine, ends become futures' results.

Calls are named by task and ordinal (`fetch-0`, `fetch-1`), so that a flow that runs again from the top after a crash
finds the recorded results of the calls it made before.
"""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from batuta.authoring import session as where_calls_go
from batuta.authoring.answers import parse_answer
from batuta.authoring.code_version import fingerprint
from batuta.authoring.context import CancelledByRequest, SkipTask
from batuta.authoring.flow import Flow
from batuta.authoring.futures import Future
from batuta.authoring.references import has_futures
from batuta.authoring.task import Task
from batuta.core.errors import BatutaError, ParameterError
from batuta.core.plan import StepSpec
from batuta.core.values import ErrorInfo, Handle
from batuta.runtime import outputs
from batuta.runtime.arguments import names_of, shown_arguments
from batuta.runtime.failures import FlowCancelled, to_exception
from batuta.runtime.interrupts import Interrupts, Scope
from batuta.runtime.live import Live, LiveCall
from batuta.runtime.masking import mask, masked
from batuta.runtime.protocol import RunInfo, Submit, TaskCall, TaskEnded


class CallHere(Protocol):
    """A call that is run by the thread which makes it. `begin`, then `run`, which raises nothing."""

    def begin(self, info: RunInfo, submit: Submit, no: int) -> None:
        """Tell the engine of it; `no` is the number that its task run will have."""

    def run(self) -> None:
        """Run it, and tell the engine how it ended."""


class Transport(Protocol):
    """How a flow's session reaches the engine."""

    live: Live | None
    """Where values are shared; None where tasks run in other processes."""

    @property
    def interrupts(self) -> Interrupts:
        """What interrupts the body."""

    def submit(self, message: Submit) -> None:
        """Send task calls; does not wait."""

    def here(self) -> AbstractContextManager[CallHere | None]:
        """Whether this thread may run a call right now: None where it is to be submitted.

        In the `with` block interruptions fall in the code of the call alone.
        """

    def ask(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ask and wait for the answer."""

    def listen(self, run_id: int, ended: Callable[[TaskEnded], None] | None) -> None:
        """Have `ended` called (from any thread) for each task run of the run that ends; None to stop."""


class FlowSession:
    """The session of one run of one flow. `fresh`: nothing is recorded that its body may ask for again."""

    def __init__(self, info: RunInfo, transport: Transport, fresh: bool = False) -> None:
        self.info = info
        self._transport = transport
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._asked = 0  # calls that were told to the engine, which gives its task runs numbers in that order
        self._thread = threading.get_ident()
        self._foresees = fresh
        """Whether the numbers of task runs can be foreseen: there are no older ones, and one thread asks for them."""
        self._futures: dict[str, Future[Any]] = {}
        self._task_specs: dict[int, tuple[Task[..., Any], str, StepSpec, tuple[str, ...]]] = {}
        interrupts = transport.interrupts
        self._scopes: list[Scope] = list(interrupts.scopes) if interrupts.is_here else []
        for scope in self._scopes:
            scope.wake.append(self._wake)
        transport.listen(info.run_id, self._ended)

    @property
    def run_id(self) -> int:
        """See `authoring.session.Session`."""
        return self.info.run_id

    def close(self) -> None:
        """The body has ended: nothing is listened to any more."""
        self._transport.listen(self.info.run_id, None)
        for scope in self._scopes:
            scope.wake.remove(self._wake)

    def _wake(self, _wanted: object) -> None:
        """The body is interrupted: it is not to wait on for what it waits for. From any thread."""
        for future in list(self._futures.values()):
            future.wake()

    # ---- what the body calls ----

    def submit(
        self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], wait_for: Sequence[Future[Any]] = ()
    ) -> Future[Any]:
        """See `authoring.session.Session`."""
        return self._submit(task, [(tuple(args), dict(kwargs))], wait_for)[0]

    def call(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """See `authoring.session.Session`."""
        if task.is_generator and inspect.isasyncgenfunction(task.fn) and _in_event_loop():
            return self.submit(task, args, kwargs)
        future = self._call_here(task, tuple(args), dict(kwargs)) if self._foresees else None
        if future is None:
            future = self.submit(task, args, kwargs)
        return future.result()

    def _call_here(self, task: Task[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any] | None:
        """Run a call on this thread, which would only wait for another to do so; None where that may not be.

        It may be where the engine has nothing to decide: the call waits for nothing and shares nothing with others. So
        the engine hears of its beginning and its end at once, and its caller goes on when both are recorded.
        """
        code, spec, names = self._spec_of(task)
        bounded = spec.pools or spec.instances_max is not None or spec.timeout_s is not None or spec.isolated
        if bounded or _futures_in(args, kwargs) or _in_event_loop():
            return None
        with self._transport.here() as here:
            if here is None:
                return None
            [key] = self._names(task.name, 1)
            future = self._futures[key] = Future(key, task.name)
            submit = Submit(self.info.run_id, spec, code, (self._live_call(key, task, args, kwargs, (), names),))
            with self._lock:  # nobody else asks meanwhile, or has asked
                foreseen = self._foresees
                if foreseen:
                    self._asked += 1
                    here.begin(self.info, submit, self._asked)
            if foreseen:
                here.run()
            else:
                self._transport.submit(submit)
        return future

    def submit_many(self, task: Task[..., Any], calls: Sequence[tuple[tuple[Any, ...], dict[str, Any]]]) -> list[Any]:
        """See `authoring.session.Session`."""
        return self._submit(task, calls, ())

    def _submit(
        self,
        task: Task[..., Any],
        calls: Sequence[tuple[tuple[Any, ...], dict[str, Any]]],
        wait_for: Sequence[Future[Any]],
    ) -> list[Future[Any]]:
        code, spec, names = self._spec_of(task)
        after = tuple(future.key for future in wait_for)
        futures: list[Future[Any]] = []
        messages: list[TaskCall] = []
        for key, (args, kwargs) in zip(self._names(task.name, len(calls)), calls, strict=True):
            future: Future[Any] = Future(key, task.name)
            messages.append(self._call(key, task, args, kwargs, after, names))
            self._futures[key] = future
            futures.append(future)
        if messages:
            self._asked += len(messages)
            self._transport.submit(Submit(self.info.run_id, spec, code, tuple(messages)))
        return futures

    def _names(self, name: str, count: int) -> list[str]:
        with self._lock:
            self._foresees = self._foresees and threading.get_ident() == self._thread
            start = self._counts.get(name, 0)
            self._counts[name] = start + count
        return [f"{name}-{i}" for i in range(start, start + count)]

    def _call(
        self,
        key: str,
        task: Task[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        after: tuple[str, ...],
        names: tuple[str, ...],
    ) -> TaskCall:
        if self._transport.live is not None:
            return self._live_call(key, task, args, kwargs, (*_futures_in(args, kwargs), *after), names)
        where = f"{task.place}: {key}"
        handle, refs = outputs.save_arguments(args, kwargs, self.info, key, where)
        shown = shown_arguments(names, args, kwargs)
        return TaskCall(key, fingerprint(args, kwargs), handle, (*refs, *after), shown)

    def _live_call(
        self,
        key: str,
        task: Task[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        upstream: tuple[str, ...],
        names: tuple[str, ...],
    ) -> TaskCall:
        live = self._transport.live
        assert live is not None
        live.expect(self.info.run_id, key, LiveCall(task, args, kwargs, bool(upstream)))
        shown = shown_arguments(names, args, kwargs)
        return TaskCall(key, fingerprint(args, kwargs), _LIVE, upstream, shown)

    def _spec_of(self, task: Task[..., Any]) -> tuple[str, StepSpec, tuple[str, ...]]:
        """How it is found where it runs, what the engine is told of it, and the names of its parameters: the same for
        all its calls."""
        known = self._task_specs.get(id(task))
        if known is None:
            code = task.code_name if self._transport.live else outputs.save_code(task, self.info)
            known = self._task_specs[id(task)] = (
                task,
                code,
                task.options.spec(task.name, code, "task"),
                names_of(task.fn),
            )
        return known[1:]

    def call_flow(self, flow: Flow[..., Any], params: dict[str, Any]) -> Any:
        """See `authoring.session.Session`."""
        from batuta.runtime.flow_body import run_bounded, with_values

        params = with_values(params)
        key = self._names(flow.name, 1)[0]
        spec = flow.options.spec(key, flow.code_name, "subflow")
        asked = {
            "run_id": self.info.run_id,
            "key": key,
            "flow": flow.name,
            "code": flow.code_name,
            "spec": spec,
            "params": masked(outputs.shown_params(params)),
            "fingerprint": fingerprint((), params),
        }
        self._asked += 1
        answer = self._transport.ask("start_child", asked)
        if answer["state"] != "running":
            return self._known_end(key, answer)
        info = RunInfo(**answer["info"])
        fresh = self._foresees and answer["fresh"]
        if flow.is_async:
            return self._call_async(flow, params, info)
        while True:
            try:
                value = run_bounded(flow, params, info, self._transport, fresh)
            except BaseException as error:
                if not self._child_failed(flow, info, error):
                    raise
                fresh = False
                continue
            self._child_succeeded(info, value)
            return value

    async def _call_async(self, flow: Flow[..., Any], params: dict[str, Any], info: RunInfo) -> Any:
        import asyncio

        from batuta.runtime.flow_body import run_bounded_async

        while True:
            try:
                value = await run_bounded_async(flow, params, info, self._transport)
            except BaseException as error:
                if not await asyncio.to_thread(self._child_failed, flow, info, error):
                    raise
                continue
            self._child_succeeded(info, value)
            return value

    def _known_end(self, key: str, answer: dict[str, Any]) -> Any:
        """The value of a nested flow that has ended already, or its error."""
        if answer["state"] == "succeeded":
            return outputs.load(Handle(**answer["output"]), self.info) if answer["output"] else None
        error = msgspec.convert(answer["error"], ErrorInfo | None)
        raise _error_of(TaskEnded(self.info.run_id, key, answer["state"], None, error))

    def _child_failed(self, flow: Flow[..., Any], info: RunInfo, error: BaseException) -> bool:
        """Tell the engine; says, when that is known, whether the body is to be run again."""
        from batuta.runtime.flow_body import how_failed

        alone = isinstance(error, FlowCancelled) and error.run_id == info.run_id
        status = "cancelled" if alone or isinstance(error, CancelledByRequest) else "failed"
        told, retryable = how_failed(flow, info, error)
        data = {"run_id": info.run_id, "status": status, "error": told, "retryable": retryable}
        return bool(self._transport.ask("end_child", data)["again"])

    def _child_succeeded(self, info: RunInfo, value: Any) -> None:
        output = None if value is None else outputs.save_as(value, info, "result")
        self._transport.ask("end_child", {"run_id": info.run_id, "status": "succeeded", "output": output})

    def pause(self, prompt: str, type_: Any, default: Any) -> Any:
        """See `authoring.session.Session`."""
        asked = prompt
        while True:
            answer = self._answer(prompt, asked)
            if answer in (None, "") and default is not ...:
                return default
            try:
                return parse_answer(answer, type_, prompt)
            except ParameterError as error:  # recorded, but no answer: asked again under the next name
                asked = f"{prompt} ({error.what})"

    def _answer(self, prompt: str, asked: str) -> Any:
        from batuta.authoring.options import Options

        asked = mask(asked)
        key = self._names("input", 1)[0]
        future: Future[Any] = Future(key, "input")
        self._futures[key] = future
        spec = Options(description=mask(prompt)).spec("input", asked, "input")
        call = TaskCall(key, fingerprint((prompt,), {}), Handle())
        self._asked += 1
        self._transport.submit(Submit(self.info.run_id, spec, asked, (call,)))
        return future.result()

    # ---- what the engine says ----

    def _ended(self, message: TaskEnded) -> None:
        future = self._futures.pop(message.key, None)
        if future is None:
            return
        live = self._transport.live
        kept = () if live is None else live.take(self.info.run_id, message.key)
        if message.state == "succeeded":
            if kept:
                future.set_ended("succeeded", value=kept[0])
            elif message.output is None:
                future.set_ended("succeeded")
            else:
                handle = message.output
                future.set_ended("succeeded", load=lambda: outputs.load(handle, self.info))
            return
        own = message.state == "failed" and kept and isinstance(kept[0], Exception)
        future.set_ended(message.state, error=kept[0] if own else _error_of(message))


def _error_of(message: TaskEnded) -> BaseException:
    """What a body is told of a task run that did not succeed."""
    if message.error is not None:
        return to_exception(message.error, message.key)
    if message.state == "skipped":
        return SkipTask(f"task run {message.key!r} was skipped")
    return BatutaError(f"task run {message.key!r} did not run: it is {message.state}")


_LIVE = Handle(codec="live")


def _in_event_loop() -> bool:
    """Whether an event loop runs in this thread: code that starts one of its own needs another thread."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _futures_in(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, ...]:
    if not has_futures(args) and not has_futures(kwargs):
        return ()
    from batuta.authoring.references import replaced

    found: dict[str, None] = {}

    def note(future: Future[Any]) -> None:
        found[future.key] = None

    replaced(args, note)
    replaced(kwargs, note)
    return tuple(found)


__all__ = ["FlowSession", "Transport", "where_calls_go"]
