"""The language in which partitions are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import partitions as p
from batuta.core.errors import PartitionError

NOW = datetime(2025, 6, 15, 10, 30, tzinfo=UTC)
DAY = p.daily("2024-06-01")
HOUR = p.hourly("2024-10-01", timezone="Europe/Madrid")
REGION = p.static(["eu", "us", "asia", "eu-north", "a,b", "x..y"])
MULTI = p.multi(day=DAY, region=REGION)


@pytest.mark.parametrize(
    ("definition", "text", "count", "first", "last"),
    [
        (DAY, "2025-01-31", 1, "2025-01-31", "2025-01-31"),
        (DAY, "2025-01-01..2025-01-31", 31, "2025-01-01", "2025-01-31"),
        (DAY, " 2025-01-01 .. 2025-01-31 ", 31, "2025-01-01", "2025-01-31"),
        (DAY, "2025-06-10..", 5, "2025-06-10", "2025-06-14"),
        (DAY, "..2024-06-03", 3, "2024-06-01", "2024-06-03"),
        (DAY, "..", 379, "2024-06-01", "2025-06-14"),
        (DAY, "all", 379, "2024-06-01", "2025-06-14"),
        (DAY, "*", 379, "2024-06-01", "2025-06-14"),
        (DAY, "latest", 1, "2025-06-14", "2025-06-14"),
        (DAY, "latest:7", 7, "2025-06-08", "2025-06-14"),
        (DAY, "latest:9999", 379, "2024-06-01", "2025-06-14"),
        (DAY, "2025-06", 14, "2025-06-01", "2025-06-14"),
        (DAY, "2025", 165, "2025-01-01", "2025-06-14"),
        (DAY, "2020..2024-07", 61, "2024-06-01", "2024-07-31"),
        (DAY, "2025-05..2031", 45, "2025-05-01", "2025-06-14"),
        (DAY, "2025-01-05,2025-01-02, 2025-01-05", 2, "2025-01-02", "2025-01-05"),
        (DAY, "2025-*-01", 6, "2025-01-01", "2025-06-01"),
        (HOUR, "2025-06-14", 24, "2025-06-14T00", "2025-06-14T23"),
        (HOUR, "2024-10-27T02", 2, "2024-10-27T02+0200", "2024-10-27T02+0100"),
        (HOUR, "2024-10-27T02+0100..2024-10-27", 22, "2024-10-27T02+0100", "2024-10-27T23"),
        (p.weekly("2025-01-01"), "2025-02", 4, "2025-02-03", "2025-02-24"),
        (p.monthly("2024-01"), "2024-11..2025-02", 4, "2024-11", "2025-02"),
        (REGION, "eu", 1, "eu", "eu"),
        (REGION, "eu*", 2, "eu", "eu-north"),
        (REGION, "asia,eu", 2, "eu", "asia"),
        (REGION, "us..eu-north", 3, "us", "eu-north"),
        (REGION, "latest", 1, "x..y", "x..y"),
        (REGION, "a,b", 1, "a,b", "a,b"),
        (REGION, "x..y", 1, "x..y", "x..y"),
        (p.static(["all", "other"]), "all", 1, "all", "all"),
        (MULTI, "day=2025-06-01|region=eu", 1, "day=2025-06-01|region=eu", "day=2025-06-01|region=eu"),
        (MULTI, "region=eu,us|day=latest:2", 4, "day=2025-06-13|region=eu", "day=2025-06-14|region=us"),
        (MULTI, "day=2025-06-01", 6, "day=2025-06-01|region=eu", "day=2025-06-01|region=x..y"),
        (MULTI, "all", 379 * 6, "day=2024-06-01|region=eu", "day=2025-06-14|region=x..y"),
    ],
)
def test_select(definition: p.Partitions, text: str, count: int, first: str, last: str) -> None:
    found = p.select(definition, text, NOW)
    assert (len(found), found[0], found[-1]) == (count, first, last)


def test_several_choices_are_united_in_order() -> None:
    assert p.select(DAY, ["2025-01-02", "2025-01-01..2025-01-03"], NOW) == ["2025-01-01", "2025-01-02", "2025-01-03"]
    united = p.select(MULTI, ["day=2025-06-02|region=us", "day=2025-06-01..2025-06-02|region=eu"], NOW)
    assert united == ["day=2025-06-01|region=eu", "day=2025-06-02|region=eu", "day=2025-06-02|region=us"]


@pytest.mark.parametrize(
    ("definition", "text", "what", "hint"),
    [
        (DAY, "2025-06-15", "'2025-06-15' does not exist yet", "to '2025-06-14'"),
        (DAY, "2023-01-01..2025-01-01", "the first one is '2024-06-01'", "from '2024-06-01'"),
        (DAY, "2025-01-01..2025-12-31", "'2025-12-31' does not exist yet", "to '2025-06-14'"),
        (DAY, "2025-01-31..2025-01-01", "runs backwards", "'2025-01-01..2025-01-31'"),
        (DAY, "2025-03..2025-01", "runs backwards", "'2025-01..2025-03'"),
        (DAY, "2025-07..2025-12", "chooses no partition", "to '2025-06-14'"),
        (DAY, "2025-02-30", "is not a date", None),
        (DAY, "2025-01-01T05", "finer than daily", "'2025-01-01'"),
        (DAY, "yesterday", "is not the key of daily", "2025-01-31"),
        (DAY, "", "an empty choice", None),
        (DAY, "2025-01-01,", "an empty choice", None),
        (DAY, "19*", "chooses no partition", None),
        (p.daily("2026-01-01"), "all", "chooses no partition", "the first one, '2026-01-01', ends at"),
        (p.daily("2026-01-01"), "latest", "chooses no partition", "the first one, '2026-01-01', ends at"),
        (REGION, "uss", "'uss' does not exist", "'us'"),
        (REGION, "us..nowhere", "'nowhere' does not exist", "there are"),
        (REGION, "asia..eu", "runs backwards", "'eu..asia'"),
        (p.dynamic("customers"), "all", "chooses no partition", "add one first"),
        (MULTI, "latest", "which dimension", "day=latest"),
        (MULTI, "2025-01-01..", "which dimension", "day=2025-01-01.."),
        (MULTI, "day=2025-01-01|regoin=eu", "unknown dimension 'regoin'", "'region'"),
        (MULTI, "region=ue", "'ue' does not exist", "'eu'"),
    ],
)
def test_a_choice_that_is_wrong(definition: p.Partitions, text: str, what: str, hint: str | None) -> None:
    with pytest.raises(PartitionError) as caught:
        p.select(definition, text, NOW)
    assert what in caught.value.what
    assert hint is None or hint in (caught.value.hint or "")


@given(st.data())
def test_a_range_is_the_keys_between(data: st.DataObject) -> None:
    choices: list[p.Partitions] = [
        DAY,
        HOUR,
        p.static(["e", "a", "c"]),
        p.weekly("2024-06-01"),
        p.monthly("2024-06-01"),
    ]
    definition = data.draw(st.sampled_from(choices))
    keys: Sequence[str] = p.keys(definition, NOW)
    low = data.draw(st.integers(0, len(keys) - 1))
    high = data.draw(st.integers(low, len(keys) - 1))
    assert p.select(definition, f"{keys[low]}..{keys[high]}", NOW) == keys[low : high + 1]
    assert p.select(definition, keys[low], NOW) == [keys[low]]
