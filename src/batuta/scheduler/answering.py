"""The duty that answers questions to the code of locations, left in the store by processes that do not have it.

Each goes on in a thread of its own pool, waiting for an evaluator of the location; one that takes too long is killed
there. Surprising: a scheduler takes only what it can answer, so a question for a location that no scheduler has is
answered by nobody, and whoever asked says so.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from batuta.core.errors import BatutaError
from batuta.executors.evaluators import EvaluationFailed
from batuta.runtime.evaluations import EVALUATIONS
from batuta.store.evaluation_box import EvaluationRow
from batuta.store.rows import Leader

if TYPE_CHECKING:
    from batuta.scheduler.location import Version
    from batuta.scheduler.service import Service

logger = logging.getLogger("batuta.scheduler")

THREADS = 8
AGAIN_S = 30.0


class AnsweringDuty:
    """See the module."""

    name = "answering"
    leads = False

    def __init__(self, service: Service) -> None:
        self._service = service
        self._threads: ThreadPoolExecutor | None = None

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        box = self._service.store.evaluations
        versions = {version.location: version for version in self._service.locations.versions()}
        for row in box.waiting(now):
            version = versions.get(row.location)
            if version is not None and row.what in EVALUATIONS and box.take(row.id, self._service.process_id):
                self._pool().submit(self._answer, version, row, now)
        box.forget_old(now)
        return now + AGAIN_S

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="batuta-answering")
        return self._threads

    def _answer(self, version: Version, row: EvaluationRow, now: float) -> None:
        try:
            answer = answered(version, row.what, row.data, max(row.until - now, 0.1))
            self._service.store.evaluations.answer(row.id, answer)
        except Exception:  # the store is away: whoever asks hears nothing, and says so
            logger.warning("a question to location %s was not answered", row.location, exc_info=True)

    def close(self) -> None:
        """Wait for none of those that are evaluated."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


def answered(version: Version, what: str, data: dict[str, Any], timeout_s: float) -> dict[str, Any]:
    """What the code of a location says, or why it says nothing, as plain data: see `reply_of`."""
    try:
        return {"say": "answer", "data": version.evaluate(what, data, timeout_s)}
    except EvaluationFailed as error:
        more = {"kind": error.kind, "traceback": error.traceback}
        return {"say": "raised", "what": error.what, "where": error.where, "hint": error.hint, **more}
    except BatutaError as error:
        kind = type(error).__name__
        return {"say": "refused", "kind": kind, "what": error.what, "where": error.where, "hint": error.hint}


def reply_of(answer: dict[str, Any]) -> dict[str, Any]:
    """The data of an answer. Raises EvaluationFailed, or the BatutaError that it tells of."""
    if answer["say"] == "answer":
        data: dict[str, Any] = answer["data"]
        return data
    if answer["say"] == "raised":
        failed = EvaluationFailed(answer["what"], where=answer["where"], hint=answer["hint"])
        failed.kind, failed.traceback = answer["kind"], answer["traceback"]
        raise failed
    from batuta.core import errors

    kind = getattr(errors, answer["kind"], BatutaError)
    refused: BatutaError = kind(answer["what"], where=answer["where"], hint=answer["hint"])
    raise refused
