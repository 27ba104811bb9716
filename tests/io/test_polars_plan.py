"""What is read off the plan of a LazyFrame, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest

from batuta.core.columns import ColumnLineage
from batuta.io.polars_plan import NotReadable, lineage_of_plan, scanned


@pytest.fixture
def orders(tmp_path: Path) -> pl.LazyFrame:
    pl.DataFrame({"id": [1], "who": [1], "cents": [5], "day": ["a"]}).write_parquet(tmp_path / "orders.parquet")
    return pl.scan_parquet(tmp_path / "orders.parquet")


@pytest.fixture
def people(tmp_path: Path) -> pl.LazyFrame:
    pl.DataFrame({"id": [1], "name": ["x"]}).write_parquet(tmp_path / "people.parquet")
    return pl.scan_parquet(tmp_path / "people.parquet")


def read(frame: pl.LazyFrame) -> ColumnLineage:
    return lineage_of_plan(frame, {path: f"silver.{Path(path).stem}" for path in scanned(frame)})


def told(sources: Any) -> list[str]:
    return [f"{one.asset.partition('.')[2]}.{one.column} {one.kind}" for one in sources]


def columns(frame: pl.LazyFrame) -> dict[str, list[str]]:
    found = read(frame)
    assert set(found.columns) == set(frame.collect_schema().names())
    return {name: told(sources) for name, sources in found.columns.items()}


def test_a_whole_pipeline(orders: pl.LazyFrame, people: pl.LazyFrame) -> None:
    frame = (
        orders.filter(pl.col("day") != "b")
        .join(people, left_on="who", right_on="id")
        .with_columns(euros=pl.col("cents") / 100)
        .group_by("name")
        .agg(pl.col("euros").sum().alias("total"), pl.len().alias("n"))
        .rename({"name": "Name"})
        .sort("total")
    )
    found = read(frame)
    assert columns(frame) == {
        "Name": ["people.name identity"],
        "total": ["orders.cents aggregated"],
        "n": [],
    }
    assert told(found.rows) == ["orders.day filter", "orders.who join", "people.id join", "people.name group"]
    assert found.gaps == ()


def test_expressions(orders: pl.LazyFrame) -> None:
    frame = orders.select(
        "id",
        twice=pl.col("cents") * 2,
        when=pl.when(pl.col("cents") > 3).then(pl.col("day")).otherwise(pl.lit("x")),
        over=pl.col("cents").sum().over("who"),
        one=pl.lit(1),
    )
    assert columns(frame) == {
        "id": ["orders.id identity"],
        "twice": ["orders.cents transformed"],
        "when": ["orders.cents transformed", "orders.day transformed"],
        "over": ["orders.cents aggregated", "orders.who transformed"],
        "one": [],
    }


def test_selectors_are_written_out(orders: pl.LazyFrame) -> None:
    assert columns(orders.select(cs.numeric() + 1))["who"] == ["orders.who transformed"]
    assert columns(orders.select(pl.all().exclude("day"), x=pl.col("id")))["cents"] == ["orders.cents identity"]
    assert columns(orders.select(pl.col("^c.*$"))) == {"cents": ["orders.cents identity"]}
    assert columns(orders.group_by("day").agg(pl.all().sum()))["cents"] == ["orders.cents aggregated"]
    renamed = read(orders.select(pl.all().name.suffix("_x")))
    assert renamed.columns["id_x"] == ()
    assert "column 'id_x' comes out of a selector" in renamed.gaps


def test_tables_put_together(orders: pl.LazyFrame, people: pl.LazyFrame) -> None:
    assert columns(pl.concat([orders.select("id"), people.select("id")])) == {
        "id": ["orders.id identity", "people.id identity"]
    }
    assert columns(orders.join(people, on="id", how="full", coalesce=True))["id"] == [
        "orders.id identity",
        "people.id identity",
    ]
    assert columns(orders.join(orders.select("id", "day"), on="id"))["day_right"] == ["orders.day identity"]
    assert set(columns(orders.join(people, on="id", how="semi"))) == {"id", "who", "cents", "day"}


def test_what_chooses_rows_decides_them(orders: pl.LazyFrame) -> None:
    assert told(read(orders.sort("cents")).rows) == []
    assert told(read(orders.sort("cents").head(3)).rows) == ["orders.cents sort"]
    assert told(read(orders.unique(subset=["who"])).rows) == ["orders.who distinct"]


def test_columns_that_appear_are_made_of_nothing_or_of_all(orders: pl.LazyFrame) -> None:
    assert columns(orders.with_row_index())["index"] == []
    assert len(columns(orders.unpivot(index="id"))["value"]) == 4
    assert columns(orders.with_columns(both=pl.concat_list("id", "who")).explode("both"))["both"] == [
        "orders.id transformed",
        "orders.who transformed",
    ]


def test_what_cannot_be_read_is_said(orders: pl.LazyFrame, tmp_path: Path) -> None:
    with pytest.raises(NotReadable, match="data in memory"):
        read(pl.LazyFrame({"a": [1]}).select("a"))
    with pytest.raises(NotReadable, match="a Python function"):
        read(orders.map_batches(lambda frame: frame))
    other = lineage_of_plan(orders.select("id"), {})
    assert other.columns == {"id": ()}
    assert "which is no asset" in other.gaps[0]
    unnested = read(orders.select(pl.struct("id", "who").alias("s")).unnest("s"))
    assert unnested.columns["id"] == ()
    assert "is not understood" in unnested.gaps[0]
