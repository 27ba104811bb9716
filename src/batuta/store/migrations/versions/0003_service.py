"""What runs unattended: tickers, backfills, alerts, settings kept in the store; what runs say of their origin."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_RowId = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _runs()
    _tickers()
    _backfills()
    _alerts()
    _settings()
    _processes()


def _runs() -> None:
    op.add_column("runs", sa.Column("version", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("origin", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("concurrency_key", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("deadline_at", sa.Double, nullable=True))
    op.add_column("runs", sa.Column("backfill_id", _RowId, nullable=True))
    given = sa.text("backfill_id IS NOT NULL")
    op.create_index("ix_runs_backfill_id", "runs", ["backfill_id"], sqlite_where=given, postgresql_where=given)


def _tickers() -> None:
    op.create_table(
        "run_keys",
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("run_id", _RowId, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name="pk_run_keys"),
    )
    op.create_index("ix_run_keys_at", "run_keys", ["at"])
    op.create_table(
        "tickers",
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=True),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=True),
        sa.Column("ticked_at", sa.Double, nullable=True),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("kind", "location", "name", name="pk_tickers"),
    )
    op.create_table(
        "ticks",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("ended_at", sa.Double, nullable=False),
        sa.Column("logical_at", sa.Double, nullable=True),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("runs", sa.Text, nullable=False),
        sa.Column("cursor", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ticks"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticks_at", "ticks", ["at"])
    op.create_index("ix_ticks_kind_location_name_id", "ticks", ["kind", "location", "name", "id"])


def _backfills() -> None:
    op.create_table(
        "backfills",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("selection", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("finished_at", sa.Double, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_backfills"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_backfills_state_id", "backfills", ["state", "id"])
    op.create_table(
        "backfill_items",
        sa.Column("backfill_id", _RowId, nullable=False),
        sa.Column("no", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("partitions", sa.Text, nullable=False),
        sa.Column("logical_at", sa.Double, nullable=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("run_id", _RowId, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("backfill_id", "no", name="pk_backfill_items"),
        sa.ForeignKeyConstraint(
            ["backfill_id"], ["backfills.id"], name="fk_backfill_items_backfill_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_backfill_items_backfill_id_state_no", "backfill_items", ["backfill_id", "state", "no"])
    op.create_index("ix_backfill_items_run_id", "backfill_items", ["run_id"])


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("last_at", sa.Double, nullable=False),
        sa.Column("resolved_at", sa.Double, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alerts_at", "alerts", ["at"])
    op.create_index("ix_alerts_rule_key_id", "alerts", ["rule", "key", "id"])
    op.create_table(
        "alert_deliveries",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("alert_id", _RowId, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Double, nullable=True),
        sa.Column("sent_at", sa.Double, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_deliveries"),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"], name="fk_alert_deliveries_alert_id", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_deliveries_alert_id", "alert_deliveries", ["alert_id"])
    op.create_index("ix_alert_deliveries_state_next_at", "alert_deliveries", ["state", "next_at"])


def _settings() -> None:
    op.create_table(
        "variables",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("secret", sa.Boolean, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_variables"),
    )
    op.create_table(
        "connections",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_connections"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _RowId, autoincrement=True, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object_kind", sa.Text, nullable=False),
        sa.Column("object_name", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_actor_id", "audit", ["actor", "id"])
    op.create_index("ix_audit_object_kind_object_name_id", "audit", ["object_kind", "object_name", "id"])
    op.create_table(
        "pools",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pools"),
    )
    op.create_table(
        "pool_holds",
        sa.Column("run_id", _RowId, autoincrement=False, nullable=False),
        sa.Column("task", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("pool", sa.Text, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "task", "pool", name="pk_pool_holds"),
    )
    op.create_index("ix_pool_holds_pool", "pool_holds", ["pool"])
    op.create_table(
        "definition_versions",
        sa.Column("location", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("loaded_at", sa.Double, nullable=False),
        sa.PrimaryKeyConstraint("location", "hash", name="pk_definition_versions"),
    )


def _processes() -> None:
    op.create_table(
        "leaders",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leaders"),
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("seen_at", sa.Double, nullable=False),
        sa.Column("info", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
    )
    op.create_index("ix_processes_seen_at", "processes", ["seen_at"])
