"""Dynamic mapping: how many task runs a step gets, when, and which item each of them takes."""

from __future__ import annotations

import pytest

from batuta.core.values import Handle
from tests.core.run_driver import Driver, aligned, labels, mapped, step


def _items(driver: Driver, key: str) -> list[tuple[str, int]]:
    """For each source the task run that has it ("" for a literal) and the item, -1 for all of its output."""
    items = driver.run.graph.map_items(driver.task(key))
    return [(item.task.key if item.task else "", item.item) for item in items]


def test_over_a_literal() -> None:
    driver = Driver(step("m", expansion=mapped(3)), step("end", "m"))
    assert driver.going() == {"m[0]", "m[1]", "m[2]"}
    driver.succeed("m[2]", "m[0]")
    assert driver.state("end") == "waiting"
    driver.succeed("m[1]")
    assert driver.state("end") == "queued"


def test_over_the_length_of_an_output() -> None:
    driver = Driver(step("src"), step("m", "src", expansion=mapped("src")))
    assert driver.of("m") == []
    driver.succeed("src", length=2)
    assert driver.of("m") == ["queued", "queued"]
    assert _items(driver, "m[1]") == [("src", 1)]


def test_over_an_answer_of_a_person() -> None:
    driver = Driver(step("which", kind="input"), step("m", "which", expansion=mapped("which")))
    driver.answer("which", Handle(length=2))
    assert driver.of("m") == ["queued", "queued"]


def test_over_the_outputs_of_a_mapped_step() -> None:
    driver = Driver(step("m", expansion=mapped(2)), step("n", "m", expansion=mapped("m")))
    driver.succeed("m[0]")
    assert driver.of("n") == []
    driver.succeed("m[1]")
    assert driver.of("n") == ["queued", "queued"]
    assert _items(driver, "n[1]") == [("m[1]", -1)]


def test_over_partitions() -> None:
    driver = Driver(step("days", expansion=labels("mon", "tue")), step("n", "days", expansion=mapped("days")))
    driver.succeed("days[mon]", "days[tue]")
    assert _items(driver, "n[1]") == [("days[tue]", -1)]


def test_zipped_sources_go_side_by_side() -> None:
    driver = Driver(step("a"), step("b"), step("m", "a", "b", expansion=mapped("a", "b", 2, mode="zip")))
    driver.succeed("a", length=2)
    driver.succeed("b", length=2)
    assert driver.of("m") == ["queued", "queued"]
    assert _items(driver, "m[1]") == [("a", 1), ("b", 1), ("", 1)]


def test_a_product_has_every_pair_and_the_last_source_varies_fastest() -> None:
    driver = Driver(step("a"), step("m", "a", expansion=mapped("a", 3)))
    driver.succeed("a", length=2)
    assert [_items(driver, f"m[{i}]") for i in range(6)] == [
        [("a", 0), ("", 0)],
        [("a", 0), ("", 1)],
        [("a", 0), ("", 2)],
        [("a", 1), ("", 0)],
        [("a", 1), ("", 1)],
        [("a", 1), ("", 2)],
    ]


def test_unequal_zipped_lengths_fail_the_step_and_say_so() -> None:
    driver = Driver(step("m", expansion=mapped(2, 3, mode="zip")), step("end", "m"))
    assert driver.states("m", "end") == ["failed", "upstream_failed"]
    error = driver.task("m").error
    assert error is not None
    assert "lengths [2, 3]" in error.message
    assert driver.result == "failed"


def test_an_output_that_is_no_collection_fails_the_step() -> None:
    driver = Driver(step("src"), step("m", "src", expansion=mapped("src")))
    driver.succeed("src", output=Handle(preview="42"))
    assert driver.state("m") == "failed"
    error = driver.task("m").error
    assert error is not None
    assert error.message == "step 'm' cannot be expanded: the output of 'src' is not a list, a tuple or a dict"


@pytest.mark.parametrize("mode", ["zip", "product"])
def test_nothing_to_map_over_skips_the_step(mode: str) -> None:
    driver = Driver(step("src"), step("m", "src", expansion=mapped("src", 0, mode=mode)), step("end", "m"))
    driver.succeed("src", length=0)
    assert driver.states("m", "end") == ["skipped", "skipped"]
    assert driver.task("m").reason == "nothing to map over"
    assert driver.result == "succeeded"


def test_a_failed_source_holds_the_step_back_and_a_skipped_one_skips_it() -> None:
    for rule in ("all_success", "all_done"):
        failing = Driver(step("src"), step("m", "src", rule=rule, expansion=mapped("src")))
        failing.fail("src")
        assert failing.of("m") == ["upstream_failed"]
        skipping = Driver(step("src"), step("m", "src", rule=rule, expansion=mapped("src")))
        skipping.skip("src")
        assert skipping.of("m") == ["skipped"]


def test_a_source_that_is_no_upstream_counts_all_the_same() -> None:
    driver = Driver(step("src"), step("m", expansion=mapped("src")))
    driver.fail("src")
    assert driver.of("m") == ["upstream_failed"]


def test_another_upstream_that_failed_holds_the_step_back_as_one() -> None:
    driver = Driver(step("src"), step("other"), step("m", "src", "other", expansion=mapped("src")))
    driver.succeed("src", length=1000)
    driver.fail("other")
    assert driver.of("m") == ["upstream_failed"]


def test_of_a_source_that_failed_in_part_each_keeps_its_index() -> None:
    driver = Driver(step("m", expansion=mapped(4)), step("n", "m", rule="all_done", expansion=mapped("m")))
    driver.succeed("m[0]", "m[3]")
    driver.fail("m[1]")
    driver.skip("m[2]")
    assert driver.of("n") == ["queued", "upstream_failed", "skipped", "queued"]
    assert _items(driver, "n[3]") == [("m[3]", -1)]
    assert driver.task("n[1]").reason == "m[1] has no output to map over"


def test_a_mapped_group_goes_on_index_by_index() -> None:
    over = mapped("src")
    driver = Driver(
        step("src"),
        step("a", "src", expansion=over),
        step("b", aligned("a"), expansion=over),
        step("end", "b", rule="all_done"),
    )
    driver.succeed("src", length=3)
    assert driver.of("b") == ["waiting", "waiting", "waiting"]
    driver.succeed("a[1]")
    driver.fail("a[2]")
    assert driver.of("b") == ["waiting", "queued", "upstream_failed"]
    driver.skip("a[0]")
    driver.succeed("b[1]")
    assert driver.of("b") == ["skipped", "succeeded", "upstream_failed"]
    assert driver.state("end") == "queued"


def test_a_mapped_group_over_nothing_is_skipped_step_by_step() -> None:
    over = mapped("src")
    driver = Driver(step("src"), step("a", "src", expansion=over), step("b", aligned("a"), expansion=over))
    driver.succeed("src", length=0)
    assert driver.states("a", "b") == ["skipped", "skipped"]


def test_a_mapped_step_feeds_another_with_all_its_task_runs() -> None:
    driver = Driver(step("a", expansion=mapped(2)), step("b", "a", expansion=mapped(3)))
    driver.succeed("a[0]")
    assert driver.of("b") == []
    driver.succeed("a[1]")
    assert driver.of("b") == ["queued"] * 3


def test_an_early_rule_starts_a_mapped_step_early() -> None:
    driver = Driver(step("a"), step("b"), step("m", "a", "b", rule="one_success", expansion=mapped(2)))
    driver.succeed("b")
    assert driver.of("m") == ["queued", "queued"]


def test_a_failing_map_can_fail_the_run_fast() -> None:
    driver = Driver(step("m", expansion=mapped(1, 2, mode="zip")), step("a"), step("b", "a"), fail_fast=True)
    assert driver.states("m", "b") == ["failed", "skipped"]
    driver.stopped("a")
    assert driver.result == "failed"
