"""Quality: how a check came out, in more than one bit; and how often assets are read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    for table in ("check_results", "checks_current"):
        op.add_column(table, sa.Column("outcome", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "asset_usage",
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reader", sa.Text, nullable=False),
        sa.Column("day", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("reads", sa.Integer, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
        sa.Column("last_run", _RowId, nullable=False),
        sa.PrimaryKeyConstraint("asset", "kind", "reader", "day", name="pk_asset_usage"),
    )
    op.create_index("ix_asset_usage_day", "asset_usage", ["day"])
