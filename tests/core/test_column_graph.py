"""The graph of columns: what they are made from, what is made from them, and how it changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.column_graph import ROWS, ColumnGraph, ColumnRef, ColumnTrace, split_column
from batuta.core.columns import ColumnKind, ColumnLineage, ColumnSource, RowKind, decode_lineage, encode_lineage
from batuta.core.errors import RequestError


def source(text: str, kind: ColumnKind | RowKind = "identity") -> ColumnSource:
    asset, _, column = text.rpartition(".")
    return ColumnSource(asset, column, kind)


LINEAGES = {
    "silver.orders": ColumnLineage(
        {"id": (source("raw.orders.ID"),), "cents": (source("raw.orders.price", "transformed"),), "at": ()},
        rows=(source("raw.orders.state", "filter"),),
    ),
    "gold.revenue": ColumnLineage(
        {
            "amount": (source("silver.orders.cents", "aggregated"),),
            "orders": (source("silver.orders.id", "aggregated"),),
        }
    ),
    "gold.copy": ColumnLineage({"*": (source("gold.open.*"),)}, gaps=("the columns of gold.open are not known",)),
}
KNOWN = {"raw.orders": ["id", "price", "state", "note"]}


def graph() -> ColumnGraph:
    return ColumnGraph.build(LINEAGES, KNOWN)


def edges(trace: ColumnTrace) -> set[tuple[str, str, str]]:
    return {
        (str(trace.columns[up]), str(trace.columns[down]), kind)
        for up, down, kind in zip(trace.sources, trace.targets, trace.kinds, strict=True)
    }


def test_upstream_is_what_values_come_from_nearest_first() -> None:
    trace = graph().upstream(ColumnRef("gold.revenue", "amount"))
    assert [str(ref) for ref in trace.columns] == ["gold.revenue.amount", "silver.orders.cents", "raw.orders.price"]
    assert trace.distances == [0, 1, 2]
    assert edges(trace) == {
        ("silver.orders.cents", "gold.revenue.amount", "aggregated"),
        ("raw.orders.price", "silver.orders.cents", "transformed"),
    }


def test_names_are_compared_without_case_and_keep_the_spelling_of_their_asset() -> None:
    found = graph()
    assert found.columns("raw.orders") == KNOWN["raw.orders"]
    assert found.sources(ColumnRef("silver.orders", "id")) == [(ColumnRef("raw.orders", "id"), "identity")]
    assert found.find("raw.orders", "PRICE") == ColumnRef("raw.orders", "price")


def test_a_lineage_that_differs_in_case_is_of_the_columns_that_are_known() -> None:
    made = ColumnGraph.build({"a": ColumnLineage({"total": (source("b.Amount"),)})}, {"a": ["Total"], "b": ["amount"]})
    assert made.columns("a") == ["Total"]
    assert made.upstream(ColumnRef("a", "Total")).columns == [ColumnRef("a", "Total"), ColumnRef("b", "amount")]


def test_what_decides_the_rows_counts_only_where_it_is_asked_for() -> None:
    found = graph()
    state = ColumnRef("raw.orders", "state")
    assert found.downstream(state).columns == [state]
    reached = {str(ref) for ref in found.downstream(state, rows=True).columns}
    assert {"silver.orders", "silver.orders.at", "gold.revenue.amount"} <= reached
    assert found.row_sources("silver.orders") == [(state, "filter")]
    above = found.upstream(ColumnRef("gold.revenue", "amount"), rows=True)
    assert ("raw.orders.state", "silver.orders", "filter") in edges(above)
    assert ("silver.orders", "silver.orders.cents", "rows") in edges(above)


def test_a_depth_stops_and_keeps_the_edges_within() -> None:
    trace = graph().downstream(ColumnRef("raw.orders", "price"), depth=1)
    assert [str(ref) for ref in trace.columns] == ["raw.orders.price", "silver.orders.cents"]
    assert edges(trace) == {("raw.orders.price", "silver.orders.cents", "transformed")}


def test_a_column_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(RequestError, match="no column 'pricee'") as caught:
        graph().find("raw.orders", "pricee")
    assert "'price'" in (caught.value.hint or "")
    with pytest.raises(RequestError) as caught:
        graph().find("raw.orders", "zzz")
    assert "its columns are id, price, state, note" in (caught.value.hint or "")
    with pytest.raises(RequestError) as caught:
        graph().find("raw.unknown", "x")
    assert "nothing is known" in (caught.value.hint or "")


def test_where_columns_are_not_known_the_star_stands_for_them() -> None:
    found = graph()
    ref = found.find("gold.copy", "whatever")
    assert ref == ColumnRef("gold.copy", "*")
    assert [str(each) for each in found.upstream(ref).columns] == ["gold.copy.*", "gold.open.*"]
    assert found.gaps("gold.copy") == ("the columns of gold.open are not known",)


def test_an_asset_that_reads_itself_does_not_lead_to_itself() -> None:
    own = ColumnLineage({"total": (source("a.total"), source("b.amount", "aggregated"))})
    found = ColumnGraph.build({"a": own})
    assert found.upstream(ColumnRef("a", "total")).columns == [ColumnRef("a", "total"), ColumnRef("b", "amount")]


def test_the_same_graph_answers_as_before_after_another_was_made_of_it() -> None:
    first = graph()
    price = ColumnRef("raw.orders", "price")
    before = first.downstream(price)
    second = first.updated({"silver.orders": ColumnLineage({"id": (source("raw.orders.note"),)})})
    assert first.downstream(price) == before
    assert second.downstream(price).columns == [price]
    assert second.columns("silver.orders") == ["id", "cents"], "cents is still read by gold.revenue"
    third = second.updated({}, gone=["gold.revenue"])
    assert third.columns("silver.orders") == ["id"]


def test_split_column_takes_the_longest_asset() -> None:
    assets = {"gold.revenue", "gold.revenue.daily", "gold"}
    assert split_column("gold.revenue.daily", assets) == ("gold.revenue.daily", "")
    assert split_column("gold.revenue.daily.amount", assets) == ("gold.revenue.daily", "amount")
    assert split_column("gold.revenue.a.b", assets) == ("gold.revenue", "a.b")
    with pytest.raises(RequestError) as caught:
        split_column("silver.x", assets)
    assert caught.value.hint == "write ASSET.COLUMN"


def test_a_lineage_survives_being_written() -> None:
    for one in LINEAGES.values():
        assert decode_lineage(encode_lineage(one)) == one


NAMES = st.sampled_from(["a", "b", "c", "d"])
SOURCES = st.lists(
    st.builds(ColumnSource, NAMES, st.sampled_from(["x", "y", "Z"]), st.sampled_from(["identity", "aggregated"])),
    max_size=3,
).map(tuple)
LINEAGE = st.builds(ColumnLineage, st.dictionaries(st.sampled_from(["x", "y", "z"]), SOURCES, max_size=3), SOURCES)


@given(st.dictionaries(NAMES, LINEAGE), st.lists(st.tuples(NAMES, st.none() | LINEAGE), max_size=5))
def test_changes_one_by_one_give_the_graph_of_all_at_once(
    first: dict[str, ColumnLineage], changes: list[tuple[str, ColumnLineage | None]]
) -> None:
    lineages = dict(first)
    found = ColumnGraph.build(first)
    for asset, lineage in changes:
        if lineage is None:
            lineages.pop(asset, None)
            found = found.updated({}, gone=[asset])
        else:
            lineages[asset] = lineage
            found = found.updated({asset: lineage})
    whole = ColumnGraph.build(lineages)
    assert {key: sorted(map(str.casefold, found.columns(key))) for key in found.assets if found.columns(key)} == {
        key: sorted(map(str.casefold, whole.columns(key))) for key in whole.assets if whole.columns(key)
    }
    for asset in whole.assets:
        for column in [*whole.columns(asset), *([ROWS] if whole.row_sources(asset) else [])]:
            ref, other = ColumnRef(asset, column), found.find(asset, column) if column else ColumnRef(asset, ROWS)
            for rows in (False, True):
                assert lowered(whole.upstream(ref, rows=rows)) == lowered(found.upstream(other, rows=rows))
                assert lowered(whole.downstream(ref, rows=rows)) == lowered(found.downstream(other, rows=rows))


def lowered(trace: ColumnTrace) -> set[tuple[str, str, str]]:
    return {(up.casefold(), down.casefold(), kind) for up, down, kind in edges(trace)}
