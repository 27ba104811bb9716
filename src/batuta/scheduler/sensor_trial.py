"""Evaluating a sensor once, outside of a service, with nothing recorded and nothing started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from batuta.core import sensors
from batuta.core.sensor_specs import RECORDED, Evaluated, SensorSpec
from batuta.scheduler.sensor_events import Events, beginning
from batuta.store.store import Store

Ask = Callable[[str, dict[str, Any], float], dict[str, Any]]
"""(what, data, seconds) to the answer of the location's code."""


def try_sensor(store: Store, location: str, spec: SensorSpec, cursor: str | None, now: float, ask: Ask) -> Evaluated:
    """What it would ask for. `cursor` None: that of its last tick. Raises what its function does, and RequestError."""
    ticker = next((row for row in store.tickers("sensor", location) if row.name == spec.name), None)
    if cursor is None:
        cursor = ticker.cursor if ticker is not None and ticker.cursor else beginning(store, spec)
    data: dict[str, Any] = {"name": spec.name, "cursor": cursor, "now": now}
    data["last_tick"] = ticker.ticked_at if ticker is not None else None
    if isinstance(spec.source, RECORDED):
        seen = Events(store).after(location, spec, cursor)
        if not seen.events:
            return Evaluated(reason="nothing new", cursor=seen.cursor, more=seen.more)
        if not spec.has_function:
            asked = tuple(sensors.asked_for(spec, event) for event in seen.events)
            return Evaluated(asked, cursor=seen.cursor, more=seen.more)
        data["events"], data["cursor"] = seen.events, seen.cursor
    return msgspec.convert(ask("sensor", data, spec.timeout_s), Evaluated)
