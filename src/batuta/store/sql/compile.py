"""Compiles every statement and the schema to text, for both dialects: `python -m batuta.store.sql.compile`.

The texts are kept in the repository (`sqlite.sql`, `postgresql.sql`, `*_schema.sql`), so that neither opening a store
nor a commit imports SQLAlchemy (0.3 s) or builds a statement. A test compares them with what this module makes.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from batuta.store import schema, schema_accounts, schema_service  # noqa: F401 - their tables are part of the schema
from batuta.store.sql.build import DEFINITIONS, Definition, Dialect

MODULES = (
    "writing",
    "reading",
    "service",
    "pools",
    "alerting",
    "artifacts",
    "evaluations",
    "signals",
    "backfills",
    "assets",
    "usage",
    "columns",
    "code",
    "environments",
    "external",
    "settings",
    "reports",
    "accounts",
    "keeping",
    "sources",
    "forgetting",
)
DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql")


def statements(dialect: Dialect) -> str:
    """All statements, each under a line `-- name(parameter, ...)`, or `-- name[column, ...]` where it takes rows."""
    for module in MODULES:
        importlib.import_module(f"batuta.store.sql.{module}")
    wanted = (definition for definition in DEFINITIONS if definition.only in (None, dialect))
    return "\n".join(_statement(definition, dialect) for definition in wanted)


def _statement(definition: Definition, dialect: Dialect) -> str:
    compiled = definition.build(dialect).compile(dialect=_compiler(dialect))
    names = tuple(getattr(compiled, "positiontup", None) or ())
    if definition.each and dialect == "sqlite" and names != definition.each:
        raise AssertionError(f"{definition.name} takes {names}, which is not the order of its rows {definition.each}")
    head = f"[{', '.join(definition.each)}]" if definition.each else f"({', '.join(names)})"
    lines = (line.rstrip() for line in str(compiled).splitlines())
    return f"-- {definition.name}{head}\n" + "\n".join(lines) + ";\n"


def tables(dialect: Dialect) -> str:
    """The schema as CREATE statements."""
    compiler = _compiler(dialect)
    made: list[str] = []
    for table in schema.metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=compiler)).strip())
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        made.extend(str(CreateIndex(index).compile(dialect=compiler)).strip() for index in indexes)
    return "".join("\n".join(line.rstrip() for line in text.splitlines()) + ";\n\n" for text in made)


def _compiler(dialect: Dialect) -> sa.Dialect:
    kinds: dict[Dialect, Any] = {"sqlite": pysqlite.dialect, "postgresql": psycopg.dialect}
    made: sa.Dialect = kinds[dialect](paramstyle="qmark" if dialect == "sqlite" else "format")
    return made


def write(folder: Path) -> None:
    """Make the files anew."""
    for dialect in DIALECTS:
        (folder / f"{dialect}.sql").write_text(statements(dialect))
        (folder / f"{dialect}_schema.sql").write_text(tables(dialect))


if __name__ == "__main__":
    write(Path(__file__).parent)
