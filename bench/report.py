"""Figures as tables. A cell whose size is not the column's says which; what failed is a footnote, never a zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.measure import Figure
from bench.peers.catalog import PEERS
from bench.workloads import ALL, MEMORY, RUN_WORKLOADS, Workload

REFERENCE = ("batuta", "sqlite-processes-flow")
"""Whose time a ratio is told against."""
FLOOR = "concurrent.futures"
NONE = "-"


@dataclass(frozen=True)
class Column:
    """A workload at the size that Batuta does it at."""

    workload: Workload
    size: int

    @property
    def title(self) -> str:
        if self.workload.name in ("memory", "assets") or self.size > 1:
            return f"{self.workload.title} {self.size:,}, {self.workload.unit}"
        return f"{self.workload.title}, {self.workload.unit}"


@dataclass
class Table:
    """Rows of text, the first of which is the head; `notes` are numbered from 1."""

    title: str
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """For a terminal: columns aligned."""
        widths = [max(len(row[i]) for row in self.rows) for i in range(len(self.rows[0]))]
        lines = [self.title, ""]
        for row in self.rows:
            cells = [
                cell.ljust(width) if i == 0 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, *self._notes()])

    def markdown(self) -> str:
        """For a page."""
        head, *rows = self.rows
        lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join([*lines, *self._notes()])

    def _notes(self) -> list[str]:
        return ["", *(f"[{number}] {note}" for number, note in enumerate(self.notes, 1))] if self.notes else []


class Report:
    """All figures of one run of the bench."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self.figures = figures
        self.columns = self._columns()
        self.contenders = list(dict.fromkeys((figure.contender, figure.variant) for figure in figures))

    def _columns(self) -> list[Column]:
        """Those sizes that Batuta (or, without it, anybody) was measured at."""
        own = [figure for figure in self.figures if figure.contender in ("batuta", FLOOR)] or self.figures
        known = {(figure.workload, figure.size) for figure in own}
        known |= {(f.workload, f.size) for f in self.figures if f.workload not in {workload for workload, _ in known}}
        order = list(ALL)
        return [Column(ALL[name], size) for name, size in sorted(known, key=lambda one: (order.index(one[0]), one[1]))]

    def figure(self, contender: tuple[str, str], column: Column) -> Figure | None:
        """What a contender did in a column: at its size, or, in the first column of the workload, at its own."""
        of_workload = [
            f for f in self.figures if (f.contender, f.variant) == contender and f.workload == column.workload.name
        ]
        for figure in of_workload:
            if figure.size == column.size:
                return figure
        sizes = {other.size for other in self.columns if other.workload is column.workload}
        if column.size == min(sizes):
            return next((figure for figure in of_workload if figure.size not in sizes), None)
        return None

    def tables(self) -> list[Table]:
        """Everything: figures, starts, and time relative to the reference."""
        work = (*RUN_WORKLOADS, MEMORY)
        runs = [column for column in self.columns if column.workload in work]
        starts = [column for column in self.columns if column.workload not in work]
        tables = []
        for title, columns in (("Work", runs), ("Starting", starts)):
            if columns:
                tables.append(self._table(title, columns))
        if runs and REFERENCE in self.contenders:
            tables.append(self._ratios([column for column in runs if column.workload.unit != "MB"]))
        return tables

    def _table(self, title: str, columns: list[Column]) -> Table:
        table = Table(title, [["", *(column.title for column in columns)]])
        for contender in self.contenders:
            cells = [self._cell(self.figure(contender, column), column, table.notes) for column in columns]
            if any(cell != NONE for cell in cells):
                table.rows.append([title_of(contender), *cells])
        return table

    def _cell(self, figure: Figure | None, column: Column, notes: list[str]) -> str:
        if figure is None:
            return NONE
        value = value_of(figure)
        if value is None:
            notes.append(
                f"{title_of((figure.contender, figure.variant))}, {figure.workload} {figure.size:,}: {figure.error}"
            )
            return f"failed [{len(notes)}]"
        size = "" if figure.size == column.size else f" ({figure.size:,})"
        return f"{number(value)}{size}"

    def _ratios(self, columns: list[Column]) -> Table:
        title = f"Time per task, relative to {title_of(REFERENCE)} (2x: twice as long)"
        table = Table(title, [["", *(f"{column.workload.title} {column.size:,}" for column in columns)]])
        for contender in self.contenders:
            cells = [self.ratio(contender, REFERENCE, column) or NONE for column in columns]
            if any(cell != NONE for cell in cells):
                table.rows.append([title_of(contender), *cells])
        return table

    def ratio(self, contender: tuple[str, str], reference: tuple[str, str], column: Column) -> str | None:
        """How many times as long a contender takes for each task."""
        each, of_reference = per_task_s(self.figure(contender, column)), per_task_s(self.figure(reference, column))
        return None if each is None or of_reference is None else f"{number(each / of_reference)}x"

    # ---- for the README ----

    def short(self) -> Table:
        """Workloads down, the best known of each contender across, with how many times Batuta's time they took."""
        shown = [(title, names) for title, names in self._short_columns() if names]
        table = Table("", [["", *(title for title, _names in shown)]])
        for column in self.columns:
            if column.workload.name == "import_names":
                continue
            cells = [self._short_cell(names, shown[0][1], column, table.notes) for _title, names in shown]
            table.rows.append([column.title, *cells])
        return table

    def _short_columns(self) -> list[tuple[str, list[tuple[str, str]]]]:
        def variants(contender: str, part: str = "") -> list[tuple[str, str]]:
            return [one for one in self.contenders if one[0] == contender and (part in one[1] or not one[1])]

        columns = [
            ("Batuta, SQLite", variants("batuta", "sqlite-processes")),
            ("Batuta, PostgreSQL", [one for one in variants("batuta", "postgres-processes") if one[1]]),
            ("bare process pool", variants(FLOOR, "processes")),
        ]
        return columns + [(peer.title, variants(name)) for name, peer in PEERS.items()]

    def _short_cell(
        self, names: list[tuple[str, str]], reference: list[tuple[str, str]], column: Column, notes: list[str]
    ) -> str:
        best = self._best(names, column)
        if best is None:
            failed = next((figure for name in names if (figure := self.figure(name, column))), None)
            return self._cell(failed, column, notes)
        told = self._cell(best, column, notes)
        own = self._best(reference, column)
        if best.contender == "batuta" or own is None or column.workload.unit == "MB":
            return told
        each, of_reference = per_task_s(best), per_task_s(own)
        if each is None or of_reference is None:
            return told
        return f"{told}, {number(each / of_reference)}x"

    def _best(self, names: list[tuple[str, str]], column: Column) -> Figure | None:
        figures = [figure for name in names if (figure := self.figure(name, column)) and value_of(figure) is not None]
        rank = value_of if column.workload.unit == "MB" else per_task_s
        return min(figures, key=lambda figure: rank(figure) or 0.0) if figures else None


def value_of(figure: Figure) -> float | None:
    """A figure in the unit of its workload; None where there is none."""
    workload = ALL[figure.workload]
    if workload.unit == "MB":
        return None if figure.error else figure.peak_mb
    return None if figure.median_s is None else workload.value(figure.median_s, figure.size)


def per_task_s(figure: Figure | None) -> float | None:
    """Seconds per task (or run, or asset)."""
    if figure is None or figure.median_s is None:
        return None
    return figure.median_s / figure.size


def title_of(contender: tuple[str, str]) -> str:
    """A contender as people read it."""
    name, variant = contender
    title = PEERS[name].title if name in PEERS else {"batuta": "Batuta"}.get(name, name)
    words = variant.replace("-", ", ").replace("sqlite", "SQLite").replace("postgres", "PostgreSQL").replace("_", "-")
    return f"{title}: {words}" if words else title


def number(value: float) -> str:
    """Three digits that count; thousands with commas."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 1 else f"{value:.2g}"
