"""Which revisions of the schema there are, and how a database comes to the newest.

An empty database gets the tables at once and is stamped; an older one is migrated by Alembic, which is imported only
then. Either happens in one transaction, under a lock, so that any number of processes may open a store at a time.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal

from batuta.store.database import Database, load_schema
from batuta.store.errors import NotAStore, StoreMissing, StoreTooNew, StoreTooOld

REVISIONS: tuple[str, ...] = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""All revisions that this code knows, oldest first; a test compares them with `migrations/versions`."""

NEWEST = REVISIONS[-1]
_TABLE = "batuta_revision"
_LOCK = "SELECT pg_advisory_xact_lock(7089350519838)"
_one_at_a_time = threading.Lock()  # Alembic keeps its state in globals

Opened = Literal["existing", "created", "upgraded"]


def current(database: Database[Any]) -> str | None:
    """The revision that a database has, or None where it has no store."""
    if not database.has_table(_TABLE):
        return None
    rows = database.rows("get_revision")
    return str(rows[0][0]) if rows else None


def prepare(database: Database[Any], *, may_change: bool) -> Opened:
    """Bring the schema to the newest revision, or say why that cannot be."""
    revision = current(database)
    if revision == NEWEST:
        return "existing"
    where = database.location
    if revision is None:
        if not database.is_empty():
            hint = "give another file, database or search path; this one is left as it is"
            raise NotAStore("there are tables in it, but they are not a store's", where=where, hint=hint)
        if not may_change:
            raise StoreMissing("there is no store in it yet", where=where, hint="`batuta db upgrade` makes one")
        return "created" if create(database) else "existing"
    if revision not in REVISIONS:
        hint = "upgrade the package: pip install --upgrade batuta"
        raise StoreTooNew(f"made by a newer Batuta (its schema is {revision})", where=where, hint=hint)
    if not may_change:
        hint = "`batuta db upgrade` brings it up to date"
        raise StoreTooOld(f"its schema is {revision}, this Batuta needs {NEWEST}", where=where, hint=hint)
    migrate(database)
    return "upgraded"


def create(database: Database[Any]) -> bool:
    """Make the tables at their newest; False where another process has just done so."""
    with database.transaction() as transaction:
        if database.dialect == "postgresql":
            transaction.script([_LOCK])
        if database.has_table(_TABLE):
            return False
        transaction.script(load_schema(database.dialect))
        transaction.run("put_revision", version_num=NEWEST)
        return True


def migrate(database: Database[Any], target: str = "head") -> None:
    """Run the migrations up to `target`, all in one transaction."""
    import sqlalchemy as sa
    from alembic import command
    from alembic.config import Config

    driver = "sqlite" if database.dialect == "sqlite" else "postgresql+psycopg"
    engine = sa.create_engine(f"{driver}://", creator=database.connect, poolclass=sa.NullPool)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    try:
        with _one_at_a_time, engine.connect() as connection:
            _lock(connection, database)
            config.attributes["connection"] = connection
            command.upgrade(config, target)
            if database.dialect == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise StoreTooOld("the migration would leave rows without what they refer to", where=database.location)
            connection.commit()
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, database.driver_errors):
            raise database.translated(error.orig) from error
        raise


def _lock(connection: Any, database: Database[Any]) -> None:
    """Begin the transaction alone. Rebuilding a table must not delete what refers to it, hence no foreign keys."""
    if database.dialect == "sqlite":
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(_LOCK)
