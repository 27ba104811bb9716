"""Questions to the code of a location from a process that does not have it, and their answers.

The API server that runs apart from the schedulers asks here; a scheduler that has the code takes the question, has it
evaluated, and writes the answer. Surprising: nothing of it is kept: whoever has asked deletes it with the answer, and
what nobody came back for goes a while after its time is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from batuta.store.database import Database

KEPT_S = 60.0
"""How long after its time a question that nobody came back for stays."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True, kw_only=True)
class EvaluationRow:
    """A question as stored. `until`: when whoever asks waits no more."""

    id: int
    location: str
    what: str
    data: dict[str, Any]
    asked_by: str
    at: float
    until: float


class EvaluationBox:
    """See the module. Made by `Store.evaluations`; safe to use from many threads."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def ask(self, location: str, what: str, data: dict[str, Any], *, by: str, now: float, timeout_s: float) -> int:
        """Leave a question; its number."""
        row = (location, what, _encode(data).decode(), by, now, now + timeout_s, "", None)
        with self._database.transaction() as transaction:
            transaction.put([("put_evaluations", [row])])
            transaction.notify("evaluations")
            rows = transaction.rows("last_evaluation", of_location=location, by=by, at=now)
        return int(rows[0][0])

    def answer_to(self, number: int) -> dict[str, Any] | None:
        """The answer, once there is one."""
        rows = self._database.rows("evaluation_answer", number=number)
        answer = rows[0][0] if rows else None
        found: dict[str, Any] | None = None if answer is None else _decode(answer)
        return found

    def forget(self, number: int) -> None:
        """It is answered, or waited for no more."""
        with self._database.transaction() as transaction:
            transaction.run("delete_evaluation", number=number)

    def waiting(self, now: float) -> list[EvaluationRow]:
        """Questions that nobody has taken, oldest first."""
        return [
            EvaluationRow(id=number, location=location, what=what, data=_decode(data), asked_by=by, at=at, until=until)
            for number, location, what, data, by, at, until, *_ in self._database.rows("evaluations_waiting", now=now)
        ]

    def take(self, number: int, owner: str) -> bool:
        """Become the one who answers it."""
        with self._database.transaction() as transaction:
            return transaction.run("take_evaluation", number=number, new_owner=owner) > 0

    def answer(self, number: int, answer: dict[str, Any]) -> None:
        """Give the answer."""
        with self._database.transaction() as transaction:
            transaction.run("answer_evaluation", number=number, given=_encode(answer).decode())

    def forget_old(self, now: float) -> None:
        """Delete what nobody came back for."""
        if self._database.rows("old_evaluations", cutoff=now - KEPT_S):
            with self._database.transaction() as transaction:
                transaction.run("delete_old_evaluations", cutoff=now - KEPT_S)
