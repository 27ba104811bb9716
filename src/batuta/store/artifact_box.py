"""Artifacts in the store: what task runs have left to be looked at, by run and across runs.

A row is summary and handle; the content is where results are. Surprising: the number of an artifact stays when its task
run makes it anew (progress, a second attempt), so that whoever looks at it sees the later one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from batuta.store.database import Database, Row
from batuta.store.queries import numbered
from batuta.store.rows import ArtifactRow


def artifact_values(row: ArtifactRow) -> Row:
    """As its statement takes it."""
    content = None if row.content is None else row.content.decode()
    return (
        *(row.run_id, row.task, row.name, row.kind, row.title, row.media_type, row.size, row.progress, content),
        *(row.attempt, row.job, row.location, row.at),
    )


class ArtifactBox:
    """See the module. Made by `Store.artifacts`; safe to use from many threads."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def get(self, artifact_id: int) -> ArtifactRow | None:
        """One by number."""
        rows = self._database.rows("artifact", artifact_id=artifact_id)
        return _row(rows[0]) if rows else None

    def page(
        self,
        *,
        run_id: int | None = None,
        task: int | None = None,
        job: str | None = None,
        name: str | None = None,
        kinds: Iterable[str] = (),
        locations: Iterable[str] | None = None,
        text: str = "",
        limit: int,
        **page: Any,
    ) -> list[ArtifactRow]:
        """A page of them, see `queries.numbered`. `text` is looked for in name, title and job."""
        path = "all"
        given: dict[str, Any] = {}
        if run_id is not None:
            path, given = "of_run", {"of_run": run_id}
        elif name is not None:
            path, given = "named", {"named": name}
        elif job is not None:
            path, given = "of_job", {"of_job": job}
        wanted = [*kinds]
        rows = numbered(
            self._database,
            f"artifacts_{path}",
            **given,
            task=task,
            job=job,
            name=name,
            kinds=json.dumps(wanted) if wanted else None,
            locations=None if locations is None else json.dumps([*locations]),
            text=text,
            limit=limit,
            **page,
        )
        return [_row(row) for row in rows]


def _row(row: Row) -> ArtifactRow:
    number, run, task, name, kind, title, media_type, size, progress, content, attempt, job, location, at = row
    return ArtifactRow(
        id=number,
        run_id=run,
        task=task,
        name=name,
        kind=kind,
        title=title,
        media_type=media_type,
        size=size,
        progress=progress,
        content=None if content is None else content.encode(),
        attempt=attempt,
        job=job,
        location=location,
        at=at,
    )
