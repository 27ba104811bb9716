"""Steps one after the other in the thread that waits for the run: for debuggers, and code that wants the main thread.

The engine runs on its own thread all the same; `pump` is what the waiting thread does meanwhile. Flow bodies get a
thread of their own, since they wait for the steps.
"""

from __future__ import annotations

import queue
from collections.abc import Callable

from batuta.executors.threads import ThreadExecutor
from batuta.runtime.protocol import RunInfo, StepRequest


class InlineExecutor(ThreadExecutor):
    """See `executors.port.Executor`."""

    def has_room(self, kind: str, task: str) -> bool:
        """See the port."""
        return super().has_room(kind, task) if kind == "flow" else not self._queued

    def send(self, info: RunInfo, request: StepRequest) -> None:
        """See the port."""
        if request.kind == "flow":
            super().send(info, request)
            return
        self._queued.add(request.id)
        self._queue.put((info, request))

    def pump(self, is_over: Callable[[], bool]) -> None:
        """Run steps in this thread until `is_over`."""
        runner = self.runner()
        while not is_over():
            try:
                item = self._queue.get(timeout=0.05)
            except queue.Empty:
                continue
            if item is not None:
                self._run(*item, runner)
