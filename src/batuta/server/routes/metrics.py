"""`/metrics`, for Prometheus: those of the scheduler in this process too, where there is one."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency

from batuta.server.backend import Backend


@get("/metrics", sync_to_thread=True, opt={"role": "viewer"}, include_in_schema=False)
def metrics(backend: NamedDependency[Backend]) -> Response[bytes]:
    """In Prometheus's text format. Takes the role viewer, as names of jobs stand in it."""
    body, content_type = backend.metrics.render()
    return Response(body, media_type=content_type)
