"""The processes of a running service, found and killed without asking them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.chaos.platform_load import TRACE

REPOSITORY = Path(__file__).parents[2]
START_S = 60.0


@dataclass
class Member:
    """One process of the service, started again whenever it has ended."""

    command: tuple[str, ...]
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Platform:
    """A service of one or more processes on one project and store."""

    root: Path
    store_url: str
    members: list[Member]
    env: dict[str, str] = field(default_factory=dict)
    starts: int = 0
    notes: Path | None = None
    """Where log and trace are, if not in the project."""
    within: tuple[str, ...] = ()
    """A command under which its processes run."""

    @property
    def log(self) -> Path:
        return (self.notes or self.root) / "service.log"

    @property
    def trace(self) -> Path:
        return (self.notes or self.root) / "trace"

    def keep_up(self) -> None:
        """Start what is not running."""
        for member in self.members:
            if member.process is None or member.process.poll() is not None:
                self.starts += 1
                with self.log.open("ab") as log:
                    member.process = subprocess.Popen(
                        [*self.within, sys.executable, "-m", "batuta.cli.main", "-C", str(self.root), *member.command],
                        env={**self.environment, **self.env},
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                    )

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}",
            "BATUTA_HOME": str(self.root / ".batuta"),
            "BATUTA_STORE_URL": self.store_url,
            TRACE: str(self.trace),
        }

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What somebody does from the command line meanwhile."""
        command = [sys.executable, "-m", "batuta.cli.main", "-C", str(self.root), *words]
        env = {**self.environment, **self.env}
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=START_S, check=False)

    def victims(self) -> dict[str, list[psutil.Process]]:
        """What can be killed now, by kind: members by their command, hosts, workers."""
        found: dict[str, list[psutil.Process]] = {}
        for member in self.members:
            if member.process is None or member.process.poll() is not None:
                continue
            with contextlib.suppress(psutil.NoSuchProcess):
                main = psutil.Process(member.process.pid)
                found.setdefault(member.command[0], []).append(main)
                for host in main.children():
                    found.setdefault("host", []).append(host)
                    found.setdefault("worker", []).extend(host.children())
        return found

    @property
    def kinds(self) -> list[str]:
        """What kinds of processes it is made of."""
        return sorted({member.command[0] for member in self.members} | {"host", "worker"})

    def kill(self, kind: str, dice: random.Random) -> bool:
        """Kill -9 a process of a kind; whether there was one."""
        found = self.victims().get(kind)
        if not found:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            dice.choice(found).send_signal(signal.SIGKILL)
        return True

    def stop(self) -> None:
        """Stop everything as an operator would; kill what does not stop."""
        for member in self.members:
            if member.process is not None and member.process.poll() is None:
                member.process.send_signal(signal.SIGTERM)
        for member in self.members:
            if member.process is not None:
                try:
                    member.process.wait(60)
                except subprocess.TimeoutExpired:
                    member.process.kill()
                    member.process.wait()
                    raise

    def kill_all(self) -> None:
        for member in self.members:
            if member.process is not None and member.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(member.process.pid, signal.SIGKILL)
                member.process.wait()

    def said(self) -> str:
        """The end of what its processes said."""
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""


@contextlib.contextmanager
def platform(
    root: Path,
    store_url: str,
    *commands: tuple[str, ...],
    notes: Path | None = None,
    env: dict[str, str] | None = None,
    within: tuple[str, ...] = (),
) -> Iterator[Platform]:
    """A service that is up for the time of the block."""
    made = Platform(root, store_url, [Member(command) for command in commands], env or {}, notes=notes, within=within)
    made.keep_up()
    try:
        yield made
    finally:
        made.kill_all()


def wait_until(condition: object, platform: Platform, what: str, patience_s: float = START_S) -> None:
    """Look again until it holds, keeping the service up meanwhile."""
    assert callable(condition)
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"{what}\n{platform.said()}"
        platform.keep_up()
        time.sleep(0.05)
