"""What an asset promises of its columns, what differs from it, and which changes break those who read.

Types are those of `io.frames.plain_type`: `int64`, `string`, `decimal(18,2)`, `datetime[UTC]`. The surprising rule:
breaking is seen from the reader's side, so a type that holds less or is another kind is breaking, and so is a column
that may now be null, while one that may not be any more is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from batuta.core.columns import Column

Evolution = Literal["exact", "additive"]
"""Which columns a table may have: those of its contract, or those and others."""

ChangeKind = Literal["added", "removed", "type", "nullable"]


class Contract(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What is enforced when the asset is written. A column without a type may be of any."""

    columns: tuple[Column, ...]
    evolution: Evolution = "exact"

    @property
    def not_null(self) -> tuple[str, ...]:
        """The columns that have a value in every row."""
        return tuple([column.name for column in self.columns if not column.nullable])


class ColumnChange(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How a column differs. `before` and `after` are types; empty where it was, or is, not there."""

    column: str
    kind: ChangeKind
    before: str = ""
    after: str = ""
    breaking: bool = False

    @property
    def text(self) -> str:
        """In words: `amount: int64 is int32 now`."""
        match self.kind:
            case "added":
                return f"{self.column}: added, {self.after}"
            case "removed":
                return f"{self.column}: removed, it was {self.before}"
            case "nullable":
                return f"{self.column}: may be null now" if self.breaking else f"{self.column}: is never null any more"
            case "type":
                return f"{self.column}: {self.after}, it was {self.before}"


# ---- over time ----


def changes(before: Iterable[Column], after: Iterable[Column]) -> list[ColumnChange]:
    """What became of the columns: those that are gone first, then what changed, then what is new."""
    old = {column.name: column for column in before}
    new = {column.name: column for column in after}
    gone = [ColumnChange(name, "removed", one.type, breaking=True) for name, one in old.items() if name not in new]
    added = [ColumnChange(name, "added", "", one.type) for name, one in new.items() if name not in old]
    changed = []
    for name in new:
        if name in old:
            one, other = old[name], new[name]
            if one.type != other.type:
                breaking = not holds(other.type, one.type)
                changed.append(ColumnChange(name, "type", one.type, other.type, breaking))
            if one.nullable != other.nullable:
                changed.append(ColumnChange(name, "nullable", one.type, other.type, other.nullable))
    return [*gone, *changed, *added]


_INTEGER = re.compile(r"(u?)int(\d+)")
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")
_TEXTS = {"string", "category"}


def holds(wide: str, narrow: str) -> bool:
    """Whether a reader of `narrow` can go on when it gets `wide`: the same kind of values, at least as many of them.

    A type that is not known (`""`, or the `null` of a column without any value) holds and fits everything.
    """
    if wide == narrow or {wide, narrow} & {"", "null"}:
        return True
    integers = _INTEGER.fullmatch(wide), _INTEGER.fullmatch(narrow)
    if integers[0] and integers[1]:
        return _holds_integer(integers[0], integers[1])
    decimals = _DECIMAL.fullmatch(wide), _DECIMAL.fullmatch(narrow)
    if decimals[0] and decimals[1]:
        digits, places, other_digits, other_places = map(int, (*decimals[0].groups(), *decimals[1].groups()))
        return places >= other_places and digits - places >= other_digits - other_places
    return (wide, narrow) == ("float64", "float32") or {wide, narrow} == _TEXTS


def _holds_integer(wide: re.Match[str], narrow: re.Match[str]) -> bool:
    unsigned, bits, other_unsigned, other_bits = wide[1], int(wide[2]), narrow[1], int(narrow[2])
    if unsigned == other_unsigned:
        return bits >= other_bits
    return not unsigned and bits > other_bits


# ---- against a contract ----


class Breach(msgspec.Struct, frozen=True, gc=False):
    """How a table breaks a contract, in one line: `- amount  is missing (decimal(18,2))`."""

    column: str
    sign: str
    text: str


def breaches(contract: Contract, columns: Sequence[tuple[str, str]]) -> list[Breach]:
    """How the columns (name, type) of a table break a contract; nothing where they keep it."""
    found = dict(columns)
    wrong = []
    for column in contract.columns:
        if column.name not in found:
            wrong.append(Breach(column.name, "-", f"is missing ({column.type or 'any type'})"))
        elif not keeps_type(column, found[column.name]):
            wrong.append(Breach(column.name, "~", f"is {found[column.name]}, not {column.type}"))
    if contract.evolution == "exact":
        known = {column.name for column in contract.columns}
        more = [name for name in found if name not in known]
        wrong += [Breach(name, "+", f"is not in the contract ({found[name]})") for name in more]
    return wrong


def keeps_type(column: Column, found: str) -> bool:
    """Whether a column of this type is what was promised; one without any value is, where it may be null.

    In which zone times are shown makes no difference, nor whether text is kept as categories.
    """
    if column.type in ("", "any", found) or {column.type, found} == _TEXTS:
        return True
    if found == "null":
        return column.nullable
    if column.type.startswith("datetime["):
        return found.startswith("datetime[")
    return column.type == "decimal" and found.startswith("decimal(")


def null_breaches(contract: Contract, nulls: Mapping[str, int], rows: int) -> list[Breach]:
    """How many nulls stand where there should be none. `nulls` by column."""
    return [
        Breach(name, "!", f"is null in {nulls[name]:,} of {rows:,} rows")
        for name in contract.not_null
        if nulls.get(name, 0)
    ]


def shown(breaches: Sequence[Breach], shown_max: int = 20) -> str:
    """All of them, one a line, with aligned names."""
    width = max((len(one.column) for one in breaches[:shown_max]), default=0)
    lines = [f"  {one.sign} {one.column:<{width}}  {one.text}" for one in breaches[:shown_max]]
    if len(breaches) > shown_max:
        lines.append(f"  ... and {len(breaches) - shown_max} more")
    return "\n".join(lines)
