"""Signals: what was sent from outside, by name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "signals",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("sent_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signals"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_signals_name_id", "signals", ["name", "id"])
    op.create_index("ix_signals_at", "signals", ["at"])
