"""Jobs, assets, lineage, checks, search: what is defined, and how it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from batuta.core.columns import Column
from batuta.core.definitions import AssetDep, AssetSpec, Definitions
from batuta.engine.workspace import Workspace
from batuta.runtime.project import Project
from batuta.store import Store
from tests.server.conftest import Serve, save_definitions
from tests.server.test_runs import get
from tests.store.samples import PLAN, new_run


@pytest.fixture
def made(workspace: Workspace) -> int:
    """A run that made everything."""
    run = workspace.start_plan(workspace.assets.plan("*").plan)
    run.wait(30)
    return run.id


def test_jobs_are_listed_filtered_and_paged(api: httpx.Client, workspace: Workspace) -> None:
    workspace.start_job("nightly").wait(30)
    page = get(api, "/jobs")
    assert [(job["name"], job["kind"], len(job["recent"])) for job in page["items"]] == [
        ("doubling", "flow", 0),
        ("nightly", "dag", 1),
    ]
    assert page["items"][0]["place"].startswith("shop.py:")
    first = get(api, "/jobs", limit=1, sort="-name")
    assert [job["name"] for job in first["items"]] == ["nightly"]
    rest = get(api, "/jobs", limit=1, sort="-name", cursor=first["next"])
    assert ([job["name"] for job in rest["items"]], rest["next"]) == (["doubling"], None)
    for expected, filters in (
        (["nightly"], {"tag": "team=growth"}),
        (["doubling"], {"kind": "flow"}),
        (["doubling"], {"text": "One By"}),
        (["nightly"], {"last": "failed"}),
        (["nightly", "doubling"], {"sort": "-last"}),
        ([], {"location": "elsewhere"}),
    ):
        assert [job["name"] for job in get(api, "/jobs", **filters)["items"]] == expected, filters


def test_a_job_tells_all_that_a_form_and_a_picture_need(api: httpx.Client, workspace: Workspace) -> None:
    job = get(api, "/jobs/doubling")
    assert job["params_schema"]["properties"]["numbers"]["default"] == [1, 2, 3]
    assert job["job"]["description"] == "Doubles numbers, *one by one*."
    graph = get(api, "/jobs/nightly/graph")
    assert ([node["key"] for node in graph["nodes"]], graph["complete"]) == (["extract", "load", "report"], True)
    source = get(api, "/jobs/nightly/source")
    assert "the printer is on fire" in source["text"]
    assert (source["file"], source["language"], source["changed"]) == ("shop.py", "python", None)
    answer = api.get("/api/v1/jobs/nitely")
    assert (answer.status_code, answer.json()["hint"]) == (404, "did you mean 'nightly'?")


def test_the_code_that_a_run_ran_is_shown_after_it_has_changed(
    api: httpx.Client, workspace: Workspace, store: Store, project: Project
) -> None:
    file = Path(project.root) / "shop.py"
    then = file.read_text()
    version = store.definitions()[0].hash
    store.keep_definitions("shop", version, store.definitions()[0].data, now=1.0)
    store.sources.keep("shop", version, {str(file): then}, now=1.0)
    run = _launched(store, job="nightly", kind="dag", version=version)
    made = _launched(store, job="materialize", kind="assets", version=version)
    assert get(api, f"/runs/{run}/source")["changed"] is False
    file.write_text(then.replace("on fire", "out of paper"))
    for path in (f"/runs/{run}/source", f"/jobs/nightly/source?run={run}", f"/runs/{made}/source?asset=revenue"):
        shown = api.get(f"/api/v1{path}").json()
        assert (shown["text"], shown["file"], shown["changed"]) == (then, "shop.py", True), path
        assert "as run" in shown["note"], path
    assert "out of paper" in get(api, "/jobs/nightly/source")["text"]
    assert "def revenue" in get(api, "/assets/revenue/source", run=made)["text"]
    file.unlink()
    gone = get(api, "/jobs/nightly/source")
    assert gone["text"] == then, "the version that serves is still known"
    assert "does not have the file" in gone["note"]
    by_script = _launched(store, job="nightly", kind="dag")
    assert "not known" in get(api, f"/runs/{by_script}/source")["note"]
    assert api.get(f"/api/v1/runs/{run}/source?asset=nothing").status_code == 404
    assert api.get("/api/v1/jobs/nightly/source?run=99").status_code == 404


def test_so_is_that_of_a_run_started_without_a_service(
    api: httpx.Client, workspace: Workspace, store: Store, project: Project
) -> None:
    file = Path(project.root) / "shop.py"
    then = file.read_text()
    run = workspace.start_job("nightly")
    run.wait(30)
    made = workspace.start_plan(workspace.assets.plan("revenue").plan)
    file.write_text(then.replace("on fire", "out of paper"))
    for path in (f"/runs/{run.id}/source", f"/runs/{made.id}/source?asset=revenue"):
        shown = api.get(f"/api/v1{path}").json()
        assert (shown["text"], shown["changed"]) == (then, True), shown["note"]
    assert get(api, f"/runs/{run.id}")["run"]["version"]


def _launched(store: Store, **fields: Any) -> int:
    return store.create_run(new_run(location="shop", **fields), PLAN, owner="", lease_s=1.0, now=2.0).id


def test_a_grid_durations_and_a_calendar_of_runs(api: httpx.Client, workspace: Workspace) -> None:
    ids = [workspace.start_job("nightly") for _ in range(3)]
    for run in ids:
        run.wait(30)
    grid = get(api, "/jobs/nightly/grid", limit=2)
    assert [run["id"] for run in grid["runs"]] == [ids[2].id, ids[1].id]
    assert {(cell["step"], cell["state"]) for cell in grid["cells"]} == {
        ("extract", "succeeded"),
        ("load", "succeeded"),
        ("report", "failed"),
    }
    older = get(api, "/jobs/nightly/grid", limit=2, cursor=grid["next"])
    assert ([run["id"] for run in older["runs"]], older["next"]) == ([ids[0].id], None)
    durations = get(api, "/jobs/nightly/durations")
    assert (len(durations["items"]), durations["median_s"]) == (3, None)
    (day,) = get(api, "/jobs/nightly/calendar")["days"]
    assert (day["counts"], day["run"]) == ({"failed": 3}, ids[2].id)


def test_assets_are_listed_by_any_filter(api: httpx.Client, made: int) -> None:
    for expected, filters in (
        (["orders", "revenue"], {}),
        (["revenue"], {"layer": "gold"}),
        (["orders"], {"selection": "+orders"}),
        (["revenue"], {"owner": "finance@shop.example"}),
        (["orders", "revenue"], {"state": "fresh"}),
        ([], {"state": ["stale", "missing"]}),
        (["revenue", "orders"], {"sort": "-layer"}),
        (["orders"], {"text": "ORDERED"}),
        ([], {"failing": True}),
    ):
        assert [asset["key"] for asset in get(api, "/assets", **filters)["items"]] == expected, filters
    answer = api.get("/api/v1/assets", params={"selection": "layer:("})
    assert (answer.status_code, answer.json()["title"]) == (422, "Invalid selection")


def test_an_asset_tells_of_partitions_history_and_numbers(api: httpx.Client, made: int) -> None:
    asset = get(api, "/assets/orders")
    assert (asset["downstream"], asset["partitions"]) == (["revenue"], "daily from 2026-01-01 to 2026-01-11")
    assert asset["asset"]["counts"] == {"fresh": 10}
    cells = get(api, "/assets/orders/partition-map", cells=3)
    assert [cell["count"] for cell in cells["cells"][0]] == [4, 4, 2]
    assert cells["counts"] == {"fresh": 10}
    page = get(api, "/assets/orders/partitions", limit=4, sort="-key")
    assert [one["key"] for one in page["items"]][:2] == ["2026-01-10", "2026-01-09"]
    rest = get(api, "/assets/orders/partitions", limit=100, sort="-key", cursor=page["next"])
    assert (len(rest["items"]), rest["items"][-1]["run"]) == (6, made)
    history = get(api, "/assets/orders/materializations", partition="2026-01-03")
    assert [(one["partition"], one["run"]) for one in history["items"]] == [("2026-01-03", made)]
    assert get(api, "/assets/revenue/checks")["items"][0]["passed"]
    used = get(api, "/assets/orders/usage")
    assert (used["reads"], [(one["kind"], one["reader"]) for one in used["readers"]]) == (1, [("asset", "revenue")])
    assert (used["readers"][0]["last_run"], [one["reads"] for one in used["days"]]) == (made, [1])
    assert get(api, "/assets/revenue/usage") == {"reads": 0, "last_at": None, "readers": [], "days": []}
    for path in ("series", "schema-changes", "preview", "source"):
        get(api, f"/assets/revenue/{path}")
    assert len(get(api, f"/runs/{made}/materializations")) == 11
    assert len(get(api, f"/runs/{made}/checks")) == 1


def test_what_is_stale_says_why(api: httpx.Client, made: int, workspace: Workspace) -> None:
    plan = api.post("/api/v1/assets/plan", json={"selection": "*", "mode": "stale"}).json()
    assert (plan["make"], plan["fresh"]) == ([], ["orders", "revenue"])
    answer = api.post("/api/v1/runs", json={"selection": "*", "mode": "stale"})
    assert (answer.status_code, "fresh" in answer.json()["hint"]) == (422, True)


def test_checks_are_listed_with_their_verdicts(api: httpx.Client, made: int) -> None:
    (check,) = get(api, "/checks")["items"]
    assert (check["asset"], check["name"], check["passed"], check["layer"]) == ("revenue", "is_positive", True, "gold")
    assert get(api, "/checks", passed=False)["items"] == []
    assert len(get(api, "/checks/results", asset="revenue")["items"]) == 1
    (day,) = get(api, "/checks/quality")
    told = [day[name] for name in ("layer", "evaluated", "passed", "warned", "failed", "unknown")]
    assert told == ["gold", 1, 1, 0, 0, 0]
    assert len(get(api, "/checks/quality", asset="revenue", check="is_positive")) == 1
    assert get(api, "/checks/quality", check="is_negative") == []


def test_the_lineage_of_all_locations_is_one_graph(api: httpx.Client, workspace: Workspace, store: Store) -> None:
    elsewhere = Definitions(
        location="reports",
        assets=(
            AssetSpec(key="revenue", external=True),
            AssetSpec(key="board/report", step="board/report", deps=(AssetDep("revenue"),)),
        ),
    )
    save_definitions(store, elsewhere)
    graph = _soon(api, "/lineage", lambda found: len(found["nodes"]) == 3)
    names = [node["id"] for node in graph["nodes"]]
    edges = {(names[a], names[b]) for a, b in zip(graph["sources"], graph["targets"], strict=True)}
    assert edges == {("orders", "revenue"), ("revenue", "board/report")}
    assert {node["id"]: node["location"] for node in graph["nodes"]}["revenue"] == "shop"
    around = get(api, "/lineage", of="revenue", direction="upstream")
    assert {node["id"] for node in around["nodes"]} == {"orders", "revenue"}
    assert get(api, "/assets/board%2Freport")["upstream"] == ["revenue"]


def test_anything_is_found_by_words(api: httpx.Client, made: int) -> None:
    def found(text: str, **more: Any) -> list[tuple[str, str]]:
        return [(one["kind"], one["id"]) for one in get(api, "/search", q=text, **more)["items"]]

    assert found("revenue")[0] == ("asset", "revenue")
    assert ("check", "revenue:is_positive") in found("revenue positive")
    assert found("one by one") == [("job", "doubling")]
    assert found(str(made)) == [("run", str(made))]
    assert found("nightly", kind="asset") == []
    assert found("nothing like it") == []


def test_a_location_tells_what_is_wrong_with_it(api: httpx.Client, store: Store) -> None:
    store.fail_definitions("shop", "shop.py:1: SyntaxError", now=2.0)
    location = _soon(api, "/locations/shop", lambda found: found["error"] != "")
    assert (location["jobs"], location["assets"], location["error"]) == (2, 2, "shop.py:1: SyntaxError")
    assert [one["name"] for one in get(api, "/locations")["items"]] == ["shop"]
    assert api.post("/api/v1/locations/shop/reload").status_code == 202
    assert api.get("/api/v1/locations/shp").json()["hint"] == "did you mean 'shop'?"


def _soon(api: httpx.Client, path: str, holds: Any) -> Any:
    """The answer, once it holds: what is defined is looked at a few times a second."""
    until = time.monotonic() + 30.0
    while time.monotonic() < until:
        found = get(api, path)
        if holds(found):
            return found
    raise AssertionError(msgspec.json.encode(found).decode())


def test_assets_are_found_by_their_columns(serve: Serve, project: Project, store: Store) -> None:
    project.make_home()
    columns = (Column("customer_id", "int64", "Who has bought."), Column("amount"))
    save_definitions(store, Definitions(location="shop", assets=(AssetSpec(key="orders", step="o", columns=columns),)))
    api = serve()
    for text, found in (("CUSTOMER_ID", ["orders"]), ("bought orders", ["orders"]), ("vendor_id", [])):
        assert [one["id"] for one in get(api, "/search", q=text)["items"]] == found, text


def test_the_glossary_says_what_assets_are_about(api: httpx.Client, made: int, store: Store) -> None:
    sales, turnover = get(api, "/glossary")
    assert (sales["name"], sales["owner"], sales["assets"], sales["columns"]) == ("Sales", "finance", ["revenue"], [])
    assert (turnover["meaning"], turnover["assets"]) == ("Refunds, and what was refunded of them.", [])
    assert [one["name"] for one in get(api, "/glossary", text="REFUND")] == ["turnover"]
    (term,) = get(api, "/assets/revenue")["terms"]
    assert (term["name"], term["itself"], term["columns"]) == ("Sales", True, [])
    found = [(one["kind"], one["id"]) for one in get(api, "/search", q="sales")["items"]]
    assert found == [("term", "Sales"), ("asset", "revenue")]

    told = (Column("refunds", tags=("term:turnover",)), Column("revenue"))
    other = Definitions(location="more", assets=(AssetSpec(key="board", step="board", columns=told),))
    save_definitions(store, other)
    terms = _soon(api, "/glossary", lambda terms: terms[1]["columns"])
    assert [one["columns"] for one in terms] == [
        [{"asset": "board", "column": "revenue"}],
        [{"asset": "board", "column": "refunds"}],
    ]
