"""The duty that evaluates the rules: reads what has been recorded, and records what is to be told to whom.

Rules look at everything in the store, whoever ran it. Surprising: nothing is sent here. Alerts and their messages are
written together with how far the events have been read, so that a crash raises nothing twice; `alert_delivery` sends.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

import msgspec

from batuta.core.alert_rules import Alert, Book, Decision, Fact
from batuta.core.alert_specs import LASTING, Alerts, Rule
from batuta.core.errors import RequestError
from batuta.scheduler.alert_facts import Facts, event_kinds, wanted_kinds
from batuta.scheduler.alert_looks import Looks, looked_at
from batuta.scheduler.alert_texts import link_of, told
from batuta.store.alert_box import RESOLVED, AlertRow, DeliveryRow, Told
from batuta.store.rows import Leader, TickerRow
from batuta.store.store import Store

NAME = "alerts"
READ_S = 1.0
"""How often new events are looked for."""
LOOK_S = 15.0
"""How often lasting trouble is looked for."""
PAGE = 2_000
UNRECORDED_MAX, UNRECORDED_S = 5_000, 30.0
"""How far it may read on without recording so, while nothing comes of it: read again, it comes to nothing again."""

logger = logging.getLogger("batuta.alerts")


class AlertingDuty:
    """See the module. `on_told` is called when there are messages to deliver."""

    name = NAME
    leads = True

    def __init__(self, alerts: Alerts, store: Store, *, on_told: Any = None) -> None:
        self._store = store
        self._on_told = on_told
        self._looks = Looks(store)
        self._book: Book | None = None
        self._next: tuple[Alerts, int] | None = None
        self._rules: dict[str, Rule] = {}
        self._take(alerts, store.last_event_id())
        self._epoch = -1
        self._event_id = 0
        self._next_look = 0.0
        self._recorded_id = 0
        self._recorded_at = 0.0

    def configure(self, alerts: Alerts) -> None:
        """Have these rules and channels from the next call on; from any thread."""
        self._next = alerts, self._store.last_event_id()

    def _take(self, alerts: Alerts, since: int) -> None:
        """`since` is the event before the first that they look at, where none were there before."""
        if not self._rules:
            self._since = since
        if self._book is not None:
            self._book.rules = alerts.rules  # what is open stays so
            if not self._rules:  # nothing was read
                self._event_id = self._recorded_id = since
        self._alerts = alerts
        self._rules = {rule.called: rule for rule in alerts.rules}
        self._wanted = wanted_kinds(alerts.rules)
        self._reads = event_kinds(self._wanted)
        self._looks_for = looked_at(alerts.rules, LASTING)
        self._facts = Facts(self._store, self._wanted)
        self._next_look = 0.0

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        epoch = 0 if lead is None else lead.epoch
        if (configured := self._next) is not None:
            self._next = None
            self._take(*configured)
        if self._book is None or epoch != self._epoch:
            self._load(now, lead)
            self._epoch = epoch
        if not self._rules and not (self._book and self._book.open):
            return None
        try:
            told_any = self._evaluate(now, lead)
        except BaseException:
            self._book = None  # what it remembers may be ahead of what is recorded
            raise
        if told_any and self._on_told is not None:
            self._on_told()
        return now + READ_S

    def _evaluate(self, now: float, lead: Leader | None) -> bool:
        book = self._book
        assert book is not None
        if book.open:
            book.settle(self._store.alerts.settled(alert.id for alert in book.open.values()))
        told_any = False
        upto = self._store.last_event_id()
        while self._event_id < upto:
            told_any |= self._hear(book, upto, now, lead)
        if now >= self._next_look:
            self._next_look = now + LOOK_S
            told_any |= self._record(self._look(book, now), now, lead)
        if (due := book.next_due()) is not None and due <= now:
            told_any |= self._record(book.due(now), now, lead)
        return told_any

    def _hear(self, book: Book, upto: int, now: float, lead: Leader | None) -> bool:
        """A page of events; what they lead to is recorded with how far they have been read."""
        events = self._store.events_of_kinds(self._reads, self._event_id, upto, PAGE) if self._reads else []
        decisions = [made for fact in self._facts.of(events) for made in book.hear(fact, now)] if events else []
        self._event_id = events[-1].id if len(events) >= PAGE else upto
        return self._record(decisions, now, lead)

    def _look(self, book: Book, now: float) -> list[Decision]:
        self._looks.begin()
        return [
            made
            for kind, rule in self._looks_for
            for made in book.look(kind, self._looks.at(kind, rule, now), now, rule=rule)
        ]

    # ---- records ----

    def _load(self, now: float, lead: Leader | None) -> None:
        """Go on where whoever led before has left off; the first one ever begins where it was set up."""
        rows = [row for row in self._store.tickers(NAME) if (row.location, row.name) == ("", "")]
        memory = json.loads(rows[0].state) if rows else {}
        cursor = json.loads(rows[0].cursor) if rows else {"event": self._since}
        self._event_id = self._recorded_id = cursor["event"]
        self._book = Book(self._alerts.rules, sent=memory.get("sent", {}), held=memory.get("held", {}))
        for row in self._store.alerts.open():
            alert = alert_of(row)
            self._book.open[alert.rule, alert.key] = alert
        self._next_look = 0.0
        if not rows and self._rules:
            self._store.alerts.record([], self._memory(self._book, now), lead=lead)

    def _record(self, decisions: list[Decision], now: float, lead: Leader | None) -> bool:
        book = self._book
        assert book is not None
        read = self._event_id - self._recorded_id
        if not decisions and (not read or (read < UNRECORDED_MAX and now < self._recorded_at + UNRECORDED_S)):
            return False
        written = self._written(decisions, now)
        self._store.alerts.record([one for one, _ in written], self._memory(book, now), lead=lead)
        self._recorded_id, self._recorded_at = self._event_id, now
        for one, decision in written:
            decision.alert.id = one.alert.id
            log(decision, one)
        return any(one.deliveries for one, _ in written)

    def _memory(self, book: Book, now: float) -> TickerRow:
        return TickerRow(
            kind=NAME,
            location="",
            name="",
            cursor=json.dumps({"event": self._event_id}),
            state=json.dumps({"sent": book.sent, "held": book.held}),
            ticked_at=now,
            changed_at=now,
        )

    def _written(self, decisions: Iterable[Decision], now: float) -> list[tuple[Told, Decision]]:
        """One record for each alert, as it is after the last decision, with the messages of all of them."""
        whole: dict[int, tuple[list[DeliveryRow], Decision]] = {}
        for decision in decisions:
            made, before = whole.get(id(decision.alert), ([], decision))
            decision.held = max(decision.held, before.held)
            whole[id(decision.alert)] = made + self._messages(decision, now), decision
        return [(Told(self._row(decision, now), made), decision) for made, decision in whole.values()]

    def _messages(self, decision: Decision, now: float) -> list[DeliveryRow]:
        channels = decision.channels
        if decision.did == "resolve":
            channels = tuple(name for name in channels if hears_of_ends(self._alerts, decision.alert.rule, name))
        step = {"resolve": RESOLVED, "escalate": decision.alert.step}.get(decision.did, 0)
        made = [DeliveryRow(alert_id=0, channel=name, step=step, next_at=now) for name in channels]
        if decision.did == "raise" and not channels:
            rule = self._rules[decision.alert.rule]
            made = [
                DeliveryRow(alert_id=0, channel=name, state="dropped", error=decision.why)
                for name in ((rule.channels,) if isinstance(rule.channels, str) else rule.channels)
            ]
        return made

    def _row(self, decision: Decision, now: float) -> AlertRow:
        alert = decision.alert
        rule: Rule | None = self._rules.get(alert.rule)
        title, body = told(decision, rule, self._alerts.base_url)
        over = decision.did in ("resolve", "lapse")
        data = {
            "told_at": alert.told_at,
            "step": alert.step,
            "fact": msgspec.to_builtins(alert.fact),
            "link": link_of(alert.fact, self._alerts.base_url),
            "why": decision.why,
        }
        return AlertRow(
            id=alert.id,
            rule=alert.rule,
            key=alert.key,
            kind=alert.kind,
            severity=alert.severity,
            title=title,
            body=body,
            data=data,
            count=alert.count,
            at=alert.at,
            last_at=alert.last_at,
            resolved_at=now if over else None,
        )


def hears_of_ends(alerts: Alerts, rule: str, channel: str) -> bool:
    """Incidents that are open elsewhere are always ended; people are told where the rule says so."""
    wants = any(one.tell_resolved for one in alerts.rules if one.called == rule)
    kind = alerts.channels.get(channel)
    return wants or (kind is not None and kind.type == "pagerduty")


def settle(store: Store, alerts: Alerts, number: int, by: str, now: float) -> AlertRow:
    """A person says that an alert is done with: nothing more is told of it, but its end to those who were told of it.

    Raises RequestError where there is none of that number.
    """
    row = store.alerts.alert(number)
    if row is None:
        raise RequestError(f"there is no alert {number}", hint="`batuta alerts list` shows them")
    known = {one.channel for one in store.alerts.deliveries([number]).get(number, []) if one.state != "dropped"}
    told_of = sorted(name for name in known if hears_of_ends(alerts, row.rule, name))
    ends = [DeliveryRow(alert_id=number, channel=name, step=RESOLVED, next_at=now) for name in told_of]
    store.alerts.settle(number, by, now, ends)
    return store.alerts.alert(number) or row


def alert_of(row: AlertRow) -> Alert:
    """What rules remember of an alert that was recorded."""
    return Alert(
        rule=row.rule,
        key=row.key,
        kind=row.kind,
        at=row.at,
        last_at=row.last_at,
        severity=row.severity,  # type: ignore[arg-type]
        fact=msgspec.convert(row.data["fact"], Fact),
        count=row.count,
        told_at=row.data["told_at"],
        step=row.data["step"],
        id=row.id,
    )


def log(decision: Decision, one: Told) -> None:
    """Say in the log what was decided."""
    alert = decision.alert
    fields = {"alert": one.alert.id, "rule": alert.rule, "run": alert.fact.run_id, "location": alert.fact.location}
    level = logging.DEBUG if decision.did in ("count", "lapse") else logging.INFO
    logger.log(level, "alert %d: %s: %s", one.alert.id, decision.did, one.alert.title, extra={"fields": fields})
