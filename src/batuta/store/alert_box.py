"""Alerts in the store: what is open, and the outbox of messages that are still to be delivered.

What rules decide is one transaction: alerts, deliveries, and how far the events have been read. So nothing is raised
twice and nothing forgotten. Surprising: a delivery is marked as being sent before it is; a process that dies in between
leaves it to be sent again, since nobody can know whether it was. That is why an alert arrives at least once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from batuta.store import audit
from batuta.store.database import Database, Row, Transaction
from batuta.store.queries import listed, numbered
from batuta.store.rows import Audit, Leader, TickerRow, TickRow
from batuta.store.service import check_lead, tick_row, ticker_values

RESOLVED = -1
"""The `step` of a delivery that says that it is over; 0: that it was raised; 1 and up: of the escalation."""


@dataclass(slots=True, kw_only=True)
class AlertRow:
    """An alert as stored. `data` is what the rules remember of it, see `scheduler.alerting`."""

    rule: str
    key: str
    kind: str
    severity: str
    title: str
    body: str
    data: dict[str, Any]
    count: int
    at: float
    last_at: float
    resolved_at: float | None = None
    id: int = 0


@dataclass(slots=True, kw_only=True)
class DeliveryRow:
    """One message to one channel. `state`: waiting, sending, unsure, sent, failed, dropped."""

    alert_id: int
    channel: str
    step: int = 0
    state: str = "waiting"
    attempt: int = 0
    next_at: float | None = None
    sent_at: float | None = None
    error: str = ""
    id: int = 0


@dataclass(slots=True)
class Told:
    """An alert as it is now, new where it has no id, and the deliveries that this makes; they get its id."""

    alert: AlertRow
    deliveries: list[DeliveryRow] = field(default_factory=list)


class AlertBox:
    """See the module. Made by `Store.alerts`; safe to use from many threads."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    # ---- what rules decide ----

    def record(self, told: Sequence[Told], memory: TickerRow, *, lead: Leader | None) -> None:
        """Write what was decided and what rules remember, all or nothing; new alerts get their id. Raises LeadLost."""
        with self._database.transaction() as transaction:
            if lead is not None:
                check_lead(transaction, lead, self._database.location)
            deliveries: list[Row] = []
            for one in told:
                self._put(transaction, one.alert)
                for delivery in one.deliveries:
                    delivery.alert_id = one.alert.id
                    deliveries.append(_delivery_values(delivery))
            work = [("put_tickers", [ticker_values(memory)]), ("put_deliveries", deliveries)]
            transaction.put([(name, rows) for name, rows in work if rows])

    def _put(self, transaction: Transaction, row: AlertRow) -> None:
        data = msgspec.json.encode(row.data).decode()
        title, body = _storable(row.title), _storable(row.body)
        if row.id:
            transaction.run(
                "update_alert",
                of_id=row.id,
                new_severity=row.severity,
                new_title=title,
                new_body=body,
                new_data=data,
                new_count=row.count,
                new_last_at=row.last_at,
                new_resolved_at=row.resolved_at,
            )
            return
        found = transaction.rows(
            "put_alert",
            rule=row.rule,
            key=row.key,
            kind=row.kind,
            severity=row.severity,
            title=title,
            body=body,
            data=data,
            count=row.count,
            at=row.at,
            last_at=row.last_at,
            resolved_at=row.resolved_at,
        )
        row.id = int(found[0][0])

    def open(self) -> list[AlertRow]:
        """Alerts that are not over, oldest first."""
        return [_alert_row(row) for row in self._database.rows("open_alerts")]

    def open_count(self) -> int:
        """How many alerts are not over."""
        return int(self._database.rows("open_alert_count")[0][0])

    def settled(self, ids: Iterable[int]) -> set[int]:
        """Those of these alerts that are over, or gone, by now."""
        wanted = set(ids)
        left = self._database.rows("settled_alerts", ids=json.dumps(sorted(wanted))) if wanted else []
        return wanted - {row[0] for row in left}

    # ---- what rules look at ----

    def ticks_after(self, after_id: int, kind: str | None = None, limit: int = 2_000) -> list[TickRow]:
        """Ticks (of a kind) after the one with that id, oldest first."""
        rows = self._database.rows("ticks_after", after_id=after_id, kind=kind, limit=limit)
        return [tick_row(row) for row in rows]

    def last_tick_id(self) -> int:
        """The id of the newest tick, 0 if there is none."""
        return int(self._database.rows("last_tick_id")[0][0])

    # ---- for people ----

    def alert(self, number: int) -> AlertRow | None:
        """The alert with this number."""
        rows = self._database.rows("alert_by_id", id=number)
        return _alert_row(rows[0]) if rows else None

    def page(
        self,
        *,
        is_open: bool | None = None,
        rule: Iterable[str] | str | None = None,
        kind: Iterable[str] | str | None = None,
        severity: Iterable[str] | str | None = None,
        text: str = "",
        limit: int = 50,
        **page: Any,
    ) -> list[AlertRow]:
        """A page of alerts, see `queries.numbered`. `text` is looked for in rule, title and body."""
        wanted: dict[str, Any] = {
            "is_open": is_open,
            "rules": listed(rule),
            "kinds": listed(kind),
            "severities": listed(severity),
        }
        rows = numbered(self._database, "alerts_listed", text=text, limit=limit, **page, **wanted)
        return [_alert_row(row) for row in rows]

    def deliveries(self, alert_ids: Iterable[int]) -> dict[int, list[DeliveryRow]]:
        """The messages of each of these alerts, oldest first."""
        found: dict[int, list[DeliveryRow]] = {}
        for row in self._database.rows("deliveries_of", ids=listed(alert_ids)):
            delivery = _delivery_row(row)
            found.setdefault(delivery.alert_id, []).append(delivery)
        return found

    def settle(self, number: int, by: str, now: float, deliveries: Sequence[DeliveryRow] = ()) -> bool:
        """A person says that it is done with, and these are told; False where it was over already.

        Whoever evaluates the rules sees it with its next look.
        """
        with self._database.transaction() as transaction:
            rows = transaction.rows("alert_by_id", id=number)
            if not rows or (row := _alert_row(rows[0])).resolved_at is not None:
                return False
            row.resolved_at = now
            row.data = {**row.data, "settled_by": by}
            self._put(transaction, row)
            values = [_delivery_values(delivery) for delivery in deliveries]
            transaction.put([("put_deliveries", values)] if values else [])
            audit.append(transaction, [Audit(by, "settle", "alert", str(number), {"title": row.title})], now)
        return True

    # ---- deliveries ----

    def next_due(self) -> dict[str, float]:
        """When the next message is to be sent, by channel, where there is any."""
        return {channel: at for channel, at in self._database.rows("next_deliveries") if at is not None}

    def due(self, channel: str, now: float, limit: int = 50) -> list[DeliveryRow]:
        """Messages to be sent to a channel by now, oldest first."""
        rows = self._database.rows("due_deliveries", channel=channel, now=now, limit=limit)
        return [_delivery_row(row) for row in rows]

    def begin(self, delivery: DeliveryRow, until: float) -> bool:
        """Take one try of a message; False where somebody else has. Unless ended by `until`, it is due again."""
        with self._database.transaction() as transaction:
            taken = transaction.run("begin_delivery", of_id=delivery.id, seen=delivery.attempt, until=until)
        return bool(taken)

    def end(
        self, delivery: DeliveryRow, attempt: int, state: str, *, at: float, again_at: float | None, error: str
    ) -> None:
        """How the try went: sent, waiting or unsure (again at), or failed for good."""
        sent_at = at if state == "sent" else None
        with self._database.transaction() as transaction:
            transaction.run(
                "end_delivery",
                of_id=delivery.id,
                of_attempt=attempt,
                new_state=state,
                again_at=again_at,
                at=sent_at,
                new_error=_storable(error),
            )

    def troubled(self, limit: int = 10_000) -> dict[str, tuple[int, str]]:
        """Of each channel that does not take its messages: how many wait, and what the last one met with."""
        found: dict[str, tuple[int, str]] = {}
        for channel, error in self._database.rows("troubled_deliveries", limit=limit):
            count, last = found.get(channel, (0, error))
            found[channel] = count + 1, last
        return found

    def reopen(self, now: float) -> int:
        """Whoever was sending has died, or leads no more: what it was at is to be sent again. How many messages."""
        with self._database.transaction() as transaction:
            return transaction.run("reopen_deliveries", now=now)

    def counts(self) -> dict[tuple[str, str], int]:
        """How many messages are not delivered yet, by (channel, state)."""
        return {(channel, state): count for channel, state, count in self._database.rows("delivery_counts")}


def _storable(text: str) -> str:
    """Users' texts may hold what no database takes as text: a NUL, half a surrogate pair."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _alert_row(row: Row) -> AlertRow:
    number, rule, key, kind, severity, title, body, data, count, at, last_at, resolved_at = row
    return AlertRow(
        id=number,
        rule=rule,
        key=key,
        kind=kind,
        severity=severity,
        title=title,
        body=body,
        data=json.loads(data),
        count=count,
        at=at,
        last_at=last_at,
        resolved_at=resolved_at,
    )


def _delivery_row(row: Row) -> DeliveryRow:
    number, alert_id, channel, step, state, attempt, next_at, sent_at, error = row
    return DeliveryRow(
        id=number,
        alert_id=alert_id,
        channel=channel,
        step=step,
        state=state,
        attempt=attempt,
        next_at=next_at,
        sent_at=sent_at,
        error=error,
    )


def _delivery_values(row: DeliveryRow) -> Row:
    return (row.alert_id, row.channel, row.step, row.state, row.attempt, row.next_at, row.sent_at, row.error)
