"""A code location at work: its versions, each with a host process and workers of its own, and what is wrong with it.

A new version is loaded beside the one that serves, and takes its place only once it stands. Surprising: a version in
which files are broken that were not before never does, since their jobs would be gone: the last good one goes on.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import msgspec

from batuta.core import definitions as model
from batuta.core.clashes import Taken, without_taken
from batuta.core.definitions import Definitions, JobSpec, Problem
from batuta.core.errors import BatutaError, LoadError, RequestError, nearest
from batuta.engine.engine import Engine
from batuta.engine.kept_version import keep_version
from batuta.engine.materialize import Assets
from batuta.executors import plugged
from batuta.executors.evaluators import Evaluators
from batuta.executors.host_process import HostProcess, LoaderEnded
from batuta.executors.port import ServingExecutor
from batuta.executors.processes import ProcessExecutor
from batuta.plugins import PluginError
from batuta.runtime.project import LocationConfig, Project
from batuta.scheduler.spare_host import SpareHost
from batuta.store.store import Store

_numbers = itertools.count(1)


class Asked(Protocol):
    """Who answers questions to the code outside of any run."""

    def ask(self, what: str, data: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """See `Evaluators.ask`."""

    def close(self) -> None:
        """Nothing more will be asked."""


@dataclass(eq=False)
class Version:
    """One loaded version. `executor_name` is the engine's; `hash` the content of what it defines."""

    location: str
    executor_name: str
    definitions: Definitions
    data: bytes
    host: HostProcess | None
    """None where its code is elsewhere, with remote workers."""
    executor: ServingExecutor
    evaluators: Asked
    store: Store
    files: tuple[str, ...] = ()
    loaded_at: float = 0.0
    took_s: float = 0.0
    written: Definitions | None = None
    """What its files say, where something of that is left out because another location has it."""

    @property
    def executes(self) -> bool:
        """Whether there is anybody to run its steps: remote workers may be away."""
        return getattr(self.executor, "is_staffed", True)

    @cached_property
    def hash(self) -> str:
        return model.content_hash(self.data)

    @cached_property
    def jobs(self) -> dict[str, JobSpec]:
        """Jobs by name."""
        return {job.name: job for job in self.definitions.jobs}

    @cached_property
    def assets(self) -> Assets:
        """Its assets with what the store knows of them."""
        return Assets(self.definitions, self.store)

    def job(self, name: str) -> JobSpec:
        """A job by name. Raises RequestError."""
        found = self.jobs.get(name)
        if found is None:
            known = ", ".join(sorted(self.jobs)[:20]) or "none"
            hint = nearest(name, self.jobs) or f"jobs: {known}"
            raise RequestError(f"there is no job {name!r}", where=f"location {self.location}", hint=hint)
        return found

    def evaluate(self, what: str, data: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Ask its code something, see `runtime.evaluations`. Raises EvaluationFailed, TimedOut, BatutaError."""
        return self.evaluators.ask(what, data, timeout_s)

    def asset_rows(self) -> list[tuple[str, bytes]]:
        """(key, JSON) of its assets, for the store."""
        return [(spec.key, msgspec.json.encode(spec)) for spec in self.definitions.assets]

    @property
    def broken_files(self) -> set[str]:
        return {problem.place.file for problem in self.definitions.problems}


@dataclass(slots=True)
class Trouble:
    """Why a location does not serve what its files say now. `problems` are those of single files."""

    error: BatutaError
    problems: tuple[Problem, ...] = ()
    at: float = 0.0
    is_clash: bool = False

    def __str__(self) -> str:
        return str(self.error)


class CodeLocation:
    """See the module. `load` is called by one thread at a time; the rest may be looked at from any."""

    def __init__(self, config: LocationConfig, project: Project, engine: Engine, store: Store, workers: int) -> None:
        self.config = config
        self.name = config.name
        self.project = project
        self.current: Version | None = None
        self.trouble: Trouble | None = None
        self.retired: list[Version] = []
        self.lock = threading.Lock()
        self.workers = workers
        self._engine = engine
        self._store = store
        self._spare = SpareHost()

    @property
    def code(self) -> Project:
        """The project as its code sees it."""
        return self.project.at_location(self.name) if self.project.config.locations else self.project

    def version(self) -> Version:
        """The version that serves. Raises what keeps it from being loaded."""
        if self.current is None:
            raise self.trouble.error if self.trouble else LoadError(f"location {self.name!r} is not loaded yet")
        return self.current

    # ---- loading ----

    def load(self, now: float, *, warm: bool = False) -> bool:
        """Load what its files say now; whether that serves from now on. What is wrong is in `trouble`.

        `warm`: in a host that was prepared before, if there is one; what is installed is to be as it was then.
        """
        with self.lock:
            try:
                loaded = self._load(now, warm)
            except BatutaError as error:
                self._fail(Trouble(error, at=now))
                return False
            except Exception as error:  # of the system: no memory, no processes
                self._fail(Trouble(LoadError(f"{type(error).__name__}: {error}", where=self.name), at=now))
                return False
            problems = loaded.definitions.problems
            trouble = Trouble(problem_error(problems), problems, now) if problems else None
            if self.current is not None and not loaded.broken_files <= self.current.broken_files:
                self._discard(loaded)
                assert trouble is not None
                self._fail(trouble)
                return False
            try:
                self._serve(loaded, trouble, now)
            except PluginError as error:  # its executor does not start
                self._discard(loaded)
                self._fail(Trouble(error, at=now))
                return False
            return True

    def _load(self, now: float, warm: bool) -> Version:
        try:
            return self._loaded_in((self._spare.take(self._host_settings()) if warm else None) or self._new_host(), now)
        except LoaderEnded:  # by somebody else's hand, perhaps: what its code does to it, it does again
            return self._loaded_in(self._new_host(), now)

    def _loaded_in(self, host: HostProcess, now: float) -> Version:
        started = time.perf_counter()
        try:
            definitions = host.definitions()
            executor = self._executor(host)
        except BaseException:
            host.close()
            raise
        return Version(
            location=self.name,
            executor_name=f"{self.name}@{next(_numbers)}",
            definitions=definitions,
            data=model.encode(definitions),
            host=host,
            executor=executor,
            evaluators=Evaluators(host),
            store=self._store,
            files=host.files,
            loaded_at=now,
            took_s=time.perf_counter() - started,
        )

    def _new_host(self, prepared: tuple[str, ...] | None = None) -> HostProcess:
        return HostProcess(**self._host_settings(), keep_fds=(self._engine.owner_fd,), prepared=prepared)

    def _host_settings(self) -> dict[str, str]:
        chosen = bool(self.project.config.locations)
        return {
            "target": "",
            "project": self.project.root,
            "python": self.config.python,
            "location": self.name if chosen else "",
            "home": self.project.home if chosen else "",
            "kind": self.project.kind_of(self.config),
        }

    def prepare(self) -> None:
        """Have a host ready for the next change of its files."""
        with self.lock:
            settings, current = self._host_settings(), self.current
            if settings["kind"] == "python" and current is not None and current.host is not None:
                ours = current.host.ours
                self._spare.keep(settings, lambda: self._new_host(ours))

    def give_up_spare(self) -> None:
        """Nobody changes its files."""
        self._spare.close()

    def _executor(self, host: HostProcess) -> ServingExecutor:
        """Of a plugin, where the configuration names one. Raises PluginError."""
        spools = os.path.join(self.project.home, "spools")
        if not self.config.executor:
            return ProcessExecutor(host, host.limited(self.workers), spools, told=self._host_told)
        where = f"{self.project.file}: executor of location {self.name}"
        options = dict(self.config.executor_options)
        return plugged.make(
            self.config.executor, host, host.limited(self.workers), spools, options, told=self._host_told, where=where
        )

    @staticmethod
    def _discard(loaded: Version) -> None:
        """It is not to serve."""
        loaded.evaluators.close()
        if loaded.host is not None:
            loaded.host.close()

    def _serve(self, loaded: Version, trouble: Trouble | None, now: float) -> None:
        self._engine.add_executor(loaded.executor_name, loaded.executor)
        former, self.current, self.trouble = self.current, loaded, trouble
        if former is not None:
            self.retired.append(former)
        self._save(loaded, now)

    def leave_out(self, taken: Taken, now: float) -> bool:
        """Leave out what the locations before this one define; whether that is something else than before."""
        with self.lock:
            version = self.current
            if version is None:
                return False
            written = version.written or version.definitions
            definitions, clashes = without_taken(written, taken)
            told = self.trouble is not None and self.trouble.is_clash
            if clashes and (told or self.trouble is None):
                if self.trouble is None or self.trouble.problems != clashes:
                    self.trouble = Trouble(problem_error(clashes), clashes, now, is_clash=True)
            elif told:
                self.trouble = None
            if definitions == version.definitions:
                return False
            data = model.encode(definitions)
            self.current = replace(version, definitions=definitions, data=data, written=written)
            self._save(self.current, now)
            return True

    def _save(self, version: Version, now: float) -> None:
        self._store.save_definitions(self.name, version.hash, version.data, version.asset_rows(), now=now)
        keep_version(self._store, self.name, version.definitions, version.data, self.project.root, now=now)
        if self.trouble is not None:
            self._fail(self.trouble, now)

    def _fail(self, trouble: Trouble, now: float | None = None) -> None:
        self.trouble = trouble
        problems = msgspec.json.encode(trouble.problems)
        self._store.fail_definitions(self.name, str(trouble), problems, now=trouble.at if now is None else now)

    def _host_told(self, error: LoadError | None) -> None:
        """In the engine's thread: the host of a version does not come back, or has."""
        if error is not None:
            self.trouble = Trouble(error, at=time.time())
        elif self.trouble is not None and not self.trouble.problems:
            self.trouble = None

    # ---- the end of versions ----

    def tidy(self) -> bool:
        """End versions that no run needs any more; whether any is left that is still needed."""
        for version in list(self.retired):
            if self._engine.remove_executor(version.executor_name) is not None:
                self.retired.remove(version)
                self._end(version)
        return bool(self.retired)

    def _end(self, version: Version) -> None:
        version.evaluators.close()
        self._engine.call(version.executor.hang_up)
        if version.host is not None:
            version.host.close()

    def leave(self) -> None:
        """It is configured no more: runs under way go on, nothing else does."""
        with self.lock:
            if self.current is not None:
                self.retired.append(self.current)
            self.current = self.trouble = None
            self._spare.close()
            self._store.delete_definitions(self.name)

    def close(self) -> None:
        """For the end of the service: the engine has stopped the executors."""
        self._spare.close()
        for version in (*self.retired, self.current):
            if version is not None:
                version.evaluators.close()
        self.retired.clear()


def problem_error(problems: tuple[Problem, ...]) -> LoadError:
    """What is wrong with files, as one error: the first, and how many more."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more: `batuta locations errors`)" if len(problems) > 1 else ""
    return LoadError(
        first.message + more, where=str(first.place) if first.place.file else None, hint=first.hint or None
    )
