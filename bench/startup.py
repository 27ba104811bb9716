"""What a newcomer waits for: seconds of importing, of asking the command for help, and of a script with two tasks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.contenders import Choice
from bench.harness import NotDone
from bench.machine import ROOT
from bench.measure import Figure, describe, environment
from bench.peers.catalog import PEERS
from bench.workloads import START_WORKLOADS

TIMEOUT_S = 120.0
TWO_TASKS = ROOT / "bench" / "two_tasks"
TIMED_IMPORT = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


@dataclass(frozen=True)
class Start:
    """How one orchestrator is started. `script` is its two-task pipeline, where it can be run by itself."""

    name: str
    python: str
    module: str
    names: str
    program: str
    version_words: tuple[str, ...]
    help_words: tuple[str, ...]
    script: Path | None


def measure(choice: Choice, pythons: dict[str, str], say: Callable[[str], None]) -> list[Figure]:
    """All starts of Batuta and of the peers."""
    figures = []
    for start in _starts(pythons):
        with tempfile.TemporaryDirectory(prefix="batuta-bench-", ignore_cleanup_errors=True) as folder:
            for workload in START_WORKLOADS:
                if choice.wants(workload) and (workload.name != "first_result" or start.script):
                    figure = _figure(start, workload.name, choice.repeats_of(workload), Path(folder))
                    say(f"{start.name}: {describe(figure)}")
                    figures.append(figure)
    return figures


def _starts(pythons: dict[str, str]) -> list[Start]:
    made = [
        Start(
            "batuta",
            sys.executable,
            "batuta",
            "flow, task",
            "batuta",
            ("version",),
            ("--help",),
            TWO_TASKS / "batuta.py",
        )
    ]
    for name, python in pythons.items():
        peer = PEERS[name]
        script = TWO_TASKS / f"{name}.py"
        made.append(
            Start(
                name,
                python,
                peer.module,
                peer.names,
                peer.program,
                peer.version_words,
                peer.help_words,
                script if script.exists() else None,
            )
        )
    return made


def _figure(start: Start, workload: str, repeats: int, folder: Path) -> Figure:
    measures: dict[str, Callable[[], float]] = {
        "import": lambda: _import(start, f"import {start.module}", folder),
        "import_names": lambda: _import(start, f"from {start.module} import {start.names}", folder),
        "cli_help": lambda: _command(start, start.help_words, folder),
        "cli_version": lambda: _command(start, start.version_words, folder),
        "first_result": lambda: _first_result(start, folder),
    }
    figure = Figure(start.name, "", workload, 1)
    try:
        measures[workload]()  # files are read and compiled, databases made
        figure.seconds = [measures[workload]() for _ in range(repeats)]
    except (NotDone, OSError, subprocess.TimeoutExpired) as error:
        figure.error = str(error)
    return figure


def _import(start: Start, statement: str, folder: Path) -> float:
    command = [start.python, "-c", TIMED_IMPORT.format(statement)]
    return float(_output(command, folder).strip().splitlines()[-1])


def _command(start: Start, words: tuple[str, ...], folder: Path) -> float:
    program = Path(start.python).parent / start.program
    began = time.perf_counter()
    _output([str(program), *words], folder)
    return time.perf_counter() - began


def _output(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=_environment(folder), capture_output=True, text=True, timeout=TIMEOUT_S
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        raise NotDone(said[-1])
    return done.stdout


def _first_result(start: Start, folder: Path) -> float:
    """Until its result is printed; what it does afterwards is waited for, and not counted."""
    began = time.perf_counter()
    with subprocess.Popen(
        [start.python, str(start.script)],
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        last = "it printed nothing"
        took_s = None
        for line in process.stdout:
            last = line.strip() or last
            if line.startswith("result 2"):
                took_s = time.perf_counter() - began
    if took_s is None:
        raise NotDone(last)
    return took_s


def _environment(folder: Path) -> dict[str, str]:
    homes = ("PREFECT_HOME", "DAGSTER_HOME", "AIRFLOW_HOME")
    return environment(folder) | dict.fromkeys(homes, str(folder)) | {"PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
