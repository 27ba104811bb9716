"""All schedules, sensors and automations: what is defined, with what they remember and what their last tick did."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from batuta.core.asset_triggers import AssetTriggerSpec
from batuta.core.definitions import AssetSpec
from batuta.core.place import Place
from batuta.core.schedule_specs import ScheduleSpec
from batuta.core.sensor_specs import RECORDED, SensorSpec
from batuta.scheduler.automation_world import trigger_name
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.problems import NotFound
from batuta.server.shapes.base import at_or_none
from batuta.server.shapes.service import Tick, Ticker
from batuta.server.source_code import short_place
from batuta.server.tickers import schedule_of, tick_of
from batuta.store.rows import TickerRow

Name = tuple[str, str, str]
Defined = ScheduleSpec | SensorSpec | AssetTriggerSpec | AssetSpec
CURSOR_CHARS = 500


def all_tickers(backend: Backend, who: Principal, kinds: Collection[str] | None) -> list[Ticker]:
    """Those that whoever asks may see."""
    rows = {(row.kind, row.location, row.name): row for row in backend.store.tickers()}
    return [
        _shown(backend, name, spec, rows.get(name), None)
        for name, spec in defined(backend).items()
        if (not kinds or name[0] in kinds) and who.may("viewer", name[1])
    ]


def one_ticker(backend: Backend, kind: str, location: str, name: str) -> Ticker:
    """One of them with its last tick. Raises NotFound."""
    spec = defined(backend).get((kind, location, name))
    if spec is None:
        raise NotFound(f"there is no {kind} {name!r} at location {location!r}", hint="GET /api/v1/tickers lists them")
    rows = {(row.kind, row.location, row.name): row for row in backend.store.tickers(kind, location)}
    ticks = backend.store.ticks(limit=1, kind=kind, location=location, name=name)
    last = tick_of(ticks[0]) if ticks else None
    return _shown(backend, (kind, location, name), spec, rows.get((kind, location, name)), last)


def defined(backend: Backend) -> dict[Name, Defined]:
    """The definitions by kind, location and name."""
    catalog = backend.catalog
    found: dict[Name, Defined] = {
        ("schedule", location, name): spec for (location, name), spec in catalog.schedules.items()
    }
    found |= {("sensor", location, name): spec for (location, name), spec in catalog.sensors.items()}
    for location, entry in catalog.locations.items():
        for trigger in entry.definitions.asset_triggers:
            found["automation", location, trigger_name(trigger.job)] = trigger
        for asset in entry.definitions.assets:
            if asset.automation is not None and catalog.location_of[asset.key] == location:
                found["automation", location, asset.key] = asset
    return found


def _shown(backend: Backend, name: Name, spec: Defined, row: TickerRow | None, last: Tick | None) -> Ticker:
    match spec:
        case ScheduleSpec():
            return schedule_of(backend, name[1], spec, row, last)
        case SensorSpec():
            facts = _Facts(spec.description, spec.job, spec.selection, sensor_text(spec), spec.enabled, spec.place)
        case AssetTriggerSpec():
            facts = _Facts("", spec.job, "", "when its assets are made", spec.enabled, spec.place)
        case AssetSpec():
            words = "" if spec.automation is None else spec.automation.words
            facts = _Facts(spec.description, "", spec.key, words, True, spec.place)
    return _ticker(backend, name, facts, row, last)


class _Facts(NamedTuple):
    """What is shown of a definition."""

    description: str
    job: str
    selection: str
    timing: str
    enabled: bool
    place: Place


def _ticker(backend: Backend, name: Name, facts: _Facts, row: TickerRow | None, last: Tick | None) -> Ticker:
    enabled = facts.enabled if row is None or row.enabled is None else row.enabled
    return Ticker(
        kind=name[0],  # type: ignore[arg-type]
        name=name[2],
        location=name[1],
        description=facts.description,
        job=facts.job,
        selection=facts.selection,
        timing=facts.timing,
        timezone="UTC",
        enabled=enabled,
        defined=facts.enabled,
        switched=row is not None and row.enabled is not None,
        next_at=None if row is None or not enabled else at_or_none(row.next_at),
        ticked_at=None if row is None else at_or_none(row.ticked_at),
        failures=0 if row is None else row.failures,
        cursor="" if row is None else row.cursor[:CURSOR_CHARS],
        last=last,
        place=short_place(facts.place, backend.project.root),
    )


def sensor_text(spec: SensorSpec) -> str:
    """What a sensor looks at, and how often."""
    source = "" if spec.source is None else type(spec.source).__name__.lower()
    looked = " and ".join(filter(None, (source, "a function" if spec.has_function else "")))
    return looked if isinstance(spec.source, RECORDED) else f"{looked}, every {spec.interval_s:g} s"
