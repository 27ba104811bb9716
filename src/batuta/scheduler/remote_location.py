"""A code location whose code is not here: remote workers bring what it defines, and run its steps.

A worker that defines the same as the one before joins it; one that was started later with something else makes a new
version, as a reload does. Surprising: while no worker is there, what was defined last goes on: its schedules tick, and
its runs wait in the queue.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from batuta.core import definitions as model
from batuta.core.errors import LoadError, RequestError
from batuta.executors.remote import RemoteExecutor
from batuta.executors.remote_files import RunFiles
from batuta.executors.remote_protocol import Hello
from batuta.runtime.project import Project
from batuta.scheduler.location import CodeLocation, Trouble, Version, problem_error

_numbers = itertools.count(1)


def run_files(project: Project) -> RunFiles:
    """The results and logs of this home."""
    return RunFiles(f"{project.home}/results", f"{project.home}/logs")


class RemoteLocation(CodeLocation):
    """See the module."""

    changed: Callable[[], None] = staticmethod(lambda: None)
    """Called in the engine's thread when a worker has come or is lost."""

    def load(self, now: float, *, warm: bool = False) -> bool:
        """What was defined last serves until a worker comes; there are no files to look at."""
        with self.lock:
            if self.current is None:
                known = self._store.definitions_at(self.name)
                if known is not None and known.data:
                    self._serve(self._version(bytes(known.data), 0.0), None, now)
                else:
                    hint = f"start one where its code is: `batuta worker --location {self.name} --connect URL`"
                    error = LoadError("no remote worker has connected yet", where=self.name, hint=hint)
                    self._fail(Trouble(error, at=now))
            return self.current is not None

    def take(self, hello: Hello, now: float) -> RemoteExecutor:
        """The executor for a worker that defines what it says.

        Raises RequestError where that makes no sense, LoadError where workers that were started later define another.
        """
        with self.lock:
            for version in (self.current, *self.retired):
                if version is not None and version.data == hello.definitions:
                    version.loaded_at = max(version.loaded_at, hello.started_at)
                    assert isinstance(version.executor, RemoteExecutor)
                    return version.executor
            if self.current is not None and hello.started_at < self.current.loaded_at:
                raise LoadError("workers that were started later define something else", where=self.name)
            try:
                loaded = self._version(hello.definitions, hello.started_at)
            except ValueError:
                raise RequestError("what the worker defines cannot be read", where=self.name) from None
            problems = loaded.definitions.problems
            self._serve(loaded, Trouble(problem_error(problems), problems, now) if problems else None, now)
            assert isinstance(loaded.executor, RemoteExecutor)
            return loaded.executor

    def _version(self, data: bytes, started_at: float) -> Version:
        executor = RemoteExecutor(run_files(self.project), told=lambda link, what: self.changed())
        return Version(
            location=self.name,
            executor_name=f"{self.name}@remote-{next(_numbers)}",
            definitions=model.decode(data),
            data=data,
            host=None,
            executor=executor,
            evaluators=executor,
            store=self._store,
            loaded_at=started_at,
        )
