"""Plans that PostgreSQL has made for statements that are sent often, and what becomes of them as a store grows."""

from __future__ import annotations

import pytest

from batuta.store import Store, postgres
from tests.store.samples import PLAN, create, new_run, task_ends

FEW, MANY = 200, 6_000


def grow(store: Store, count: int) -> None:
    wide = new_run(params={"text": "x" * 1_500})  # five to a page: what counts is how many pages there are
    store.create_runs([(wide, PLAN)] * count, owner="me", lease_s=10.0, now=1_000.0)


def commit(store: Store) -> None:
    store.commit(task_ends(create(store), 1, 1))


def plan_of_commits(store: Store) -> str:
    """How the connection that writes updates runs, the next time it is asked to."""
    with store._database.writer() as connection:
        names = "SELECT name FROM pg_prepared_statements WHERE statement LIKE 'WITH given AS%UPDATE runs%'"
        ((name,),) = connection.execute(names).fetchall()
        explained = connection.execute(f"EXPLAIN EXECUTE \"{name}\"('[]')")
        return "\n".join(line for (line,) in explained)


def test_a_store_that_has_grown_is_not_read_as_if_it_were_small(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(postgres_url) as store:
        with store._database.writer() as connection:  # nobody else has plans made anew
            connection.execute("ALTER TABLE runs SET (autovacuum_enabled = off)")
        grow(store, FEW)
        for _ in range(10):
            commit(store)
        assert "Seq Scan on runs" in plan_of_commits(store), "which is right for so few"
        grow(store, MANY)
        commit(store)
        assert "Seq Scan on runs" in plan_of_commits(store)
        monkeypatch.setattr(postgres, "PLANS_S", 0.0)
        commit(store)
        assert "Index Scan using pk_runs on runs" in plan_of_commits(store)


def test_plans_are_made_anew_in_empty_transactions_and_by_those_who_read(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PLANS_S", 0.0)
    with Store.open(postgres_url) as store:
        run = create(store)
        with store._database.transaction():
            pass
        store.commit(task_ends(run, 1, 2))
        assert [event.seq for event in store.events(run.id)] == [1, 2]
