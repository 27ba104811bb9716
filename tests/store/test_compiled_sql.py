"""The SQL that is kept as text: it is what the Core statements compile to, it runs, and it uses its indexes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import batuta.store.sql
from batuta.store import Store, schema
from batuta.store.commit import work_of
from batuta.store.database import Dialect, load_schema, load_statements
from batuta.store.rows import (
    AssetDefinitionRow,
    Batch,
    CacheRow,
    CheckRow,
    DefinitionsRow,
    EventRow,
    MaterializationRow,
    RunRow,
    TaskRunRow,
    UsageRow,
)
from batuta.store.sql import compile
from tests.store.samples import cached, create, event, materialization, progress, task_run, verdict

FOLDER = Path(batuta.store.sql.__file__).parent


@pytest.mark.parametrize("dialect", compile.DIALECTS)
def test_the_texts_are_those_that_core_compiles_to(dialect: Dialect) -> None:
    hint = "run `python -m batuta.store.sql.compile`"
    assert (FOLDER / f"{dialect}.sql").read_text() == compile.statements(dialect), hint
    assert (FOLDER / f"{dialect}_schema.sql").read_text() == compile.tables(dialect), hint


def test_both_dialects_have_the_same_statements_taking_the_same(store: Store) -> None:
    here, there = load_statements("sqlite"), load_statements("postgresql")
    assert there.keys() - here.keys() == {
        "clock",
        "lock_events",
        "lock_queue",
        "lock_pools",
        "lock_settings",
        "lock_signals",
        "lock_backfills",
        "lock_external_jobs",
        "lock_sources",
        "notify",
    }
    assert here.keys() <= there.keys()
    for name, (_, names) in here.items():
        assert set(names) == set(there[name].names), name
    assert len(load_schema("sqlite")) == len(load_schema("postgresql")) > len(schema.metadata.tables)


PUT_ONE = {"put_plan", "put_definitions", "put_meta", "put_revision"}
PUT_ONE |= {"put_source", "put_pool", "touch_process", "keep_definition_version", "keep_meta", "put_alert"}
"""Those that are not given rows, and take no NULL."""


def test_every_statement_runs(store: Store) -> None:
    statements = load_statements(store._database.dialect)
    takes_rows = {name for name in statements if name.startswith("put_")} | {
        "update_runs",
        "update_backfill_items",
        "delete_environments",
    }
    takes_rows -= PUT_ONE
    with store._database.transaction() as transaction:
        for name, (_, names) in statements.items():
            if name in takes_rows:
                transaction.each([(name, [])])
            elif name not in PUT_ONE:
                transaction.run(name, **{param: _value(param) for param in names})
        transaction.run("put_plan", hash="h", data=b"")
        transaction.run("put_source", hash="h", data=b"")
        transaction.run("put_meta", key="k", value="v")
        transaction.run("keep_meta", key="k", value="v")
        transaction.run("keep_definition_version", location="l", hash="h", data=b"", loaded_at=1.0)
        transaction.run("put_pool", name="p", slots=1, description="", changed_at=1.0, changed_by="")
        seen = {"started_at": 1.0, "seen_at": 2.0, "info": "{}"}
        transaction.run("touch_process", id="h:1", kind="up", host="h", pid=1, **seen)
        texts = dict.fromkeys(("rule", "key", "kind", "severity", "title", "body", "data"), "x")
        transaction.run("put_alert", **texts, count=1, at=1.0, last_at=1.0, resolved_at=None)


def _value(param: str) -> object:
    """Something of the right type; None where that means no filter."""
    if param in ("states", "tags", "jobs", "location", "step", "job", "kind", "trigger", "partition", "check"):
        return None
    if param in ("kinds", "triggers", "locations", "steps", "origin", "text", "outcomes", "rules", "severities"):
        return None
    if param in ("jobs_listed", "ids", "runs", "hashes", "assets", "keys", "names"):
        return "[]"
    if param.startswith("is_") or param == "disabled":
        return True
    if param in ("of_parent", "of_backfill", "task", "parent_task", "number"):
        return 1
    numbers = (
        "id",
        "no",
        "seq",
        "limit",
        "max",
        "before",
        "count",
        "index",
        "force",
        "run",
        "only",
        "one",
        "now",
        "at",
        "epoch",
        "after",
        "pid",
        "seen",
        "attempt",
    )
    return 1 if param.endswith((*numbers, "until", "since", "upto", "cutoff")) else "x"


def test_rows_have_the_columns_of_their_tables_in_the_same_order() -> None:
    names = {"map_index": "index", "check_name": "check"}
    tables = {
        RunRow: schema.runs,
        EventRow: schema.events,
        TaskRunRow: schema.task_runs,
        MaterializationRow: schema.materializations,
        CheckRow: schema.check_results,
        CacheRow: schema.task_cache,
        DefinitionsRow: schema.definitions,
        AssetDefinitionRow: schema.asset_definitions,
        UsageRow: schema.asset_usage,
    }
    for row, table in tables.items():
        fields = [field.name for field in dataclasses.fields(row)]
        columns = [names.get(column.name, column.name) for column in table.columns]
        if row is not RunRow and "id" in columns:
            columns.remove("id")
            fields.remove("id")
        assert fields == columns, row


def test_a_batch_gives_each_statement_as_many_values_as_it_takes(store: Store) -> None:
    run = create(store)
    batch = Batch(
        runs=[progress(run, 1)],
        events=[event(run, 1)],
        task_runs=[task_run(run, 0)],
        materializations=[materialization(run)],
        checks=[verdict(run)],
        cache=[cached(run)],
        usage=[UsageRow("a", "task", "job/step", 1, 1, 1.0)],
    )
    statements = load_statements("sqlite")
    work = work_of(batch)
    assert len(work) == 9
    for name, rows in work:
        assert [len(row) for row in rows] == [len(statements[name].names)], name


INDEXED = {
    "keys_taken": "sqlite_autoindex_run_keys_1",
    "tick_list": "INTEGER PRIMARY KEY",
    "tick_list_oldest_first": "INTEGER PRIMARY KEY",
    "tick_list_of_one": "ix_ticks_kind_location_name_id",
    "audit_entries": "INTEGER PRIMARY KEY",
    "alerts_listed": "INTEGER PRIMARY KEY",
    "backfills_page": "INTEGER PRIMARY KEY",
    "signals_after": "ix_signals_name_id",
    "queued_runs": "ix_runs_state_id",
    "delete_run_keys": "ix_run_keys_at",
    "run": "INTEGER PRIMARY KEY",
    "runs_newest": "INTEGER PRIMARY KEY",
    "runs_of_job": "ix_runs_job_id_state",
    "runs_in_state": "ix_runs_state_id",
    "runs_of_parent": "ix_runs_parent_run",
    "runs_tagged": "INTEGER PRIMARY KEY",
    "latest_runs": "COVERING INDEX ix_runs_job_id_state",
    "run_counts": "COVERING INDEX ix_runs_job_id_state",
    "resumable_runs": "ix_runs_state_id",
    "unfinished_children": "ix_runs_parent_run",
    "events_of_run": "sqlite_autoindex_events_1",
    "events_since": "INTEGER PRIMARY KEY",
    "task_runs_of_run": "sqlite_autoindex_task_runs_1",
    "task_runs_noteworthy": "ix_task_runs_noteworthy",
    "task_run_by_no": "sqlite_autoindex_task_runs_1",
    "task_run_by_key": "sqlite_autoindex_task_runs_1",
    "task_counts": "sqlite_autoindex_task_runs_1",
    "asset_states_of": "sqlite_autoindex_asset_partitions_1",
    "current_checks_of": "sqlite_autoindex_checks_current_1",
    "materializations_of_asset": "ix_materializations_asset_id",
    "materializations_of_partition": "ix_materializations_asset_partition_id",
    "materializations_of_run": "ix_materializations_run_id",
    "check_results_of_asset": "ix_check_results_asset_id",
    "check_results_of_run": "ix_check_results_run_id",
    "run_list_all": "INTEGER PRIMARY KEY",
    "run_list_of_job": "ix_runs_job_id_state",
    "run_list_in_state": "ix_runs_state_id",
    "run_list_triggered": "ix_runs_trigger_id",
    "run_list_of_parent": "ix_runs_parent_run",
    "run_list_of_backfill": "ix_runs_backfill_id",
    "run_list_of_partition": "ix_runs_partition",
    "run_list_tagged": "INTEGER PRIMARY KEY",
    "run_list_all_oldest_first": "INTEGER PRIMARY KEY",
    "run_list_of_job_oldest_first": "ix_runs_job_id_state",
    "first_run_since": "ix_runs_created_at",
    "open_run_states": "ix_runs_state_id",
    "recent_of_job": "ix_runs_job_id_state",
    "recent_of_jobs": "ix_runs_job_id_state",
    "task_bars": "sqlite_autoindex_task_runs_1",
    "task_list": "sqlite_autoindex_task_runs_1",
    "events_listed": "sqlite_autoindex_events_1",
    "partitions_made": "sqlite_autoindex_asset_partitions_1",
    "materializations_newest": "INTEGER PRIMARY KEY",
    "checks_newest": "INTEGER PRIMARY KEY",
    "last_number_of_ticks": "SEARCH ticks",
    "delete_pruned_events": "COVERING INDEX sqlite_autoindex_events_1 (run_id=?)",
    "delete_pruned_task_runs": "COVERING INDEX sqlite_autoindex_task_runs_1 (run_id=?)",
    "delete_pruned_materializations": "COVERING INDEX ix_materializations_run_id (run_id=?)",
    "delete_pruned_check_results": "COVERING INDEX ix_check_results_run_id (run_id=?)",
    "unused_plans": "ix_runs_plan_hash",
    "delete_plans": "ix_runs_plan_hash",
    "still_prunable": "INTEGER PRIMARY KEY",
    "due_deliveries": "ix_alert_deliveries_state_next_at",
    "deliveries_of": "ix_alert_deliveries_alert_id",
    "events_of_kinds": "INTEGER PRIMARY KEY",
    "run_ends": "sqlite_autoindex_events_1",
    "artifacts_all": "INTEGER PRIMARY KEY",
    "artifacts_of_run": "sqlite_autoindex_artifacts_1",
    "artifacts_of_job": "ix_artifacts_job_id",
    "artifacts_named": "ix_artifacts_name_id",
}
SORTED_ANYWAY = {
    "queued_runs",
    "recent_of_jobs",
    "latest_runs",
    "run_counts",
    "resumable_runs",
    "task_counts",
    "task_runs_noteworthy",
}
SORTED_ANYWAY |= {"due_deliveries", "deliveries_of", "artifacts_of_run"}


@pytest.mark.parametrize("name", INDEXED)
def test_queries_enter_by_their_index_and_need_no_sorting(sqlite_url: str, name: str) -> None:
    with Store.open(sqlite_url) as store:
        text, names = store._database.statements[name]
        plan = store._database.fetch(f"EXPLAIN QUERY PLAN {text}", tuple(_value(param) for param in names))
    steps = [row[3] for row in plan]
    assert any(INDEXED[name] in step for step in steps), steps
    if name not in SORTED_ANYWAY:
        assert not any("TEMP B-TREE FOR ORDER BY" in step for step in steps), steps
    big = ("SCAN runs", "SCAN events", "SCAN task_runs", "SCAN materializations", "SCAN check_results")
    scanned = [step for step in steps if step.startswith(big) and "USING" not in step]
    assert scanned in ([], ["SCAN runs"] if name == "runs_newest" else []), steps
