"""Code locations: each with its own Python, errors of one that stop no other, hosts that die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from batuta.core.backfills import Backfill, Item
from batuta.core.errors import LoadError
from batuta.core.run import LOST_MAX
from batuta.executors.evaluators import EvaluationFailed, TimedOut
from batuta.scheduler.launching import RunSpec
from tests.engine.projects import HEAD, until
from tests.scheduler.conftest import Open, ended


def make_environment(folder: Path) -> None:
    """A virtual environment with nothing in it."""
    subprocess.run([sys.executable, "-m", "venv", "--symlinks", "--without-pip", str(folder)], check=True)


ONE = """
@task(retries=2)
def where() -> None:
    note(sys.executable)

with DAG("{name}"):
    where()
"""


def project(folder: Path, locations: dict[str, str], **code: str) -> Path:
    """A project with locations: more settings of each, and its code."""
    folder.mkdir()
    tables = [
        f'[[locations]]\nname = "{name}"\nroot = "{name}"\ncode = ["flows.py"]\n{more}'
        for name, more in locations.items()
    ]
    (folder / "batuta.toml").write_text("\n".join(tables) + "\n[executor]\nworkers = 1\n")
    for name in locations:
        (folder / name).mkdir()
        (folder / name / "flows.py").write_text(HEAD + code.get(name, ONE.format(name=f"job-{name}")))
    return folder


def test_each_location_runs_in_its_own_python(
    on_store: str, tmp_path: Path, trace: Path, open_service: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_environment(tmp_path / "project-env")
    site = next((tmp_path / "project-env" / "lib").glob("python*")) / "site-packages"
    for needed in ("msgspec", "cloudpickle"):
        module = __import__(needed)
        assert module.__file__ is not None
        (site / needed).symlink_to(Path(module.__file__).parent)
    folder = project(tmp_path / "many", {"here": "", "there": f'python = "{tmp_path}/project-env"'})
    service = open_service(folder)
    assert [(each.name, each.trouble) for each in service.locations] == [("here", None), ("there", None)]
    for job in ("job-here", "job-there"):
        run = ended(service, service.launch(RunSpec(job=job))[0])
        assert (run.state, run.location) == ("succeeded", job.removeprefix("job-"))
    pythons = [os.path.dirname(line) for line in trace.read_text().splitlines()]
    assert pythons == [os.path.dirname(sys.executable), str(tmp_path / "project-env" / "bin")]


MADE = """
from batuta import asset
from batuta.partitions import daily

@asset(partitions=daily("2025-01-01", end="2025-01-03"))
def made() -> str:
    return context().partition_key
"""


def test_a_backfill_of_assets_is_of_the_location_that_it_names(tmp_path: Path, trace: Path, open_service: Open) -> None:
    service = open_service(project(tmp_path / "many", {"one": "", "two": ""}, two=MADE))
    days = ("2025-01-01", "2025-01-02")
    spec = Backfill(selection="made", location="two", partitions="all")
    number = service.store.backfills.create(spec, [Item(day, (day,)) for day in days], by="ada", now=time.time())
    service.wake("backfills")
    until(lambda: service.store.backfills.get(number).state == "succeeded", "it does not end")
    assert {partition for _, partition in service.store.asset_states(["made"])} == set(days)


def test_what_is_wrong_with_one_stops_no_other(tmp_path: Path, trace: Path, open_service: Open) -> None:
    make_environment(tmp_path / "bare")
    broken = "import nothing_of_that_name\n"
    settings = {
        "good": "",
        "missing": 'python = "nowhere/bin/python"',
        "bare": f'python = "{tmp_path}/bare"',
        "bad": "",
    }
    service = open_service(project(tmp_path / "many", settings, bad=broken))
    told = {each.name: str(each.trouble) for each in service.locations}
    assert told["good"] == "None"
    assert "there is no such Python" in told["missing"]
    assert "cannot run a location host: ModuleNotFoundError: No module named 'msgspec'" in told["bare"]
    assert "bad/flows.py" in told["bad"]
    assert "nothing_of_that_name" in told["bad"]
    assert ended(service, service.launch(RunSpec(job="job-good"))[0]).state == "succeeded"
    stored = {row.location: row.error for row in service.store.definitions()}
    assert all(bool(stored[name]) == (name != "good") for name in settings)
    with pytest.raises(LoadError, match="there is no such Python"):
        service.launch(RunSpec(job="job-missing", location="missing"))


def test_a_host_that_is_killed_while_it_loads_is_not_the_end_of_it(tmp_path: Path, open_service: Open) -> None:
    once = """
import pathlib, signal
if not pathlib.Path("killed").exists():
    pathlib.Path("killed").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    settings = {"unlucky": "", "deadly": ""}
    service = open_service(
        project(tmp_path / "many", settings, unlucky=once + ONE.format(name="lucky"), deadly="os._exit(3)\n")
    )
    told = {each.name: str(each.trouble) for each in service.locations}
    assert (told["unlucky"], list(service.locations.get("unlucky").version().jobs)) == ("None", ["lucky"])
    assert "the process that loads the code ended with exit code 3" in told["deadly"]


def test_a_name_belongs_to_the_first_location_that_has_it(
    tmp_path: Path, trace: Path, open_service: Open, caplog: pytest.LogCaptureFixture
) -> None:
    same = ONE.format(name="same")
    other = same + ONE.replace("where", "also").format(name="other")
    names = {"first": "", "second": "", "third": 'python = "nowhere/bin/python"'}
    service = open_service(project(tmp_path / "many", names, first=same, second=other))
    first, second, _ = service.locations
    assert first.trouble is None
    assert "job 'same' is left out: location 'first' has one of that name" in str(second.trouble)
    assert list(second.version().jobs) == ["other"]
    assert sum("is left out" in record.getMessage() for record in caplog.records) == 1, "told once"
    (tmp_path / "many" / "first" / "flows.py").write_text(HEAD + ONE.format(name="renamed"))
    until(lambda: "same" in second.version().jobs)
    assert second.trouble is None


def test_a_host_that_is_killed_comes_back_and_its_attempts_are_tried_again(
    tmp_path: Path, trace: Path, open_service: Open, root: Path
) -> None:
    text = """
@task(retries=2)
def slow() -> None:
    note("begun")
    while not Path(os.environ["BATUTA_TEST_TRACE"] + ".go").exists():
        time.sleep(0.01)

with DAG("slow"): slow()
"""
    (root / "flows.py").write_text(HEAD + text)
    service = open_service(root)
    run_id, _ = service.launch(RunSpec(job="slow"))
    until(lambda: "begun" in trace.read_text())
    version = service.locations.get("").version()
    assert version.host is not None
    host = version.host
    killed = host.pid
    os.kill(killed, signal.SIGKILL)
    until(lambda: host.pid != killed)
    until(lambda: trace.read_text().count("begun") == 2)
    Path(f"{trace}.go").touch()
    assert ended(service, run_id).state == "succeeded"
    assert trace.read_text().count("begun") == 2


def test_what_goes_down_with_its_host_does_not_count_against_the_task(
    trace: Path, open_service: Open, root: Path
) -> None:
    """A task whose own process is killed too often is given up; one whose host is killed just as often is not."""
    text = """
@task
def slow() -> None:
    note("begun")
    while not Path(os.environ["BATUTA_TEST_TRACE"] + ".go").exists():
        time.sleep(0.01)

@task
def kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)

with DAG("slow"): slow()
with DAG("deadly"): kills_itself()
"""
    (root / "flows.py").write_text(HEAD + text)
    service = open_service(root)
    run_id, _ = service.launch(RunSpec(job="slow"))
    version = service.locations.get("").version()
    host = version.host
    assert host is not None
    for time_no in range(1, LOST_MAX + 3):
        until(lambda n=time_no: trace.read_text().count("begun") == n)  # type: ignore[misc]
        killed = host.pid
        os.kill(killed, signal.SIGKILL)
        until(lambda pid=killed: host.pid != pid)  # type: ignore[misc]
    Path(f"{trace}.go").touch()
    assert ended(service, run_id).state == "succeeded"
    lost = [json.loads(event.data) for event in service.store.events(run_id) if event.kind == "attempt_lost"]
    assert len(lost) >= LOST_MAX + 2  # what is sent while the host is away is lost, too
    assert not any(event.get("counted", True) for event in lost)
    deadly = ended(service, service.launch(RunSpec(job="deadly"))[0])
    assert deadly.state == "failed"
    lost = [json.loads(event.data) for event in service.store.events(deadly.id) if event.kind == "attempt_lost"]
    assert [event.get("counted", True) for event in lost] == [True] * (LOST_MAX + 1)


def test_a_host_whose_code_is_broken_when_it_comes_back_is_told_and_tried_again(
    trace: Path, open_service: Open, root: Path
) -> None:
    good = (root / "flows.py").read_text()
    (root / "batuta.toml").write_text('code = ["flows.py"]\n[service]\nwatch = false\n')
    service = open_service(root)
    location = service.locations.get("")
    version = location.version()
    assert version.host is not None
    (root / "batuta.toml").write_text('code = ["flows.py", "gone.py"]\n[service]\nwatch = false\n')
    os.kill(version.host.pid, signal.SIGKILL)
    until(lambda: location.trouble is not None)
    assert "there is no such file" in str(location.trouble)
    assert service.failure is None
    (root / "batuta.toml").write_text('code = ["flows.py"]\n')
    (root / "flows.py").write_text(good)
    assert service.locations.reload(location.name).trouble is None
    assert ended(service, service.launch(RunSpec(job="fixed"))[0]).state == "succeeded"


def test_runs_under_way_go_on_with_the_code_that_they_began_with(trace: Path, open_service: Open, root: Path) -> None:
    text = """
@task
def first() -> None:
    note("first")
    while not Path(os.environ["BATUTA_TEST_TRACE"] + ".go").exists():
        time.sleep(0.01)

@task
def second() -> None:
    note("OLD")

with DAG("pair"): first() >> second()
"""
    (root / "flows.py").write_text(HEAD + text)
    service = open_service(root)
    location = service.locations.get("")
    run_id, _ = service.launch(RunSpec(job="pair"))
    until(lambda: "first" in trace.read_text())
    (root / "flows.py").write_text(HEAD + text.replace("OLD", "NEW").replace("pair", "other"))
    until(lambda: "other" in location.version().jobs)
    Path(f"{trace}.go").touch()
    row = ended(service, run_id)
    assert row.state == "succeeded"
    assert trace.read_text().split() == ["first", "OLD"]
    kept = service.store.sources.text(row.location, row.version, str(root / "flows.py"), row.created_at)
    assert kept == HEAD + text, "the code of the version that ran"
    assert ended(service, service.launch(RunSpec(job="other"))[0]).state == "succeeded"
    until(lambda: not location.tidy())
    assert len(service.engine.executors) == 1


def test_questions_to_the_code_have_a_limit(root: Path, trace: Path, open_service: Open) -> None:
    text = """
from pydantic import BaseModel, field_validator

class Day(BaseModel):
    text: str
    @field_validator("text")
    def check(cls, value: str) -> str:
        if value == "hang":
            time.sleep(3600)
        if value == "die":
            os._exit(7)
        return value

@flow
def shown(day: Day) -> None: ...
"""
    (root / "flows.py").write_text(HEAD + text)
    version = open_service(root).locations.get("").version()

    def ask(text: str, timeout_s: float) -> object:
        return version.evaluate("validate", {"runs": [["shown", {"day": {"text": text}}]]}, timeout_s)["runs"][0]

    assert ask("fine", 30.0) == {"params": {"day": {"text": "fine"}}}
    with pytest.raises(TimedOut):
        ask("hang", 0.3)
    with pytest.raises(LoadError, match="the process that evaluated it ended"):
        ask("die", 30.0)
    assert ask("fine", 30.0) == {"params": {"day": {"text": "fine"}}}
    with pytest.raises(EvaluationFailed, match="KeyError"):
        version.evaluate("validate", {}, 30.0)


LAKE = """
from batuta import asset, external_asset

revenue = external_asset("gold.revenue")

@asset(key="bronze.pay")
def pay() -> None:
    note("bronze")

@asset(key="report", deps=["gold.revenue"])
def report() -> None:
    note("report")
"""
MART = """
from batuta import asset, external_asset

pay = external_asset("bronze.pay")

@asset(key="gold.revenue", deps=["bronze.pay"])
def revenue() -> None:
    note("gold")
    if not os.path.exists(os.environ["BATUTA_TEST_TRACE"] + "-fine"):
        raise ValueError("not yet")
"""


def test_a_run_over_several_locations(on_store: str, tmp_path: Path, trace: Path, open_service: Open) -> None:
    service = open_service(project(tmp_path / "many", {"lake": "", "mart": ""}, lake=LAKE, mart=MART))
    run = ended(service, service.launch(RunSpec(selection="+report"))[0])
    assert (run.state, run.location, run.config["locations"]) == ("failed", "lake", ["lake", "mart"])
    assert run.version == service.locations.get("lake").version().hash
    Path(f"{trace}-fine").touch()
    service.store.request(run.id, "retry", {}, by="anna", now=service.clock())
    service.wake("asking")
    until(lambda: trace.read_text().split() == ["bronze", "gold", "gold", "report"], "it is not tried again")
    assert ended(service, run.id).state == "succeeded"
    of_one = ended(service, service.launch(RunSpec(selection="gold.revenue"))[0])
    assert (of_one.location, of_one.config.get("locations")) == ("mart", None)


def test_a_run_over_several_waits_for_all_of_them(tmp_path: Path, trace: Path, open_service: Open) -> None:
    folder = project(tmp_path / "many", {"lake": "", "mart": ""}, lake=LAKE, mart=MART)
    Path(f"{trace}-fine").touch()
    first = open_service(folder)
    first.queue.draining = True
    run_id = first.launch(RunSpec(selection="+report"))[0]
    first.stop(0.0)
    config = folder / "batuta.toml"
    whole = config.read_text()
    config.write_text(whole.replace('name = "mart"', 'name = "mart"\npython = "nowhere"'))
    second = open_service(folder)
    assert second.locations.get("mart").current is None
    assert ended(second, second.launch(RunSpec(selection="bronze.pay", location="lake"))[0]).state == "succeeded"
    waiting = second.store.run(run_id)
    assert waiting is not None
    assert waiting.state == "queued"
    second.stop(0.0)
    config.write_text(whole)
    third = open_service(folder)
    assert ended(third, run_id).state == "succeeded"
