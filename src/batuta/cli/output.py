"""What commands print: text for people, one JSON document for programs. Colours go where a terminal is.

Surprising: with `--json`, whatever else writes to standard output (user code at import, say) ends up on standard error,
so that the document stands alone.
"""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TextIO, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_json_stream: TextIO | None = None


@dataclass(frozen=True)
class Output:
    """How this command was asked to print."""

    json: bool = False
    quiet: bool = False

    def say(self, text: str = "") -> None:
        """A line that was asked for; only `--json` leaves it out."""
        if not self.json:
            click.echo(text)

    def note(self, text: str) -> None:
        """A remark beside the answer, on standard error; `--quiet` leaves it out."""
        if not self.quiet and not self.json:
            click.echo(text, err=True)

    def warn(self, text: str) -> None:
        """Something that the user should know, on standard error in every case."""
        click.echo(text, err=True)

    def document(self, data: Any) -> None:
        """The JSON document, if that is what was asked for."""
        if self.json:
            print_json(data)


def output_options(command: F) -> F:
    """Give a command `--json` and `--quiet`, as the argument `out`."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
    @click.option("-q", "--quiet", is_flag=True, help="Print only what was asked for.")
    @wraps(command)
    def wrapped(*args: Any, as_json: bool, quiet: bool, **kwargs: Any) -> Any:
        if as_json:
            guard_stdout()
        return command(*args, out=Output(as_json, quiet), **kwargs)

    return wrapped  # type: ignore[return-value]


def guard_stdout() -> None:
    """Keep standard output for JSON: what others print goes to standard error."""
    global _json_stream
    if _json_stream is not None:
        return
    try:
        own = os.dup(1)
        os.dup2(2, 1)
    except OSError:
        return  # one of the two is closed: there is nothing to keep apart
    os.set_inheritable(own, False)
    _json_stream = open(own, "w", encoding="utf-8")  # noqa: SIM115 - open until the process ends


def print_json(data: Any) -> None:
    """One JSON document, or one JSON line of many, on a line of its own."""
    import msgspec

    text = msgspec.json.encode(data, enc_hook=str).decode()
    stream = _json_stream or sys.stdout
    stream.write(text + "\n")
    stream.flush()


def print_text(text: str) -> None:
    """Text that is a document of its own, where JSON would go too."""
    stream = _json_stream or sys.stdout
    click.echo(text, file=stream)
    stream.flush()


def terminal_width() -> int:
    """Columns of the terminal; effectively unlimited where the output is none."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100_000


@dataclass(frozen=True)
class Cell:
    """A styled cell of a table."""

    text: str
    fg: str | None = None
    bold: bool = False
    dim: bool = False

    def styled(self, text: str) -> str:
        """`text`, cut or padded from this cell's, in its style."""
        if self.fg or self.bold or self.dim:
            return click.style(text, fg=self.fg, bold=self.bold or None, dim=self.dim or None)
        return text


Row = Sequence[str | Cell]


def table(headers: Sequence[str], rows: Iterable[Row], *, indent: str = "", right: Iterable[int] = ()) -> str:
    """Aligned columns; in a terminal the widest ones are cut to its width. `right`: columns aligned to the right."""
    cells = [[cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row] for row in rows]
    columns = range(len(headers))
    widths = [max([columns_of(headers[i]), *(columns_of(row[i].text) for row in cells)]) for i in columns]
    shrink(widths, terminal_width() - len(indent) - 2 * (len(headers) - 1), [max(6, len(name)) for name in headers])
    aligned = set(right)
    head = [Cell(name, dim=True) for name in headers]
    lines = [head, *cells] if any(headers) else cells
    return "\n".join(indent + _line(line, widths, aligned) for line in lines)


def _line(cells: Sequence[Cell], widths: Sequence[int], right: set[int]) -> str:
    last = max((i for i, cell in enumerate(cells) if cell.text), default=-1)
    parts = []
    for i, (cell, width) in enumerate(zip(cells[: last + 1], widths, strict=False)):
        text = cut(cell.text, width)
        padding = " " * (width - columns_of(text))
        styled = cell.styled(text)
        parts.append(padding + styled if i in right else styled if i == last else styled + padding)
    return "  ".join(parts)


def shrink(widths: list[int], room: int, least: Sequence[int]) -> None:
    """Make the widest columns narrower until all fit into `room`, none below its `least`."""
    while sum(widths) > room:
        candidates = [i for i, width in enumerate(widths) if width > least[i]]
        if not candidates:
            return
        widest = max(candidates, key=lambda i: widths[i])
        widths[widest] -= 1


def columns_of(text: str) -> int:
    """How many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def cut(text: str, width: int) -> str:
    """At most `width` columns of the first line of `text`."""
    text = text.partition("\n")[0]
    if columns_of(text) <= width:
        return text
    while text and columns_of(text) > width - 1:
        text = text[:-1]
    return text + "…"


STATE_COLORS = {
    "succeeded": "green",
    "failed": "red",
    "upstream_failed": "yellow",
    "skipped": "bright_black",
    "cancelled": "magenta",
    "cancelling": "magenta",
    "running": "cyan",
    "retrying": "yellow",
    "paused": "yellow",
    "deferred": "blue",
    "queued": "blue",
}
STATE_SIGNS = {
    "succeeded": "✓",
    "failed": "✗",
    "upstream_failed": "⊘",
    "skipped": "-",
    "cancelled": "⊘",
    "running": "●",
    "retrying": "↻",
    "paused": "?",
}


def state_cell(state: str) -> Cell:
    """A state in its colour."""
    return Cell(state.replace("_", " "), STATE_COLORS.get(state))


def styled_state(state: str) -> str:
    """A state in its colour, as text."""
    return click.style(state.replace("_", " "), fg=STATE_COLORS.get(state))
