"""Values and calls that never leave the process: what threads of a script share instead of serializing it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batuta.runtime.protocol import StepRequest


@dataclass(slots=True)
class LiveCall:
    """A flow's call of a task, with its real arguments; `refers` says whether futures are among them."""

    task: Any
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    refers: bool = True


class Live:
    """Calls waiting to be run and values waiting to be fetched, by run and key. Dict operations are atomic."""

    def __init__(self) -> None:
        self._calls: dict[int, dict[str, LiveCall]] = {}
        self._values: dict[int, dict[str, Any]] = {}

    def expect(self, run_id: int, key: str, call: LiveCall) -> None:
        """A flow makes that call."""
        self._calls.setdefault(run_id, {})[key] = call

    def call_of(self, run_id: int, key: str) -> LiveCall | None:
        """The call, if it was made in this process and has not ended."""
        return self._calls.get(run_id, {}).get(key)

    def keep(self, request: StepRequest, value: Any) -> None:
        """The call has come to a value (or an exception, which is told apart by the state of the task run)."""
        calls = self._calls.get(request.run_id)
        if calls is not None and request.step in calls:
            self._values.setdefault(request.run_id, {})[request.step] = value

    def take(self, run_id: int, key: str) -> tuple[Any, ...]:
        """The call has ended: forget it. A tuple of what it has come to, if that was in this process."""
        self._calls.get(run_id, {}).pop(key, None)
        values = self._values.get(run_id, {})
        return (values.pop(key),) if key in values else ()

    def forget(self, run_id: int) -> None:
        """The run is over."""
        self._calls.pop(run_id, None)
        self._values.pop(run_id, None)
