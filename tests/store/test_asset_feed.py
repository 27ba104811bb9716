"""What happens to assets, in the order in which it was committed; and ticks that share a run."""

from __future__ import annotations

import threading

from batuta.core.environments import TAG
from batuta.core.plan import content_hash
from batuta.store import Store
from batuta.store.asset_feed import Read
from batuta.store.rows import Batch, KeyedRun, NewTick, TickerRow
from tests.store.samples import PLAN, create, finish, materialization, new_run, verdict


def test_news_come_in_order_and_from_where_one_has_read(store: Store) -> None:
    feed = store.asset_feed
    assert feed.newest() == Read(0, 0)
    run = create(store)
    for asset in ("a", "b", "c"):
        store.commit(Batch(materializations=[materialization(run, asset)], checks=[verdict(run, asset)]))
    assert [row.asset for _, row in feed.made_since(0)] == ["a", "b", "c"]
    first = feed.made_since(0, limit=1)
    assert [row.asset for _, row in feed.made_since(first[0][0])] == ["b", "c"]
    assert [row.asset for _, row in feed.judged_since(0, limit=2)] == ["a", "b"]
    newest = feed.newest()
    assert feed.made_since(newest.made) == []
    assert feed.judged_since(newest.judged) == []


def test_unfinished_runs_of_assets_and_runs_by_number(store: Store) -> None:
    feed = store.asset_feed
    assets = create(store, kind="assets")
    create(store, kind="dag")
    create(store, kind="assets", tags={TAG: "dev"})  # in an environment: what it makes is not production's
    assert feed.unfinished() == {assets.id: content_hash(PLAN)}
    assert set(feed.runs([assets.id, 999])) == {assets.id}
    finish(store, assets, at=1_001.0)
    assert feed.unfinished() == {}


def test_switched_are_those_that_a_person_has_switched(store: Store) -> None:
    feed = store.asset_feed
    store.switch("automation", "here", "gold", False, now=1.0)
    store.switch("automation", "here", "silver", True, now=1.0)
    store.switch("schedule", "here", "gold", False, now=1.0)
    assert feed.switched("automation") == {("here", "gold"): False, ("here", "silver"): True}
    store.switch("automation", "here", "gold", None, now=2.0)
    assert feed.switched("automation") == {("here", "silver"): True}


def tick(name: str, at: float, **more: object) -> NewTick:
    ticker = TickerRow(kind="automation", location="here", name=name, ticked_at=at)
    return NewTick(ticker=ticker, at=at, ended_at=at, outcome="launched", **more)  # type: ignore[arg-type]


def test_ticks_may_share_a_run_that_one_of_them_launches(store: Store) -> None:
    run = KeyedRun(new_run(kind="assets"), PLAN, "1")
    scope = "automation:here/left"
    ticks = [tick("left", 1.0, runs=[run]), tick("right", 1.0, shares=[(scope, "1"), (scope, "unknown")])]
    (made,) = store.record_ticks(ticks, leader=None, now=1.0)
    assert [row.runs for row in store.ticks(kind="automation")] == [[made.id], [made.id]]
    assert store.asset_feed.keyed(scope, ["1", "2"]) == {"1": made.id}


def test_the_latest_tick_of_each(store: Store) -> None:
    store.record_ticks([tick("left", 1.0), tick("right", 2.0)], leader=None, now=2.0)
    store.record_ticks([tick("left", 3.0)], leader=None, now=3.0)
    assert [(row.name, row.at) for row in store.asset_feed.latest_ticks("automation")] == [
        ("left", 3.0),
        ("right", 2.0),
    ]


def test_writers_at_the_same_time_leave_no_gap_that_is_filled_later(store_url: str) -> None:
    """Whoever reads up to a number must not find a smaller one afterwards."""
    with Store.open(store_url) as reader:
        run = create(reader)
        writers = 4

        def write(number: int) -> None:
            with Store.open(store_url) as own:
                for step in range(15):
                    own.commit(Batch(materializations=[materialization(run, f"{number}", f"{step}") for _ in range(3)]))

        threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
        for thread in threads:
            thread.start()
        seen: list[int] = []
        while any(thread.is_alive() for thread in threads) or len(seen) < writers * 45:
            seen += [number for number, _ in reader.asset_feed.made_since(seen[-1] if seen else 0)]
        for thread in threads:
            thread.join()
        assert len(seen) == writers * 45
        assert seen == sorted(seen)
