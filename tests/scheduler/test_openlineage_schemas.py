"""Every lineage event that is sent, against the JSON schemas that OpenLineage publishes.

The schemas are in no package: the tests run where `OPENLINEAGE_SPEC` names the folder `spec` of a checkout of
https://github.com/OpenLineage/OpenLineage.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from batuta.scheduler.launching import RunSpec
from tests.engine.projects import until, write_project
from tests.scheduler.conftest import Open, ended
from tests.scheduler.receivers import Web, lineage_events, web_server

SPEC = os.environ.get("OPENLINEAGE_SPEC", "")
pytestmark = pytest.mark.skipif(
    not SPEC, reason="OPENLINEAGE_SPEC does not name the folder spec/ of a checkout of OpenLineage"
)
URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
LOGICAL_AT = 1_735_689_600.0
DAY_S = 86_400.0
FACETS = {
    "columnLineage",
    "dataQualityAssertions",
    "documentation",
    "errorMessage",
    "jobType",
    "nominalTime",
    "outputStatistics",
    "ownership",
    "parent",
    "processing_engine",
    "schema",
    "sourceCodeLocation",
    "sql",
    "symlinks",
    "tags",
    "version",
}
"""All that Batuta sends: what is missing here was not validated."""

STEPS = '''
import polars as pl
from batuta import CheckResult, asset, check, sql_asset
from batuta.partitions import daily

@asset("bronze.orders", owners=["ann@example.com"], layer="bronze", tags={"team": "growth"})
def orders() -> pl.DataFrame:
    """All orders."""
    return pl.DataFrame({"id": [1, 2], "amount": [3.5, 4.5], "tags": [["a"], []], "place": [{"x": 1}, {"x": 2}]})

@asset("silver.paid", owners=["bob", "team:data"], column_lineage={
    "amount": (orders, "amount", "identity"),
    "now": [],
    "sum": ["bronze.orders.amount", ("bronze.orders", "id")],
    "": ["bronze.orders.id"],
})
def paid(orders: pl.DataFrame) -> pl.DataFrame:
    return orders.select("amount", now=pl.lit(1), sum=pl.col("amount") + pl.col("id"))

revenue = sql_asset("gold.revenue", sql="""
    select amount, count(*) as n, sum(sum) as total from silver.paid where now = 1 group by amount order by amount
""")

@check(orders, blocking=True, description="There are some.")
def some(orders: pl.DataFrame) -> CheckResult:
    return CheckResult(len(orders) > 0, metadata={"rows": len(orders), "share": 0.5})

@check(orders)
def many(orders: pl.DataFrame) -> CheckResult:
    return CheckResult(len(orders) > 1_000, description="only 2 of them", metadata={"rows": len(orders)})

@asset(partitions=daily("2025-01-01", end="2025-01-03"))
def rates() -> pl.DataFrame:
    return pl.DataFrame({"rate": [1.1]})

@asset(partitions=daily("2025-01-01", end="2025-01-03"))
def copies(rates: pl.DataFrame) -> pl.DataFrame:
    return rates

@asset
def words() -> list[str]:
    return ["no", "table"]

@asset
def held() -> int:
    return 1

@check(held, blocking=True)
def is_never_right(held: int) -> bool:
    return False

@asset
def upon(held: int) -> int:
    return held

@task
def boom() -> None:
    raise ValueError("no rates: ünïcode \\x1b[31m")

with DAG("broken", owners=["bob"], description="Breaks."):
    boom()

@task
def say(text: str) -> str:
    return text

@flow
def inner(text: str) -> str:
    return say(text)

@flow
def outer(text: str = "hello") -> str:
    """Calls another."""
    return inner(text)
'''


class Schemas:
    """The schemas of a checkout. One that it has in another version only is taken for that one."""

    def __init__(self, folder: Path) -> None:
        found = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
        self._of = {schema["$id"]: schema for schema in found if "$id" in schema and "$defs" in schema}
        self._newest = {url.rpartition("/")[2]: self._of[url] for url in sorted(self._of)}
        self._registry: Registry[Any] = Registry(retrieve=self._resource)  # type: ignore[call-arg]
        self._formats = FormatChecker(("date-time", "uuid"))
        self._formats.checks("uri")(lambda text: not isinstance(text, str) or bool(URI.fullmatch(text)))

    def at(self, url: str) -> dict[str, Any]:
        """The schema of a URL, whatever fragment it has."""
        url = url.partition("#")[0]
        found: dict[str, Any] | None = self._of.get(url) or self._newest.get(url.rpartition("/")[2])
        assert found is not None, f"there is no {url} in {SPEC}"
        return found

    def errors(self, schema: dict[str, Any], value: Any) -> list[str]:
        """What is not valid about it, with its place."""
        validator = Draft202012Validator(schema, registry=self._registry, format_checker=self._formats)
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def _resource(self, url: str) -> Resource[Any]:
        return DRAFT202012.create_resource(self.at(url))


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas(Path(SPEC))


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


def facets_of(event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for part in (event["run"], event["job"], *event["inputs"], *event["outputs"]):
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield from part.get(kind, {}).items()


def ends_of_runs(events: list[dict[str, Any]]) -> set[str]:
    """The numbers of the runs (not: of their steps) of which all is told."""
    told = [event["run"] for event in events if event["eventType"] != "START"]
    return {run["runId"] for run in told if "processing_engine" in run["facets"]}


def invalid(schemas: Schemas, event: dict[str, Any]) -> Iterator[str]:
    """What is wrong with an event, and with each of its facets by its own schema."""
    where = f"{event['eventType']} of {event['job']['name']}"
    url = event["schemaURL"]
    assert url.endswith("/OpenLineage.json#/$defs/RunEvent")
    for schema in (schemas.at(url), {"$ref": url}):
        yield from (f"{where}: {error}" for error in schemas.errors(schema, event))
    for name, facet in facets_of(event):
        schema = schemas.at(facet["_schemaURL"])
        if name not in schema["properties"]:
            yield f"{where}: {name}: its schema names it {list(schema['properties'])}"
        yield from (f"{where}: {error}" for error in schemas.errors(schema, {name: facet}))


def test_what_is_wrong_is_found(schemas: Schemas) -> None:
    base = {"_producer": "urn:batuta:1", "_schemaURL": "https://openlineage.io/spec/facets/1-2-0/ParentRunFacet.json"}
    parent = {**base, "run": {"runId": "7"}, "job": {"namespace": "shop"}}
    job = {"namespace": "shop", "name": "one", "facets": {"paternal": base}}
    event = {
        "eventType": "START",
        "eventTime": "yesterday",
        "producer": "urn:not a uri",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"facets": {"parent": parent}},
        "job": job,
        "inputs": [],
        "outputs": [],
    }
    text = "\n".join(invalid(schemas, event))
    for wrong in (
        "$.eventTime: 'yesterday' is not a 'date-time'",
        "$.producer: 'urn:not a uri' is not a 'uri'",
        "$.run: 'runId' is a required property",
        "$.parent.run.runId: '7' is not a 'uuid'",
        "$.parent.job: 'name' is a required property",
        "paternal: its schema names it ['parent']",
    ):
        assert wrong in text


def test_every_event_is_valid(
    tmp_path: Path, trace: Path, open_service: Open, web: Web, schemas: Schemas, on_store: str
) -> None:
    service = open_service(write_project(tmp_path / "a shop", STEPS, f'[openlineage]\nurl = "{web.url}"\n'))
    until(lambda: service.store.tickers("openlineage"))
    specs = [
        RunSpec(selection="+gold.revenue", tags={"why": "a test"}),
        RunSpec(selection="rates copies", partition="2025-01-02"),
        RunSpec(selection="words held upon"),
        RunSpec(job="broken", logical_at=LOGICAL_AT, interval=(LOGICAL_AT, LOGICAL_AT + DAY_S)),
        RunSpec(job="outer", logical_at=LOGICAL_AT + 0.25),
    ]
    runs = [ended(service, service.launch(spec)[0]) for spec in specs]
    assert [run.state for run in runs] == ["succeeded", "succeeded", "failed", "failed", "succeeded"]
    service.wake("openlineage")
    count = len(service.store.runs(limit=100))
    until(lambda: len(ends_of_runs(lineage_events(web))) == count)
    events = lineage_events(web)
    assert [error for event in events for error in invalid(schemas, event)] == []
    assert {name for event in events for name, _ in facets_of(event)} == FACETS
    assert {event["eventType"] for event in events} >= {"START", "COMPLETE", "FAIL"}
