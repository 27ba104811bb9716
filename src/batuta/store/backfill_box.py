"""Backfills in the store: what was asked for, its items, and how far they are.

What the scheduler writes of them is fenced by its lead; what people want (pause, cancel, retry) is decided under a lock
on the backfill's row, so that it and the scheduler never overwrite each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from batuta.core import backfills as core
from batuta.core.backfills import Backfill, BackfillState, Item
from batuta.core.errors import RequestError
from batuta.core.schedule_specs import Fire
from batuta.store import audit
from batuta.store.database import Database, Row, Transaction
from batuta.store.queries import listed, numbered, pattern
from batuta.store.rows import Audit, Leader
from batuta.store.service import check_lead

_encode = msgspec.json.Encoder().encode
_spec = msgspec.json.Decoder(Backfill)


class _Work(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an item is about, as it is kept."""

    partitions: tuple[str, ...] = ()
    of: str = ""
    fire: Fire | None = None


_work = msgspec.json.Decoder(_Work)


@dataclass(slots=True, kw_only=True)
class BackfillRow:
    """A backfill as stored."""

    id: int
    spec: Backfill
    state: str
    created_by: str
    created_at: float
    finished_at: float | None
    error: str


@dataclass(slots=True, kw_only=True)
class BackfillItemRow:
    """One item as stored. `attempt` counts from 1; `run_id` is that of its present attempt."""

    no: int
    item: Item
    state: str
    attempt: int
    run_id: int | None
    error: str


@dataclass(slots=True)
class ItemChange:
    """What has become of an item."""

    no: int
    state: str
    attempt: int
    run_id: int | None
    error: str = ""


class BackfillBox:
    """See the module."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    # ---- what people want ----

    def create(self, spec: Backfill, items: Sequence[Item], *, by: str, now: float) -> int:
        """Keep a backfill with its items, to be begun by a scheduler; its number. Raises RequestError."""
        core.validate(spec)
        if not items:
            raise RequestError("there is nothing to backfill", hint="`--preview` shows what is left out, and why")
        shown = spec.selection or spec.job
        row = (
            spec.location,
            spec.job,
            spec.selection,
            BackfillState.RUNNING.value,
            _encode(spec).decode(),
            _encode(spec.params).decode(),
            _encode(spec.tags).decode(),
            by,
            now,
            None,
            "",
        )
        with self._database.transaction() as transaction:
            transaction.lock("backfills")
            transaction.put([("put_backfills", [row])])
            number = int(transaction.rows("last_backfill_id")[0][0])
            transaction.put([("put_backfill_items", [_item_values(number, no, one) for no, one in enumerate(items)])])
            audit.append(transaction, [Audit(by, "launch", "backfill", str(number), {"of": shown})], now)
            transaction.notify("backfills")
        return number

    def act(self, number: int, action: core.Action, *, by: str, now: float) -> BackfillState:
        """Pause, resume, cancel or retry one; where it stands then. Raises RequestError where that makes no sense."""
        with self._database.transaction() as transaction:
            rows = transaction.rows("backfill_held", of_backfill=number)
            if not rows:
                raise no_such_backfill(number)
            row = _row(rows[0])
            state = core.after(action, row.state, number)
            if action == "retry":
                counts = self._counts(transaction, number)
                again = core.retried(counts)
                if not again:
                    raise RequestError(f"nothing of backfill {number} has failed", hint="there is nothing to retry")
                transaction.run("retry_backfill_items", of_backfill=number, states=json.dumps([*again]))
            if action == "cancel":
                transaction.run("cancel_waiting_items", of_backfill=number)
            transaction.run("set_backfill_state", of_backfill=number, new_state=str(state), ended_at=None, new_error="")
            audit.append(transaction, [Audit(by, action, "backfill", str(number), {})], now)
            transaction.notify("backfills")
        return state

    # ---- what a scheduler does ----

    def settle(self, number: int, changes: Iterable[ItemChange], *, leader: Leader | None, now: float) -> BackfillState:
        """Record what has become of items, and where the backfill stands because of it. Raises LeadLost."""
        values = [(one.state, one.attempt, one.run_id, one.error, number, one.no) for one in changes]
        with self._database.transaction() as transaction:
            if leader is not None:
                check_lead(transaction, leader, self._database.location)
            row = _row(transaction.rows("backfill_held", of_backfill=number)[0])
            if values:
                transaction.put([("update_backfill_items", values)])
            state = core.next_state(row.state, self._counts(transaction, number))
            if state != row.state:
                ended_at = now if state in core.FINAL else None
                transaction.run(
                    "set_backfill_state", of_backfill=number, new_state=str(state), ended_at=ended_at, new_error=""
                )
        return state

    def _counts(self, transaction: Transaction, number: int) -> dict[str, int]:
        rows = transaction.rows("backfill_counts", ids=json.dumps([number]))
        return {state: count for _, state, count in rows}

    # ---- reading ----

    def get(self, number: int) -> BackfillRow:
        """A backfill by its number. Raises RequestError."""
        rows = self._database.rows("backfill", of_backfill=number)
        if not rows:
            raise no_such_backfill(number)
        return _row(rows[0])

    def page(
        self,
        *,
        job: str | None = None,
        state: Iterable[str] | str | None = None,
        location: Iterable[str] | None = None,
        text: str = "",
        limit: int = 50,
        **page: Any,
    ) -> list[BackfillRow]:
        """A page of backfills, see `queries.numbered`. `text` is looked for in job, selection, who asked, and error."""
        wanted: dict[str, Any] = {"job": job, "states": listed(state), "locations": listed(location)}
        rows = numbered(self._database, "backfills_page", text=text, limit=limit, **page, **wanted)
        return [_row(row) for row in rows]

    def open(self) -> list[BackfillRow]:
        """Those that are not over, oldest first."""
        return [_row(row) for row in self._database.rows("open_backfills")]

    def counts(self, numbers: Iterable[int]) -> dict[int, dict[str, int]]:
        """How many items of each are in each state."""
        found: dict[int, dict[str, int]] = {number: {} for number in numbers}
        for number, state, count in self._database.rows("backfill_counts", ids=listed(found)):
            found[number][state] = count
        return found

    def items(
        self, number: int, *, states: Iterable[str] | None = None, text: str = "", after: int = -1, limit: int = 1000
    ) -> list[BackfillItemRow]:
        """Its items in the order in which they are submitted. `text` is looked for in label and error."""
        wanted = {"states": listed(states), "text": pattern(text, self._database.dialect)}
        rows = self._database.rows("backfill_items_page", of_backfill=number, after=after, limit=limit, **wanted)
        return [_item_row(row) for row in rows]

    def ended(self, number: int, limit: int = 5000) -> list[ItemChange]:
        """What has become of submitted items whose runs have ended, or were deleted."""
        found: list[ItemChange] = []
        for no, attempt, run_id, state, error in self._database.rows(
            "backfill_items_ended", of_backfill=number, limit=limit
        ):
            ended = core.end_of(state)
            if ended is not None:
                found.append(ItemChange(no, ended, attempt, run_id, error))
        for no, attempt, run_id in self._database.rows("backfill_items_lost", of_backfill=number, limit=limit):
            found.append(ItemChange(no, core.ItemState.FAILED, attempt, run_id, "its run was deleted"))
        return found

    def open_runs(self, number: int) -> list[int]:
        """The runs of its submitted items."""
        return [row[0] for row in self._database.rows("backfill_runs_open", of_backfill=number)]


def _item_values(number: int, no: int, item: Item) -> Row:
    work = _Work(item.partitions, item.of, item.fire)
    logical_at = item.fire.logical_at if item.fire is not None else None
    return number, no, item.label, _encode(work).decode(), logical_at, core.ItemState.WAITING.value, 1, None, ""


def _item_row(row: Row) -> BackfillItemRow:
    _number, no, label, partitions, _logical_at, state, attempt, run_id, error = row
    work = _work.decode(partitions)
    item = Item(label, work.partitions, work.of, work.fire)
    return BackfillItemRow(no=no, item=item, state=state, attempt=attempt, run_id=run_id, error=error)


def _row(row: Row) -> BackfillRow:
    number, _location, _job, _selection, state, config, _params, _tags, by, created_at, finished_at, error = row
    return BackfillRow(
        id=number,
        spec=_spec.decode(config),
        state=state,
        created_by=by,
        created_at=created_at,
        finished_at=finished_at,
        error=error,
    )


def no_such_backfill(number: int) -> RequestError:
    """The error for a number that no backfill has."""
    return RequestError(f"there is no backfill {number}", hint="`batuta backfills list` shows those there are")
