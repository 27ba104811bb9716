"""A PostgreSQL server that is not there, refuses, or breaks off; and engines that write at the same time."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from batuta.core.errors import TransientError
from batuta.store import Store
from batuta.store.errors import StoreError, StoreMissing, StoreUnavailable
from batuta.store.rows import Batch
from tests.store.samples import create, event, materialization, progress, reread, task_ends, verdict
from tests.store.wire import Cut, Wire, wire_to


@pytest.fixture
def wire(postgres_url: str) -> Iterator[Wire]:
    with wire_to(postgres_url) as made:
        yield made


@pytest.fixture
def admin(postgres_url: str) -> Iterator[psycopg.Connection]:
    url = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


# ---- breaking off ----


@pytest.mark.parametrize(("cut", "recorded"), [("before", False), ("after", True)])
def test_a_commit_whose_end_is_not_known_can_be_repeated(
    wire: Wire, postgres_url: str, cut: Cut, recorded: bool
) -> None:
    with Store.open(wire.url) as store, Store.open(postgres_url) as witness:
        run = create(store)
        batch = task_ends(run, 1, 3)
        batch.materializations = [materialization(run)]
        batch.checks = [verdict(run)]
        wire.cut = cut
        with pytest.raises(StoreUnavailable) as caught:
            store.commit(batch)
        assert isinstance(caught.value, TransientError)
        assert isinstance(caught.value.__cause__, psycopg.Error)
        assert len(list(witness.events(run.id))) == (3 if recorded else 0)

        wire.cut = ""
        store.commit(batch)
        assert [row.seq for row in store.events(run.id)] == [1, 2, 3]
        assert len(store.materializations("bronze/rates")) == len(store.check_results("bronze/rates")) == 1
        store.commit(task_ends(run, 4, 2))
        assert reread(store, run).seq == 5


def test_connections_that_died_in_between_are_replaced_without_a_word(wire: Wire) -> None:
    with Store.open(wire.url) as store:
        run = create(store)
        assert reread(store, run).seq == 0
        before = wire.connections
        wire.drop()
        store.commit(task_ends(run, 1, 3))
        assert reread(store, run).seq == 3
        wire.drop()
        assert len(list(store.events(run.id))) == 3
        assert create(store).id == run.id + 1
        assert wire.connections > before


def test_a_server_that_is_gone_and_comes_back(wire: Wire) -> None:
    with Store.open(wire.url) as store:
        run = create(store)
        wire.refusing = True
        wire.drop()
        batch = task_ends(run, 1, 3)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            store.commit(batch)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            store.run(run.id)
        with pytest.raises(StoreUnavailable, match="cannot be reached"):
            create(store)
        wire.refusing = False
        store.commit(batch)
        assert reread(store, run).seq == 3


# ---- refusing ----


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached") as caught:
        Store.open("postgresql://ann:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)
    assert "ann@127.0.0.1:1" in str(caught.value)


def test_a_database_that_is_not_there(postgres_url: str) -> None:
    url = make_url(postgres_url).set(database="no_such_database").render_as_string(hide_password=False)
    with pytest.raises(StoreMissing, match="no_such_database") as caught:
        Store.open(url)
    assert "createdb" in str(caught.value)


def test_a_user_that_is_not_there(postgres_url: str) -> None:
    url = make_url(postgres_url).set(username="nobody_here").render_as_string(hide_password=False)
    with pytest.raises(StoreError, match="refused the user") as caught:
        Store.open(url)
    assert not isinstance(caught.value, StoreUnavailable)


def test_a_wrong_password(postgres_url: str, admin: psycopg.Connection) -> None:
    row = admin.execute("SHOW hba_file").fetchone()
    assert row is not None
    rules = Path(row[0])
    if not os.access(rules, os.W_OK):
        pytest.skip("the server's rules of access cannot be changed from here")
    user = f"batuta_test_{os.getpid()}"
    text = rules.read_text()
    admin.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'right'".encode())
    rules.write_text(f"local all {user} scram-sha-256\nhost all {user} 127.0.0.1/32 scram-sha-256\n{text}")
    admin.execute("SELECT pg_reload_conf()")
    try:
        url = make_url(postgres_url).set(username=user, password="wrong").render_as_string(hide_password=False)
        with pytest.raises(StoreError, match="refused the password") as caught:
            Store.open(url)
        assert not isinstance(caught.value, StoreUnavailable)
        assert "wrong" not in str(caught.value)
    finally:
        rules.write_text(text)
        admin.execute("SELECT pg_reload_conf()")
        admin.execute(f"DROP ROLE {user}".encode())


def test_a_user_who_may_only_read(postgres_url: str, admin: psycopg.Connection) -> None:
    with Store.open(postgres_url) as store:
        create(store)
    user = f"batuta_reader_{os.getpid()}"
    admin.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'right'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
    try:
        url = make_url(postgres_url).set(username=user, password="right").render_as_string(hide_password=False)
        with Store.open(url) as store:
            assert len(store.runs()) == 1
            with pytest.raises(StoreError, match="permission denied"):
                create(store)
    finally:
        admin.execute(f"DROP OWNED BY {user}; DROP ROLE {user}")


def test_a_missing_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "batuta.store.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match="driver for PostgreSQL is not installed") as caught:
        Store.open("postgresql://ann:secret@host/db")
    assert "pip install 'batuta[postgres]'" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_two_stores_in_one_database_by_search_path(postgres_url: str, admin: psycopg.Connection) -> None:
    admin.execute("CREATE SCHEMA one; CREATE SCHEMA two")
    joint = "&" if "?" in postgres_url else "?"
    first, second = (f"{postgres_url}{joint}options=-csearch_path%3D{name}" for name in ("one", "two"))
    with Store.open(first) as one, Store.open(second) as two:
        create(one)
        assert len(one.runs()) == 1
        assert two.opened == "created"
        assert two.runs() == []


# ---- at the same time ----


def test_transactions_of_one_process_do_not_wait_for_each_other(postgres_url: str) -> None:
    inside = threading.Barrier(3, timeout=30.0)

    def write(name: str) -> None:
        with store._database.transaction() as transaction:
            transaction.run("put_meta", key=name, value="inside")
            inside.wait()  # all are here, or none goes on

    with Store.open(postgres_url) as store:
        threads = [threading.Thread(target=write, args=(f"{n}",)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [store.meta(f"{n}") for n in range(3)] == ["inside"] * 3


def test_what_nobody_waits_for_is_undone_too(postgres_url: str) -> None:
    def interrupted() -> None:
        with store._database.transaction() as transaction:
            transaction.notify("runs")
            transaction.rows("run", run_id=1)
            transaction.put([("put_signals", [("go", 1.0, "1", "")])])
            raise ZeroDivisionError

    def refused() -> None:
        with store._database.transaction() as transaction:
            transaction.put([("put_signals", [("go", 1.0, "1", "")])])
            transaction.put([("put_run_tags", [("key", "value", 4711)])])  # there is no such run
            transaction.notify("runs")

    with Store.open(postgres_url) as store:
        with pytest.raises(ZeroDivisionError):
            interrupted()
        with pytest.raises(StoreError, match="violates"):
            refused()
        assert store.signals("go") == []
        assert store.send_signal("go", now=1.0)


def test_a_row_that_another_holds_for_too_long(postgres_url: str, admin: psycopg.Connection) -> None:
    with Store.open(postgres_url, busy_s=0.05) as store:
        run = create(store)
        with admin.transaction():
            admin.execute("SELECT * FROM runs FOR UPDATE")
            with pytest.raises(StoreUnavailable, match="in the way"):
                store.commit(task_ends(run, 1, 2))
        store.commit(task_ends(run, 1, 2))
        assert reread(store, run).seq == 2


def test_engines_that_make_the_same_assets_do_not_deadlock(postgres_url: str) -> None:
    failed: list[Exception] = []

    def engine(assets: list[str]) -> None:
        try:
            with Store.open(postgres_url) as store:
                run = create(store)
                for seq in range(1, 21):
                    batch = Batch(runs=[progress(run, seq)], events=[event(run, seq)])
                    batch.materializations = [materialization(run, asset) for asset in assets]
                    batch.checks = [verdict(run, asset) for asset in assets]
                    store.commit(batch)
        except Exception as error:
            failed.append(error)

    Store.open(postgres_url).close()
    names = [f"asset_{n}" for n in range(40)]
    threads = [
        threading.Thread(target=engine, args=(order,)) for order in (names, names[::-1], names[20:] + names[:20])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with Store.open(postgres_url) as store:
        assert len(store.asset_states()) == 40
        assert len(store.materializations("asset_0", limit=1_000)) == 60


def test_an_event_is_never_seen_before_one_with_a_smaller_number(postgres_url: str, admin: psycopg.Connection) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with Store.open(postgres_url) as one, Store.open(postgres_url) as other:
        run, late = create(one), create(other)
        thread = threading.Thread(target=other.commit, args=(task_ends(late, 1, 1),))
        with one._database.transaction() as transaction:
            transaction.each([("put_events", [(run.id, 1, "run_started", 1.0, None, "{}")])])
            thread.start()
            while admin.execute(waiting).fetchone() == (0,):
                assert thread.is_alive(), "the second commit did not wait for the first"
            assert one.events_since(0) == []
        thread.join()
        assert [(row.id, row.run_id) for row in one.events_since(0)] == [(1, run.id), (2, late.id)]
