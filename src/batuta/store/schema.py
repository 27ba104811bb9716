"""The tables. With `schema_service` the one description of the schema that the code works with.

Three things follow from it and are kept in the repository, each with a test that it still agrees: the SQL of both
dialects (`sql/`, made by `python -m batuta.store.compile_sql`), and the migrations (`migrations/`), which repeat it
frozen in time. Surprising: `events` and `task_runs` have no foreign key to `runs`. They are written thousands of times
a second under a fence (`runs.epoch`), and a key would cost PostgreSQL a row lock each; pruning keeps them in step.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, LargeBinary, Text

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

RowId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only where the type says INTEGER
Json = Text  # encoded by the caller; text rather than bytes, so that a person can read it with any client


def id_column() -> Column[int]:
    """A number that the database gives."""
    return Column("id", RowId, primary_key=True, autoincrement=True)


def text_column(name: str) -> Column[str]:
    """Never NULL: empty where there is nothing."""
    return Column(name, Text, nullable=False)


def time_column(name: str, nullable: bool = False) -> Column[float]:
    """Seconds since the epoch, UTC."""
    return Column(name, Double, nullable=nullable)


plans = sa.Table(
    "plans",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

runs = sa.Table(
    "runs",
    metadata,
    id_column(),
    text_column("job"),
    text_column("kind"),
    Column("plan_hash", Text, ForeignKey("plans.hash"), nullable=False),
    text_column("location"),
    text_column("state"),
    Column("params", Json, nullable=False),
    Column("tags", Json, nullable=False),
    Column("config", Json, nullable=False),
    text_column("trigger"),
    time_column("logical_at", nullable=True),
    time_column("interval_start", nullable=True),
    time_column("interval_end", nullable=True),
    text_column("partition"),
    Column("parent_run", RowId),
    Column("parent_task", Integer),
    Column("priority", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    time_column("created_at"),
    time_column("started_at", nullable=True),
    time_column("finished_at", nullable=True),
    text_column("error"),
    Column("epoch", Integer, nullable=False),
    text_column("owner"),
    time_column("lease_until"),
    Column("seq", Integer, nullable=False),
    Column("version", Text, nullable=False, server_default=""),  # of the definitions that it was started from
    Column("origin", Text, nullable=False, server_default=""),  # the name of what triggered it
    Column("concurrency_key", Text, nullable=False, server_default=""),
    time_column("deadline_at", nullable=True),
    Column("backfill_id", RowId),
    sqlite_autoincrement=True,  # the number of a pruned run is not given again
)
# `seq` changes with every commit and the lease every few seconds: neither is in an index.
Index(None, runs.c.job, runs.c.id, runs.c.state)
Index(None, runs.c.state, runs.c.id)
Index(None, runs.c.plan_hash)
Index(None, runs.c.created_at)
Index(None, runs.c.trigger, runs.c.id)
Index(
    "ix_runs_partition",
    runs.c.partition,
    runs.c.id,
    sqlite_where=sa.text("partition <> ''"),
    postgresql_where=sa.text("partition <> ''"),
)
Index(
    "ix_runs_parent_run",
    runs.c.parent_run,
    sqlite_where=runs.c.parent_run.is_not(None),
    postgresql_where=runs.c.parent_run.is_not(None),
)

Index(
    "ix_runs_backfill_id",
    runs.c.backfill_id,
    sqlite_where=runs.c.backfill_id.is_not(None),
    postgresql_where=runs.c.backfill_id.is_not(None),
)

run_tags = sa.Table(
    "run_tags",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("run_id", RowId, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "run_id"),
)

run_requests = sa.Table(
    "run_requests",  # messages to the engine that executes a run
    metadata,
    id_column(),
    Column("run_id", RowId, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    text_column("kind"),
    Column("data", Json, nullable=False),
    text_column("by"),
    time_column("at"),
    Index(None, "run_id"),
    sqlite_autoincrement=True,  # deleting one twice must not delete a later one
)

events = sa.Table(
    "events",
    metadata,
    id_column(),
    Column("run_id", RowId, nullable=False),
    Column("seq", Integer, nullable=False),
    text_column("kind"),
    time_column("at"),
    Column("task", Integer),
    Column("data", Json, nullable=False),
    sa.UniqueConstraint("run_id", "seq"),
    sqlite_autoincrement=True,  # readers remember how far they have read
)

task_runs = sa.Table(
    "task_runs",
    metadata,
    Column("run_id", RowId, primary_key=True, autoincrement=False),
    Column("no", Integer, primary_key=True, autoincrement=False),
    text_column("step"),
    text_column("task"),
    text_column("kind"),
    Column("map_index", Integer, nullable=False),
    text_column("label"),
    text_column("state"),
    Column("attempt", Integer, nullable=False),
    time_column("started_at", nullable=True),
    time_column("finished_at", nullable=True),
    text_column("worker"),
    text_column("reason"),
    Column("error", Json),
    Column("output", Json),
    Column("logged", Boolean, nullable=False),
)

NOTEWORTHY = ("running", "retrying", "deferred", "paused", "failed")
"""States of task runs that are looked for across runs. The usual way, waiting to queued to succeeded, stays outside
the index and costs nothing."""

is_noteworthy = sa.text(f"state IN ({', '.join(repr(state) for state in NOTEWORTHY)})")
"""The condition of the partial index, literally: SQLite uses the index only for queries that repeat it."""

Index(
    "ix_task_runs_noteworthy",
    task_runs.c.state,
    task_runs.c.run_id,
    sqlite_where=is_noteworthy,
    postgresql_where=is_noteworthy,
)


def _materialization() -> list[Column[object]]:
    columns: list[Column[object]] = [
        Column("run_id", RowId, nullable=False),
        Column("task", Integer, nullable=False),
        Column("at", Double, nullable=False),
        Column("data_version", Text, nullable=False),
        Column("code_version", Text, nullable=False),
        Column("inputs", Json, nullable=False),
        Column("metadata", Json, nullable=False),
    ]
    return columns


def _verdict() -> list[Column[object]]:
    columns: list[Column[object]] = [
        Column("run_id", RowId, nullable=False),
        Column("task", Integer, nullable=False),
        Column("at", Double, nullable=False),
        Column("passed", Boolean, nullable=False),
        Column("blocking", Boolean, nullable=False),
        Column("description", Text, nullable=False),
        Column("metadata", Json, nullable=False),
        Column("outcome", Text, nullable=False, server_default=""),  # see `rows.CheckRow`
    ]
    return columns


materializations = sa.Table(
    "materializations",
    metadata,
    id_column(),
    text_column("asset"),
    text_column("partition"),
    *_materialization(),
    Index(None, "asset", "id"),
    Index(None, "asset", "partition", "id"),
    Index(None, "run_id"),
    sqlite_autoincrement=True,
)

asset_partitions = sa.Table(
    "asset_partitions",
    metadata,
    Column("asset", Text, primary_key=True),
    Column("partition", Text, primary_key=True),
    *_materialization(),
)

check_results = sa.Table(
    "check_results",
    metadata,
    id_column(),
    text_column("asset"),
    text_column("check_name"),
    text_column("partition"),
    *_verdict(),
    Index(None, "asset", "id"),
    Index(None, "run_id"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

checks_current = sa.Table(
    "checks_current",
    metadata,
    Column("asset", Text, primary_key=True),
    Column("check_name", Text, primary_key=True),
    Column("partition", Text, primary_key=True),
    *_verdict(),
)

asset_columns = sa.Table(
    "asset_columns",  # what the columns of an asset are, and are made from: see `rows.ColumnsRow`
    metadata,
    Column("asset", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    text_column("hash"),
    Column("columns", Json, nullable=False),
    Column("lineage", Json, nullable=False),
    Column("run_id", RowId, nullable=False),
    time_column("at"),
    Index(None, "at"),
)

asset_code = sa.Table(
    "asset_code",  # the text of the code that made an asset, by version: see `rows.CodeRow`
    metadata,
    Column("asset", Text, primary_key=True),
    Column("code_version", Text, primary_key=True),
    Column("code", Json, nullable=False),
    Column("run_id", RowId, nullable=False),
    time_column("at"),
)

environments = sa.Table(
    "environments",
    metadata,
    Column("name", Text, primary_key=True),
    text_column("description"),
    time_column("created_at"),
    text_column("created_by"),
)

environment_partitions = sa.Table(
    "environment_partitions",  # what was made in an environment, where `asset_partitions` is what was made outside
    metadata,
    Column("environment", Text, ForeignKey("environments.name", ondelete="CASCADE"), primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("partition", Text, primary_key=True),
    *_materialization(),
    Index(None, "run_id"),
)

environment_checks = sa.Table(
    "environment_checks",
    metadata,
    Column("environment", Text, ForeignKey("environments.name", ondelete="CASCADE"), primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("check_name", Text, primary_key=True),
    Column("partition", Text, primary_key=True),
    *_verdict(),
    Index(None, "run_id"),
)

asset_usage = sa.Table(
    "asset_usage",  # how often an asset was read, by whom, on which day (UTC, since the epoch)
    metadata,
    Column("asset", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("reader", Text, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("reads", Integer, nullable=False),
    time_column("last_at"),
    Column("last_run", RowId, nullable=False),
    Index(None, "day"),
)

task_cache = sa.Table(
    "task_cache",
    metadata,
    Column("key", Text, primary_key=True),
    Column("output", Json, nullable=False),
    Column("run_id", RowId, nullable=False),
    time_column("created_at"),
    time_column("expires_at", nullable=True),
)

dynamic_partitions = sa.Table(
    "dynamic_partitions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    time_column("created_at"),
)

definitions = sa.Table(
    "definitions",
    metadata,
    Column("location", Text, primary_key=True),
    text_column("hash"),
    Column("data", LargeBinary, nullable=False),
    time_column("loaded_at"),
    text_column("error"),
    Column("problems", Json, nullable=False, server_default="[]"),  # all that the error is the first of
)

asset_definitions = sa.Table(
    "asset_definitions",
    metadata,
    Column("key", Text, primary_key=True),
    Column("location", Text, ForeignKey("definitions.location", ondelete="CASCADE"), primary_key=True),
    Column("data", Json, nullable=False),
    Index(None, "location"),
)

meta = sa.Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    text_column("value"),
)

pruned_runs = sa.Table(
    "pruned_runs",  # runs that are gone, whose events and task runs are still being deleted
    metadata,
    Column("run_id", RowId, primary_key=True, autoincrement=False),
)

REVISION_TABLE = "batuta_revision"
"""Alembic's version table under a name of our own, so that a PostgreSQL database can be shared."""

revision = sa.Table(
    REVISION_TABLE,
    metadata,
    Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name=f"{REVISION_TABLE}_pkc"),
)
