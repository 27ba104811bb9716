"""The statements of questions to code that another process has."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import RowId
from batuta.store.schema_service import evaluations
from batuta.store.sql.build import Dialect, insert_each, literal, p, plain

insert_each("put_evaluations", evaluations)


@plain
def last_evaluation(dialect: Dialect) -> ClauseElement:
    """The number of the one that was just put."""
    mine = (
        evaluations.c.location == p("of_location"),
        evaluations.c.asked_by == p("by"),
        evaluations.c.at == p("at", sa.Double),
    )
    return sa.select(sa.func.max(evaluations.c.id)).where(*mine)


@plain
def evaluation_answer(dialect: Dialect) -> ClauseElement:
    return sa.select(evaluations.c.answer).where(evaluations.c.id == p("number", RowId))


@plain
def evaluations_waiting(dialect: Dialect) -> ClauseElement:
    untaken = (evaluations.c.taken_by == literal(""), evaluations.c.until > p("now", sa.Double))
    return sa.select(evaluations).where(*untaken).order_by(evaluations.c.id)


@plain
def take_evaluation(dialect: Dialect) -> ClauseElement:
    update = sa.update(evaluations).where(evaluations.c.id == p("number", RowId), evaluations.c.taken_by == literal(""))
    return update.values(taken_by=p("new_owner"))


@plain
def answer_evaluation(dialect: Dialect) -> ClauseElement:
    return sa.update(evaluations).where(evaluations.c.id == p("number", RowId)).values(answer=p("given"))


@plain
def delete_evaluation(dialect: Dialect) -> ClauseElement:
    return sa.delete(evaluations).where(evaluations.c.id == p("number", RowId))


@plain
def old_evaluations(dialect: Dialect) -> ClauseElement:
    return (
        sa.select(evaluations.c.id)
        .where(evaluations.c.until < p("cutoff", sa.Double))
        .limit(literal(1))
        .offset(literal(0))
    )


@plain
def delete_old_evaluations(dialect: Dialect) -> ClauseElement:
    return sa.delete(evaluations).where(evaluations.c.until < p("cutoff", sa.Double))
