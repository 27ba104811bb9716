"""Running a step in whatever process or thread: its code found, its context made, its output caught.

Nothing that a step does gets past `StepRunner.run`, but the death of its process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from batuta.authoring import context as ctx
from batuta.authoring.asset_access import AssetAccess
from batuta.authoring.code import StepCode
from batuta.authoring.context import StepContext
from batuta.core.errors import BatutaError
from batuta.core.trace_ids import traceparent
from batuta.core.values import NONE, Handle
from batuta.runtime import outputs
from batuta.runtime.attempts import Attempt, finished_value
from batuta.runtime.failures import error_info
from batuta.runtime.interrupts import Interrupts
from batuta.runtime.log_files import attempt_log_path
from batuta.runtime.protocol import Checked, Materialized, RunInfo, StepDone, StepRequest


class CodeSource(Protocol):
    """Finds the code of a step."""

    def code_for(self, info: RunInfo, request: StepRequest) -> StepCode:
        """The code that `request` wants run. Raises BatutaError where it is not there (any more)."""

    def access_assets(self, context: StepContext) -> AssetAccess:
        """The assets that user code may load."""

    @property
    def rests(self) -> bool:
        """Whether it wants to be told when there is nothing to do."""

    def rest(self) -> None:
        """There has been nothing to do for a moment, in this process."""


class LogCapture(Protocol):
    """Catches what an attempt prints."""

    def begin(self, path: str) -> None:
        """An attempt starts whose output belongs into `path`."""

    def end(self) -> bool:
        """It has ended; says whether it wrote anything."""


class StepRunner:
    """Runs steps. `keep(request, value)`, if given, is told the value of what succeeded, before it is announced."""

    def __init__(
        self,
        source: CodeSource,
        capture: LogCapture,
        worker: str,
        keep: Callable[[StepRequest, Any], None] | None = None,
    ) -> None:
        self._source = source
        self._capture = capture
        self._worker = worker
        self._keep = keep

    def run(self, info: RunInfo, request: StepRequest, talk: ctx.Talk | None, interrupts: Interrupts) -> StepDone:
        """Run the attempt and say how it ended. Raises nothing."""
        started_at = time.time()
        logged = False
        try:
            self._capture.begin(log_path(info.logs_path, request))
            try:
                done = self._run(info, request, talk, interrupts)
            finally:
                logged = self._capture.end()
        except BaseException as error:  # no room for the log, a state that is gone
            done = StepDone(request.id, "failed", started_at, time.time(), error=error_info(error), worker=self._worker)
        if logged:
            done.logged = True
        return done

    def _run(self, info: RunInfo, request: StepRequest, talk: ctx.Talk | None, interrupts: Interrupts) -> StepDone:
        context = make_context(info, request, talk)
        context.assets = self._source.access_assets
        token = ctx.set_current(context)
        try:
            with interrupts.scope(info.run_id, request.timeout_s) as scope:
                scope.wake.append(lambda _error: setattr(context, "cancel_asked", True))
                context.uninterrupted = interrupts.paused
                attempt = Attempt(info, request, context, worker=self._worker, keep=self._keep)
                return attempt.run(lambda: self._source.code_for(info, request), interrupts)
        finally:
            ctx.reset_current(token)


def make_context(info: RunInfo, request: StepRequest, talk: ctx.Talk | None) -> StepContext:
    """The context that user code sees."""
    interval = None
    if info.interval_start is not None and info.interval_end is not None:
        interval = (info.interval_start, info.interval_end)
    context = StepContext(
        run_id=info.run_id,
        job=info.job,
        step=request.step,
        attempt=request.attempt,
        index=request.index,
        partition=request.label or info.partition,
        params=info.params,
        logical_at=info.logical_at,
        interval=interval,
        tags=info.tags,
        trigger=info.trigger,
        failures=request.failures,
        tries=request.tries,
        items=request.items,
        talk=talk,
        config=info.config,
        traceparent=traceparent(info.trace, request.task, request.attempt) if info.trace else "",
    )
    context.load_input = InputLoader(info, request, talk)
    context.save_content = partial(outputs.save_content, info, request)
    if request.state is not None:
        context.state = outputs.load(request.state, info)
    if request.fired is not None:
        context.fired = outputs.load(request.fired, info)
    return context


class InputLoader:
    """Loads outputs of earlier steps: those sent along, and others by asking."""

    __slots__ = ("_info", "_request", "_talk")

    def __init__(self, info: RunInfo, request: StepRequest, talk: ctx.Talk | None) -> None:
        self._info = info
        self._request = request
        self._talk = talk

    def __call__(self, step: str, index: int | None = None) -> Any:
        found = self._request.inputs.get(step)
        if found is None or (index is not None and not isinstance(found, list)):
            if step in self._request.inputs and index is None:
                return None
            found = self._asked(step, index)
        if isinstance(found, list):
            return [outputs.load(handle, self._info) for handle in found]
        return outputs.load(found, self._info)

    def item(self, step: str) -> tuple[Any, ...]:
        """The output of the one task run of a mapped step that this map index stands for, where it came along."""
        found = self._request.inputs.get(f"{step}[]")
        return (outputs.load(found, self._info),) if isinstance(found, Handle) else ()

    def _asked(self, step: str, index: int | None) -> Handle | list[Handle]:
        if self._talk is None:
            raise BatutaError(f"the output of {step!r} is not at hand", hint="make it an upstream of this step")
        answer = self._talk.ask("output", {"step": step, "index": index})
        handles = [Handle(**handle) for handle in answer["handles"]]
        if answer["many"]:
            return handles
        return handles[0] if handles else NONE


def log_path(logs_path: str, request: StepRequest) -> str:
    """The file that the attempt's output goes to; it may not come to exist."""
    step = f"{request.step}@{request.label}" if request.label else request.step
    index = -1 if request.label else request.index
    return attempt_log_path(logs_path, request.run_id, step, request.attempt, index)


__all__ = ["Checked", "CodeSource", "LogCapture", "Materialized", "StepRunner", "finished_value", "log_path"]
