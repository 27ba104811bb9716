"""Finding by words: what has all of them is found. Pure.

What has the words in its name comes before what has them in its text; a name that begins with them comes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from batuta.core.definitions import AssetSpec

T = TypeVar("T")


def best(entries: Iterable[tuple[T, str, str]], text: str, limit: int) -> list[T]:
    """The best of entries, each with its name and the text that is looked through, in lower case."""
    words = text.lower().split()
    if not words:
        return []
    ranked: list[tuple[int, int, str, int, T]] = []
    for number, (entry, name, haystack) in enumerate(entries):
        title = name.lower()
        if all(word in haystack for word in words):
            in_title = all(word in title for word in words)
            rank = 0 if title == text.lower() else 1 if title.startswith(words[0]) else 2 if in_title else 3
            ranked.append((rank, len(title), title, number, entry))
    ranked.sort(key=lambda item: item[:4])
    return [entry for *_, entry in ranked[:limit]]


def text_of_asset(spec: AssetSpec, columns: Iterable[str] = (), terms: Iterable[str] = ()) -> str:
    """All by which an asset is found: key, description, layer, group, kinds, owners, tags, columns, terms."""
    tags = [f"{key}={value}" if value else key for key, value in spec.tags.items()]
    told = [f"{column.name} {column.description} {' '.join(column.tags)}" for column in spec.columns]
    parts = (spec.key, spec.description, spec.layer, spec.group, *spec.kinds, *spec.owners, *tags, *told)
    return " ".join((*parts, *columns, *terms)).lower()
