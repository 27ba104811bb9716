"""Where in the source something is defined: what errors and listings point at."""

from __future__ import annotations

import msgspec


class Place(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where in the source something is defined."""

    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        if not self.file:
            return "unknown place"
        return f"{self.file}:{self.line}" if self.line else self.file


def place_of(where: str) -> Place:
    """The place that a text names: `file:line`, or a file alone."""
    file, _, line = where.rpartition(":")
    return Place(file, int(line)) if file and line.isdigit() else Place(where)
