"""What the columns of a LazyFrame are made from, read off its plan before it runs.

Polars shows its plan as JSON of its own, which changes between versions: whatever is not understood is a gap that is
told, and nothing is guessed. Surprising: a plan that holds data in memory is not read at all, as they would be written
out with it.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from batuta.core.columns import ColumnLineage, ColumnSource

Sources = dict[tuple[str, str], str]
_RANK = {"identity": 0, "transformed": 1, "aggregated": 2}
PLAN_CHARS_MAX = 2_000_000


class NotReadable(Exception):
    """Why a plan, or a part of it, tells nothing."""


class _Table:
    """What one node of a plan gives."""

    def __init__(self, columns: dict[str, Sources], rows: Sources | None = None) -> None:
        self.columns = columns
        self.rows: Sources = rows or {}


def scanned(frame: Any) -> list[str]:
    """The files that a LazyFrame scans. Raises NotReadable."""
    return list(dict.fromkeys(_paths(_plan(frame))))


def lineage_of_plan(frame: Any, assets: Mapping[str, str]) -> ColumnLineage:
    """The lineage of a LazyFrame. `assets`: which asset each file is of, by its path. Raises NotReadable."""
    reader = _Reader(assets)
    found = reader.table(_plan(frame))
    columns = {name: _told(sources) for name, sources in found.columns.items()}
    return ColumnLineage(columns, _told(found.rows), tuple(reader.gaps))


def _told(sources: Sources) -> tuple[ColumnSource, ...]:
    return tuple(ColumnSource(asset, column, kind) for (asset, column), kind in sources.items())  # type: ignore[arg-type]


def _plan(frame: Any) -> dict[str, Any]:
    shown = frame.explain(optimized=False)
    if "DF [" in shown or "in-mem" in shown or "PYTHON SCAN" in shown:
        raise NotReadable("its plan holds data in memory")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the format is not a stable one, which is what this module is about
        text = frame.serialize(format="json")
    if len(text) > PLAN_CHARS_MAX:
        raise NotReadable("its plan is too large to be looked at")
    found: dict[str, Any] = json.loads(text)
    return found


def _paths(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        scan = node.get("Scan")
        if isinstance(scan, dict):
            yield from _paths_of(scan)
        for value in node.values():
            yield from _paths(value)
    elif isinstance(node, list):
        for value in node:
            yield from _paths(value)


def _paths_of(scan: Mapping[str, Any]) -> list[str]:
    sources = scan.get("sources")
    paths = sources.get("Paths") if isinstance(sources, dict) else None
    if not isinstance(paths, list):
        raise NotReadable("it scans something else than files")
    dataset = (scan.get("scan_type") or {}).get("PythonDataset") if isinstance(scan.get("scan_type"), dict) else None
    if dataset is not None:
        return [_table_of(bytes(dataset["dataset_object"]["dataset_object"]))]
    if not paths:
        raise NotReadable("it scans something else than files")
    return [one["inner"] if isinstance(one, dict) else str(one) for one in paths]


_TABLE = re.compile(rb"(?:[a-z][a-z0-9+.-]*:/)?/[^\x00-\x20\"']+(?:\.metadata\.json|\.delta)\b")


def _table_of(pickled: bytes) -> str:
    """What tells a table of Delta or Iceberg from others: the address that stands in what Polars knows of it."""
    found = _TABLE.search(pickled)
    if found is None:
        raise NotReadable("it scans a table whose address it does not show")
    return found[0].decode("utf-8", "replace")


class _Reader:
    def __init__(self, assets: Mapping[str, str]) -> None:
        self.assets = assets
        self.gaps: dict[str, None] = {}

    def table(self, node: Any) -> _Table:
        """What a node gives."""
        if not isinstance(node, dict) or len(node) != 1:
            raise NotReadable("its plan has a form that is not known")
        ((name, body),) = node.items()
        read: Callable[[Any, Any], _Table] | None = getattr(self, f"_{name.lower()}", None)
        if read is None:
            raise NotReadable(f"{name} of its plan is not understood")
        return read(node, body)

    # ---- nodes ----

    def _scan(self, node: Any, body: Any) -> _Table:
        paths = _paths_of(body)
        assets = {self.assets.get(path, "") for path in paths}
        names = _schema(node)
        if "" in assets:
            self.gaps[f"it scans {paths[0]}, which is no asset"] = None
        known = sorted(asset for asset in assets if asset)
        given = body.get("unified_scan_args") or {}
        own = {(given.get("row_index") or {}).get("name"), given.get("include_file_paths")}
        return _Table({name: {} if name in own else {(asset, name): "identity" for asset in known} for name in names})

    def _ir(self, node: Any, body: Any) -> _Table:
        """A plan that somebody has asked for its schema: what it was is still there."""
        return self.table(body["dsl"])

    def _filter(self, node: Any, body: Any) -> _Table:
        found = self.table(body["input"])
        return _Table(found.columns, self._deciding(found, [body["predicate"]], "filter"))

    def _select(self, node: Any, body: Any) -> _Table:
        found = self.table(body["input"])
        return _Table(self._projected(found, body.get("expr") or body.get("exprs"), _schema(node)), found.rows)

    def _hstack(self, node: Any, body: Any) -> _Table:
        found = self.table(body["input"])
        return _Table(found.columns | self._projected(found, body["exprs"], _schema(node)), found.rows)

    def _groupby(self, node: Any, body: Any) -> _Table:
        found = self.table(body["input"])
        names = _schema(node)
        columns = self._projected(found, body["keys"], names)
        made = self._projected(found, body["aggs"], [name for name in names if name not in columns], "aggregated")
        if body.get("apply") is not None:
            raise NotReadable("it applies a Python function to groups")
        return _Table(columns | made, self._deciding(found, body["keys"], "group"))

    def _join(self, node: Any, body: Any) -> _Table:
        left, right = self.table(body["input_left"]), self.table(body["input_right"])
        options = body["options"]["args"]
        suffix = options.get("suffix") or "_right"
        on = body.get("condition", {}).get("Equi") or {"left_on": body.get("left_on"), "right_on": body.get("right_on")}
        rows = _joined(
            self._deciding(left, on["left_on"] or (), "join"), self._deciding(right, on["right_on"] or (), "join")
        )
        columns: dict[str, Sources] = {}
        for name in _schema(node):
            if name in left.columns:
                columns[name] = left.columns[name]
            elif name in right.columns:
                columns[name] = right.columns[name]
            else:
                columns[name] = right.columns.get(name.removesuffix(suffix), {})
        if options.get("how") in ("Full", "Right"):  # a key may come from either side
            for first, second in zip(on["left_on"] or (), on["right_on"] or (), strict=False):
                for name in {*_names(first), *_names(second)} & columns.keys():
                    columns[name] = _joined(columns[name], self._values(right, second), self._values(left, first))
        return _Table(columns, rows)

    def _distinct(self, node: Any, body: Any) -> _Table:
        found = self.table(body["input"])
        subset = (body.get("options") or {}).get("subset") or []
        return _Table(found.columns, self._deciding(found, subset, "distinct"))

    def _sort(self, node: Any, body: Any) -> _Table:
        found = self.table(body["input"])
        chooses = body.get("slice") is not None or (body.get("sort_options") or {}).get("limit") is not None
        return _Table(found.columns, self._deciding(found, body["by_column"], "sort") if chooses else found.rows)

    def _slice(self, node: Any, body: Any) -> _Table:
        inner = body["input"]
        found = self.table(inner)
        if isinstance(inner, dict) and "Sort" in inner:
            return _Table(found.columns, self._deciding(found, inner["Sort"]["by_column"], "sort"))
        return found

    def _union(self, node: Any, body: Any) -> _Table:
        columns: dict[str, Sources] = {}
        rows: Sources = {}
        for each in (self.table(one) for one in body["inputs"]):
            rows = _joined(rows, each.rows)
            for name, sources in each.columns.items():
                columns[name] = _joined(columns.get(name, {}), sources)
        return _Table(columns, rows)

    _hconcat = _union

    def _cache(self, node: Any, body: Any) -> _Table:
        return self.table(body["input"])

    def _mapfunction(self, node: Any, body: Any) -> _Table:
        found = self.table(body["input"])
        function = body["function"]
        ((name, said),) = function.items() if isinstance(function, dict) else ((function, {}),)
        if name == "Rename":
            new = dict(zip(said["existing"], said["new"], strict=True))
            return _Table({new.get(one, one): sources for one, sources in found.columns.items()}, found.rows)
        if name == "Unpivot":
            every = _joined(*found.columns.values())
            changed = dict.fromkeys(every, "transformed")
            return _Table({one: found.columns.get(one, changed) for one in _schema(node)}, found.rows)
        if name in ("Explode", "RowIndex", "Rechunk", "Unnest", "FastCount", "Hint"):
            return self._by_name(found, node, f"{name} of its plan")
        raise NotReadable("a Python function stands in its plan" if "Opaque" in name else f"{name} is not understood")

    def _by_name(self, found: _Table, node: Any, what: str) -> _Table:
        """What is not understood leaves columns of the same name as they are, and says nothing of others."""
        names = _schema(node)
        for one in names:
            if one not in found.columns:
                self.gaps[f"column {one!r}: {what} is not understood"] = None
        return _Table({one: found.columns.get(one, {}) for one in names}, found.rows)

    # ---- expressions ----

    def _projected(
        self, found: _Table, exprs: Iterable[Any], names: Iterable[str], kind: str = "identity"
    ) -> dict[str, Sources]:
        """The columns that expressions give; `names` are those that the node has, for expressions that give several."""
        columns: dict[str, Sources] = {}
        several = []
        for expr in exprs:
            if _is_several(expr):
                several.append(expr)
            else:
                columns[_output(expr)] = self._values(found, expr, kind)
        left = [name for name in names if name not in columns]
        for expr in several:
            for name in left:
                if name in found.columns and len(several) == 1:
                    how = _strongest(kind, _kind_of(expr))
                    columns[name] = {ref: _strongest(how, one) for ref, one in found.columns[name].items()}
                elif name not in found.columns or len(several) > 1:
                    self.gaps[f"column {name!r} comes out of a selector"] = None
                    columns.setdefault(name, found.columns.get(name, {}))
        return columns

    def _values(self, found: _Table, expr: Any, kind: str = "identity") -> Sources:
        values: Sources = {}
        for name, how in _parts(expr, kind):
            if name not in found.columns:
                self.gaps[f"column {name!r} of its plan is not known"] = None
            sources = found.columns.get(name, {})
            values = _joined(values, {ref: _strongest(how, one) for ref, one in sources.items()})
        return values

    def _deciding(self, found: _Table, exprs: Iterable[Any], kind: str) -> Sources:
        rows = dict(found.rows)
        for expr in exprs:
            for ref in self._values(found, {"Column": expr} if isinstance(expr, str) else expr):
                rows.setdefault(ref, kind)
        return rows


def _schema(node: Any) -> list[str]:
    """The names of the columns that a node gives, as Polars itself finds them."""
    import polars as pl

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pl.LazyFrame.deserialize(io.BytesIO(json.dumps(node).encode()), format="json")
    return list(frame.collect_schema().names())


def _parts(expr: Any, kind: str) -> Iterator[tuple[str, str]]:
    """The columns of an expression, each with how it counts in it."""
    if isinstance(expr, list):
        for each in expr:
            yield from _parts(each, kind)
        return
    if not isinstance(expr, dict):
        return
    for name, body in expr.items():
        if name == "Column":
            yield str(body), kind
        elif name in ("Alias", "KeepName"):
            yield from _parts(body[0] if isinstance(body, list) else body, kind)
        elif name == "Literal":
            continue
        elif name == "SubPlan":
            raise NotReadable("it has a plan within an expression")
        else:
            inner = "aggregated" if name == "Agg" else _strongest(kind, "transformed")
            yield from _parts(body, inner)


def _names(expr: Any) -> list[str]:
    return [name for name, _ in _parts(expr, "identity")]


def _output(expr: Any) -> str:
    """The name of what an expression gives: what it is called, else its first column."""
    if isinstance(expr, dict) and "Alias" in expr:
        return str(expr["Alias"][1])
    if expr == "Len":
        return "len"
    names = _names(expr)
    return names[0] if names else "literal"


_SEVERAL = ("Selector", "Columns", "Wildcard", "DtypeColumn", "IndexColumn", "RenameAlias", "Nth", "Exclude")


def _is_several(expr: Any) -> bool:
    """Whether an expression may give more than one column, or names that are made of others."""
    if isinstance(expr, dict):
        column = expr.get("Column")
        if isinstance(column, str) and column.startswith("^") and column.endswith("$"):
            return True
        return any(name in _SEVERAL or _is_several(body) for name, body in expr.items())
    if isinstance(expr, list):
        return any(map(_is_several, expr))
    return expr in _SEVERAL


def _kind_of(expr: Any) -> str:
    if isinstance(expr, dict) and len(expr) == 1 and next(iter(expr)) in _SEVERAL:
        return "identity"
    return "aggregated" if '"Agg"' in json.dumps(expr) else "transformed"


def _strongest(one: str, other: str) -> str:
    return max(one, other, key=lambda kind: _RANK.get(kind, 1))


def _joined(*many: Sources) -> Sources:
    made: Sources = {}
    for sources in many:
        for ref, kind in sources.items():
            made[ref] = kind if ref not in made else _strongest(made[ref], kind)
    return made
