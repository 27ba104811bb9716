"""A host that is ready for the next change of code: taken when files change, never where anything else is other."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from batuta.scheduler.launching import RunSpec
from batuta.scheduler.location import CodeLocation
from batuta.scheduler.service import Service
from tests.engine.projects import HEAD, until, write_project
from tests.scheduler.conftest import Open, ended

CODE = """
@task
def step() -> None:
    note("{says}")

with DAG("job"): step()
"""


def pid_of(location: CodeLocation) -> int:
    host = location.version().host
    assert host is not None
    return host.pid


def spare_of(location: CodeLocation) -> int:
    """The process of the host that is ready."""
    location.prepare()
    kept = location._spare._kept
    assert kept is not None
    return kept[1].pid


def change(service: Service, root: Path, says: str) -> CodeLocation:
    """Write other code, and wait until it serves."""
    location = service.locations.get("")
    before = location.version()
    (root / "flows.py").write_text(HEAD + CODE.format(says=says))
    until(lambda: location.version() is not before)
    return location


def test_a_change_is_loaded_in_the_host_that_is_ready(tmp_path: Path, trace: Path, open_service: Open) -> None:
    root = write_project(tmp_path / "shop", CODE.format(says="first"))
    service = open_service(root)
    ready = spare_of(service.locations.get(""))
    assert spare_of(service.locations.get("")) == ready
    location = change(service, root, "second")
    assert pid_of(location) == ready
    until(lambda: location._spare._kept is not None)
    assert spare_of(location) != ready, "there is another for the next one"
    assert ended(service, service.launch(RunSpec(job="job"))[0]).state == "succeeded"
    assert trace.read_text().split() == ["second"]


def test_what_somebody_asks_for_is_loaded_in_a_new_host(tmp_path: Path, trace: Path, open_service: Open) -> None:
    root = write_project(tmp_path / "shop", CODE.format(says="first"))
    service = open_service(root)
    ready = spare_of(service.locations.get(""))
    assert pid_of(service.locations.reload("shop")) != ready, "what is installed may be other than it was"


def test_one_that_has_died_is_not_used(tmp_path: Path, trace: Path, open_service: Open) -> None:
    root = write_project(tmp_path / "shop", CODE.format(says="first"))
    service = open_service(root)
    location = service.locations.get("")
    ready = spare_of(location)
    os.kill(ready, signal.SIGKILL)
    until(lambda: (kept := location._spare._kept) is None or not kept[1].is_alive)
    assert pid_of(change(service, root, "second")) != ready
    assert ended(service, service.launch(RunSpec(job="job"))[0]).state == "succeeded"


def test_none_is_left_where_nobody_changes_anything(tmp_path: Path, trace: Path, open_service: Open) -> None:
    root = write_project(tmp_path / "shop", CODE.format(says="first"), "[service]\nwatch = false\n")
    service = open_service(root)
    assert service.watcher is None
    location = service.locations.get("")
    spare_of(location)
    location.give_up_spare()
    assert location._spare._kept is None
    spare = spare_of(location)
    service.stop(0.0)
    until(lambda: not os.path.exists(f"/proc/{spare}"))
