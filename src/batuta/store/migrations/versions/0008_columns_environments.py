"""Columns of assets and their lineage; environments, and what was made and checked in them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _double(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=False)


def _made_by() -> list[sa.Column[int]]:
    return [sa.Column("run_id", _RowId, nullable=False), sa.Column("task", sa.Integer, nullable=False)]


def upgrade() -> None:
    op.create_table(
        "asset_columns",
        *map(_text, ("asset", "source", "hash", "columns", "lineage")),
        sa.Column("run_id", _RowId, nullable=False),
        _double("at"),
        sa.PrimaryKeyConstraint("asset", "source", name="pk_asset_columns"),
    )
    op.create_index("ix_asset_columns_at", "asset_columns", ["at"])
    op.create_table(
        "environments",
        *map(_text, ("name", "description")),
        _double("created_at"),
        _text("created_by"),
        sa.PrimaryKeyConstraint("name", name="pk_environments"),
    )
    op.create_table(
        "environment_partitions",
        *map(_text, ("environment", "asset", "partition")),
        *_made_by(),
        _double("at"),
        *map(_text, ("data_version", "code_version", "inputs", "metadata")),
        sa.PrimaryKeyConstraint("environment", "asset", "partition", name="pk_environment_partitions"),
        sa.ForeignKeyConstraint(
            ["environment"],
            ["environments.name"],
            name="fk_environment_partitions_environment",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_environment_partitions_run_id", "environment_partitions", ["run_id"])
    op.create_table(
        "environment_checks",
        *map(_text, ("environment", "asset", "check_name", "partition")),
        *_made_by(),
        _double("at"),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("blocking", sa.Boolean, nullable=False),
        *map(_text, ("description", "metadata")),
        sa.Column("outcome", sa.Text, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("environment", "asset", "check_name", "partition", name="pk_environment_checks"),
        sa.ForeignKeyConstraint(
            ["environment"], ["environments.name"], name="fk_environment_checks_environment", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_environment_checks_run_id", "environment_checks", ["run_id"])
