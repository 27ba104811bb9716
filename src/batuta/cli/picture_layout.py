"""Where the nodes of a picture stand: lanes side by side, in each lane columns by depth, few crossings. Pure.

A layered layout: edges that pass over columns get a way point in each, which takes a little room of its own, so that
no edge runs behind a node. Rows are ordered, and then placed, by the mean of the neighbours, over a few sweeps back and
forth; linear in nodes, edges and way points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SWEEPS = 8


@dataclass
class Lane:
    """A vertical stripe: its name and its nodes, in columns."""

    name: str
    keys: list[str]
    columns: list[list[str]] = field(default_factory=list)
    x: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Sizes:
    """Measures in pixels."""

    node_width: float = 222.0
    node_height: float = 50.0
    gap_x: float = 60.0
    gap_y: float = 18.0
    way_height: float = 6.0
    lane_padding: float = 24.0
    lane_gap: float = 28.0
    head: float = 66.0
    foot: float = 46.0


@dataclass
class Layout:
    """Lanes with their places, the left upper corner of each node, and the way points of long edges."""

    lanes: list[Lane]
    places: dict[str, tuple[float, float]]
    ways: dict[tuple[str, str], list[tuple[float, float]]]
    width: float
    height: float


def lay_out(lanes: Sequence[Lane], ups: Mapping[str, Sequence[str]], sizes: Sizes) -> Layout:
    """Place all nodes. Lanes without nodes are left out."""
    shown = [lane for lane in lanes if lane.keys]
    for lane in shown:
        lane.columns = _columns(lane.keys, ups)
    columns = [column for lane in shown for column in lane.columns]
    rows = _Rows(columns, ups, sizes)
    rows.order()
    rows.settle()
    return _measure(shown, rows, sizes)


def _columns(keys: Sequence[str], ups: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """By depth within the lane. A circle (a job that writes what it read) is cut where it is met again."""
    inside = set(keys)
    depth: dict[str, int] = {}
    for start in keys:
        stack: list[tuple[str, bool]] = [(start, False)]
        open_: set[str] = set()
        while stack:
            key, done = stack.pop()
            if done:
                above = [depth[up] + 1 for up in ups.get(key, ()) if up in inside and up in depth]
                depth[key] = max(above, default=0)
            elif key not in depth and key not in open_:
                open_.add(key)
                stack.append((key, True))
                stack += [(up, False) for up in ups.get(key, ()) if up in inside and up not in depth]
    columns: list[list[str]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for key in keys:
        columns[depth[key]].append(key)
    return [column for column in columns if column]


class _Rows:
    """All columns with their way points (integers), and the vertical middle of everything in them."""

    def __init__(self, columns: list[list[str]], ups: Mapping[str, Sequence[str]], sizes: Sizes) -> None:
        self.columns: list[list[str | int]] = [[*column] for column in columns]
        self.column_of = {key: i for i, column in enumerate(columns) for key in column}
        self.ways: dict[tuple[str, str], list[int]] = {}
        self.near: dict[str | int, list[str | int]] = {key: [] for key in self.column_of}
        self.middle: dict[str | int, float] = {}
        self._sizes = sizes
        self._count = 0
        for down in self.column_of:
            for up in ups.get(down, ()):
                if up in self.column_of:
                    self._connect(up, down)

    def _connect(self, up: str, down: str) -> None:
        last: str | int = up
        for i in range(self.column_of[up] + 1, self.column_of[down]):
            self._count += 1
            self.columns[i].append(self._count)
            self.near[self._count] = []
            self.ways.setdefault((up, down), []).append(self._count)
            self._join(last, self._count)
            last = self._count
        self._join(last, down)

    def _join(self, one: str | int, other: str | int) -> None:
        self.near[one].append(other)
        self.near[other].append(one)

    def order(self) -> None:
        """Few crossings: each column in the order of the mean relative row of the neighbours."""
        at: dict[str | int, float] = {}
        for column in self.columns:
            at.update({key: (i + 0.5) / len(column) for i, key in enumerate(column)})
        for sweep in range(SWEEPS):
            for column in self.columns if sweep % 2 == 0 else reversed(self.columns):
                mean = {key: _mean([at[other] for other in self.near[key]], at[key]) for key in column}
                column.sort(key=lambda key: mean[key])
                at.update({key: (i + 0.5) / len(column) for i, key in enumerate(column)})

    def settle(self) -> None:
        """Short, straight edges: each one moves towards its neighbours as far as the order allows."""
        for column in self.columns:
            y = 0.0
            for i, key in enumerate(column):
                y += self._distance(column[i - 1], key) if i else 0.0
                self.middle[key] = y
            for key in column:
                self.middle[key] -= y / 2
        for sweep in range(SWEEPS):
            for column in self.columns if sweep % 2 == 0 else reversed(self.columns):
                self._move(column)
        top = min((y - self._height(key) / 2 for key, y in self.middle.items()), default=0.0)
        for key in self.middle:
            self.middle[key] += self._sizes.head - top

    def _move(self, column: list[str | int]) -> None:
        wanted = [_mean([self.middle[other] for other in self.near[key]], self.middle[key]) for key in column]
        placed: list[float] = []
        for i, y in enumerate(wanted):
            placed.append(max(y, placed[-1] + self._distance(column[i - 1], column[i])) if placed else y)
        shift = sum(want - got for want, got in zip(wanted, placed, strict=True)) / max(len(column), 1)
        for key, y in zip(column, placed, strict=True):
            self.middle[key] = y + shift

    def _height(self, key: str | int) -> float:
        return self._sizes.way_height if isinstance(key, int) else self._sizes.node_height

    def _distance(self, above: str | int, below: str | int) -> float:
        return (self._height(above) + self._height(below)) / 2 + self._sizes.gap_y


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _measure(lanes: list[Lane], rows: _Rows, sizes: Sizes) -> Layout:
    places: dict[str, tuple[float, float]] = {}
    column_x: list[float] = []
    x = sizes.lane_gap
    for lane in lanes:
        lane.x = x
        at = x + sizes.lane_padding
        for column in lane.columns:
            column_x.append(at)
            places.update({key: (at, rows.middle[key] - sizes.node_height / 2) for key in column})
            at += sizes.node_width + sizes.gap_x
        lane.width = at - sizes.gap_x + sizes.lane_padding - x
        x += lane.width + sizes.lane_gap
    ways = {
        edge: [(column_x[rows.column_of[edge[0]] + 1 + i], rows.middle[way]) for i, way in enumerate(points)]
        for edge, points in rows.ways.items()
    }
    bottom = max(rows.middle.values(), default=sizes.head) + sizes.node_height / 2
    return Layout(lanes, places, ways, x, bottom + sizes.foot)
