"""Several processes on one store; and processes that are killed while they commit."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from batuta.store import Store
from batuta.store.rows import RunRow
from tests.store.committer import start
from tests.store.samples import create, reread


def test_processes_write_to_one_store_at_the_same_time(store_url: str) -> None:
    with Store.open(store_url) as store:
        runs = [create(store, owner="") for _ in range(3)]
        writers = [start(store_url, run.id, f"writer-{run.id}", run.id, 5_000) for run in runs]
        seen, order = store.last_event_id(), []
        try:
            while any(writer.poll() is None for writer in writers) or store.last_event_id() > seen:
                news = store.events_since(seen)
                order += [(event.run_id, event.seq) for event in news]
                seen = news[-1].id if news else seen
        finally:
            for writer in writers:
                writer.kill()
                writer.communicate()
        assert [writer.returncode for writer in writers] == [0, 0, 0]
        for run in runs:
            assert reread(store, run).seq == 5_000
            # A reader that goes by the numbers, while all this is going on, misses nothing and sees it in order.
            assert [seq for run_id, seq in order if run_id == run.id] == list(range(1, 5_001))


@pytest.mark.chaos
def test_a_process_killed_while_it_commits_leaves_whole_batches_only(store_url: str, kills: int) -> None:
    choose = random.Random(kills)
    with Store.open(store_url) as store:
        run = create(store, owner="")
        acknowledged = 0
        for n in range(kills):
            writer = start(store_url, run.id, f"writer-{n}", n, 10**9)
            acknowledged = max(acknowledged, _kill_at_some_instant(writer, choose))
            _wait_for_what_was_sent(store_url)
            found = reread(store, run)
            assert found.seq >= acknowledged, "a commit that was acknowledged is gone"
            _check_consistent(store, found)
        assert found.seq > 0
        assert found.epoch == 1 + kills
    if store_url.startswith("sqlite"):
        with sqlite3.connect(Path(store_url.removeprefix("sqlite:///"))) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()


def _wait_for_what_was_sent(store_url: str) -> None:
    """A server goes on with what a process had sent before it was killed, commits included: wait for that."""
    if store_url.startswith("sqlite"):
        return
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND state NOT IN ('idle', 'disabled')"
    )
    with psycopg.connect(store_url.replace("+psycopg", "", 1), autocommit=True) as connection:
        deadline = time.monotonic() + 30
        while connection.execute(query).fetchone() != (0,):
            assert time.monotonic() < deadline, "what the killed process had sent does not end"


def _kill_at_some_instant(writer: subprocess.Popen[bytes], choose: random.Random) -> int:
    """Let it commit a few times and a random moment longer; what it said last."""
    assert writer.stdout is not None
    for _ in range(choose.randint(1, 20)):
        last = writer.stdout.readline()
    try:
        writer.wait(choose.random() / 50)
    except subprocess.TimeoutExpired:
        writer.kill()
    said = [last, *writer.communicate()[0].splitlines(keepends=True)]
    return max(int(line) for line in said if line.endswith(b"\n"))


def _check_consistent(store: Store, run: RunRow) -> None:
    """Every projection tells of exactly the events that are there."""
    seqs = [event.seq for event in store.events(run.id)]
    assert seqs == list(range(1, run.seq + 1))
    if not seqs:
        return
    rows = store.task_runs(run.id)
    assert [row.no for row in rows] == list(range(run.seq))
    assert (rows[0].attempt, rows[0].state) == (run.seq, "running")
    assert all(row.state == "succeeded" for row in rows[1:])
    assert store.asset_states()["counted", ""].data_version == str(run.seq)
    assert store.materializations("counted")[0].data_version == str(run.seq)
    assert store.checks_current()["counted", "c", ""].task == run.seq
    hit = store.cache_get("counted", 0.0)
    assert hit is not None
    assert hit.output == b"%d" % run.seq
    batches = {int(row.data_version) for row in store.materializations("counted", limit=10**6)}
    assert batches == {row.task for row in store.check_results("counted", limit=10**6)}
