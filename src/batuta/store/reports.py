"""What people look at: lists of runs under many filters, counts, grids and series. Reads only.

Surprising: times narrow a list of runs by the number of the first run of then, since numbers are given in the order of
creation. So a filter on the last hour reads the runs of the last hour, however many there are in all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from batuta.store.database import Database, Row
from batuta.store.queries import (
    NEWEST,
    check_row,
    event_row,
    listed,
    materialization_row,
    numbered,
    pattern,
    run_row,
    task_run_row,
)
from batuta.store.rows import CheckRow, EventRow, MaterializationRow, RunRow, TaskRunRow, VerdictCounts

_CLOCKS_DIFFER_S = 60.0
"""By how much the clocks of those who create runs may differ, for times to narrow a list by number."""


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs; None or empty: whichever. `tags` are all to be there. Times are about creation."""

    jobs: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    locations: tuple[str, ...] | None = None
    origin: str | None = None
    tags: dict[str, str] = {}
    partition: str | None = None
    parent_run: int | None = None
    backfill_id: int | None = None
    roots_only: bool = False
    since: float | None = None
    until: float | None = None
    text: str = ""


class Newest(NamedTuple):
    """The largest number of each table, and when was heard last of what runs elsewhere; 0 where there is nothing."""

    run: int
    tick: int
    alert: int
    delivery: int
    artifact: int
    materialization: int
    verdict: int
    audit: int
    backfill: int
    heard_of_jobs: float
    heard_of_runs: float
    heard_of_datasets: float
    open_backfills: int
    """The sum of the numbers of those that have not ended."""


class Reports:
    """See the module. Made by `Store.reports`."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def _pattern(self, text: str) -> str | None:
        return pattern(text, self._database.dialect)

    # ---- what changed ----

    def definition_heads(self) -> list[tuple[str, str, float, str, str]]:
        """(location, hash, loaded_at, error, problems) of every location, see `DefinitionsRow`."""
        return [(row[0], row[1], row[2], row[3], row[4]) for row in self._database.rows("definition_heads")]

    def newest_ids(self) -> tuple[int, int, int]:
        """The numbers of the newest event, materialization and verdict: what is cached is good while they stay."""
        event, made, verdict = self._database.rows("newest_ids")[0]
        return int(event), int(made), int(verdict)

    def newest(self) -> Newest:
        """What is new, thing by thing: cheap enough to be asked every second."""
        return Newest._make(self._database.rows("newest_of_all")[0])

    # ---- runs ----

    def runs(
        self, wanted: RunFilter, *, before: int | None = None, after: int = 0, newest_first: bool = True, limit: int
    ) -> list[RunRow]:
        """A page of the runs with `after` < number < `before`."""
        if wanted.since is not None:
            after = max(after, self._last_before(wanted.since))
        filters: dict[str, Any] = {
            "states": _or_none(wanted.states),
            "jobs": _or_none(wanted.jobs),
            "kinds": _or_none(wanted.kinds),
            "triggers": _or_none(wanted.triggers),
            "locations": None if wanted.locations is None else json.dumps(wanted.locations),
            "origin": wanted.origin,
            "partition": wanted.partition,
            "parent_run": wanted.parent_run,
            "backfill_id": wanted.backfill_id,
            "roots_only": int(wanted.roots_only),
            "since": wanted.since,
            "until": wanted.until,
            "tags": _or_none([f"{key}={value}" for key, value in wanted.tags.items()]),
            "tag_count": len(wanted.tags),
        }
        page: dict[str, Any] = {"before": before, "after": after, "newest_first": newest_first, "limit": limit}
        rows = [
            row
            for name, path in _paths(wanted)
            for row in numbered(self._database, f"run_list_{name}", text=wanted.text, **page, **filters, **path)
        ]
        rows.sort(key=lambda row: -row[0] if newest_first else row[0])
        return [run_row(row) for row in rows[:limit]]

    def _last_before(self, at: float) -> int:
        """A number below those of all runs that were created since then."""
        rows = self._database.rows("first_run_since", since=at - _CLOCKS_DIFFER_S)
        return int(rows[0][0]) - 1 if rows else 0

    def run_states(self, since: float | None, locations: Iterable[str] | None = None) -> dict[str, int]:
        """How many runs there are in each state: of those created since then, or unfinished ones."""
        wanted = None if locations is None else listed(locations)
        if since is None:
            rows = self._database.rows("open_run_states", locations=wanted)
        else:
            first = self._database.rows("first_run_since", since=since)
            after = int(first[0][0]) - 1 if first else NEWEST
            rows = self._database.rows("run_states_after", after=after, locations=wanted)
        return {state: int(count) for state, count in rows}

    def recent_of_job(
        self, job: str, *, location: str | None = None, before: int | None = None, limit: int = 10
    ) -> list[Row]:
        """(id, state, created_at, started_at, finished_at, partition, logical_at, trigger), newest first."""
        before = NEWEST if before is None else before
        return self._database.rows("recent_of_job", job=job, location=location, before=before, limit=limit)

    def recent_of_jobs(self, jobs: Iterable[str], limit: int) -> dict[str, list[Row]]:
        """`recent_of_job` of many jobs, in one query."""
        found: dict[str, list[Row]] = {}
        for row in self._database.rows("recent_of_jobs", jobs_listed=json.dumps([*jobs]), limit=limit):
            found.setdefault(row[-1], []).append(row[:-1])
        return found

    def run_days_of_job(self, job: str, since: float, location: str | None = None) -> list[tuple[int, str, int, int]]:
        """(day since 1970, state, runs, the newest run) of the runs created since then."""
        after = self._last_before(since)
        rows = self._database.rows("run_days_of_job", job=job, after=after, location=location)
        return [(int(day), state, int(count), int(newest)) for day, state, count, newest in rows]

    # ---- task runs ----

    def task_grid(self, run_ids: Iterable[int]) -> list[Row]:
        """(run, step, state, count, first start, last end, first number, attempts) of the task runs of some runs."""
        return self._database.rows("task_grid", ids=json.dumps([*run_ids]))

    def task_bars(self, run_id: int, *, after_no: int = -1, limit: int) -> list[Row]:
        """(no, step, kind, map index, label, state, attempt, started_at, finished_at), by number."""
        return self._database.rows("task_bars", run_id=run_id, after_no=after_no, limit=limit)

    def task_list(
        self,
        run_id: int,
        *,
        states: Iterable[str] = (),
        steps: Iterable[str] = (),
        kinds: Iterable[str] = (),
        text: str = "",
        after_no: int = -1,
        limit: int,
    ) -> list[TaskRunRow]:
        """A page of a run's task runs by number. `text` is looked for in step, partition and error."""
        rows = self._database.rows(
            "task_list",
            run_id=run_id,
            states=_or_none(states),
            steps=_or_none(steps),
            kinds=_or_none(kinds),
            text=self._pattern(text),
            after_no=after_no,
            limit=limit,
        )
        return [task_run_row(row) for row in rows]

    def logged_tasks(self, run_id: int, *, after_no: int = -1, limit: int) -> list[TaskRunRow]:
        """The task runs of a run that have said something, or may do so yet, by number."""
        return [
            task_run_row(row)
            for row in self._database.rows("logged_tasks", run_id=run_id, after_no=after_no, limit=limit)
        ]

    def events(
        self,
        run_id: int,
        *,
        kinds: Iterable[str] = (),
        task: int | None = None,
        text: str = "",
        after_seq: int = 0,
        limit: int,
    ) -> list[EventRow]:
        """A page of a run's events, in their order. `text` is looked for in their data as they are recorded, JSON."""
        rows = self._database.rows(
            "events_listed",
            run_id=run_id,
            kinds=_or_none(kinds),
            task=task,
            text=self._pattern(text),
            after_seq=after_seq,
            limit=limit,
        )
        return [event_row(row) for row in rows]

    # ---- assets and checks ----

    def partitions_made(self, asset: str) -> list[tuple[str, float, int, str]]:
        """(partition, at, run, data version) of what is there of an asset, by partition."""
        rows = self._database.rows("partitions_made", asset=asset)
        return [(partition, at, run, version) for partition, at, run, version in rows]

    def materializations(
        self, assets: Iterable[str] | None = None, *, before: int | None = None, limit: int
    ) -> list[MaterializationRow]:
        """How assets were made, newest first."""
        wanted = None if assets is None else listed(assets)
        before = NEWEST if before is None else before
        rows = self._database.rows("materializations_newest", assets=wanted, before=before, limit=limit)
        return [materialization_row(row) for row in rows]

    def checks(
        self,
        assets: Iterable[str] | None = None,
        *,
        check: str | None = None,
        passed: bool | None = None,
        text: str = "",
        limit: int,
        **page: Any,
    ) -> list[CheckRow]:
        """A page of verdicts, see `queries.numbered`. `text` is looked for in asset, check and description."""
        wanted: dict[str, Any] = {"assets": listed(assets), "check": check, "is_passed": passed}
        rows = numbered(self._database, "checks_newest", text=text, limit=limit, **page, **wanted)
        return [check_row(row) for row in rows]

    def check_days(
        self, since: float, *, assets: Iterable[str] | None = None, check: str | None = None
    ) -> list[tuple[str, int, VerdictCounts]]:
        """(asset, day since 1970, verdicts) since then, of these assets and of checks of this name."""
        rows = self._database.rows("check_days", since=since, assets=listed(assets), check=check)
        return [(asset, int(day), VerdictCounts(*map(int, counts))) for asset, day, *counts in rows]


def _paths(wanted: RunFilter) -> list[tuple[str, dict[str, Any]]]:
    """The statements that find the runs by an index: the narrowest that the filter allows."""
    if wanted.parent_run is not None:
        return [("of_parent", {"of_parent": wanted.parent_run})]
    if wanted.backfill_id is not None:
        return [("of_backfill", {"of_backfill": wanted.backfill_id})]
    if wanted.partition:
        return [("of_partition", {"of_partition": wanted.partition})]
    if wanted.tags:
        key, value = next(iter(wanted.tags.items()))
        return [("tagged", {"tag_key": key, "tag_value": value})]
    if wanted.jobs:
        return [("of_job", {"job": job}) for job in dict.fromkeys(wanted.jobs)]
    if wanted.states:
        return [("in_state", {"state": state}) for state in dict.fromkeys(wanted.states)]
    if wanted.triggers:
        return [("triggered", {"trigger": trigger}) for trigger in dict.fromkeys(wanted.triggers)]
    return [("all", {})]


def _or_none(items: Iterable[str]) -> str | None:
    wanted = [*items]
    return json.dumps(wanted) if wanted else None
