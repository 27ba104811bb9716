"""`sql_asset` and `.sql` files: assets that are made by a query, where their data are.

What a query reads is found out when all definitions are together (`sql_binding`); the text itself is the definition.
Surprising: where SQL stands in a file is looked up only for an error, in the source of whoever wrote it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args, overload

from batuta.authoring.asset_definitions import Asset
from batuta.authoring.asset_values import AssetOut
from batuta.authoring.assets import checked_key, function_place, options_of
from batuta.authoring.options import Options
from batuta.authoring.places import user_place
from batuta.core.columns import Column
from batuta.core.errors import DefinitionError, nearest
from batuta.core.partition_mapping import PartitionMapping
from batuta.core.partitions import Partitions
from batuta.core.place import Place

if TYPE_CHECKING:
    from batuta.authoring.automation import Freshness
    from batuta.core.conditions import Condition
    from batuta.core.contract import Evolution

Kept = Literal["table", "view", "incremental"]
SINCE = "since"
"""The parameter for the largest value of the cursor column that the table has."""


@dataclass(frozen=True, slots=True)
class SqlOptions:
    """What is said of a query beside its text. See `sql_asset`."""

    dialect: str = ""
    materialized: Kept = "table"
    unique_key: tuple[str, ...] = ()
    cursor: str = ""
    rebuild_on_change: bool = True
    parameters: Mapping[str, Any] = field(default_factory=dict)


class SqlAsset(Asset[[], str]):
    """An asset that a query makes. Called plainly, it gives the text of the query."""

    def __init__(self, fn: Callable[[], str], out: AssetOut, options: Options, place: Place, sql: SqlOptions) -> None:
        super().__init__(fn, out, options, place)
        self.sql = sql
        self.text_line = 0
        """The line of its file on which the text begins, where that is known: of `.sql` files."""
        self.columns: tuple[Column, ...] = ()
        self.check_names: tuple[str, ...] = ()
        """Checks made with `@check()` somewhere in the project."""
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The query. Raises DefinitionError where its function does not give a text."""
        if self._text is None:
            try:
                given: Any = self.fn()
            except Exception as error:
                what = f"the function of SQL asset {self.key!r} failed: {type(error).__name__}: {error}"
                hint = "it is called without a run, to see what the asset depends on: it may only put its SQL together"
                raise DefinitionError(what, where=str(self.place), hint=hint) from error
            if not isinstance(given, str):
                what = f"the function of SQL asset {self.key!r} gave a {type(given).__name__}"
                raise DefinitionError(what, where=str(self.place), hint="return the query as a text")
            self._text = given
        return self._text

    def text_place(self) -> Place:
        """Where the text of the query begins."""
        if self.text_line:
            return Place(self.place.file, self.text_line)
        line = _line_of_constant(self.place, self.text)
        return Place(self.place.file, line) if line else self.place

    def line_place(self, line: int) -> Place:
        """Where a line of the query (from 1) stands, as far as that is known."""
        start = self.text_place()
        return Place(start.file, start.line + line - 1) if line and start != self.place else start

    def __repr__(self) -> str:
        return f"<SQL asset {self.key}>"


def _line_of_constant(place: Place, text: str) -> int:
    """The line on which a text stands as a constant of a Python file, near to where it is used; 0: nowhere."""
    try:
        with open(place.file, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return 0
    found = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == text]
    return min(found, key=lambda line: abs(line - place.line), default=0)


_SQL_NAMES = ("sql", "connection", "dialect", "materialized", "unique_key", "cursor", "rebuild_on_change", "parameters")


@overload
def sql_asset(key: str, *, sql: str, **said: Any) -> SqlAsset: ...


@overload
def sql_asset(key: str | None = None, **said: Any) -> Callable[[Callable[[], str]], SqlAsset]: ...


def sql_asset(
    key: str | None = None,
    *,
    sql: str = "",
    connection: Any = None,
    dialect: str = "",
    materialized: Kept = "table",
    unique_key: Sequence[str] | str = (),
    cursor: str = "",
    rebuild_on_change: bool = True,
    parameters: Mapping[str, Any] | None = None,
    deps: Sequence[Any] = (),
    layer: str = "",
    group: str = "",
    description: str = "",
    owners: Sequence[str] | str = (),
    kinds: Sequence[str] | str = (),
    tags: Mapping[str, str] | Sequence[str] = (),
    metadata: Mapping[str, Any] | None = None,
    columns: Mapping[str, str] | Sequence[Column] = (),
    partitions: Partitions | None = None,
    partition_mappings: Mapping[Any, PartitionMapping] | None = None,
    code_version: str = "",
    io_manager: Any = None,
    checks: Sequence[Any] = (),
    automation: Condition | None = None,
    freshness: Freshness | None = None,
    schema: Any = None,
    evolution: Evolution = "exact",
    place: Place | None = None,
    **options: Any,
) -> Any:
    """An asset that a query makes: `sql`, or what the decorated function returns.

    The tables that it reads are the assets it depends on: `silver.orders`, or `orders` where one asset's key ends so;
    tables that no asset is become external assets. In it `:partition`, `:start`, `:end` (times), `:start_date`,
    `:end_date`, a dimension of multiple partitions, and `parameters` stand for values, which are never pasted as text.

    - `io_manager`, or `connection` (the name of a DuckDB or PostgreSQL connection): the database in which the query
      runs and its table is kept. An IO manager of files gets what DuckDB makes of the files of others.
    - `materialized`: "table", "view", or "incremental": what the query gives is added to the table, in place of rows
      with the same `unique_key`; `:since` is the largest value of the column `cursor` so far (NULL at first). When the
      query changes the table is made anew, unless `rebuild_on_change=False`.
    - `columns`: descriptions of columns by name. All else as for `asset`.

    Raises DefinitionError for what contradicts itself.
    """
    where = place or user_place()

    def decorate(fn: Callable[[], str], at: Place) -> SqlAsset:
        name = checked_key(key if key is not None else getattr(fn, "__name__", ""), str(at))
        what = f"{at}: SQL asset {name!r}"
        said = SqlOptions(
            dialect=dialect,
            materialized=materialized,
            unique_key=(unique_key,) if isinstance(unique_key, str) else tuple(unique_key),
            cursor=cursor,
            rebuild_on_change=rebuild_on_change,
            parameters=dict(parameters or {}),
        )
        _check(said, partitions, what)
        manager = _manager(io_manager, connection, dialect, what)
        out = AssetOut(
            *(name, None, layer, group, description, owners, kinds or ("sql",), tags, metadata, code_version, manager),
            *(None, automation, freshness, None, schema, evolution, checks),
        )
        made = SqlAsset(fn, out, options_of(options, at, f"SQL asset {name!r}", _SQL_NAMES), at, said)
        made.feed(deps, None, partition_mappings)
        made.partitions = partitions
        made.config = said.parameters or None
        made.columns = (
            tuple(Column(n, description=d) for n, d in columns.items())
            if isinstance(columns, Mapping)
            else tuple(columns)
        )
        return made

    if sql:
        if key is None:
            raise DefinitionError(
                "sql_asset(sql=...) needs a key", where=str(where), hint="write sql_asset('gold.x', ...)"
            )
        return decorate(lambda: sql, where)
    return lambda fn: decorate(fn, function_place(fn))


def _check(sql: SqlOptions, partitions: Partitions | None, where: str) -> None:
    if sql.materialized not in get_args(Kept):
        kinds = get_args(Kept)
        hint = nearest(str(sql.materialized), kinds) or f"it is one of {', '.join(kinds)}"
        raise DefinitionError(f"materialized is {sql.materialized!r}", where=where, hint=hint)
    incremental = sql.materialized == "incremental"
    if sql.materialized == "view" and partitions is not None:
        raise DefinitionError("a view has no partitions", where=where, hint="make it a table, or leave out partitions")
    if incremental and partitions is None and not (sql.unique_key or sql.cursor):
        raise DefinitionError(
            "an incremental asset without partitions has neither unique_key nor cursor",
            where=where,
            hint="say which columns tell its rows apart, or which one grows (and ask for `... > :since`): without, "
            "rows would be there twice after each run",
        )
    for name in ("unique_key", "cursor"):
        if getattr(sql, name) and (not incremental or partitions is not None):
            raise DefinitionError(
                f"{name} is for incremental assets without partitions",
                where=where,
                hint='say materialized="incremental", or leave it out',
            )
    for name in sql.parameters:
        if not name.isidentifier():
            raise DefinitionError(f"{name!r} cannot be a parameter's name", where=where, hint="use an identifier")


def _manager(io_manager: Any, connection: Any, dialect: str, where: str) -> Any:
    """The IO manager that is said, or one for a connection."""
    if connection is None:
        return io_manager
    if io_manager is not None:
        raise DefinitionError("it has both io_manager and connection", where=where, hint="give one of them")
    if dialect in ("postgres", "postgresql"):
        from batuta.io.postgres import PostgresIO

        return PostgresIO(connection=connection)
    if dialect in ("", "duckdb"):
        from batuta.io.duck import DuckDBIO

        return DuckDBIO(connection=connection)
    raise DefinitionError(
        f"a query cannot be run in {dialect!r}", where=where, hint="dialect is duckdb (without saying so) or postgres"
    )
