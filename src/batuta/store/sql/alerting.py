"""The statements of alerts: what is open, what is to be delivered, and the events that rules look at."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import RowId, events, runs
from batuta.store.schema_service import alert_deliveries, alerts, ticks
from batuta.store.sql.build import (
    Dialect,
    has_text,
    if_given,
    if_listed,
    insert,
    insert_each,
    listed,
    literal,
    numbered,
    p,
    page,
    plain,
    run_id,
)

UNDELIVERED = ("waiting", "unsure", "sending")
"""To be sent; sent, perhaps, in a try of which no answer came; being sent, unless whoever does so is gone."""

insert_each("put_deliveries", alert_deliveries)

_undelivered = alert_deliveries.c.state.in_([literal(state) for state in UNDELIVERED])


@plain
def open_alerts(dialect: Dialect) -> ClauseElement:
    return sa.select(alerts).where(alerts.c.resolved_at.is_(None)).order_by(alerts.c.id)


@plain
def open_alert_count(dialect: Dialect) -> ClauseElement:
    return sa.select(sa.func.count()).select_from(alerts).where(alerts.c.resolved_at.is_(None))


@plain
def settled_alerts(dialect: Dialect) -> ClauseElement:
    """Those of a list that are not open, or not there, any more: of each that is, nothing."""
    return sa.select(alerts.c.id).where(listed(alerts.c.id, "ids", dialect), alerts.c.resolved_at.is_(None))


@plain
def put_alert(dialect: Dialect) -> ClauseElement:
    columns = [c.name for c in alerts.columns if c.name != "id"]
    return insert(alerts, dialect).values({c: sa.bindparam(c) for c in columns}).returning(alerts.c.id)


@plain
def update_alert(dialect: Dialect) -> ClauseElement:
    """What is over stays over: a person may have said so meanwhile."""
    names = ("severity", "title", "body", "data", "count", "last_at", "resolved_at")
    changed: dict[str, Any] = {name: p(f"new_{name}", alerts.c[name].type) for name in names}
    changed["resolved_at"] = sa.func.coalesce(alerts.c.resolved_at, changed["resolved_at"])
    return sa.update(alerts).where(alerts.c.id == p("of_id", RowId)).values(changed)


_wants_open = sa.cast(p("is_open", sa.Boolean), sa.Boolean)

numbered(
    "alerts_listed",
    sa.select(alerts),
    alerts.c.id,
    lambda dialect: (
        if_listed(alerts.c.rule, "rules", dialect),
        if_listed(alerts.c.kind, "kinds", dialect),
        if_listed(alerts.c.severity, "severities", dialect),
        sa.or_(_wants_open.is_(None), alerts.c.resolved_at.is_(None) == _wants_open),
        has_text(alerts.c.rule, alerts.c.title, alerts.c.body),
    ),
)


@plain
def alert_by_id(dialect: Dialect) -> ClauseElement:
    return sa.select(alerts).where(alerts.c.id == p("id", RowId))


@plain
def deliveries_of(dialect: Dialect) -> ClauseElement:
    query = sa.select(alert_deliveries).where(listed(alert_deliveries.c.alert_id, "ids", dialect))
    return query.order_by(alert_deliveries.c.id)


@plain
def due_deliveries(dialect: Dialect) -> ClauseElement:
    due = alert_deliveries.c.next_at <= p("now", sa.Double)
    query = sa.select(alert_deliveries).where(_undelivered, due, alert_deliveries.c.channel == p("channel"))
    return page(query.order_by(alert_deliveries.c.id))


@plain
def next_deliveries(dialect: Dialect) -> ClauseElement:
    """When each channel has something to deliver."""
    query = sa.select(alert_deliveries.c.channel, sa.func.min(alert_deliveries.c.next_at)).where(_undelivered)
    return query.group_by(alert_deliveries.c.channel)


@plain
def delivery_counts(dialect: Dialect) -> ClauseElement:
    """Of what is not delivered."""
    counted = sa.select(alert_deliveries.c.channel, alert_deliveries.c.state, sa.func.count())
    return counted.where(_undelivered).group_by(alert_deliveries.c.channel, alert_deliveries.c.state)


@plain
def troubled_deliveries(dialect: Dialect) -> ClauseElement:
    """What was tried and is not delivered, newest first."""
    columns = (alert_deliveries.c.channel, alert_deliveries.c.error)
    tried = (_undelivered, alert_deliveries.c.error != literal(""))
    return page(sa.select(*columns).where(*tried).order_by(alert_deliveries.c.id.desc()))


@plain
def begin_delivery(dialect: Dialect) -> ClauseElement:
    """One try: only whoever saw it as it is may make it."""
    mine = (alert_deliveries.c.id == p("of_id", RowId), alert_deliveries.c.attempt == p("seen", sa.Integer))
    update = sa.update(alert_deliveries).where(*mine, _undelivered)
    return update.values(
        state=literal("sending"), attempt=alert_deliveries.c.attempt + literal(1), next_at=p("until", sa.Double)
    )


@plain
def reopen_deliveries(dialect: Dialect) -> ClauseElement:
    """Whoever was sending these leads no more."""
    update = sa.update(alert_deliveries).where(alert_deliveries.c.state == literal("sending"))
    return update.values(state=literal("unsure"), next_at=p("now", sa.Double))


@plain
def end_delivery(dialect: Dialect) -> ClauseElement:
    mine = (alert_deliveries.c.id == p("of_id", RowId), alert_deliveries.c.attempt == p("of_attempt", sa.Integer))
    update = sa.update(alert_deliveries).where(*mine, alert_deliveries.c.state == literal("sending"))
    return update.values(
        state=p("new_state"), next_at=p("again_at", sa.Double), sent_at=p("at", sa.Double), error=p("new_error")
    )


# ---- what rules, traces and metrics look at ----


@plain
def events_of_kinds(dialect: Dialect) -> ClauseElement:
    """Events of all runs after one and up to another, of some kinds only."""
    between = (events.c.id > p("after_id", RowId), events.c.id <= p("upto_id", RowId))
    columns = (events.c.run_id, events.c.seq, events.c.kind, events.c.at, events.c.task, events.c.data, events.c.id)
    query = sa.select(*columns).where(*between, listed(events.c.kind, "kinds", dialect))
    return page(query.order_by(events.c.id))


@plain
def run_ends(dialect: Dialect) -> ClauseElement:
    """How often a run has ended before (it may have been restarted), the last one first."""
    mine = (events.c.run_id == run_id(), events.c.seq < p("before_seq", sa.Integer))
    columns = (events.c.run_id, events.c.seq, events.c.kind, events.c.at, events.c.task, events.c.data, events.c.id)
    ended = events.c.kind == literal("run_finished")
    return sa.select(*columns).where(*mine, ended).order_by(events.c.seq.desc())


@plain
def ticks_after(dialect: Dialect) -> ClauseElement:
    query = sa.select(ticks).where(ticks.c.id > p("after_id", RowId), if_given(ticks.c.kind, "kind"))
    return page(query.order_by(ticks.c.id))


@plain
def last_tick_id(dialect: Dialect) -> ClauseElement:
    return sa.select(sa.func.coalesce(sa.func.max(ticks.c.id), literal(0)))


@plain
def oldest_queued(dialect: Dialect) -> ClauseElement:
    query = sa.select(runs.c.created_at).where(runs.c.state == literal("queued")).order_by(runs.c.id)
    return query.limit(literal(1)).offset(literal(0))
