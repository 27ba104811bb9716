"""The tables of what runs unattended: tickers and ticks, backfills, alerts, settings kept in the store, processes.

Part of the one description of the schema, see `schema`. What holds the promise of one run per schedule and logical time
is `run_keys`: a run that somebody asks for under a key is created in the transaction that takes the key.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Text

from batuta.store.schema import Json, RowId, id_column, metadata, text_column, time_column

run_keys = sa.Table(
    "run_keys",  # scope: who asks, e.g. `schedule:shop/nightly`; key: for what, e.g. the logical time
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("run_id", RowId, nullable=False),
    time_column("at"),
    Index(None, "at"),
)

tickers = sa.Table(
    "tickers",  # schedules, sensors and automations: what they remember, and whether a person turned them on or off
    metadata,
    Column("kind", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("enabled", Boolean),  # None: as the definition says
    Column("cursor", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    time_column("next_at", nullable=True),
    time_column("ticked_at", nullable=True),
    time_column("changed_at"),
)

ticks = sa.Table(
    "ticks",
    metadata,
    id_column(),
    text_column("kind"),
    text_column("location"),
    text_column("name"),
    time_column("at"),
    time_column("ended_at"),
    time_column("logical_at", nullable=True),
    text_column("outcome"),  # launched, skipped, failed
    text_column("reason"),
    Column("runs", Json, nullable=False),
    text_column("cursor"),
    Column("data", Json, nullable=False),
    Index(None, "kind", "location", "name", "id"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

signals = sa.Table(
    "signals",  # what was sent from outside, by name: task runs wait for them, sensors read them
    metadata,
    id_column(),
    text_column("name"),
    time_column("at"),
    Column("data", Json, nullable=False),
    text_column("sent_by"),
    Index(None, "name", "id"),
    Index(None, "at"),
    sqlite_autoincrement=True,  # readers remember how far they have read
)

backfills = sa.Table(
    "backfills",
    metadata,
    id_column(),
    text_column("location"),
    text_column("job"),
    text_column("selection"),
    text_column("state"),
    Column("config", Json, nullable=False),
    Column("params", Json, nullable=False),
    Column("tags", Json, nullable=False),
    text_column("created_by"),
    time_column("created_at"),
    time_column("finished_at", nullable=True),
    text_column("error"),
    Index(None, "state", "id"),
    sqlite_autoincrement=True,
)

backfill_items = sa.Table(
    "backfill_items",  # one run each: a partition, a range of them, or a logical time
    metadata,
    Column("backfill_id", RowId, ForeignKey("backfills.id", ondelete="CASCADE"), primary_key=True),
    Column("no", Integer, primary_key=True, autoincrement=False),
    text_column("label"),
    Column("partitions", Json, nullable=False),
    time_column("logical_at", nullable=True),
    text_column("state"),
    Column("attempt", Integer, nullable=False),
    Column("run_id", RowId),
    text_column("error"),
    Index(None, "backfill_id", "state", "no"),
    Index(None, "run_id"),
)

alerts = sa.Table(
    "alerts",
    metadata,
    id_column(),
    text_column("rule"),
    text_column("key"),  # the same trouble has the same key
    text_column("kind"),
    text_column("severity"),
    text_column("title"),
    text_column("body"),
    Column("data", Json, nullable=False),
    Column("count", Integer, nullable=False),
    time_column("at"),
    time_column("last_at"),
    time_column("resolved_at", nullable=True),
    Index(None, "rule", "key", "id"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

alert_deliveries = sa.Table(
    "alert_deliveries",
    metadata,
    id_column(),
    Column("alert_id", RowId, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    text_column("channel"),
    Column("step", Integer, nullable=False),  # of the escalation
    text_column("state"),  # waiting, sent, failed, dropped
    Column("attempt", Integer, nullable=False),
    time_column("next_at", nullable=True),
    time_column("sent_at", nullable=True),
    text_column("error"),
    Index(None, "alert_id"),
    Index(None, "state", "next_at"),
    sqlite_autoincrement=True,
)

variables = sa.Table(
    "variables",  # `value` is JSON; of a secret, its ciphertext
    metadata,
    Column("name", Text, primary_key=True),
    text_column("value"),
    Column("secret", Boolean, nullable=False),
    text_column("description"),
    time_column("changed_at"),
    text_column("changed_by"),
)

connections = sa.Table(
    "connections",  # `data` is the ciphertext of the connection as JSON
    metadata,
    Column("name", Text, primary_key=True),
    text_column("kind"),
    text_column("data"),
    text_column("description"),
    time_column("changed_at"),
    text_column("changed_by"),
)

audit = sa.Table(
    "audit",
    metadata,
    id_column(),
    time_column("at"),
    text_column("actor"),
    text_column("action"),
    text_column("object_kind"),
    text_column("object_name"),
    Column("data", Json, nullable=False),
    Index(None, "object_kind", "object_name", "id"),
    Index(None, "actor", "id"),
    sqlite_autoincrement=True,
)

leaders = sa.Table(
    "leaders",  # who does what only one may do at a time; `epoch` grows with every change of hands and fences
    metadata,
    Column("name", Text, primary_key=True),
    text_column("owner"),
    time_column("until"),
    Column("epoch", Integer, nullable=False),
)

processes = sa.Table(
    "processes",  # schedulers, servers, workers: what the health page and `batuta doctor` look at
    metadata,
    Column("id", Text, primary_key=True),
    text_column("kind"),
    text_column("host"),
    Column("pid", Integer, nullable=False),
    time_column("started_at"),
    time_column("seen_at"),
    Column("info", Json, nullable=False),
    Index(None, "seen_at"),
)

pools = sa.Table(
    "pools",  # limits set by a person; they go over those of batuta.toml
    metadata,
    Column("name", Text, primary_key=True),
    Column("slots", Integer, nullable=False),
    text_column("description"),
    time_column("changed_at"),
    text_column("changed_by"),
)

pool_holds = sa.Table(
    "pool_holds",  # slots in use, where several schedulers share them
    metadata,
    Column("run_id", RowId, primary_key=True, autoincrement=False),
    Column("task", Integer, primary_key=True, autoincrement=False),
    Column("pool", Text, primary_key=True),
    Column("slots", Integer, nullable=False),
    text_column("owner"),
    Index(None, "pool"),
)

rate_starts = sa.Table(
    "rate_starts",  # of runs, for each rate that counts them, while it does
    metadata,
    id_column(),
    text_column("name"),
    time_column("at"),
    Index(None, "name", "at"),
)

definition_versions = sa.Table(
    "definition_versions",  # what a location defined when a run of it started, by content
    metadata,
    Column("location", Text, primary_key=True),
    Column("hash", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    time_column("loaded_at"),
)

artifacts = sa.Table(
    "artifacts",  # what task runs leave to be looked at; a later one of the same name takes the place of the former
    metadata,
    id_column(),
    Column("run_id", RowId, nullable=False),
    Column("task", Integer, nullable=False),
    text_column("name"),
    text_column("kind"),
    text_column("title"),
    text_column("media_type"),
    Column("size", sa.BigInteger, nullable=False),
    Column("progress", sa.Double),
    Column("content", Json),  # a handle; None where it is nothing but a number
    Column("attempt", Integer, nullable=False),
    text_column("job"),
    text_column("location"),
    time_column("at"),
    sa.UniqueConstraint("run_id", "task", "name"),
    Index(None, "job", "id"),
    Index(None, "name", "id"),
    sqlite_autoincrement=True,
)

sources = sa.Table(
    "sources",  # texts of source code, by their hash
    metadata,
    Column("hash", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),  # compressed
)

source_files = sa.Table(
    "source_files",  # which text a file of a location had when a version of it was loaded
    metadata,
    Column("location", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("file", Text, primary_key=True),
    Column("at", sa.Double, primary_key=True),
    text_column("hash"),
    Index(None, "hash"),
)

evaluations = sa.Table(
    "evaluations",  # questions to the code of a location, from processes that do not have it, and their answers
    metadata,
    id_column(),
    text_column("location"),
    text_column("what"),
    Column("data", Json, nullable=False),
    text_column("asked_by"),
    time_column("at"),
    time_column("until"),
    text_column("taken_by"),
    Column("answer", Json),
    sqlite_autoincrement=True,
)

external_jobs = sa.Table(
    "external_jobs",  # what runs elsewhere, as events of OpenLineage tell: see `core.external_jobs`
    metadata,
    Column("key", Text, primary_key=True),
    text_column("namespace"),
    text_column("name"),
    Column("data", Json, nullable=False),
    time_column("since"),  # what was told of its datasets before counts no more
    time_column("last_at"),
    time_column("heard_at"),
    Index(None, "heard_at"),
)

external_runs = sa.Table(
    "external_runs",
    metadata,
    Column("run_id", Text, primary_key=True),  # a UUID
    text_column("job"),
    text_column("state"),
    text_column("parent"),
    time_column("began_at"),
    time_column("last_at"),
    Column("data", Json, nullable=False),
    time_column("heard_at"),
    Index(None, "job", "began_at"),
    Index(None, "parent"),
    Index(None, "began_at"),
    Index(None, "heard_at"),
)

external_datasets = sa.Table(
    "external_datasets",
    metadata,
    Column("key", Text, primary_key=True),
    text_column("namespace"),
    text_column("name"),
    Column("data", Json, nullable=False),
    time_column("last_at"),
    time_column("heard_at"),
    Index(None, "heard_at"),
)

external_edges = sa.Table(
    "external_edges",  # which job reads or writes which dataset, by their keys, and when that was told last
    metadata,
    Column("job", Text, primary_key=True),
    Column("direction", Text, primary_key=True),  # in, out
    Column("dataset", Text, primary_key=True),
    time_column("at"),
    Index(None, "dataset"),
)
