"""A store that cannot be reached for a while: the service waits, and goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from batuta.scheduler.automation import AutomationDuty
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.schedules import ScheduleDuty
from batuta.scheduler.sensors import SensorDuty
from batuta.store.errors import StoreUnavailable
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended

TEXT = """
@task
def held(n: int) -> int:
    note(f"{n} in")
    while not Path(os.environ["BATUTA_TEST_TRACE"] + ".go").exists():
        time.sleep(0.01)
    return n

@task
def after(n: int) -> None:
    note(f"{n} after")

with DAG("pair"):
    after(held(1))
"""


UNATTENDED = """
from batuta import asset
from batuta.automation import Automation
from batuta.sensors import sensor

@flow(schedule="0 6 * * *")
def daily() -> None:
    pass

@sensor(job="daily")
def probe() -> None:
    return None

@asset(automation=Automation.eager())
def watched() -> int:
    return 1
"""


@contextmanager
def away(server: str, url: str) -> Iterator[None]:
    """The store cannot be reached in the `with` block."""
    name = make_url(url).database
    maintenance = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false'.encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (name,),
        )
        yield
        connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true'.encode())


def test_connections_that_are_cut_are_made_again(
    tmp_path: Path,
    trace: Path,
    postgres_server: str,
    postgres_url: str,
    open_service: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", postgres_url)
    service = open_service(write_project(tmp_path / "away", TEXT))
    run_id, _ = service.launch(RunSpec(job="pair"))
    until(lambda: "1 in" in trace.read_text())
    with away(postgres_server, postgres_url):
        Path(f"{trace}.go").touch()
        until(lambda: service.duties["heartbeat"].failures or service.duties["adoption"].failures)
    assert ended(service, run_id).state == "succeeded"
    assert service.failure is None
    assert trace.read_text().split("\n")[:2] == ["1 in", "1 after"]
    assert ended(service, service.launch(RunSpec(job="pair"))[0]).state == "succeeded"


@pytest.mark.parametrize("kind", [ScheduleDuty, SensorDuty, AutomationDuty])
def test_what_could_not_be_read_is_read_again(
    tmp_path: Path,
    postgres_server: str,
    postgres_url: str,
    open_service: Open,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[ScheduleDuty | SensorDuty | AutomationDuty],
) -> None:
    monkeypatch.setenv("BATUTA_STORE_URL", postgres_url)
    service = open_service(write_project(tmp_path / "away", UNATTENDED))
    until(service.locations.versions, "it is not loaded")
    duty = kind(service)
    with away(postgres_server, postgres_url), pytest.raises(StoreUnavailable):
        duty.run_once(0.0, None)
    duty.run_once(60.0, None)
    if isinstance(duty, AutomationDuty):
        assert not duty.is_idle
    else:
        assert len(duty.entries) == 1
    if isinstance(duty, SensorDuty):
        duty.close()
