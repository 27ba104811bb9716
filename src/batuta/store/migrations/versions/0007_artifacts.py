"""Artifacts of task runs, texts of source code, and questions to code that another process has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("run_id", _RowId, nullable=False),
        sa.Column("task", sa.Integer, nullable=False),
        *map(_text, ("name", "kind", "title", "media_type")),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("progress", sa.Double),
        sa.Column("content", sa.Text),
        sa.Column("attempt", sa.Integer, nullable=False),
        *map(_text, ("job", "location")),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_artifacts"),
        sa.UniqueConstraint("run_id", "task", "name", name="uq_artifacts_run_id_task_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_artifacts_job_id", "artifacts", ["job", "id"])
    op.create_index("ix_artifacts_name_id", "artifacts", ["name", "id"])
    op.create_table(
        "sources",
        _text("hash"),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_sources"),
    )
    op.create_table(
        "source_files",
        *map(_text, ("location", "version", "file")),
        sa.Column("at", sa.Double, nullable=False),
        _text("hash"),
        sa.PrimaryKeyConstraint("location", "version", "file", "at", name="pk_source_files"),
    )
    op.create_index("ix_source_files_hash", "source_files", ["hash"])
    op.create_table(
        "evaluations",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        *map(_text, ("location", "what", "data", "asked_by")),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        _text("taken_by"),
        sa.Column("answer", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_evaluations"),
        sqlite_autoincrement=True,
    )
