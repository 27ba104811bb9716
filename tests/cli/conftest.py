"""The real command line, in a process of its own, in a project of the test's own.

Commands that are waited for are forked from one that has everything imported (`tests.warm`); those that are not are
started as a person does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from tests import warm

PIPELINES = Path(__file__).with_name("pipelines_for_tests")
WAIT_S = 100.0


@dataclass
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Cli:
    """`batuta` in a folder. `cli("run", "doubling")` waits for it; `start` does not."""

    folder: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __call__(self, *args: str, code: int | None = 0, given: str = "", **env: str) -> Said:
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin.write(given.encode())
            stdin.seek(0)
            files = stdin.fileno(), out.fileno(), err.fileno()
            ended = warm.CLI.run(args, cwd=str(self.folder), env=self._env(env), files=files, timeout_s=WAIT_S)
            said = Said(ended, *(_text(file) for file in (out, err)))
        assert code is None or said.code == code, f"{args} ended with {said.code}\n{said.text}"
        return said

    def start(self, *args: str, given: str = "", **env: str) -> subprocess.Popen[str]:
        """Start a command; `given` is what stands on its standard input."""
        stdin = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed below
        stdin.write(given)
        stdin.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "batuta.cli.main", *args],
            cwd=self.folder,
            env=self._env(env),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        stdin.close()
        self.started.append(process)
        return process

    def _env(self, env: dict[str, str]) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200", **env}

    def end(self, process: subprocess.Popen[str]) -> Said:
        """Wait for a command that was started."""
        out, err = process.communicate(timeout=WAIT_S)
        return Said(process.returncode, out, err)

    def wait_for(self, name: str) -> None:
        """Wait until a file is there."""
        wait_until((self.folder / name).exists, name)

    def touch(self, name: str) -> None:
        (self.folder / name).touch()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Look again until it holds."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"still waiting: {what}"
        os.sched_yield()


def _text(file: IO[bytes]) -> str:
    """All that was written to it, as a pipe that is read as text would give it."""
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n")


@pytest.fixture
def cli(tmp_path: Path) -> Iterator[Cli]:
    """`batuta` in a project with assets, flows and a DAG."""
    folder = tmp_path / "shop"
    shutil.copytree(PIPELINES, folder / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "batuta.toml").write_text('name = "shop"\ncode = ["pipelines"]\n[executor]\nworkers = 2\n')
    yield from _ended(Cli(folder))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Cli]:
    """`batuta` in an empty folder."""
    folder = tmp_path / "bare"
    folder.mkdir()
    yield from _ended(Cli(folder))


def _ended(cli: Cli) -> Iterator[Cli]:
    yield cli
    cli.touch("go")
    for process in cli.started:
        if process.poll() is None:
            process.kill()
            process.communicate()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
