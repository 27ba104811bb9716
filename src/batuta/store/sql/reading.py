"""The queries about runs, events, task runs and assets. Long lists are pages: newest first, `before` a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from batuta.store import schema
from batuta.store.schema import (
    asset_partitions,
    check_results,
    checks_current,
    events,
    materializations,
    plans,
    run_tags,
    runs,
    task_cache,
    task_runs,
)
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    below,
    if_given,
    if_listed,
    is_open,
    listed,
    literal,
    p,
    page,
    plain,
    run_id,
)

# ---- runs ----


@plain
def run(dialect: Dialect) -> ClauseElement:
    return sa.select(runs).where(runs.c.id == run_id())


def _runs(name: str, path: Callable[[], Sequence[ColumnElement[bool]]]) -> None:
    """A page of runs, newest first. `path` is the condition that an index answers; all others are optional."""

    def build(dialect: Dialect) -> ClauseElement:
        tag = run_tags.c.key + literal("=") + run_tags.c.value
        tagged = sa.select(sa.func.count()).where(run_tags.c.run_id == runs.c.id, listed(tag, "tags", dialect))
        since = sa.cast(p("since", sa.Double), sa.Double)
        query = sa.select(runs).where(
            *path(),
            below(runs.c.id),
            if_listed(runs.c.state, "states", dialect),
            if_given(runs.c.job, "job"),
            if_given(runs.c.kind, "kind"),
            if_given(runs.c.trigger, "trigger"),
            if_given(runs.c.partition, "partition"),
            if_given(runs.c.parent_run, "parent_run"),
            if_given(runs.c.parent_task, "parent_task"),
            sa.or_(p("roots_only", sa.Integer) == literal(0), runs.c.parent_run.is_(None)),
            sa.or_(since.is_(None), runs.c.created_at >= since),
            sa.or_(p("tags").is_(None), tagged.scalar_subquery() == p("tag_count", sa.Integer)),
        )
        return page(query.order_by(runs.c.id.desc()))

    DEFINITIONS.append(Definition(name, build))


def _tagged() -> ColumnElement[bool]:
    first = sa.select(run_tags.c.run_id).where(run_tags.c.key == p("tag_key"), run_tags.c.value == p("tag_value"))
    return runs.c.id.in_(first)


_runs("runs_newest", lambda: ())
_runs("runs_of_job", lambda: (runs.c.job == p("job"),))
_runs("runs_in_state", lambda: (runs.c.state == p("state"),))
_runs("runs_of_parent", lambda: (runs.c.parent_run == p("parent_run", schema.RowId),))
_runs("runs_tagged", lambda: (_tagged(),))


@plain
def last_run_id(dialect: Dialect) -> ClauseElement:
    return sa.select(sa.func.coalesce(sa.func.max(runs.c.id), literal(0)))


@plain
def latest_runs(dialect: Dialect) -> ClauseElement:
    newest = sa.select(sa.func.max(runs.c.id)).where(if_listed(runs.c.job, "jobs", dialect)).group_by(runs.c.job)
    return sa.select(runs).where(runs.c.id.in_(newest)).order_by(runs.c.job)


@plain
def run_counts(dialect: Dialect) -> ClauseElement:
    query = sa.select(runs.c.job, runs.c.state, sa.func.count()).where(if_listed(runs.c.job, "jobs", dialect))
    return query.group_by(runs.c.job, runs.c.state)


@plain
def resumable_runs(dialect: Dialect) -> ClauseElement:
    return sa.select(runs).where(is_open(), runs.c.lease_until <= p("now", sa.Double)).order_by(runs.c.id)


@plain
def unfinished_children(dialect: Dialect) -> ClauseElement:
    query = sa.select(runs).where(runs.c.parent_run == run_id(), is_open())
    return query.order_by(runs.c.id)


@plain
def plan(dialect: Dialect) -> ClauseElement:
    return sa.select(plans.c.data).where(plans.c.hash == p("hash"))


# ---- events, task runs ----

_EVENT = (events.c.run_id, events.c.seq, events.c.kind, events.c.at, events.c.task, events.c.data, events.c.id)


@plain
def events_of_run(dialect: Dialect) -> ClauseElement:
    query = sa.select(*_EVENT).where(events.c.run_id == run_id())
    return page(query.where(events.c.seq > p("after_seq", sa.Integer)).order_by(events.c.seq))


@plain
def events_since(dialect: Dialect) -> ClauseElement:
    query = sa.select(*_EVENT).where(events.c.id > p("after_id", schema.RowId))
    return page(query.order_by(events.c.id))


@plain
def last_event_id(dialect: Dialect) -> ClauseElement:
    return sa.select(sa.func.coalesce(sa.func.max(events.c.id), literal(0)))


@plain
def task_runs_of_run(dialect: Dialect) -> ClauseElement:
    query = sa.select(task_runs).where(
        task_runs.c.run_id == run_id(),
        task_runs.c.no > p("after_no", sa.Integer),
        if_listed(task_runs.c.state, "states", dialect),
        if_given(task_runs.c.step, "step"),
    )
    return page(query.order_by(task_runs.c.no))


@plain
def task_runs_noteworthy(dialect: Dialect) -> ClauseElement:
    """Across runs, newest run first; `state` is one of `schema.NOTEWORTHY`."""
    query = sa.select(task_runs).where(schema.is_noteworthy, task_runs.c.state == p("state"))
    query = query.where(below(task_runs.c.run_id, "before_run"))
    return page(query.order_by(task_runs.c.run_id.desc(), task_runs.c.no))


@plain
def task_run_by_no(dialect: Dialect) -> ClauseElement:
    mine = task_runs.c.run_id == run_id()
    return sa.select(task_runs).where(mine, task_runs.c.no == p("no", sa.Integer))


@plain
def task_run_by_key(dialect: Dialect) -> ClauseElement:
    """`step`, or `base[index]`, or `base[label]`."""
    within = sa.or_(task_runs.c.map_index == p("map_index", sa.Integer), task_runs.c.label == p("label"))
    named = sa.or_(task_runs.c.step == p("key"), sa.and_(task_runs.c.step == p("base"), within))
    query = sa.select(task_runs).where(task_runs.c.run_id == run_id(), named)
    return query.order_by(task_runs.c.no).limit(literal(1)).offset(literal(0))


@plain
def task_counts(dialect: Dialect) -> ClauseElement:
    query = sa.select(task_runs.c.run_id, task_runs.c.state, sa.func.count())
    query = query.where(listed(task_runs.c.run_id, "ids", dialect))
    return query.group_by(task_runs.c.run_id, task_runs.c.state)


@plain
def cached(dialect: Dialect) -> ClauseElement:
    live = sa.or_(task_cache.c.expires_at.is_(None), task_cache.c.expires_at > p("now", sa.Double))
    return sa.select(task_cache).where(task_cache.c.key == p("key"), live)


@plain
def forget_cached(dialect: Dialect) -> ClauseElement:
    return sa.delete(task_cache).where(task_cache.c.key == p("key"))


# ---- assets ----


def _columns(table: sa.Table, with_id: bool) -> list[ColumnElement[Any]]:
    own = [column for column in table.columns if column.name != "id"]
    return [*own, table.c.id if with_id else literal(0)]


def _current(name: str, table: sa.Table) -> None:
    """All rows of a table of current states, and those of the given assets: two texts, so that one uses the index."""
    query = sa.select(*_columns(table, False))
    DEFINITIONS.append(Definition(name, lambda dialect: query))
    DEFINITIONS.append(Definition(f"{name}_of", lambda dialect: query.where(listed(table.c.asset, "assets", dialect))))


_current("asset_states", asset_partitions)
_current("current_checks", checks_current)


@plain
def materializations_of_asset(dialect: Dialect) -> ClauseElement:
    query = sa.select(*_columns(materializations, True)).where(materializations.c.asset == p("asset"))
    return page(query.where(below(materializations.c.id)).order_by(materializations.c.id.desc()))


@plain
def materializations_of_partition(dialect: Dialect) -> ClauseElement:
    query = sa.select(*_columns(materializations, True)).where(
        materializations.c.asset == p("asset"), materializations.c.partition == p("partition")
    )
    return page(query.where(below(materializations.c.id)).order_by(materializations.c.id.desc()))


@plain
def materializations_of_run(dialect: Dialect) -> ClauseElement:
    query = sa.select(*_columns(materializations, True))
    return query.where(materializations.c.run_id == run_id()).order_by(materializations.c.id)


@plain
def check_results_of_asset(dialect: Dialect) -> ClauseElement:
    query = sa.select(*_columns(check_results, True)).where(
        check_results.c.asset == p("asset"),
        if_given(check_results.c.check_name, "check"),
        if_given(check_results.c.partition, "partition"),
        below(check_results.c.id),
    )
    return page(query.order_by(check_results.c.id.desc()))


@plain
def check_results_of_run(dialect: Dialect) -> ClauseElement:
    query = sa.select(*_columns(check_results, True))
    return query.where(check_results.c.run_id == run_id()).order_by(check_results.c.id)
