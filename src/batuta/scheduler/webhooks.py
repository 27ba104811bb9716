"""Signed requests from outside: verified, then kept until the sensor that they are for has read them.

Whoever serves HTTP calls `accept_webhook`; what it has returned for is durable, and starts its runs whatever crashes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from batuta.core.errors import RequestError
from batuta.core.sensor_specs import SensorSpec, Webhook
from batuta.core.webhooks import verify
from batuta.store.store import Store

HEADERS_KEPT = ("content-type", "user-agent", "x-batuta-event", "x-github-event", "x-request-id")


def signal_name(location: str, sensor: str) -> str:
    """The signal as which requests to a sensor are kept."""
    return f"webhook:{location}/{sensor}"


def accept_webhook(
    store: Store,
    location: str,
    sensor: SensorSpec,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
    *,
    secret: str,
) -> int:
    """Keep a request for a sensor; the id under which it is kept. Wake the duty `sensors` after it.

    `secret` is the text of the secret that the sensor's source names. Raises `core.webhooks.Refused` for a request that
    is not signed as it should be, RequestError for a sensor that takes none.
    """
    if not isinstance(sensor.source, Webhook):
        raise RequestError(f"the sensor {sensor.name!r} takes no webhooks", where=str(sensor.place))
    key = verify(secret, headers, body, now)
    kept = {name.lower(): value for name, value in headers.items() if name.lower() in HEADERS_KEPT}
    event = {"key": key, "body": _parsed(body, kept.get("content-type", "")), "headers": kept}
    return store.send_signal(signal_name(location, sensor.name), event, by="webhook", now=now)


def _parsed(body: bytes, kind: str) -> Any:
    """JSON as data where it is said to be, or looks like it; else text."""
    text = body.decode("utf-8", "replace")
    if "json" in kind or text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
