"""The code of assets: kept once for each version, committed with what it made, forgotten when nothing is made by it."""

from __future__ import annotations

from batuta.store import Store
from batuta.store.rows import CodeRow
from tests.store import samples


def test_the_first_text_of_a_version_stays_and_goes_with_the_last_that_was_made_by_it(store: Store) -> None:
    run = samples.create(store)
    batch = samples.task_ends(run, 1, 1)
    batch.materializations = [samples.materialization(run, "a", code_version="new")]
    batch.code = [
        CodeRow("a", "old", b'{"parts":[]}', run.id, 1.0),
        CodeRow("a", "new", b"{}", run.id, 1.0),
        CodeRow("a", "new", b'{"later":1}', run.id, 2.0),
        CodeRow("b", "x", b"{}", run.id, 9e9),
    ]
    store.commit(batch)
    store.commit(batch)
    assert store.code.of(["a"]) == {("a", "old"): b'{"parts":[]}', ("a", "new"): b"{}"}
    store.prune(10.0, now=100.0)
    assert store.code.of(["a", "b"]) == {("a", "new"): b"{}", ("b", "x"): b"{}"}
