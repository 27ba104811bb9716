"""`list`, `show`, `graph`, `lineage`: what is defined, and what is known of it."""

from __future__ import annotations

import json
import re
import time
import xml.etree.ElementTree as ET

import pytest

from batuta.cli import exits
from batuta.core.openlineage import read_event
from batuta.store import Store
from tests.cli.conftest import Cli

SVG = "{http://www.w3.org/2000/svg}"


def test_list_shows_jobs_assets_and_checks(cli: Cli) -> None:
    said = cli("list")
    for word in ("doubling", "settle", "0 6 * * *", "never ran", "gold.revenue", "missing", "not_empty", "blocking"):
        assert word in said.out
    cli("materialize", "--all", "-q")
    data = cli("list", "--json").json
    assert {job["name"] for job in data["jobs"]} >= {"doubling", "asking", "settle"}
    state = {row["key"]: row["state"] for row in data["assets"]}
    assert state["feed.rates"] == "external"
    assert state["bronze.rates"] == state["gold.revenue"] == "fresh"
    assert {row["check"]: row["passed"] for row in data["checks"]} == {
        "silver.payments:not_empty": True,
        "silver.payments:few": False,
    }


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (["layer:gold"], ["gold.revenue"]),
        (["assets", "+silver.payments,layer:bronze"], ["bronze.rates", "bronze.payments"]),
        (["missing,tag:pii"], ["bronze.payments"]),
        (["owner:ana@example.com"], ["bronze.rates"]),
    ],
)
def test_list_filters_by_selection(cli: Cli, words: list[str], keys: list[str]) -> None:
    assert [row["key"] for row in cli("list", *words, "--json").json["assets"]] == keys


def test_show_a_job(cli: Cli) -> None:
    cli("run", "doubling", "-q")
    said = cli("show", "doubling")
    for words in ("Doubles numbers and adds them up.", "pipelines/flows.py:", "count", "integer", "= 3", "last runs"):
        assert words in said.out
    said = cli("show", "settle")
    for words in ("At 06:00 every day", "3 steps", "reconcile"):
        assert words in said.out
    assert cli("show", "settle", "--json").json["steps"] == ["merchants", "export", "reconcile"]


def test_show_an_asset_and_why_it_is_stale(cli: Cli) -> None:
    cli("materialize", "--all", "-q")
    path = cli.folder / "pipelines" / "lake.py"
    path.write_text(path.read_text().replace("i * 1.5}", "i * 2.25}"))
    said = cli("show", "silver.payments")
    for words in ("stale", "upstream bronze.payments is stale", "not_empty", "made from", "gold.revenue", "17 rows"):
        assert words in said.out
    document = cli("show", "silver.payments", "--json").json
    assert document["downstream"] == ["gold.revenue"]
    assert document["stale"] == {"": ["upstream bronze.payments is stale"]}
    assert document["materializations"][0]["metadata"]["rows"] == 17


def test_show_a_check_and_an_unknown_name(cli: Cli) -> None:
    cli("materialize", "--all", "-q")
    assert "17 rows are more than a few" in cli("show", "silver.payments:few").out
    assert "did you mean 'gold.revenue'" in cli("show", "gold.revenu", code=exits.USAGE).err


def test_graph_in_each_format(cli: Cli) -> None:
    out = cli("graph").out
    order = [out.index(f"\n{layer}\n") for layer in ("sources", "bronze", "silver", "gold")]
    assert order == sorted(order)
    assert re.search("silver.payments +← bronze.payments, bronze.rates", out)
    assert "mapped" in cli("graph", "settle").out
    mermaid = cli("graph", "--format", "mermaid").out
    assert mermaid.startswith("flowchart LR")
    assert mermaid.count("-->") == 4
    dot = cli("graph", "settle", "--format", "dot").out
    assert '"merchants" -> "export";' in dot
    document = json.loads(cli("graph", "settle", "--format", "json").out)
    assert document["edges"] == [{"from": "merchants", "to": "export"}, {"from": "export", "to": "reconcile"}]
    cli("graph", "+silver.payments", "--format", "svg", "-o", "graph.svg")
    assert len(ET.parse(cli.folder / "graph.svg").findall(f".//{SVG}g[@data-id]")) == 4


def test_lineage_runs_through_assets_flows_and_dags(cli: Cli) -> None:
    cli("run", "report", "-q")
    out = cli("lineage", "gold.revenue").out
    above, _, below = out.partition("needed by")
    for name in ("silver.payments", "bronze.rates", "feed.rates"):
        assert name in above
        assert name not in below
    for name in ("settle:merchants", "settle:export", "exports.settlement", "report", "reports.daily"):
        assert name in below
    edges = {(e["from"], e["to"]) for e in cli("lineage", "--json").json["edges"]}
    assert ("gold.revenue", "report:") in edges
    assert ("report:", "reports.daily") in edges
    assert ("settle:export", "exports.settlement") in edges
    only = cli("lineage", "silver.payments", "--upstream", "--depth", "1", "--json").json
    assert {node["id"] for node in only["nodes"]} == {"silver.payments", "bronze.payments", "bronze.rates"}
    assert "has no lineage here" in cli("lineage", "nowhere", code=exits.USAGE).err


def test_lineage_as_a_picture_and_a_page(cli: Cli) -> None:
    cli("materialize", "--all", "-q")
    cli("lineage", "--svg", "lineage.svg", "--html", "lineage.html")
    picture = ET.parse(cli.folder / "lineage.svg")
    nodes = {node.get("data-id"): node.get("class", "") for node in picture.findall(f".//{SVG}g[@data-id]")}
    assert "fresh" in nodes["gold.revenue"]
    assert "external" in nodes["feed.rates"]
    assert "step" in nodes["settle:export"]
    lanes = [lane.get("class") for lane in picture.findall(f".//{SVG}g") if "lane" in (lane.get("class") or "")]
    assert lanes == ["lane outside", "lane bronze", "lane silver", "lane gold", "lane outside"]
    page = (cli.folder / "lineage.html").read_text()
    assert "shop · lineage" in page
    assert page.count("<svg") == 1
    assert "src=" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_names_cannot_break_out_of_the_page(bare: Cli) -> None:
    (bare.folder / "evil.py").write_text(
        "from batuta import asset\n"
        "@asset(key='bronze.a', layer='bronze', description='<script>alert(1)</script>\"', group='</text><g>')\n"
        "def a() -> int:\n    return 1\n"
    )
    bare("lineage", "evil.py", "--html", "page.html", "--svg", "picture.svg")
    assert "<script>alert" not in (bare.folder / "page.html").read_text()
    ET.parse(bare.folder / "picture.svg")


def test_what_runs_elsewhere_is_shown_with_ours(cli: Cli) -> None:
    said = {"eventTime": "2026-01-31T12:00:00Z", "producer": "urn:spark"}
    columns = {"currency": {"inputFields": [{"namespace": "ftp://bank", "name": "rates", "field": "code"}]}}
    facets = {"columnLineage": {"fields": columns}, "schema": {"fields": [{"name": "currency"}]}}
    event = {
        **said,
        "eventType": "FAIL",
        "run": {"runId": "00000000-0000-0000-0000-000000000007"},
        "job": {"namespace": "spark", "name": "load"},
        "inputs": [{"namespace": "ftp://bank", "name": "rates"}],
        "outputs": [{"namespace": "shop", "name": "feed.rates", "facets": facets}],
    }
    cli("db", "upgrade")
    with Store.open(cli("db", "info", "--json").json["location"]) as store:
        store.external.add([read_event(json.dumps(event).encode(), time.time())], now=time.time())
    out = cli("lineage", "bronze.rates", "--upstream").out
    assert [line.strip(" └├─│").partition("  ")[0] for line in out.splitlines()[2:]] == [
        *("feed.rates", "load", "ftp://bank/rates"),
    ]
    assert "code" in cli("lineage", "feed.rates.currency", "--upstream").out
    impact = cli("lineage", "ftp://bank/rates.code", "--impact", "--json").json
    assert [one["key"] for one in impact["assets"]][:2] == ["feed.rates", "bronze.rates"]
    listed = cli("list", "external")
    assert re.search(r"load +spark +failed", listed.out)
    (job,) = cli("list", "--json").json["external"]
    assert (job["name"], job["state"]) == ("load", "failed")
    assert "spark/load" in cli("runs", "external", "load").out
    (run,) = cli("runs", "external", "spark/load", "--json").json["runs"]
    assert run["id"] == "00000000-0000-0000-0000-000000000007"
    assert "spark/load" in cli("runs", "external", "spark/laod", code=exits.USAGE).err
    cli("lineage", "--svg", "lineage.svg")
    assert "ftp://bank/rates" in (cli.folder / "lineage.svg").read_text()
