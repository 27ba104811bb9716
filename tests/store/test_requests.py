"""Messages to the engine that executes a run."""

from __future__ import annotations

import pytest

from batuta.core.errors import RequestError
from batuta.store import Store
from tests.store.samples import create, finish


def test_messages_wait_in_order_until_they_are_done(store: Store) -> None:
    run, other = create(store), create(store)
    store.request(run.id, "cancel", {"hard": True}, by="ann", now=5.0)
    store.request(other.id, "cancel", by="bob", now=6.0)
    store.request(run.id, "input", {"key": "ask", "value": {"ä": [1, None]}}, by="ann", now=7.0)
    waiting = store.requests([run.id])
    assert [(row.kind, row.data, row.by, row.at) for row in waiting] == [
        ("cancel", {"hard": True}, "ann", 5.0),
        ("input", {"key": "ask", "value": {"ä": [1, None]}}, "ann", 7.0),
    ]
    assert [row.run_id for row in store.requests([run.id, other.id])] == [run.id, other.id, run.id]
    store.requests_done([waiting[0].id])
    assert store.requests([run.id]) == waiting[1:]
    assert store.requests([]) == []


def test_a_message_done_twice_takes_no_later_one_with_it(store: Store) -> None:
    run = create(store)
    store.request(run.id, "cancel", by="ann", now=5.0)
    done = [row.id for row in store.requests([run.id])]
    store.requests_done(done)
    store.request(run.id, "cancel", by="ann", now=6.0)
    store.requests_done(done)
    assert [row.at for row in store.requests([run.id])] == [6.0]


def test_a_message_needs_a_run_and_goes_with_it(store: Store) -> None:
    with pytest.raises(RequestError, match="there is no run 1"):
        store.request(1, "cancel", by="ann", now=5.0)
    run = create(store)
    store.request(run.id, "cancel", by="ann", now=5.0)
    finish(store, run, at=6.0)
    store.prune(1.0, 100.0)
    assert store.requests([run.id]) == []
