"""The queries of the HTTP API: lists of runs under many filters, counts, grids, series. See `batuta.store.reports`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from batuta.store.schema import (
    RowId,
    asset_partitions,
    check_results,
    definitions,
    events,
    materializations,
    run_tags,
    runs,
    task_runs,
)
from batuta.store.schema_service import (
    alert_deliveries,
    alerts,
    artifacts,
    audit,
    backfills,
    external_datasets,
    external_jobs,
    external_runs,
    ticks,
)
from batuta.store.sql.backfills import OPEN_BACKFILLS
from batuta.store.sql.build import (
    Dialect,
    below,
    has_text,
    if_given,
    if_listed,
    is_open,
    listed,
    literal,
    numbered,
    p,
    page,
    plain,
    run_id,
)

# ---- what changed ----


@plain
def definition_heads(dialect: Dialect) -> ClauseElement:
    """Which version each location has, without the definitions themselves."""
    heads = [definitions.c[name] for name in ("location", "hash", "loaded_at", "error", "problems")]
    return sa.select(*heads).order_by(definitions.c.location)


@plain
def newest_ids(dialect: Dialect) -> ClauseElement:
    tables = (events, materializations, check_results)
    newest = [sa.select(sa.func.coalesce(sa.func.max(t.c.id), literal(0))).scalar_subquery() for t in tables]
    return sa.select(*newest)


@plain
def newest_of_all(dialect: Dialect) -> ClauseElement:
    """A number for each thing that grows or is heard of anew; all from the ends of indexes, but for open backfills."""
    open_ones = backfills.c.state.in_([literal(state) for state in OPEN_BACKFILLS])
    tables = (runs, ticks, alerts, alert_deliveries, artifacts, materializations, check_results, audit, backfills)
    largest = [sa.func.max(table.c.id) for table in tables]
    heard = [sa.func.max(table.c.heard_at) for table in (external_jobs, external_runs, external_datasets)]
    newest = [sa.select(sa.func.coalesce(each, literal(0))).scalar_subquery() for each in (*largest, *heard)]
    left = sa.select(sa.func.coalesce(sa.func.sum(backfills.c.id), literal(0))).where(open_ones).scalar_subquery()
    return sa.select(*newest, left)


# ---- runs ----


def _run_list(name: str, path: Callable[[], Sequence[ColumnElement[bool]]]) -> None:
    """A page of runs. `path` is the condition that an index answers; all others are optional."""

    def fits(dialect: Dialect) -> Sequence[ColumnElement[bool]]:
        tag = run_tags.c.key + literal("=") + run_tags.c.value
        tagged = sa.select(sa.func.count()).where(run_tags.c.run_id == runs.c.id, listed(tag, "tags", dialect))
        until = sa.cast(p("until", sa.Double), sa.Double)
        since = sa.cast(p("since", sa.Double), sa.Double)
        return (
            *path(),
            if_listed(runs.c.state, "states", dialect),
            if_listed(runs.c.job, "jobs", dialect),
            if_listed(runs.c.kind, "kinds", dialect),
            if_listed(runs.c.trigger, "triggers", dialect),
            if_listed(runs.c.location, "locations", dialect),
            if_given(runs.c.origin, "origin"),
            if_given(runs.c.partition, "partition"),
            if_given(runs.c.parent_run, "parent_run"),
            if_given(runs.c.backfill_id, "backfill_id"),
            sa.or_(p("roots_only", sa.Integer) == literal(0), runs.c.parent_run.is_(None)),
            sa.or_(since.is_(None), runs.c.created_at >= since),
            sa.or_(until.is_(None), runs.c.created_at < until),
            sa.or_(p("tags").is_(None), tagged.scalar_subquery() == p("tag_count", sa.Integer)),
            has_text(runs.c.job, runs.c.error, runs.c.params),
        )

    numbered(f"run_list_{name}", sa.select(runs), runs.c.id, fits)


def _tagged() -> ColumnElement[bool]:
    first = sa.select(run_tags.c.run_id).where(run_tags.c.key == p("tag_key"), run_tags.c.value == p("tag_value"))
    return runs.c.id.in_(first)


_run_list("all", lambda: ())
_run_list("of_job", lambda: (runs.c.job == p("job"),))
_run_list("in_state", lambda: (runs.c.state == p("state"),))
_run_list("triggered", lambda: (runs.c.trigger == p("trigger"),))
_run_list("of_parent", lambda: (runs.c.parent_run == p("of_parent", RowId),))
_run_list("of_backfill", lambda: (runs.c.backfill_id == p("of_backfill", RowId),))
_run_list("of_partition", lambda: (runs.c.partition == p("of_partition"), runs.c.partition != literal("")))
_run_list("tagged", lambda: (_tagged(),))


@plain
def first_run_since(dialect: Dialect) -> ClauseElement:
    """The number of the first run that was created since then."""
    query = sa.select(runs.c.id).where(runs.c.created_at >= p("since", sa.Double))
    return query.order_by(runs.c.created_at).limit(literal(1)).offset(literal(0))


@plain
def run_states_after(dialect: Dialect) -> ClauseElement:
    """How many runs after that number are in each state."""
    query = sa.select(runs.c.state, sa.func.count()).where(
        runs.c.id > p("after", RowId), if_listed(runs.c.location, "locations", dialect)
    )
    return query.group_by(runs.c.state)


@plain
def open_run_states(dialect: Dialect) -> ClauseElement:
    query = sa.select(runs.c.state, sa.func.count()).where(is_open(), if_listed(runs.c.location, "locations", dialect))
    return query.group_by(runs.c.state)


@plain
def recent_of_job(dialect: Dialect) -> ClauseElement:
    """The last runs of a job, in few columns, newest first."""
    columns = (runs.c.id, runs.c.state, runs.c.created_at, runs.c.started_at, runs.c.finished_at, runs.c.partition)
    query = sa.select(*columns, runs.c.logical_at, runs.c.trigger).where(runs.c.job == p("job"))
    query = query.where(if_given(runs.c.location, "location"))
    return page(query.where(below(runs.c.id)).order_by(runs.c.id.desc()))


@plain
def recent_of_jobs(dialect: Dialect) -> ClauseElement:
    """The same of many jobs at once, each with its name: by one look into the index per job."""
    own = runs.alias("own")
    names = ("id", "state", "created_at", "started_at", "finished_at", "partition", "logical_at", "trigger")
    last = sa.select(*(own.c[name] for name in (*names, "job")))
    if dialect == "sqlite":
        items = sa.func.json_each(p("jobs_listed")).table_valued("value", name="each_job")
        last_ids = page(sa.select(own.c.id).where(own.c.job == items.c.value).order_by(own.c.id.desc()))
        query = sa.select(*(runs.c[name] for name in (*names, "job"))).select_from(items.join(runs, sa.true()))
        return query.where(runs.c.id.in_(last_ids)).order_by(runs.c.id.desc())
    document = sa.cast(p("jobs_listed"), postgresql.JSON)
    items = sa.func.json_array_elements_text(document).table_valued("value", name="each_job")
    found = page(last.where(own.c.job == items.c.value).order_by(own.c.id.desc())).lateral("found")
    query = sa.select(*(found.c[name] for name in (*names, "job"))).select_from(items.join(found, sa.true()))
    return query.order_by(found.c.id.desc())


@plain
def run_days_of_job(dialect: Dialect) -> ClauseElement:
    """Runs of a job by day (UTC, of the logical time, or else of creation) and state, after that number."""
    at = sa.func.coalesce(runs.c.logical_at, runs.c.created_at)
    day = sa.cast(at / literal(86400), sa.Integer) if dialect == "sqlite" else sa.func.floor(at / literal(86400))
    query = sa.select(day.label("day"), runs.c.state, sa.func.count(), sa.func.max(runs.c.id))
    query = query.where(runs.c.job == p("job"), runs.c.id > p("after", RowId), if_given(runs.c.location, "location"))
    return query.group_by(sa.text("1"), runs.c.state).order_by(sa.text("1"))


# ---- task runs ----


@plain
def task_grid(dialect: Dialect) -> ClauseElement:
    """Task runs of some runs by step and state: how many, from when to when, and the first's number."""
    query = sa.select(
        task_runs.c.run_id,
        task_runs.c.step,
        task_runs.c.state,
        sa.func.count(),
        sa.func.min(task_runs.c.started_at),
        sa.func.max(task_runs.c.finished_at),
        sa.func.min(task_runs.c.no),
        sa.func.max(task_runs.c.attempt),
    ).where(listed(task_runs.c.run_id, "ids", dialect))
    return query.group_by(task_runs.c.run_id, task_runs.c.step, task_runs.c.state)


@plain
def task_bars(dialect: Dialect) -> ClauseElement:
    """The task runs of a run in the few columns that a picture needs."""
    query = sa.select(
        task_runs.c.no,
        task_runs.c.step,
        task_runs.c.kind,
        task_runs.c.map_index,
        task_runs.c.label,
        task_runs.c.state,
        task_runs.c.attempt,
        task_runs.c.started_at,
        task_runs.c.finished_at,
    ).where(task_runs.c.run_id == run_id(), task_runs.c.no > p("after_no", sa.Integer))
    return page(query.order_by(task_runs.c.no))


@plain
def task_list(dialect: Dialect) -> ClauseElement:
    """A page of a run's task runs by number, filtered."""
    text = p("text")
    name = sa.func.lower(task_runs.c.step)
    found = sa.or_(
        name.like(text, escape="\\"),
        sa.func.lower(task_runs.c.label).like(text, escape="\\"),
        sa.func.lower(task_runs.c.error).like(text, escape="\\"),
    )
    query = sa.select(task_runs).where(
        task_runs.c.run_id == run_id(),
        task_runs.c.no > p("after_no", sa.Integer),
        if_listed(task_runs.c.state, "states", dialect),
        if_listed(task_runs.c.step, "steps", dialect),
        if_listed(task_runs.c.kind, "kinds", dialect),
        sa.or_(text.is_(None), found),
    )
    return page(query.order_by(task_runs.c.no))


@plain
def logged_tasks(dialect: Dialect) -> ClauseElement:
    """The task runs of a run that have a log, or may be writing one, by number."""
    going_on = task_runs.c.state.in_([literal("running"), literal("retrying"), literal("deferred")])
    query = sa.select(task_runs).where(
        task_runs.c.run_id == run_id(),
        task_runs.c.no > p("after_no", sa.Integer),
        sa.or_(task_runs.c.logged.is_(sa.true()), going_on),
    )
    return page(query.order_by(task_runs.c.no))


@plain
def events_listed(dialect: Dialect) -> ClauseElement:
    """A page of a run's events, in their order, of these kinds, of this task run, or with a text in them."""
    query = sa.select(
        events.c.run_id, events.c.seq, events.c.kind, events.c.at, events.c.task, events.c.data, events.c.id
    ).where(
        events.c.run_id == run_id(),
        events.c.seq > p("after_seq", sa.Integer),
        if_listed(events.c.kind, "kinds", dialect),
        if_given(events.c.task, "task"),
        has_text(events.c.data),
    )
    return page(query.order_by(events.c.seq))


# ---- assets and checks ----


@plain
def partitions_made(dialect: Dialect) -> ClauseElement:
    """The current partitions of an asset: when, by which run, which data version."""
    query = sa.select(
        asset_partitions.c.partition, asset_partitions.c.at, asset_partitions.c.run_id, asset_partitions.c.data_version
    ).where(asset_partitions.c.asset == p("asset"))
    return query.order_by(asset_partitions.c.partition)


@plain
def materializations_newest(dialect: Dialect) -> ClauseElement:
    """Materializations of all assets (or these), newest first."""
    columns = [c for c in materializations.columns if c.name != "id"]
    query = sa.select(*columns, materializations.c.id).where(
        below(materializations.c.id), if_listed(materializations.c.asset, "assets", dialect)
    )
    return page(query.order_by(materializations.c.id.desc()))


_wants_passed = sa.cast(p("is_passed", sa.Boolean), sa.Boolean)

numbered(
    "checks_newest",
    sa.select(*(c for c in check_results.columns if c.name != "id"), check_results.c.id),
    check_results.c.id,
    lambda dialect: (
        if_listed(check_results.c.asset, "assets", dialect),
        if_given(check_results.c.check_name, "check"),
        sa.or_(_wants_passed.is_(None), check_results.c.passed == _wants_passed),
        has_text(check_results.c.asset, check_results.c.check_name, check_results.c.description),
    ),
)


@plain
def check_days(dialect: Dialect) -> ClauseElement:
    """Verdicts since then by asset and day (UTC): how many passed, warned, failed and were not able to tell."""
    at, said = check_results.c.at, check_results.c.outcome
    day = sa.cast(at / literal(86400), sa.Integer) if dialect == "sqlite" else sa.func.floor(at / literal(86400))
    level = sa.case(  # as `rows.CheckRow.level`
        (said != literal(""), said),
        (check_results.c.passed.is_(sa.true()), literal("passed")),
        (check_results.c.blocking.is_(sa.true()), literal("failed")),
        else_=literal("warned"),
    )
    counts = [
        sa.func.sum(sa.case((level == literal(name), literal(1)), else_=literal(0))).label(name)
        for name in ("passed", "warned", "failed", "unknown")
    ]
    query = sa.select(check_results.c.asset, day.label("day"), *counts).where(
        at >= p("since", sa.Double),
        if_listed(check_results.c.asset, "assets", dialect),
        if_given(check_results.c.check_name, "check"),
    )
    return query.group_by(check_results.c.asset, sa.text("2"))
