"""The code that a workspace runs: of one location or of several, each in a host process of its own or in this process.

Surprising: where there are several, one that cannot be loaded is a problem among their definitions; alone it is raised.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from batuta.authoring.resources import close_all
from batuta.core import definitions
from batuta.core.definitions import Definitions
from batuta.core.errors import BatutaError
from batuta.core.place import place_of
from batuta.engine.owners import Owner
from batuta.executors.host_process import HostProcess
from batuta.executors.inline import InlineExecutor
from batuta.executors.port import Executor
from batuta.executors.processes import ProcessExecutor
from batuta.executors.threads import ThreadExecutor, ThreadLogs
from batuta.runtime.load import load_location
from batuta.runtime.masking import longest_secret, masked_json
from batuta.runtime.project import LocationConfig, Project

ExecutorKind = Literal["processes", "threads", "inline"]
THREADS = 8


class Code(Protocol):
    """The code of one location."""

    def definitions(self) -> Definitions:
        """What it defines. Raises LoadError, DefinitionError."""

    def validated(self, job: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a run, completed, as JSON data. Raises ParameterError."""

    def make_executor(self, workers: int | None) -> Executor:
        """What runs its steps; once."""

    def close(self) -> None:
        """End what the executor, which the engine stops, does not."""


class HostedCode:
    """In a host process of its own Python; begun at once. `location` None: what is in `target`."""

    def __init__(self, project: Project, target: str, location: LocationConfig | None, owner: Owner) -> None:
        self._project = project
        self._workers = location.workers if location is not None else None
        self._has_executor = False
        meant = location or (project.locations[0] if not target and len(project.locations) == 1 else None)
        self.host = HostProcess(
            target,
            project.root,
            location.python if location is not None else "",
            keep_fds=(owner.fd,),
            location=location.name if location is not None else "",
            home=project.home if location is not None else "",
            kind=project.kind_of(meant) if meant is not None else "python",
        )

    def definitions(self) -> Definitions:
        """See `Code`."""
        return self.host.definitions()

    def validated(self, job: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """See `Code`."""
        return self.host.validate(job, dict(params))

    def make_executor(self, workers: int | None) -> Executor:
        """See `Code`."""
        self._has_executor = True
        count = workers or self._workers or self._project.config.executor.workers or os.cpu_count() or 2
        return ProcessExecutor(self.host, self.host.limited(count), os.path.join(self._project.home, "spools"))

    def close(self) -> None:
        """See `Code`."""
        if not self._has_executor:
            self.host.close()


class CodeHere:
    """In this process: on threads, or `inline` in the thread that waits for the run."""

    def __init__(self, project: Project, target: str, kind: ExecutorKind, echo: bool, location: str = "") -> None:
        self._kind = kind
        self._echo = echo
        self._threads = project.config.executor.workers or THREADS
        self._location = load_location(target, project.root, location)
        self._logs: ThreadLogs | None = None
        self.inline: InlineExecutor | None = None

    def definitions(self) -> Definitions:
        """See `Code`."""
        return _masked(self._location.definitions())

    def validated(self, job: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """See `Code`."""
        from batuta.runtime.outputs import refuse_secrets, shown_params

        shown = shown_params(self._location.job(job).validate_params(params, from_text=True))
        refuse_secrets(shown, f"job {job!r}")
        return shown

    def make_executor(self, workers: int | None) -> Executor:
        """See `Code`."""
        logs = self._logs = ThreadLogs(self._echo)
        if self._kind == "inline":
            made: ThreadExecutor = InlineExecutor(self._location, logs, 0)
            assert isinstance(made, InlineExecutor)
            self.inline = made
        else:
            made = ThreadExecutor(self._location, logs, workers or self._threads)
        self._location.transport_for = made.transport_for
        self._location.live = made.live
        return made

    def close(self) -> None:
        """See `Code`."""
        if self._logs is not None:
            self._logs.close()
            close_all()


def problem_of(error: BatutaError, location: str) -> definitions.Problem:
    """Why a location is not there, beside others that are."""
    detail = "\n".join(getattr(error, "__notes__", []))
    place = place_of(error.where or "")
    return definitions.Problem(f"location {location!r}: {error.what}", place, error.hint or "", detail)


def _masked(found: Definitions) -> Definitions:
    """As they can be shown and recorded: code may have looked up secrets while it was loaded."""
    if not longest_secret():
        return found
    data = definitions.encode(found)
    shown = masked_json(data)
    return found if shown is data else definitions.decode(shown)
