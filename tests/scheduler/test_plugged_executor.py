"""Executors that plugins bring: what is wrong with one is told where it belongs, and stops nothing else."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from batuta.core.errors import DefinitionError
from batuta.runtime.project import find_project
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.service import Service
from tests.engine.projects import HEAD, until
from tests.project.test_plugins import install
from tests.scheduler.conftest import Open, ended

MODULE = """
from batuta.executors.processes import ProcessExecutor

class Base(ProcessExecutor):
    def __init__(self, host, workers, spools, options, *, told):
        super().__init__(host, workers, spools, told=told)
        self.sends = 0

Plain = Base

class NoRoom(Base):
    def has_room(self, kind, task):
        raise OSError("no room on purpose")

class NoSend(Base):
    def send(self, info, request):
        raise OSError("no sending on purpose")

class NoFlush(Base):
    def send(self, info, request):
        self.held = (info, request)

    def flush(self):
        if hasattr(self, "held"):
            del self.held
            raise OSError("no flushing on purpose")
        super().flush()

class NoStart(Base):
    def start(self, loop, heard):
        super().start(loop, heard)
        raise OSError("no starting on purpose")

class Babbler(Base):
    def start(self, loop, heard):
        super().start(loop, heard)
        heard(self, "nonsense")
        loop.post(lambda: 1 / 0)

    def running(self):
        raise OSError("nothing to tell")

    def forget(self, run_id):
        raise OSError("I never forget")

class NoOptions(Base):
    def __init__(self, host, workers, spools, options, *, told):
        raise KeyError("ledger")

def nothing(host, workers, spools, options, *, told):
    return object()
"""
NAMES = ("Plain", "NoRoom", "NoSend", "NoFlush", "NoStart", "Babbler", "NoOptions", "nothing", "Missing")
POINTS = "[batuta.executors]\n" + "".join(f"{name.lower()} = acme_run:{name}\n" for name in NAMES)


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    install(folder, "acme_run", POINTS, MODULE)


@pytest.fixture
def open_with(tmp_path: Path, trace: Path, open_service: Open) -> Open:
    """A service with a good location, and one with the executor of that name."""

    def open_one(executor: str) -> Service:
        for name in ("good", "odd"):
            (tmp_path / name).mkdir()
            code = f'@task\ndef one() -> None:\n    note("ran")\n\nwith DAG("job-{name}"):\n    one()\n'
            (tmp_path / name / "flows.py").write_text(HEAD + code)
        (tmp_path / "batuta.toml").write_text(
            '[executor]\nworkers = 1\n[[locations]]\nname = "good"\nroot = "good"\ncode = ["flows.py"]\n'
            f'[[locations]]\nname = "odd"\nroot = "odd"\ncode = ["flows.py"]\nexecutor = "{executor}"\n'
        )
        return open_service(tmp_path)

    return open_one


@pytest.mark.parametrize(
    ("executor", "told"),
    [
        ("plian", "there is no executor 'plian'"),
        ("missing", "the plugin cannot be loaded from acme_run:Missing: AttributeError"),
        ("nooptions", "the executor 'nooptions' cannot be made: KeyError: 'ledger'"),
        ("nothing", "what the executor 'nothing' makes has no 'start', so it is not an executor"),
        ("nostart", "the executor 'nostart' cannot start: OSError: no starting on purpose"),
    ],
)
def test_one_that_cannot_be_had_is_an_error_of_its_location(open_with: Open, executor: str, told: str) -> None:
    service = open_with(executor)
    odd = service.locations.get("odd")
    assert odd.current is None
    assert odd.trouble is not None
    assert odd.trouble.error.what.startswith(told)
    assert odd.trouble.error.hint
    assert ended(service, service.launch(RunSpec(job="job-good"))[0]).state == "succeeded"


@pytest.mark.parametrize(
    ("executor", "told"),
    [
        ("noroom", "the executor 'noroom' failed at send: OSError: no room on purpose"),
        ("nosend", "the executor 'nosend' failed at send: OSError: no sending on purpose"),
        ("noflush", "the executor 'noflush' failed at flush: OSError: no flushing on purpose"),
    ],
)
def test_an_attempt_that_it_does_not_take_fails(open_with: Open, executor: str, told: str) -> None:
    service = open_with(executor)
    run = ended(service, service.launch(RunSpec(job="job-odd"))[0])
    assert run.state == "failed"
    assert told in run.error
    assert ended(service, service.launch(RunSpec(job="job-good"))[0]).state == "succeeded"


def test_what_else_it_does_wrong_is_told_in_the_log_once(open_with: Open, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, "batuta.executors")
    service = open_with("babbler")
    for _ in range(2):
        assert ended(service, service.launch(RunSpec(job="job-odd"))[0]).state == "succeeded"
    said = [record.getMessage() for record in caplog.records]
    until(lambda: any("I never forget" in record.getMessage() for record in caplog.records))
    assert len(said) == len(set(said))
    assert any("nonsense, which is nothing that an executor says" in line for line in said)
    assert any("failed at an event: ZeroDivisionError" in line for line in said)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ('remote = true\nexecutor = "plain"', "location 'a' is remote"),
        ("executor_options = {x = 1}", "location 'a' has options of an executor, and names none"),
    ],
)
def test_settings_that_make_no_sense(tmp_path: Path, setting: str, told: str) -> None:
    (tmp_path / "batuta.toml").write_text(f'[[locations]]\nname = "a"\n{setting}\n')
    with pytest.raises(DefinitionError, match=told):
        find_project(str(tmp_path))
