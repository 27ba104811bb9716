"""All code locations of a scheduler: found by name, and by what they define.

A name that two locations define belongs to the one that stands first in `batuta.toml`; at the other it is an error that
stops nothing else.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor

from batuta.core.clashes import Taken
from batuta.core.errors import RequestError, nearest
from batuta.core.joined import joined, named
from batuta.engine.active import LOCATIONS, Assigned
from batuta.engine.engine import Engine
from batuta.engine.materialize import Assets
from batuta.runtime.project import LocationConfig, Project
from batuta.scheduler.location import CodeLocation, Version
from batuta.scheduler.remote_location import RemoteLocation
from batuta.store.rows import OpenRow, RunRow
from batuta.store.store import Store

logger = logging.getLogger("batuta.scheduler")

Changed = Callable[[CodeLocation], None]


def _kind(config: LocationConfig) -> type[CodeLocation]:
    return RemoteLocation if config.remote else CodeLocation


def _concerns(setting: str, config: LocationConfig) -> bool:
    """Whether another value of a setting of the project means something to the code of a location."""
    if config.remote:
        return False
    if setting == "executor.workers":
        return config.workers is None and not config.executor
    return setting in ("code", "layers", "data", "settings", "name")


class Locations:
    """The code locations by name, in the order of the configuration."""

    def __init__(
        self, project: Project, engine: Engine, store: Store, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.observers: list[Changed] = []
        """Told, in some thread, of a location that was (re)loaded or could not be."""
        self._clock = clock
        self._engine = engine
        self._store = store
        self._project = project
        self._by_name = {config.name: self._made(config) for config in project.locations}
        self._left: list[CodeLocation] = []
        """Those that are configured no more."""
        self._graph: tuple[tuple[tuple[str, str], ...], Assets] | None = None
        self._lock = threading.Lock()

    def _made(self, config: LocationConfig) -> CodeLocation:
        return _kind(config)(config, self._project, self._engine, self._store, self._workers(config))

    def _workers(self, config: LocationConfig) -> int:
        return config.workers or self._project.config.executor.workers or os.cpu_count() or 2

    def __iter__(self) -> Iterator[CodeLocation]:
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def get(self, name: str) -> CodeLocation:
        """A location by name; "" where there is only one. Raises RequestError."""
        if not name and len(self._by_name) == 1:
            return next(iter(self))
        found = self._by_name.get(name)
        if found is None:
            hint = nearest(name, self._by_name) or f"locations are {', '.join(self._by_name)}"
            what = f"there is no code location {name!r}" if name else "it has to be said which code location"
            raise RequestError(what, where=self._project.file or self._project.root, hint=hint)
        return found

    def versions(self) -> list[Version]:
        """The versions that serve."""
        return [location.current for location in self if location.current is not None]

    def ready(self) -> list[Version]:
        """Those of them whose steps somebody can run now."""
        return [version for version in self.versions() if version.executes]

    def with_job(self, job: str, location: str = "") -> Version:
        """The version that defines a job. Raises RequestError, or why the location is not loaded."""
        if location:
            version = self.get(location).version()
            version.job(job)
            return version
        for version in self.versions():
            if job in version.jobs:
                return version
        troubled = [each.trouble for each in self if each.trouble is not None]
        known = [name for version in self.versions() for name in version.jobs]
        hint = nearest(job, known)
        if hint is None and troubled:
            hint = f"it may be in what could not be loaded: {troubled[0].error.what}"
        raise RequestError(f"there is no job {job!r}", hint=hint or f"jobs: {', '.join(sorted(known)[:20]) or 'none'}")

    def assets_for(self, location: str = "") -> Assets:
        """The assets of one location; "": of all that serve, as one graph. Raises what keeps the one from serving."""
        if location or len(self._by_name) == 1:
            return self.get(location).version().assets
        versions = self.versions()
        key = tuple((version.location, version.hash) for version in versions)
        if self._graph is None or self._graph[0] != key:
            self._graph = key, Assets(joined([named(one.definitions, one.location) for one in versions]), self._store)
        return self._graph[1]

    def assigned(self, row: RunRow | OpenRow) -> Assigned | None:
        """The executors of a run, one for each of its locations; None where somebody is missing to run its steps."""
        ready = {version.location: version.executor_name for version in self.ready()}
        names = row.config.get(LOCATIONS) or [row.location]
        if not all(name in ready for name in names):
            return None
        return {"": ready[row.location], **{name: ready[name] for name in names[1:]}}

    def with_executor(self, name: str) -> Version | None:
        """The version whose steps the engine's executor of that name runs."""
        everywhere: list[CodeLocation] = [*self, *self._left]
        for location in everywhere:
            for version in (location.current, *location.retired):
                if version is not None and version.executor_name == name:
                    return version
        return None

    # ---- loading ----

    def load_all(self) -> None:
        """Load all of them, several at a time; returns when each is loaded or has failed."""
        with ThreadPoolExecutor(max_workers=min(8, len(self._by_name) or 1), thread_name_prefix="batuta-load") as pool:
            list(pool.map(self._load, list(self)))

    def reload(self, name: str, *, warm: bool = False) -> CodeLocation:
        """Load one anew; see what came of it in its `trouble`. Raises RequestError for one that is not there.

        `warm`: see `CodeLocation.load`.
        """
        location = self.get(name)
        self._load(location, warm=warm)
        return location

    def reconfigure(self, project: Project, changed: Collection[str]) -> None:
        """Have those locations that the project has now, and load what is others' by `changed` settings."""
        self._project = project
        former = self._by_name
        found: dict[str, CodeLocation] = {}
        anew: list[CodeLocation] = []
        for config in project.locations:
            location = former.get(config.name)
            if location is None or type(location) is not _kind(config):
                location = self._made(config)
                anew.append(location)
            elif location.config != config or any(_concerns(name, config) for name in changed):
                anew.append(location)
            location.config, location.project, location.workers = config, project, self._workers(config)
            found[config.name] = location
        self._by_name = found
        for location in former.values():
            if found.get(location.name) is not location:
                self._left.append(location)
                location.leave()
                if location.name not in found:
                    logger.info("location %s is configured no more", location.name)
                self.announce(location)
        for location in anew:
            self._load(location)

    def _load(self, location: CodeLocation, *, warm: bool = False) -> None:
        location.load(self._clock(), warm=warm)
        self.announce(location)

    def announce(self, location: CodeLocation) -> None:
        """Tell all observers that it defines something else now, or has other troubles."""
        changed = self._leave_out_clashes()
        for each in dict.fromkeys([location, *changed]):
            for observer in self.observers:
                observer(each)

    def _leave_out_clashes(self) -> list[CodeLocation]:
        """Give each name to the first location that has it. Returns the locations for which that changes something."""
        with self._lock:
            taken = Taken()
            return [location for location in self if location.leave_out(taken, self._clock())]

    def tidy(self) -> bool:
        """End versions that no run needs any more; whether any is left that is still needed."""
        left = [location.tidy() for location in (*self, *self._left)]
        self._left = [location for location in self._left if location.retired]
        return any(left)

    def close(self) -> None:
        """See `CodeLocation.close`."""
        for location in (*self, *self._left):
            location.close()
