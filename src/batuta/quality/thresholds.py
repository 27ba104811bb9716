"""How many rows may fail: `> 10`, `>= 1%`. A share is of the rows that a rule looked at."""

from __future__ import annotations

import re
from typing import NamedTuple

from batuta.core.errors import DefinitionError

_FORM = re.compile(r"\s*(>=|>|!=|=|==|<=|<)?\s*(\d+(?:\.\d+)?|\.\d+)\s*(%?)\s*")


class Threshold(NamedTuple):
    """Reached when `compare` holds of the number, or the share in percent, of failing rows."""

    compare: str
    number: float
    is_share: bool

    def reached(self, failing: int, rows: int) -> bool:
        """Whether so many failing ones of so many rows are too many."""
        value: float = failing
        if self.is_share:
            value = 100.0 * failing / rows if rows else 0.0
        match self.compare:
            case ">":
                return value > self.number
            case ">=":
                return value >= self.number
            case "<":
                return value < self.number
            case "<=":
                return value <= self.number
            case "!=":
                return value != self.number
        return value == self.number

    def __str__(self) -> str:
        return f"{self.compare} {self.number:g}{'%' if self.is_share else ''}"


ANY = Threshold(">", 0, False)


def threshold(given: str | int, what: str) -> Threshold:
    """What `given` says; a number by itself is the number of rows that are still good.

    Raises DefinitionError, which names `what`.
    """
    if isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    found = _FORM.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        hint = "write a comparison with a number of rows or a share: '> 10', '>= 1%'"
        raise DefinitionError(f"{what} is {given!r}", hint=hint)
    compare, number, percent = found.groups()
    if percent and float(number) > 100:
        raise DefinitionError(f"{what} is {given!r}", hint="a share is at most 100%")
    return Threshold({"==": "=", None: ">"}.get(compare, compare), float(number), bool(percent))
