"""What was found in the modules of a code location, as one set of definitions.

Rule: an object is collected from the module in whose globals it stands, once, however many modules import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from batuta.authoring.asset_graph import AssetGraph
from batuta.authoring.asset_rules import RuleSet
from batuta.authoring.asset_triggers import bind as bind_triggers
from batuta.authoring.assets import Asset, Check, MultiAsset
from batuta.authoring.code import JobCode, StepCode
from batuta.authoring.dag import DAG
from batuta.authoring.flow import Flow
from batuta.authoring.flow_job import FlowJob
from batuta.authoring.quiet import collector_paused
from batuta.authoring.registry import made_by
from batuta.authoring.resources import Resources
from batuta.authoring.schedule import Schedule
from batuta.authoring.schedule_binding import Placed, Schedules
from batuta.authoring.schedule_binding import evaluate_timetable as evaluate
from batuta.authoring.sensor import SensorCode
from batuta.authoring.sensor_binding import bind_sensors
from batuta.authoring.timetable import Timetable
from batuta.core.asset_triggers import AssetTriggerSpec
from batuta.core.definitions import Definitions, Problem
from batuta.core.errors import DuplicateKeyError

_MADE_IN_LOOPS = (Asset, MultiAsset, Check, RuleSet, Schedule, SensorCode)
"""What is also found in a list, tuple or dict that stands in a module."""
_COLLECTED = (Flow, DAG, Asset, MultiAsset, Check, RuleSet, Resources, Schedule, Timetable, SensorCode)


class Found:
    """All definitions of one location."""

    def __init__(self, data_path: str = "data", settings: Mapping[str, Any] | None = None, sql_cache: str = "") -> None:
        self.jobs: dict[str, JobCode] = {}
        self.flows: dict[str, Flow[..., Any]] = {}
        self.assets = AssetGraph(data_path=data_path, settings=dict(settings or {}), sql_cache=sql_cache)
        self.schedules = Schedules()
        self.triggers: list[AssetTriggerSpec] = []
        self.sensors: dict[str, SensorCode] = {}
        self._seen: set[int] = set()

    def add(self, value: Any) -> None:
        """Take one object, if it is a definition and new. Raises DuplicateKeyError."""
        if isinstance(value, (list, tuple, dict)):
            items = list(value.values()) if isinstance(value, dict) else value
            if items and isinstance(items[0], _MADE_IN_LOOPS):
                for item in items:
                    self.add(item)
            return
        if not isinstance(value, _COLLECTED) or id(value) in self._seen:
            return
        self._seen.add(id(value))
        if isinstance(value, Flow):
            self.flows[value.name] = value
            self._add_job(FlowJob(value))
            self._add_schedules(value)
        elif isinstance(value, DAG):
            self._add_job(value)
            self._add_schedules(value)
        elif isinstance(value, Schedule):
            if not value.bound:
                self.add(value.job)
                self.schedules.add(Placed(value))
        elif isinstance(value, SensorCode):
            self._add_sensor(value)
        elif isinstance(value, Timetable):
            self.schedules.add_timetable(value)
        else:
            self.assets.add(value)

    def _add_sensor(self, sensor: SensorCode) -> None:
        spec = sensor.spec()
        known = self.sensors.setdefault(spec.name, sensor)
        if known is not sensor:
            raise DuplicateKeyError(
                f"two sensors are called {spec.name!r}: the other is at {known.place}",
                where=str(spec.place),
                hint="give one of them another name=",
            )

    def _add_job(self, job: JobCode) -> None:
        known = self.jobs.get(job.name)
        if known is not None:
            raise DuplicateKeyError(
                f"two jobs are called {job.name!r}: the other is at {known.spec().place}",
                where=str(job.spec().place),
                hint="give one of them another name=",
            )
        self.jobs[job.name] = job

    def _add_schedules(self, job: Flow[..., Any] | DAG) -> None:
        self.triggers += job.triggers
        for schedule in job.schedules:
            self.schedules.add(Placed(schedule, job.name, job.timezone, job.start))

    def asset_code(self, step: str) -> StepCode:
        """The code of an asset or check step."""
        return self.assets.code(step)

    def definitions(self, location: str, layers: tuple[str, ...], problems: tuple[Problem, ...]) -> Definitions:
        """The neutral model. Raises DefinitionError for what is wrong between definitions (cycles, layers, unknown
        dependencies)."""
        specs, steps, checks = self.assets.specs(layers)
        definitions = Definitions(
            location=location,
            jobs=tuple(job.spec() for job in self.jobs.values()),
            assets=specs,
            asset_steps=steps,
            checks=checks,
            layers=layers,
            problems=(*problems, *self.assets.problems),
        )
        definitions = bind_triggers(self.schedules.bind(definitions), self.triggers)
        return bind_sensors(definitions, self.sensors.values())


def evaluate_timetable(found: Found, name: str, after: float, timezone: str = "UTC") -> float | None:
    """The first time (seconds since 1970 UTC) after `after` that a timetable of the location gives; None: none is left.

    `timezone` is that of the `Custom` timing that names it. Raises BatutaError where there is no such timetable, or its
    function fails or answers with something else than a later time.
    """
    return evaluate(found.schedules.timetables, name, after, timezone)


def collect(found: Found, module: ModuleType) -> None:
    """Add what stands in the module's globals, in the order of its definition, and what it made without a name."""
    with collector_paused():
        for value in list(vars(module).values()):
            found.add(value)
        for made in made_by(module.__name__):
            found.add(made)
