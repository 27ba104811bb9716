"""Where a call of a task or flow goes: nowhere special, into a DAG being written, or to the engine of a running flow.

Two context variables decide. The runtime sets `session` while a flow's body runs; a `with DAG` block sets `dag`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from batuta.authoring.flow import Flow
    from batuta.authoring.futures import Future
    from batuta.authoring.options import Options
    from batuta.authoring.task import Task


class Session(Protocol):
    """A running flow, as its body sees it."""

    @property
    def run_id(self) -> int:
        """The number of its run."""

    def submit(
        self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], wait_for: Sequence[Future[Any]] = ()
    ) -> Future[Any]:
        """Ask the engine to run a task."""

    def call(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Ask the engine to run a task, wait for its end, and return its value or raise its error."""

    def submit_many(self, task: Task[..., Any], calls: Sequence[tuple[tuple[Any, ...], dict[str, Any]]]) -> list[Any]:
        """Ask for many calls of one task at once; the futures in the same order."""

    def call_flow(self, flow: Flow[..., Any], params: dict[str, Any]) -> Any:
        """Run a nested flow as a run of its own."""

    def pause(self, prompt: str, type_: Any, default: Any) -> Any:
        """Wait for a person's answer."""


class DagBlock(Protocol):
    """A DAG being written."""

    def add_call(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], options: Options) -> Any:
        """Make a node that calls the task."""

    def add_mapped(
        self, task: Task[..., Any], partial: Mapping[str, Any], mapped: Mapping[str, Any], mode: str, options: Options
    ) -> Any:
        """Make a node that calls the task once per item."""


class Launcher(Protocol):
    """Starts a run for a flow that is called in a plain script."""

    def run_flow(self, flow: Flow[..., Any], params: dict[str, Any]) -> Any:
        """Run it and return its value, or raise its error."""


session: ContextVar[Session | None] = ContextVar("batuta_session", default=None)
dag: ContextVar[DagBlock | None] = ContextVar("batuta_dag", default=None)
_launcher: list[Launcher] = []


def launcher() -> Launcher:
    """What runs flows that are called in plain scripts: the local engine, loaded when first needed.

    The name is a string because the engine stands above this layer; it registers itself as the port `Launcher`.
    """
    if not _launcher:
        import importlib

        _launcher.append(importlib.import_module("batuta.engine.local").launcher())
    return _launcher[0]
