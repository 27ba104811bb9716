"""What is not a kill: a clock that is set, a database that is restarted, a disk that is full, a network that is cut."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from batuta.core.errors import BatutaError
from batuta.store.store import Store
from tests.chaos.platform_load import LOCATION, write_load
from tests.chaos.platform_processes import Platform, platform, wait_until
from tests.chaos.platform_verdict import all_runs
from tests.chaos.test_service_kills import SECONDS, report, settle
from tests.postgres import running_server

HOUR_S = 3600.0
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(0)]


def more_runs(store: Store, service: Platform, count: int, what: str) -> None:
    """Wait until so many more runs have succeeded."""
    before = succeeded(store)
    wait_until(lambda: succeeded(store) >= before + count, service, what, 120.0)


def succeeded(store: Store) -> int:
    try:
        return sum(run.state == "succeeded" for run in all_runs(store))
    except BatutaError:  # the database is away
        return -1


# ---- a clock that is set ----


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S], ids=["forward", "back"])
def test_a_clock_that_is_set_doubles_nothing_and_holds_nothing_up(
    step_s: float, sqlite_url: str, tmp_path: Path
) -> None:
    seconds = {"ticking": 300.0, "mapping": 600.0, "counting": 60.0}
    root = write_load(tmp_path / "project", seconds=seconds)
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("<d", 0.0))
    path = os.pathsep.join([str(Path(__file__).with_name("clock")), *sys.path])
    env = {"BATUTA_CHAOS_CLOCK": str(clock), "PYTHONPATH": path}
    with Store.open(sqlite_url) as store, platform(root, sqlite_url, ("up", "--no-server"), env=env) as service:
        wait_until(lambda: have_begun(store, len(seconds)), service, "it does not start")
        for offset_s in (HOUR_S, HOUR_S + step_s, 2.1 * HOUR_S):  # a start to tell from, the step, and past both
            set_clock(clock, offset_s)
            if offset_s == HOUR_S + step_s:
                assert service.kill("up", random.Random(1))
                service.keep_up()
                succeeds(store, service, launch(service, "ticking"))
            else:
                more_runs(store, service, 5, f"nothing is run with a clock that is {offset_s:+.0f} s off")
        verdict = settle(service, store, seconds)
    report(f"clock {step_s:+.0f} s", {}, service, verdict)
    assert not verdict.broken, verdict.broken


def set_clock(clock: Path, offset_s: float) -> None:
    """Written over what is there: a file that is cut short, even for a moment, kills (SIGBUS) who has it mapped."""
    with clock.open("r+b", buffering=0) as file:
        file.write(struct.pack("<d", offset_s))


def have_begun(store: Store, count: int) -> bool:
    """Whether so many schedules know since when they count."""
    return sum(bool(row.cursor) for row in store.tickers("schedule")) == count


def launch(service: Platform, job: str) -> int:
    """Queue a run from the command line."""
    done = service.command("runs", "launch", job, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    run_id: int = json.loads(done.stdout)["run"]
    return run_id


def succeeds(store: Store, service: Platform, run_id: int) -> None:
    """Wait until that run has."""

    def has() -> bool:
        row = store.run(run_id)
        return row is not None and row.state == "succeeded"

    wait_until(has, service, f"run {run_id} is held up", 60.0)


# ---- a database that is restarted ----


def test_postgresql_may_be_restarted_under_load(tmp_path: Path, kills: int) -> None:
    root = write_load(tmp_path / "project", seconds=SECONDS)
    with running_server(lock=tmp_path / "postgres.lock", durable=True) as server:
        url = server.get_uri(driver="psycopg")
        with platform(root, url, ("scheduler",), ("scheduler",)) as service, Store.open(url) as store:
            more_runs(store, service, 3, "nothing is run at first")
            for i in range(max(2, kills // 20)):
                os.kill(server.get_pid(), signal.SIGQUIT if i % 2 else signal.SIGKILL)
                wait_until(lambda: not _is_there(server), service, "it does not end")
                server.start()
                more_runs(store, service, 3, "nothing is run after the database was restarted")
            verdict = settle(service, store)
    report("postgresql restarted", {}, service, verdict)
    assert not verdict.broken, verdict.broken


def _is_there(server: object) -> bool:
    pid = server.get_pid()  # type: ignore[attr-defined]
    return pid is not None and os.path.exists(f"/proc/{pid}")


# ---- a disk that fills up ----


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, where this process may mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_holds_up_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24m") as disk:
        url = f"sqlite:///{disk / 'store.db'}"
        root = write_load(disk / "project", seconds=SECONDS)
        with platform(root, url, ("up", "--no-server"), notes=tmp_path) as service, Store.open(url) as store:
            more_runs(store, service, 3, "nothing is run at first")
            filling = disk / "filling"
            fill(filling)
            time.sleep(5.0)
            os.remove(filling)
            more_runs(store, service, 5, "nothing is run after there is room again")
            verdict = settle(service, store)
    report("disk full", {}, service, verdict)
    assert not verdict.broken, verdict.broken


def fill(path: Path) -> None:
    """Write until nothing more can be."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


# ---- a network that is cut ----


@dataclass(frozen=True)
class Cable:
    """A network between this machine and a namespace, which can be unplugged."""

    namespace: str
    link: str
    here: str

    def plug(self, state: str) -> None:
        subprocess.run(["ip", "link", "set", self.link, state], check=True)


@contextmanager
def cable() -> Iterator[Cable]:
    """A namespace with one network, where this process may make one."""
    number = os.getpid() % 10_000
    made = Cable(f"batuta-{number}", f"bat{number}", "10.231.77.1")
    there = f"{made.link}p"
    commands = (
        ["netns", "add", made.namespace],
        ["link", "add", made.link, "type", "veth", "peer", "name", there, "netns", made.namespace],
        ["addr", "add", f"{made.here}/30", "dev", made.link],
        ["link", "set", made.link, "up"],
        ["-n", made.namespace, "addr", "add", "10.231.77.2/30", "dev", there],
        ["-n", made.namespace, "link", "set", there, "up"],
        ["-n", made.namespace, "link", "set", "lo", "up"],
    )
    try:
        for command in commands:
            if (
                shutil.which("ip") is None
                or subprocess.run(["ip", *command], capture_output=True, check=False).returncode
            ):
                pytest.skip("no network namespace can be made here")
        yield made
    finally:
        if shutil.which("ip") is not None:
            subprocess.run(["ip", "link", "del", made.link], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "del", made.namespace], capture_output=True, check=False)


def test_a_cut_network_between_scheduler_and_worker(sqlite_url: str, tmp_path: Path, kills: int) -> None:
    lease_s, port = 3.0, 8432
    dice = random.Random(kills)
    far = write_load(tmp_path / "far", seconds=SECONDS)
    near = tmp_path / "near"
    near.mkdir()
    with cable() as network, Store.open(sqlite_url) as store:
        settings = f'[workers]\nlisten = "{network.here}:{port}"\nlease_s = {lease_s}\n'
        (near / "batuta.toml").write_text(
            f'name = "near"\n[[locations]]\nname = "{LOCATION}"\nremote = true\n{settings}'
        )
        env = {"BATUTA_WORKER_TOKEN": "a token of the tests"}
        connect = ("worker", "--connect", f"ws://{network.here}:{port}", "--location", LOCATION)
        with (
            platform(near, sqlite_url, ("up", "--no-server"), env=env) as service,
            platform(
                far, sqlite_url, connect, env=env, notes=near, within=("ip", "netns", "exec", network.namespace)
            ) as worker,
        ):
            more_runs(store, service, 3, "nothing is run at first")
            for _ in range(max(3, kills // 10)):
                network.plug("down")
                time.sleep(dice.choice([0.3, lease_s * 0.9, lease_s * 2]))
                network.plug("up")
                worker.keep_up()
                more_runs(store, service, 2, "nothing is run after the network was cut")
            verdict = settle(service, store)
            worker.stop()
    report("network cut", {}, service, verdict)
    assert not verdict.broken, verdict.broken
