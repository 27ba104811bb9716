"""Sensors in a service: evaluated in processes of their location, what they ask for started once, what they do wrong
told and kept from the others."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from batuta.core.errors import RequestError
from batuta.core.sensor_specs import SensorSpec
from batuta.core.webhooks import Refused, signature
from batuta.runtime.project import find_project
from batuta.runtime.vault import keys_of
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.service import Service
from batuta.scheduler.webhooks import accept_webhook
from batuta.store.rows import TickRow
from batuta.store.store import Store
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import STEPS, Open, ended

HEAD = (
    STEPS
    + """
from batuta.sensors import *
"""
)


def serve(folder: Path, text: str, open_service: Open, name: str = "project") -> Service:
    return open_service(write_project(folder / name, HEAD + text, "[executor]\nworkers = 2\n"))


def ticks(service: Service, name: str, outcome: str = "launched", count: int = 1) -> list[TickRow]:
    """The ticks of a sensor with that outcome, oldest first, once there are so many."""

    def found() -> list[TickRow]:
        return service.store.ticks(kind="sensor", name=name, outcome=outcome, limit=1000)[::-1]

    until(lambda: len(found()) >= count, f"{name} has {service.store.ticks(name=name)}")
    return found()


def names(service: Service, origin: str) -> list[str]:
    """What the runs that a sensor has started were given, in order."""
    runs = service.store.runs(trigger="sensor", limit=5000)[::-1]
    return [str(run.params.get("name", "")) for run in runs if run.origin == origin]


def test_what_a_sensor_asks_for_is_run(on_store: str, tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
@sensor(job=one, every_s=0.1, tags={"team": "a"})
def counts(context: SensorContext):
    "Counts."
    number = int(context.cursor or 0)
    if number >= 3:
        return Skip("that is enough")
    context.cursor = str(number + 1)
    return RunRequest(run_key=f"n{number}", params={"name": f"n{number}"}, tags={"n": str(number)})

@sensor(every_s=0.1)
async def once():
    yield RunRequest(run_key="only", job="fixed")
"""
    service = serve(tmp_path, text, open_service)
    launched = ticks(service, "counts", count=3)
    assert [tick.cursor for tick in launched] == ["1", "2", "3"]
    (skipped,) = ticks(service, "counts", "skipped")
    assert skipped.reason == "that is enough"
    runs = [ended(service, tick.runs[0]) for tick in launched]
    assert [run.params for run in runs] == [{"name": "n0"}, {"name": "n1"}, {"name": "n2"}]
    assert (runs[1].trigger, runs[1].origin, runs[1].tags) == ("sensor", "counts", {"team": "a", "n": "1"})
    (only,) = ticks(service, "once")
    assert ended(service, only.runs[0]).job == "fixed"
    assert ticks(service, "once", "skipped")[0].reason == "all 1 run keys were taken before"
    assert len(service.store.ticks(name="once", outcome="skipped")) == 1, "the same is told once"


def test_a_sensor_has_the_variables_and_connections_of_its_project(
    tmp_path: Path, trace: Path, open_service: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
from batuta import Connection, Secret, Variable

@sensor(job=one, every_s=0.1)
def looks():
    found = [Variable.get("region"), str(len(Secret.get("token"))), Connection.get("shop").host]
    return RunRequest(run_key="1", params={"name": " ".join(found)})
"""
    folder = write_project(tmp_path / "project", HEAD + text)
    monkeypatch.setenv("BATUTA_CONN_SHOP", "https://shop.example")
    project = find_project(str(folder))
    project.make_home()
    with Store.open(project.store_url) as store:
        vault = store.vault(keys_of(project))
        vault.put_variable("region", "eu", by="ann", now=1.0)
        vault.put_secret("token", "s3cr3t", by="ann", now=1.0)
    service = open_service(folder)
    ticks(service, "looks")
    assert names(service, "looks") == ["eu 6 shop.example"]


def test_a_sensor_goes_on_where_another_scheduler_ended(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
@sensor(job=one, every_s=0.1)
def counts(context):
    number = int(context.cursor or 0)
    context.cursor = str(number + 1)
    return RunRequest(params={"name": str(number)}) if number < 4 else None
"""
    service = serve(tmp_path, text, open_service)
    ticks(service, "counts", count=2)
    service.stop(0.0)
    again = serve(tmp_path, text, open_service)
    ticks(again, "counts", count=4)
    assert names(again, "counts") == ["0", "1", "2", "3"]


BAD = """
@sensor(job=one, every_s=0.2)
def raises():
    raise ValueError("nothing there")

@sensor(job=one, every_s=0.2, timeout_s=0.5)
def hangs():
    while True:
        pass

@sensor(job=one, every_s=0.2)
def dies():
    os._exit(3)

@sensor(job=one, every_s=0.2)
def greedy():
    return [RunRequest(run_key=str(i)) for i in range(100_000)]

@sensor(job=one, every_s=0.2)
def endless():
    for i in range(100_000):
        yield RunRequest(run_key=str(i))

@sensor(job=one, every_s=0.2)
def wrong_cursor(context):
    context.cursor = {"page": 7}

@sensor(job=one, every_s=0.2)
def long_cursor(context):
    context.cursor = "x" * 100_000

@sensor(job=one, every_s=0.2)
def oversized():
    return [RunRequest(run_key="big", params={"name": "x" * 300_000}), RunRequest(run_key="ok", params={"name": "ok"})]

@sensor(every_s=0.2)
def nowhere():
    return RunRequest(run_key="1", job="nosuch")

@sensor(every_s=0.2)
def nothing():
    return RunRequest(run_key="1")

@sensor(job=one, every_s=0.2)
def mistaken():
    return RunRequest(run_key="1", params={"nam": "x"})

@sensor(job=one, every_s=0.2)
def odd():
    return 7

@sensor(job=one, every_s=0.2)
def good(context):
    context.cursor = str(int(context.cursor or 0) + 1)
    return RunRequest(run_key=context.cursor, params={"name": context.cursor}) if int(context.cursor) < 6 else None
"""


def test_what_sensors_do_wrong_is_told_and_stops_no_other(tmp_path: Path, trace: Path, open_service: Open) -> None:
    service = serve(tmp_path, BAD, open_service)
    said = {
        "raises": "ValueError: nothing there",
        "hangs": "did not end within 0.5 s and was killed",
        "dies": "the process that evaluated it ended",
        "greedy": "it asked for 100,000 runs at once, at most 1,000 are started",
        "endless": "it asked for 100,000 runs at once, at most 1,000 are started",
        "wrong_cursor": "the cursor is dict, not text",
        "long_cursor": "the cursor has 100,000 bytes, at most 65,536 are kept",
        "oversized": "the parameters and tags of run 'big' have 300,",
        "nowhere": "there is no job 'nosuch'",
        "nothing": "says nothing of what is to be started",
        "mistaken": "nam",
        "odd": "it gave int, which is no RunRequest",
    }
    for name, text in said.items():
        assert text in ticks(service, name, "failed")[0].reason, name
    assert "flows.py:" in ticks(service, "raises", "failed")[0].reason
    assert "nothing there" in ticks(service, "raises", "failed")[0].data["traceback"]
    ticks(service, "good", count=5)
    assert names(service, "good") == ["1", "2", "3", "4", "5"]
    assert names(service, "oversized") == ["ok"], "what is right of a tick is started all the same"
    assert names(service, "greedy") == names(service, "endless") == []
    ticks(service, "raises", "failed", count=3)
    (raises,) = [row for row in service.store.tickers("sensor") if row.name == "raises"]
    assert raises.failures >= 3


def test_a_sensor_that_is_mended_is_evaluated_at_once(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
@sensor(job=one, every_s=3600)
def rare():
    raise ValueError("not yet written")
"""
    service = serve(tmp_path, text, open_service)
    ticks(service, "rare", "failed")
    mended = text.replace('raise ValueError("not yet written")', 'return RunRequest(params={"name": "mended"})')
    write_project(tmp_path / "project", HEAD + mended, "[executor]\nworkers = 2\n")
    ticks(service, "rare")
    assert names(service, "rare") == ["mended"]


def test_too_much_is_taken_in_batches_from_the_cursor(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
@sensor(job="fixed", every_s=60)
def pages(context):
    for i in range(int(context.cursor or 0), 2500):
        yield RunRequest(run_key=str(i), tags={"i": str(i)})
        context.cursor = str(i + 1)
"""
    service = serve(tmp_path, text, open_service)
    found = ticks(service, "pages", count=3)
    assert [len(tick.runs) for tick in found] == [1000, 999, 501], "the last of a batch is asked for again, and known"
    runs = service.store.runs(trigger="sensor", limit=5000)
    assert sorted(int(run.tags["i"]) for run in runs) == list(range(2500))


def test_files(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
files = file_sensor("in/*.csv", name="files", job=one, every_s=0.1, params={"name": "{name}"})

@file_sensor("in/*.csv", every_s=0.1, changes=False)
def only_new(event, context):
    if event["size"] == 0:
        return Skip("it is empty")
    return RunRequest(job="one", params={"name": event["name"]})
"""
    folder = tmp_path / "project" / "in"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("1")
    service = serve(tmp_path, text, open_service)
    ticks(service, "files")
    ticks(service, "only_new")
    (folder / "b.csv").write_text("2")
    ticks(service, "files", count=2)
    ticks(service, "only_new", count=2)
    (folder / "a.csv").write_text("more")
    (folder / "none.csv").write_text("")
    until(lambda: names(service, "files").count("a.csv") == 2 and "none.csv" in names(service, "files"))
    assert names(service, "only_new") == ["a.csv", "b.csv"]


def test_rows(tmp_path: Path, trace: Path, open_service: Open) -> None:
    import sqlite3

    path = tmp_path / "orders.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT)")
        database.execute("INSERT INTO orders VALUES (1, 'pen'), (2, 'ink')")
    text = f"""
orders = sql_sensor("SELECT id, item FROM orders WHERE id > :cursor ORDER BY id", key="id", name="orders",
                    connection="sqlite:///{path}", job=one, every_s=0.1, params={{"name": "{{item}}"}})
wrong = sql_sensor("SELECT id FROM orders", key="id", name="wrong", connection="sqlite:///{path}", job=one, every_s=0.1)
"""
    service = serve(tmp_path, text, open_service)
    ticks(service, "orders")
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO orders VALUES (7, 'cap')")
    ticks(service, "orders", count=2)
    assert names(service, "orders") == ["pen", "ink", "cap"]
    assert "does not name :cursor" in ticks(service, "wrong", "failed")[0].reason


def test_runs_and_assets_are_seen_once_each(on_store: str, tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
from batuta import asset

@asset
def rates() -> int:
    return 1

@asset
def report(rates: int) -> int:
    return rates

after = run_sensor("one", name="after", job="fixed", tags={"of": "{run_id}"})
failed = run_sensor(states="failed", name="failed", job="fixed")
made = asset_sensor(rates, name="made", assets="report")

@asset_sensor(rates)
def told(event):
    return RunRequest(job="one", params={"name": f"{event['asset']} of {event['run_id']}"})
"""
    service = serve(tmp_path, text, open_service)
    until(lambda: all(service.sensors.entries.get(("project", name)) for name in ("after", "failed", "made")))
    first, _ = service.launch(RunSpec(job="one", params={"name": "1"}))
    ended(service, first)
    second, _ = service.launch(RunSpec(job="one", params={"name": "2"}))
    ended(service, second)
    until(lambda: len(service.store.runs(job="fixed", limit=100)) == 2)
    tags = [run.tags["of"] for run in service.store.runs(job="fixed", limit=100)]
    assert sorted(tags) == sorted([str(first), str(second)])
    run_id, _ = service.launch(RunSpec(selection="rates"))
    ended(service, run_id)
    (tick,) = ticks(service, "made")
    assert ended(service, tick.runs[0]).state == "succeeded"
    ticks(service, "told")
    assert names(service, "told") == [f"rates of {run_id}"]
    assert service.store.ticks(name="failed", outcome="launched") == []


def test_webhooks(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
@webhook_sensor(secret="hook")
def orders(event):
    for order in event["body"]["orders"]:
        yield RunRequest(run_key=str(order), job="one", params={"name": str(order)})
"""
    service = serve(tmp_path, text, open_service)
    (spec,) = service.locations.get("project").version().definitions.sensors
    body = json.dumps({"orders": [1, 2]}).encode()
    now = time.time()
    headers = {"X-Batuta-Timestamp": str(now), "X-Batuta-Signature": signature("s3", str(now), body)}
    for _ in range(2):
        accept_webhook(service.store, "project", spec, headers, body, now, secret="s3")
        service.wake("sensors")
    ticks(service, "orders")
    until(lambda: len(names(service, "orders")) == 2)
    assert names(service, "orders") == ["1", "2"]
    with pytest.raises(Refused, match="the signature is wrong"):
        accept_webhook(service.store, "project", spec, headers, b"{}", now, secret="s3")
    with pytest.raises(RequestError, match="takes no webhooks"):
        accept_webhook(service.store, "project", SensorSpec("x"), headers, body, now, secret="s3")


def test_a_sensor_is_turned_off_and_on_and_set_back(tmp_path: Path, trace: Path, open_service: Open) -> None:
    text = """
@sensor(job=one, every_s=0.1, enabled=False)
def counts(context):
    context.cursor = str(int(context.cursor or 0) + 1)
    return RunRequest(params={"name": context.cursor})
"""
    service = serve(tmp_path, text, open_service)
    until(lambda: service.store.tickers("sensor"))
    assert names(service, "counts") == []
    service.switch("sensor", "project", "counts", True)
    ticks(service, "counts", count=2)
    assert service.store.set_cursor("sensor", "project", "counts", "100", now=time.time())
    service.sensors.definitions_changed()
    service.wake("sensors")
    until(lambda: "101" in names(service, "counts"))
    service.switch("sensor", "project", "counts", False)
    assert not service.store.set_cursor("sensor", "project", "nosuch", "", now=1.0)
