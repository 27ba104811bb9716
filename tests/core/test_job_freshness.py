"""When a job would do the same again."""

from __future__ import annotations

from collections.abc import Mapping

from batuta.core.job_freshness import Current, Doing, why_again
from batuta.core.staleness import Pair

RAN_AT = 100.0
MADE = [Doing("report", "", "r1", {"rates": "a1", "sales/2025-01-01": "s1"})]
NOW: Mapping[Pair, Current] = {
    ("report", ""): Current("r1", RAN_AT + 1),
    ("rates", ""): Current("a1", 10.0),
    ("sales", "2025-01-01"): Current("s1", 20.0),
}


def why(
    changes: Mapping[Pair, Current] | None = None, *, made: list[Doing] = MADE, same_plan: bool = True
) -> tuple[str, ...]:
    return why_again(same_plan=same_plan, started_at=RAN_AT, made=made, current={**NOW, **(changes or {})})


def test_nothing_to_do_where_all_is_as_it_was_read_and_made() -> None:
    assert why() == ()


def test_the_same_data_made_again_change_nothing() -> None:
    assert why({("rates", ""): Current("a1", RAN_AT + 50), ("report", ""): Current("r1", RAN_AT + 60)}) == ()


def test_each_reason_is_told_with_what_it_is_about() -> None:
    assert why(same_plan=False) == ("its code has changed",)
    assert why({("rates", ""): Current("a2", RAN_AT + 1)}) == ("rates has changed",)
    assert why({("sales", "2025-01-01"): Current("s2", RAN_AT + 1)}) == ("sales[2025-01-01] has changed",)
    assert why({("report", ""): Current("r2", RAN_AT + 5)}) == ("report is no longer what it made",)
    both = {("rates", ""): Current("a2", RAN_AT + 1), ("sales", "2025-01-01"): Current("s2", RAN_AT + 1)}
    assert why(both) == ("rates (and 1 more) has changed",)


def test_a_partition_that_came_since_is_a_reason_and_one_that_was_there_is_none() -> None:
    assert why({("sales", "2025-01-02"): Current("s9", RAN_AT + 1)}) == ("sales[2025-01-02] is new",)
    assert why({("sales", "2024-12-31"): Current("s0", RAN_AT - 1)}) == ()
    assert why({("other", "2025-01-02"): Current("o1", RAN_AT + 1)}) == ()


def test_a_run_of_which_nothing_is_known_is_never_the_same() -> None:
    assert why(made=[]) == ("its last run recorded nothing that it read or made",)
    assert why(made=[Doing("report", "", "r1", {})]) == ("its last run recorded nothing that it read",)
