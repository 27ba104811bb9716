"""Runs DAGs that a test defines, on a real engine with threads and a SQLite store of the test's own."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from batuta.authoring.dag import DAG
from batuta.core.run_graph import TaskRun
from batuta.core.values import ErrorInfo
from batuta.engine.active import ActiveRun
from batuta.engine.engine import Engine
from batuta.executors.threads import ThreadExecutor, ThreadLogs
from batuta.runtime import outputs
from batuta.runtime.load import Location, location_of_modules
from batuta.runtime.logs import read
from batuta.runtime.project import Config, Project
from batuta.store.rows import NewRun
from batuta.store.store import Store

WAIT_S = 100


class Ran:
    """A run of a DAG that has ended, or is under way."""

    def __init__(self, active: ActiveRun, runs: DagRuns, ended: threading.Event) -> None:
        self._active = active
        self._runs = runs
        self._ended = ended
        self.id = active.id

    @property
    def state(self) -> str:
        return str(self._active.run.state)

    @property
    def tasks(self) -> dict[str, TaskRun]:
        """Task runs by key: `step`, or `step[3]`."""
        return {run.key: run for run in self._active.run.graph.runs}

    @property
    def states(self) -> dict[str, str]:
        """States by key."""
        return {key: str(run.state) for key, run in self.tasks.items()}

    def output(self, key: str) -> Any:
        """The value that a task run returned."""
        found = self.tasks[key].output
        return None if found is None else outputs.load(found, self._active.info)

    def outputs(self, step: str) -> list[Any]:
        """The values of all task runs of a mapped step, in order."""
        node = self._active.run.graph.by_key[step]
        return [self.output(run.key) for run in node.runs]

    def error(self, key: str) -> ErrorInfo:
        """Why a task run failed."""
        error = self.tasks[key].error
        assert error is not None, self.states
        return error

    def log(self, key: str) -> str:
        """What the last attempt of a single task run wrote."""
        folder = Path(self._active.info.logs_path) / str(self.id)
        return "\n".join(line.text for line in read(folder / f"{key}.{self.tasks[key].attempt}.log"))

    def wait(self) -> Ran:
        """Wait for the end."""
        assert self._ended.wait(WAIT_S), self.states
        if self._runs.engine.failure is not None:
            raise self._runs.engine.failure
        self._active.run.check()
        return self

    def cancel(self) -> None:
        """Ask it to stop."""
        self._runs.engine.cancel_run(self.id, "test")

    def wait_for(self, key: str, state: str) -> None:
        """Wait until a task run is in `state`."""
        end = time.monotonic() + WAIT_S
        changed = threading.Event()
        self._runs.engine.observers.append(lambda active, runs: changed.set())
        while self.states.get(key) != state:
            assert time.monotonic() < end, self.states
            changed.wait(0.05)
            changed.clear()


class DagRuns:
    """An engine, and the DAGs it knows."""

    def __init__(self, root: Path) -> None:
        self._project = Project(root=str(root), config=Config())
        self._project.make_home()
        self.location: Location = location_of_modules([], self._project)
        self._logs = ThreadLogs(echo=False)
        executor = ThreadExecutor(self.location, self._logs, 4)
        self.location.transport_for = executor.transport_for
        self.location.live = executor.live
        self.store = Store.open(self._project.store_url)
        self.engine = Engine(self.store, {"threads": executor}, home=self._project.home)
        self.engine.launcher = self._launch
        self.engine.start()
        self.launched: dict[str, int] = {}

    def close(self) -> None:
        self.engine.stop()
        self._logs.close()
        self.store.close()

    def start(
        self, dag: DAG, params: Mapping[str, Any] | None = None, logical_at: float | None = None, **more: Any
    ) -> Ran:
        """Start a run."""
        self.location.found.jobs[dag.name] = dag
        shown = outputs.shown_params(dag.validate_params(params or {}, from_text=False))
        new = NewRun(job=dag.name, kind="dag", plan_hash="", location="", params=shown, logical_at=logical_at, **more)
        ended = threading.Event()
        active = self.engine.start_run(new, dag.plan(), executor="threads", waiter=lambda _state: ended.set())
        return Ran(active, self, ended)

    def run(self, dag: DAG, params: Mapping[str, Any] | None = None, **more: Any) -> Ran:
        """Start a run and wait for its end."""
        return self.start(dag, params, **more).wait()

    def _launch(self, job: str, params: dict[str, Any], *, key: str, **_more: Any) -> int:
        if key not in self.launched:
            found: Any = self.location.job(job)
            self.launched[key] = self.start(found, params).id
        return self.launched[key]
