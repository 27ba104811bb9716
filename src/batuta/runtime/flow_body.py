"""Running the body of a flow: parameters validated, calls routed to its session, the value returned."""

from __future__ import annotations

from typing import Any

from batuta.authoring import session as where_calls_go
from batuta.authoring.annotations import return_annotation
from batuta.authoring.context import StepContext
from batuta.authoring.flow import Flow
from batuta.authoring.options import Options
from batuta.core.place import Place
from batuta.runtime import types
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
        return _plain(flow.fn(**params))
    finally:
        where_calls_go.session.reset(token)
        session.close()


async def run_body_async(flow: Flow[..., Any], params: dict[str, Any], info: RunInfo, transport: Transport) -> Any:
    """Await the flow's function within its session."""
    params = validated(flow, params)
    session = FlowSession(info, transport)
    token = where_calls_go.session.set(session)
    try:
        return _plain(await flow.fn(**params))
    finally:
        where_calls_go.session.reset(token)
        session.close()


def validated(flow: Flow[..., Any], params: dict[str, Any], from_text: bool = False) -> dict[str, Any]:
    """The parameters as the flow's type hints want them. Raises ParameterError."""
    where = f"{flow.place}: flow {flow.name!r}"
    return types.validate_arguments(flow.fn, (), params, where=where, from_text=from_text)


def _plain(value: Any) -> Any:
    """A future, or a list of futures, returned by a flow stands for its value."""
    from batuta.authoring.futures import Future

    if isinstance(value, Future):
        return value.result()
    if isinstance(value, list) and value and all(isinstance(item, Future) for item in value):
        return [item.result() for item in value]
    return value


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
