"""The statements of what runs unattended: tickers, ticks, keys of runs, leaders, processes, queued runs."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from batuta.core.states import RunState
from batuta.store.schema import runs
from batuta.store.schema_service import definition_versions, leaders, processes, rate_starts, run_keys, tickers, ticks
from batuta.store.sql.build import (
    DEFINITIONS,
    Definition,
    Dialect,
    has_text,
    if_given,
    if_listed,
    insert,
    insert_each,
    is_open,
    listed,
    literal,
    numbered,
    p,
    page,
    plain,
    records,
)

# ---- keys of runs ----

insert_each("put_run_keys", run_keys)


@plain
def keys_taken(dialect: Dialect) -> ClauseElement:
    query = sa.select(run_keys.c.key, run_keys.c.run_id)
    return query.where(run_keys.c.scope == p("scope"), listed(run_keys.c.key, "keys", dialect))


@plain
def delete_run_keys(dialect: Dialect) -> ClauseElement:
    """At most `limit` of those before `cutoff`."""
    key = (run_keys.c.scope, run_keys.c.key)
    old = page(sa.select(*key).where(run_keys.c.at < p("cutoff", sa.Double)).order_by(run_keys.c.at))
    return sa.delete(run_keys).where(sa.tuple_(*key).in_(old))


# ---- tickers and ticks ----

insert_each("put_ticks", ticks)


def _upsert_tickers(name: str, replaced: Sequence[str]) -> None:
    """Register an insert of tickers; of one that is there, `replaced` is taken on, and nothing else."""
    columns = [c.name for c in tickers.columns]

    def build(dialect: Dialect) -> ClauseElement:
        into = insert(tickers, dialect)
        if dialect == "sqlite":
            into = into.values({c: sa.bindparam(c) for c in columns})
        else:
            rows = records(tickers, columns)
            into = into.from_select(columns, sa.select(*(rows.c[c] for c in columns)))
        new = {c: into.excluded[c] for c in replaced}
        return into.on_conflict_do_update(index_elements=["kind", "location", "name"], set_=new)

    DEFINITIONS.append(Definition(name, build, tuple(columns)))


_PERSONS = ("enabled", "changed_at")
_KEY = ("kind", "location", "name")
# What a tick leaves behind is everything but the switch, which is a person's; and the switch is nothing but that.
_upsert_tickers("put_tickers", [c.name for c in tickers.columns if c.name not in (*_KEY, *_PERSONS)])
_upsert_tickers("put_switches", _PERSONS)


@plain
def set_ticker_cursor(dialect: Dialect) -> ClauseElement:
    mine = (tickers.c.kind == p("of_kind"), tickers.c.location == p("of_location"), tickers.c.name == p("of_name"))
    update = sa.update(tickers).where(*mine)
    return update.values(
        cursor=p("new_cursor"),
        state=literal(""),
        failures=literal(0),
        next_at=sa.null(),
        changed_at=p("at", sa.Double),
    )


@plain
def all_tickers(dialect: Dialect) -> ClauseElement:
    query = sa.select(tickers).where(if_given(tickers.c.kind, "kind"), if_given(tickers.c.location, "location"))
    return query.order_by(tickers.c.kind, tickers.c.location, tickers.c.name)


@plain
def tickers_switched(dialect: Dialect) -> ClauseElement:
    """Those that a person has turned on or off, ever."""
    columns = (tickers.c.location, tickers.c.name, tickers.c.enabled, tickers.c.changed_at)
    return sa.select(*columns).where(tickers.c.kind == p("of_kind"), tickers.c.changed_at > literal(0))


@plain
def delete_ticker(dialect: Dialect) -> ClauseElement:
    return sa.delete(tickers).where(
        tickers.c.kind == p("kind"), tickers.c.location == p("location"), tickers.c.name == p("name")
    )


def _ticks(name: str, path: Sequence[ColumnElement[bool]]) -> None:
    """A page of ticks. `path` is the condition that an index answers; all others are optional."""
    numbered(
        name,
        sa.select(ticks),
        ticks.c.id,
        lambda dialect: (
            *path,
            if_listed(ticks.c.kind, "kinds", dialect),
            if_listed(ticks.c.location, "locations", dialect),
            if_given(ticks.c.name, "name"),
            if_listed(ticks.c.outcome, "outcomes", dialect),
            has_text(ticks.c.name, ticks.c.reason),
        ),
    )


_ticks("tick_list", ())
_ticks(
    "tick_list_of_one",
    (ticks.c.kind == p("of_kind"), ticks.c.location == p("of_location"), ticks.c.name == p("of_name")),
)


# ---- queued runs ----


@plain
def queued_runs(dialect: Dialect) -> ClauseElement:
    """Those that nobody executes yet, by priority and age; of each job and concurrency key the first `each_max`, so
    that what a limit holds back does not hide the others."""
    free = (runs.c.state == literal(RunState.QUEUED.value), runs.c.owner == literal(""))
    order = (runs.c.priority.desc(), runs.c.id)
    alike = (runs.c.location, runs.c.job, runs.c.concurrency_key)
    place = sa.func.row_number().over(partition_by=alike, order_by=order).label("place")
    placed = sa.select(runs.c.id, place).where(*free).subquery("placed")
    first = sa.select(placed.c.id).where(placed.c.place <= p("each_max", sa.BigInteger))
    return page(sa.select(runs).where(runs.c.id.in_(first)).order_by(*order))


@plain
def any_queued(dialect: Dialect) -> ClauseElement:
    """One of them, if there is any: the cheap question before the choice."""
    free = (runs.c.state == literal(RunState.QUEUED.value), runs.c.owner == literal(""))
    return sa.select(runs.c.id).where(*free).limit(literal(1)).offset(literal(0))


@plain
def open_runs(dialect: Dialect) -> ClauseElement:
    """What takes up the limits: runs that are executed, or were and will be again; each with what limits look at."""
    columns = (
        runs.c.id,
        runs.c.job,
        runs.c.location,
        runs.c.state,
        runs.c.tags,
        runs.c.concurrency_key,
        runs.c.owner,
        runs.c.lease_until,
        runs.c.origin,
        runs.c.trigger,
        runs.c.config,
        runs.c.backfill_id,
        runs.c.started_at,
        runs.c.deadline_at,
    )
    begun = sa.or_(runs.c.state != literal(RunState.QUEUED.value), runs.c.owner != literal(""))
    return sa.select(*columns).where(is_open(), begun).order_by(runs.c.id)


@plain
def unfinished_of(dialect: Dialect) -> ClauseElement:
    """What a kind of ticker has started that has not ended."""
    query = sa.select(runs.c.id, runs.c.location, runs.c.origin)
    return query.where(is_open(), runs.c.trigger == p("of_trigger")).order_by(runs.c.id)


insert_each("put_rate_starts", rate_starts)


@plain
def starts_of_rates(dialect: Dialect) -> ClauseElement:
    """Those since then, in order."""
    query = sa.select(rate_starts.c.name, rate_starts.c.at)
    return query.where(listed(rate_starts.c.name, "names", dialect), rate_starts.c.at > p("since", sa.Double)).order_by(
        rate_starts.c.at
    )


@plain
def delete_rate_starts(dialect: Dialect) -> ClauseElement:
    return sa.delete(rate_starts).where(rate_starts.c.name == p("of_name"), rate_starts.c.at <= p("upto", sa.Double))


def _lock_queue(dialect: Dialect) -> ClauseElement:
    """One scheduler at a time chooses; SQLite has but one writer anyway."""
    return sa.select(sa.func.pg_advisory_xact_lock(literal(7089350519839)))


DEFINITIONS.append(Definition("lock_queue", _lock_queue, only="postgresql"))


def _notify(dialect: Dialect) -> ClauseElement:
    return sa.select(sa.func.pg_notify(literal("batuta"), p("topic")))


DEFINITIONS.append(Definition("notify", _notify, only="postgresql"))


@plain
def claim_queued(dialect: Dialect) -> ClauseElement:
    """Take queued runs that nobody has, and give them, in no order."""
    free = sa.and_(runs.c.state == literal(RunState.QUEUED.value), runs.c.owner == literal(""))
    update = sa.update(runs).where(listed(runs.c.id, "ids", dialect), free)
    taken = update.values(epoch=runs.c.epoch + literal(1), owner=p("new_owner"), lease_until=p("until", sa.Double))
    return taken.returning(*runs.columns)


@plain
def runs_listed(dialect: Dialect) -> ClauseElement:
    return sa.select(runs).where(listed(runs.c.id, "ids", dialect)).order_by(runs.c.id)


# ---- leaders, processes ----


def _clock(dialect: Dialect) -> ClauseElement:
    """The server's time, also within a transaction."""
    return sa.select(sa.extract("epoch", sa.func.clock_timestamp()))


DEFINITIONS.append(Definition("clock", _clock, only="postgresql"))


@plain
def take_lead(dialect: Dialect) -> ClauseElement:
    """Become the leader, where nobody is, whoever was has run out of time or is `instead_of`, or we are already (then
    the epoch stays)."""
    into = insert(leaders, dialect).values(
        name=p("name"), owner=p("owner"), until=p("until", sa.Double), epoch=literal(1)
    )
    changed = sa.case((leaders.c.owner == into.excluded.owner, leaders.c.epoch), else_=leaders.c.epoch + literal(1))
    free = sa.or_(leaders.c.owner.in_([into.excluded.owner, p("instead_of")]), leaders.c.until <= p("now", sa.Double))
    return into.on_conflict_do_update(
        index_elements=["name"],
        set_={"owner": into.excluded.owner, "until": into.excluded.until, "epoch": changed},
        where=free,
    )


@plain
def leader(dialect: Dialect) -> ClauseElement:
    return sa.select(leaders).where(leaders.c.name == p("name"))


@plain
def leader_held(dialect: Dialect) -> ClauseElement:
    """The same, held until the end of the transaction, so that nobody becomes leader before it is committed."""
    return sa.select(leaders).where(leaders.c.name == p("name")).with_for_update(read=True)


@plain
def give_up_lead(dialect: Dialect) -> ClauseElement:
    mine = (leaders.c.name == p("of_name"), leaders.c.owner == p("of_owner"))
    return sa.update(leaders).where(*mine).values(until=literal(0))


@plain
def touch_process(dialect: Dialect) -> ClauseElement:
    into = insert(processes, dialect).values({c.name: sa.bindparam(c.name) for c in processes.columns})
    new = {c: into.excluded[c] for c in ("seen_at", "info")}
    return into.on_conflict_do_update(index_elements=["id"], set_=new)


@plain
def all_processes(dialect: Dialect) -> ClauseElement:
    return sa.select(processes).where(processes.c.seen_at >= p("since", sa.Double)).order_by(processes.c.started_at)


@plain
def delete_process(dialect: Dialect) -> ClauseElement:
    return sa.delete(processes).where(processes.c.id == p("id"))


# ---- versions of definitions ----


@plain
def keep_definition_version(dialect: Dialect) -> ClauseElement:
    into = insert(definition_versions, dialect)
    return into.values({c.name: sa.bindparam(c.name) for c in definition_versions.columns}).on_conflict_do_nothing()


@plain
def definition_version(dialect: Dialect) -> ClauseElement:
    table = definition_versions
    return sa.select(table.c.data).where(table.c.location == p("location"), table.c.hash == p("hash"))
