"""SQL text cut into statements and tokens: several can be run, and parameters be bound in each driver's notation.

Parameters are written `:name` (or `?` for a list of them) and are always bound, never put into the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_TOKEN = re.compile(
    r"""
    (?P<quoted>'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*`)
  | (?P<dollar>\$(?P<tag>[A-Za-z_]\w*)?\$.*?\$(?P=tag)\$ | \$\$.*?\$\$)
  | (?P<comment>--[^\n]* | /\*.*?\*/)
  | (?P<cast>::)
  | :(?P<name>[A-Za-z_]\w*)
  | (?P<mark>\?)
  | (?P<end>;)
  | (?P<percent>%)
  | (?P<other>[^'"`$\-/:?;%]+ | .)
    """,
    re.VERBOSE | re.DOTALL,
)


class Statement:
    """One statement: its text with a placeholder of the driver for each parameter, and the parameters' names in order
    ("" for each `?`)."""

    __slots__ = ("names", "text")

    def __init__(self, text: str, names: list[str]) -> None:
        self.text = text
        self.names = names


def statements(sql: str, placeholder: Callable[[str], str], percent: str = "%") -> Iterator[Statement]:
    """The statements of `sql`, without those that are empty.

    `placeholder(name)` is how the driver writes a parameter; `percent` is how it writes a percent sign.
    """
    parts: list[str] = []
    names: list[str] = []
    empty = True
    for token in _TOKEN.finditer(sql):
        kind = token.lastgroup
        if kind == "end":
            if not empty:
                yield Statement("".join(parts).strip(), names)
            parts, names, empty = [], [], True
            continue
        if kind in ("name", "mark"):
            name = token["name"] or ""
            names.append(name)
            parts.append(placeholder(name))
        else:
            parts.append(token[0].replace("%", percent))
        if kind != "comment" and token[0].strip():
            empty = False
    if not empty:
        yield Statement("".join(parts).strip(), names)
