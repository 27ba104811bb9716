"""`batuta up` as people run it: a process that is started, used beside other commands, stopped and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.cli import exits
from batuta.store import Store
from tests.cli.conftest import Cli
from tests.engine.projects import HEAD, until

STEPS = """
@task(retries=3)
def step(name: str) -> None:
    note(name)
    while Path(os.environ["BATUTA_TEST_TRACE"] + f".hold.{name}").exists():
        time.sleep(0.01)

with DAG("fixed", params={"name": str}) as dag:
    step(dag.params["name"])
"""


class Up:
    """A project, and `batuta up` on it."""

    def __init__(self, cli: Cli, trace: Path) -> None:
        self.cli = cli
        self.trace = trace
        self.file = cli.folder / "flows.py"
        self.file.write_text(HEAD + STEPS)
        (cli.folder / "batuta.toml").write_text('name = "shop"\ncode = ["flows.py"]\n[executor]\nworkers = 2\n')

    def start(self, *options: str) -> subprocess.Popen[str]:
        """Start it, and wait until it is up."""
        process = self.cli.start("up", "--no-server", "--json", *options)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()
        assert json.loads(line)["event"] == "started"
        return process

    def launch(self, name: str, *options: str) -> int:
        number: int = self.cli("runs", "launch", "fixed", "-p", f"name={name}", "--json", *options).json["run"]
        return number

    def state(self, run_id: int) -> str:
        with self.store() as store:
            row = store.run(run_id)
            assert row is not None
            return row.state

    def store(self) -> Store:
        return Store.open(self.url)

    @property
    def url(self) -> str:
        return os.environ.get("BATUTA_STORE_URL") or f"sqlite:///{os.environ['BATUTA_HOME']}/batuta.db"

    def hold(self, name: str) -> None:
        """Let that step wait."""
        Path(f"{self.trace}.hold.{name}").touch()

    def let_go(self, name: str) -> None:
        Path(f"{self.trace}.hold.{name}").unlink()

    def has_begun(self, name: str) -> bool:
        return name in self.trace.read_text().split()


@pytest.fixture
def up(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Up]:
    trace = tmp_path / "trace"
    trace.touch()
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(trace))
    made = Up(cli, trace)
    yield made
    for process in cli.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], how: Callable[[], None]) -> int:
    """Its exit code once `how` has made it end."""
    how()
    process.communicate(timeout=60)
    return process.returncode


def test_what_is_launched_beside_it_is_run(up: Up) -> None:
    process = up.start()
    run = up.launch("a", "--key", "monday")
    assert up.launch("b", "--key", "monday") == run
    until(lambda: up.state(run) == "succeeded")
    assert up.cli("run", "fixed", "-p", "name=here").code == 0
    assert up.cli("runs", "launch", "fixed", "-p", "name=c", "--wait", code=0).code == 0
    shown = up.cli("locations", "list", "--json").json["locations"]
    assert [(each["name"], each["jobs"], each["error"]) for each in shown] == [("shop", 1, "")]
    assert ended(process, process.terminate) == 0
    assert not up.cli("queue", "--json").json["scheduler"]


def test_runs_are_cancelled_wherever_they_are(up: Up) -> None:
    process = up.start()
    up.hold("a")
    running = up.launch("a")
    until(lambda: up.has_begun("a"))
    assert up.cli("runs", "cancel", f"{running}", "--json").json["state"] == "cancelled"
    assert ended(process, process.terminate) == 0
    queued = up.launch("b")
    assert up.cli("runs", "cancel", f"{queued}", "--json").json["state"] == "cancelled"
    assert not up.has_begun("b")


def test_sigterm_lets_a_running_task_end(up: Up) -> None:
    process = up.start()
    up.hold("a")
    run = up.launch("a")
    until(lambda: up.has_begun("a"))
    process.terminate()
    up.let_go("a")
    assert ended(process, lambda: None) == 0
    assert up.state(run) in ("succeeded", "running")
    with up.store() as store:
        assert [task.state for task in store.task_runs(run)] == ["succeeded"]


def test_what_does_not_end_in_time_is_handed_over(up: Up) -> None:
    process = up.start("--stop-after", "0.1")
    up.hold("a")
    run = up.launch("a")
    until(lambda: up.has_begun("a"))
    assert ended(process, process.terminate) == 0
    up.let_go("a")
    again = up.start()
    until(lambda: up.state(run) == "succeeded")
    assert ended(again, again.terminate) == 0


def test_killed_it_goes_on_at_the_next_start(up: Up) -> None:
    process = up.start()
    up.hold("a")
    runs = [up.launch("a"), up.launch("b")]
    until(lambda: up.has_begun("a") and up.state(runs[1]) == "succeeded")
    process.send_signal(signal.SIGKILL)
    process.wait()
    up.let_go("a")
    again = up.start()
    until(lambda: up.state(runs[0]) == "succeeded")
    assert up.trace.read_text().split().count("b") == 1
    assert ended(again, again.terminate) == 0


def test_a_second_one_is_refused_on_sqlite(up: Up) -> None:
    process = up.start()
    said = up.cli("scheduler", code=2)
    assert f"another scheduler works on it: process {process.pid}" in said.err
    assert ended(process, process.terminate) == 0


def test_code_is_loaded_anew_and_a_broken_file_stops_nothing(up: Up) -> None:
    process = up.start()

    def location() -> Any:
        return up.cli("locations", "list", "--json", code=None).json["locations"][0]

    up.file.write_text(HEAD + STEPS + "\nwith DAG('second'): step('second')\n")
    until(lambda: location()["jobs"] == 2)
    lines = (HEAD + STEPS).count("\n") + 1
    up.file.write_text(HEAD + STEPS + "\nwith DAG('second': step('second')\n")
    until(lambda: location()["error"])
    assert f"flows.py:{lines + 1}" in location()["error"]
    assert location()["jobs"] == 2
    up.file.write_text(HEAD + STEPS)
    until(lambda: not location()["error"])
    assert location()["jobs"] == 1
    assert up.cli("locations", "reload").code == 0
    process.terminate()
    out, _ = process.communicate(timeout=60)
    told = [json.loads(line) for line in out.splitlines()]
    changes = [(one["event"], bool(one["trouble"])) for one in told if one["event"].startswith("location_")]
    assert changes[:3] == [("location_loaded", False), ("location_kept", True), ("location_loaded", False)]
    assert process.returncode == 0


def test_two_schedulers_share_the_runs_and_one_may_be_killed(
    up: Up, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", postgres_url)
    one, two = up.start(), up.start()
    names = [f"{n}" for n in range(6)]
    for name in names:
        up.hold(name)
    runs = [up.launch(name) for name in names]
    with up.store() as store:

        def executed_by() -> dict[int, str]:
            return {run.id: run.owner for run in store.open_runs()}

        until(lambda: len(executed_by()) == 6)
        one.send_signal(signal.SIGKILL)
        one.wait()
        for name in names:
            up.let_go(name)
        until(lambda: not executed_by())
    assert [up.state(run) for run in runs] == ["succeeded"] * 6
    assert ended(two, two.terminate) == 0


def test_status_without_a_service(cli: Cli) -> None:
    cli("run", "doubling")
    done = cli("status", code=exits.FAILED)
    assert "no scheduler runs" in done.out


def test_status_tells_processes_and_what_waits_for_a_restart(up: Up) -> None:
    process = up.start()
    done = up.cli("status", "--json")
    (one,) = done.json["processes"]
    assert (one["kind"], one["pid"], one["alive"], one["waiting_for_restart"]) == ("up", process.pid, True, [])
    assert (done.json["queued"], done.json["broken_locations"]) == (0, {})

    settings = Path(up.cli.folder, "batuta.toml")
    settings.write_text(settings.read_text() + "[metrics]\nport = 0\n")
    until(lambda: up.cli("status", "--json").json["processes"][0]["waiting_for_restart"])
    assert f"up {process.pid} has to be started anew for: metrics.port" in up.cli("status").out

    up.file.write_text("import nothing_of_that_name\n")
    until(lambda: up.cli("status", "--json", code=None).json["broken_locations"])
    broken = up.cli("status", code=exits.FAILED)
    assert "location shop" in broken.out
    assert "nothing_of_that_name" in broken.out
