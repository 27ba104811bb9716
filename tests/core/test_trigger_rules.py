"""Trigger rules: the verdicts of Airflow, whatever order upstreams end in."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.states import TASK_FINAL, TaskState
from batuta.core.trigger_rules import EARLY, EARLY_ON, Tally, TriggerRule, Verdict, decide
from tests.core.run_driver import Driver, step

S, F, K, U = TaskState.SUCCEEDED, TaskState.FAILED, TaskState.SKIPPED, TaskState.UPSTREAM_FAILED
_LETTERS = {"S": S, "F": F, "K": K, "U": U}

# For upstreams that have all ended: r run, s skip, u upstream failed.
_TABLE = {
    #                              S    F    K    U    SS   SF   SK   FK   SFK  KK   FF   SU   KU
    "all_success":                "r    u    s    u    r    u    s    u    u    s    u    u    u",
    "all_failed":                 "s    r    s    r    s    s    s    s    s    s    r    s    s",
    "all_done":                   "r    r    r    r    r    r    r    r    r    r    r    r    r",
    "all_done_min_one_success":   "r    u    s    u    r    r    r    u    r    s    u    r    u",
    "all_done_setup_success":     "r    r    r    r    r    r    r    r    r    r    r    r    r",
    "all_skipped":                "s    s    r    s    s    s    s    s    s    r    s    s    s",
    "one_success":                "r    u    s    u    r    r    r    u    r    s    u    r    u",
    "one_failed":                 "s    r    s    r    s    r    s    r    r    s    r    r    r",
    "one_done":                   "r    r    s    s    r    r    r    r    r    s    r    r    s",
    "none_failed":                "r    u    r    u    r    u    r    u    u    r    u    u    u",
    "none_failed_min_one_success": "r   u    s    u    r    u    r    u    u    s    u    u    u",
    "none_skipped":               "r    r    s    r    r    r    s    s    s    s    r    r    s",
    "always":                     "r    r    r    r    r    r    r    r    r    r    r    r    r",
}  # fmt: skip
_ENDS = ("S", "F", "K", "U", "SS", "SF", "SK", "FK", "SFK", "KK", "FF", "SU", "KU")
_VERDICTS = {"r": Verdict.RUN, "s": Verdict.SKIP, "u": Verdict.UPSTREAM_FAILED}
_CASES = [(rule, ends, said) for rule, row in _TABLE.items() for ends, said in zip(_ENDS, row.split(), strict=True)]


def _tally(states: list[TaskState]) -> Tally:
    tally = Tally()
    for state in states:
        tally.count(state)
    return tally


def test_the_table_has_every_rule() -> None:
    assert set(_TABLE) == {str(rule) for rule in TriggerRule}


@pytest.mark.parametrize(("rule", "ends", "said"), _CASES)
def test_verdict_once_all_upstreams_have_ended(rule: str, ends: str, said: str) -> None:
    tally = _tally([_LETTERS[end] for end in ends])
    assert decide(TriggerRule(rule), tally, True) is _VERDICTS[said]


@pytest.mark.parametrize(("rule", "ends", "said"), [case for case in _CASES if "U" not in case[1]])
def test_a_run_gives_that_verdict_in_every_order(rule: str, ends: str, said: str) -> None:
    names = [f"up{i}" for i in range(len(ends))]
    for order in itertools.permutations(range(len(ends))):
        driver = Driver(*(step(name) for name in names), step("down", *names, rule=rule))
        for i in order:
            {"S": driver.succeed, "F": driver.fail, "K": driver.skip}[ends[i]](names[i])
        expected = {"r": "queued", "s": "skipped", "u": "upstream_failed"}[said]
        assert driver.state("down") == expected, order


@pytest.mark.parametrize("rule", list(TriggerRule))
def test_a_step_without_upstreams_runs_under_every_rule(rule: TriggerRule) -> None:
    assert decide(rule, Tally(), True, Tally()) is Verdict.RUN
    assert Driver(step("only", rule=rule)).going() == {"only"}


_ENDINGS = [
    list(ends) for size in range(4) for ends in itertools.product((S, F, K, U, TaskState.CANCELLED), repeat=size)
]


@pytest.mark.parametrize("rule", list(TriggerRule))
def test_an_early_verdict_is_the_final_one(rule: TriggerRule) -> None:
    for ends in _ENDINGS:
        final = decide(rule, _tally(ends), True)
        for known in range(len(ends)):
            assert decide(rule, _tally(ends[:known]), False) in (Verdict.WAIT, final)


@pytest.mark.parametrize("rule", list(TriggerRule))
def test_early_on_names_just_the_ends_that_settle_a_verdict(rule: TriggerRule) -> None:
    for ends in _ENDINGS:
        before = decide(rule, _tally(ends[:-1]), False)
        after = decide(rule, _tally(ends), False)
        if ends and before is Verdict.WAIT:
            assert (after is not Verdict.WAIT) == (ends[-1] in EARLY_ON[rule])


def test_early_rules_are_those_that_can_settle_early() -> None:
    ends = [list(some) for size in (0, 1, 2) for some in itertools.product((S, F, K, U), repeat=size)]
    early = {rule for rule in TriggerRule for some in ends if decide(rule, _tally(some), False) is not Verdict.WAIT}
    assert early == EARLY


@pytest.mark.parametrize("rule", ["one_success", "one_done", "all_skipped", "all_failed"])
def test_one_success_settles_some_rules_at_once(rule: str) -> None:
    driver = Driver(step("a"), step("b"), step("down", "a", "b", rule=rule))
    driver.succeed("a")
    assert driver.state("down") == ("queued" if rule.startswith("one") else "skipped")


@pytest.mark.parametrize("rule", ["all_done", "all_done_min_one_success", "none_failed", "none_skipped"])
def test_patient_rules_wait_for_all_upstreams(rule: str) -> None:
    driver = Driver(step("a"), step("b"), step("down", "a", "b", rule=rule))
    driver.succeed("a")
    assert driver.state("down") == "waiting"
    driver.succeed("b")
    assert driver.state("down") == "queued"


def test_always_does_not_wait() -> None:
    assert Driver(step("a"), step("down", "a", rule="always")).going() == {"a", "down"}


@pytest.mark.parametrize(
    ("setups", "said"),
    [
        ([S], Verdict.RUN),
        ([S, F], Verdict.RUN),
        ([F], Verdict.UPSTREAM_FAILED),
        ([K], Verdict.SKIP),
        ([K, U], Verdict.UPSTREAM_FAILED),
        ([], Verdict.RUN),
    ],
)
def test_setup_rule_looks_at_setups_alone(setups: list[TaskState], said: Verdict) -> None:
    everything = _tally([*setups, F, K])
    assert decide(TriggerRule.ALL_DONE_SETUP_SUCCESS, everything, True, _tally(setups)) is said


@given(st.lists(st.sampled_from(sorted(TASK_FINAL))), st.lists(st.sampled_from(sorted(TASK_FINAL))))
def test_tallies_add_up_and_can_be_taken_back(some: list[TaskState], more: list[TaskState]) -> None:
    together = _tally(some) + _tally(more)
    assert together == _tally(some + more)
    assert together.done == len(some) + len(more)
    for state in more:
        together.count(state, -1)
    assert together == _tally(some)
