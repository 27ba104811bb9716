"""`/artifacts`: what task runs have left to be looked at."""

from __future__ import annotations

from functools import partial
from typing import Annotated as A
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from batuta.server.access import Principal
from batuta.server.artifacts import content, headers_of, shown_content
from batuta.server.backend import Backend
from batuta.server.paging import ByNumber, Cursor, Limit, by_number
from batuta.server.problems import NotFound
from batuta.server.ranges import answer
from batuta.server.routes.base import Text, path, query, viewer
from batuta.server.routes.runs import seen
from batuta.server.shapes.artifacts import ArtifactDetail, ArtifactKind, ArtifactPage, artifact_of
from batuta.store.rows import ArtifactRow

ArtifactId = A[int, path("The artifact's number.", ge=1, le=2**63 - 1)]


class ArtifactRoutes(Controller):
    """See the module."""

    path = "/artifacts"
    tags = ("artifacts",)

    @get("/", operation_id="listArtifacts", summary="List artifacts", sync_to_thread=True, opt=viewer())
    def list_artifacts(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        run: A[int | None, query("Only of this run.", ge=1, le=2**63 - 1)] = None,
        task: A[int | None, query("Only of task runs with this number.", ge=0, le=2**31 - 1)] = None,
        job: A[str | None, query("Only of runs of this job.", max_length=500)] = None,
        name: A[str | None, query("Only those of this name: with `job`, one over time.", max_length=500)] = None,
        kinds: A[list[ArtifactKind] | None, query("Only of these kinds.", "kind")] = None,
        text: Text = "",
        sort: ByNumber = "-id",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ArtifactPage:
        """A page of artifacts. `text` is looked for in name, title and job."""
        if run is not None:
            seen(backend, who, run)
        listed = partial(
            backend.store.artifacts.page,
            run_id=run,
            task=task,
            job=job,
            name=name,
            kinds=kinds or (),
            locations=who.visible(list(backend.catalog.locations)),
            text=text,
        )
        page, following = by_number(backend.store, "artifacts", sort, cursor, limit, listed)
        return ArtifactPage(items=[artifact_of(row) for row in page], next=following)

    @get(
        "/{artifact_id:int}", operation_id="getArtifact", summary="Show an artifact", sync_to_thread=True, opt=viewer()
    )
    def get_artifact(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], artifact_id: ArtifactId
    ) -> ArtifactDetail:
        """An artifact with its text or data, where it is drawn from that."""
        row = _row(backend, who, artifact_id)
        text, data, gone = shown_content(backend, row)
        return ArtifactDetail(artifact=artifact_of(row), text=text, data=data, gone=gone)

    @get(
        "/{artifact_id:int}/file",
        operation_id="getArtifactFile",
        summary="The file of an artifact",
        sync_to_thread=True,
        opt=viewer(),
        responses={
            200: ResponseSpec(bytes, description="The file, whole.", media_type="*/*", generate_examples=False),
            206: ResponseSpec(bytes, description="The range of it.", media_type="*/*", generate_examples=False),
        },
    )
    def get_file(
        self,
        request: Request[Any, Any, Any],
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        artifact_id: ArtifactId,
        download: A[bool, query("To be saved, also where it is a picture that could be shown.")] = False,
    ) -> Response[Any]:
        """The content as it is, or a range of it. Pictures may be shown, all else is a download; nothing of it runs."""
        row = _row(backend, who, artifact_id)
        return answer(content(backend, row), row.size, request.headers, headers_of(row, download=download))


def _row(backend: Backend, who: Principal, number: int) -> ArtifactRow:
    row = backend.store.artifacts.get(number)
    if row is None:
        raise NotFound(f"there is no artifact {number}", hint="GET /api/v1/artifacts lists them")
    who.need("viewer", row.location, "look at that artifact")
    return row
