"""What would become of the columns of assets whose code has changed, and of those that read them.

What an asset has now is what was recorded when it was made. What it would have is what its contract or its query says;
of other functions it is known once they have run. Surprising: types of queries are compared as sqlglot finds them in
the text that made the asset and in the text of now, so that what it does not know as the database does cancels out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.changes import Breaking, Reached
from batuta.core.code_text import CodeText
from batuta.core.column_facts import NOTHING, Told, known_names
from batuta.core.column_graph import ROWS, ColumnGraph
from batuta.core.column_impact import impact
from batuta.core.columns import Column, SqlSource
from batuta.core.contract import ColumnChange, Contract, breaches, changes, holds, keeps_type
from batuta.core.definitions import AssetSpec
from batuta.core.errors import DefinitionError, RequestError
from batuta.engine.column_lineage import ColumnKnowledge, Known, derive
from batuta.io.frames import plain_type
from batuta.sql.column_types import types_of
from batuta.sql.deriving import Derived, columns_of

_metadata = msgspec.json.Decoder(dict[str, Any])


@dataclass(slots=True)
class ColumnChanges:
    """By asset what would change of its columns, and all that would break whoever reads them."""

    changes: dict[str, tuple[ColumnChange, ...]] = field(default_factory=dict)
    breaking: list[Breaking] = field(default_factory=list)


def column_changes(
    index: AssetIndex,
    known: Known,
    made: Mapping[str, tuple[Column, ...]],
    kept: Mapping[str, CodeText],
    changed: Iterable[str],
) -> ColumnChanges:
    """See the module. `made`: the columns that assets have now, as recorded; `kept`: what made those; `changed`: whose
    code is another now."""
    chosen = set(changed)
    if not chosen and not any(spec.evolution for spec in index.assets.values()):
        return ColumnChanges()  # so that nobody waits for queries to be read
    return _Comparing(index, known, made, kept, chosen).run()


def recorded_columns(metadata: bytes) -> tuple[Column, ...]:
    """The columns that a materialization was recorded with; none where it tells of none."""
    told = _metadata.decode(metadata)
    for name in ("columns", "schema"):
        schema = told.get(name)
        if isinstance(schema, dict) and schema.get("type") == "schema":
            never = set(schema.get("not_null") or ())
            return tuple(Column(n, plain_type(kind), nullable=n not in never) for n, kind in schema["columns"])
    return ()


class _Comparing:
    def __init__(
        self,
        index: AssetIndex,
        known: Known,
        made: Mapping[str, tuple[Column, ...]],
        kept: Mapping[str, CodeText],
        changed: set[str],
    ) -> None:
        self.index = index
        self.kept = kept
        self.changed = changed
        self.before = {key: _types(made.get(key) or _declared(known, spec)) for key, spec in index.assets.items()}
        self.after = dict(self.before)
        self.made = made
        self.found = ColumnChanges()
        runs = dict(known.runs)
        for key, spec in index.assets.items():
            if spec.evolution and spec.sql is None:
                told = runs.get(key, NOTHING)
                runs[key] = Told(tuple((one.name, one.type) for one in self._promised(spec)), told.lineage)
        self.known = Known(runs, known.definitions)
        try:
            self.derived: Mapping[str, Derived] = derive(index, self.known)
        except DefinitionError:  # sqlglot is not there
            self.derived = {}

    def run(self) -> ColumnChanges:
        for key in self.index.graph.order:
            spec = self.index.assets[key]
            touched = key in self.changed or bool(spec.evolution)
            touched = touched or any(dep.asset in self.found.changes for dep in spec.deps)
            if touched and not spec.external and key in self.made:
                self._compare(spec)
        self._tell()
        return self.found

    # ---- one asset ----

    def _compare(self, spec: AssetSpec) -> None:
        if spec.sql is not None:
            self._compare_query(spec, spec.sql)
        elif spec.evolution:  # which is no part of the code: it counts when the asset is made next
            self._compare_contract(spec)

    def _promised(self, spec: AssetSpec) -> list[Column]:
        """The columns of an asset with a contract, as they will be; with those that a looser one lets be."""
        now = {one.name: one for one in self.made.get(spec.key, ())}
        promised = [
            now[one.name] if one.name in now and keeps_type(one, now[one.name].type) else one for one in spec.columns
        ]
        promised = [
            msgspec.structs.replace(one, nullable=said.nullable)
            for one, said in zip(promised, spec.columns, strict=True)
        ]
        names = {one.name for one in promised}
        if spec.evolution == "additive":
            promised += [one for one in now.values() if one.name not in names]
        return promised

    def _compare_contract(self, spec: AssetSpec) -> None:
        promised = self._promised(spec)
        self.after[spec.key] = _types(promised)
        self._changed(spec.key, changes(self.made[spec.key], promised))

    def _compare_query(self, spec: AssetSpec, now: SqlSource) -> None:
        derived = self.derived.get(spec.key)
        names = None if derived is None else columns_of(derived.lineage)
        if names is None:
            return
        before = {one.name.casefold(): one for one in self.made[spec.key]}
        kept = self.kept.get(spec.key)
        then = kept.sql if kept is not None else None if spec.key in self.changed else now
        types_then = types_of(then, self.before) if then is not None else {}
        types_now = types_of(now, self.after)
        after: dict[str, str] = {}
        found: list[ColumnChange] = []
        for name in names:
            was = before.get(name.casefold())
            old, new = (one.get(name.lower(), "") for one in (types_then, types_now))
            after[name] = was.type if was is not None and new == old else new
            if was is None:
                found.append(ColumnChange(name, "added", "", new))
            elif old and new and old != new:
                found.append(ColumnChange(name, "type", was.type or old, new, not holds(new, old)))
        gone = before.keys() - {name.casefold() for name in names}
        found += [ColumnChange(before[name].name, "removed", before[name].type, breaking=True) for name in gone]
        self.after[spec.key] = after
        self._changed(spec.key, sorted(found, key=lambda one: (one.kind != "removed", one.kind == "added")))
        if spec.evolution:
            self._check_contract(spec, after)

    def _check_contract(self, spec: AssetSpec, after: Mapping[str, str]) -> None:
        """Which columns there are is sure; types are those of now, and of those that the change made others."""
        assert spec.evolution
        wrong = breaches(Contract(spec.columns, spec.evolution), [*after.items()])
        told = {one.column for one in self.found.changes.get(spec.key, ()) if one.kind == "type"}
        for one in wrong:
            if one.sign in "-+" or one.column in told:
                text = f"breaks its contract: {one.column} {one.text}"
                self.found.breaking.append(Breaking(spec.key, text, one.column))

    def _changed(self, key: str, found: list[ColumnChange]) -> None:
        if found:
            self.found.changes[key] = tuple(found)

    # ---- what that reaches ----

    def _tell(self) -> None:
        """Add what breaks because of columns."""
        broken = [(key, one) for key, found in self.found.changes.items() for one in found if one.breaking]
        if not broken:
            return
        reach = _Reach(self.index, self.known, self.derived, self.changed)
        for key, one in broken:
            self.found.breaking.append(Breaking(key, one.text, one.column, reach.of(key, one.column)))


class _Reach:
    """What a change of a column comes to: by the queries of now, and, as `*` of a column that is gone leaves no trace,
    by what runs have told of assets whose code is as it was."""

    def __init__(self, index: AssetIndex, known: Known, derived: Mapping[str, Derived], changed: set[str]) -> None:
        self.index = index
        self.now = ColumnKnowledge(index, known, derived).graph
        told = {key: one.lineage for key, one in known.runs.items() if key in index.assets and key not in changed}
        self.then = ColumnGraph.build({key: lineage for key, lineage in told.items() if lineage is not None})

    def of(self, asset: str, column: str) -> tuple[Reached, ...]:
        """Nearest first."""
        found = {one.asset: one for one in self._now(asset, column)}
        for key, columns in self._then(asset, column).items():
            one = found.get(key, Reached(key))
            found[key] = Reached(key, tuple(dict.fromkeys((*one.columns, *columns))))
        return tuple(sorted(found.values(), key=lambda one: self.index.rank[one.asset]))

    def _now(self, asset: str, column: str) -> list[Reached]:
        try:
            ref = self.now.find(asset, column)
        except RequestError:  # nobody is known to read it
            below = self.index.graph.downstream(asset)
            return [Reached(key, certain=False) for key in below if not self.now.is_known(key) or self.now.gaps(key)]
        told = impact(self.now, self.index, ref)
        return [
            Reached(one.key, one.columns if one.how == "values" else (), one.how != "unknown")
            for one in (*told.assets, *told.exposures)
        ]

    def _then(self, asset: str, column: str) -> dict[str, list[str]]:
        try:
            ref = self.then.find(asset, column)
        except RequestError:
            return {}
        found: dict[str, list[str]] = {}
        for one in self.then.downstream(ref).columns:
            if one.asset != asset:
                found.setdefault(one.asset, []).append(one.column)
        return {key: [name for name in columns if name != ROWS] for key, columns in found.items()}


def _declared(known: Known, spec: AssetSpec) -> tuple[Column, ...]:
    """The columns of what was not made here: as somebody has told."""
    told = known.runs.get(spec.key, NOTHING)
    types = dict(told.columns) or {one.name: one.type for one in spec.columns}
    return tuple(Column(name, plain_type(types.get(name, ""))) for name in known_names(spec, told))


def _types(columns: Iterable[Column]) -> dict[str, str]:
    return {one.name: one.type for one in columns}
