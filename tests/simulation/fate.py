"""How attempts end: drawn from the seed, within what the world's luck allows."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from batuta.core import events as ev
from batuta.core.run_graph import TaskRun
from batuta.core.triggers import Signal, Wait
from batuta.core.values import ErrorInfo, Handle


@dataclass
class Attempt:
    """An attempt that a worker is executing. A flow's body has a position in its program."""

    no: int
    attempt: int
    position: int = 0
    stop: bool | None = None


class Fate:
    """One world's luck."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.trouble = random.choice((0.3, 1.0, 2.0))
        self.lossy = random.choice((0.05, 0.05, 0.05, 0.6))
        self.deferrals = 6

    def end_of(self, task: TaskRun, worker: Attempt, at: float) -> ev.Event:
        """How an attempt ends."""
        random = self.random
        no, attempt = worker.no, worker.attempt
        since = at - random.random()
        chance = random.random()
        if worker.stop is not None and chance < 0.6:
            return ev.AttemptCancelled(at=at, task=no, attempt=attempt)
        if random.random() < self.lossy:
            return ev.AttemptLost(at=at, task=no, attempt=attempt, reason="gone", counted=random.random() < 0.8)
        chance = random.random() / self.trouble
        if chance < 0.15:
            retryable = random.random() < 0.8
            return ev.AttemptFailed(
                at=at, task=no, attempt=attempt, error=ErrorInfo(message="x"), started_at=since, retryable=retryable
            )
        if chance < 0.19:
            return ev.AttemptSkipped(at=at, task=no, attempt=attempt, reason="nothing to do")
        if chance < 0.24 and self.deferrals:
            self.deferrals -= 1
            state = Handle(preview="so far") if random.random() < 0.5 else None
            until = at + random.random() * 9
            wait = Wait(Signal("go"), finishes=random.random() < 0.4) if random.random() < 0.6 else None
            if wait is not None and random.random() < 0.5:
                until = 0.0
            return ev.AttemptDeferred(at=at, task=no, attempt=attempt, until=until, state=state, wait=wait)
        if chance < 0.245:
            return ev.AttemptCancelled(at=at, task=no, attempt=attempt)
        return self._success(task, worker, at)

    def _success(self, task: TaskRun, worker: Attempt, at: float) -> ev.Event:
        random = self.random
        length = random.choice((None, 0, 1, 1, 2, 2, 3)) if task.node.map_downs else None
        output = Handle(length=length) if task.node.map_downs or random.random() < 0.3 else None
        follow = None
        cut = random.random() < 0.03
        downs = task.node.downs()
        if downs and random.random() < 0.15:
            names = [random.choice((down.spec.key, down.spec.group or down.spec.key)) for down in downs]
            follow = tuple(random.sample(names, random.randint(0, len(names))))
            if random.random() < 0.05:
                follow = (*follow, "nowhere")
        return ev.AttemptSucceeded(
            at=at, task=worker.no, attempt=worker.attempt, output=output, follow=follow, cut=cut, started_at=at
        )
