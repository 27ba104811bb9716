"""The receiving end of OpenLineage, spoken to by its own client over HTTP."""

from __future__ import annotations

import gzip
import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from openlineage.client import OpenLineageClient
from openlineage.client import event_v2 as ol
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    documentation_job,
    error_message_run,
    output_statistics_output_dataset,
    parent_run,
    schema_dataset,
)

from batuta.engine.workspace import Workspace
from batuta.runtime.project import Project
from batuta.server.accounts import Accounts
from batuta.server.bodies import BODY_BYTES_MAX
from batuta.store import Store
from tests.core.lineage_events import NOW, RUN, dataset, facet, run_event
from tests.server.conftest import Serve
from tests.server.test_security_accounts import Token, accounts, clock, token

__all__ = ["accounts", "clock", "token"]

SPARK = "https://github.com/OpenLineage/OpenLineage/tree/1.54/integration/spark"
PATH = "/api/v1/lineage"
Configure = Callable[[str], None]


@pytest.fixture
def project(project: Project) -> Project:
    """With a rule about datasets."""
    with open(f"{project.root}/batuta.toml", "a") as file:
        file.write('[[openlineage.datasets]]\nnamespace = "s3://lake"\nname = "bronze/*"\nasset = "*"\n')
    from batuta.runtime.project import find_project

    return find_project(project.root)


@pytest.fixture
def client(api: httpx.Client) -> OpenLineageClient:
    """The standard client, sending to the server."""
    return OpenLineageClient(config={"transport": {"type": "http", "url": str(api.base_url), "compression": "gzip"}})


def said(kind: ol.RunState, at: str, run: ol.Run, job: ol.Job, inputs: Any = (), outputs: Any = ()) -> ol.RunEvent:
    return ol.RunEvent(
        eventTime=at, producer=SPARK, run=run, job=job, eventType=kind, inputs=list(inputs), outputs=list(outputs)
    )


def column(name: str, *sources: tuple[str, str, str]) -> dict[str, column_lineage_dataset.Fields]:
    how = [column_lineage_dataset.Transformation("DIRECT", "TRANSFORMATION")]
    return {name: column_lineage_dataset.Fields([column_lineage_dataset.InputField(*one, how) for one in sources])}


def told_by_spark(client: OpenLineageClient, run_id: str = RUN, at: str = "2026-01-31T12:0{}:00Z") -> None:
    """A Spark job that loads `orders`, our own asset, from Kafka."""
    fields = schema_dataset.SchemaDatasetFacetFields
    job = ol.Job("spark", "load_orders", {"documentation": documentation_job.DocumentationJobFacet("Loads orders.")})
    above = parent_run.ParentRunFacet(parent_run.Run(str(uuid.UUID(int=1))), parent_run.Job("airflow", "nightly.load"))
    run = ol.Run(run_id, {"parent": above})
    raw = ol.InputDataset(
        "kafka://broker:9092",
        "orders",
        facets={
            "schema": schema_dataset.SchemaDatasetFacet([schema_dataset.SchemaDatasetFacetFields("amount", "int")])
        },
    )
    made = ol.OutputDataset(
        "s3://lake",
        "bronze/orders",
        {"outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(1000, 4096)},
        facets={
            "schema": schema_dataset.SchemaDatasetFacet([fields("cents", "bigint", "In cents.")]),
            "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(
                column("cents", ("kafka://broker:9092", "orders", "amount"))
            ),
        },
    )
    client.emit(said(ol.RunState.COMPLETE, at.format(5), run, job, outputs=[made]))  # before its start
    client.emit(said(ol.RunState.START, at.format(0), run, job, inputs=[raw]))
    client.emit(said(ol.RunState.START, at.format(0), run, job, inputs=[raw]))


def test_a_spark_job_stands_in_our_graph(api: httpx.Client, client: OpenLineageClient) -> None:
    told_by_spark(client)
    graph = api.get(PATH, params={"of": "revenue"}).json()
    nodes = {node["id"]: node for node in graph["nodes"]}
    edges = {
        (graph["nodes"][up]["id"], graph["nodes"][down]["id"])
        for up, down in zip(graph["sources"], graph["targets"], strict=True)
    }
    job = nodes["spark/load_orders:"]
    assert edges == {
        ("kafka://broker:9092/orders", job["id"]),
        (job["id"], "orders"),
        ("orders", "revenue"),
    }
    assert (job["kind"], job["label"], job["group"], job["location"]) == ("job", "load_orders", "spark", "openlineage")
    assert (job["state"], job["external"], job["materialized_at"]) == ("succeeded", True, 1769860800.0)
    assert nodes["orders"]["kind"] == "asset"
    assert nodes["kafka://broker:9092/orders"]["kind"] == "dataset"

    (listed,) = api.get(f"{PATH}/jobs").json()["items"]
    assert (listed["namespace"], listed["name"], listed["producer"]) == ("spark", "load_orders", SPARK)
    detail = api.get(f"{PATH}/jobs/{job['elsewhere']}").json()
    assert (detail["description"], detail["states"]) == ("Loads orders.", {"succeeded": 1})
    assert [one["asset"] for one in detail["inputs"]] == ["kafka://broker:9092/orders"]
    assert [one["asset"] for one in detail["outputs"]] == ["orders"]

    (run,) = api.get(f"{PATH}/runs", params={"job": job["elsewhere"]}).json()["items"]
    assert (run["id"], run["began_at"], run["ended_at"]) == (RUN, "2026-01-31T12:00:00Z", "2026-01-31T12:05:00Z")
    whole = api.get(f"{PATH}/runs/{RUN.upper()}").json()
    assert [(one["asset"], one["rows"], one["bytes"]) for one in whole["outputs"]] == [("orders", 1000, 4096)]
    assert whole["parent"] == {
        "run": str(uuid.UUID(int=1)),
        "namespace": "airflow",
        "name": "nightly.load",
        "is_known": False,
    }
    table = api.get(f"{PATH}/datasets/{nodes['orders']['elsewhere']}").json()
    assert (table["asset"], table["defined"]) == ("orders", True)
    assert [one["name"] for one in table["writers"]] == ["load_orders"]
    assert table["columns"] == [{"name": "cents", "type": "bigint", "description": "In cents."}]


def test_columns_lead_into_what_runs_elsewhere(api: httpx.Client, client: OpenLineageClient) -> None:
    told_by_spark(client)
    found = api.get(f"{PATH}/columns", params={"of": "orders.cents"}).json()
    assert [(one["asset"], one["column"], one["location"]) for one in found["nodes"]] == [
        ("orders", "cents", "shop"),
        ("kafka://broker:9092/orders", "amount", "openlineage"),
    ]
    assert found["kinds"] == ["transformed"]
    affected = api.get(f"{PATH}/impact", params={"of": "kafka://broker:9092/orders.amount"}).json()
    assert [(one["key"], one["how"], one["via"]) for one in affected["assets"]] == [
        ("orders", "values", ["kafka://broker:9092/orders"]),
        ("revenue", "unknown", ["orders"]),
    ]


def test_runs_are_linked_to_what_started_them(api: httpx.Client, client: OpenLineageClient) -> None:
    told_by_spark(client)
    above = ol.Run(str(uuid.UUID(int=1)), {"errorMessage": error_message_run.ErrorMessageRunFacet("no room", "java")})
    client.emit(said(ol.RunState.FAIL, "2026-01-31T12:06:00Z", above, ol.Job("airflow", "nightly.load")))
    whole = api.get(f"{PATH}/runs/{uuid.UUID(int=1)}").json()
    assert [one["id"] for one in whole["children"]] == [RUN]
    assert (whole["state"], whole["error"]) == ("failed", "no room")
    assert api.get(f"{PATH}/runs/{RUN}").json()["parent"]["is_known"]
    assert [one["id"] for one in api.get(f"{PATH}/runs", params={"parent": str(uuid.UUID(int=1))}).json()["items"]] == [
        RUN
    ]


def test_jobs_and_datasets_may_be_told_of_without_a_run(api: httpx.Client, client: OpenLineageClient) -> None:
    at = "2026-01-31T12:00:00Z"
    client.emit(
        ol.JobEvent(eventTime=at, producer=SPARK, job=ol.Job("n", "j"), outputs=[ol.OutputDataset("s3://b", "t")])
    )
    client.emit(ol.DatasetEvent(eventTime=at, producer=SPARK, dataset=ol.StaticDataset("s3://b", "t")))
    (job,) = api.get(f"{PATH}/jobs").json()["items"]
    assert (job["state"], job["run"], job["run_at"], job["writes"]) == ("", "", None, 1)
    assert {node["id"] for node in api.get(PATH, params={"of": "s3://b/t"}).json()["nodes"]} == {"n/j:", "s3://b/t"}


def test_a_run_that_is_not_heard_of_any_more_is_lost(api: httpx.Client) -> None:
    assert api.post(PATH, json=run_event("START", 1_769_860_800.0, outputs=[dataset("t")])).status_code == 200
    (run,) = api.get(f"{PATH}/runs").json()["items"]
    (job,) = api.get(f"{PATH}/jobs").json()["items"]
    (node,) = (one for one in api.get(PATH).json()["nodes"] if one["kind"] == "job")
    assert run["state"] == job["state"] == node["state"] == "lost"


def test_a_list_of_events_is_taken_but_for_those_that_are_wrong(api: httpx.Client) -> None:
    bad = run_event(at=1.0, run="7")
    answer = api.post(f"{PATH}/batch", json=[run_event(at=1.0), bad, {**run_event(at=2.0), "job": 3}])
    assert answer.status_code == 200
    assert answer.json() == {
        "taken": 1,
        "ignored": 0,
        "refused": [
            {"index": 1, "pointer": "/run/runId", "detail": "'7' is no UUID"},
            {"index": 2, "pointer": "/job", "detail": "expected `object | null`, got `int`"},
        ],
    }
    none = api.post(f"{PATH}/batch", json=[bad])
    assert (none.status_code, none.json()["errors"]) == (
        422,
        [{"pointer": "/0/run/runId", "detail": "'7' is no UUID"}],
    )
    assert api.post(f"{PATH}/batch", json=[]).json()["taken"] == 0
    assert api.post(f"{PATH}/batch", json=[{}] * 1_001).status_code == 413


WRONG = (
    (b'{"eventTime": 3}', 422, "/eventTime: expected `datetime`, got `int`"),
    (json.dumps(run_event(at=1.0, run="x")).encode(), 422, "/run/runId: 'x' is no UUID"),
    (b"[]", 422, "the event: expected `object`, got `array`"),
    (b"{", 400, "the event: it is no JSON: Input data was truncated"),
    (b"", 400, "the event: it is no JSON: Input data was truncated"),
    (b'{"a": "\\u0000"}', 400, "there is a NUL in it"),
    (json.dumps(run_event(at=1.0, name="\ud800")).encode(), 400, "it is no JSON"),
    (b'{"a": ' * 200 + b"1" + b"}" * 200, 400, "nested more than 100 deep"),
    (b"x" * (BODY_BYTES_MAX + 1), 413, "a request has at most 10 MB"),
    (b"x" * (3 * BODY_BYTES_MAX), 413, "a request has at most 10 MB"),
)


def test_what_is_wrong_is_refused_with_the_reason(api: httpx.Client, store: Store) -> None:
    for body, status, detail in WRONG:
        answer = api.post(PATH, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status, body[:50]
        assert detail in answer.json()["detail"]
    assert store.external.heard() == ((0.0, 0), (0.0, 0)), "nothing is half written"


def test_what_is_compressed_is_as_large_as_it_is(api: httpx.Client) -> None:
    def sent(body: bytes, encoding: str = "gzip") -> httpx.Response:
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        return api.post(PATH, content=body, headers=headers)

    body = json.dumps(run_event(at=1.0)).encode()
    assert sent(gzip.compress(body)).json()["taken"] == 1
    bomb = gzip.compress(b'{"a": "' + b"x" * (20 << 20) + b'"}')
    assert len(bomb) < 100_000
    assert sent(bomb).status_code == 413
    for broken in (body, gzip.compress(body)[:-9], b""):
        answer = sent(broken)
        assert (answer.status_code, "not what gzip makes" in answer.json()["detail"]) == (400, True)
    assert sent(body, "br").status_code == 415


def test_what_this_installation_sends_itself_is_not_kept(api: httpx.Client) -> None:
    own = {**run_event(at=1.0, namespace="shop"), "producer": "urn:batuta:1.0"}
    assert api.post(PATH, json=own).json() == {"taken": 0, "ignored": 1, "refused": []}
    other = {**own, "job": {"namespace": "warehouse", "name": "j"}}
    assert api.post(PATH, json=other).json()["taken"] == 1
    assert [one["namespace"] for one in api.get(f"{PATH}/jobs").json()["items"]] == ["warehouse"]


def test_a_token_for_events_may_do_nothing_else(
    serve: Serve, accounts: Accounts, token: Token, workspace: Workspace
) -> None:
    api = serve(accounts)
    event = run_event(at=NOW - 300 * 86_400.0, outputs=[dataset("bronze/orders"), dataset("t")])
    assert api.post(PATH, json=event).status_code == 401
    for name, status in (("bob", 403), ("vic", 403), ("deploy", 200), ("ada", 200)):
        assert api.post(PATH, json=event, headers=token(name)).status_code == status, name
    spark = token("deploy", {"openlineage": "operator", "*": "none"})
    key = spark["Authorization"].removeprefix("Bearer ")
    transport = {"type": "http", "url": str(api.base_url), "auth": {"type": "api_key", "apiKey": key}}
    told_by_spark(OpenLineageClient(config={"transport": transport}))
    assert api.post("/api/v1/runs", json={"job": "nightly"}, headers=spark).status_code == 403
    seen = {node["id"] for node in api.get(PATH, headers=spark).json()["nodes"]}
    assert "s3://lake/t" in seen
    assert seen.isdisjoint({"orders", "revenue"}), "nor may it look at what is ours"
    theirs = {node["id"] for node in api.get(PATH, headers=token("bob")).json()["nodes"]}
    assert theirs == {"orders", "revenue"}, "whose role is at other locations sees nothing of it"
    assert api.get(f"{PATH}/jobs", headers=token("bob")).status_code == 403


def test_pages_of_jobs_and_runs(api: httpx.Client) -> None:
    for n in range(5):
        run = str(uuid.UUID(int=n))
        assert api.post(PATH, json=run_event(at=float(n), run=run, name=f"job {n}")).status_code == 200
    for path, by in (("jobs", "name"), ("runs", "name")):
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            params: dict[str, str | int] = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = api.get(f"{PATH}/{path}", params=params).json()
            found += [one[by] for one in page["items"]]
            cursor = page["next"]
        assert found == [f"job {n}" for n in (4, 3, 2, 1, 0)], path
    assert [one["name"] for one in api.get(f"{PATH}/jobs", params={"text": "B 3"}).json()["items"]] == ["job 3"]
    for path in ("jobs/0", "runs/0", "datasets/0"):
        assert api.get(f"{PATH}/{path}").status_code == 404, path


def test_facets_of_others_are_shown_as_they_are(api: httpx.Client) -> None:
    facets = {"spark.logicalPlan": facet(plan=[{"class": "Join"}])}
    assert api.post(PATH, json=run_event(at=1.0, run_facets=facets, job_facets=facets)).status_code == 200
    plan = {"spark.logicalPlan": {"plan": [{"class": "Join"}]}}
    assert api.get(f"{PATH}/runs/{RUN}").json()["facets"] == plan
    (job,) = api.get(f"{PATH}/jobs").json()["items"]
    assert api.get(f"{PATH}/jobs/{job['key']}").json()["facets"] == plan
