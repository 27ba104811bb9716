"""The history of the schema: from empty, from each revision to the next, with rows in it; it ends where `schema` is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory

import batuta.store.migrations
from batuta.store import Store
from batuta.store.database import Database
from batuta.store.engines import open_database
from batuta.store.errors import StoreError
from batuta.store.revisions import NEWEST, REVISIONS, create, current, migrate

ROWS = 3


@pytest.fixture
def database(empty_store_url: str) -> Iterator[Database[Any]]:
    """A database without a schema."""
    opened = open_database(empty_store_url, durable="normal", read_only=False, busy_s=10.0)
    yield opened
    opened.close()


@pytest.fixture
def engine(empty_store_url: str) -> Iterator[sa.Engine]:
    """The same database for SQLAlchemy, to look into it."""
    made = sa.create_engine(empty_store_url, poolclass=sa.NullPool)
    yield made
    made.dispose()


def test_the_revisions_are_those_in_the_folder() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(batuta.store.migrations.__file__).parent))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_migrating_from_empty_gives_what_creating_gives(
    database: Database[Any], engine: sa.Engine, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    create(database)
    created = _shape(engine)
    _clear(engine)
    migrate(database)
    assert _shape(engine) == created
    assert current(database) == NEWEST


@pytest.mark.parametrize(("before", "after"), [*zip((None, *REVISIONS), REVISIONS, strict=False)])
def test_each_migration_keeps_the_rows_that_are_there(
    database: Database[Any], engine: sa.Engine, empty_store_url: str, before: str | None, after: str
) -> None:
    kept: dict[str, list[dict[str, Any]]] = {}
    if before is not None:
        migrate(database, before)
        kept = _fill(engine)
        assert all(len(rows) == ROWS for rows in kept.values())
    migrate(database, after)
    assert current(database) == after
    found = _rows(engine)
    for table, rows in kept.items():
        columns = found[table][0].keys() & rows[0].keys()
        assert _only(found[table], columns) == _only(rows, columns), table
    database.close()
    with Store.open(empty_store_url) as store:
        assert store.opened == ("existing" if after == NEWEST else "upgraded")
        assert store.info().revision == NEWEST


def test_all_migrations_with_rows_from_the_beginning(
    database: Database[Any], engine: sa.Engine, empty_store_url: str
) -> None:
    create(database)
    wanted = _shape(engine)
    _clear(engine)
    migrate(database, REVISIONS[0])
    _fill(engine)
    with Store.open(empty_store_url) as store:
        assert store.opened == ("upgraded" if len(REVISIONS) > 1 else "existing")
    assert _shape(engine) == wanted


def test_a_migration_that_fails_changes_nothing(
    database: Database[Any], engine: sa.Engine, empty_store_url: str
) -> None:
    migrate(database, "0001")
    with engine.begin() as connection:  # in the way of revision 0002
        connection.execute(sa.text("CREATE TABLE run_requests (in_the_way TEXT)"))
    before = _shape(engine)
    for _ in range(2):
        with pytest.raises(StoreError, match="run_requests"):
            Store.open(empty_store_url)
        assert _shape(engine) == before
        assert current(database) == "0001"
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE run_requests"))
    with Store.open(empty_store_url) as store:
        assert store.opened == "upgraded"


def test_many_may_upgrade_at_the_same_time(database: Database[Any], empty_store_url: str) -> None:
    migrate(database, REVISIONS[0])
    barrier, failed = threading.Barrier(4), []

    def upgrade() -> None:
        barrier.wait()
        try:
            with Store.open(empty_store_url) as store:
                assert store.info().revision == NEWEST
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


# ---- looking into a database ----


def _shape(engine: sa.Engine) -> dict[str, Any]:
    """Everything that SQLAlchemy can tell about the tables, comparable."""
    look = sa.inspect(engine)
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in look.get_columns(table)
            },
            "key": look.get_pk_constraint(table),
            "foreign": look.get_foreign_keys(table),
            "unique": look.get_unique_constraints(table),
            "indexes": sorted((_index(index) for index in look.get_indexes(table)), key=str),
            "numbered": _is_numbered(engine, table),
        }
        for table in look.get_table_names()
    }


def _index(index: Any) -> tuple[Any, ...]:
    where = {name: str(value) for name, value in index.get("dialect_options", {}).items() if name.endswith("where")}
    return index["name"], index["column_names"], index["unique"], where


def _is_numbered(engine: sa.Engine, table: str) -> bool:
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect() as connection:
        made = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": table})
        return "AUTOINCREMENT" in made.scalar_one()


def _clear(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        metadata = sa.MetaData()
        metadata.reflect(connection)
        metadata.drop_all(connection)


def _fill(engine: sa.Engine) -> dict[str, list[dict[str, Any]]]:
    """Some rows in every table, whatever tables there are."""
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.begin() as connection:
        for table in metadata.sorted_tables:
            if table.name != "batuta_revision":
                rows = [{column.name: _value(column, n) for column in table.columns} for n in range(1, ROWS + 1)]
                connection.execute(table.insert(), rows)
    return _rows(engine)


def _value(column: sa.Column[Any], n: int) -> Any:
    if column.foreign_keys:
        return _value(next(iter(column.foreign_keys)).column, n)
    kind = column.type.python_type
    return {int: n, str: f"{column.name}-{n}", float: n / 4, bytes: bytes([n]), bool: n % 2 == 0}[kind]


def _rows(engine: sa.Engine) -> dict[str, list[dict[str, Any]]]:
    metadata = sa.MetaData()
    metadata.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for table in metadata.sorted_tables
            if table.name != "batuta_revision"
        }


def _only(rows: list[dict[str, Any]], columns: Any) -> list[dict[str, Any]]:
    return sorted(
        ({name: row[name] for name in columns} for row in rows), key=lambda row: sorted(map(str, row.items()))
    )
