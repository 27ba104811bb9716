"""Signals: kept in order, heard by everybody, forgotten when they are old."""

from __future__ import annotations

import threading

import pytest

from batuta.core.errors import RequestError
from batuta.store import Store, retention
from batuta.store.retention import Ages


def test_signals_are_read_in_order_and_stay(store: Store) -> None:
    first = store.send_signal("go", {"ä": [1, None]}, by="ann", now=5.0)
    store.send_signal("other", now=6.0)
    last = store.send_signal("go", 2, now=7.0)
    assert store.last_signal_id() == last
    found = store.signals("go")
    assert [(row.id, row.at, row.data, row.sent_by) for row in found] == [
        (first, 5.0, {"ä": [1, None]}, "ann"),
        (last, 7.0, 2, ""),
    ]
    assert store.signals("go", after_id=first) == found[1:]
    assert store.signals("go", limit=1) == found[:1]
    assert [row.name for row in store.signals_among(["go", "other", "none"], 5.0)] == ["other", "go"]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [("", 1, "1 to 200"), ("x" * 201, 1, "1 to 200"), ("go", {1j}, "not JSON"), ("go", "x" * (1 << 21), "at most")],
)
def test_what_cannot_be_kept_is_refused(store: Store, name: str, data: object, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        store.send_signal(name, data, now=1.0)
    assert store.last_signal_id() == 0


def test_readers_miss_none_of_many_senders(store: Store, store_url: str) -> None:
    def send() -> None:
        with Store.open(store_url) as mine:
            for number in range(25):
                mine.send_signal("go", number, now=1.0)

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    seen: list[int] = []
    while len(seen) < 100:
        seen += [row.id for row in store.signals("go", after_id=seen[-1] if seen else 0)]
    for sender in senders:
        sender.join()
    assert seen == sorted(set(seen))
    assert len(seen) == 100


def test_old_ones_are_forgotten_a_few_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for at in (1.0, 2.0, 3.0, 9.0):
        store.send_signal("go", at, now=at)
    monkeypatch.setattr(retention, "ROWS_AT_A_TIME", 2)
    assert store.forgetting(Ages(signals=5.0), 9.5).all().rows["signals"] == 3
    assert [row.at for row in store.signals("go")] == [9.0]
