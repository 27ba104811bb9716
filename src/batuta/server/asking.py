"""Asking the code of a location something, from the server: in an evaluator of its host, never here.

Where a scheduler is part of this process it is asked directly; else the question is left in the store for one that has
the code. Surprising: where no scheduler lives that could answer, that is said at once rather than waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batuta.scheduler.consulting import NobodyAnswers, asked_of_schedulers, is_anybody_there
from batuta.server.problems import Refused

if TYPE_CHECKING:
    from batuta.server.backend import Backend


class Asking:
    """See the module. Safe to use from many threads; waits for the answer."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @property
    def is_possible(self) -> bool:
        """Whether some scheduler lives that may have the code."""
        if self._backend.service is not None:
            return True
        return is_anybody_there(self._backend.store, self._backend.clock())

    def ask(self, location: str, what: str, data: dict[str, Any], timeout_s: float, by: str) -> dict[str, Any]:
        """The answer. Raises EvaluationFailed where the code raised, BatutaError where it refused, Refused where nobody
        answers."""
        service = self._backend.service
        if service is not None:
            return service.locations.get(location).version().evaluate(what, data, timeout_s)
        store, clock = self._backend.store, self._backend.clock
        try:
            return asked_of_schedulers(store, location, what, data, timeout_s, by=by, clock=clock)
        except NobodyAnswers as error:
            raise Refused("conflict", 409, error.what, hint=error.hint) from None
