"""Schedules among the other definitions of a location: their jobs, the partitions of their assets, and all by name.

A schedule that names what is not there is a problem of its own: the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from batuta.authoring.schedule import Schedule
from batuta.authoring.timetable import Timetable
from batuta.authoring.timings import Moment
from batuta.core.asset_index import AssetIndex
from batuta.core.definitions import Definitions, JobSpec, Problem
from batuta.core.errors import BatutaError, DefinitionError, DuplicateKeyError, UnknownDependencyError
from batuta.core.partitions import MultiPartitions, Partitions, TimePartitions
from batuta.core.schedule_params import time_dimension
from batuta.core.schedule_specs import ScheduleSpec, TickPartition
from batuta.core.similar import similar
from batuta.core.timetables import text_of

_FINENESS = ("hourly", "daily", "weekly", "monthly")


class Placed(NamedTuple):
    """A schedule with the job that has it, if one has."""

    schedule: Schedule
    job: str = ""
    timezone: str = ""
    start: Moment | None = None

    def spec(self) -> ScheduleSpec:
        return self.schedule.spec(job=self.job, timezone=self.timezone, start=self.start)


class Schedules:
    """All schedules and timetables of a location, by name."""

    def __init__(self) -> None:
        self.placed: dict[str, ScheduleSpec] = {}
        self.timetables: dict[str, Timetable] = {}
        self._loose: list[Schedule] = []

    def add(self, placed: Placed) -> None:
        """Take one. Raises DuplicateKeyError."""
        schedule = placed.schedule
        if not (placed.job or schedule.job_name or schedule.selection):
            self._loose.append(schedule)  # a job that is loaded later may have it
            return
        spec = placed.spec()
        known = self.placed.get(spec.name)
        if known is not None:
            raise DuplicateKeyError(
                f"two schedules are called {spec.name!r}: the other is at {known.place}",
                where=str(spec.place),
                hint="give one of them another name=",
            )
        self.placed[spec.name] = spec
        if schedule.timetable is not None:
            self.add_timetable(schedule.timetable)

    def add_timetable(self, timetable: Timetable) -> None:
        """Take one. Raises DuplicateKeyError."""
        known = self.timetables.setdefault(timetable.name, timetable)
        if known is not timetable:
            raise DuplicateKeyError(
                f"two timetables are called {timetable.name!r}: the other is at {known.place}",
                where=str(timetable.place),
                hint="give one of them another name=",
            )

    def bind(self, definitions: Definitions) -> Definitions:
        """The definitions with the schedules in them; what a schedule lacks among them becomes a problem."""
        loose = [schedule for schedule in self._loose if not schedule.bound]
        if not self.placed and not loose:
            return definitions
        jobs = {job.name: job for job in definitions.jobs}
        index: AssetIndex | None = None
        found: list[ScheduleSpec] = []
        problems = [*definitions.problems, *map(_starts_nothing, loose)]
        for spec in self.placed.values():
            try:
                selection = _selection(spec, jobs)
                if selection and index is None:
                    index = AssetIndex(definitions)
                found.append(_complete(spec, _partitions_of(index, selection) if index is not None else []))
            except BatutaError as error:
                what = f"schedule {spec.name!r}: {error.what}"
                problems.append(Problem(what, spec.place, error.hint or ""))
        return replace(
            definitions,
            schedules=tuple(found),
            jobs=tuple(_told(definitions.jobs, found)),
            problems=tuple(problems),
        )


def evaluate_timetable(timetables: Mapping[str, Timetable], name: str, after: float, timezone: str) -> float | None:
    """What the timetable says comes after `after`. Raises UnknownDependencyError, and what is wrong with its answer."""
    timetable = timetables.get(name)
    if timetable is None:
        hint = similar(name, timetables.keys()) or "is it still in the code of this location?"
        raise UnknownDependencyError(f"there is no timetable {name!r}", hint=hint)
    return timetable.next_after(after, timezone)


def _starts_nothing(schedule: Schedule) -> Problem:
    hint = 'give it job=, assets="layer:gold", or give it to a job as its schedule='
    return Problem("the schedule starts nothing", schedule.place, hint)


def _selection(spec: ScheduleSpec, jobs: Mapping[str, JobSpec]) -> str:
    """The assets that it makes. Raises UnknownDependencyError for a job that is not there."""
    if not spec.job:
        return spec.selection
    if spec.job not in jobs:
        hint = similar(spec.job, jobs.keys()) or "its job must be defined in the same location"
        raise UnknownDependencyError(f"there is no job {spec.job!r}", hint=hint)
    return jobs[spec.job].selection


def _partitions_of(index: AssetIndex, selection: str) -> list[Partitions]:
    """The partitions definitions of what is selected, whatever state it may be in."""
    if not selection:
        return []
    selected = index.select(selection, states=lambda _: index.keys)
    return [
        partitions
        for key in selected
        if (partitions := index.assets[key].partitions) is not None and not index.assets[key].external
    ]


def _complete(spec: ScheduleSpec, of_assets: Sequence[Partitions]) -> ScheduleSpec:
    """The schedule with the partitions that it makes. Raises DefinitionError where they are not clear."""
    rule = spec.partition or TickPartition()
    if rule.key or rule.definition is not None:
        return spec
    timed = [one for one in of_assets if _cadence(one) is not None]
    if not timed:
        if rule.offset or rule.fixed:
            hint = "give partitions=, or a key"
            raise DefinitionError("partition= is said, but its assets have no partitions of time", hint=hint)
        return replace(spec, partition=None)
    finest = min(timed, key=_rank)
    rule = replace(rule, definition=finest)
    if isinstance(finest, MultiPartitions):
        time_dimension(rule)
    return replace(spec, partition=rule)


def _cadence(partitions: Partitions) -> str | None:
    """How long its windows are; None where it has no dimension of time, or several."""
    if isinstance(partitions, MultiPartitions):
        found = [one for one in partitions.dimensions.values() if isinstance(one, TimePartitions)]
        return found[0].cadence if len(found) == 1 else None
    return partitions.cadence if isinstance(partitions, TimePartitions) else None


def _rank(partitions: Partitions) -> tuple[bool, int]:
    return isinstance(partitions, MultiPartitions), _FINENESS.index(_cadence(partitions) or "monthly")


def _told(jobs: Iterable[JobSpec], specs: Sequence[ScheduleSpec]) -> Iterable[JobSpec]:
    """The jobs with their schedules as text."""
    texts: dict[str, list[ScheduleSpec]] = {}
    for spec in specs:
        texts.setdefault(spec.job, []).append(spec)
    for job in jobs:
        own = texts.get(job.name)
        if not own:
            yield job
            continue
        text = " | ".join(dict.fromkeys(text_of(spec.timing) for spec in own))
        yield replace(job, schedule=text, timezone=own[0].timing.timezone)
