"""Futures inside arguments: found and replaced wherever people put them, what `.map` returned included."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from batuta.authoring.futures import Future, FutureList
from batuta.authoring.references import has_futures, replaced


class Pair(NamedTuple):
    left: Any
    right: Any


def future(key: str) -> Future[str]:
    return Future(key, "task")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (future("a"), "a"),
        ([future("a"), 1], ["a", 1]),
        (FutureList([future("a"), future("b")]), ["a", "b"]),
        ({"all": FutureList([future("a")])}, {"all": ["a"]}),
        ((future("a"), {"b": future("b")}), ("a", {"b": "b"})),
        (Pair(future("a"), 2), Pair("a", 2)),
    ],
)
def test_futures_are_found_and_replaced(value: Any, expected: Any) -> None:
    assert has_futures(value)
    found = replaced(value, lambda one: one.key)
    assert found == expected
    assert type(found) is type(expected)


def test_what_holds_no_future_stays() -> None:
    value = {"a": [1, (2, 3)]}
    assert not has_futures(value)
    assert replaced(value, lambda one: one.key) == value
