"""Alerts in the store: recorded with their messages or not at all, each try of a message by one process only."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.store import Store
from batuta.store.alert_box import AlertRow, DeliveryRow, Told
from batuta.store.errors import LeadLost
from batuta.store.rows import Batch, TickerRow
from tests.store.samples import create, event, progress

NOW = 1_000.0
MEMORY = TickerRow(kind="alerts", location="", name="", cursor='{"event":7}', changed_at=NOW)


def alert(key: str = "failure:nightly", **fields: Any) -> AlertRow:
    values: dict[str, Any] = {
        "rule": "failures",
        "key": key,
        "kind": "failure",
        "severity": "error",
        "title": "nightly failed",
        "body": "ValueError: no",
        "data": {"step": 0},
        "count": 1,
        "at": NOW,
        "last_at": NOW,
        **fields,
    }
    return AlertRow(**values)


def message(channel: str = "ops", **fields: Any) -> DeliveryRow:
    return DeliveryRow(**{"alert_id": 0, "channel": channel, "next_at": NOW, **fields})


def raised(store: Store, *keys: str, channel: str = "ops") -> list[AlertRow]:
    told = [Told(alert(key), [message(channel)]) for key in keys]
    store.alerts.record(told, MEMORY, lead=None)
    return [one.alert for one in told]


def test_alerts_are_recorded_with_their_messages_and_what_rules_remember(store: Store) -> None:
    told = Told(alert(), [message(), message("phone", state="dropped", next_at=None, error="held back")])
    store.alerts.record([told], MEMORY, lead=None)
    assert store.alerts.open() == [told.alert]
    assert store.alerts.alert(told.alert.id) == told.alert
    assert store.alerts.alert(99) is None
    kept = store.alerts.deliveries([told.alert.id])[told.alert.id]
    assert [(one.channel, one.state, one.error) for one in kept] == [
        ("ops", "waiting", ""),
        ("phone", "dropped", "held back"),
    ]
    assert store.tickers("alerts")[0].cursor == '{"event":7}'
    assert [one.channel for one in store.alerts.due("ops", NOW)] == ["ops"]
    assert store.alerts.due("ops", NOW - 1) == []
    assert store.alerts.next_due() == {"ops": NOW}
    assert store.alerts.counts() == {("ops", "waiting"): 1}


def test_an_alert_changes_and_is_over(store: Store) -> None:
    [row] = raised(store, "a")
    row.count, row.last_at, row.body = 5, NOW + 60, "again\x00"
    store.alerts.record([Told(row)], MEMORY, lead=None)
    assert store.alerts.open()[0].count == 5
    assert store.alerts.open_count() == 1
    row.resolved_at = NOW + 70
    store.alerts.record([Told(row, [message(step=-1)])], MEMORY, lead=None)
    assert store.alerts.open() == []
    assert store.alerts.settled([row.id, 99]) == {row.id, 99}
    assert [one.key for one in store.alerts.page()] == ["a"]
    assert store.alerts.page(is_open=True) == []


def test_pages_and_filters(store: Store) -> None:
    rows = raised(store, *"abcde")
    assert [row.key for row in store.alerts.page(limit=2)] == ["e", "d"]
    assert [row.key for row in store.alerts.page(before=rows[2].id)] == ["b", "a"]
    assert store.alerts.page(rule="other") == store.alerts.page(kind="late") == []
    assert len(store.alerts.page(rule="failures", kind="failure")) == 5


def test_only_who_leads_records(store: Store) -> None:
    old = store.take_lead("alerts", "old", 10.0, NOW)
    assert store.take_lead("alerts", "new", 10.0, NOW + 11) is not None
    with pytest.raises(LeadLost):
        store.alerts.record([Told(alert(), [message()])], MEMORY, lead=old)
    assert (store.alerts.open(), store.alerts.next_due(), store.tickers("alerts")) == ([], {}, [])


def test_each_try_is_made_by_one_and_comes_back_when_that_one_dies(store: Store, store_url: str) -> None:
    raised(store, "a")
    [seen] = store.alerts.due("ops", NOW)
    with Store.open(store_url) as other:
        [seen_too] = other.alerts.due("ops", NOW)
        assert store.alerts.begin(seen, until=NOW + 30)
        assert not other.alerts.begin(seen_too, until=NOW + 30)
        assert other.alerts.due("ops", NOW + 29) == []
        [again] = other.alerts.due("ops", NOW + 30)
        assert (again.state, again.attempt) == ("sending", 1)
        assert other.alerts.begin(again, until=NOW + 60)
    store.alerts.end(seen, 1, "sent", at=NOW, again_at=None, error="")  # too late: the try is another's now
    assert [one.attempt for one in store.alerts.due("ops", NOW + 60)] == [2]


def test_a_message_waits_is_sent_or_given_up(store: Store) -> None:
    raised(store, "a")
    for state, again_at in (("waiting", NOW + 5), ("unsure", NOW + 10), ("failed", None)):
        [one] = store.alerts.due("ops", NOW + 10)
        assert store.alerts.begin(one, until=NOW + 30)
        store.alerts.end(one, one.attempt + 1, state, at=NOW, again_at=again_at, error="refused")
    assert store.alerts.due("ops", NOW + 1_000) == []
    [[kept]] = store.alerts.deliveries([1]).values()
    assert (kept.state, kept.attempt, kept.error, kept.sent_at) == ("failed", 3, "refused", None)
    assert store.alerts.next_due() == {}


def test_a_person_settles_an_alert_for_good(store: Store) -> None:
    [row] = raised(store, "a")
    assert store.alerts.settle(row.id, "ann", NOW + 5, [message("phone", alert_id=row.id, step=-1)])
    settled = store.alerts.alert(row.id)
    assert settled is not None
    assert (settled.resolved_at, settled.data["settled_by"]) == (NOW + 5, "ann")
    assert set(store.alerts.next_due()) == {"ops", "phone"}
    row.count = 9
    store.alerts.record([Told(row)], MEMORY, lead=None)
    assert store.alerts.settled([row.id]) == {row.id}
    assert not store.alerts.settle(row.id, "bob", NOW + 6)
    assert not store.alerts.settle(99, "ann", NOW)


def test_events_of_some_kinds(store: Store) -> None:
    run = create(store)
    kinds = ["attempt_succeeded", "attempt_failed", "check_evaluated", "run_finished"]
    events = [event(run, n, kind) for n, kind in enumerate(kinds, 1)]
    store.commit(Batch(runs=[progress(run, 4)], events=events))
    last = store.last_event_id()
    found = store.events_of_kinds(("attempt_failed", "run_finished"), 0, last)
    assert [row.kind for row in found] == ["attempt_failed", "run_finished"]
    assert store.events_of_kinds(kinds, found[0].id, last - 1)[0].kind == "check_evaluated"
    assert len(store.events_of_kinds(kinds, 0, last, limit=2)) == 2
