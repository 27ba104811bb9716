"""SQL statements and what they give, on any database there is a driver for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from batuta.authoring import ports
from batuta.authoring.context import StepContext
from batuta.authoring.operators.base import Operator, OperatorError
from batuta.authoring.operators.sensors import Sensor
from batuta.authoring.operators.sql_connect import Dialect, autocommit, connected, database_of, looking, transaction
from batuta.authoring.operators.sql_text import Statement, statements
from batuta.core.errors import BatutaError, ParameterError, nearest
from batuta.core.triggers import POLL_S_MIN, RowArrives, Trigger, wrong

Returns = Literal["auto", "rows", "tuples", "first", "value", "affected", "none"]
_READING = ("SELECT", "FROM", "WITH", "VALUES", "TABLE", "SHOW", "(")
Parameters = Mapping[str, Any] | Sequence[Any] | None


class SQLOperator(Operator):
    """Runs `sql`, one statement or several, in one transaction (unless `in_transaction=False`) on a database.

    `connection` is the name of a connection (or a `Connection`); or `database` is a URL (`duckdb:///file.db`,
    `sqlite:///file.db`, `postgresql://...`, or one of SQLAlchemy's), a connection, an object with `connect()`, or a
    function that gives a connection. `parameters` are bound: by name where the SQL says `:name`, in order where it
    says `?`. The SQL itself is a template, or the name of an `.sql` file.

    The output is what the last statement gives: `returns="rows"` a list of dicts, `"tuples"`, `"first"` (the first row
    as a dict, or None), `"value"` (its first cell), `"affected"` the number of rows changed by all statements, or
    `"none"`; `"auto"` is rows where there are any, else affected.
    """

    template_fields = ("sql", "parameters", "database", "connection")
    template_ext = (".sql",)

    def __init__(
        self,
        sql: str | Sequence[str],
        *,
        database: Any = None,
        connection: Any = None,
        parameters: Parameters = None,
        returns: Returns = "auto",
        in_transaction: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.sql = sql
        self.database = database
        self.connection = connection
        self.parameters = parameters
        self.returns = returns
        self.in_transaction = in_transaction

    def execute(self, context: StepContext) -> Any:
        """Run it all, or nothing of it. Raises OperatorError with the statement that failed."""
        target = database_of(self.database, self.connection, context.key)
        with connected(target, context.key) as (connection, dialect):
            within = transaction if self.in_transaction else autocommit
            with within(connection, dialect) as cursor:
                found = _run(cursor, self.sql, self.parameters, dialect, context.key, context.check_cancelled)
                return found.output(self.returns)


class SQLSensor(Sensor):
    """Waits until `sql` gives a row whose first cell is truthy; that is the output. See `SQLOperator`.

    With `deferrable=True` the engine asks in its place between two looks, and no worker is called meanwhile: the
    database has to be within reach of the engine, with a driver there. What the engine asks is recorded with the run,
    so a log-in has to be that of a connection, named by `connection=`.
    """

    template_fields = ("sql", "parameters", "database", "connection")
    template_ext = (".sql",)

    def __init__(
        self,
        sql: str,
        *,
        database: Any = None,
        connection: Any = None,
        parameters: Parameters = None,
        deferrable: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.sql = sql
        self.database = database
        self.connection = connection
        self.parameters = parameters
        self.deferrable = deferrable

    def poke(self, context: StepContext) -> Any:
        """Ask once."""
        target = database_of(self.database, self.connection, context.key)
        with (
            connected(target, context.key) as (connection, dialect),
            transaction(connection, dialect) as cursor,
        ):
            found = _run(cursor, self.sql, self.parameters, dialect, context.key, context.check_cancelled)
            return found.output("value")

    def trigger(self, context: StepContext) -> Trigger | None:
        """The row itself, where it may be recorded what is asked; else it goes on asking by itself, and says so."""
        if not self.deferrable or type(self).poke is not SQLSensor.poke:
            return None
        target = self.database if self.connection is None else self.connection
        if not isinstance(target, str):
            context.log.warning(
                "asked from a worker: a %s cannot be recorded, name a connection", type(target).__name__
            )
            return None
        parameters = self.parameters
        given = dict(parameters) if isinstance(parameters, Mapping) else None if parameters is None else [*parameters]
        made = RowArrives(self.sql, target, given, max(self.poll_s, POLL_S_MIN))
        message = wrong(made) or _not_to_be_recorded(made)
        if message:
            context.log.warning("asked from a worker: %s", message)
        return None if message else made


def _not_to_be_recorded(trigger: RowArrives) -> str:
    given = trigger.parameters
    values = [] if given is None else [*given.values()] if isinstance(given, dict) else given
    for value in values:
        if value is not None and not isinstance(value, (str, int, float, bool)):
            return f"a parameter that is a {type(value).__name__} cannot be recorded, give it as a text"
    texts = [trigger.sql, trigger.connection, *(value for value in values if isinstance(value, str))]
    return "a secret cannot be recorded" if any(map(ports.has_secret, texts)) else ""


def row_of(
    connection: Any, dialect: Dialect, sql: str | Sequence[str], parameters: Parameters, where: str
) -> dict[str, Any] | None:
    """The first row that the last statement gives, if its first cell is truthy. Nothing that is changed is kept."""
    with looking(connection, dialect) as cursor:
        found = _run(cursor, sql, parameters, dialect, where)
    row: dict[str, Any] | None = found.output("first") if found.output("value") else None
    return row


class _Result:
    """What the statements gave."""

    def __init__(self) -> None:
        self.columns: list[str] | None = None
        self.rows: list[Any] = []
        self.affected = 0

    def output(self, returns: Returns) -> Any:
        if returns == "auto":
            returns = "rows" if self.columns is not None else "affected"
        match returns:
            case "none":
                return None
            case "affected":
                return self.affected
            case "tuples":
                return [_cells(row) for row in self.rows]
            case "value":
                return _cells(self.rows[0])[0] if self.rows else None
        dicts = [dict(zip(self.columns or (), _cells(row), strict=True)) for row in self.rows]
        if returns == "first":
            return dicts[0] if dicts else None
        return dicts


def _cells(row: Any) -> tuple[Any, ...]:
    return tuple(row.values()) if isinstance(row, Mapping) else tuple(row)


def _run(
    cursor: Any,
    sql: str | Sequence[str],
    given: Parameters,
    dialect: Dialect,
    where: str,
    check: Callable[[], None] = lambda: None,
) -> _Result:
    """Execute it all; `check` is called before each statement."""
    texts = [sql] if isinstance(sql, str) else list(sql)
    plain = given is None
    write = (lambda name: f":{name}" if name else "?") if plain else dialect.placeholder
    found = [one for text in texts for one in statements(text, write, "%" if plain else dialect.percent)]
    if not found:
        raise OperatorError("there is no SQL in it", where=where, hint="give sql=")
    bind = _Binder(given, dialect, where)
    result = _Result()
    for number, statement in enumerate(found, 1):
        check()
        what = f"statement {number} of {len(found)}" if len(found) > 1 else "the statement"
        _execute(cursor, statement, bind, plain, f"{where}: {what}")
        last = number == len(found)
        if cursor.description is not None and not _counts(cursor, statement.text):
            result.columns = [column[0] for column in cursor.description] if last else None
            result.rows = cursor.fetchall() if last else []
        else:
            result.columns, result.rows = None, []
            result.affected += _affected(cursor)
    bind.check_all_used()
    return result


def _execute(cursor: Any, statement: Statement, bind: _Binder, plain: bool, where: str) -> None:
    try:
        if plain:
            cursor.execute(statement.text)
        else:
            cursor.execute(statement.text, bind.values(statement))
    except BatutaError:
        raise
    except Exception as error:
        if type(error).__module__.partition(".")[0] == "builtins":
            raise
        text = " ".join(statement.text.split())
        shown_text = text if len(text) <= 200 else f"{text[:197]}..."
        raise OperatorError(f"{type(error).__name__}: {error}\n  {shown_text}", where=where) from None


def _counts(cursor: Any, text: str) -> bool:
    """Whether what a statement gives is not rows but the number of rows it changed, as DuckDB tells it."""
    is_duckdb = type(cursor).__module__.startswith(("duckdb", "_duckdb"))
    word = text.split(None, 1)[0].upper()
    return is_duckdb and [column[0] for column in cursor.description] == ["Count"] and word not in _READING


def _affected(cursor: Any) -> int:
    if cursor.description is not None:
        row = cursor.fetchone()
        return int(row[0]) if row else 0
    return max(int(cursor.rowcount), 0)


class _Binder:
    """Hands each statement the parameters that it names."""

    def __init__(self, given: Parameters, dialect: Dialect, where: str) -> None:
        self._named = given if isinstance(given, Mapping) else None
        self._listed = list(given) if isinstance(given, Sequence) and not isinstance(given, (str, bytes)) else None
        self._dialect = dialect
        self._where = where
        self._used = 0

    def values(self, statement: Statement) -> Any:
        if self._named is not None:
            return self._by_name(statement, self._named)
        if any(statement.names):
            raise ParameterError(
                f"the SQL names :{next(filter(None, statement.names))}",
                where=self._where,
                hint="give parameters as a dict, or write ? for each of the list",
            )
        start, self._used = self._used, self._used + len(statement.names)
        listed = self._listed or []
        if self._used > len(listed):
            raise ParameterError(f"the SQL has more ? than the {len(listed)} parameters", where=self._where)
        return listed[start : self._used]

    def _by_name(self, statement: Statement, named: Mapping[str, Any]) -> Any:
        for name in statement.names:
            if name not in named:
                what = f"the SQL names :{name}, which is not among the parameters" if name else "the SQL has a ?"
                hint = nearest(name, named) or f"parameters are {', '.join(named)}"
                raise ParameterError(what, where=self._where, hint=hint)
        if self._dialect.named:
            return {name: named[name] for name in statement.names}
        return [named[name] for name in statement.names]

    def check_all_used(self) -> None:
        if self._listed is not None and self._used < len(self._listed):
            raise ParameterError(
                f"{len(self._listed)} parameters were given, but the SQL has {self._used} ?", where=self._where
            )
