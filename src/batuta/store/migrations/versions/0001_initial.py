"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _runs()
    _tasks()
    _assets()
    _catalog()


def _runs() -> None:
    op.create_table(
        "plans",
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_plans"),
    )
    op.create_table(
        "runs",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("plan_hash", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("logical_at", sa.Double),
        sa.Column("interval_start", sa.Double),
        sa.Column("interval_end", sa.Double),
        sa.Column("partition", sa.Text, nullable=False),
        sa.Column("parent_run", _RowId),
        sa.Column("parent_task", sa.Integer),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("finished_at", sa.Double),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("lease_until", sa.Double, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.ForeignKeyConstraint(["plan_hash"], ["plans.hash"], name="fk_runs_plan_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_job_id_state", "runs", ["job", "id", "state"])
    op.create_index("ix_runs_state_id", "runs", ["state", "id"])
    op.create_index("ix_runs_plan_hash", "runs", ["plan_hash"])
    has_parent = sa.text("parent_run IS NOT NULL")
    op.create_index("ix_runs_parent_run", "runs", ["parent_run"], sqlite_where=has_parent, postgresql_where=has_parent)
    op.create_table(
        "run_tags",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("run_id", _RowId, nullable=False),
        sa.PrimaryKeyConstraint("key", "value", "run_id", name="pk_run_tags"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_tags_run_id", ondelete="CASCADE"),
    )
    op.create_index("ix_run_tags_run_id", "run_tags", ["run_id"])
    op.create_table(
        "pruned_runs",
        sa.Column("run_id", _RowId, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_pruned_runs"),
    )


def _tasks() -> None:
    op.create_table(
        "events",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("run_id", _RowId, nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("task", sa.Integer),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("run_id", "seq", name="uq_events_run_id_seq"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "task_runs",
        sa.Column("run_id", _RowId, autoincrement=False, nullable=False),
        sa.Column("no", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("map_index", sa.Integer, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double),
        sa.Column("finished_at", sa.Double),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("output", sa.Text),
        sa.Column("logged", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "no", name="pk_task_runs"),
    )
    noteworthy = sa.text("state IN ('running', 'retrying', 'deferred', 'paused', 'failed')")
    op.create_index(
        "ix_task_runs_noteworthy",
        "task_runs",
        ["state", "run_id"],
        sqlite_where=noteworthy,
        postgresql_where=noteworthy,
    )
    op.create_table(
        "task_cache",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("output", sa.Text, nullable=False),
        sa.Column("run_id", _RowId, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.PrimaryKeyConstraint("key", name="pk_task_cache"),
    )


def _made() -> list[sa.Column[object]]:
    return [
        sa.Column("run_id", _RowId, nullable=False),
        sa.Column("task", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("data_version", sa.Text, nullable=False),
        sa.Column("code_version", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
    ]


def _checked() -> list[sa.Column[object]]:
    return [
        sa.Column("run_id", _RowId, nullable=False),
        sa.Column("task", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("blocking", sa.Boolean, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("metadata", sa.Text, nullable=False),
    ]


def _assets() -> None:
    op.create_table(
        "materializations",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("partition", sa.Text, nullable=False),
        *_made(),
        sa.PrimaryKeyConstraint("id", name="pk_materializations"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_materializations_asset_id", "materializations", ["asset", "id"])
    op.create_index("ix_materializations_asset_partition_id", "materializations", ["asset", "partition", "id"])
    op.create_index("ix_materializations_run_id", "materializations", ["run_id"])
    op.create_table(
        "asset_partitions",
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("partition", sa.Text, nullable=False),
        *_made(),
        sa.PrimaryKeyConstraint("asset", "partition", name="pk_asset_partitions"),
    )
    op.create_table(
        "check_results",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("check_name", sa.Text, nullable=False),
        sa.Column("partition", sa.Text, nullable=False),
        *_checked(),
        sa.PrimaryKeyConstraint("id", name="pk_check_results"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_check_results_asset_id", "check_results", ["asset", "id"])
    op.create_index("ix_check_results_run_id", "check_results", ["run_id"])
    op.create_table(
        "checks_current",
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("check_name", sa.Text, nullable=False),
        sa.Column("partition", sa.Text, nullable=False),
        *_checked(),
        sa.PrimaryKeyConstraint("asset", "check_name", "partition", name="pk_checks_current"),
    )


def _catalog() -> None:
    op.create_table(
        "dynamic_partitions",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("name", "key", name="pk_dynamic_partitions"),
    )
    op.create_table(
        "definitions",
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("loaded_at", sa.Double, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("location", name="pk_definitions"),
    )
    op.create_table(
        "asset_definitions",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", "location", name="pk_asset_definitions"),
        sa.ForeignKeyConstraint(
            ["location"], ["definitions.location"], name="fk_asset_definitions_location", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_asset_definitions_location", "asset_definitions", ["location"])
    op.create_table(
        "meta",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
