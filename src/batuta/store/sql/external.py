"""The statements of jobs that run elsewhere: see `batuta.store.external`."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema_service import external_datasets, external_edges, external_jobs, external_runs
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    if_given,
    insert_each,
    listed,
    literal,
    p,
    page,
    plain,
)

insert_each("put_external_jobs", external_jobs, replace_by=("key",))
insert_each("put_external_runs", external_runs, replace_by=("run_id",))
insert_each("put_external_datasets", external_datasets, replace_by=("key",))
insert_each("put_external_edges", external_edges, replace_by=("job", "direction", "dataset"))


def _lock(dialect: Dialect) -> ClauseElement:
    """Events are added by one at a time, as they are added to what is known."""
    return sa.select(sa.func.pg_advisory_xact_lock(literal(7089350519847)))


DEFINITIONS.append(Definition("lock_external_jobs", _lock, only="postgresql"))

_KEYED = {"jobs": external_jobs, "datasets": external_datasets}


def _keyed(name: str, table: sa.Table) -> None:
    def of(dialect: Dialect) -> ClauseElement:
        return sa.select(table.c.key, table.c.data).where(listed(table.c.key, "keys", dialect))

    def since(dialect: Dialect) -> ClauseElement:
        return sa.select(table.c.key, table.c.data).where(table.c.heard_at >= p("since", sa.Double))

    def newest(dialect: Dialect) -> ClauseElement:
        return sa.select(sa.func.coalesce(sa.func.max(table.c.heard_at), sa.literal_column("0")), sa.func.count())

    DEFINITIONS.append(Definition(f"external_{name}_of", of))
    DEFINITIONS.append(Definition(f"external_{name}_since", since))
    DEFINITIONS.append(Definition(f"external_{name}_newest", newest))


for _name, _table in _KEYED.items():
    _keyed(_name, _table)


@plain
def external_runs_of(dialect: Dialect) -> ClauseElement:
    table = external_runs.c
    return sa.select(table.run_id, table.data).where(listed(table.run_id, "ids", dialect))


@plain
def external_edges_of(dialect: Dialect) -> ClauseElement:
    """The edges of some jobs, with when they were told."""
    return sa.select(external_edges).where(listed(external_edges.c.job, "jobs", dialect))


@plain
def external_edges_now(dialect: Dialect) -> ClauseElement:
    """All edges that count."""
    edge = external_edges.c
    query = sa.select(edge.job, edge.direction, edge.dataset).join(external_jobs, external_jobs.c.key == edge.job)
    return query.where(edge.at >= external_jobs.c.since).order_by(edge.job, edge.direction, edge.dataset)


@plain
def external_runs_page(dialect: Dialect) -> ClauseElement:
    """Runs, those first that began last, after one of them; of a job, of a parent."""
    run = external_runs.c
    key = sa.tuple_(run.began_at, run.run_id)
    after = sa.tuple_(p("began_at", sa.Double), p("after_id"))
    query = sa.select(run.run_id, run.data).where(
        key < after,
        if_given(run.job, "job"),
        if_given(run.parent, "parent"),
    )
    return page(query.order_by(run.began_at.desc(), run.run_id.desc()))


@plain
def external_states(dialect: Dialect) -> ClauseElement:
    """How many runs of each job are in each state."""
    run = external_runs.c
    return sa.select(run.state, sa.func.count()).where(run.job == p("job")).group_by(run.state)


# ---- forgetting ----


@plain
def old_external_runs(dialect: Dialect) -> ClauseElement:
    run = external_runs.c
    return page(sa.select(run.run_id).where(run.heard_at < p("cutoff", sa.Double)).order_by(run.heard_at))


@plain
def delete_external_runs(dialect: Dialect) -> ClauseElement:
    """But not those of which something was heard since they were looked for."""
    run = external_runs.c
    return sa.delete(external_runs).where(listed(run.run_id, "ids", dialect), run.heard_at < p("cutoff", sa.Double))


@plain
def old_external_jobs(dialect: Dialect) -> ClauseElement:
    """Those that were not heard of for long and of which no run is left."""
    job = external_jobs.c
    left = sa.exists().where(external_runs.c.job == job.key)
    old = sa.and_(job.heard_at < p("cutoff", sa.Double), ~left)
    return page(sa.select(job.key).where(old).order_by(job.key))


@plain
def delete_external_jobs(dialect: Dialect) -> ClauseElement:
    left = sa.exists().where(external_runs.c.job == external_jobs.c.key)
    old = (external_jobs.c.heard_at < p("cutoff", sa.Double), ~left)
    return sa.delete(external_jobs).where(listed(external_jobs.c.key, "keys", dialect), *old)


@plain
def delete_external_edges(dialect: Dialect) -> ClauseElement:
    """Some of those of jobs that are gone, and of those that were told before `cutoff` and count no more."""
    edge = external_edges.alias("edge")
    key = (edge.c.job, edge.c.direction, edge.c.dataset)
    job = sa.exists().where(external_jobs.c.key == edge.c.job)
    counts = sa.exists().where(external_jobs.c.key == edge.c.job, edge.c.at >= external_jobs.c.since)
    old = sa.or_(~job, sa.and_(edge.c.at < p("cutoff", sa.Double), ~counts))
    own = sa.tuple_(external_edges.c.job, external_edges.c.direction, external_edges.c.dataset)
    return sa.delete(external_edges).where(own.in_(page(sa.select(*key).where(old))))


@plain
def delete_external_datasets(dialect: Dialect) -> ClauseElement:
    """Some of those that were not heard of since `cutoff`, and that no job reads or writes."""
    dataset = external_datasets.alias("dataset")
    used = sa.exists().where(external_edges.c.dataset == dataset.c.key)
    old = page(sa.select(dataset.c.key).where(dataset.c.heard_at < p("cutoff", sa.Double), ~used))
    return sa.delete(external_datasets).where(external_datasets.c.key.in_(old))
