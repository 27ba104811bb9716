"""`/webhooks`: signed requests from outside, kept for the sensors that they are for.

Who sends one has no account: the signature (HMAC-SHA256 under a secret of the store) is what lets it in. Answers say no
more than that it was not taken, so that nobody learns which sensors there are.
"""

from __future__ import annotations

from typing import Annotated as A
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency

from batuta.core.errors import BatutaError
from batuta.core.sensor_specs import Webhook
from batuta.core.webhooks import Refused as WebhookRefused
from batuta.server.access import PUBLIC
from batuta.server.backend import Backend
from batuta.server.problems import Refused
from batuta.server.routes.base import named, path
from batuta.server.shapes.base import Shape, doc


class Taken(Shape):
    """A webhook that was kept."""

    id: A[int, doc("Under which number it is kept; the same request twice has two, and starts runs once.", 12)]


@post(
    "/webhooks/{location:str}/{sensor:str}",
    operation_id="sendWebhook",
    summary="Send a signed request to a sensor",
    status_code=202,
    opt={"role": PUBLIC, "signed": True, "any_query": True},
    tags=["schedules"],
)
async def send_webhook(
    request: Request[Any, Any, Any],
    backend: NamedDependency[Backend],
    location: A[str, path("The sensor's code location.", max_length=500)],
    sensor: A[str, path("The sensor's name.", max_length=500)],
) -> Response[Taken]:
    """Any body, with `X-Batuta-Timestamp` (seconds) and `X-Batuta-Signature: sha256=HEX` of `TIMESTAMP.BODY`."""
    import asyncio

    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    number = await asyncio.to_thread(take, backend, named(location), named(sensor), headers, body)
    return Response(Taken(id=number), status_code=202)


def take(backend: Backend, location: str, name: str, headers: dict[str, str], body: bytes) -> int:
    """Keep a request for a sensor. Raises Refused (401) for what is not signed as it should be, or for nobody."""
    from batuta.scheduler.webhooks import accept_webhook

    spec = backend.catalog.sensors.get((location, name))
    source = None if spec is None else spec.source
    try:
        if spec is None or not isinstance(source, Webhook):
            raise WebhookRefused("there is no such webhook")
        secret, _ = backend.lookups.find("secret", source.secret)
        number = accept_webhook(backend.store, location, spec, headers, body, backend.clock(), secret=secret)
    except WebhookRefused as error:
        raise Refused("unauthenticated", 401, "the webhook was not taken: " + _why(error, spec is not None)) from None
    except BatutaError:
        raise Refused("unauthenticated", 401, "the webhook was not taken: its secret is not known here") from None
    backend.wake("sensors")
    return number


def _why(error: WebhookRefused, known: bool) -> str:
    return error.what if known else "the signature is wrong"
