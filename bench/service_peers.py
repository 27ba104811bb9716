"""Other orchestrators as services, measured like ours: started as their guides say, driven through their HTTP APIs.

Each runs in its own environment, with its defaults and a database in its folder (SQLite), and has one job: a task that
writes its name and the time into a file. So a body is timed by its own clock, whoever runs it.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from bench.measure import environment
from bench.memory import cpu_s, tree

READY_S = 180.0
POLL_S = 0.02
STOP_S = 15.0

NOTE = """
def write(name):
    with open(r"{trace}", "a") as file:
        file.write(f"{{name}} {{time.time()!r}}\\n")
"""


class NotReady(Exception):
    """It does not answer (yet) as it should."""


@dataclass
class Running:
    """Where it runs; `started` are its processes."""

    bin: Path
    home: Path
    port: int
    env: dict[str, str]
    log: Any
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def trace(self) -> Path:
        return self.home / "trace"

    def start(self, program: str, *words: str) -> None:
        """One of its processes, in a group of its own."""
        command = [str(self.bin / program), *words]
        process = subprocess.Popen(
            command, cwd=self.home, env=self.env, stdout=self.log, stderr=self.log, start_new_session=True
        )
        self.started.append(process)

    def ask(self, path: str, body: Any = None) -> Any:
        """Its answer as data. Raises NotReady."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.headers}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise NotReady(f"{path}: {error.code} {error.read()[:300]!r}") from None
        except (OSError, ValueError) as error:
            raise NotReady(f"{path}: {error}") from None

    def wait(self, ask: Callable[[], Any], what: str) -> Any:
        """The first answer that is not a refusal. Raises RuntimeError after long."""
        deadline = time.monotonic() + READY_S
        while True:
            try:
                return ask()
            except NotReady as error:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{what}: not after {READY_S:.0f} s: {error}") from None
                time.sleep(POLL_S)

    def begun(self) -> dict[str, float]:
        """When each body began."""
        if not self.trace.exists():
            return {}
        lines = [line for line in self.trace.read_text().splitlines(keepends=True) if line.endswith("\n")]
        return {line.split()[0]: float(line.split()[1]) for line in lines}

    def wait_for(self, name: str) -> float:
        """When the body of that name began."""

        def look() -> float:
            begun = self.begun()
            if name not in begun:
                raise NotReady("its body has not begun")
            return begun[name]

        return float(self.wait(look, name))

    def triggered(self, trigger: Callable[[str], object]) -> float:
        """Trigger its job; seconds until the body begins."""
        name = uuid.uuid4().hex
        wished = time.time()
        self.wait(lambda: trigger(name), "a trigger")
        return self.wait_for(name) - wished

    def took_s(self, trigger: Callable[[str], object], count: int) -> float:
        """Trigger so many, one after the other; seconds until the last body has begun."""
        names = [uuid.uuid4().hex for _ in range(count)]
        began = time.time()
        for name in names:
            self.wait(functools.partial(trigger, name), "a trigger")
        return max(self.wait_for(name) for name in names) - began

    def processes(self) -> list[psutil.Process]:
        return [each for process in self.started for each in tree(process.pid)]

    def cpu_s(self) -> float:
        return cpu_s(process.pid for process in self.started)

    def stop(self) -> None:
        """End all of it."""
        everything = self.processes()
        for process in self.started:
            process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(everything, STOP_S)
        for each in left:
            try:
                each.kill()
            except psutil.Error:
                continue
        for process in self.started:
            process.wait()


@dataclass(frozen=True)
class Service:
    """How one is served: `package` names its version, `kind` what it calls a job, `way` how it was started."""

    title: str
    package: str
    kind: str
    way: str
    environment: Callable[[Path, int], Mapping[str, str]]
    open: Callable[[Running], Callable[[str], object]]
    """Write the job, start it, wait until it can be triggered; what triggers it, with a name."""


# ---- Prefect ----

PREFECT = """
import time
from prefect import flow, task
{note}
note = task(write, name="note")

@flow(name="noted")
def noted(name: str):
    note(name)

if __name__ == "__main__":
    noted.serve(name="bench")
"""


def _prefect_environment(home: Path, port: int) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }


def _open_prefect(running: Running) -> Callable[[str], object]:
    (running.home / "noted.py").write_text(PREFECT.format(note=NOTE.format(trace=running.trace)))
    running.start("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(running.port))
    running.wait(lambda: running.ask("/api/health"), "its server")
    running.start("python", "noted.py")
    found = running.wait(lambda: running.ask("/api/deployments/name/noted/bench"), "its deployment")
    path = f"/api/deployments/{found['id']}/create_flow_run"
    return lambda name: running.ask(path, {"parameters": {"name": name}, "state": {"type": "SCHEDULED"}})


# ---- Dagster ----

DAGSTER = """
import time
import dagster
{note}
class Named(dagster.Config):
    name: str

@dagster.op
def note(config: Named):
    write(config.name)

@dagster.job
def noted():
    note()

defs = dagster.Definitions(jobs=[noted])
"""
LOADED = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on PythonError { message } }
}
"""


def _open_dagster(running: Running) -> Callable[[str], object]:
    (running.home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    (running.home / "noted.py").write_text(DAGSTER.format(note=NOTE.format(trace=running.trace)))
    running.start("dagster", "dev", "-f", "noted.py", "-h", "127.0.0.1", "-p", str(running.port))
    selector = {"jobName": "noted", "repositoryName": "__repository__", "repositoryLocationName": "noted.py"}

    def trigger(name: str) -> None:
        params = {"selector": selector, "runConfigData": {"ops": {"note": {"config": {"name": name}}}}}
        answer = running.ask("/graphql", {"query": LAUNCH, "variables": {"params": params}})
        if (answer.get("data") or {}).get("launchRun", {}).get("__typename") != "LaunchRunSuccess":
            raise NotReady(str(answer)[:300])

    def loaded() -> None:
        answer = running.ask("/graphql", {"query": LOADED})
        if not (answer.get("data") or {}).get("repositoriesOrError", {}).get("nodes"):
            raise NotReady(str(answer)[:300])

    running.wait(loaded, "its code location")
    return trigger


# ---- Airflow ----

AIRFLOW = """
import time
from airflow.sdk import DAG, get_current_context, task
{note}
@task
def note():
    write(get_current_context()["dag_run"].conf["name"])

with DAG("noted", schedule=None):
    note()
"""


def _airflow_environment(home: Path, port: int) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _open_airflow(running: Running) -> Callable[[str], object]:
    (running.home / "dags").mkdir()
    (running.home / "dags" / "noted.py").write_text(AIRFLOW.format(note=NOTE.format(trace=running.trace)))
    running.start("airflow", "standalone")
    token = running.wait(lambda: running.ask("/auth/token"), "its API")["access_token"]
    running.headers["Authorization"] = f"Bearer {token}"
    running.wait(lambda: running.ask("/api/v2/dags/noted"), "its DAG")
    return lambda name: running.ask("/api/v2/dags/noted/dagRuns", {"logical_date": None, "conf": {"name": name}})


SERVICES = {
    "prefect": Service(
        "Prefect", "prefect", "flow", "prefect server start, flow.serve()", _prefect_environment, _open_prefect
    ),
    "dagster": Service(
        "Dagster", "dagster", "DAG", "dagster dev", lambda home, port: {"DAGSTER_HOME": str(home)}, _open_dagster
    ),
    "airflow": Service("Airflow", "apache-airflow", "DAG", "airflow standalone", _airflow_environment, _open_airflow),
}


def version_of(service: Service, python: str) -> str:
    """The version of it in that environment. Raises CalledProcessError where it is not there."""
    code = f"import importlib.metadata; print(importlib.metadata.version({service.package!r}))"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def served(service: Service, python: str, home: Path) -> Iterator[tuple[Running, Callable[[str], object]]]:
    """It runs until the end of the block: with what triggers its job."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {name: value for name, value in environment(home).items() if not name.startswith("PYTHON")}
    bin_ = Path(python).parent
    env |= {"PATH": os.pathsep.join([str(bin_), os.environ.get("PATH", os.defpath)])}
    env |= service.environment(home, port)
    with ExitStack() as stack:
        running = Running(bin_, home, port, env, stack.enter_context((home / "log").open("wb")))
        stack.callback(running.stop)
        yield running, service.open(running)
