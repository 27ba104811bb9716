"""What is known of the columns of assets: by source, replaced as a whole, committed with what made them."""

from __future__ import annotations

from batuta.store import Store
from batuta.store.columns import DEFINITION, RUN
from batuta.store.rows import ColumnsRow
from tests.store import samples


def row(asset: str, source: str, digest: str, at: float, run: int = 0) -> ColumnsRow:
    return ColumnsRow(asset, source, digest, b'[["id","int64"]]', b'{"columns":{"id":[]}}', run, at)


def test_each_source_is_kept_by_itself_and_replaced_as_a_whole(store: Store) -> None:
    store.columns.put([row("a", DEFINITION, "1", 1.0), row("b", DEFINITION, "1", 1.0), row("a", RUN, "x", 2.0, 7)])
    assert store.columns.newest() == (2.0, 3)
    store.columns.put([row("a", DEFINITION, "1", 3.0), row("a", DEFINITION, "2", 3.0)])
    assert store.columns.since() == [
        row("a", DEFINITION, "2", 3.0),
        row("a", RUN, "x", 2.0, 7),
        row("b", DEFINITION, "1", 1.0),
    ]
    assert store.columns.since(2.0) == [row("a", DEFINITION, "2", 3.0), row("a", RUN, "x", 2.0, 7)]
    assert store.columns.of(["b", "c"]) == [row("b", DEFINITION, "1", 1.0)]
    store.columns.forget(DEFINITION, ["a", "b"])
    assert store.columns.since() == [row("a", RUN, "x", 2.0, 7)]
    store.columns.put([])


def test_a_store_without_any_says_so(store: Store) -> None:
    assert store.columns.newest() == (0.0, 0)
    assert store.columns.since() == []


def test_a_commit_keeps_what_runs_report(store: Store) -> None:
    run = samples.create(store)
    batch = samples.task_ends(run, 1, 1)
    batch.columns = [row("b", RUN, "1", 1.0, run.id), row("a", RUN, "1", 1.0, run.id), row("b", RUN, "2", 2.0, run.id)]
    store.commit(batch)
    store.commit(batch)
    assert [(one.asset, one.hash) for one in store.columns.since()] == [("a", "1"), ("b", "2")]
