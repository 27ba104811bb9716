"""What all code locations define, read from the store and kept while it stays the same.

The locations' assets are put together into one graph: what one location makes and another reads as an external asset is
one node. Surprising: where two locations define the same asset, the first by name counts; the other is told of as a
problem of its location.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from functools import cached_property

import msgspec

from batuta.core import definitions as model
from batuta.core.asset_index import AssetIndex
from batuta.core.definitions import AssetSpec, Definitions, JobSpec, Problem
from batuta.core.errors import nearest
from batuta.core.joined import Joined, joined, named
from batuta.core.lineage import Lineage, lineage
from batuta.core.partitions import DynamicPartitions, MultiPartitions, TimePartitions, encode
from batuta.core.schedule_specs import ScheduleSpec
from batuta.core.sensor_specs import SensorSpec
from batuta.core.similar import similar
from batuta.server.problems import Conflict, NotFound
from batuta.store.store import Store

_decode_problems = msgspec.json.Decoder(tuple[Problem, ...]).decode
LOOK_S = 0.25
"""For how long what was found is good without another look."""


class LocationEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A code location as the store knows it. `error` says why its newest version does not serve."""

    name: str
    hash: str
    loaded_at: float
    error: str
    definitions: Definitions
    problems: tuple[Problem, ...] = ()
    """What is wrong in its files as they are now."""


class Catalog:
    """One state of the definitions. `version` changes with them."""

    def __init__(self, entries: Iterable[LocationEntry]) -> None:
        self.locations = {entry.name: entry for entry in entries}
        self.version = tuple((entry.name, entry.hash) for entry in self.locations.values())
        self.jobs: dict[tuple[str, str], JobSpec] = {
            (entry.name, job.name): job for entry in self.locations.values() for job in entry.definitions.jobs
        }
        self.schedules: dict[tuple[str, str], ScheduleSpec] = {
            (entry.name, each.name): each for entry in self.locations.values() for each in entry.definitions.schedules
        }
        self.sensors: dict[tuple[str, str], SensorSpec] = {
            (entry.name, each.name): each for entry in self.locations.values() for each in entry.definitions.sensors
        }
        self.location_of: dict[str, str] = {}
        """The location that makes (or else mentions) each asset."""
        self.clashes: dict[str, list[Problem]] = {}
        self.joined = self._joined()
        self.definitions = self.joined.definitions

    def _joined(self) -> Joined:
        """The definitions of all as one; `location_of` and `clashes` are filled on the way."""
        each = [named(entry.definitions, entry.name) for entry in self.locations.values()]
        both = joined(each)
        self.location_of = both.locations
        for one in each:
            for spec in one.assets:
                if not spec.external and self.location_of[spec.key] != one.location:
                    text = f"the asset {spec.key!r} is made by location {self.location_of[spec.key]!r} already"
                    problem = Problem(text, spec.place, "give one of them another key")
                    self.clashes.setdefault(one.location, []).append(problem)
        return both

    @cached_property
    def index(self) -> AssetIndex:
        """The assets of all locations."""
        return self.joined.index()

    @cached_property
    def growing_partitions(self) -> tuple[list[TimePartitions], bool]:
        """The definitions of partitions that grow with time, each once; and whether there are others that may grow."""
        found = {encode(spec.partitions): spec.partitions for spec in self.definitions.assets if spec.partitions}
        times = [one for one in found.values() if isinstance(one, TimePartitions)]
        return times, any(isinstance(one, DynamicPartitions | MultiPartitions) for one in found.values())

    @cached_property
    def downstream(self) -> dict[str, list[str]]:
        """The assets that read each asset."""
        found: dict[str, list[str]] = {}
        for spec in self.definitions.assets:
            for dep in spec.deps:
                found.setdefault(dep.asset, []).append(spec.key)
        return found

    @cached_property
    def lineage(self) -> Lineage:
        """Assets, and what of jobs touches them."""
        return lineage(self.definitions)

    @cached_property
    def job_locations(self) -> dict[str, list[str]]:
        """The locations that define a job of each name."""
        found: dict[str, list[str]] = {}
        for location, name in self.jobs:
            found.setdefault(name, []).append(location)
        return found

    def location(self, name: str) -> LocationEntry:
        """A location by name. Raises NotFound."""
        found = self.locations.get(name)
        if found is None:
            known = ", ".join(self.locations) or "none; is a scheduler running?"
            raise NotFound(f"there is no code location {name!r}", hint=nearest(name, self.locations) or known)
        return found

    def job(self, name: str, location: str = "") -> tuple[str, JobSpec]:
        """The location of a job, and the job. Raises NotFound, or Conflict where several locations have one."""
        if location:
            self.location(location)
            found = self.jobs.get((location, name))
            if found is not None:
                return location, found
        locations = self.job_locations.get(name, [])
        if location or not locations:
            hint = similar(name, self.job_locations.keys()) or "GET /api/v1/jobs lists them"
            raise NotFound(f"there is no job {name!r}{f' at location {location!r}' if location else ''}", hint=hint)
        if len(locations) > 1:
            raise Conflict(
                f"there is a job {name!r} at {len(locations)} locations: {', '.join(locations)}",
                hint="say which with ?location=",
            )
        return locations[0], self.jobs[locations[0], name]

    def told_apart(self, job: str, location: str) -> str | None:
        """The location by which runs of a job are found, where several define one of that name; else None: runs that
        were started in a script or on the command line name a file in its place."""
        return location if len(self.job_locations.get(job, ())) > 1 else None

    def asset(self, key: str) -> AssetSpec:
        """An asset by key. Raises NotFound."""
        found = self.index.assets.get(key)
        if found is None:
            hint = similar(key, self.index.assets.keys()) or "GET /api/v1/assets lists them"
            raise NotFound(f"there is no asset {key!r}", hint=hint)
        return found


class CatalogKeeper:
    """Gives the catalog of now; reads only the locations that have changed. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._catalog: Catalog | None = None
        self._heads: list[tuple[str, str, float, str, str]] = []
        self._looked_at = 0.0

    def current(self) -> Catalog:
        """The catalog as the store has it, at most `LOOK_S` old."""
        with self._lock:
            if self._catalog is None or time.monotonic() - self._looked_at > LOOK_S:
                self._look()
            assert self._catalog is not None
            return self._catalog

    def _look(self) -> None:
        heads = self._store.reports.definition_heads()
        if self._catalog is None or heads != self._heads:
            known = {} if self._catalog is None else self._catalog.locations
            self._catalog = Catalog(self._entry(head, known.get(head[0])) for head in heads)
            self._heads = heads
        self._looked_at = time.monotonic()

    def _entry(self, head: tuple[str, str, float, str, str], known: LocationEntry | None) -> LocationEntry:
        name, digest, loaded_at, error, problems = head
        if known is not None and known.hash == digest:
            definitions = known.definitions
        else:
            row = self._store.definitions_at(name)
            definitions = model.decode(row.data) if row is not None and row.data else Definitions(location=name)
        newest = _decode_problems(problems) or definitions.problems
        return LocationEntry(
            name=name, hash=digest, loaded_at=loaded_at, error=error, definitions=definitions, problems=newest
        )
