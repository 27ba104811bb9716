"""The port between the engine and whatever executes steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from batuta.runtime.protocol import Ask, Reply, RunInfo, StepDone, StepRequest, Submit, TaskEnded


@dataclass(frozen=True, slots=True)
class HasRoom:
    """An executor that had no room has some again, though nothing has ended."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A flow's call whose attempt runs already. `submit`: what is asked for; `request`: what the engine would send."""

    submit: Submit
    request: StepRequest


Heard = StepDone | Submit | Ask | HasRoom | Begun
"""What an executor tells the engine."""


class Loop(Protocol):
    """The engine's event loop, as executors see it."""

    def register(self, fileobj: Any, on_readable: Callable[[], None]) -> None:
        """Call `on_readable` in the loop's thread whenever there is something to read."""

    def watch_writable(self, fileobj: Any, on_writable: Callable[[], None] | None) -> None:
        """Call `on_writable` too, whenever a registered object can be written to; None to stop."""

    def unregister(self, fileobj: Any) -> None:
        """The opposite of `register`."""

    def post(self, callback: Callable[[], None], soon: bool = True) -> None:
        """Call `callback` in the loop's thread soon, or else when it wakes for something; from any thread."""

    def call_at(self, at: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` in the loop's thread at that time (seconds since the epoch). Returns what cancels that.

        Both are to be called in the loop's thread.
        """


class Executor(Protocol):
    """Executes steps. All methods are called in the engine's thread; what happens is told to `heard` there too."""

    def start(self, loop: Loop, heard: Callable[[Executor, Heard], None]) -> None:
        """Get ready to execute."""

    def has_room(self, kind: str, task: str) -> bool:
        """Whether one more step of this kind (flow, isolated, step), running this task, would start (nearly) at once.

        Asked again when something has ended; where there is room for another reason, `HasRoom` is to be said.
        """

    def send(self, info: RunInfo, request: StepRequest) -> None:
        """Execute an attempt; may be buffered until `flush`."""

    def flush(self) -> None:
        """Send what is buffered."""

    def cancel(self, request_id: int, hard: bool, run_id: int = 0) -> None:
        """Stop an attempt; its StepDone follows in any case. With `run_id`, only the nested flow of that run in it."""

    def reply(self, request_id: int, reply: Reply) -> None:
        """Answer an Ask of that attempt."""

    def ended(self, request_id: int, message: TaskEnded) -> None:
        """Tell the flow body with that id that a task run it asked for has ended."""

    def running(self) -> Iterable[tuple[int, float, str]]:
        """Attempts whose code is running: (request id, since when, worker)."""

    def forget(self, run_id: int) -> None:
        """The run is over."""

    def stop(self) -> None:
        """End everything; attempts still running are abandoned."""


class ServingExecutor(Executor, Protocol):
    """An executor that can be taken out of a running engine."""

    def hang_up(self) -> None:
        """The part of stopping that waits for nothing. In the engine's thread."""
