"""Steps that run once per partition, and the edges between partitions."""

from __future__ import annotations

import pytest

from batuta.core.errors import CycleError, InvariantError
from batuta.core.plan import Edge
from tests.core.run_driver import Driver, aligned, labels, step

_DAYS = labels("mon", "tue", "wed")


def test_aligned_partitions_follow_one_by_one() -> None:
    driver = Driver(step("a", expansion=_DAYS), step("b", aligned("a"), expansion=_DAYS))
    driver.succeed("a[tue]")
    driver.fail("a[wed]")
    assert driver.of("b") == ["waiting", "queued", "upstream_failed"]


def test_listed_partitions_wait_for_those_they_list() -> None:
    week = step("week", Edge("day", ((0, 1, 2),)), expansion=labels("w1"))
    driver = Driver(
        step("day", expansion=_DAYS), week, step("pair", Edge("day", ((0, 1), (1, 2))), expansion=labels("x", "y"))
    )
    driver.succeed("day[mon]", "day[tue]")
    assert (driver.of("week"), driver.of("pair")) == (["waiting"], ["queued", "waiting"])
    driver.succeed("day[wed]")
    assert (driver.of("week"), driver.of("pair")) == (["queued"], ["queued", "queued"])


def test_a_partition_that_lists_nothing_is_free() -> None:
    driver = Driver(step("a", expansion=_DAYS), step("b", Edge("a", ((), (0,), (1,))), expansion=_DAYS))
    assert driver.of("b") == ["queued", "waiting", "waiting"]


def test_an_unpartitioned_step_reads_some_or_all_partitions() -> None:
    driver = Driver(step("a", expansion=_DAYS), step("last", Edge("a", ((2,),))), step("all", "a"))
    driver.succeed("a[wed]")
    assert driver.states("last", "all") == ["queued", "waiting"]
    driver.succeed("a[mon]", "a[tue]")
    assert driver.state("all") == "queued"


def test_partitions_read_an_unpartitioned_step() -> None:
    driver = Driver(step("a"), step("b", "a", expansion=_DAYS), step("c", Edge("a", ((0,), (), (0,))), expansion=_DAYS))
    assert driver.of("c") == ["waiting", "queued", "waiting"]
    driver.succeed("a")
    assert driver.of("b") == ["queued"] * 3
    assert driver.of("c") == ["queued"] * 3


def test_each_partition_may_need_the_one_before() -> None:
    driver = Driver(step("a", Edge("a", ((), (0,), (1,))), expansion=_DAYS), outcome="leaves")
    assert driver.of("a") == ["queued", "waiting", "waiting"]
    driver.succeed("a[mon]")
    assert driver.of("a") == ["succeeded", "queued", "waiting"]
    driver.fail("a[tue]")
    assert driver.of("a") == ["succeeded", "failed", "upstream_failed"]
    assert driver.result == "failed"


def test_no_partitions_skip_a_step() -> None:
    driver = Driver(step("a", expansion=labels()), step("b", aligned("a"), expansion=labels()), step("c", "a"))
    assert driver.states("a", "b", "c") == ["skipped"] * 3
    assert driver.task("a").reason == "it has no partitions"
    driver.restart()
    assert driver.states("a", "b", "c") == ["skipped"] * 3
    assert driver.result == "succeeded"


def test_mixed_edges_are_all_waited_for() -> None:
    driver = Driver(
        step("a", expansion=_DAYS),
        step("lookup"),
        step("b", aligned("a"), Edge("a", ((), (0,), (1,))), "lookup", expansion=_DAYS),
    )
    driver.succeed("a[mon]", "a[tue]", "lookup")
    assert driver.of("b") == ["queued", "queued", "waiting"]


@pytest.mark.parametrize(
    "edge",
    [
        Edge("a", ((0,), (1,))),  # one of three is not listed
        Edge("a", ((0,), (1,), (7,))),  # there is no eighth
    ],
)
def test_edges_that_do_not_fit_are_refused(edge: Edge) -> None:
    with pytest.raises(InvariantError):
        Driver(step("a", expansion=_DAYS), step("b", edge, expansion=_DAYS))


def test_aligned_steps_must_have_the_same_shape() -> None:
    with pytest.raises(InvariantError, match="aligned"):
        Driver(step("a", expansion=_DAYS), step("b", aligned("a"), expansion=labels("mon")))


def test_partitions_that_wait_for_each_other_in_a_circle_are_refused() -> None:
    with pytest.raises(CycleError, match="'a'"):
        Driver(step("a", Edge("a", ((1,), (0,), ())), expansion=_DAYS))
