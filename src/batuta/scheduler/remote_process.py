"""The process of `batuta worker`: a location's host and workers here, driven by schedulers elsewhere.

It has one connection, and one set of processes, for each scheduler that it was told of: schedulers know nothing of each
other's attempts. Surprising: it has no store; all that happens is recorded by whoever sent the work.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass

import msgspec

from batuta.core import definitions as model
from batuta.core.errors import BatutaError, RequestError
from batuta.engine.loop import EventLoop
from batuta.executors.evaluators import Evaluators
from batuta.executors.host_process import HostProcess
from batuta.executors.processes import ProcessExecutor
from batuta.executors.remote_client import Introduction, RemoteClient
from batuta.executors.remote_worker import RemoteWorker
from batuta.runtime.project import Project

JOIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """`urls` are schedulers (`ws://` or `wss://`); `slots` is how many steps are run at a time for each of them."""

    urls: tuple[str, ...]
    token: str
    location: str
    name: str
    slots: int
    stop_s: float = 30.0


def default_name() -> str:
    """What a worker is called where nobody says: its machine and process."""
    return f"{socket.gethostname()}-{os.getpid()}"


class WorkerProcess:
    """Runs until `stop`. Raises, from `run`, what keeps the code from being loaded, or why a scheduler refuses it."""

    def __init__(self, project: Project, settings: WorkerSettings) -> None:
        self.settings = settings
        self._project = project
        self._asked = threading.Event()
        self._at_once = threading.Event()
        self._started_at = time.time()
        self._refusals: list[RequestError] = []

    def stop(self, at_once: bool = False) -> None:
        """Let running steps end (`stop_s`), or stop `at_once`; from any thread, or a signal's handler."""
        if at_once:
            self._at_once.set()
        self._asked.set()

    def run(self) -> None:
        """Serve until stopped."""
        served = [_Served(self, self._project, url, i) for i, url in enumerate(self.settings.urls)]
        try:
            for each in served:
                each.start(self._started_at, self._refused)
            self._asked.wait()
            for each in served:
                each.leave()
            deadline = time.monotonic() + self.settings.stop_s
            for each in served:
                while not each.worker.drained.wait(0.1):
                    if self._at_once.is_set() or self._refusals or time.monotonic() >= deadline:
                        break
        finally:
            for each in served:
                each.end()
        if self._refusals:
            raise self._refusals[0]

    def _refused(self, error: RequestError) -> None:
        self._refusals.append(error)
        self._asked.set()


class _Served:
    """What is there for one scheduler: host, executor, loop, connection."""

    def __init__(self, process: WorkerProcess, project: Project, url: str, number: int) -> None:
        settings = process.settings
        home = os.path.join(project.make_home(), "worker", f"{settings.name}-{number}")
        os.makedirs(home, exist_ok=True)
        self._host = HostProcess("", project.root, kind=project.kind_of(project.locations[0]))
        try:
            definitions = self._host.definitions()
        except BatutaError:
            self._host.close()
            raise
        self._definitions = model.encode(msgspec.structs.replace(definitions, location=settings.location))
        self._evaluators = Evaluators(self._host)
        self._loop = EventLoop()
        executor = ProcessExecutor(self._host, self._host.limited(settings.slots), os.path.join(home, "spools"))
        self.worker = RemoteWorker(executor, self._loop, home, project.root, self._evaluators.ask)
        self._url = url
        self._settings = settings
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._main, name="batuta-worker", daemon=True)
        self._client: RemoteClient | None = None

    def start(self, started_at: float, refused: object) -> None:
        settings = self._settings
        who = Introduction(
            url=self._url,
            token=settings.token,
            worker=settings.name,
            location=settings.location,
            slots=settings.slots,
            started_at=started_at,
            definitions=self._definitions,
        )
        assert callable(refused)
        self._client = RemoteClient(self.worker, who, refused)
        self._thread.start()
        self._client.start()

    def _main(self) -> None:
        self.worker.run(self._over.is_set)

    def leave(self) -> None:
        self.worker.post(self.worker.leave)

    def end(self) -> None:
        """Say that nothing runs here any more, and end."""
        if self._client is not None:
            self.worker.post(self.worker.gone)
            self._client.stop()
            self._client.join(JOIN_S)
            self._over.set()
            self.worker.post(lambda: None)
            self._thread.join(JOIN_S)
        self._loop.close()
        self._evaluators.close()
        self._host.close()
