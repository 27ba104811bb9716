"""The API's own description."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency

from batuta.server.access import PUBLIC


@get(
    "/openapi.json",
    operation_id="getOpenApi",
    summary="This description",
    sync_to_thread=True,
    opt={"role": PUBLIC},
    include_in_schema=False,
)
def openapi_document(description: NamedDependency[Any]) -> Response[bytes]:
    """The OpenAPI document of this API."""
    return Response(description.encoded, media_type="application/json")
