"""Reads the code blocks of a Markdown page that readers are meant to run.

Three kinds are run: ```python, ```console (lines after `$ ` are commands, the others what they must print), and any
block with `title="file"` in its info string, which is a file of the reader's. A comment
`<!-- no-run: reason -->` above a block takes it out, and must give a reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<ticks>`{3,})[ \t]*(?P<language>[\w+-]*)[ \t]*(?P<info>[^`]*)$")
TITLE = re.compile(r'title="(?P<name>[^"]+)"')
NO_RUN = re.compile(r"<!--\s*no-run\b:?\s*(?P<reason>.*?)\s*-->")


class PageError(Exception):
    """A page's code blocks cannot be read, or do not do what the page says."""


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is the page's line of its first line of code, counted from 1."""

    language: str
    code: str
    line: int
    file: str | None = None


@dataclass(frozen=True)
class Command:
    """One command of a console block and the lines that its output must contain."""

    text: str
    expected: tuple[str, ...]


def blocks_to_run(page: Path) -> list[Block]:
    """The page's blocks in order, without those of other languages and those marked no-run."""
    return [block for block in _blocks(page) if block.file or block.language in ("python", "console")]


def commands(block: Block) -> list[Command]:
    """The commands of a console block; output lines with `...` stand for anything and are left out."""
    found: list[tuple[str, list[str]]] = []
    lines = iter(block.code.splitlines())
    for line in lines:
        if line.startswith("$ "):
            text = line[2:]
            while text.endswith("\\"):
                text = f"{text}\n{next(lines, '')}"
            found.append((text, []))
        elif line.strip() and not found:
            raise PageError(f"line {block.line}: a console block starts with output; begin commands with `$ `")
        elif line.strip() and "..." not in line:
            found[-1][1].append(line.strip())
    return [Command(text, tuple(expected)) for text, expected in found]


def _blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    above = ""
    while number < len(lines):
        opening = FENCE.match(lines[number])
        number += 1
        if opening is None:
            above = lines[number - 1].strip() or above
            continue
        first = number
        closing = re.compile(rf"^\s*{opening['ticks']}`*\s*$")
        while number < len(lines) and not closing.match(lines[number]):
            number += 1
        if number == len(lines):
            raise PageError(f"line {first}: this code block is never closed")
        if not _is_left_out(above, first):
            code = dedent("\n".join(lines[first:number])) + "\n"
            title = TITLE.search(opening["info"])
            yield Block(opening["language"], code, first + 1, title["name"] if title else None)
        number += 1
        above = ""


def _is_left_out(above: str, line: int) -> bool:
    mark = NO_RUN.fullmatch(above)
    if mark and not mark["reason"]:
        raise PageError(f"line {line}: no-run without a reason; write <!-- no-run: reason -->")
    return mark is not None
