"""Each condition evaluated: when it holds, for what, and when no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from batuta.core import conditions as c
from batuta.core import partitions as p
from batuta.core.automation import Ended, Judged, Launched
from batuta.core.definitions import AssetDep
from batuta.core.freshness import FreshnessPolicy
from batuta.core.partition_mapping import AllPartitions
from tests.core.asset_definitions import check, spec
from tests.core.automation_stage import NOW, Stage, automated

WHOLE = {"table": [""]}
RAW = spec("raw")
TABLE = spec("table", "raw")


def stage(condition: c.AnyCondition, freshness: FreshnessPolicy | None = None) -> Stage:
    """`raw`, and `table` that reads it and has the condition."""
    return Stage(RAW, automated(TABLE, condition, freshness), checks=[check("raw", "good", blocking=True)])


def test_missing_holds_until_it_is_made() -> None:
    on = stage(c.Missing())
    assert on.tick() == WHOLE
    on = stage(c.Missing())
    assert on.tick(on.made("table")) == {}


def test_a_missing_external_asset_is_not_missing() -> None:
    on = Stage(spec("raw", external=True), automated(TABLE, c.AnyDep(c.Missing())))
    assert on.tick() == {}


def test_stale_holds_when_an_input_has_another_version() -> None:
    on = stage(c.Stale())
    assert on.tick(on.made("raw", version="1"), on.made("table", raw="1")) == {}
    assert on.tick(on.made("raw", version="1")) == {}
    assert on.tick(on.made("raw", version="2")) == WHOLE


def test_stale_ends_below_when_the_version_above_is_the_one_of_before_again() -> None:
    clean, gold = spec("clean", "raw"), automated(spec("gold", "clean"), ~c.Stale() & ~c.Missing())
    on = Stage(RAW, clean, gold)
    on.tick(on.made("raw", version="1"), on.made("clean", version="a", raw="1"))
    assert on.tick(on.made("raw", version="2"), on.made("gold", clean="a")) == {}
    assert on.tick(on.made("raw", version="1")) == {"gold": [""]}


def test_code_changed_holds_when_it_was_made_with_other_code() -> None:
    on = stage(c.CodeChanged())
    assert on.tick(on.made("table")) == {}
    on.redefine(RAW, automated(spec("table", "raw", code_version="2"), c.CodeChanged()))
    assert on.tick() == WHOLE
    assert on.tick(on.made("table")) == {}


def test_in_progress_holds_until_the_run_made_it_or_ended() -> None:
    on = stage(c.AnyDep(c.InProgress()))
    assert on.tick(Launched("by hand", 7, {"raw": [""]})) == WHOLE
    on = Stage(RAW, automated(TABLE, ~c.AnyDep(c.InProgress())))
    assert on.tick(Launched("by hand", 7, {"raw": [""]})) == {}
    assert on.tick(on.made("raw", run=7)) == WHOLE
    on = Stage(RAW, automated(TABLE, ~c.AnyDep(c.InProgress())))
    assert on.tick(Launched("by hand", 7, {"raw": [""]})) == {}
    assert on.tick(Ended("by hand")) == WHOLE


def test_an_asset_with_a_blocking_check_is_in_progress_until_its_run_ends() -> None:
    on = stage(~c.AnyDep(c.InProgress()))
    assert on.tick(Launched("by hand", 7, {"raw": [""]})) == {}
    assert on.tick(on.made("raw", run=7)) == {}
    assert on.tick(Ended("by hand", failed=False)) == WHOLE


def test_run_failed_holds_until_it_is_made_after_all() -> None:
    on = stage(c.AnyDep(c.RunFailed()))
    assert on.tick(Launched("by hand", 7, {"raw": [""]}), Ended("by hand", failed=True)) == WHOLE
    on = stage(c.AnyDep(c.RunFailed()))
    assert on.tick(Launched("by hand", 7, {"raw": [""]}), on.made("raw", run=7), Ended("by hand", failed=True)) == {}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (c.CheckFailed(), True),
        (c.CheckFailed("good"), True),
        (c.CheckFailed("other"), False),
        (c.CheckFailed(blocking=True), True),
    ],
)
def test_check_failed_holds_until_the_check_passes(condition: c.CheckFailed, holds: bool) -> None:
    on = stage(c.AnyDep(condition))
    assert on.tick(Judged("raw", "good", True)) == {}
    assert on.tick(Judged("raw", "good", False)) == (WHOLE if holds else {})


def test_newly_updated_requested_and_started_hold_for_one_tick() -> None:
    on = stage(c.AnyDep(c.NewlyUpdated()))
    assert on.tick(on.made("raw")) == WHOLE
    on = stage(c.AnyDep(c.NewlyStarted()))
    assert on.tick(Launched("by hand", 7, {"raw": [""]})) == WHOLE
    on = Stage(automated(RAW, c.Missing()), automated(TABLE, c.AnyDep(c.NewlyRequested())))
    assert on.tick() == {"raw": [""]}
    assert on.tick() == WHOLE
    assert on.tick() == {}


def test_will_be_requested_holds_where_the_same_tick_requests_it() -> None:
    on = Stage(automated(RAW, c.Missing()), automated(TABLE, c.AnyDep(c.WillBeRequested())))
    assert on.tick() == {"raw": [""], "table": [""]}


def test_cron_passed_holds_once_for_each_time_and_not_for_those_before_the_first_tick() -> None:
    on = stage(c.CronPassed("0 9 * * *"))
    assert on.tick(at=NOW) == {}
    assert on.tick(at=NOW + timedelta(minutes=59)) == {}
    assert on.tick(at=NOW + timedelta(minutes=60)) == WHOLE
    assert on.tick(Ended(on.key)) == {}
    assert on.tick(at=NOW + timedelta(days=3)) == WHOLE


def test_cron_passed_is_about_the_clock_of_its_zone() -> None:
    on = stage(c.CronPassed("0 9 * * *", "Europe/Madrid"))
    assert on.tick(at=datetime(2025, 4, 2, 6, 59, tzinfo=UTC)) == {}
    assert on.tick(at=datetime(2025, 4, 2, 7, 0, tzinfo=UTC)) == WHOLE


def test_initial_holds_at_the_first_tick_that_knows_the_condition() -> None:
    on = stage(c.Initial())
    assert on.tick() == WHOLE
    assert on.tick(Ended(on.key)) == {}
    on.redefine(RAW, automated(TABLE, c.Initial() | c.RunFailed()))
    assert on.tick() == WHOLE


def test_latest_is_the_last_partition_of_time_and_all_of_the_others() -> None:
    days = p.daily("2025-03-28")
    on = Stage(automated(spec("table", partitions=days), c.Missing() & c.Latest()))
    assert on.tick() == {"table": ["2025-03-31"]}
    on = Stage(automated(spec("table", partitions=days), c.Missing() & c.Latest(2)))
    assert on.tick() == {"table": ["2025-03-30", "2025-03-31"]}
    on = Stage(automated(spec("table", partitions=p.static(["eu", "us"])), c.Missing() & c.Latest()))
    assert on.tick() == {"table": ["eu", "us"]}
    both = p.multi(day=days, region=p.static(["eu", "us"]))
    on = Stage(automated(spec("table", partitions=both), c.Missing() & c.Latest()))
    assert on.tick() == {"table": ["day=2025-03-31|region=eu", "day=2025-03-31|region=us"]}


def test_updated_since_cron_looks_at_when_it_was_made() -> None:
    on = stage(c.AnyDep(c.UpdatedSinceCron("0 8 * * *")))
    on.now -= timedelta(minutes=1)
    assert on.tick(on.made("raw"), at=NOW) == {}
    assert on.tick(on.made("raw"), at=NOW + timedelta(minutes=1)) == WHOLE


def test_any_dep_and_all_deps_follow_the_mapping() -> None:
    days, months = p.daily("2025-01-01"), p.monthly("2025-01-01")
    raw = spec("raw", partitions=days)
    on = Stage(raw, automated(spec("table", "raw", partitions=months), c.AnyDep(c.NewlyUpdated())))
    assert on.tick(on.made("raw", "2025-02-03")) == {"table": ["2025-02"]}
    on = Stage(raw, automated(spec("table", "raw", partitions=months), ~c.AnyDep(c.Missing())))
    february = [f"2025-02-{day:02d}" for day in range(1, 29)]
    assert on.tick(*[on.made("raw", day) for day in february[:-1]]) == {}
    assert on.tick(on.made("raw", february[-1])) == {"table": ["2025-02"]}
    on = Stage(raw, automated(spec("table", "raw", partitions=months), c.AllDeps(~c.Missing())))
    assert on.tick(*[on.made("raw", day) for day in february]) == {"table": ["2025-02"]}


def test_deps_can_be_limited() -> None:
    updated = c.NewlyUpdated()
    for condition in (c.AnyDep(updated, assets=("raw",)), c.AnyDepUpdated(ignoring=("other",))):
        on = Stage(RAW, spec("other"), automated(spec("table", "raw", "other"), condition))
        assert on.tick(on.made("other")) == {}
        assert on.tick(on.made("raw")) == WHOLE


def test_any_dep_updated_leaves_out_what_was_made_by_a_run_that_makes_this_too() -> None:
    on = stage(c.AnyDepUpdated())
    assert on.tick(Launched("both", 7, {"raw": [""], "table": [""]})) == {}
    assert on.tick(on.made("raw", run=7)) == {}
    assert on.tick(Ended("both", failed=True)) == {}
    assert on.tick(on.made("raw", run=8)) == WHOLE


def test_all_deps_newer_holds_when_each_was_made_after_it() -> None:
    on = Stage(RAW, spec("other"), automated(spec("table", "raw", "other"), c.AllDepsNewer()))
    assert on.tick(on.made("raw"), on.made("other")) == WHOLE
    assert on.tick(on.made("table"), Ended(on.key, failed=False)) == {}
    assert on.tick(on.made("raw")) == {}
    assert on.tick(on.made("other")) == WHOLE


def test_since_holds_from_its_trigger_to_its_reset_and_a_tie_is_for_the_trigger() -> None:
    on = Stage(RAW, spec("other"), automated(spec("table", "raw", "other"), _since()))
    assert on.tick(on.made("raw")) == WHOLE
    assert on.tick(Ended(on.key)) == {}
    assert on.tick(on.made("other")) == {}
    assert on.tick(on.made("raw"), on.made("other")) == WHOLE


def _since() -> c.AnyCondition:
    raw = c.AnyDep(c.NewlyUpdated(), assets=("raw",))
    return raw.since(c.AnyDep(c.NewlyUpdated(), assets=("other",)))


def test_newly_true_holds_for_the_tick_at_which_it_began() -> None:
    on = stage(c.AnyDep(c.Missing().newly_true()))
    assert on.tick() == WHOLE
    assert on.tick(Ended(on.key)) == {}


# ---- freshness ----


def test_an_asset_older_than_its_greatest_age_is_overdue() -> None:
    on = stage(c.FreshnessOverdue(), FreshnessPolicy(max_age_s=3600))
    assert on.tick(on.made("table"), at=NOW) == {}
    assert on.tick(at=NOW + timedelta(minutes=60)) == {}
    assert on.tick(at=NOW + timedelta(minutes=61)) == WHOLE
    assert stage(c.FreshnessOverdue()).tick(at=NOW + timedelta(days=9)) == {}


def test_an_asset_is_overdue_where_it_was_not_made_by_the_time_of_the_day() -> None:
    on = stage(c.FreshnessOverdue(), FreshnessPolicy(cron="0 9 * * *"))
    assert on.tick(on.made("table"), at=NOW) == {}
    assert on.tick(at=NOW + timedelta(hours=1)) == {}
    assert on.tick(at=NOW + timedelta(hours=24)) == {}
    assert on.tick(at=NOW + timedelta(hours=25)) == WHOLE


def test_made_too_long_before_the_time_of_the_day_is_overdue() -> None:
    on = stage(c.FreshnessOverdue(), FreshnessPolicy(cron="0 9 * * *", within_s=1800))
    assert on.tick(on.made("table"), at=NOW) == {}
    assert on.tick(at=NOW + timedelta(hours=1)) == WHOLE


def test_of_partitions_of_time_the_newest_that_is_due_counts() -> None:
    table = spec("table", partitions=p.daily("2025-03-01"))
    on = Stage(automated(table, c.FreshnessOverdue(), FreshnessPolicy(max_age_s=10 * 3600)))
    assert on.tick(on.made("table", "2025-03-30"), at=NOW) == {}
    assert on.tick(at=NOW + timedelta(hours=2)) == {"table": ["2025-03-31"]}
    each = spec("table", partitions=p.static(["eu", "us"]))
    on = Stage(automated(each, c.FreshnessOverdue(), FreshnessPolicy(max_age_s=3600)))
    assert on.tick(on.made("table", "eu"), at=NOW) == {"table": ["us"]}


def test_mappings_of_dynamic_partitions_follow_added_and_deleted_keys() -> None:
    customers = spec("raw", partitions=p.dynamic("customers"))
    table = spec("table", AssetDep("raw", AllPartitions()))
    on = Stage(customers, automated(table, ~c.AnyDep(c.Missing())), customers=["ann", "bob"])
    assert on.tick(on.made("raw", "ann")) == {}
    assert on.tick(customers=["ann"]) == WHOLE
