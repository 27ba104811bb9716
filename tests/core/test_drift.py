"""What is expected of a number, learned from what it was."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.drift import Former, _errors, expect

numbers = st.floats(-1e6, 1e6)


def former(values: list[float], seasons: int = 0) -> list[Former]:
    return [Former(value, n % seasons if seasons else None) for n, value in enumerate(values)]


def test_too_little_history_gives_no_expectation() -> None:
    assert expect(former([1.0] * 6)) is None
    assert expect(former([1.0, math.nan, math.inf, 1.0]), history_min=3) is None
    assert expect([], history_min=0) is None
    assert expect(former([1.0, 1.0, 1.0]), history_min=3) is not None


def test_usual_values_pass_and_unusual_ones_do_not() -> None:
    dice = random.Random(5)
    history = former([dice.gauss(1000, 20) for _ in range(60)])
    found = expect(history)
    assert found is not None
    assert not found.seasonal
    assert found.known == 60
    assert 880 < found.low < 940 < 1060 < found.high < 1120
    assert abs(found.score(1000)) < 1
    assert found.score(500) < -20


@pytest.mark.parametrize("seed", range(5))
def test_few_are_called_drift_that_are_not(seed: int) -> None:
    dice = random.Random(seed)
    wrong = 0
    for _ in range(300):
        found = expect(former([dice.gauss(100, 10) for _ in range(14)]), change_min=0.0)
        assert found is not None
        wrong += not found.low <= dice.gauss(100, 10) <= found.high
    assert wrong <= 6  # 2 %


def test_weekdays_are_told_apart_where_they_differ() -> None:
    dice = random.Random(1)
    days = [1000 if n % 7 < 5 else 100 for n in range(56)]
    history = former([day * dice.gauss(1, 0.02) for day in days], seasons=7)
    sunday = expect(history, 6)
    monday = expect(history, 0)
    assert sunday is not None
    assert monday is not None
    assert sunday.seasonal
    assert monday.seasonal
    assert sunday.high < 200
    assert 800 < monday.low < 1000 < monday.high < 1200
    # Without the season the same numbers vary so much that neither would be found.
    plain = expect(history, 0, seasonal=False)
    assert plain is not None
    assert not plain.seasonal
    assert plain.low < 1000 < plain.high


def test_a_season_of_which_little_is_known_is_not_looked_at_by_itself() -> None:
    history = former([100.0, 101.0, 99.0, 100.0, 5.0, 100.0, 101.0, 99.0, 100.0, 5.0], seasons=5)
    found = expect(history, 4)
    assert found is not None
    assert not found.seasonal
    assert found.value == 100.0


def test_what_never_changed_may_change_a_little() -> None:
    found = expect(former([100.0] * 10))
    assert found is not None
    assert (found.low, found.high) == (95.0, 105.0)
    assert found.score(100.0) == 0
    assert found.score(101.0) == math.inf
    zero = expect(former([0.0] * 10))
    assert zero is not None
    assert (zero.low, zero.high) == (0.0, 0.0)


def test_one_direction_only() -> None:
    up, down = expect(former([1.0] * 9), direction="up"), expect(former([1.0] * 9), direction="down")
    assert up is not None
    assert down is not None
    assert up.low == -math.inf
    assert down.high == math.inf
    assert up.high < 2
    assert down.low > 0


def test_a_few_outliers_do_not_widen_it() -> None:
    dice = random.Random(3)
    clean = [dice.gauss(1000, 20) for _ in range(40)]
    found, spoilt = expect(former(clean)), expect(former([*clean, 1e6, 0.0, 5e5]))
    assert found is not None
    assert spoilt is not None
    assert spoilt.high - spoilt.low < 1.5 * (found.high - found.low)


@given(st.lists(numbers, min_size=2, max_size=30))
def test_errors_are_those_of_the_median_of_the_others(values: list[float]) -> None:
    slow = [abs(x - median(values[:i] + values[i + 1 :])) for i, x in enumerate(values)]
    assert sorted(_errors(values)) == pytest.approx(sorted(slow))


wholes = st.integers(-(10**6), 10**6).map(float)  # with others, rounding makes "always the same" of "hardly ever"


@given(st.lists(wholes, min_size=7, max_size=30), st.integers(1, 100), wholes)
def test_units_and_order_make_no_difference(values: list[float], factor: int, shift: float) -> None:
    plain = expect(former(values), change_min=0.0)
    other = expect(former([v * factor + shift for v in reversed(values)]), change_min=0.0)
    assert plain is not None
    assert other is not None
    size = 1e-6 * (1 + abs(shift) + factor * max(map(abs, values)))
    assert other.low == pytest.approx(plain.low * factor + shift, abs=size, rel=1e-6)
    assert other.high == pytest.approx(plain.high * factor + shift, abs=size, rel=1e-6)
