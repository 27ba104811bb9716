"""A real `batuta up` to look at: the fintech's example, some days of it built, beside drills that fail, wait and ask.

What is built is built once for all workers of a test session, and copied for each, since each starts a service of its
own. Surprising: everything that starts runs by itself is switched off, so that nothing happens but what a test does.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from batuta.client import Client
from batuta.store import Store
from tests.examples.fintech_copy import copy_fintech

ROOT = Path(__file__).parents[2]
DRILLS = Path(__file__).with_name("drills.py")
DAYS = "2025-01-01..2025-01-07"
STARTED_S = 90.0
LOCATIONS = """

[glossary.settlement]
meaning = "What a merchant is paid for a day: payments less fees and refunds."
owner = "finance@fintech.example"
names = ["gold.settlement"]

[[locations]]
name = "fintech"
root = "."
code = ["fintech/pipelines"]

[[locations]]
name = "drills"
root = "drills"
code = ["drills.py"]
workers = 2
"""


def cli(folder: Path, *arguments: str, check: bool = True, given: str = "") -> str:
    """Run the `batuta` command in a project; what it printed."""
    command = [sys.executable, "-m", "batuta.cli.main", *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(folder),
        input=given,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


def environment(folder: Path) -> dict[str, str]:
    """As a person has it who works in that project, with the code of this repository."""
    return dict(os.environ, PYTHONPATH=str(ROOT / "src"), BATUTA_HOME=str(folder / ".batuta"), NO_COLOR="1")


def built(shared: Path) -> Path:
    """The project with what has been built of it; made by the first who asks."""
    project = shared / "ui-project"
    with (shared / "ui-project.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (project / "done").exists():
            shutil.rmtree(project, ignore_errors=True)
            _build(project)
            (project / "done").touch()
    return project


def _build(project: Path) -> None:
    copy_fintech(project, with_dbt=False)
    (project / "drills").mkdir()
    shutil.copy(DRILLS, project / "drills" / "drills.py")
    cli(project, "materialize", "--all", "--partition", DAYS, "--quiet")
    switched = [
        (kind, "fintech", each["name"])
        for command, kind in (("schedules", "schedule"), ("sensors", "sensor"), ("automation", "automation"))
        for each in json.loads(cli(project, command, "list", "--json"))[command]
    ]
    with Store.open(f"sqlite:///{project / '.batuta' / 'batuta.db'}") as store:
        for kind, location, name in switched:
            store.switch(kind, location, name, False, now=time.time())
    config = project / "batuta.toml"
    config.write_text(config.read_text().replace('code = ["fintech/pipelines"]\n', "", 1) + LOCATIONS)


@dataclass
class Served:
    """A server that runs, and what it said."""

    url: str
    folder: Path
    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def client(self, token: str | None = None) -> Client:
        """The API."""
        return Client(self.url, token=token)


@contextlib.contextmanager
def served(folder: Path, command_name: str = "up", *, port: int = 0) -> Iterator[Served]:
    """`batuta up` (or `batuta server`) in a project, until it is done with."""
    command = [sys.executable, "-u", "-m", "batuta.cli.main", command_name, "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=folder, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    server = Served("", folder, process)
    there = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            server.said.append(line)
            found = re.search(r"http://[\d.]+:\d+", line)
            if found and not server.url:
                server.url = found[0]
                there.set()
        there.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        there.wait(STARTED_S)
        assert server.url, "it did not start: " + "".join(server.said)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        if process.stdout is not None:
            process.stdout.close()
