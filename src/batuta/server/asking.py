"""Asking the code of a location something, from the server: in an evaluator of its host, never here.

Where a scheduler is part of this process it is asked directly; else the question is left in the store for one that has
the code. Surprising: where no scheduler lives that could answer, that is said at once rather than waited for.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from batuta.scheduler.answering import reply_of
from batuta.server.problems import Refused

if TYPE_CHECKING:
    from batuta.server.backend import Backend

POLL_S = 0.05
ALIVE_S = 30.0


class Asking:
    """See the module. Safe to use from many threads; waits for the answer."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @property
    def is_possible(self) -> bool:
        """Whether some scheduler lives that may have the code."""
        if self._backend.service is not None:
            return True
        now = self._backend.clock()
        return any(row.kind != "server" for row in self._backend.store.processes(now - ALIVE_S))

    def ask(self, location: str, what: str, data: dict[str, Any], timeout_s: float, by: str) -> dict[str, Any]:
        """The answer. Raises EvaluationFailed where the code raised, BatutaError where it refused, Refused where nobody
        answers."""
        service = self._backend.service
        if service is not None:
            return service.locations.get(location).version().evaluate(what, data, timeout_s)
        if not self.is_possible:
            raise _nobody(location, "no scheduler lives")
        box = self._backend.store.evaluations
        number = box.ask(location, what, data, by=by, now=self._backend.clock(), timeout_s=timeout_s)
        try:
            deadline = time.monotonic() + timeout_s + 1.0
            while (answer := box.answer_to(number)) is None:
                if time.monotonic() > deadline:
                    raise _nobody(location, f"no scheduler has answered for {timeout_s:g} s")
                time.sleep(POLL_S)
        finally:
            box.forget(number)
        return reply_of(answer)


def _nobody(location: str, why: str) -> Refused:
    hint = "start one that has the code: batuta up"
    return Refused("conflict", 409, f"location {location!r} cannot be asked: {why}", hint=hint)
