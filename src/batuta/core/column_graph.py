"""Lineage of columns over all assets, as one graph that answers what a column is made from and what is made from it.

Nodes are numbers; 200,000 of them are made in about a second, once per version of what is known, and a changed asset
costs what it changes (`updated`): graphs are never changed, so that threads may share them. A node whose column is ""
stands for the rows of its asset: what leads to it decides which rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from batuta.core.columns import ANY_COLUMN, ColumnLineage, ColumnSource
from batuta.core.errors import RequestError
from batuta.core.similar import similar

ROWS = ""
"""The column that stands for the rows of an asset."""

NOTHING = ColumnLineage()
_NONE: Mapping[str, int] = {}
_UNKNOWN = "nothing is known of its columns yet: they are known once it was made, or declared with columns="


class ColumnRef(NamedTuple):
    """A column of an asset; `column` is "" for its rows, "*" for all that are not named."""

    asset: str
    column: str

    def __str__(self) -> str:
        return f"{self.asset}.{self.column}" if self.column else self.asset


class ColumnTrace(NamedTuple):
    """What was reached from the first of `columns`, nearest first, and how many steps away each is.

    The i-th edge leads from `columns[sources[i]]` down to `columns[targets[i]]`; `kinds[i]` is how the one counts in
    the other.
    """

    columns: list[ColumnRef]
    distances: list[int]
    sources: list[int]
    targets: list[int]
    kinds: list[str]


class ColumnGraph:
    """See the module. `build` makes one of what is known of each asset."""

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, int]] = {}  # by asset, by column
        self._refs: list[ColumnRef] = []
        self._ups: list[tuple[int, ...]] = []
        self._kinds: list[tuple[str, ...]] = []
        self._downs: list[tuple[int, ...]] = []
        self._down_kinds: list[tuple[str, ...]] = []
        self._known: dict[str, tuple[str, ...]] = {}
        self._lineages: dict[str, ColumnLineage] = {}
        self._deciders: set[int] = set()  # columns that decide which rows some asset has
        self._folded: dict[str, dict[str, str]] = {}  # by asset: names by how they are compared
        self._own: set[str] = set()  # assets whose nodes are not shared with the graph that this one was made of

    @classmethod
    def build(
        cls, lineages: Mapping[str, ColumnLineage], known: Mapping[str, Sequence[str]] | None = None
    ) -> ColumnGraph:
        """The graph. `known`: columns that assets are known to have, in their order, with or without a lineage."""
        return cls().updated(lineages, known or {})

    # ---- making it ----

    def updated(
        self,
        lineages: Mapping[str, ColumnLineage],
        known: Mapping[str, Sequence[str]] | None = None,
        gone: Iterable[str] = (),
    ) -> ColumnGraph:
        """Another graph, in which these assets have this lineage and these known columns, and others are gone."""
        made = self._copy()
        known = known or {}
        changed = [key for key, one in lineages.items() if self._lineages.get(key) is not one]
        changed += [key for key, names in known.items() if key not in lineages and self._known.get(key) != tuple(names)]
        leaving = [key for key in gone if key in self._nodes]
        touched = dict.fromkeys((*changed, *leaving))
        for key in (*changed, *leaving):
            touched |= dict.fromkeys(made._disconnect(key))
        for key in leaving:
            made._lineages.pop(key, None)
            made._known.pop(key, None)
        for key in changed:
            if key in lineages:
                made._lineages[key] = lineages[key]
            made._known[key] = tuple(known.get(key, made._known.get(key, ())))
            made._name(key)
        downs: dict[int, list[tuple[int, str]]] = {}
        for key in changed:
            made._connect(key, made._lineages.get(key, NOTHING), downs)
        for node, new in downs.items():
            made._downs[node] += tuple([down for down, _ in new])
            made._down_kinds[node] += tuple([kind for _, kind in new])
        for key in touched:
            made._prune(key)
        return made

    def _copy(self) -> ColumnGraph:
        made = ColumnGraph()
        made._nodes = dict(self._nodes)
        made._refs, made._ups, made._kinds = list(self._refs), list(self._ups), list(self._kinds)
        made._downs, made._down_kinds = list(self._downs), list(self._down_kinds)
        made._deciders = set(self._deciders)
        made._known, made._lineages = dict(self._known), dict(self._lineages)
        return made

    def _name(self, asset: str) -> None:
        """Give nodes to the columns that an asset is known to have, in their order."""
        kept = dict(self._nodes.get(asset, {}))
        wanted = _spelled_once((*self._known[asset], *self._lineages.get(asset, NOTHING).columns))
        others = {name.casefold(): name for name in kept if name not in wanted}
        nodes: dict[str, int] = {}
        for name in wanted:
            other = name if name in kept else others.pop(name.casefold(), None)
            if other is None:
                nodes[name] = self._node(asset, name)
            else:  # its own spelling takes the place of that of whoever reads it
                nodes[name] = kept.pop(other)
                self._refs[nodes[name]] = ColumnRef(asset, name)
        self._nodes[asset] = nodes | kept
        self._own.add(asset)

    def _node(self, asset: str, column: str) -> int:
        self._refs.append(ColumnRef(asset, column))
        self._ups.append(())
        self._kinds.append(())
        self._downs.append(())
        self._down_kinds.append(())
        return len(self._refs) - 1

    def _disconnect(self, asset: str) -> set[str]:
        """Take away what leads to the columns of an asset; the assets that it led from."""
        above = set()
        for node in self._nodes.get(asset, {}).values():
            for up in self._ups[node]:
                above.add(self._refs[up].asset)
                place = self._downs[up].index(node)
                self._downs[up] = self._downs[up][:place] + self._downs[up][place + 1 :]
                self._down_kinds[up] = self._down_kinds[up][:place] + self._down_kinds[up][place + 1 :]
            self._ups[node] = self._kinds[node] = ()
        return above

    def _connect(self, asset: str, lineage: ColumnLineage, downs: dict[int, list[tuple[int, str]]]) -> None:
        nodes = self._nodes[asset]
        if lineage.rows and ROWS not in nodes:
            nodes[ROWS] = self._node(asset, ROWS)
        for name, sources in lineage.columns.items():
            self._lead(nodes[name] if name in nodes else self._resolved(asset, name), sources, downs)
        if lineage.rows:
            self._lead(nodes[ROWS], lineage.rows, downs)

    def _lead(self, node: int, sources: Sequence[ColumnSource], downs: dict[int, list[tuple[int, str]]]) -> None:
        kinds: dict[int, str] = {}
        for one in sources:
            up = self._resolved(one.asset, one.column)
            if up == node:
                continue  # an incremental asset that reads itself
            kinds[up] = one.kind if up not in kinds or kinds[up] == "identity" else kinds[up]
        if self._refs[node].column == ROWS:
            self._deciders.update(kinds)
        for up, kind in kinds.items():
            downs.setdefault(up, []).append((node, kind))
        self._ups[node], self._kinds[node] = tuple(kinds), tuple(kinds.values())

    def _resolved(self, asset: str, column: str) -> int:
        """The node of a column that something is made from: databases do not mind upper and lower case."""
        found = self._nodes.get(asset, _NONE).get(column)
        if found is not None:
            return found
        if asset not in self._own:
            self._own.add(asset)
            self._nodes[asset] = dict(self._nodes.get(asset, {}))
        nodes = self._nodes[asset]
        folded = self._folded.get(asset)
        if folded is None:
            folded = self._folded[asset] = {name.casefold(): name for name in nodes if name != ROWS}
        name = folded.setdefault(column.casefold(), column)
        if name not in nodes:
            nodes[name] = self._node(asset, name)
        return nodes[name]

    def _prune(self, asset: str) -> None:
        """Forget columns that nobody speaks of any more."""
        said = _spelled_once((*self._known.get(asset, ()), *self._lineages.get(asset, NOTHING).columns))
        nodes = self._nodes.get(asset, {})
        kept = {name: node for name, node in nodes.items() if name in said or self._ups[node] or self._downs[node]}
        if kept or asset in self._lineages or asset in self._known:
            self._nodes[asset] = kept
        else:
            self._nodes.pop(asset, None)

    # ---- asking it ----

    @property
    def assets(self) -> Collection[str]:
        """The assets of which columns are known."""
        return self._nodes.keys()

    def columns(self, asset: str) -> list[str]:
        """The columns of an asset, in their order; those that are only read by others come last."""
        return [name for name in self._nodes.get(asset, ()) if name not in (ROWS, ANY_COLUMN)]

    def is_known(self, asset: str) -> bool:
        """Whether it is known what the columns of an asset are made from, or that it is made of nothing here."""
        return asset in self._lineages

    def gaps(self, asset: str) -> tuple[str, ...]:
        """What is not known of the lineage of an asset."""
        return self._lineages.get(asset, NOTHING).gaps

    def find(self, asset: str, column: str) -> ColumnRef:
        """A column by its name, in whatever case. Raises RequestError with the nearest names.

        Of an asset whose columns are not known it is the one called `*`.
        """
        nodes = self._nodes.get(asset, {})
        if column in nodes and column != ROWS:
            return ColumnRef(asset, column)
        folded = [name for name in nodes if name.casefold() == column.casefold() and name != ROWS]
        if folded:
            return ColumnRef(asset, folded[0])
        names = self.columns(asset)
        if ANY_COLUMN in nodes:
            return ColumnRef(asset, ANY_COLUMN)
        shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        hint = similar(column, names) or (f"its columns are {shown}" if names else _UNKNOWN)
        raise RequestError(f"asset {asset!r} has no column {column!r} that is known", hint=hint)

    def sources(self, ref: ColumnRef) -> list[tuple[ColumnRef, str]]:
        """What leads to a column directly, and how."""
        node = self._nodes[ref.asset][ref.column]
        return [(self._refs[up], kind) for up, kind in zip(self._ups[node], self._kinds[node], strict=True)]

    def row_sources(self, asset: str) -> list[tuple[ColumnRef, str]]:
        """What decides which rows an asset has."""
        return self.sources(ColumnRef(asset, ROWS)) if ROWS in self._nodes.get(asset, {}) else []

    def upstream(self, *starts: ColumnRef, depth: int | None = None, rows: bool = False) -> ColumnTrace:
        """What columns are made from. With `rows` also what decides which rows their assets have."""
        found = self._trace(starts, self._ups, self._kinds, depth, self._decided_by if rows else None)
        return found._replace(sources=found.targets, targets=found.sources)

    def downstream(self, *starts: ColumnRef, depth: int | None = None, rows: bool = False) -> ColumnTrace:
        """What is made from columns. With `rows` also the assets whose rows they decide, and what is made of those."""
        return self._trace(starts, self._downs, self._down_kinds, depth, self._deciding if rows else self._no_rows)

    def _trace(
        self,
        starts: Iterable[ColumnRef],
        neighbours: list[tuple[int, ...]],
        kinds: list[tuple[str, ...]],
        depth: int | None,
        others: Callable[[int], Iterable[tuple[int, str]] | None] | None,
    ) -> ColumnTrace:
        """Breadth first, in one loop: the question of a column that 100,000 others are made from has to be quick.

        `others`: what is next of a node, where that is not just its neighbours.
        """
        order = list(dict.fromkeys(self._nodes[ref.asset][ref.column] for ref in starts))
        places = {node: place for place, node in enumerate(order)}
        distances = [0] * len(order)
        sources: list[int] = []
        targets: list[int] = []
        labels: list[str] = []
        for place, node in enumerate(order):  # it grows while we go through it
            away = distances[place] + 1
            ends = depth is not None and away > depth
            pairs = others(node) if others is not None else None
            for other, kind in zip(neighbours[node], kinds[node], strict=True) if pairs is None else pairs:
                found = places.get(other)
                if found is None:
                    if ends:
                        continue
                    found = places[other] = len(order)
                    order.append(other)
                    distances.append(away)
                sources.append(place)
                targets.append(found)
                labels.append(kind)
        refs = self._refs
        return ColumnTrace([refs[node] for node in order], distances, sources, targets, labels)

    def _decided_by(self, node: int) -> Iterable[tuple[int, str]] | None:
        """What a column and the rows of its asset are made from."""
        rows = self._nodes[self._refs[node].asset].get(ROWS)
        if rows is None or rows == node:
            return None
        return [*zip(self._ups[node], self._kinds[node], strict=True), (rows, "rows")]

    def _deciding(self, node: int) -> Iterable[tuple[int, str]] | None:
        """What is made from a column; of the rows of an asset all its columns are."""
        ref = self._refs[node]
        if ref.column != ROWS:
            return None
        return [(other, "rows") for other in self._nodes[ref.asset].values() if other != node]

    def _no_rows(self, node: int) -> Iterable[tuple[int, str]] | None:
        """What is made from a column, without the rows that it decides."""
        if node not in self._deciders:
            return None
        pairs = zip(self._downs[node], self._down_kinds[node], strict=True)
        return [(down, kind) for down, kind in pairs if self._refs[down].column != ROWS]


def _spelled_once(names: Iterable[str]) -> dict[str, None]:
    """Each name as it is spelled first: what is known of an asset says how, SQL and its readers may differ in case."""
    names = list(names)
    known = dict.fromkeys(names)
    if len({name.casefold() for name in known}) == len(known):
        return known
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.casefold(), name)
    return dict.fromkeys(first.values())


def split_column(name: str, assets: Collection[str]) -> tuple[str, str]:
    """The asset and the column of `gold.revenue.amount`; the column is "" where the name is an asset's.

    The longest asset counts. Raises RequestError where there is none.
    """
    if name in assets:
        return name, ""
    head = name
    while dot := head.rfind(".") + 1:
        head = head[: dot - 1]
        if head in assets:
            return head, name[len(head) + 1 :]
    raise RequestError(f"there is no asset in {name!r}", hint=similar(name, assets) or "write ASSET.COLUMN")
