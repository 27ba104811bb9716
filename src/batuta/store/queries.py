"""What can be asked of a store. Lists are pages, newest first: `before` is the last number of the page before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from batuta.store.database import Database, Row
from batuta.store.rows import (
    AssetDefinitionRow,
    CacheRow,
    CheckRow,
    DefinitionsRow,
    EventRow,
    MaterializationRow,
    RunRow,
    TaskRunRow,
)

NEWEST = 2**63 - 1
"""Larger than any number in the database: where the first page begins, and the size of an unlimited one."""

_CHUNK = 2_000
_decode = msgspec.json.Decoder().decode


def pattern(text: str, dialect: str) -> str | None:
    """What LIKE takes to find `text` anywhere in a text that `lower` has been applied to; None for no text.

    SQLite lowers ASCII alone: there other letters are found as they are written.
    """
    if not text:
        return None
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    lowered = text.encode().lower().decode() if dialect == "sqlite" else text.lower()
    return f"%{lowered}%"


def run_row(row: Row) -> RunRow:
    (
        run_id,
        job,
        kind,
        plan_hash,
        location,
        state,
        params,
        tags,
        config,
        trigger,
        logical_at,
        interval_start,
        interval_end,
        partition,
        parent_run,
        parent_task,
        priority,
        seed,
        created_at,
        started_at,
        finished_at,
        error,
        epoch,
        owner,
        lease_until,
        seq,
        version,
        origin,
        concurrency_key,
        deadline_at,
        backfill_id,
    ) = row
    return RunRow(
        id=run_id,
        job=job,
        kind=kind,
        plan_hash=plan_hash,
        location=location,
        state=state,
        params=_decode(params),
        tags=_decode(tags),
        config=_decode(config),
        trigger=trigger,
        logical_at=logical_at,
        interval_start=interval_start,
        interval_end=interval_end,
        partition=partition,
        parent_run=parent_run,
        parent_task=parent_task,
        priority=priority,
        seed=seed,
        created_at=created_at,
        started_at=started_at,
        finished_at=finished_at,
        error=error,
        epoch=epoch,
        owner=owner,
        lease_until=lease_until,
        seq=seq,
        version=version,
        origin=origin,
        concurrency_key=concurrency_key,
        deadline_at=deadline_at,
        backfill_id=backfill_id,
    )


def event_row(row: Row) -> EventRow:
    """An event as a query gives it."""
    run_id, seq, kind, at, task, data, number = row
    return EventRow(run_id, seq, kind, at, task, data.encode(), number)


def task_run_row(row: Row) -> TaskRunRow:
    """A task run as a query gives it."""
    values = [*row]
    error, output, logged = values[13:]
    values[13:] = _bytes(error), _bytes(output), bool(logged)
    return TaskRunRow(*values)


def materialization_row(row: Row) -> MaterializationRow:
    """A materialization as a query gives it."""
    values = [*row]
    values[7:9] = row[7].encode(), row[8].encode()
    return MaterializationRow(*values)


def check_row(row: Row) -> CheckRow:
    """A verdict as a query gives it."""
    values = [*row]
    values[6:10] = bool(row[6]), bool(row[7]), row[8], row[9].encode()
    return CheckRow(*values)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()


def listed(items: Iterable[object] | str | None) -> str | None:
    """A list parameter: JSON, or None for no filter. A single string is a list of one."""
    if items is None:
        return None
    return json.dumps([items] if isinstance(items, str) else [*items])


def numbered(
    database: Database[Any],
    which: str,
    /,
    *,
    before: int | None = None,
    after: int = 0,
    newest_first: bool = True,
    limit: int,
    text: str = "",
    **given: Any,
) -> list[Row]:
    """A page of a list (`sql.build.numbered`): the rows with `after` < number < `before` that have the text in them."""
    statement = which if newest_first else f"{which}_oldest_first"
    place = {"before": NEWEST if before is None else before, "after": after, "limit": limit}
    return database.rows(statement, text=pattern(text, database.dialect), **place, **given)


class Queries:
    """The reading half of a store."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    # ---- runs ----

    def run(self, run_id: int) -> RunRow | None:
        """The run with this number."""
        rows = self._database.rows("run", run_id=run_id)
        return run_row(rows[0]) if rows else None

    def runs(
        self,
        *,
        job: str | None = None,
        states: Iterable[str] | str | None = None,
        tags: Mapping[str, str] | None = None,
        kind: str | None = None,
        trigger: str | None = None,
        partition: str | None = None,
        parent_run: int | None = None,
        parent_task: int | None = None,
        roots_only: bool = False,
        since: float | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[RunRow]:
        """A page of runs that fit all filters, newest first. `tags` are all to be there; `since` is about creation."""
        wanted = None if states is None else sorted({states} if isinstance(states, str) else set(states))
        filters: dict[str, Any] = {
            "job": job,
            "states": listed(wanted),
            "tags": listed(f"{key}={value}" for key, value in tags.items()) if tags else None,
            "tag_count": len(tags or ()),
            "kind": kind,
            "trigger": trigger,
            "partition": partition,
            "parent_run": parent_run,
            "parent_task": parent_task,
            "roots_only": int(roots_only),
            "since": since,
            "before": NEWEST if before is None else before,
            "limit": limit,
        }
        if parent_run is not None:
            rows = self._database.rows("runs_of_parent", **filters)
        elif tags:
            key, value = next(iter(tags.items()))
            rows = self._database.rows("runs_tagged", tag_key=key, tag_value=value, **filters)
        elif job is not None:
            rows = self._database.rows("runs_of_job", **filters)
        elif wanted is not None:
            each = (self._database.rows("runs_in_state", state=state, **filters) for state in wanted)
            rows = sorted((row for rows in each for row in rows), key=lambda row: -row[0])[:limit]
        else:
            rows = self._database.rows("runs_newest", **filters)
        return [run_row(row) for row in rows]

    def runs_numbered(self, ids: Iterable[int]) -> list[RunRow]:
        """The runs with these numbers that there are, by number."""
        return [run_row(row) for row in self._database.rows("runs_listed", ids=listed(ids))]

    def oldest_queued(self) -> float | None:
        """When the oldest queued run was created."""
        rows = self._database.rows("oldest_queued")
        return float(rows[0][0]) if rows else None

    def latest_run(self, job: str, states: Iterable[str] | str | None = None) -> RunRow | None:
        """The newest run of a job, or the newest in one of these states."""
        return next(iter(self.runs(job=job, states=states, limit=1)), None)

    def latest_runs(self, jobs: Iterable[str] | None = None) -> dict[str, RunRow]:
        """The newest run of each job, by job."""
        names = listed(jobs)
        return {row[1]: run_row(row) for row in self._database.rows("latest_runs", jobs=names)}

    def run_counts(self, jobs: Iterable[str] | None = None) -> dict[str, dict[str, int]]:
        """How many runs of each job are in each state."""
        counts: dict[str, dict[str, int]] = {}
        for job, state, count in self._database.rows("run_counts", jobs=listed(jobs)):
            counts.setdefault(job, {})[state] = count
        return counts

    def resumable_runs(self, now: float) -> list[RunRow]:
        """Unfinished runs that nobody executes, oldest first."""
        return [run_row(row) for row in self._database.rows("resumable_runs", now=now)]

    def unfinished_children(self, run_id: int) -> list[RunRow]:
        """Unfinished runs that this one started, oldest first."""
        return [run_row(row) for row in self._database.rows("unfinished_children", run_id=run_id)]

    def plan(self, plan_hash: str) -> bytes | None:
        """An encoded plan by its address."""
        rows = self._database.rows("plan", hash=plan_hash)
        return bytes(rows[0][0]) if rows else None

    # ---- events, task runs ----

    def events(self, run_id: int, after_seq: int = 0) -> Iterator[EventRow]:
        """The events of a run in their order, read some thousand at a time."""
        while True:
            rows = self._database.rows("events_of_run", run_id=run_id, after_seq=after_seq, limit=_CHUNK)
            yield from map(event_row, rows)
            if len(rows) < _CHUNK:
                return
            after_seq = rows[-1][1]

    def events_since(self, after_id: int, limit: int = _CHUNK) -> list[EventRow]:
        """Events of all runs in the order in which they were committed, after the one with that id: none is missed."""
        return [event_row(row) for row in self._database.rows("events_since", after_id=after_id, limit=limit)]

    def events_of_kinds(self, kinds: Iterable[str], after_id: int, upto_id: int, limit: int = _CHUNK) -> list[EventRow]:
        """`events_since` up to the one with that id, of these kinds only. Which were left out is not told: where fewer
        than `limit` come, all up to `upto_id` have been seen."""
        given = {"kinds": listed(kinds), "after_id": after_id, "upto_id": upto_id, "limit": limit}
        return [event_row(row) for row in self._database.rows("events_of_kinds", **given)]

    def run_ends(self, run_id: int, before_seq: int) -> list[EventRow]:
        """The `run_finished` events of a run before the one with that number, newest first."""
        return [event_row(row) for row in self._database.rows("run_ends", run_id=run_id, before_seq=before_seq)]

    def last_event_id(self) -> int:
        """The id of the newest event, 0 if there is none: where a reader of news starts."""
        return int(self._database.rows("last_event_id")[0][0])

    def task_runs(
        self,
        run_id: int,
        *,
        states: Iterable[str] | str | None = None,
        step: str | None = None,
        after_no: int = -1,
        limit: int | None = None,
    ) -> list[TaskRunRow]:
        """The task runs of a run by number."""
        rows = self._database.rows(
            "task_runs_of_run",
            run_id=run_id,
            states=listed(states),
            step=step,
            after_no=after_no,
            limit=NEWEST if limit is None else limit,
        )
        return [task_run_row(row) for row in rows]

    def task_run(self, run_id: int, which: int | str) -> TaskRunRow | None:
        """A task run by its number, or by its key: `step`, `step[3]`, `step[2026-01-31]`."""
        if isinstance(which, int):
            rows = self._database.rows("task_run_by_no", run_id=run_id, no=which)
        else:
            base, _, rest = which.removesuffix("]").rpartition("[") if which.endswith("]") else ("", "", "")
            index = int(rest) if rest.isdecimal() and len(rest) < 10 else -1
            rows = self._database.rows(
                "task_run_by_key", run_id=run_id, key=which, base=base, map_index=index if base else -9, label=rest
            )
        return task_run_row(rows[0]) if rows else None

    def noteworthy_task_runs(self, state: str, *, before_run: int | None = None, limit: int = 100) -> list[TaskRunRow]:
        """Task runs of all runs that are running, retrying, deferred, paused or failed, newest run first."""
        before = NEWEST if before_run is None else before_run
        rows = self._database.rows("task_runs_noteworthy", state=state, before_run=before, limit=limit)
        return [task_run_row(row) for row in rows]

    def task_counts(self, run_ids: Iterable[int]) -> dict[int, dict[str, int]]:
        """How many task runs of each run are in each state."""
        counts: dict[int, dict[str, int]] = {}
        for run_id, state, count in self._database.rows("task_counts", ids=listed(run_ids)):
            counts.setdefault(run_id, {})[state] = count
        return counts

    def cache_get(self, key: str, now: float) -> CacheRow | None:
        """A cached result that is still good."""
        rows = self._database.rows("cached", key=key, now=now)
        return CacheRow(key, rows[0][1].encode(), *rows[0][2:]) if rows else None

    # ---- assets ----

    def asset_states(self, keys: Iterable[str] | None = None) -> dict[tuple[str, str], MaterializationRow]:
        """The last materialization of each (asset, partition), of all assets or of these."""
        rows = self._current("asset_states", keys)
        return {(row[0], row[1]): materialization_row(row) for row in rows}

    def _current(self, name: str, keys: Iterable[str] | None) -> list[Row]:
        if keys is None:
            return self._database.rows(name)
        return self._database.rows(f"{name}_of", assets=listed(keys))

    def materializations(
        self,
        asset: str | None = None,
        partition: str | None = None,
        *,
        run_id: int | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[MaterializationRow]:
        """How an asset (or one partition of it) was made, newest first; or all that a run made, in its order."""
        if run_id is not None:
            rows = self._database.rows("materializations_of_run", run_id=run_id)
            made = [materialization_row(row) for row in rows]
            return [row for row in made if asset in (None, row.asset) and partition in (None, row.partition)]
        name = "materializations_of_asset" if partition is None else "materializations_of_partition"
        before = NEWEST if before is None else before
        rows = self._database.rows(name, asset=asset, partition=partition, before=before, limit=limit)
        return [materialization_row(row) for row in rows]

    def check_results(
        self,
        asset: str | None = None,
        check: str | None = None,
        partition: str | None = None,
        *,
        run_id: int | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[CheckRow]:
        """The verdicts on an asset, newest first; or all those of a run, in its order."""
        if run_id is not None:
            verdicts = [check_row(row) for row in self._database.rows("check_results_of_run", run_id=run_id)]
            return [row for row in verdicts if asset in (None, row.asset) and check in (None, row.check)]
        before = NEWEST if before is None else before
        filters = {"asset": asset, "check": check, "partition": partition, "before": before, "limit": limit}
        return [check_row(row) for row in self._database.rows("check_results_of_asset", **filters)]

    def checks_current(self, assets: Iterable[str] | None = None) -> dict[tuple[str, str, str], CheckRow]:
        """The last verdict of each (asset, check, partition), of all assets or of these."""
        rows = self._current("current_checks", assets)
        return {(row[0], row[1], row[2]): check_row(row) for row in rows}

    # ---- definitions, partitions, settings ----

    def dynamic_partitions(self, name: str) -> list[str]:
        """The keys that were added under this name, oldest first."""
        return [row[0] for row in self._database.rows("partitions_named", name=name)]

    def definitions(self) -> list[DefinitionsRow]:
        """What every code location defines."""
        return [_definitions_row(row) for row in self._database.rows("all_definitions")]

    def definitions_at(self, location: str) -> DefinitionsRow | None:
        """What this code location defines."""
        rows = self._database.rows("definitions_at", location=location)
        return _definitions_row(rows[0]) if rows else None

    def definitions_kept(self, location: str, content_hash: str) -> bytes | None:
        """What a code location defined in that version, as JSON."""
        rows = self._database.rows("definition_version", location=location, hash=content_hash)
        return bytes(rows[0][0]) if rows else None

    def asset_definitions(
        self, keys: Iterable[str] | None = None, *, location: str | None = None
    ) -> list[AssetDefinitionRow]:
        """Assets as they are defined, by key: all, these, or those of one code location."""
        if keys is not None:
            rows = self._database.rows("asset_defined", keys=listed(keys))
            rows = [row for row in rows if location in (None, row[1])]
        else:
            rows = self._database.rows("assets_defined", location=location)
        return [AssetDefinitionRow(key, at, data.encode()) for key, at, data in rows]

    def meta(self, key: str) -> str | None:
        """A setting of this store."""
        rows = self._database.rows("get_meta", key=key)
        return str(rows[0][0]) if rows else None


def _definitions_row(row: Row) -> DefinitionsRow:
    location, content_hash, data, *rest = row
    return DefinitionsRow(location, content_hash, bytes(data), *rest)
