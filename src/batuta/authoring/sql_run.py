"""Running the query of a SQL asset where its data are, and telling what its columns were made from.

The columns of what it reads are those that the database has just then, so what is reported with the materialization is
exact, whatever was known before. Surprising: an input that is kept elsewhere (a Parquet file, another database) is
loaded and handed over as a table of the query; what is in the same database never leaves it.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any

from batuta.authoring.asset_definitions import Asset
from batuta.authoring.asset_guard import Guard
from batuta.authoring.asset_places import NO_PLACES, by_place, load
from batuta.authoring.asset_run import AssetCode, FunctionCode, Inputs, stored_metadata
from batuta.authoring.context import StepContext
from batuta.authoring.metadata import normalized
from batuta.authoring.sql_asset import SINCE, SqlAsset
from batuta.authoring.sql_binding import SqlTable, dialect_of, parameter_names, tables_of
from batuta.core.columns import ColumnLineage, SqlSource
from batuta.core.environments import PROMOTE, stored_key
from batuta.core.errors import BatutaError, DefinitionError, RequestError, ResultError, nearest
from batuta.core.partitions import MultiPartitions, split_key
from batuta.core.records import Loaded
from batuta.io.base import MissingDataError, OutputContext, Stored
from batuta.io.queries import Query, QueryFailed, QueryIO, Session
from batuta.sql.lineage import derive
from batuta.sql.parse import dialect_named
from batuta.sql.query import identifier, literal, rendered

if TYPE_CHECKING:
    from batuta.io.frames import Columns

ADMITTED = "batuta_admitted"
"""The name under which what is left of a query's rows is kept."""


class SqlCode(AssetCode):
    """Makes one SQL asset."""

    definition: SqlAsset

    def run(self, context: StepContext) -> Any:
        if PROMOTE in context.config and self.definition.sql.materialized == "view":
            return self._make_again(context)
        return super().run(context)

    def _make_again(self, context: StepContext) -> Any:
        """A view is not copied, as it would go on reading the environment: its query makes it in production."""
        return FunctionCode.run(self, context)

    @property
    def is_copied(self) -> bool:  # type: ignore[override]
        return self.definition.sql.materialized != "view"

    def _called(self, context: StepContext, inputs: Inputs) -> Any:
        return _Making(self, context, inputs).run()

    def _finish(self, context: StepContext, inputs: Inputs, result: Any) -> None:
        stored, lineage, refused = result
        out = self.definition.out
        version = self.graph.code_version_of(self.definition, out)
        told: dict[str, Any] = {
            "partition": context.partition if context.partitions is not None else "",
            "code_version": version,
            "inputs": self._versions(inputs, out),
        }
        if refused is not None:
            context.materialized(**refused, **told)
        context.materialized(
            out.key,
            metadata=normalized({**stored_metadata(stored, self.graph.contracts.get(out.key)), **context.metadata}),
            data_version=stored.data_version,
            column_lineage=lineage,
            code=self.graph.code_teller.of(self.definition, out.key, version, context),
            **told,
        )


class _Making:
    """One making of one asset."""

    def __init__(self, code: SqlCode, context: StepContext, inputs: Inputs) -> None:
        self.code = code
        self.graph = code.graph
        self.asset = code.definition
        self.context = context
        self.inputs = inputs
        self.manager: Any = self.graph.io_of(self.asset.key)
        self.dialect = dialect_of(self.asset, self.graph.names.resources)
        self.facts = self.graph.sql_facts.of(self.asset, self.dialect)
        self.tables = tables_of(self.asset, self.graph.names, self.facts)
        self.own = stored_key(self.asset.key, context.environment)
        self.guard = Guard(self.graph, context, inputs, self.asset.out)
        self.columns: dict[str, Columns] = {}
        """Of each table that is read, by its name in the query."""

    def run(self) -> tuple[Stored, ColumnLineage, dict[str, Any] | None]:
        """Run it; what is stored, what it was made from, and what is recorded of rows that were refused.

        Raises ResultError with the file and line of what the database refuses."""
        context, asset = self.context, self.asset
        output = OutputContext(
            asset=self.own,
            partitions=context.partition_keys,
            run_id=str(context.run_id),
            attempt=f"{context.run_id}.{context.key}.{context.attempt}",
            metadata=dict(context.metadata),
        )
        try:
            stored = self._refusing(output) if self.guard.rules else self._manager().query(output, self.build)
        except QueryFailed as error:
            raise self._failed(error) from None
        for table, key in self.tables.items():
            if self.columns.get(table) and key != asset.key:
                context.records.append(Loaded(key, len(self.inputs.keys.get(key) or (1,))))
        if asset.sql.materialized == "view":
            stored.data_version = self._view_version()
        return stored, self._lineage(), self.guard.refused

    def _refusing(self, output: OutputContext) -> Stored:
        """Keep what is left once rules have sent rows to quarantine, which is written first."""
        manager = self._manager()
        with self.guard.admitted(manager.fetch(self._query)) as good:
            columns = ", ".join(identifier(name, dialect=self.dialect) for name in good.column_names)

            def build(session: Session) -> Query:
                return Query(f"SELECT {columns} FROM {session.add(ADMITTED, good)[0]}")

            return manager.query(output, build)

    def _manager(self) -> QueryIO:
        manager = self.manager
        if isinstance(manager, QueryIO):
            if self.dialect != dialect_named(manager.dialect):
                raise DefinitionError(
                    f"SQL asset {self.asset.key!r} is written in {self.dialect}, but runs in {manager!r}",
                    where=str(self.asset.place),
                    hint=f"say dialect = {manager.dialect!r}, or give it another io_manager",
                )
            return manager
        from batuta.io.local_queries import LocalQueries

        if self.asset.sql.materialized != "table":
            raise DefinitionError(
                f"SQL asset {self.asset.key!r} is to be {_a(self.asset.sql.materialized)}, but is kept by {manager!r}",
                where=str(self.asset.place),
                hint="that needs a database: give it io_manager=DuckDBIO(...) or connection=, or make it a table",
            )
        return LocalQueries(manager)

    # ---- the query ----

    def build(self, session: Session) -> Query:
        """The query, ready for a database."""
        return self.guard.over(self._query(session))

    def _query(self, session: Session) -> Query:
        self.columns = {}
        places = {table: self._place_of(session, table, key) for table, key in self.tables.items()}
        values = {name: literal(value, self.dialect) for name, value in self._values().items()}
        sql = self.asset.sql
        text = functools.partial(rendered, self.asset.text, self.dialect, {t: p for t, p in places.items() if p})
        if sql.materialized != "incremental" or self.context.partitions is not None:
            kept = "table" if sql.materialized == "incremental" else sql.materialized
            return Query(text(values), kept)
        own = session.location(self.manager, self.own)
        begins = self._production(session)
        largest = ""
        if sql.cursor:
            largest = f"(SELECT max({identifier(sql.cursor, dialect=self.dialect)}) FROM {own})"
        first = text({**values, SINCE: "NULL"})
        query = text({**values, SINCE: largest})
        return Query(query, "incremental", first, sql.unique_key, self._is_afresh(), begins)

    def _production(self, session: Session) -> str:
        """What production has of an incremental table that is not in the environment yet; "" where it has nothing."""
        key = self.asset.key
        if not self.context.environment or not session.asset_columns(self.manager, key):
            return ""
        return session.location(self.manager, key)

    def _place_of(self, session: Session, table: str, key: str) -> str:
        """What a FROM says to read a table of the query; "" where it may stay as it is written."""
        if key == self.asset.key:
            self.columns[table] = session.asset_columns(self.manager, self.own)
            return session.location(self.manager, self.own)
        maker = self.graph.makers.get(key)
        if maker is None or (isinstance(maker, Asset) and maker.external and not self._is_kept(maker)):
            self.columns[table] = session.columns(*table.split("."))
            return ""
        manager = self.graph.io_of(key)
        keys, places = self.inputs.keys.get(key), self.inputs.places.get(key, NO_PLACES)
        try:
            if session.holds(manager):
                parts = [(stored_key(key, place), those) for place, those in by_place(keys, places)]
                self.columns[table] = session.asset_columns(manager, parts[0][0])
                place = session.reading(manager, parts)
                return "" if place == identifier(*table.split("."), dialect=self.dialect) else place
            value = load(self.graph, key, keys, session.wanted(), self.asset.key, places)
        except MissingDataError as error:
            line = next((one.line for one in self.facts.tables if one.name == table), 0)
            raise MissingDataError(error.what, where=str(self.asset.line_place(line)), hint=error.hint) from None
        if value is None:
            raise RequestError(
                f"{self.context.key} reads {key!r}, but none of its partitions",
                where=str(self.asset.place),
                hint="look at the partitions of both, and at the mapping between them",
            )
        place, self.columns[table] = session.add(key, value)
        return place

    def _is_kept(self, maker: Asset[..., Any]) -> bool:
        """Whether an external asset is read through its IO manager rather than under the name that the query says."""
        return not isinstance(maker, SqlTable) and maker.out.io_manager is not None

    def _values(self) -> dict[str, Any]:
        """The values of parameters."""
        context, partitions = self.context, self.context.partitions
        given = context.params.get("config") or {}
        values: dict[str, Any] = dict(self.graph.config_of(self.asset, given) or {})
        names = parameter_names(partitions)
        if not names:
            return values
        values["partition"] = context.partition
        if isinstance(partitions, MultiPartitions):
            values.update(split_key(context.partition))
        if "start" in names:
            window = context.partition_window
            values |= {"start": window.start, "end": window.end}
            values |= {"start_date": window.start.date(), "end_date": window.end.date()}
        return values

    def _is_afresh(self) -> bool:
        """Whether an incremental table is to be made anew: that was asked for, or its query has changed."""
        if self.context.config.get("full_refresh"):
            return True
        if not self.asset.sql.rebuild_on_change:
            return False
        (record,) = self.context.ask("asset_records", wanted=[[self.asset.key, ""]])["records"]
        version = self.graph.code_version_of(self.asset, self.asset.out)
        return record is not None and bool(record["code_version"]) and record["code_version"] != version

    # ---- what came of it ----

    def _view_version(self) -> str:
        """A view's data change with its query and with what it reads."""
        versions = self.inputs.versions_of(self.code.binding.deps)
        parts = [
            self.graph.code_version_of(self.asset, self.asset.out),
            *(f"{k}={v}" for k, v in sorted(versions.items())),
        ]
        return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()

    def _lineage(self) -> ColumnLineage:
        known = tuple(
            (key, tuple(name for name, _ in self.columns.get(table, ()))) for table, key in sorted(self.tables.items())
        )
        return _derived(self.asset.text, self.dialect, tuple(sorted(self.tables.items())), known)

    def _failed(self, error: QueryFailed) -> BatutaError:
        place = self.asset.line_place(error.line)
        message = error.message
        unknown = [table for table, key in self.tables.items() if isinstance(self.graph.makers.get(key), SqlTable)]
        hint = None
        for table in unknown:
            if not self.columns.get(table) and table.rpartition(".")[2] in message.lower():
                hint = nearest(table, [k for k in self.graph.makers if k != table]) or f"nothing here makes {table!r}"
        return ResultError(f"{self.context.key}: {message}", where=str(place), hint=hint)


@functools.lru_cache(maxsize=256)
def _derived(
    text: str, dialect: str, tables: tuple[tuple[str, str], ...], known: tuple[tuple[str, tuple[str, ...]], ...]
) -> ColumnLineage:
    """The lineage of a query; the partitions of an asset all have the same."""
    return derive(SqlSource(text, dialect, dict(tables)), dict(known))


def _a(kept: str) -> str:
    return "a view" if kept == "view" else "incremental"
