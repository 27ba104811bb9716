"""The port of IO managers that keep tables in a database: a query is made into a table there, and nothing is moved.

What is to be run is built inside the transaction that runs it, by a function that is given a `Session`: only there can
be said which tables there are, which partitions they hold, and what others keep elsewhere can be made readable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import msgspec

from batuta.io.base import IOManager, OutputContext, Stored
from batuta.io.frames import Columns

Kept = Literal["table", "view", "incremental"]
"""What a query is made into. `incremental`: what it gives is added to the table, in place of rows of the same key."""


Count = Callable[[Sequence[str]], tuple[dict[str, int], int]]
"""How many nulls each of these columns has in what was made, and how many rows there are."""


class Query(msgspec.Struct, frozen=True):
    """SQL of the database, ready to run. `first` is what an incremental table begins with."""

    text: str
    kept: Kept = "table"
    first: str = ""
    unique_key: tuple[str, ...] = ()
    afresh: bool = False
    """Whether an incremental table is made anew."""
    begins: str = ""
    """What a FROM says to read the rows that an incremental table begins with, where it is not there yet: of an
    environment, what production has."""
    admit: Callable[[Columns], None] | None = None
    """Called with the columns that the query gives, before anything is written; raises what keeps it from that."""
    settle: Callable[[Count], None] | None = None
    """Called before the transaction ends, with a function that counts nulls in what was made; the same."""


def counted(rows_of: Callable[[str], Any], table: str, where: str, names: Sequence[str]) -> tuple[dict[str, int], int]:
    """A `Count` of the rows of a table. `rows_of`: the rows that a query gives."""
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    nulls = "".join(f", count(*) - count({name})" for name in quoted)
    ((rows, *found),) = rows_of(f"SELECT count(*){nulls} FROM {table} WHERE {where}")
    return dict(zip(names, found, strict=True)), rows


Part = tuple[str, tuple[str, ...] | None]
"""An asset, or partitions of it, under the key by which they are kept."""


class Session(Protocol):
    """A transaction in which a query is about to run."""

    def holds(self, manager: Any) -> bool:
        """Whether what another IO manager keeps is in this very database."""

    def columns(self, *name: str) -> Columns:
        """Names and types of the columns of a table or view (schema, name); none where it is not there."""

    def asset_columns(self, manager: Any, asset: str) -> Columns:
        """The same of an asset that a manager keeps here, without columns of ours."""

    def location(self, manager: Any, asset: str) -> str:
        """What a FROM says to read the table of an asset, whether it is there or not."""

    def reading(self, manager: Any, parts: Sequence[Part]) -> str:
        """What a FROM says to read an asset that a manager keeps here, all its parts. Raises MissingDataError."""

    def wanted(self) -> Any:
        """The type as which a table from elsewhere is to be loaded."""

    def add(self, name: str, value: Any) -> tuple[str, Columns]:
        """Make a table from elsewhere readable: what a FROM says for it, and its columns."""


class QueryIO(IOManager):
    """An IO manager of tables in a database, whose SQL is `dialect` to sqlglot."""

    dialect: str = ""

    def query(self, context: OutputContext, build: Callable[[Session], Query]) -> Stored:
        """Keep what a query gives, all of it or nothing. `build` may be called again where the database was in use.

        Raises ResultError with what the database says of the query.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define query()")

    def fetch(self, build: Callable[[Session], Query]) -> Any:
        """What a query gives, as an Arrow table, for who looks at it before it is kept. Raises as `query` does."""
        raise NotImplementedError(f"{type(self).__name__} does not define fetch()")


class QueryFailed(Exception):
    """What the database said of a query. Caught by who knows where the query stands; `line` counts from 1."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
