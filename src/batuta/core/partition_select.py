"""The language in which partitions are chosen on a command line or in a request.

    2025-01-31            one partition               eu,us                 a list
    2025-01-01..2025-01-31  a range, both ends included  2025-06-01..         open at one end
    2025-01               all partitions in a period  2024..2025-03         periods work as ends too
    latest, latest:7      the last one, the last 7    all, *, eu-*          everything, a glob
    day=2025-01..|region=eu,us   a choice per dimension; a dimension that is not named means all of it

Surprising rule: a key that exists always means itself first, so a static key called `all` or `a,b` can be chosen.
A complete key that does not exist is an error, also as an end of a range; a period takes what exists within it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from itertools import product

from batuta.core.errors import PartitionError
from batuta.core.partition_keys import NO_KEYS, check_dimensions, check_key, join_key, key_at, keys, reach, split_key
from batuta.core.partition_types import DynamicKeys, MultiPartitions, Partitions, SinglePartitions, TimePartitions
from batuta.core.timezones import zone

_PERIOD = "([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2})(?:[+-][0-9]{4,6})?)?)?)?"
_PARTS = {"monthly": 2, "weekly": 3, "daily": 3, "hourly": 4}  # parts of a complete key
_LATEST = "latest(?::([0-9]{1,9}))?"
_AFTER_ALL = "\U0010ffff"


def select(
    definition: Partitions,
    texts: str | Sequence[str],
    now: datetime,
    dynamic_keys: DynamicKeys = NO_KEYS,
    where: str | None = None,
) -> list[str]:
    """The existing partitions that `texts` (one choice, or several to be united) choose, each once, in order.

    Raises PartitionError where a choice does not parse, names what does not exist, or chooses nothing.
    """
    choices = [texts] if isinstance(texts, str) else list(texts)
    if not isinstance(definition, MultiPartitions):
        return _Universe(definition, now, dynamic_keys, where).select(choices)
    chosen = [_select_multi(definition, choice, now, dynamic_keys, where) for choice in choices]
    if len(chosen) == 1:
        return chosen[0]
    wanted = {key for part in chosen for key in part}
    return [key for key in keys(definition, now, dynamic_keys) if key in wanted]


def _select_multi(
    definition: MultiPartitions, text: str, now: datetime, dynamic_keys: DynamicKeys, where: str | None
) -> list[str]:
    names = sorted(definition.dimensions)
    if text.strip() in ("all", "*"):
        parts: dict[str, str] = {}
    elif "=" not in text:
        hint = f"say it per dimension, like '{names[0]}={text.strip() or 'all'}'; the dimensions are {', '.join(names)}"
        raise PartitionError(f"{text!r} does not say which dimension it is about", where=where, hint=hint)
    else:
        parts = split_key(text, where)
        check_dimensions(definition, parts, text, where, all_needed=False)
    per_dimension = [
        _Universe(definition.dimensions[name], now, dynamic_keys, f"{where or text}, {name}").select(
            [parts.get(name, "all")]
        )
        for name in names
    ]
    return [join_key(dict(zip(names, combination, strict=True))) for combination in product(*per_dimension)]


class _Universe:
    """The partitions of one definition among which is chosen."""

    def __init__(self, definition: SinglePartitions, now: datetime, dynamic: DynamicKeys, where: str | None) -> None:
        self.definition = definition
        self.now = now
        self.dynamic = dynamic
        self.where = where
        self.keys = keys(definition, now, dynamic)
        self.place = {key: i for i, key in enumerate(self.keys)}

    def select(self, choices: Iterable[str]) -> list[str]:
        places: set[int] = set()
        for choice in choices:
            terms = [choice] if choice in self.place else [term.strip() for term in choice.split(",")]
            for term in terms:
                found = self._term(term)
                if not found:
                    raise self._error(f"{term!r} chooses no partition")
                places.update(found)
        return [self.keys[i] for i in sorted(places)]

    def _term(self, term: str) -> Iterable[int]:
        if term in self.place:
            return (self.place[term],)
        if not term:
            raise self._error("an empty choice of partitions")
        if term in ("all", "*", ".."):
            return range(len(self.keys))
        if latest := re.fullmatch(_LATEST, term):
            return range(max(len(self.keys) - int(latest.group(1) or 1), 0), len(self.keys))
        if ".." in term:
            return self._range(term)
        if any(char in term for char in "*?["):
            return [i for i, key in enumerate(self.keys) if fnmatchcase(key, term)]
        return range(*self._bounds(term))

    def _range(self, term: str) -> range:
        first, _, last = (part.strip() for part in term.partition(".."))
        low = self._bounds(first)[0] if first else 0
        high = self._bounds(last)[1] if last else len(self.keys)
        if first and last and high <= low and self._bounds(last)[0] < self._bounds(first)[1]:
            raise self._error(f"the range {term!r} runs backwards", f"write '{last}..{first}'")
        return range(low, high)

    def _bounds(self, term: str) -> tuple[int, int]:
        """The places from and to which `term` reaches: one key, or a period of time."""
        if term in self.place:
            return self.place[term], self.place[term] + 1
        if isinstance(self.definition, TimePartitions) and (found := self._period(term, self.definition)):
            return found
        check_key(self.definition, term, self.now, self.dynamic, self.where)
        raise self._error(f"{term!r} chooses no partition")

    def _period(self, term: str, definition: TimePartitions) -> tuple[int, int] | None:
        match = re.fullmatch(_PERIOD, term)
        if match is None:
            return None
        year, month, day, hour = (int(part) if part else None for part in match.groups())
        try:
            date(year or 1, month or 1, day or 1)
        except ValueError:
            raise self._error(f"{term!r} is not a date") from None
        given = sum(part is not None for part in (year, month, day, hour))
        complete = _PARTS[definition.cadence]
        if given > complete:
            when = datetime(year or 1, month or 1, day or 1, min(hour or 0, 23), tzinfo=zone(definition.timezone))
            hint = f"it is in {key_at(definition, when)!r}"
            raise self._error(f"{term!r} is finer than {definition.cadence} partitions", hint)
        low, high = bisect_left(self.keys, term), bisect_right(self.keys, term + _AFTER_ALL)
        return None if given == complete and low == high else (low, high)

    def _error(self, what: str, hint: str | None = None) -> PartitionError:
        return PartitionError(what, where=self.where, hint=hint or reach(self.definition, self.now, self.dynamic))
