"""Group commit: a batch of what happened becomes rows, in one transaction, fenced by each run's epoch.

Surprising: committing the same batch twice is allowed, and does nothing the second time. Whoever loses the connection
cannot know whether the commit was applied; (run, seq) of the events tells.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from batuta.core.errors import InvariantError
from batuta.store.artifact_box import artifact_values
from batuta.store.audit import row_of
from batuta.store.code import code_rows
from batuta.store.columns import columns_rows
from batuta.store.database import Database, Row
from batuta.store.errors import Duplicate, LeaseLost, NotTouched, UnstorableText
from batuta.store.rows import (
    Audit,
    Batch,
    CacheRow,
    CheckRow,
    EnvironmentDropped,
    EventRow,
    MaterializationRow,
    RunUpdate,
    TaskRunRow,
)
from batuta.store.usage import used_rows

Work = list[tuple[str, list[Row]]]
T = TypeVar("T")


def commit(database: Database[Any], batch: Batch) -> None:
    """Record a batch. Raises `LeaseLost`, `StoreUnavailable`, `StoreFull` (see `errors`); nothing is recorded then."""
    work = work_of(batch)
    try:
        try:
            _apply(database, work)
        except UnstorableText:
            _apply(database, _storable(work))
    except NotTouched as error:
        _check_claims(database, work)
        what = "runs of a batch were not touched, though nobody has claimed them"
        raise InvariantError(what, where=_span(batch.events)) from error
    except Duplicate as error:
        # Our own events from before the connection broke, or those of whoever claimed the run since.
        _check_claims(database, work)
        if not _is_recorded(database, batch.events):
            raise InvariantError(
                "events with these numbers are recorded already, with other content",
                where=_span(batch.events),
                hint="two engines wrote to one run under one claim, or a batch was changed before it was repeated",
            ) from error


def _apply(database: Database[Any], work: Work) -> None:
    with database.transaction() as transaction:
        if work[0][0] == "update_runs":
            transaction.fence(*work[0])
            work = work[1:]
        transaction.put(work)


def _check_claims(database: Database[Any], work: Work) -> None:
    name, updates = work[0]
    held = {(row[5], row[6]) for row in updates} if name == "update_runs" else set()
    lost = held - set(database.rows("epochs", ids=json.dumps([run_id for run_id, _ in held])))
    if lost:
        raise LeaseLost((run_id for run_id, _ in lost), where=database.location)


def work_of(batch: Batch) -> Work:
    """The statements of a batch and their rows. Of several rows with one key the last counts."""
    unfenced = {event.run_id for event in batch.events} - {update.id for update in batch.runs}
    if unfenced:
        raise InvariantError(f"a batch has events of run {min(unfenced)}, but does not say under which claim")
    runs = _last(batch.runs, lambda row: row.id)
    # Rows that other engines may write too are locked in one order, so that two commits never wait for each other.
    assets = sorted(_last(batch.materializations, lambda row: (row.asset, row.partition)), key=_asset)
    checks = sorted(_last(batch.checks, lambda row: (row.asset, row.check, row.partition)), key=_check)
    cache = sorted(_last(batch.cache, lambda row: row.key), key=lambda row: row.key)
    tasks = _last(batch.task_runs, lambda row: (row.run_id, row.no))
    audit = [*batch.audit, *map(_dropped, batch.environments_dropped)]
    artifacts = _last(batch.artifacts, lambda row: (row.run_id, row.task, row.name))
    work: Work = [
        ("update_runs", [_run(row) for row in runs]),
        ("put_task_runs", [_task_run(row) for row in tasks]),
        ("put_cache", [_cached(row) for row in cache]),
        ("put_asset_partitions", [_materialization(row) for row in assets]),
        ("put_checks_current", [_checked(row) for row in checks]),
        ("put_materializations", [_materialization(row) for row in batch.materializations]),
        ("put_check_results", [_checked(row) for row in batch.checks]),
        ("put_artifacts", [artifact_values(row) for row in artifacts]),
        ("put_events", [_event(row) for row in batch.events]),
        ("put_audit", [row_of(entry, entry.at) for entry in audit]),
        ("put_asset_usage", used_rows(batch.usage)),
        ("put_asset_columns", columns_rows(batch.columns)),
        ("put_asset_code", code_rows(batch.code)),
        *_environments(batch),
        ("delete_environments", [(one.name,) for one in batch.environments_dropped]),
    ]
    return [(name, rows) for name, rows in work if rows]


def _environments(batch: Batch) -> Work:
    """What was made outside of production; an environment that was dropped meanwhile is there again."""
    made = {(name, row.asset, row.partition): row for name, row in batch.environment_made}
    checks = {(name, row.asset, row.check, row.partition): row for name, row in batch.environment_checks}
    first = {name: row.at for name, row in batch.environment_made}
    first |= {name: check.at for name, check in batch.environment_checks}
    return [
        ("put_environments", [(name, "", at, "") for name, at in sorted(first.items())]),
        ("put_environment_partitions", [(key[0], *_materialization(made[key])) for key in sorted(made)]),
        ("put_environment_checks", [(key[0], *_checked(checks[key])) for key in sorted(checks)]),
    ]


def _dropped(one: EnvironmentDropped) -> Audit:
    return Audit(one.by, "drop", "environment", one.name, {"run": one.run_id}, one.at)


def _last(rows: list[T], key: Callable[[T], object]) -> Iterable[T]:
    return {key(row): row for row in rows}.values() if len(rows) > 1 else rows


def _asset(row: MaterializationRow) -> tuple[str, str]:
    return row.asset, row.partition


def _check(row: CheckRow) -> tuple[str, str, str]:
    return row.asset, row.check, row.partition


# ---- rows as tuples, in the order of their statements ----


def _run(row: RunUpdate) -> Row:
    return row.state, row.started_at, row.finished_at, row.error, row.seq, row.id, row.epoch


def _event(row: EventRow) -> Row:
    return row.run_id, row.seq, row.kind, row.at, row.task, row.data.decode()


def _task_run(row: TaskRunRow) -> Row:
    return (
        row.run_id,
        row.no,
        row.step,
        row.task,
        row.kind,
        row.index,
        row.label,
        row.state,
        row.attempt,
        row.started_at,
        row.finished_at,
        row.worker,
        row.reason,
        None if row.error is None else row.error.decode(),
        None if row.output is None else row.output.decode(),
        row.logged,
    )


def _materialization(row: MaterializationRow) -> Row:
    return (
        row.asset,
        row.partition,
        row.run_id,
        row.task,
        row.at,
        row.data_version,
        row.code_version,
        row.inputs.decode(),
        row.metadata.decode(),
    )


def _checked(row: CheckRow) -> Row:
    return (
        row.asset,
        row.check,
        row.partition,
        row.run_id,
        row.task,
        row.at,
        row.passed,
        row.blocking,
        row.description,
        row.metadata.decode(),
        row.outcome,
    )


def _cached(row: CacheRow) -> Row:
    return row.key, row.output.decode(), row.run_id, row.created_at, row.expires_at


# ---- what may go wrong ----


def _storable(work: Work) -> Work:
    """Users' texts (messages, labels) may hold what no database takes as text: a NUL, half a surrogate pair."""
    return [(name, [tuple(map(_clean, row)) for row in rows]) for name, rows in work]


def _clean(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _is_recorded(database: Database[Any], events: list[EventRow]) -> bool:
    """Whether all these events are in the database as they are here."""
    for run_id in {event.run_id for event in events}:
        mine = {event.seq: (event.kind, event.data) for event in events if event.run_id == run_id}
        first, last = min(mine), max(mine)
        rows = database.rows("events_of_run", run_id=run_id, after_seq=first - 1, limit=last - first + 1)
        found = {seq: (kind, data.encode()) for _, seq, kind, _, _, data, _ in rows}
        if any(found.get(seq) != event for seq, event in mine.items()):
            return False
    return bool(events)


def _span(events: list[EventRow]) -> str:
    return ", ".join(sorted({f"run {event.run_id}, event {event.seq}" for event in events})[:5])
