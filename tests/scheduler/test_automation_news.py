"""What automation hears: out of the store, of code locations together, and of runs that others started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from batuta.core import plan as plans
from batuta.core.asset_index import AssetIndex
from batuta.core.asset_plan import plan_assets
from batuta.core.asset_triggers import AssetTriggerSpec, OnAsset
from batuta.core.automation import Ended, Launched
from batuta.core.condition_recipes import eager
from batuta.core.definitions import Definitions
from batuta.core.partitions import dynamic, static
from batuta.scheduler.automation_news import News
from batuta.scheduler.automation_world import targets_of, world_of
from batuta.store import Store
from batuta.store.asset_feed import Read
from batuta.store.rows import Batch, CheckRow, MaterializationRow, NewRun, RunRow
from tests.core.asset_definitions import check, definitions, spec
from tests.store.samples import progress

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REGIONS = static(["eu", "us"])
ASSETS = definitions(
    [
        spec("raw", partitions=REGIONS),
        spec("clean", "raw", partitions=REGIONS),
        spec("left", step="both"),
        spec("right", step="both"),
    ],
    [check("clean", "good", blocking=True)],
)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def started(store: Store, *keys: str) -> RunRow:
    """A run of assets, as somebody starts it."""
    data = plans.encode(plan_assets(AssetIndex(ASSETS), keys, now=NOW))
    new = NewRun(job="materialize", kind="assets", plan_hash=plans.content_hash(data), created_at=1.0)
    return store.create_run(new, data, owner="me", lease_s=10.0, now=1.0)


def finish(store: Store, run: RunRow, state: str = "succeeded") -> None:
    store.commit(Batch(runs=[progress(run, 1, state)]))


def made(store: Store, asset: str, partition: str, run_id: int) -> None:
    row = MaterializationRow(asset, partition, run_id, 0, 5.0, "v1", "1", b'{"raw/eu": "v0"}', b"{}")
    verdict = CheckRow(asset, "good", partition, run_id, 0, 5.0, False, True, "", b"{}")
    store.commit(Batch(materializations=[row], checks=[verdict]))


def test_the_plan_of_a_run_tells_what_it_is_to_make() -> None:
    plan = plan_assets(AssetIndex(ASSETS), ["clean", "left"], now=NOW)
    assert targets_of(plan) == {"clean": ("eu", "us"), "left": ("",), "right": ("",)}


def test_runs_of_others_are_heard_of_when_they_begin_and_end(store: Store) -> None:
    news = News(store, Read(), {})
    assert news.look(()).launched == []
    run = started(store, "clean")
    (launched,) = news.look(()).launched
    assert launched == Launched(f"run-{run.id}", run.id, {"clean": ("eu", "us")})
    assert news.look(()).launched == []
    finish(store, run, "failed")
    assert news.look(()).ended == [Ended(f"run-{run.id}", failed=True)]
    assert news.look(()).ended == []


def test_a_run_that_begins_and_ends_between_two_looks_is_heard_of_by_what_it_made(store: Store) -> None:
    news = News(store, Read(), {})
    run = started(store, "clean")
    made(store, "clean", "eu", run.id)
    finish(store, run)
    heard = news.look(())
    assert [one.run_id for one in heard.launched] == [run.id]
    assert [(one.asset, one.partition, one.inputs) for one in heard.made] == [("clean", "eu", {"raw/eu": "v0"})]
    assert [(one.check, one.passed) for one in heard.judged] == [("good", False)]
    assert news.look(()).ended == [Ended(f"run-{run.id}", failed=False)]


def test_what_a_run_makes_last_does_not_make_it_begin_again(store: Store) -> None:
    run = started(store, "clean")
    news = News(store, Read(), {})
    news.know({"3-1": run.id})
    news.look(())
    made(store, "clean", "eu", run.id)
    finish(store, run)
    heard = news.look(())
    assert (heard.launched, heard.ended) == ([], [Ended("3-1", failed=False)])
    assert len(heard.made) == 1


def test_runs_of_ours_are_numbered_once_and_what_never_comes_has_ended(store: Store) -> None:
    run = started(store, "clean")
    news = News(store, Read(), {})
    news.know({"3-1": run.id})
    news.never("3-2")
    heard = news.look(())
    assert (heard.launched, heard.ended) == ([Launched("3-1", run.id)], [Ended("3-2")])
    heard = news.look(())
    assert (heard.launched, heard.ended) == ([], [])
    finish(store, run)
    assert news.look(()).ended == [Ended("3-1", failed=False)]


def test_dynamic_keys_are_told_when_they_change(store: Store) -> None:
    news = News(store, Read(), {})
    assert news.look(["customers"]).dynamic_keys == {"customers": []}
    assert news.look(["customers"]).dynamic_keys is None
    store.add_dynamic_partitions("customers", ["ann"], now=1.0)
    assert news.look(["customers"]).dynamic_keys == {"customers": ["ann"]}


# ---- code locations together ----


def located(name: str, *assets: object, triggers: tuple[AssetTriggerSpec, ...] = ()) -> tuple[str, Definitions]:
    return name, replace(definitions(list(assets)), location=name, asset_triggers=triggers)  # type: ignore[arg-type]


def test_an_external_asset_is_the_one_that_another_location_makes() -> None:
    reader = replace(spec("gold", "raw"), automation=eager())
    world = world_of([located("a", spec("raw", external=True), reader), located("b", spec("raw"))], {})
    assert not world.index.assets["raw"].external
    assert world.locations == {"raw": "b", "gold": "a"}
    assert world.is_automated


def test_what_two_locations_make_belongs_to_the_first_and_steps_of_one_name_stay_apart() -> None:
    first = located("a", spec("raw"), spec("left", step="both"))
    second = located("b", spec("raw", code_version="2"), spec("right", step="both"))
    world = world_of([first, second], {})
    assert world.index.assets["raw"].code_version == "1"
    assert [spec.key for spec in world.index.made_by("a/both")] == ["left"]


def test_a_location_that_would_close_a_circle_is_left_out() -> None:
    first = located("a", spec("x", "y"), spec("y", external=True))
    second = located("b", spec("y", "x"), spec("x", external=True), spec("z"))
    world = world_of([first, second], {})
    assert set(world.index.assets) == {"x", "y"}


def test_what_is_turned_off_is_not_automated() -> None:
    gold = replace(spec("gold"), automation=eager())
    job = AssetTriggerSpec("settle", OnAsset("gold"))
    other = AssetTriggerSpec("report", OnAsset("gold"), enabled=False)
    locations = [located("a", gold, triggers=(job, other))]
    assert world_of(locations, {}).triggers == {("a", "settle"): job}
    off = {("a", "gold"): False, ("a", "job:settle"): False}
    assert not world_of(locations, off).is_automated
    assert world_of(locations, {("a", "job:report"): True}).triggers.keys() == {("a", "settle"), ("a", "report")}


def test_the_dynamic_partitions_in_use() -> None:
    world = world_of([located("a", spec("x", partitions=dynamic("customers")))], {})
    assert world.dynamic_names == ["customers"]
