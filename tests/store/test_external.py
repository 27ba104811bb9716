"""What runs elsewhere, kept in both databases: added to, read in part and in pages, forgotten."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator

import pytest

from batuta.core.openlineage import key_of
from batuta.store import Store
from batuta.store.retention import Ages
from tests.core.lineage_events import NOW, RUN, dataset, facet, read, run_event, schema

DAY = 86_400.0
JOB = key_of("spark", "etl.daily")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def number(n: int) -> str:
    return str(uuid.UUID(int=n))


def test_events_add_to_what_is_known(store: Store) -> None:
    start = run_event("START", NOW - 60, inputs=[dataset("orders", schema=schema("id"))])
    end = run_event("COMPLETE", NOW, outputs=[dataset("revenue")], run_facets={"note": facet(text="äö☃")})
    store.external.add([read(end)], now=NOW)
    before = store.external.heard()
    store.external.add([read(start)], now=NOW + 1)
    store.external.add([read(end), read(start)], now=NOW + 2)
    assert store.external.heard() != before
    (run,) = store.external.runs(limit=10)
    assert (run.id, run.state, run.began_at, run.ended_at) == (RUN, "succeeded", NOW - 60, NOW)
    assert run.facets["note"].value["text"] == "äö☃"
    assert list(store.external.jobs_since()) == [JOB]
    assert store.external.jobs_since(NOW + 3) == {}
    datasets = store.external.datasets_since()
    assert sorted(one.name for one in datasets.values()) == ["orders", "revenue"]
    assert {(job, way, datasets[key].name) for job, way, key in store.external.edges()} == {
        (JOB, "in", "orders"),
        (JOB, "out", "revenue"),
    }
    assert store.external.states(JOB) == {"succeeded": 1}


def test_names_may_be_as_long_as_they_may(store: Store) -> None:
    long = "\N{SNOWMAN}" * 2_000
    store.external.add([read(run_event(name=long, outputs=[dataset(long)]))], now=NOW)
    ((job, _, key),) = store.external.edges()
    assert store.external.jobs_since()[job].name == store.external.datasets_since()[key].name == long


def test_pages_of_runs_begin_where_the_one_before_ended(store: Store) -> None:
    parent = {"parent": facet(run={"runId": number(99)}, job={"namespace": "n", "name": "j"})}
    for n in range(1, 6):
        event = run_event(at=NOW + n // 2, run=number(n), run_facets=parent if n > 3 else {}, name=f"job {n % 2}")
        store.external.add([read(event)], now=NOW)
    found: list[str] = []
    after: tuple[float, str] | None = None
    while page := store.external.runs(after=after, limit=2):
        found += [one.id for one in page]
        after = page[-1].began_at, page[-1].id
    assert found == [number(n) for n in (5, 4, 3, 2, 1)]
    assert [one.id for one in store.external.runs(job=key_of("spark", "job 0"), limit=9)] == [number(4), number(2)]
    assert [one.id for one in store.external.runs(parent=number(99), limit=9)] == [number(5), number(4)]
    assert store.external.runs_of([number(1), number(77)]).keys() == {number(1)}


def test_many_may_add_at_the_same_time(store: Store) -> None:
    """Each event adds a dataset to one job: none may be lost."""
    barrier, failed = threading.Barrier(4), []

    def add(thread: int) -> None:
        barrier.wait()
        try:
            for n in range(5):
                name = f"{thread}.{n}"
                event = run_event("RUNNING", NOW + n, outputs=[dataset("shared"), dataset(name)])
                store.external.add([read(event)], now=NOW)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=add, args=[thread]) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    (run,) = store.external.runs(limit=10)
    assert len(run.outputs) == 21
    assert len(store.external.edges()) == 21


def test_what_is_old_is_forgotten(store: Store) -> None:
    def of(name: str, n: int, at: float, **more: object) -> None:
        """An event of long ago that was heard at a time: that is what counts."""
        event = run_event("COMPLETE", at - 500 * DAY, run=number(n), name=name, **more)  # type: ignore[arg-type]
        store.external.add([read(event)], now=at)

    of("gone", 1, NOW - 100 * DAY, inputs=[dataset("only here")], outputs=[dataset("shared")])
    of("kept", 2, NOW - 100 * DAY, inputs=[dataset("no more")])
    of("kept", 3, NOW - DAY, inputs=[dataset("shared")])
    pruned = store.forgetting(Ages(external=90 * DAY), NOW).all()
    assert {name: count for name, count in pruned.rows.items() if name.startswith("external")} == {
        "external_runs": 2,
        "external_jobs": 1,
        "external_edges": 3,
        "external_datasets": 2,
    }
    assert [one.name for one in store.external.jobs_since().values()] == ["kept"]
    assert [one.name for one in store.external.datasets_since().values()] == ["shared"]
    assert [one.id for one in store.external.runs(limit=9)] == [number(3)]
    assert store.forgetting(Ages(), NOW + 1000 * DAY).all().rows.get("external_runs") is None, "without an age, never"
