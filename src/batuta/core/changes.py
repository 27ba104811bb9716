"""What would change if all that is stale were made now: assets with the reasons, their code and their columns.

Pure data, made by `engine.changes` and shown by whoever asked. Surprising: an asset is `changed` when its code is, even
where only some of its partitions were made by the old; `downstream` is what is made again only since others are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

import msgspec

from batuta.core.contract import ColumnChange
from batuta.core.staleness import Freshness, is_passed_on

How = Literal["added", "changed", "stale", "missing", "downstream"]
"""`added`: none of it was ever made; `missing`: some partitions of it; `stale`: made of data that are others now."""


class TextDiff(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """How a text differs, in lines that begin with "-", "+", " " or "@@"; `name` of a function, "" of a query."""

    name: str
    lines: tuple[str, ...]


class AssetChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """An asset that would be made. `partitions`: those of it (None: it has none), of `of` that there are.

    `reasons` with the number of partitions of each, `reuse` with those that would be copied from each environment
    ("production" is one here), or are "unchanged": left, as what they are made of comes out the same. `note` says why
    there is no `diff` where the code has changed.
    """

    key: str
    how: How
    partitions: tuple[str, ...] | None = None
    of: int = 1
    reasons: tuple[tuple[str, int], ...] = ()
    reuse: dict[str, int] = {}
    diff: tuple[TextDiff, ...] = ()
    note: str = ""
    columns: tuple[ColumnChange, ...] = ()

    @property
    def count(self) -> int:
        """How many of its partitions would be made."""
        return 1 if self.partitions is None else len(self.partitions)


class Reached(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An asset that what breaks comes to; `columns` of it whose values do. None known: it reads it, or may do."""

    asset: str
    columns: tuple[str, ...] = ()
    certain: bool = True


class Breaking(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A change that whoever reads the asset may not stand. `column`: which it is of; "": of the whole."""

    asset: str
    text: str
    column: str = ""
    reached: tuple[Reached, ...] = ()


class Changes(msgspec.Struct, frozen=True):
    """See the module. `afterwards`: what was not selected and would be stale then."""

    environment: str
    selected: tuple[str, ...]
    assets: tuple[AssetChange, ...] = ()
    removed: tuple[str, ...] = ()
    breaking: tuple[Breaking, ...] = ()
    fresh: tuple[str, ...] = ()
    afterwards: tuple[str, ...] = ()
    task_runs: int = 0


def how_changed(versions: Iterable[str], code_version: str, why: Iterable[Freshness]) -> How:
    """What kind of change it is. `versions`: of the code that made what there is of it; `why` it would be made."""
    made = list(versions)
    if not made:
        return "added"
    if any(one and code_version and one != code_version for one in made):
        return "changed"
    why = list(why)
    stale = [one for one in why if one.state == "stale"]
    if any(not is_passed_on(reason) for one in stale for reason in one.reasons):
        return "stale"
    return "downstream" if stale else "missing"


def counted(why: Mapping[str, Freshness], partitions: Collection[str]) -> tuple[tuple[str, int], ...]:
    """The reasons of one asset with how many of its partitions have each; most frequent first."""
    counts: dict[str, int] = {}
    for partition in partitions:
        if partition in why:
            text = "; ".join(why[partition].reasons)
            counts[text] = counts.get(text, 0) + 1
    return tuple(sorted(counts.items(), key=lambda item: -item[1]))
