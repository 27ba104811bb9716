"""Jobs that run elsewhere, with their runs and datasets, as events of OpenLineage tell."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _double(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=False)


def upgrade() -> None:
    op.create_table(
        "external_jobs",
        *map(_text, ("key", "namespace", "name", "data")),
        *map(_double, ("since", "last_at", "heard_at")),
        sa.PrimaryKeyConstraint("key", name="pk_external_jobs"),
    )
    op.create_index("ix_external_jobs_heard_at", "external_jobs", ["heard_at"])
    op.create_table(
        "external_runs",
        *map(_text, ("run_id", "job", "state", "parent")),
        *map(_double, ("began_at", "last_at")),
        _text("data"),
        _double("heard_at"),
        sa.PrimaryKeyConstraint("run_id", name="pk_external_runs"),
    )
    op.create_index("ix_external_runs_job_began_at", "external_runs", ["job", "began_at"])
    for name in ("parent", "began_at", "heard_at"):
        op.create_index(f"ix_external_runs_{name}", "external_runs", [name])
    op.create_table(
        "external_datasets",
        *map(_text, ("key", "namespace", "name", "data")),
        *map(_double, ("last_at", "heard_at")),
        sa.PrimaryKeyConstraint("key", name="pk_external_datasets"),
    )
    op.create_index("ix_external_datasets_heard_at", "external_datasets", ["heard_at"])
    op.create_table(
        "external_edges",
        *map(_text, ("job", "direction", "dataset")),
        _double("at"),
        sa.PrimaryKeyConstraint("job", "direction", "dataset", name="pk_external_edges"),
    )
    op.create_index("ix_external_edges_dataset", "external_edges", ["dataset"])
