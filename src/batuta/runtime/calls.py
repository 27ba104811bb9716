"""The task calls of flows as the code of steps: in workers from serialized arguments, in threads from live ones."""

from __future__ import annotations

from typing import Any

from batuta.authoring.annotations import return_annotation
from batuta.authoring.code import Call, then
from batuta.authoring.context import StepContext
from batuta.authoring.futures import Future
from batuta.authoring.options import Options
from batuta.authoring.references import replaced, resolving
from batuta.authoring.task import Task
from batuta.core.errors import InvariantError, LoadError, ResultError
from batuta.core.place import Place
from batuta.core.values import Handle
from batuta.runtime import outputs
from batuta.runtime.live import Live
from batuta.runtime.protocol import RunInfo, StepRequest


class CallCode:
    """A call whose arguments come serialized, with references to earlier calls among the request's inputs."""

    def __init__(self, task: Task[..., Any], info: RunInfo, request: StepRequest) -> None:
        self.options: Options = task.options
        self._info = info
        self._task = task
        self._request = request

    @property
    def annotation(self) -> Any:
        return annotation_of(self._task)

    @property
    def place(self) -> Place:
        return self._task.place

    def run(self, context: StepContext) -> Any:
        """Load the arguments and call."""
        handle = self._request.args
        if handle is None:
            raise InvariantError(f"the call {context.step!r} came without arguments")
        with resolving(self._value_of):
            args, kwargs = outputs.load_arguments(handle, self._info)
        return _called(self._task, self.options, context, args, kwargs)

    def _value_of(self, key: str) -> Any:
        found = self._request.inputs.get(key)
        if not isinstance(found, Handle):
            raise ResultError(f"the value of {key!r} was not sent along")
        return outputs.load(found, self._info)


class LiveCallCode:
    """A call in a thread of the process that made it: the arguments are the caller's own objects."""

    def __init__(self, live: Live, info: RunInfo, request: StepRequest) -> None:
        call = live.call_of(info.run_id, request.step)
        if call is None:
            raise InvariantError(f"the call {request.step!r} of run {info.run_id} is not known here")
        self.options: Options = call.task.options
        self._call = call
        self._live = live
        self._info = info
        self._request = request

    @property
    def annotation(self) -> Any:
        return annotation_of(self._call.task)

    @property
    def place(self) -> Place:
        place: Place = self._call.task.place
        return place

    def run(self, context: StepContext) -> Any:
        """Put values where futures are, and call."""
        args, kwargs = tuple(self._call.args), dict(self._call.kwargs)
        if self._call.refers:
            args, kwargs = replaced(args, self._value_of), replaced(kwargs, self._value_of)
        return _called(self._call.task, self.options, context, args, kwargs)

    def _value_of(self, future: Future[Any]) -> Any:
        return future.result()


def _called(task: Task[..., Any], options: Options, context: StepContext, args: Any, kwargs: Any) -> Any:
    value = Call(task.fn, options).run(context, args, kwargs)
    if not options.writes:
        return value
    from batuta.authoring.asset_access import report_written
    from batuta.authoring.asset_versions import function_version

    return then(value, lambda made: report_written(made, options, context, function_version(task.fn)))


def annotation_of(task: Task[..., Any]) -> Any:
    """The return annotation of a task's function, or None."""
    return return_annotation(task.fn)


def find_task(code: str, info: RunInfo) -> Task[..., Any]:
    """The task that `code` names. Raises LoadError where it is not there (any more)."""
    if code.startswith("pickle:"):
        found: Task[..., Any] = outputs.load_code(code, info)
        return found
    module_name, _, qualname = code.partition(":")
    import importlib
    import sys

    module = sys.modules.get(module_name) or importlib.import_module(module_name)
    value: Any = module
    for part in qualname.split("."):
        value = getattr(value, part, None)
    if not isinstance(value, Task):
        raise LoadError(
            f"there is no task {qualname!r}",
            where=getattr(module, "__file__", module_name) or module_name,
            hint="tasks are found by the name of their function: keep a decorated function under its own name",
        )
    return value
