"""A change of batuta.toml while the service is up: applied at once where it can be, and told where it cannot."""

from __future__ import annotations

from pathlib import Path

from batuta.core.errors import RequestError
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.service import Service
from batuta.store.store import Store
from tests.engine.projects import HEAD, until, write_project
from tests.scheduler.conftest import Open, ended
from tests.scheduler.receivers import web_server

CODE = """
@task(pool="api")
def pooled() -> None:
    note("pooled")

@task
def waits() -> None:
    note("waits")
    while not Path(os.environ["BATUTA_TEST_TRACE"] + ".go").exists():
        time.sleep(0.01)

@task
def bad() -> None:
    raise ValueError("as asked")

with DAG("pooled"): pooled()
with DAG("waits"): waits()
with DAG("bad"): bad()
"""
SETTINGS = "[executor]\nworkers = 2\n"
POOLS = "[pools]\napi = {}\n"


def configure(root: Path, text: str) -> None:
    """Replace what is configured, at once."""
    new = root / "new.toml"
    new.write_text('code = ["flows.py"]\n' + SETTINGS + text)
    new.replace(root / "batuta.toml")


def told(store: Store) -> tuple[list[str], str]:
    """What the service says of its configuration: what waits, what is wrong."""
    (row,) = store.processes(0.0)
    return row.info["configuration"]["waiting"], row.info["configuration"]["error"]


def test_pools_limits_and_retention_are_others_at_once(
    on_store: str, tmp_path: Path, trace: Path, open_service: Open
) -> None:
    root = write_project(tmp_path / "shop", CODE, SETTINGS + POOLS.format(0) + "[queue]\nruns_max = 1\n")
    service = open_service(root)
    held = service.launch(RunSpec(job="pooled"))[0]
    behind = service.launch(RunSpec(job="waits"))[0]
    until(lambda: service.queue.choice.held)
    configure(root, POOLS.format(0) + "[queue]\nruns_max = 2\n[retention]\nruns = '1d'\n")
    until(lambda: "waits" in trace.read_text())
    assert "pooled" not in trace.read_text()
    configure(root, POOLS.format(1) + "[queue]\nruns_max = 2\n[retention]\nruns = '1d'\n")
    assert ended(service, held).state == "succeeded"
    Path(f"{trace}.go").touch()
    assert ended(service, behind).state == "succeeded"
    assert float(service.observing.retention.config.runs or 0) == 86_400.0
    assert told(service.store) == ([], "")


def test_alerts_that_are_configured_later_are_sent(tmp_path: Path, trace: Path, open_service: Open) -> None:
    root = write_project(tmp_path / "shop", CODE, SETTINGS)
    service = open_service(root)
    assert ended(service, service.launch(RunSpec(job="bad"))[0]).state == "failed"
    with web_server() as first, web_server() as second:
        for web in (first, second):
            channel = f'[alerts.channels.hook]\ntype = "webhook"\nurl = "{web.url}"\n'
            configure(root, channel + '[[alerts.rules]]\non = "failure"\nchannels = "hook"\ndedupe_s = 0\n')
            until(lambda url=web.url: url in str(service.project.config.alerts.channels))  # type: ignore[misc]
            run = ended(service, service.launch(RunSpec(job="bad"))[0])
            web.wait(1)
            assert f"batuta runs show {run.id}" in web.documents[0]["body"]
        configure(root, "")
        until(lambda: not service.project.config.alerts.channels)
        until(lambda: not service.store.alerts.open())


def test_locations_come_change_and_go(tmp_path: Path, trace: Path, open_service: Open) -> None:
    root = write_project(tmp_path / "shop", CODE, SETTINGS)
    service = open_service(root)
    (root / "more").mkdir()
    (root / "more" / "flows.py").write_text(HEAD + CODE.replace('DAG("', 'DAG("more-'))
    own = service.locations.get("shop").version()
    configure(root, '[[locations]]\nname = "more"\nroot = "more"\ncode = ["flows.py"]\n')
    until(lambda: "more" in service.locations and service.locations.get("more").current is not None)
    assert service.locations.get("shop").version() is own, "what has not changed is not loaded again"
    under_way = service.launch(RunSpec(job="more-waits", location="more"))[0]
    until(lambda: "waits" in trace.read_text())
    configure(root, "")
    until(lambda: "more" not in service.locations)
    until(lambda: [row.location for row in service.store.definitions()] == ["shop"])
    Path(f"{trace}.go").touch()
    assert ended(service, under_way).state == "succeeded", "runs under way go on"
    assert not _launches(service, "more-waits")


def _launches(service: Service, job: str) -> bool:
    try:
        service.launch(RunSpec(job=job))
    except RequestError:
        return False
    return True


def test_what_is_wrong_or_waits_is_told(tmp_path: Path, trace: Path, open_service: Open) -> None:
    root = write_project(tmp_path / "shop", CODE, SETTINGS)
    service = open_service(root)
    configure(root, "[store]\nurl = 'sqlite:///elsewhere.db'\n")
    until(lambda: told(service.store) == (["store.url"], ""))
    configure(root, "[queue]\nruns_max = 'many'\n")
    until(lambda: "queue.runs_max" in told(service.store)[1])
    configure(root, "")
    until(lambda: told(service.store) == ([], ""))
    assert ended(service, service.launch(RunSpec(job="pooled"))[0]).state == "succeeded"


def test_what_left_the_configuration_while_nothing_ran_is_forgotten(
    tmp_path: Path, trace: Path, open_service: Open
) -> None:
    root = write_project(tmp_path / "shop", CODE, SETTINGS)
    service = open_service(root)
    service.store.save_definitions("gone", "hash", b"{}", [], now=1.0)
    service.stop(0.0)
    again = open_service(root)
    assert [row.location for row in again.store.definitions()] == ["shop"]
