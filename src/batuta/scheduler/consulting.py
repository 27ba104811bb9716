"""Asking the code of a location something, from a process that does not serve it.

Here, in a process of its own that loads the code; or, where the code is somewhere else, by leaving the question in the
store for a scheduler that can reach it (`scheduler.answering`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from batuta.core.errors import RequestError
from batuta.executors.evaluators import Evaluators
from batuta.executors.host_process import HostProcess
from batuta.runtime.project import Project
from batuta.scheduler.answering import reply_of
from batuta.store.store import Store

POLL_S = 0.05
ALIVE_S = 30.0
"""A scheduler that was not seen for so long is gone."""


class NobodyAnswers(RequestError):
    """No scheduler answers questions to the location's code"""


def is_anybody_there(store: Store, now: float) -> bool:
    """Whether some scheduler lives that may have the code."""
    return any(row.kind != "server" for row in store.processes(now - ALIVE_S))


def asked_of_schedulers(
    store: Store,
    location: str,
    what: str,
    data: dict[str, Any],
    timeout_s: float,
    *,
    by: str,
    clock: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """The answer of a scheduler that has the code. Raises EvaluationFailed where the code raised, BatutaError where it
    refused, NobodyAnswers; at once where no scheduler lives."""
    if not is_anybody_there(store, clock()):
        raise _nobody(location, "no scheduler lives")
    box = store.evaluations
    number = box.ask(location, what, data, by=by, now=clock(), timeout_s=timeout_s)
    try:
        deadline = time.monotonic() + timeout_s + 1.0
        while (answer := box.answer_to(number)) is None:
            if time.monotonic() > deadline:
                raise _nobody(location, f"no scheduler has answered for {timeout_s:g} s")
            time.sleep(POLL_S)
    finally:
        box.forget(number)
    return reply_of(answer)


def _nobody(location: str, why: str) -> NobodyAnswers:
    hint = "start one that has the code: batuta up"
    return NobodyAnswers(f"location {location!r} cannot be asked: {why}", hint=hint)


class CodeOf:
    """The code of one location, to be asked (see `runtime.evaluations`) until `close`. A context manager.

    `target`: the file or folder that is meant instead of the project's code. What is to be loaded for it is loaded with
    the first question.
    """

    def __init__(self, project: Project, location: str, store: Callable[[], Store], *, target: str = "", by: str = ""):
        self._project = project
        self._location = location
        self._store = store
        self._target = target
        self._by = by
        self._host: HostProcess | None = None
        self._evaluators: Evaluators | None = None
        config = next((each for each in project.locations if each.name == location), None)
        self._config = None if target else config

    def __enter__(self) -> CodeOf:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def ask(self, what: str, data: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer. Raises LoadError, EvaluationFailed, BatutaError."""
        if self._config is not None and self._config.remote:
            return asked_of_schedulers(self._store(), self._location, what, data, timeout_s, by=self._by)
        if self._evaluators is None:
            self._host = self._made()
            self._host.definitions()
            self._evaluators = Evaluators(self._host)
        return self._evaluators.ask(what, data, timeout_s)

    def _made(self) -> HostProcess:
        project, config = self._project, self._config
        project.make_home()
        if config is None:
            return HostProcess(self._target, project.root)
        chosen = bool(project.config.locations)
        return HostProcess(
            "",
            project.root,
            config.python,
            location=config.name if chosen else "",
            home=project.home if chosen else "",
            kind=project.kind_of(config),
        )

    def close(self) -> None:
        """End what was started for it."""
        if self._evaluators is not None:
            self._evaluators.close()
        if self._host is not None:
            self._host.close()
