"""The measuring side: starts a contender, follows what it writes, ends it in time, and looks at its memory meanwhile.

A case that fails or takes too long is a result with a message; the cases after it are run by a new process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench.contenders import Case, Contender
from bench.machine import ROOT
from bench.memory import pss_mb, server_of, tree
from bench.workloads import ASSETS, MEMORY

START_TIMEOUT_S = 180.0
POLL_S = 0.02
SAMPLE_S = 0.1
MESSAGE_MAX = 400

Database = Callable[[], str]
"""Makes an empty PostgreSQL database and returns its URL."""


@dataclass
class Figure:
    """What came of one case. `peak_mb`: of all processes of the contender up to then, and of its database server."""

    contender: str
    variant: str
    workload: str
    size: int
    seconds: list[float] = field(default_factory=list)
    peak_mb: float | None = None
    error: str = ""

    @property
    def median_s(self) -> float | None:
        return median(self.seconds) if self.seconds and not self.error else None


Say = Callable[[str], None]


def run(contender: Contender, new_database: Database, say: Say) -> tuple[list[Figure], dict[str, str]]:
    """All cases of a contender, and the versions it told."""
    figures: list[Figure] = []
    versions: dict[str, str] = {}
    cases = list(contender.cases)
    while cases:
        with tempfile.TemporaryDirectory(prefix="batuta-bench-", ignore_cleanup_errors=True) as folder:
            with _Process(contender, cases, Path(folder), new_database() if contender.postgres else "") as process:
                done = process.follow(say)
            versions |= process.versions
        figures += done
        if contender.samples_memory:
            fan_outs = [figure for figure in done if figure.workload == "fan_out" and figure.peak_mb]
            figures += [replace(figure, workload=MEMORY.name) for figure in fan_outs]
        cases = cases[len(done) :]
    return figures, versions


def describe(figure: Figure) -> str:
    """One line for those who wait."""
    told = f"{figure.workload} {figure.size:,}: "
    if figure.error or figure.median_s is None:
        return told + figure.error.splitlines()[0]
    memory = f", {figure.peak_mb:.0f} MB" if figure.peak_mb else ""
    return told + f"{figure.median_s:.3f} s{memory}"


class _Process:
    """A contender at work on cases; a context manager that leaves nothing of it running."""

    def __init__(self, contender: Contender, cases: list[Case], folder: Path, postgres: str) -> None:
        self.versions: dict[str, str] = {}
        self._contender = contender
        self._cases = cases
        self._out = folder / "figures"
        self._log = folder / "log"
        self._out.touch()
        self._read_up_to = 0
        self._peak_mb = 0.0
        self._next_sample = 0.0
        self._server = server_of(postgres)
        self._all: dict[int, psutil.Process] = {}
        asked = json.dumps([[case.workload, case.size, case.repeats] for case in cases])
        command = [*contender.command, "--out", str(self._out), "--home", str(folder / "home")]
        command += ["--variant", contender.variant, "--cases", asked]
        command += ["--postgres", postgres] if postgres else []
        (folder / "home").mkdir()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(folder),
                start_new_session=True,
            )

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._remember()
        self._process.kill()
        self._process.wait()
        for process in self._all.values():
            try:
                process.kill()
            except psutil.Error:
                continue

    def follow(self, say: Say) -> list[Figure]:
        """Figures of the cases it got to: all, or up to the first that broke it or took too long."""
        figures: list[Figure] = []
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            alive = self._process.poll() is None
            for line in self._lines():
                if "versions" in line:
                    self.versions |= line["versions"]
                elif "begin" in line:
                    deadline = time.monotonic() + self._cases[line["begin"]].timeout_s
                else:
                    self._add(figures, line.get("seconds", []), line.get("error", ""), say)
                    deadline = time.monotonic() + START_TIMEOUT_S
            if len(figures) == len(self._cases):
                self._end_gently()
                return figures
            if not alive:
                self._add(figures, [], f"it ended: {self._last_words()}", say)
                return figures
            if time.monotonic() > deadline:
                took_s = START_TIMEOUT_S if not self.versions else self._cases[len(figures)].timeout_s
                self._add(figures, [], f"not done after {took_s:.0f} s", say)
                return figures
            self._sample()
            time.sleep(POLL_S)

    def _add(self, figures: list[Figure], seconds: list[float], error: str, say: Say) -> None:
        """The next case has come to its end."""
        self._next_sample = 0.0
        self._sample()
        case, contender = self._cases[len(figures)], self._contender
        peak = self._peak_mb if contender.samples_memory else None
        variant = "" if case.workload == ASSETS.name else contender.variant
        figure = Figure(contender.name, variant, case.column, case.size, seconds, peak, error[:MESSAGE_MAX])
        figures.append(figure)
        say(f"{contender.title}: {describe(figure)}")

    def _lines(self) -> Iterator[dict[str, Any]]:
        with self._out.open(encoding="utf-8") as out:
            out.seek(self._read_up_to)
            text = out.read()
        complete = text[: text.rfind("\n") + 1]
        self._read_up_to += len(complete.encode())
        return iter([json.loads(line) for line in complete.splitlines()])

    def _sample(self) -> None:
        if self._contender.samples_memory and time.monotonic() >= self._next_sample:
            self._next_sample = time.monotonic() + SAMPLE_S
            server = tree(self._server) if self._server else []
            self._peak_mb = max(self._peak_mb, pss_mb([*self._remember(), *server]))

    def _remember(self) -> list[psutil.Process]:
        """What runs below it now; kept, so that what it leaves behind is found at the end."""
        found = tree(self._process.pid)
        self._all |= {process.pid: process for process in found if process.pid != self._process.pid}
        return found

    def _end_gently(self) -> None:
        """It has said all; it may close its databases."""
        self._remember()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGTERM)

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip() if lines else f"exit code {self._process.returncode}"


def environment(home: Path) -> dict[str, str]:
    """For a measured process: this repository can be imported, and everything it leaves goes below `home`."""
    foreign = ("BATUTA_", "PREFECT_", "DAGSTER_", "DBOS_", "AIRFLOW_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    paths = [str(ROOT / "src"), str(ROOT)]
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "HOME": str(home), "NO_COLOR": "1", "PYTHONSAFEPATH": "1"}


@contextmanager
def postgres_server(url: str, folder: Path) -> Iterator[Database]:
    """Databases on the server at `url`, or on one of our own with all its safety on. Started when first needed."""
    from contextlib import ExitStack

    from sqlalchemy import create_engine, make_url, text

    count = 0
    with ExitStack() as stack:

        def new_database() -> str:
            nonlocal count, url
            if not url:
                from tests.postgres import own_server

                url = stack.enter_context(own_server(lock=folder / "postgres.lock", durable=True))
            count += 1
            name = f"batuta_bench_{os.getpid()}_{count}"
            server = make_url(url).set(drivername="postgresql+psycopg")
            engine = create_engine(server, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                connection.execute(text(f'CREATE DATABASE "{name}"'))
            engine.dispose()
            stack.callback(_drop_database, server.render_as_string(hide_password=False), name)
            return server.set(database=name).render_as_string(hide_password=False)

        yield new_database


def _drop_database(url: str, name: str) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    engine.dispose()
