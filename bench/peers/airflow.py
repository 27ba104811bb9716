"""Airflow, measured as a served system: scheduler with LocalExecutor, DAG processor and API server, on PostgreSQL.

What is timed is what its own database says: from a run's being queued to its end. Its settings are the defaults.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.harness import NotDone, Settings, Subject, expect, serve

SERVICES = ("api-server", "scheduler", "dag-processor")
POLL_S = 0.2
READY_TIMEOUT_S = 150.0
RUN_TIMEOUT_S = 220.0


class Runs:
    """Triggers runs and reads in the database how they went."""

    def __init__(self) -> None:
        self._count = 0
        self._session: Any = importlib.import_module("airflow.utils.session").create_session
        self._models: Any = importlib.import_module("airflow.models")
        self._select: Any = importlib.import_module("sqlalchemy").select

    def wait_for_dags(self, names: list[str]) -> None:
        """Until the DAG processor has read them all. Raises NotDone."""
        known: Any = importlib.import_module("airflow.models.serialized_dag").SerializedDagModel.dag_id
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            with self._session() as session:
                found = set(session.scalars(self._select(known)))
            if found >= set(names):
                return
            if time.monotonic() > deadline:
                raise NotDone(f"DAGs not read after {READY_TIMEOUT_S:.0f} s: {sorted(set(names) - found)}")
            time.sleep(POLL_S)

    def run(self, dag: str, count: int, tasks: int) -> float:
        """Trigger `count` runs and wait for them all; seconds from the first's queueing to the last's end."""
        trigger: Any = importlib.import_module("airflow.api.common.trigger_dag").trigger_dag
        by_cli: Any = importlib.import_module("airflow.utils.types").DagRunTriggeredByType.CLI
        ids = []
        for _ in range(count):
            self._count += 1
            ids.append(f"bench_{self._count}")
            trigger(dag, run_id=ids[-1], triggered_by=by_cli)
        runs = self._ended(dag, ids)
        expect({str(run.state) for run in runs}, {"success"}, "states of runs")
        expect(self._succeeded(dag, ids), tasks, "task instances that succeeded")
        seconds = max(run.end_date for run in runs) - min(run.queued_at for run in runs)
        return float(seconds.total_seconds())

    def _ended(self, dag: str, ids: list[str]) -> list[Any]:
        model = self._models.DagRun
        deadline = time.monotonic() + RUN_TIMEOUT_S
        while time.monotonic() < deadline:
            with self._session() as session:
                runs = list(session.scalars(self._select(model).where(model.dag_id == dag, model.run_id.in_(ids))))
                if all(run.end_date for run in runs):
                    session.expunge_all()
                    return runs
            time.sleep(POLL_S)
        raise NotDone(f"not done after {RUN_TIMEOUT_S:.0f} s")

    def _succeeded(self, dag: str, ids: list[str]) -> int:
        model: Any = importlib.import_module("airflow.models.taskinstance").TaskInstance
        wanted = (model.dag_id == dag, model.run_id.in_(ids), model.state == "success")
        with self._session() as session:
            return len(list(session.scalars(self._select(model.task_id).where(*wanted))))


def configure(settings: Settings) -> None:
    """Everything through the environment, which its processes inherit."""
    home = Path(settings.home)
    dags = home / "dags"
    dags.mkdir()
    (dags / "bench_dags.py").write_text("from bench.peers.airflow_dags import *  # an airflow DAG file\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = settings.postgres.replace("postgresql+psycopg://", "postgresql+psycopg2://")
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "BATUTA_BENCH_SIZES": json.dumps(settings.sizes | {"runs": sorted({1, *settings.sizes_of("runs")})}),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }


@contextmanager
def services() -> Iterator[None]:
    """Its processes, ended at the end."""
    started = [subprocess.Popen([sys.executable, "-m", "airflow", service]) for service in SERVICES]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def open_subject(settings: Settings) -> Iterator[Subject]:
    """See `harness.Open`."""
    configure(settings)
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True)
    with services():
        runs = Runs()
        names = [f"{name}_{size}" for name, sizes in settings.sizes.items() for size in sizes]
        runs.wait_for_dags([*names, "runs_1"])
        runs.run("runs_1", 1, 1)

        def one_run(name: str) -> Callable[[int], float]:
            return lambda size: runs.run(f"{name}_{size}", 1, size + (name == "map"))

        workloads = {name: one_run(name) for name in ("fan_out", "chain", "layered", "map")}
        workloads["runs"] = lambda size: runs.run(f"runs_{size}", size, size)
        version: Any = importlib.import_module("airflow").__version__
        yield Subject(workloads, {"airflow": str(version)})


if __name__ == "__main__":
    serve(open_subject)
