"""Subsets of an asset's partitions as the bits of one integer: bit i is the i-th partition.

Unions, intersections and differences of 100,000 partitions are `|`, `&` and `& ~` of 12 kB; nothing here knows keys.
The surprising rule: an asset without partitions has one, so that its subsets are 0 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

NOTHING = 0


def full(count: int) -> int:
    """All of `count` partitions."""
    return (1 << count) - 1


def of(places: Iterable[int]) -> int:
    """The subset of these places."""
    found = list(places)
    if len(found) < 8:
        bits = 0
        for place in found:
            bits |= 1 << place
        return bits
    buffer = bytearray(max(found) // 8 + 1)
    for place in found:
        buffer[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(buffer, "little")


def places(bits: int) -> Iterator[int]:
    """The places of a subset, ascending; in time linear in the last of them, at the speed of a text search."""
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)


def runs(bits: int) -> Iterator[tuple[int, int]]:
    """The subset as ranges: the first and the last place of each, ascending."""
    text = bin(bits)[:1:-1]
    first = text.find("1")
    while first >= 0:
        end = text.find("0", first)
        if end < 0:
            yield first, len(text) - 1
            return
        yield first, end - 1
        first = text.find("1", end)


def encoded(bits: int) -> str:
    """The subset as text: hexadecimal."""
    return f"{bits:x}"


def decoded(text: str) -> int:
    """The inverse of `encoded`."""
    return int(text, 16)
