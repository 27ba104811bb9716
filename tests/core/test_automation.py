"""A tick of automation as a whole: chains, what is requested once, grouping into runs, explanations, restarts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from batuta.core import conditions as c
from batuta.core import partitions as p
from batuta.core.asset_index import AssetIndex
from batuta.core.automation import Automation, Changes, Ended, Judged, Launched, Made
from batuta.core.automation_state import decode, encode
from batuta.core.condition_recipes import eager, on_cron
from batuta.core.errors import PartitionError
from batuta.core.explanations import Explanation, Part
from tests.core.asset_definitions import check, definitions, spec
from tests.core.automation_stage import NOW, Stage, automated

DAYS = p.daily("2025-03-28")


# ---- eager ----


def chain() -> Stage:
    return Stage(
        spec("raw"),
        automated(spec("clean", "raw"), eager()),
        automated(spec("gold", "clean"), eager()),
        automated(spec("report", "gold"), eager()),
    )


def test_eager_waits_for_what_is_missing_above_and_then_requests_the_whole_chain_in_one_run() -> None:
    on = chain()
    assert on.tick() == {}
    assert on.tick(on.made("raw")) == {"clean": [""], "gold": [""], "report": [""]}
    assert on.last is not None
    assert len(on.last.requests) == 1


def test_what_the_requested_run_makes_requests_nothing_again() -> None:
    on = chain()
    on.tick(on.made("raw"))
    assert on.tick(Launched(on.key, 1)) == {}
    assert on.tick(on.made("clean", run=1)) == {}
    assert on.tick(on.made("gold", run=1), on.made("report", run=1), Ended(f"{on.automation.waiting()[0].key}")) == {}
    assert on.tick() == {}


def test_an_update_during_the_run_is_not_lost() -> None:
    on = chain()
    on.tick(on.made("raw"))
    key = on.key
    assert on.tick(Launched(key, 1), on.made("clean", run=1)) == {}
    assert on.tick(on.made("raw")) == {"clean": [""]}
    assert on.tick(on.made("gold", run=1), on.made("report", run=1), Ended(key)) == {}


def test_eager_does_not_try_again_what_failed_until_something_changes() -> None:
    on = chain()
    on.tick(on.made("raw"))
    assert on.tick(Launched(on.key, 1), Ended(on.key, failed=True)) == {}
    assert on.tick() == {}
    assert on.tick(on.made("raw")) == {"clean": [""], "gold": [""], "report": [""]}


def test_corrected_code_is_tried_again() -> None:
    raw, broken = spec("raw"), automated(spec("clean", "raw"), eager())
    on = Stage(raw, broken)
    on.tick(on.made("raw"))
    assert on.tick(Ended(on.key, failed=True)) == {}
    on.redefine(raw, automated(spec("clean", "raw", code_version="2"), eager()))
    assert on.tick() == {"clean": [""]}


def test_eager_waits_for_a_blocking_check_to_pass() -> None:
    assets = spec("raw"), automated(spec("clean", "raw"), eager())
    on = Stage(*assets, checks=[check("raw", "good", blocking=True)])
    assert on.tick(on.made("raw"), Judged("raw", "good", False)) == {}
    assert on.tick(Judged("raw", "good", True)) == {"clean": [""]}


def test_eager_is_about_the_partitions_that_were_updated_and_the_latest_that_is_missing() -> None:
    on = Stage(spec("raw", partitions=DAYS), automated(spec("clean", "raw", partitions=DAYS), eager()))
    assert on.tick(*[on.made("raw", day) for day in ("2025-03-29", "2025-03-31")]) == {
        "clean": ["2025-03-29", "2025-03-31"]
    }
    on = Stage(automated(spec("raw", partitions=DAYS), eager()))
    assert on.tick() == {"raw": ["2025-03-31"]}
    assert on.tick(at=NOW + timedelta(days=1)) == {"raw": ["2025-04-01"]}


def test_a_month_is_requested_with_its_last_day() -> None:
    days, months = p.daily("2025-02-01"), p.monthly("2025-02-01")
    on = Stage(
        automated(spec("raw", partitions=days), c.Missing()), automated(spec("sums", "raw", partitions=months), eager())
    )
    wanted = on.tick()
    assert len(wanted["raw"]) == 28 + 31
    assert wanted["sums"] == ["2025-02", "2025-03"]


# ---- on_cron ----


def test_on_cron_waits_for_all_that_it_reads_to_be_made_since() -> None:
    on = Stage(spec("raw"), spec("other"), automated(spec("clean", "raw", "other"), on_cron("0 9 * * *")))
    assert on.tick(on.made("raw"), on.made("other")) == {}
    assert on.tick(at=NOW + timedelta(hours=1)) == {}
    assert on.tick(on.made("raw")) == {}
    assert on.tick(on.made("other")) == {"clean": [""]}
    assert on.tick(Ended(on.key), on.made("raw"), on.made("other")) == {}
    assert on.tick(at=NOW + timedelta(hours=25)) == {}


def test_on_cron_over_a_chain_requests_all_of_it_at_its_time() -> None:
    on = Stage(
        automated(spec("raw"), on_cron("0 9 * * *")),
        automated(spec("clean", "raw"), on_cron("0 9 * * *")),
    )
    assert on.tick(at=NOW + timedelta(minutes=59)) == {}
    assert on.tick(at=NOW + timedelta(hours=1)) == {"raw": [""], "clean": [""]}


# ---- what is requested, and once ----


def test_what_is_being_made_is_not_requested_but_after_it_if_it_still_holds() -> None:
    on = Stage(spec("raw"), automated(spec("clean", "raw"), c.Missing()))
    assert on.tick(Launched("by hand", 7, {"clean": [""]})) == {}
    assert on.tick(Ended("by hand", failed=True)) == {"clean": [""]}


def test_what_goes_on_to_hold_is_requested_once() -> None:
    on = Stage(automated(spec("clean"), c.Missing() | c.Stale()))
    assert on.tick() == {"clean": [""]}
    assert on.tick() == {}
    assert on.tick(Ended(on.automation.waiting()[0].key, failed=True)) == {}


def test_an_asset_that_is_made_together_with_others_requests_them_too() -> None:
    on = Stage(
        spec("raw"),
        automated(spec("left", "raw", step="both"), eager()),
        spec("right", "raw", step="both"),
        automated(spec("below", "right"), eager()),
    )
    assert on.tick(on.made("raw")) == {"left": [""], "right": [""], "below": [""]}


def test_what_does_not_depend_on_each_other_gets_a_run_each_with_keys_of_their_own() -> None:
    on = Stage(
        automated(spec("a"), c.Missing()),
        automated(spec("b", "a"), c.Missing()),
        automated(spec("z"), c.Missing()),
    )
    on.tick()
    assert on.last is not None
    assert [list(request.targets) for request in on.last.requests] == [["a", "b"], ["z"]]
    assert len({request.key for request in on.last.requests}) == 2


def test_assets_of_two_locations_are_not_requested_in_one_run() -> None:
    index = AssetIndex(definitions([automated(spec("a"), c.Missing()), automated(spec("b", "a"), eager())]))
    automation = Automation(index, NOW, locations={"a": "here", "b": "there"})
    first = automation.tick(Changes(), NOW).requests
    assert [(dict(one.targets), one.location) for one in first] == [({"a": ("",)}, "here")]
    made = Changes(launched=[Launched(first[0].key, 1)], made=[Made("a", "", NOW.timestamp(), 1)])
    second = automation.tick(made, NOW).requests
    assert [(dict(one.targets), one.location) for one in second] == [({"b": ("",)}, "there")]


def test_in_a_location_that_is_closed_nothing_is_requested_and_nothing_forgotten() -> None:
    index = AssetIndex(definitions([spec("a"), automated(spec("b", "a"), eager())]))
    where = {"a": "here", "b": "there"}
    automation = Automation(index, NOW, made=[Made("b", "", 1.0)], locations=where, closed=["there"])
    assert automation.tick(Changes(made=[Made("a", "", 2.0)]), NOW).requests == ()
    assert automation.tick(Changes(), NOW).requests == ()
    automation.redefine(index, where)
    (request,) = automation.tick(Changes(), NOW).requests
    assert dict(request.targets) == {"b": ("",)}


def test_only_what_is_touched_is_evaluated() -> None:
    on = Stage(*[automated(spec(f"a{i}"), eager()) for i in range(50)], automated(spec("below", "a7"), eager()))
    on.tick()
    on.tick()
    on.tick(*[Ended(request.key) for request in on.automation.waiting()])
    on.tick()
    on.tick()
    assert on.last is not None
    assert on.last.evaluated == 0
    assert not on.last.changed
    on.tick(on.made("a7"))
    assert on.last.evaluated == 2


# ---- explanations ----


def find(part: Part, label: str) -> Part:
    """The first part of that label or those words."""
    found = [one for one in walk(part) if label in (one.label, one.words)]
    return found[0]


def walk(part: Part) -> Iterator[Part]:
    yield part
    for one in part.parts:
        yield from walk(one)


def explained(on: Stage, asset: str) -> Explanation:
    assert on.last is not None
    return next(one for one in on.last.explanations if one.asset == asset)


def test_an_explanation_says_which_part_held_for_which_partitions() -> None:
    on = Stage(spec("raw", partitions=DAYS), automated(spec("clean", "raw", partitions=DAYS), eager()))
    on.tick(*[on.made("raw", day) for day in ("2025-03-28", "2025-03-29", "2025-03-31")])
    why = explained(on, "clean")
    assert str(why.requested) == "3 of 4 partitions: 2025-03-28..2025-03-29, 2025-03-31"
    assert why.condition.label == "eager"
    assert str(find(why.condition, "missing in the latest partition").holds) == "1 of 4 partitions: 2025-03-31"
    missing = find(why.condition, "any upstream missing")
    assert str(missing.holds) == "1 of 4 partitions: 2025-03-30"
    assert [part.asset for part in missing.parts] == ["raw"]
    assert str(missing.parts[0].holds) == "1 of 4 partitions: 2025-03-30"


def test_an_explanation_says_why_something_was_not_requested() -> None:
    on = Stage(automated(spec("clean"), c.Missing()))
    on.tick()
    on.tick()
    assert on.automation.explain("clean") is not None
    now = explained(on, "clean")
    assert str(now.requested) == "no"
    assert str(now.in_progress) == "yes"
    on.tick(Ended(on.automation.waiting()[0].key, failed=True))
    later = explained(on, "clean")
    assert str(later.requested_before) == "yes"


def test_nothing_is_explained_again_while_it_stays_the_same() -> None:
    on = Stage(automated(spec("clean"), c.Missing() & c.Stale()))
    on.tick()
    on.tick()
    assert on.last is not None
    assert on.last.explanations == ()


def test_many_ranges_are_cut_off_and_counted() -> None:
    days = p.daily("2025-01-01")
    on = Stage(automated(spec("clean", partitions=days), c.Missing()))
    every_other = p.keys(days, NOW)[::2]
    on.tick(*[on.made("clean", day) for day in every_other])
    told = explained(on, "clean").requested
    assert told.count == 45
    assert len(told.ranges) + told.more == 45
    assert str(told).endswith(" and 35 more")


def test_one_partition_can_be_asked_about() -> None:
    days, months = p.daily("2025-02-01"), p.monthly("2025-02-01")
    on = Stage(spec("raw", partitions=days), automated(spec("sums", "raw", partitions=months), eager()))
    on.tick(*[on.made("raw", f"2025-02-{day:02d}") for day in range(1, 28)])
    why = on.automation.explain("sums", "2025-02")
    assert why is not None
    missing = find(why.condition, "any upstream missing")
    assert str(missing.holds) == "all of 1 partitions"
    assert str(missing.parts[0].parts[0].holds) == "1 of 28 partitions: 2025-02-28"
    with pytest.raises(PartitionError):
        on.automation.explain("sums", "2025-13")
    with pytest.raises(PartitionError, match="has no partitions"):
        Stage(automated(spec("a"), eager())).automation.explain("a", "2025-01")


# ---- restarts ----


def test_another_process_goes_on_where_the_one_before_stopped() -> None:
    raw, clean = spec("raw"), automated(spec("clean", "raw"), eager())
    on = Stage(raw, clean)
    made = on.made("raw")
    on.tick(made)
    kept = decode(encode(on.automation.state()))
    assert [request.key for request in kept.fresh] == [on.key]
    again = Automation(AssetIndex(definitions([raw, clean])), NOW, state=kept, made=[made])
    after = again.tick(Changes(launched=[Launched(on.key, 5)]), NOW + timedelta(minutes=5))
    assert after.requests == ()
    assert [(one.key, one.run_id) for one in again.state().open] == [(on.key, 5)]


def test_a_time_that_passed_while_nobody_ran_counts_once() -> None:
    index = AssetIndex(definitions([automated(spec("clean"), c.CronPassed("0 9 * * *"))]))
    first = Automation(index, NOW)
    first.tick(Changes(), NOW)
    again = Automation(index, NOW, state=decode(encode(first.state())))
    decision = again.tick(Changes(), NOW + timedelta(days=3))
    assert [dict(request.targets) for request in decision.requests] == [{"clean": ("",)}]


def test_memory_of_another_condition_is_void() -> None:
    on = Stage(automated(spec("clean"), c.Missing()))
    on.tick()
    on.tick(Ended(on.key, failed=True))
    kept = on.automation.state()
    index = AssetIndex(definitions([automated(spec("clean"), c.Missing() | c.Stale())]))
    again = Automation(index, NOW, state=kept)
    assert again.tick(Changes(), NOW + timedelta(hours=1)).requests


def test_it_says_when_time_alone_may_bring_something() -> None:
    on = Stage(automated(spec("clean"), c.CronPassed("0 9 * * *")))
    on.tick(at=NOW)
    assert on.automation.wake_at == (NOW + timedelta(hours=1)).timestamp()
    days = automated(spec("clean", partitions=DAYS), c.Missing() & c.Stale())
    on = Stage(days)
    on.tick(at=NOW)
    assert on.automation.wake_at == (NOW + timedelta(hours=16)).timestamp()
    on = Stage(automated(spec("clean"), c.Missing() & c.Stale()))
    on.tick(at=NOW)
    assert on.automation.wake_at is None


def test_it_says_whose_memory_changed() -> None:
    on = Stage(automated(spec("a"), c.Missing()), automated(spec("b"), c.Stale()))
    on.tick()
    assert on.automation.take_changed() == {"a", "b"}
    on.tick()
    assert on.automation.take_changed() == set()
    on.redefine(automated(spec("a"), c.Missing()), spec("b"))
    assert on.automation.take_changed() == {"b"}
    assert on.automation.state(["a", "b"]).roots.keys() == {"a"}
