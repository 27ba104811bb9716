"""When runs began that a rate counts, for all schedulers; everything that is wrong with a code location."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "rate_starts",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rate_starts"),
    )
    op.create_index("ix_rate_starts_name_at", "rate_starts", ["name", "at"])
    op.add_column("definitions", sa.Column("problems", sa.Text, nullable=False, server_default="[]"))
