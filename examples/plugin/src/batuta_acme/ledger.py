"""An executor: worker processes, as without a plugin, with a ledger of what each step has used."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from batuta.executors.host_process import HostProcess
from batuta.executors.port import Executor, Heard, Loop
from batuta.executors.processes import ProcessExecutor
from batuta.runtime.protocol import RunInfo, StepDone, StepRequest


class LedgerExecutor(ProcessExecutor):
    """Appends a line of JSON to a file for each attempt that has ended: who is to be charged for how many seconds."""

    def __init__(self, host: HostProcess, workers: int, spools: str, *, told: Any, ledger: str) -> None:
        super().__init__(host, workers, spools, told=told)
        self._ledger = ledger
        self._sent: dict[int, tuple[int, str]] = {}

    def start(self, loop: Loop, heard: Callable[[Executor, Heard], None]) -> None:
        """All that is told to the engine is looked at first."""

        def looked_at(executor: Executor, message: Heard) -> None:
            if isinstance(message, StepDone):
                self._charge(message)
            heard(executor, message)

        super().start(loop, looked_at)

    def send(self, info: RunInfo, request: StepRequest) -> None:
        self._sent[request.id] = (info.run_id, request.step)
        super().send(info, request)

    def _charge(self, done: StepDone) -> None:
        run, step = self._sent.pop(done.id, (0, ""))
        line = {"run": run, "step": step, "ended": done.status, "seconds": done.finished_at - done.started_at}
        with open(self._ledger, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def ledger(host: HostProcess, workers: int, spools: str, options: dict[str, Any], *, told: Any) -> LedgerExecutor:
    """What the entry point names. `options` are the `executor_options` of the location."""
    return LedgerExecutor(host, workers, spools, told=told, **options)
