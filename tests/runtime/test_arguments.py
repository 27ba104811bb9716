"""The arguments of a call as texts: by name, short, masked, and never a failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batuta.authoring.futures import Future
from batuta.runtime.arguments import CHARS_MAX, SHOWN_MAX, names_of, shown_arguments
from batuta.runtime.masking import forget_secrets, register_secret


def load(day: str, /, rows: list[int], *more: int, fast: bool = False, **rest: object) -> None: ...


class Broken:
    def __repr__(self) -> str:
        raise ValueError

    __len__ = __repr__


@pytest.fixture
def secret() -> Iterator[str]:
    register_secret("hunter2-hunter2")
    yield "hunter2-hunter2"
    forget_secrets()


def test_they_have_the_names_of_the_parameters() -> None:
    names = names_of(load)
    assert names == ("day", "rows")
    shown = shown_arguments(names, ("monday", [1, 2], 7), {"fast": True, "x": None, "later": Future("load-0", "load")})
    assert shown == {"day": "'monday'", "rows": "[1, 2]", "[2]": "7", "fast": "True", "x": "None", "later": "load-0"}


def test_they_are_short_whatever_they_are() -> None:
    shown = shown_arguments((), ("x" * 10_000, list(range(10_000)), Broken()), {str(n): n for n in range(100)})
    assert len(shown) == SHOWN_MAX
    assert all(len(text) <= CHARS_MAX for text in shown.values())
    assert "Broken" in shown["[2]"]


def test_secrets_in_them_are_masked(secret: str) -> None:
    shown = shown_arguments(("a", "b"), (secret, {"token": [secret]}), {"c": f"bearer {secret}"})
    assert secret not in str(shown)
    assert "***" in shown["c"]
