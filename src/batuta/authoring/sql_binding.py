"""What SQL assets read, when all definitions are together: tables that are assets, and tables that nobody defines.

A table is the asset of that key, in whatever case, or, with one part, the only one whose key ends so. What is no asset
becomes an external one, in the database of whoever reads it. Facts of queries are kept by content (`SqlFacts`), as
reading a query takes milliseconds and most have not changed since the last time.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.authoring.asset_config import configured
from batuta.authoring.asset_definitions import ExternalAsset, key_of
from batuta.authoring.asset_values import AssetIn, AssetOut
from batuta.authoring.assets import is_key
from batuta.authoring.sql_asset import SINCE, SqlAsset
from batuta.core.columns import SqlSource
from batuta.core.definitions import AssetDep, Place, Problem
from batuta.core.errors import DefinitionError, nearest
from batuta.core.partitions import MultiPartitions, Partitions, TimePartitions
from batuta.sql.query import QueryFacts, facts_of, version_key

if TYPE_CHECKING:
    from batuta.authoring.asset_binding import Binding, Names
    from batuta.authoring.asset_graph import AssetGraph

DEFAULT_DIALECT = "duckdb"


class SqlTable(ExternalAsset):
    """A table that queries read and nobody defines."""


class SqlFacts:
    """The facts of queries by their content, in memory and in a file, which may be lost."""

    def __init__(self, path: str = "") -> None:
        self._path = path
        self._kept: dict[str, QueryFacts] | None = None
        self._used: dict[str, QueryFacts] = {}

    def of(self, asset: SqlAsset, dialect: str) -> QueryFacts:
        """The facts of an asset's query. Raises DefinitionError with file and line."""
        key = version_key(asset.text, dialect)
        found = self._used.get(key) or self._read().get(key)
        if found is None:
            try:
                found = facts_of(asset.text, dialect)
            except DefinitionError:
                facts_of(asset.text, dialect, asset.text_place())  # says it with the place
                raise
        self._used[key] = found
        return found

    def _read(self) -> dict[str, QueryFacts]:
        if self._kept is None:
            self._kept = {}
            with suppress(OSError, msgspec.DecodeError), open(self._path, "rb") as file:
                self._kept = msgspec.msgpack.decode(file.read(), type=dict[str, QueryFacts])
        return self._kept

    def keep(self) -> None:
        """Write the facts that were used, where there are others than those that are kept. Does nothing on failure."""
        folder = os.path.dirname(self._path)
        if not self._path or not self._used.keys() - self._read().keys() or not os.path.isdir(os.path.dirname(folder)):
            return
        with suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=folder)
            with open(descriptor, "wb") as file:
                file.write(msgspec.msgpack.encode(self._used))
            os.replace(draft, self._path)
            self._kept = dict(self._used)


def dialect_of(asset: SqlAsset, resources: Mapping[str, Any]) -> str:
    """The SQL that an asset is written in: what it says, else that of its IO manager's database."""
    from batuta.sql.parse import dialect_named

    if asset.sql.dialect:
        return dialect_named(asset.sql.dialect, f"{asset.place}: SQL asset {asset.key!r}")
    manager = asset.out.io_manager
    if manager is None or isinstance(manager, str):
        manager = resources.get(manager or "io_manager")
    return getattr(manager, "dialect", "") or DEFAULT_DIALECT


def tables_of(asset: SqlAsset, names: Names, facts: QueryFacts) -> dict[str, str]:
    """The key of the asset that each table of a query is; of one that nobody defines, its own name.

    Raises DefinitionError for a name that could be of several.
    """
    return {
        table.name: _asset_named(asset, names, table.name, table.line) for table in facts.tables if is_key(table.name)
    }


def _asset_named(asset: SqlAsset, names: Names, table: str, line: int) -> str:
    if table in names.keys:
        return table
    by_lower = names.in_lower_case
    if table in by_lower:
        return by_lower[table]
    parts = table.split(".")
    if len(parts) > 2 and ".".join(parts[-2:]) in by_lower:  # with the database before it
        return by_lower[".".join(parts[-2:])]
    if len(parts) == 1:
        found = [key for key in names.ending_in_lower_case(table) if key != asset.key]
        if len(found) > 1:
            shown = ", ".join(sorted(found)[:5])
            raise DefinitionError(
                f"the table {table!r} could be any of {len(found)} assets: {shown}",
                where=str(asset.line_place(line)),
                hint=f"say which: {sorted(found)[0]}",
            )
        if found:
            return found[0]
    return table


def bind_tables(asset: SqlAsset, names: Names, facts: SqlFacts) -> Binding:
    """What a SQL asset depends on. Raises DefinitionError."""
    from batuta.authoring.asset_binding import Binding

    found = facts.of(asset, dialect_of(asset, names.resources))
    _check_parameters(asset, found)
    deps: dict[str, AssetDep] = {}
    for table, key in tables_of(asset, names, found).items():
        if key != asset.key:
            deps[key] = AssetDep(key)
        elif asset.sql.materialized != "incremental":
            line = next(one.line for one in found.tables if one.name == table)
            raise DefinitionError(
                f"SQL asset {asset.key!r} reads itself",
                where=str(asset.line_place(line)),
                hint='only an incremental one may: say materialized = "incremental", or read another table',
            )
    for dep in asset.deps:
        key = key_of(dep, str(asset.place))
        mapping = dep.mapping if isinstance(dep, AssetIn) else None
        deps.setdefault(key, AssetDep(key, mapping, False))
    for what, mapping in asset.mappings.items():
        key = key_of(what, str(asset.place))
        if key not in deps:
            hint = nearest(key, deps) or f"it reads {', '.join(deps) or 'nothing'}"
            told = f"SQL asset {asset.key!r} has a partition mapping for {key!r}, which it does not read"
            raise DefinitionError(told, where=str(asset.place), hint=hint)
        deps[key] = AssetDep(key, mapping, deps[key].loads)
    return Binding((), tuple(deps.values()), 0)


def _check_parameters(asset: SqlAsset, facts: QueryFacts) -> None:
    known = {*parameter_names(asset.partitions), *asset.sql.parameters}
    if asset.sql.materialized == "incremental" and asset.partitions is None and asset.sql.cursor:
        known.add(SINCE)
    for parameter in facts.parameters:
        if parameter.name not in known:
            hint = nearest(parameter.name, known) or (
                f"there are {', '.join(sorted(known))}" if known else "give parameters = {...}, or partitions"
            )
            raise DefinitionError(
                f"there is no parameter {parameter.name!r}",
                where=str(asset.line_place(parameter.line)),
                hint=hint,
            )


def parameter_names(partitions: Partitions | None) -> list[str]:
    """The parameters that the partitions of an asset give its query."""
    if partitions is None:
        return []
    names = ["partition"]
    dimensions = partitions.dimensions if isinstance(partitions, MultiPartitions) else {"": partitions}
    if sum(isinstance(one, TimePartitions) for one in dimensions.values()) == 1:
        names += ["start", "end", "start_date", "end_date"]
    return [*names, *(name for name in dimensions if name)]


def adopt_tables(graph: AssetGraph) -> list[Problem]:
    """Make external assets of the tables that are read and that nobody defines.

    SQL assets whose query cannot be read are taken out, and told: the others go on.
    """
    assets = list(dict.fromkeys(maker for maker in graph.makers.values() if isinstance(maker, SqlAsset)))
    problems: list[Problem] = []
    found: dict[str, SqlTable] = {}
    names = graph.names
    for asset in assets:
        try:
            facts = graph.sql_facts.of(asset, dialect_of(asset, names.resources))
            tables = tables_of(asset, names, facts)
            _check_parameters(asset, facts)
        except DefinitionError as error:
            problems.append(_problem(asset, error))
            graph.leave_out(asset)
            continue
        for table, key in tables.items():
            if key == table and table not in names.keys and table not in found:
                line = next(one.line for one in facts.tables if one.name == table)
                text = f"a table that {asset.key} reads, and that nothing here makes"
                out = AssetOut(
                    *(table, None, "", "", text, (), ("table",), (), None, "", asset.out.io_manager, None, None, None)
                )
                found[table] = SqlTable(out, asset.line_place(line))
    for adopted in found.values():
        graph.add(adopted)
    graph.sql_facts.keep()
    return problems


def _problem(asset: SqlAsset, error: DefinitionError) -> Problem:
    file, _, line = (error.where or "").partition(":")
    place = Place(file, int(line)) if line.isdigit() else asset.place
    return Problem(f"SQL asset {asset.key!r}: {error.what}", place, error.hint or "")


def source_of(asset: SqlAsset, graph: AssetGraph) -> SqlSource:
    """The query of an asset for the neutral model."""
    dialect = dialect_of(asset, graph.names.resources)
    return SqlSource(asset.text, dialect, tables_of(asset, graph.names, graph.sql_facts.of(asset, dialect)))


def sql_version(asset: SqlAsset, graph: AssetGraph, settings: Mapping[str, Any] | None) -> str:
    """16 hex digits that change when the query, its parameters or how it is kept do; not with layout and comments."""
    facts = graph.sql_facts.of(asset, dialect_of(asset, graph.names.resources))
    sql = asset.sql
    parts = [facts.version, sql.materialized, *sql.unique_key, sql.cursor]
    if asset.config is not None or settings:
        parts.append(repr(sorted(configured(asset, settings).items())))
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
