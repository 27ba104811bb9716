"""Evaluating a sensor once, outside of a service, with nothing recorded and nothing started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from batuta.core import sensors
from batuta.core.errors import RequestError
from batuta.core.sensor_specs import RECORDED, Evaluated, SensorSpec
from batuta.executors.evaluators import Evaluators
from batuta.executors.host_process import HostProcess
from batuta.runtime.project import Project
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


def asking_here(project: Project, location: str) -> Ask:
    """Asks a process of its own, which loads the location's code for each question."""

    def ask(what: str, data: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        host = _host(project, location)
        try:
            host.definitions()
            evaluators = Evaluators(host)
            try:
                return evaluators.ask(what, data, timeout_s)
            finally:
                evaluators.close()
        finally:
            host.close()

    return ask


def _host(project: Project, location: str) -> HostProcess:
    """A process that has the location's code. Raises RequestError where that is elsewhere."""
    project.make_home()
    for config in project.locations:
        if config.name == location:
            if config.remote:
                hint = "evaluate it there, in its own project"
                raise RequestError(f"the code of location {location!r} is with remote workers", hint=hint)
            chosen = bool(project.config.locations)
            return HostProcess(
                "",
                project.root,
                config.python,
                location=config.name if chosen else "",
                home=project.home if chosen else "",
                kind=project.kind_of(config),
            )
    return HostProcess("", project.root)
