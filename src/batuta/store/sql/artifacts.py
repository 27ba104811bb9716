"""The statements of artifacts: in pages, by what an index finds them."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement, ColumnElement

from batuta.store.schema import RowId
from batuta.store.schema_service import artifacts
from batuta.store.sql.build import (
    Dialect,
    has_text,
    if_given,
    if_listed,
    insert_each,
    numbered,
    p,
    plain,
)

insert_each("put_artifacts", artifacts, replace_by=("run_id", "task", "name"))


@plain
def artifact(dialect: Dialect) -> ClauseElement:
    return sa.select(artifacts).where(artifacts.c.id == p("artifact_id", RowId))


def _pages(name: str, path: Callable[[], tuple[ColumnElement[bool], ...]]) -> None:
    numbered(
        f"artifacts_{name}",
        sa.select(artifacts),
        artifacts.c.id,
        lambda dialect: (
            *path(),
            if_given(artifacts.c.task, "task"),
            if_given(artifacts.c.job, "job"),
            if_given(artifacts.c.name, "name"),
            if_listed(artifacts.c.kind, "kinds", dialect),
            if_listed(artifacts.c.location, "locations", dialect),
            has_text(artifacts.c.name, artifacts.c.title, artifacts.c.job),
        ),
    )


_pages("all", lambda: ())
_pages("of_run", lambda: (artifacts.c.run_id == p("of_run", RowId),))
_pages("of_job", lambda: (artifacts.c.job == p("of_job"),))
_pages("named", lambda: (artifacts.c.name == p("named"),))
