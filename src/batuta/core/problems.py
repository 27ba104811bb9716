"""Several problems of one kind in one error, so that an author mends them in one go.

One problem reads like any other error; of many, the first ten are listed and the rest is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from batuta.core.errors import BatutaError

SHOWN_MAX = 10

AnyError = TypeVar("AnyError", bound=BatutaError)


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong, its place, and what to do about it."""

    what: str
    where: str | None = None
    hint: str | None = None


def combined(kind: type[AnyError], problems: Sequence[Problem], *, count: int, title: str) -> AnyError:
    """One error of `kind` for `count` problems, of which at least the first ten are given; `title` heads a list."""
    if count == 1:
        only = problems[0]
        return kind(only.what, where=only.where, hint=only.hint)
    lines = [f"{count} {title}:", *(f"  - {_line(problem)}" for problem in problems[:SHOWN_MAX])]
    if count > SHOWN_MAX:
        lines.append(f"  and {count - SHOWN_MAX} more")
    return kind("\n".join(lines))


def _line(problem: Problem) -> str:
    text = f"{problem.where}: {problem.what}" if problem.where else problem.what
    return f"{text} ({problem.hint})" if problem.hint else text
