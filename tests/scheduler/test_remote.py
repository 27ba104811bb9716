"""Remote workers: they run what they are told, survive a cut network, and what they cannot finish is done again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.core.errors import LoadError, RequestError
from batuta.executors.evaluators import EvaluationFailed
from batuta.executors.remote_client import check_address
from batuta.runtime.logs import read
from batuta.runtime.project import find_project
from batuta.scheduler.consulting import CodeOf, NobodyAnswers
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.remote_process import WorkerProcess, WorkerSettings
from batuta.scheduler.sensor_trial import try_sensor
from batuta.scheduler.service import Service
from batuta.store.rows import TickRow
from batuta.store.store import Store
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended
from tests.scheduler.relay import Relay

TOKEN = "a token of the tests"
LEASE_S = 4.0

FAR = """
@task
def large(n: int) -> list[int]:
    print(f"made {n}")
    return list(range(n))

@task
def total(numbers: list[int]) -> int:
    print("adding")
    return sum(numbers)

@flow
def adding(counts: list[int] = [10, 100_000]) -> int:
    made = large.map(counts)
    return total(list(range(5))) + sum(total.map(made).result())

@task(retries=1)
def fails() -> None:
    raise ValueError("not here")

with DAG("failing"):
    fails()

@task
def waits(name: str) -> str:
    folder = Path(os.environ["BATUTA_TEST_TRACE"]).parent
    note(f"begun {name} {os.getpid()}")
    while not (folder / "go").exists():
        time.sleep(0.01)
    note(f"done {name}")
    return name

with DAG("waiting"):
    waits("one") >> waits.with_options(name="then")("two")

with DAG("isolated"):
    waits.with_options(isolated=True)("alone")
"""


@pytest.fixture
def far(tmp_path: Path, trace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the code, whose home is its own."""
    monkeypatch.setenv("BATUTA_WORKER_TOKEN", TOKEN)
    return write_project(tmp_path / "far", FAR)


@pytest.fixture
def near(tmp_path: Path, far: Path) -> Path:
    """A project without code: its location is remote."""
    folder = tmp_path / "near"
    folder.mkdir()
    settings = f'[workers]\nlisten = "127.0.0.1:0"\nlease_s = {LEASE_S}\n'
    (folder / "batuta.toml").write_text(f'[[locations]]\nname = "far"\nremote = true\n{settings}')
    return folder


@pytest.fixture
def service(near: Path, open_service: Open) -> Service:
    return open_service(near)


def url_of(service: Service) -> str:
    assert service.gateway is not None
    host, port = service.gateway.address
    return f"ws://{host}:{port}"


class Here:
    """A worker in threads of the test's process; its host and workers are processes all the same."""

    def __init__(self, far: Path, *urls: str, token: str = TOKEN, stop_s: float = 0.0) -> None:
        settings = WorkerSettings(urls=urls, token=token, location="far", name="here", slots=2, stop_s=stop_s)
        self.process = WorkerProcess(find_project(str(far)), settings)
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._main)
        self._thread.start()

    def _main(self) -> None:
        try:
            self.process.run()
        except BaseException as error:
            self.error = error

    def stop(self) -> None:
        self.process.stop()
        self.join()

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture
def worker(service: Service, far: Path) -> Iterator[Here]:
    started = Here(far, url_of(service))
    yield started
    started.stop()


def begun(trace: Path, count: int) -> list[str]:
    """The first lines of steps that have begun, once there are so many."""
    until(lambda: trace.read_text().count("begun") >= count, f"fewer than {count} have begun")
    return [line for line in trace.read_text().splitlines() if line.startswith("begun")]


def log_of(service: Service, run_id: int) -> str:
    folder = Path(service.project.home) / "logs" / str(run_id)
    return "\n".join(line.text for path in sorted(folder.glob("*.log")) for line in read(str(path)))


def launched(service: Service, job: str) -> int:
    until(lambda: bool(service.locations.ready()), "no worker has come")
    return service.launch(RunSpec(job=job))[0]


def test_a_flow_with_large_values_runs_there(service: Service, worker: Here) -> None:
    run_id = launched(service, "adding")
    row = ended(service, run_id)
    assert row.state == "succeeded", row.error
    assert "made 100000" in log_of(service, run_id)
    assert log_of(service, run_id).count("adding") == 3
    assert (Path(service.project.home) / "results" / str(run_id)).is_dir()


def test_a_failure_is_told_as_it_is_here(service: Service, worker: Here) -> None:
    run_id = launched(service, "failing")
    assert ended(service, run_id).state == "failed"
    (task,) = service.store.task_runs(run_id)
    assert task.attempt == 2
    assert task.error is not None
    assert b"not here" in task.error


def test_parameters_are_validated_there(service: Service, worker: Here) -> None:
    until(lambda: bool(service.locations.ready()), "no worker has come")
    with pytest.raises(RequestError, match="countz"):
        service.launch(RunSpec(job="adding", params={"countz": 1}))


def test_a_run_waits_for_a_worker(near: Path, far: Path, open_service: Open) -> None:
    first = open_service(near)
    here = Here(far, url_of(first))
    until(lambda: first.locations.get("far").current is not None, "no worker has come")
    here.stop()
    first.stop(0.0)
    second = open_service(near)  # knows what was defined, though nobody is there
    run_id = second.launch(RunSpec(job="failing"))[0]
    assert second.queue.run_once(1.0, None)
    found = second.store.run(run_id)
    assert found is not None
    assert found.state == "queued"
    here = Here(far, url_of(second))
    assert ended(second, run_id).state == "failed"
    here.stop()


WATCHING = """
from batuta.sensors import RunRequest, SensorContext, sensor

@sensor(job=adding, every_s=0.1)
def shelves(context: SensorContext):
    if context.cursor:
        raise ValueError("no such shelf")
    context.cursor = "one"
    return RunRequest(run_key="one", params={"counts": [1, 2]})
"""


def test_sensors_are_asked_there(near: Path, far: Path, open_service: Open) -> None:
    with (far / "flows.py").open("a") as file:
        file.write(WATCHING)
    service = open_service(near)
    here = Here(far, url_of(service))

    def failed() -> list[TickRow]:
        found = service.store.ticks(name="shelves", outcome="failed")
        return [tick for tick in found if "no such shelf" in tick.reason]

    until(failed, "it does not fail")
    (launched,) = service.store.ticks(name="shelves", outcome="launched")
    assert ended(service, launched.runs[0]).params == {"counts": [1, 2]}
    assert "flows.py" in str(failed()[-1].data["traceback"])

    (spec,) = service.locations.get("far").version().definitions.sensors
    with Store.open(service.project.store_url) as other:  # as another process asks
        with CodeOf(find_project(str(near)), "far", lambda: other, by="me") as code:
            tried = try_sensor(other, "far", spec, "", 1.0, code.ask)
            assert [asked.key for asked in tried.asked] == ["one"]
            with pytest.raises(EvaluationFailed, match="no such shelf"):
                try_sensor(other, "far", spec, "one", 1.0, code.ask)
        here.stop()
        until(lambda: not service.locations.ready(), "its worker is still there")
        (made,) = service.launching.runs_from([RunSpec(job="adding")], 1.0)
        assert isinstance(made, LoadError), "what is due meanwhile is tried again, not given up"
        service.stop(0.0)
        with CodeOf(find_project(str(near)), "far", lambda: other) as code, pytest.raises(NobodyAnswers):
            code.ask("sensor", {}, 1.0)


def test_connections_that_break_lose_nothing(service: Service, far: Path, trace: Path) -> None:
    assert service.gateway is not None
    with Relay(service.gateway.address) as relay:
        here = Here(far, relay.url)
        run_id = launched(service, "waiting")
        begun(trace, 1)
        for _ in range(3):
            count = relay.accepted
            relay.break_all()
            until(lambda count=count: relay.accepted > count, "it does not connect again")  # type: ignore[misc]
        (trace.parent / "go").touch()
        assert ended(service, run_id).state == "succeeded"
        here.stop()
    assert [line.split()[:2] for line in trace.read_text().splitlines()] == [
        ["begun", "one"],
        ["done", "one"],
        ["begun", "two"],
        ["done", "two"],
    ]
    assert [task.attempt for task in service.store.task_runs(run_id)] == [1, 1]


def test_a_network_that_stays_away_costs_the_attempt(service: Service, far: Path, trace: Path) -> None:
    assert service.gateway is not None
    with Relay(service.gateway.address) as relay:
        here = Here(far, relay.url)
        run_id = launched(service, "isolated")
        (line,) = begun(trace, 1)
        relay.stall()
        until(lambda: not service.locations.ready(), "the worker is not given up")
        pid = int(line.split()[2])
        assert not os.path.exists(f"/proc/{pid}"), "it is given up before its process has ended"
        relay.heal()
        begun(trace, 2)
        (trace.parent / "go").touch()
        assert ended(service, run_id).state == "succeeded"
        here.stop()
    assert trace.read_text().count("done alone") == 1


def test_a_worker_that_is_killed_is_replaced(service: Service, far: Path, trace: Path) -> None:
    command = [sys.executable, "-m", "batuta.cli.main", "-C", str(far), "worker", "--connect", url_of(service)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    doomed = subprocess.Popen([*command, "--location", "far"], env=env, stdout=subprocess.DEVNULL)
    try:
        run_id = launched(service, "waiting")
        begun(trace, 1)
        doomed.send_signal(signal.SIGKILL)
        doomed.wait()
        here = Here(far, url_of(service))
        begun(trace, 2)
        (trace.parent / "go").touch()
        assert ended(service, run_id).state == "succeeded"
        here.stop()
    finally:
        doomed.kill()
        doomed.wait()


def test_a_worker_that_is_stopped_lets_steps_end(service: Service, far: Path, trace: Path) -> None:
    here = Here(far, url_of(service), stop_s=60.0)
    run_id = launched(service, "isolated")
    begun(trace, 1)
    here.process.stop()
    until(lambda: not service.locations.ready(), "it takes more though it leaves")
    (trace.parent / "go").touch()
    here.join()
    assert ended(service, run_id).state == "succeeded"
    assert trace.read_text().count("begun") == 1


def test_who_has_not_the_token_is_refused(service: Service, far: Path) -> None:
    here = Here(far, url_of(service), token="another token of somebody")
    here.join()
    assert isinstance(here.error, RequestError)
    assert "the token is not the scheduler's" in here.error.what


def test_what_is_no_port_for_workers_is_told(far: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as api:
        here = Here(far, f"ws://127.0.0.1:{api.getsockname()[1]}")
        asked, _ = api.accept()
        with asked:
            asked.recv(65536)
            asked.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        until(lambda: "the port of [workers] listen" in caplog.text, "it does not say what is wrong")
    here.stop()


def test_a_worker_without_a_token_is_told_at_once(far: Path) -> None:
    command = [sys.executable, "-m", "batuta.cli.main", "-C", str(far), "worker", "--connect", "ws://127.0.0.1:1"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "BATUTA_WORKER_TOKEN": ""}
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (2, "")
    assert "set BATUTA_WORKER_TOKEN" in said.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://there:8421", "write ws://there:8422"),
        ("https://there/api", "write wss://there:8422"),
        ("there:8422", "is no address of a scheduler"),
        ("ws://there:port", "is no address of a scheduler"),
        ("ws://there:99999", "is no address of a scheduler"),
        ("ws://", "is no address of a scheduler"),
    ],
)
def test_what_is_no_address_of_a_scheduler(url: str, told: str) -> None:
    with pytest.raises(RequestError) as caught:
        check_address(url)
    assert told in str(caught.value)


def test_a_gateway_needs_a_token(near: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATUTA_WORKER_TOKEN", "short")
    with pytest.raises(RequestError, match="has 5 characters"):
        Service(find_project(str(near)))
