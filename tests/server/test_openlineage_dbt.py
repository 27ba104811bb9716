"""dbt-ol, the dbt of OpenLineage, run against a real server: its models stand in our graph, down to columns."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import httpx
import pytest

from batuta.runtime.project import Project, find_project
from tests.bridges.lake import DBT_PYTHON

DBT_OL = DBT_PYTHON / "bin" / "dbt-ol"
FILES = {
    "dbt_project.yml": "name: jaffle\nversion: '1.0'\nprofile: jaffle\n",
    "profiles.yml": "jaffle: {target: dev, outputs: {dev: {type: duckdb, path: warehouse.duckdb, threads: 1}}}\n",
    "models/orders.sql": "select 1 as id, 250 as cents",
    "models/revenue.sql": "select sum(cents) as total from {{ ref('orders') }}",
    "models/broken.sql": "select nothing from {{ ref('orders') }}",
}

pytestmark = pytest.mark.skipif(
    not DBT_OL.exists(), reason=f"there is no {DBT_OL}: install openlineage-dbt and dbt-duckdb in {DBT_PYTHON.name}"
)


@pytest.fixture
def project(project: Project) -> Project:
    """With a rule about the tables of the warehouse."""
    with open(f"{project.root}/batuta.toml", "a") as file:
        file.write('[[openlineage.datasets]]\nnamespace = "duckdb://*"\nname = "warehouse.main.*"\nasset = "*"\n')
    return find_project(project.root)


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One database is enough: what is tried is the client."""
    return sqlite_url


@pytest.mark.timeout(300)
def test_dbt_tells_of_its_models(api: httpx.Client, tmp_path: Path) -> None:
    folder = tmp_path / "jaffle"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    environment = {
        **os.environ,
        "PATH": f"{DBT_OL.parent}{os.pathsep}{os.environ['PATH']}",
        "OPENLINEAGE_URL": str(api.base_url),
        "OPENLINEAGE_NAMESPACE": "dbt",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    command = [str(DBT_OL), "run", "--profiles-dir", "."]
    ended = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert "events" in ended.stderr, ended.stdout + ended.stderr

    jobs = {one["name"]: one for one in api.get("/api/v1/lineage/jobs").json()["items"]}
    states = {name.removeprefix("warehouse.main.jaffle."): one["state"] for name, one in jobs.items()}
    assert states == {
        "dbt-run-jaffle": "failed",
        "orders": "succeeded",
        "revenue": "succeeded",
        "broken": "failed",
    }
    graph = api.get("/api/v1/lineage", params={"of": "revenue"}).json()
    node = {one["id"]: one for one in graph["nodes"]}["revenue"]
    assert (node["kind"], node["location"]) == ("asset", "shop"), "the model is the asset of ours, by the rule"
    columns = api.get("/api/v1/lineage/columns", params={"of": "revenue.total"}).json()
    assert [(one["asset"], one["column"]) for one in columns["nodes"]] == [("revenue", "total"), ("orders", "cents")]
    whole = api.get(f"/api/v1/lineage/runs/{jobs['dbt-run-jaffle']['run']}").json()
    assert {one["name"].rpartition("jaffle.")[2] for one in whole["children"]} == {
        "orders",
        "revenue",
        "broken",
    }
    broken = api.get(f"/api/v1/lineage/runs/{jobs['warehouse.main.jaffle.broken']['run']}").json()
    assert broken["parent"]["name"] == "dbt-run-jaffle"
