"""Artifacts as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any, Literal

from batuta.server.shapes.base import Shape, at, doc
from batuta.store.rows import ArtifactRow

ArtifactKind = Literal["markdown", "table", "image", "link", "json", "file", "progress"]


class Artifact(Shape):
    """Something that a task run has left to be looked at."""

    id: A[int, doc("Its number; it stays when the task run makes it anew.", 12)]
    run: A[int, doc("The run.", 42)]
    task: A[int, doc("The number of the task run.", 3)]
    attempt: A[int, doc("The attempt that made it.", 1)]
    job: A[str, doc("The job of the run.", "nightly")]
    location: A[str, doc("The code location of the job.", "shop")]
    name: A[str, doc("Its name: unique within its task run.", "report")]
    kind: A[ArtifactKind, doc("What it is.", "markdown")]
    title: A[str, doc("What is said of it; of progress what the task run is at.", "Daily report")]
    media_type: A[str, doc("What its file is; empty of progress.", "image/png")]
    size: A[int, doc("Bytes.", 1200)]
    progress: A[float | None, doc("How far the task run is, from 0 to 1; null of what is no progress.", 0.4)]
    at: A[datetime, doc("When it was made, or made anew.")]
    file: A[str, doc("The path of its file; empty where it has none.", "/api/v1/artifacts/12/file")]


class ArtifactPage(Shape):
    """A page of artifacts."""

    items: A[list[Artifact], doc("The artifacts of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class ArtifactDetail(Shape):
    """An artifact with what is drawn from its data; pictures and files are at `file`."""

    artifact: A[Artifact, doc("The artifact.")]
    text: A[str, doc("Markdown, which is to be sanitised like any text of users; empty of other kinds.", "# Report")]
    data: A[
        Any,
        doc(
            "Of a table an object with `columns`, `rows` and, where not all are kept, `rows_total`; of a link one with "
            "`url` and `title`; of nested data one with `value`; else null."
        ),
    ]
    gone: A[str, doc("Why its content cannot be shown; empty where it can.")]


def artifact_of(row: ArtifactRow) -> Artifact:
    """An artifact's row as it is shown."""
    return Artifact(
        id=row.id,
        run=row.run_id,
        task=row.task,
        attempt=row.attempt,
        job=row.job,
        location=row.location,
        name=row.name,
        kind=row.kind,  # type: ignore[arg-type]
        title=row.title,
        media_type=row.media_type,
        size=row.size,
        progress=row.progress,
        at=at(row.at),
        file=f"/api/v1/artifacts/{row.id}/file" if row.content is not None else "",
    )
