"""Sensors among the other definitions of a location. One that starts what is not there is a problem of its own."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from batuta.authoring.sensor import SensorCode
from batuta.core.asset_index import AssetIndex
from batuta.core.definitions import Definitions, Problem
from batuta.core.errors import BatutaError, UnknownDependencyError
from batuta.core.sensor_specs import SensorSpec
from batuta.core.similar import similar


def bind_sensors(definitions: Definitions, codes: Iterable[SensorCode]) -> Definitions:
    """The definitions with the sensors in them."""
    jobs = {job.name for job in definitions.jobs}
    found: list[SensorSpec] = []
    problems = [*definitions.problems]
    index: AssetIndex | None = None
    for code in codes:
        spec = code.spec()
        try:
            if spec.job and spec.job not in jobs:
                hint = similar(spec.job, jobs) or "its job must be defined in the same location"
                raise UnknownDependencyError(f"there is no job {spec.job!r}", hint=hint)
            if spec.selection and not spec.job:
                index = index or AssetIndex(definitions)
                index.select(spec.selection, states=lambda _: ())
            found.append(spec)
        except BatutaError as error:
            problems.append(Problem(f"sensor {spec.name!r}: {error.what}", spec.place, error.hint or ""))
    if not found and len(problems) == len(definitions.problems):
        return definitions
    return replace(definitions, sensors=tuple(found), problems=tuple(problems))
