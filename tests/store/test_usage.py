"""Who read what: counted by day in the commits of runs, and by those who look; forgotten when it is old."""

from __future__ import annotations

from batuta.store import Store, retention
from batuta.store.retention import Ages
from batuta.store.rows import Batch, UsageRow
from batuta.store.usage import DAY_S, KEPT_DAYS, Before, Reader, Usage
from tests.store import samples


def _read(asset: str, reader: str, day: int, at: float, run: int = 0, kind: str = "asset", reads: int = 1) -> UsageRow:
    return UsageRow(asset, kind, reader, day, reads, at, run)


def test_reads_are_counted_by_asset_reader_and_day(store: Store) -> None:
    run = samples.create(store)
    batch = samples.task_ends(run, 1, 1)
    batch.usage = [_read("a", "b", 10, 1.0, run.id), _read("a", "b", 10, 2.0, run.id), _read("a", "c", 10, 3.0, run.id)]
    store.commit(batch)
    store.usage.add([_read("a", "ann", 11, 4.0, kind="preview"), _read("x", "ann", 11, 5.0, kind="preview")])
    again = samples.task_ends(run, 2, 1)
    again.usage = [_read("a", "b", 11, 6.0, run.id)]
    store.commit(again)

    assert store.usage.totals(0) == {"a": Usage(5, 3, 6.0), "x": Usage(1, 1, 5.0)}
    assert store.usage.totals(11, ["a", "z"]) == {"a": Usage(2, 2, 6.0)}
    assert store.usage.readers("a", 0) == [
        Reader("asset", "b", 3, 6.0, run.id),
        Reader("asset", "c", 1, 3.0, run.id),
        Reader("preview", "ann", 1, 4.0, 0),
    ]
    assert store.usage.days("a", 0) == [(10, 3), (11, 2)]
    assert store.usage.days("nobody", 0) == []
    store.usage.add([])


def test_what_is_old_is_forgotten(store: Store) -> None:
    store.usage.add([_read("a", "b", 1, 1.0), _read("a", "b", 2, 2.0)])
    now = float((KEPT_DAYS + 2) * DAY_S)
    retention.Forgetting(store._database, Ages(), now).all()
    assert store.usage.days("a", 0) == [(2, 1)]


def test_what_was_recorded_before_a_partition_is_found_nearest_first(store: Store) -> None:
    run = samples.create(store)
    days = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]
    store.commit(
        Batch(
            materializations=[samples.materialization(run, "a", day, at=float(n)) for n, day in enumerate(days)],
            checks=[samples.verdict(run, "a", "good", partition=day, at=float(n)) for n, day in enumerate(days)],
        )
    )
    rows = [Before(day, float(n), b'{"rows":3}') for n, day in enumerate(days)]
    assert store.usage.metadata_before("a", "2026-01-04", 2) == rows[2:0:-1]
    assert store.usage.metadata_before("a", "2026-01-01", 2) == []
    found = store.usage.verdicts_before("a", "good", "2026-01-03", 9)
    assert [(one.partition, one.at) for one in found] == [("2026-01-02", 1.0), ("2026-01-01", 0.0)]
    assert store.usage.verdicts_before("a", "other", "2026-01-03", 9) == []


def test_a_verdict_says_how_it_came_out(store: Store) -> None:
    run = samples.create(store)
    given = [(True, False, ""), (False, False, ""), (False, True, ""), (False, True, "warned"), (True, True, "unknown")]
    checks = [
        samples.verdict(run, "a", f"c{n}", passed=passed, blocking=blocking, outcome=outcome)
        for n, (passed, blocking, outcome) in enumerate(given)
    ]
    store.commit(Batch(checks=checks))
    levels = {name: row.level for (_, name, _), row in store.checks_current().items()}
    assert levels == {"c0": "passed", "c1": "warned", "c2": "failed", "c3": "warned", "c4": "unknown"}
    assert [row.outcome for row in store.check_results("a")] == ["unknown", "warned", "", "", ""]
