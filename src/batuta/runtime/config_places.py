"""Where in a TOML file a setting stands, so that errors can name the line.

The standard library's parser does not tell. This reads headers and keys line by line, which is exact for settings on
lines of their own; of one inside an inline table or a list over several lines it finds the line where that begins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

Part = str | int
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, path: Sequence[Part]) -> int | None:
    """The line that sets what stands at `path`, or that of the nearest that it stands in; None where neither is there.

    `path` is made of names, and of numbers for the items of a list of tables.
    """
    best, line = 0, None
    for number, found in _settings(text):
        depth = _shared(found, path)
        if depth > best and (depth == len(found) or depth == len(path)):
            best, line = depth, number
    return line


def _settings(text: str) -> list[tuple[int, list[Part]]]:
    """Every header and key, with its line and full path."""
    table: list[Part] = []
    counts: dict[tuple[Part, ...], int] = {}
    found: list[tuple[int, list[Part]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header is not None:
            table = _numbered(_parts(header[2]), counts)
            if header[1] == "[[":
                counts[tuple(table)] = counts.get(tuple(table), -1) + 1
                table = [*table, counts[tuple(table)]]
            found.append((number, table))
        elif key := _KEY.match(line):
            found.append((number, [*table, *_parts(key[1])]))
    return found


def _parts(text: str) -> list[Part]:
    return [part.strip("\"'") for part in _PART.findall(text)]


def _numbered(parts: list[Part], counts: dict[tuple[Part, ...], int]) -> list[Part]:
    """`[a.b.c]` below `[[a.b]]` is in the last of those."""
    path: list[Part] = []
    for place, part in enumerate(parts):
        path.append(part)
        if tuple(path) in counts and place < len(parts) - 1:
            path.append(counts[tuple(path)])
    return path


def _shared(found: Sequence[Part], path: Sequence[Part]) -> int:
    depth = 0
    for one, other in zip(found, path, strict=False):
        if one != other:
            break
        depth += 1
    return depth
