"""Rules over facts: what is told once, what is held back, what is escalated, and when it is over."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.alert_rules import LAPSE_S, Book, Decision, Fact, key_of, longest_usual, next_try_at, why_not
from batuta.core.alert_specs import KINDS, Escalation, Rule, Throttle
from batuta.core.durations import Seconds

HOUR = 3_600.0


def rule(**fields: Any) -> Rule:
    return Rule(**{"on": "failure", "channels": "ops", **fields})


def failed(at: float = 0.0, job: str = "nightly", **fields: Any) -> Fact:
    return Fact(**{"kind": "failure", "subject": job, "job": job, "at": at, **fields})


def fine(at: float, job: str = "nightly") -> Fact:
    return failed(at, job, good=True)


def did(decisions: list[Decision]) -> list[str]:
    return [decision.did for decision in decisions]


def test_trouble_is_told_once_and_counted_until_it_is_over() -> None:
    book = Book((rule(),))
    first = book.hear(failed(0), 0)
    assert (did(first), first[0].channels) == (["raise"], ("ops",))
    assert did(book.hear(failed(60), 60)) == ["count"]
    assert book.hear(failed(60), 60)[0].alert.count == 3
    over = book.hear(fine(120), 120)
    assert (did(over), over[0].channels) == (["resolve"], ("ops",))
    assert book.open == {}
    assert book.hear(fine(130), 130) == []
    assert did(book.hear(failed(140), 140)) == ["raise"]


def test_what_goes_on_is_told_again_after_its_window() -> None:
    book = Book((rule(dedupe_s=Seconds(HOUR)),))
    book.hear(failed(0), 0)
    assert did(book.hear(failed(HOUR - 1), HOUR - 1)) == ["count"]
    again = book.hear(failed(HOUR), HOUR)
    assert (did(again), again[0].alert.count, again[0].channels) == (["repeat"], 3, ("ops",))
    assert did(book.hear(failed(HOUR + 60), HOUR + 60)) == ["count"]


def test_a_key_of_fewer_fields_makes_one_of_many() -> None:
    book = Book((rule(dedupe=("location",)),))
    assert did(book.hear(failed(0, "a", location="shop"), 0)) == ["raise"]
    assert did(book.hear(failed(0, "b", location="shop"), 0)) == ["count"]
    assert did(book.hear(failed(0, "b", location="bank"), 0)) == ["raise"]


def test_a_throttle_holds_back_messages_and_the_next_one_says_how_many() -> None:
    book = Book((rule(throttle=Throttle(max=2, per_s=Seconds(HOUR))),))
    heard = [book.hear(failed(n, f"job{n}"), n)[0] for n in range(5)]
    assert [decision.channels for decision in heard] == [("ops",), ("ops",), (), (), ()]
    assert all(decision.did == "raise" for decision in heard)
    assert "held back" in heard[2].why
    later = book.hear(failed(HOUR, "another"), HOUR)[0]
    assert (later.channels, later.held) == (("ops",), 3)
    assert book.hear(failed(HOUR + 1, "one more"), HOUR + 1)[0].held == 0


def test_what_was_held_back_is_escalated_all_the_same() -> None:
    steps = (Escalation(Seconds(60), "phone"),)
    book = Book((rule(throttle=Throttle(max=1), escalate=steps),))
    book.hear(failed(0, "a"), 0)
    book.hear(failed(0, "b"), 0)
    made = book.due(60)
    assert [(decision.did, decision.alert.fact.job, decision.channels) for decision in made] == [
        ("escalate", "a", ("phone",)),
        ("escalate", "b", ("phone",)),
    ]
    over = book.hear(fine(61, "b"), 61)[0]
    assert over.channels == ("phone",)  # ops never heard of it


def test_steps_that_passed_while_nobody_looked_are_all_told() -> None:
    steps = (Escalation(Seconds(60), "phone"), Escalation(Seconds(HOUR), ("boss", "phone")))
    book = Book((rule(escalate=steps),))
    book.hear(failed(0), 0)
    assert book.next_due() == 60
    assert [decision.channels for decision in book.due(2 * HOUR)] == [("phone",), ("boss", "phone")]
    assert book.due(3 * HOUR) == []


def test_lasting_trouble_is_told_once_and_over_when_it_is_no_longer_seen() -> None:
    book = Book((rule(on="late"),))
    late = Fact(kind="late", subject="nightly", job="nightly", at=0)
    assert did(book.look("late", [late], 0)) == ["raise"]
    assert book.look("late", [late], 5 * HOUR) == []
    assert did(book.look("late", [], 6 * HOUR)) == ["resolve"]


def test_looking_for_one_kind_leaves_the_others_open() -> None:
    book = Book((rule(on=("late", "location_broken")),))
    book.look("location_broken", [Fact(kind="location_broken", subject="shop", at=0)], 0)
    assert book.look("late", [], 1) == []
    assert len(book.open) == 1


def test_moments_are_forgotten_after_their_window() -> None:
    book = Book((rule(on="retry", dedupe_s=Seconds(60)),))
    retried = Fact(kind="retry", subject="nightly/load", job="nightly", at=0)
    assert did(book.hear(retried, 0)) == ["raise"]
    assert did(book.hear(retried, 59)) == ["count"]
    assert did(book.due(60)) == ["lapse"]
    assert did(book.hear(retried, 61)) == ["raise"]


def test_what_nobody_ends_lapses_and_what_lost_its_rule_too() -> None:
    book = Book((rule(),))
    book.hear(failed(0), 0)
    assert book.due(LAPSE_S - 1) == []
    assert did(book.due(LAPSE_S)) == ["lapse"]
    book.hear(failed(0), 0)
    book.rules = ()
    assert book.next_due() == 0.0
    assert did(book.due(1)) == ["lapse"]


def test_a_person_settles_it_and_escalation_stops() -> None:
    book = Book((rule(escalate=(Escalation(Seconds(60), "phone"),)),))
    book.hear(failed(0), 0)[0].alert.id = 7
    book.settle([7, 8])
    assert book.due(61) == []


@pytest.mark.parametrize(
    ("fields", "fits", "why"),
    [
        ({}, True, ""),
        ({"job": "night*"}, True, ""),
        ({"job": ("daily", "nightly")}, True, ""),
        ({"job": "daily"}, False, "job is nightly, the rule wants daily"),
        ({"tag": "team"}, True, ""),
        ({"tag": "team=data"}, True, ""),
        ({"tag": "team=web"}, False, "tag is team, team=data"),
        ({"asset": "gold/*"}, True, ""),
        ({"layer": ("silver", "gold")}, True, ""),
        ({"layer": "bronze"}, False, "layer is gold"),
        ({"location": "shop"}, False, "location is none"),
        ({"severity_min": "critical"}, False, "its severity is error"),
        ({"on": "late"}, False, "it is on late, not failure"),
        ({"enabled": False}, False, "the rule is off"),
    ],
)
def test_filters_and_why_a_rule_does_not_fit(fields: dict[str, Any], fits: bool, why: str) -> None:
    fact = failed(tags={"team": "data"}, assets=("gold/revenue",), layers=("gold",))
    told = why_not(rule(**fields), fact)
    assert told is None if fits else told is not None and why in told


def test_how_long_is_long_by_history() -> None:
    by_median = rule(on="long_running", factor=2.0, quantile=0.5, history_min=3)
    assert longest_usual([10, 30], by_median) is None
    assert longest_usual([30, 10, 20], by_median) == 40
    assert longest_usual([10, 20, 30, 40], by_median) == 50
    assert longest_usual([1, 2, 100], rule(on="long_running", factor=1.0, quantile=1.0, history_min=1)) == 100


def test_tries_get_rarer_until_nobody_tries_any_more() -> None:
    assert [next_try_at(n, 0.0, 86_400.0, 100.0) for n in (1, 2, 3, 9, 50)] == [105, 110, 120, 1_000, 1_000]
    assert next_try_at(50, 0.0, 999.0, 100.0) is None


# ---- whatever happens ----

JOBS = ("a", "b", "c")
GAPS = st.one_of(st.integers(0, 30), st.integers(0, 2_000))
HAPPENINGS = st.lists(st.tuples(st.sampled_from(["bad", "good", "tick"]), st.sampled_from(JOBS), GAPS), max_size=60)
RULES = st.builds(
    rule,
    dedupe_s=st.sampled_from([Seconds(0), Seconds(300), Seconds(HOUR)]),
    throttle=st.sampled_from([None, Throttle(max=1, per_s=Seconds(600)), Throttle(max=3, per_s=Seconds(60))]),
    escalate=st.sampled_from(
        [
            (),
            (Escalation(Seconds(100), "phone"),),
            (Escalation(Seconds(100), "phone"), Escalation(Seconds(900), "boss")),
        ]
    ),
)


@given(one=RULES, happenings=HAPPENINGS)
def test_nothing_is_told_twice_too_often_or_never(one: Rule, happenings: list[tuple[str, str, int]]) -> None:
    """Against a plain account of what was told: windows and throttles hold, and each step is told exactly once."""
    book, now = Book((one,)), 0.0
    opened: dict[str, float] = {}
    told: dict[str, float] = {}
    steps: dict[str, int] = {}
    sent: list[float] = []
    for what, job, passed_s in happenings:
        now += passed_s
        decisions = book.due(now)
        for name, since in opened.items():
            expected = sum(step.after_s <= now - since for step in one.escalate)
            new = [decision for decision in decisions if decision.alert.fact.job == name]
            assert len(new) == expected - steps[name]
            steps[name] = expected
        if what == "tick":
            continue
        heard = book.hear(fine(now, job) if what == "good" else failed(now, job), now)
        if what == "good":
            assert did(heard) == (["resolve"] if job in opened else [])
            opened.pop(job, None)
            continue
        assert len(heard) == 1
        assert (heard[0].did == "raise") == (job not in opened)
        if job not in opened:
            opened[job], steps[job] = now, 0
            told.pop(job, None)
        if heard[0].channels:
            assert job not in told or now - told[job] >= one.dedupe_s
            told[job] = now
            sent.append(now)
        elif heard[0].did == "raise":
            assert one.throttle is not None
        if one.throttle is not None:
            assert sum(at > now - one.throttle.per_s for at in sent) <= one.throttle.max
    assert {alert.fact.job for alert in book.open.values()} == set(opened)


@given(happenings=HAPPENINGS, cut=st.integers(0, 60))
def test_a_book_made_again_from_what_is_open_decides_the_same(happenings: list[tuple[str, str, int]], cut: int) -> None:
    one = rule(throttle=Throttle(max=2, per_s=Seconds(600)), escalate=(Escalation(Seconds(100), "phone"),))
    straight, other, now = Book((one,)), Book((one,)), 0.0
    for number, (what, job, passed_s) in enumerate(happenings):
        now += passed_s
        if number == cut:
            other = Book((one,), open=dict(other.open), sent={**other.sent}, held={**other.held})
        fact = fine(now, job) if what == "good" else failed(now, job)
        for book in (straight, other):
            book.due(now)
        left, right = straight.hear(fact, now), other.hear(fact, now)
        assert [(d.did, d.channels, d.held) for d in left] == [(d.did, d.channels, d.held) for d in right]


@given(kind=st.sampled_from(KINDS))
def test_keys_of_different_kinds_differ(kind: str) -> None:
    facts = [Fact(kind=each, subject="x", at=0) for each in KINDS]
    assert len({key_of(rule(on=KINDS), fact) for fact in facts}) == len(KINDS)
