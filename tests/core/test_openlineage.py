"""Reading OpenLineage events: what the standard has, what it has not, and what is said of that."""

from __future__ import annotations

from typing import Any

import pytest

from batuta.core.openlineage import (
    FACET_BYTES_MAX,
    NAME_CHARS,
    EventError,
    Source,
    columns_of,
    key_of,
    lineage_of,
    parent_of,
    read_batch,
    read_event,
    symlinks_of,
)
from tests.core.lineage_events import NOW, RUN, dataset, facet, moment, read, run_event, schema


def test_a_run_event_is_read() -> None:
    event = read(
        run_event(
            "COMPLETE",
            NOW - 0.25,
            run=RUN.upper(),
            inputs=[dataset("orders", schema=schema("id"))],
            outputs=[{**dataset("revenue"), "outputFacets": {"outputStatistics": facet(rowCount=3)}}],
            run_facets={"spark_version": facet(version="3.5")},
        )
    )
    assert (event.kind, event.type, event.at, event.run_id) == ("run", "COMPLETE", NOW - 0.25, RUN)
    assert event.job == key_of("spark", "etl.daily") != key_of("spark.etl", "daily")
    assert event.run_facets["spark_version"]["version"] == "3.5", "facets that nobody knows are kept"
    (read_, (written,)) = event.inputs[0], event.outputs
    assert read_.facets["schema"]["fields"] == [{"name": "id", "type": "bigint"}]
    assert written.io_facets["outputStatistics"]["rowCount"] == 3


def test_job_and_dataset_events_are_read() -> None:
    job: dict[str, Any] = {
        "eventTime": moment(NOW),
        "job": {"namespace": "n", "name": "j", "facets": None},
        "inputs": [dataset("a")],
    }
    assert [read(job).kind, read(job).inputs[0].name, read(job).type] == ["job", "a", "OTHER"]
    told = read({"eventTime": "2027-01-15T07:59:59.123456789", "dataset": dataset("a")})
    assert (told.kind, told.outputs[0].name, told.job) == ("dataset", "a", "")
    assert round(told.at - NOW, 3) == -0.877, "a time without a zone is UTC, and may have nanoseconds"


@pytest.mark.parametrize(
    ("change", "pointer", "detail"),
    [
        ({"eventTime": None}, "/eventTime", "expected `datetime`, got `null`"),
        ({"eventTime": "yesterday"}, "/eventTime", "invalid RFC3339"),
        ({"eventTime": "9999-01-01T00:00:00Z"}, "/eventTime", "more than a day ahead"),
        ({"eventType": "DONE"}, "/eventType", "invalid enum value 'DONE'"),
        ({"run": {"runId": "1"}}, "/run/runId", "'1' is no UUID"),
        ({"run": {}}, "/run/runId", "it is missing"),
        ({"run": None}, "/run", "it is missing"),
        ({"job": None}, "/job", "it is missing"),
        ({"job": {"namespace": "n"}}, "/job/name", "it is missing"),
        ({"job": {"namespace": " ", "name": "j"}}, "/job/namespace", "it is empty"),
        ({"job": {"namespace": "n", "name": "j" * (NAME_CHARS + 1)}}, "/job/name", "2,001 characters"),
        ({"inputs": {}}, "/inputs", "expected `array | null`, got `object`"),
        ({"outputs": [dataset("a"), {"namespace": "n"}]}, "/outputs/1/name", "it is missing"),
        ({"outputs": [{"namespace": "n", "name": ""}]}, "/outputs/0/name", "it is empty"),
        ({"run": None, "job": None, "eventType": None}, "", "neither a run"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: dict[str, Any], pointer: str, detail: str) -> None:
    with pytest.raises(EventError) as caught:
        read({**run_event(), **change})
    assert caught.value.pointer == pointer
    assert detail in caught.value.detail


def test_what_is_no_json_is_told_from_what_is_no_event() -> None:
    for body in (
        b"",
        b"{",
        b'{"producer": "\xff"}',
        b'{"run": {"facets": ' + b'{"a": ' * 5_000,
        rb'{"producer": "\ud800"}',
    ):
        with pytest.raises(EventError) as caught:
            read_event(body, NOW)
        assert not caught.value.is_json, body[:20]
    with pytest.raises(EventError, match="expected `object`") as wrong:
        read_event(b"[1]", NOW)
    assert wrong.value.is_json
    with pytest.raises(EventError, match="no list of events"):
        read_batch(b"{}")


def test_facets_that_are_too_large_or_none_are_left_out_alone() -> None:
    large = facet(plan="x" * FACET_BYTES_MAX)
    columns = facet(fields=[{"name": f"column_{n}", "type": "string"} for n in range(5_000)])
    event = read(
        run_event(
            run_facets={"plan": large, "kept": facet(a=1), "broken": 3},
            outputs=[dataset("wide", schema=columns, plan=large)],
        )
    )
    assert set(event.run_facets) == {"plan", "kept"}
    assert "up to 65,536 are kept" in event.run_facets["plan"]["_left_out"]
    assert "_left_out" in event.outputs[0].facets["plan"]
    assert len(columns_of(event.outputs[0].facets["schema"]) or ()) == 5_000, "columns are read, however many"


def test_columns_within_others_have_names_of_their_own() -> None:
    fields = [
        {"name": "id", "type": "int", "description": "the number"},
        {"name": "address", "type": "struct", "fields": [{"name": "city", "type": "string"}, 3, {"type": "int"}]},
    ]
    assert columns_of(facet(fields=fields)) == [
        ("id", "int", "the number"),
        ("address", "struct", ""),
        ("address.city", "string", ""),
    ]
    assert columns_of({"fields": 3}) is None


def test_column_lineage_in_all_its_spellings() -> None:
    def source(column: str, *hows: dict[str, str]) -> dict[str, Any]:
        return {"namespace": "n", "name": "t", "field": column, **({"transformations": list(hows)} if hows else {})}

    found = lineage_of(
        facet(
            fields={
                "same": {"inputFields": [source("a", {"type": "DIRECT", "subtype": "IDENTITY"})]},
                "sum": {
                    "inputFields": [
                        source("b", {"type": "DIRECT", "subtype": "AGGREGATION"}),
                        source("c", {"type": "INDIRECT", "subtype": "GROUP_BY"}),
                        source("d", {"type": "INDIRECT", "subtype": "SOMETHING_NEW"}),
                    ]
                },
                "old": {"inputFields": [source("e")], "transformationType": "IDENTITY"},
                "plain": {"inputFields": [source("f"), {"namespace": "n"}, 3]},
                "constant": {"inputFields": []},
                "broken": 3,
            },
            dataset=[source("g", {"type": "INDIRECT", "subtype": "JOIN"}), source("h")],
        )
    )
    assert found is not None
    assert found.columns == {
        "same": (Source("n", "t", "a", "identity"),),
        "sum": (Source("n", "t", "b", "aggregated"),),
        "old": (Source("n", "t", "e", "identity"),),
        "plain": (Source("n", "t", "f", "transformed"),),
        "constant": (),
        "broken": (),
    }
    assert [(one.column, one.kind) for one in found.rows] == [
        *(("c", "group"), ("d", "filter")),
        *(("g", "join"), ("h", "filter")),
    ]
    assert lineage_of({"fields": []}) is None


def test_parents_and_symlinks_that_are_broken_are_none() -> None:
    whole = {"parent": facet(run={"runId": RUN}, job={"namespace": "n", "name": "j"})}
    assert parent_of(whole) == (RUN, "n", "j")
    assert parent_of({"parent": facet(run={"runId": "?"}, job={"namespace": "n", "name": "j"})}) == ("", "n", "j")
    for broken in ({}, {"parent": 3}, {"parent": facet()}, {"parent": facet(run=3, job=[])}):
        assert parent_of(broken) is None
    links = facet(identifiers=[{"namespace": "hive", "name": "db.t", "type": "TABLE"}, {"name": "x"}, 3])
    assert symlinks_of({"symlinks": links}) == [("hive", "db.t")]
    assert symlinks_of({"symlinks": facet(identifiers=3)}) == []
