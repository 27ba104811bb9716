"""Airflow's own provider of OpenLineage, run against a real server.

Airflow is no dependency of ours, so it is opt-in: `AIRFLOW_ENVIRONMENT` names an environment with apache-airflow and
apache-airflow-providers-openlineage.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import httpx
import pytest

AIRFLOW = Path(os.environ.get("AIRFLOW_ENVIRONMENT", ""), "bin", "airflow")
DAG = """
from datetime import datetime

try:
    from airflow.sdk import DAG, task
except ImportError:
    from airflow import DAG
    from airflow.decorators import task
from openlineage.client.event_v2 import Dataset

with DAG("load", schedule=None, start_date=datetime(2026, 1, 1)):

    @task(inlets=[Dataset("kafka://broker:9092", "orders")], outlets=[Dataset("shop", "orders")])
    def extract():
        print("loading")

    @task
    def broken():
        raise ValueError("no rates")

    extract() >> broken()
"""

pytestmark = pytest.mark.skipif(
    "AIRFLOW_ENVIRONMENT" not in os.environ,
    reason="AIRFLOW_ENVIRONMENT names no environment with apache-airflow and apache-airflow-providers-openlineage",
)


@pytest.fixture
def store_url(sqlite_url: str) -> str:
    """One database is enough: what is tried is the client."""
    return sqlite_url


@pytest.mark.timeout(400)
def test_airflow_tells_of_its_dag(api: httpx.Client, tmp_path: Path) -> None:
    home = tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "dags" / "load.py").write_text(DAG)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "PATH": f"{AIRFLOW.parent}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__OPENLINEAGE__NAMESPACE": "airflow",
        "AIRFLOW__OPENLINEAGE__TRANSPORT": f'{{"type": "http", "url": "{api.base_url}"}}',
    }
    for words in ("db migrate", "dags test load"):
        command = [str(AIRFLOW), *words.split()]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180)
    jobs = {one["name"]: one for one in api.get("/api/v1/lineage/jobs").json()["items"]}
    assert {name: one["state"] for name, one in jobs.items()} == {
        "load": "failed",
        "load.extract": "succeeded",
        "load.broken": "failed",
    }, said.stdout + said.stderr
    graph = api.get("/api/v1/lineage", params={"of": "orders", "direction": "upstream"}).json()
    assert [node["id"] for node in graph["nodes"]] == [
        "airflow/load.extract:",
        "kafka://broker:9092/orders",
        "orders",
    ]
    whole = api.get(f"/api/v1/lineage/runs/{jobs['load']['run']}").json()
    assert {one["name"]: one["error"] for one in whole["children"]} == {"load.extract": "", "load.broken": "no rates"}
