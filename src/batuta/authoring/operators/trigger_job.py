"""Starting a run of another job, and waiting for it without holding a worker."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from batuta.authoring.context import Defer, StepContext
from batuta.authoring.operators.base import Operator, OperatorError
from batuta.core.triggers import RunEnds

_ENDED = ("succeeded", "failed", "cancelled")


class TriggerJobOperator(Operator):
    """Starts a run of `job` with `params`; the output is the run's id.

    With `wait`, it ends when that run does, and fails where the run ends in one of `fail_on`. A step whose worker was
    lost finds the run that it has started; one that is run again after that run ended starts a new one. It is told of
    the end, and looks itself every `poll_s` seconds besides.
    """

    template_fields = ("job", "params")

    def __init__(
        self,
        job: str,
        *,
        params: Mapping[str, Any] | None = None,
        wait: bool = True,
        poll_s: float = 60.0,
        fail_on: Sequence[str] = ("failed", "cancelled"),
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.job = getattr(job, "name", job)
        self.params = dict(params or {})
        self.wait = wait
        self.poll_s = poll_s
        self.fail_on = tuple(fail_on)

    def execute(self, context: StepContext) -> int:
        """Start it, or look how it goes. Raises Defer, OperatorError."""
        run_id = self._started(context)
        if not self.wait:
            return run_id
        state = self._state(run_id, context)
        if state not in _ENDED:
            raise Defer(time.time() + self.poll_s, {"run_id": run_id}, trigger=RunEnds(run_id))
        if state in self.fail_on:
            raise OperatorError(
                f"run {run_id} of job {self.job!r} {state if state == 'failed' else f'was {state}'}",
                where=context.key,
                hint=f"see `batuta runs show {run_id}`",
            )
        return run_id

    def _started(self, context: StepContext) -> int:
        """The run that this attempt waits for: the one it knows, one that is still going on, or a new one."""
        if isinstance(context.state, dict) and "run_id" in context.state:
            return int(context.state["run_id"])
        if context.tries:
            return self._launch(f"{context.run_id}/{context.key}/{context.tries}", context)
        key = f"{context.run_id}/{context.key}/{context.failures}"
        run_id = self._launch(key, context)
        if context.attempt > 1 and self._state(run_id, context) in _ENDED:
            run_id = self._launch(f"{key}/{context.attempt}", context)
        return run_id

    def _launch(self, key: str, context: StepContext) -> int:
        answer = context.ask("launch", job=self.job, params=self.params, key=key)
        return int(answer["run_id"])

    def _state(self, run_id: int, context: StepContext) -> str:
        return str(context.ask("run_state", run_id=run_id)["state"])
