"""Retry policies: how long to wait, and which policies make no sense."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.errors import DefinitionError
from batuta.core.retry import Retry, uniform

_delays = st.floats(0, 1e6)
_policies = st.builds(
    Retry,
    attempts_max=st.integers(1, 100),
    delay_s=_delays,
    backoff=st.sampled_from(("fixed", "exponential")),
    factor=st.floats(1, 1e9),
    delay_max_s=_delays,
    jitter=st.floats(0, 1),
)


def test_a_fixed_delay_is_the_same_each_time_and_not_limited() -> None:
    retry = Retry(delay_s=7200.0, delay_max_s=60.0)
    assert [retry.delay(failures, seed=failures) for failures in (1, 2, 50)] == [7200.0] * 3


def test_an_exponential_delay_grows_up_to_its_limit() -> None:
    retry = Retry(delay_s=1.0, backoff="exponential", factor=3.0, delay_max_s=20.0)
    assert [retry.delay(failures, 0) for failures in (1, 2, 3, 4, 5)] == [1.0, 3.0, 9.0, 20.0, 20.0]


def test_no_delay_stays_none() -> None:
    assert Retry(backoff="exponential", jitter=1.0).delay(5, 1) == 0.0


def test_jitter_spreads_evenly_around_the_delay() -> None:
    retry = Retry(delay_s=10.0, jitter=0.5)
    delays = [retry.delay(1, seed) for seed in range(2000)]
    assert min(delays) < 5.1
    assert max(delays) > 14.9
    assert math.isclose(sum(delays) / len(delays), 10.0, rel_tol=0.03)


@given(_policies, st.integers(1, 10_000), st.integers())
def test_a_delay_depends_on_the_seed_alone_and_has_bounds(retry: Retry, failures: int, seed: int) -> None:
    retry.validate("here")
    delay = retry.delay(failures, seed)
    assert delay == retry.delay(failures, seed)
    assert 0.0 <= delay < math.inf
    if retry.backoff == "exponential":
        assert delay <= retry.delay_max_s
    else:
        assert delay <= retry.delay_s * (1 + retry.jitter) * (1 + 1e-9)


@given(st.integers())
def test_uniform_is_a_share(seed: int) -> None:
    assert 0.0 <= uniform(seed) < 1.0


@pytest.mark.parametrize(
    ("retry", "what"),
    [
        (Retry(attempts_max=0), "retries is negative: -1"),
        (Retry(delay_s=-1.0), "delay_s is negative"),
        (Retry(delay_s=math.nan), "delay_s is nan"),
        (Retry(delay_max_s=math.inf), "delay_max_s is inf"),
        (Retry(jitter=1.5), "jitter is 1.5"),
        (Retry(jitter=-0.1), "jitter is negative"),
        (Retry(factor=0.5), "factor is 0.5"),
    ],
)
def test_policies_without_sense_are_refused(retry: Retry, what: str) -> None:
    with pytest.raises(DefinitionError, match=what) as caught:
        retry.validate("task 'load'")
    assert caught.value.where == "task 'load'"
