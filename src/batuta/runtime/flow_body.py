"""Running the body of a flow: parameters validated, calls routed to its session, the value returned.

An executor ends the body that it runs when that takes too long. `run_bounded` does so for bodies that no executor runs:
those of nested flows, and of flows called in scripts.
"""

from __future__ import annotations

from typing import Any

from batuta.authoring import session as where_calls_go
from batuta.authoring.annotations import return_annotation
from batuta.authoring.context import CancelledByRequest, StepContext
from batuta.authoring.flow import Flow
from batuta.authoring.options import Options
from batuta.authoring.references import has_futures, replaced
from batuta.core.place import Place
from batuta.core.values import ErrorInfo
from batuta.runtime import types
from batuta.runtime.failures import FlowCancelled, FlowTimeout, TaskTimeout, error_info, timeout_info
from batuta.runtime.flow_session import FlowSession, Transport
from batuta.runtime.protocol import RunInfo


def run_body(
    flow: Flow[..., Any], params: dict[str, Any], info: RunInfo, transport: Transport, fresh: bool = False
) -> Any:
    """Call the flow's function within its session. `fresh`: nothing is recorded that it may ask for again."""
    if flow.is_async:
        import asyncio

        return asyncio.run(run_body_async(flow, params, info, transport))
    params = validated(flow, params)
    session = FlowSession(info, transport, fresh)
    token = where_calls_go.session.set(session)
    try:
        return with_values(flow.fn(**params))
    finally:
        where_calls_go.session.reset(token)
        session.close()


async def run_body_async(flow: Flow[..., Any], params: dict[str, Any], info: RunInfo, transport: Transport) -> Any:
    """Await the flow's function within its session."""
    params = validated(flow, params)
    session = FlowSession(info, transport)
    token = where_calls_go.session.set(session)
    try:
        return with_values(await flow.fn(**params))
    finally:
        where_calls_go.session.reset(token)
        session.close()


def run_bounded(
    flow: Flow[..., Any], params: dict[str, Any], info: RunInfo, transport: Transport, fresh: bool = False
) -> Any:
    """As `run_body`, in a scope of its own where this is the thread that can be interrupted.

    Raises FlowTimeout after the flow's `timeout_s`, and FlowCancelled where its run alone is to stop.
    """
    interrupts, timeout_s = transport.interrupts, flow.options.timeout_s
    if not interrupts.is_here:
        return run_body(flow, params, info, transport, fresh)
    with interrupts.paused(), interrupts.scope(info.run_id, timeout_s) as scope:
        try:
            return interrupts.call(lambda: run_body(flow, params, info, transport, fresh))
        except TaskTimeout as error:
            if scope.wanted is not TaskTimeout:  # of a flow around this one
                raise
            raise _timed_out(flow, info, error) from None
        except CancelledByRequest as error:
            if scope.wanted is not CancelledByRequest:
                raise
            cancelled = FlowCancelled(f"flow {flow.name!r} was cancelled")
            cancelled.run_id = info.run_id
            raise cancelled from error


async def run_bounded_async(flow: Flow[..., Any], params: dict[str, Any], info: RunInfo, transport: Transport) -> Any:
    """As `run_body_async`; raises FlowTimeout after the flow's `timeout_s`."""
    import asyncio

    try:
        async with asyncio.timeout(flow.options.timeout_s) as bound:
            return await run_body_async(flow, params, info, transport)
    except TimeoutError as error:
        if not bound.expired():
            raise
        raise _timed_out(flow, info, error) from None


def _timed_out(flow: Flow[..., Any], info: RunInfo, error: BaseException) -> FlowTimeout:
    told = timeout_info(flow.options.timeout_s, error)
    failed = FlowTimeout(f"flow {flow.name!r} failed: {told.headline()}", hint=told.hint)
    failed.info, failed.run_id = told, info.run_id
    return failed


def how_failed(flow: Flow[..., Any], info: RunInfo, error: BaseException) -> tuple[ErrorInfo, bool]:
    """What is recorded of the error that a body ended with, and whether it may be run again for it."""
    if isinstance(error, FlowTimeout) and error.run_id == info.run_id:
        return error.info, flow.options.retries_error(TaskTimeout())
    return error_info(error), isinstance(error, Exception) and flow.options.retries_error(error)


def validated(flow: Flow[..., Any], params: dict[str, Any], from_text: bool = False) -> dict[str, Any]:
    """The parameters as the flow's type hints want them. Raises ParameterError."""
    where = f"{flow.place}: flow {flow.name!r}"
    return types.validate_arguments(flow.fn, (), params, where=where, from_text=from_text)


def with_values(value: Any) -> Any:
    """What a flow is given or returns: futures in it, alone or in lists, dicts and the like, stand for their values."""
    try:
        if not has_futures(value):
            return value
    except RecursionError:  # something that holds itself
        return value
    return replaced(value, lambda future: future.result())


class FlowBody:
    """The body of a flow as the code of a step."""

    def __init__(self, flow: Flow[..., Any], info: RunInfo, transport: Transport, from_text: bool, fresh: bool) -> None:
        self.options: Options = flow.options
        self._flow = flow
        self._info = info
        self._transport = transport
        self._from_text = from_text
        self._fresh = fresh

    @property
    def annotation(self) -> Any:
        return return_annotation(self._flow.fn)

    @property
    def place(self) -> Place:
        return self._flow.place

    def run(self, context: StepContext) -> Any:
        """Run the body to its end."""
        params = dict(context.params)
        if self._from_text:
            params = validated(self._flow, params, from_text=True)
        return run_body(self._flow, params, self._info, self._transport, self._fresh)
