"""Delta and Iceberg tables, one suite for both: what goes in and comes out, partitions, schemas, lineage."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from batuta.core.errors import ResultError
from batuta.io import (
    MissingDataError,
)
from batuta.io.lake import LakeIO
from batuta.io.polars_plan import lineage_of_plan, scanned
from tests.io.lakes import FORMATS, as_of, n, out, sorted_n, version_of
from tests.io.test_duckdb import DAYS, FRAME, KINDS, ROWS, as_rows, into, make


@pytest.mark.parametrize("stored", KINDS)
def test_every_table_goes_in_and_comes_out_as_every_other(io: LakeIO, stored: type) -> None:
    facts = io.store(out(), make(stored))
    assert (facts.rows, facts.columns) == (3, [("id", "int64"), ("name", "string"), ("amount", "float64")])
    assert facts.bytes
    for loaded in KINDS:
        value = io.load(into(loaded))
        assert isinstance(value, loaded)
        assert sorted(as_rows(value), key=lambda row: row["id"]) == ROWS
    with io.scan(into()) as scan:
        assert scan.rows("SELECT count(*), sum(id) FROM this") == [(3, 6)]
        assert scan.plain_columns == facts.columns


def test_types_come_back_as_the_nearest_that_the_format_has(io: LakeIO) -> None:
    zoned = datetime(2026, 1, 1, 12, tzinfo=UTC)
    table = pa.table(
        {
            "small": pa.array([1], pa.uint8()),
            "large": pa.array([2**40], pa.uint64()),
            "text": pa.array(["a"]).dictionary_encode(),
            "day": pa.array([date(2026, 1, 1)], pa.date64()),
            "at": pa.array([zoned], pa.timestamp("ns", "Europe/Lisbon")),
            "money": pa.array([Decimal("1.50")], pa.decimal128(10, 2)),
            "list": pa.array([[1, 2]], pa.large_list(pa.int16())),
            "struct": pa.array([{"a": 1, "b": "x"}]),
            "raw": pa.array([b"x"], pa.large_binary()),
            "nothing": pa.nulls(1),
        }
    )
    io.store(out(), table)
    (row,) = io.load(into(list))
    assert row == {
        "small": 1, "large": 2**40, "text": "a", "day": date(2026, 1, 1), "at": zoned, "money": Decimal("1.50"),
        "list": [1, 2], "struct": {"a": 1, "b": "x"}, "raw": b"x", "nothing": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (pa.array([2**63], pa.uint64()), "column 'x' .* cannot be kept as int64"),
        (pa.array([1], pa.timestamp("ns")), "column 'x' .* cannot be kept as timestamp"),
        (pa.array([1], pa.duration("s")), "column 'x' is of type duration"),
    ],
)
def test_what_would_be_rounded_or_has_no_type_is_refused_and_nothing_is_written(
    io: LakeIO, column: pa.Array, told: str
) -> None:
    io.store(out(), FRAME)
    with pytest.raises(ResultError, match=told):
        io.store(out(), pa.table({"x": column}))
    with pytest.raises(ResultError, match="stores tables, not int"):
        io.store(out(), 1)
    with pytest.raises(ResultError, match="has no columns"):
        io.store(out(), [])
    assert as_rows(io.load(into())) == ROWS
    assert len(io.versions("gold.revenue")) == 1


def test_partitions_are_replaced_one_by_one_and_twice_is_once(io: LakeIO) -> None:
    for number, day in enumerate(DAYS):
        io.store(out("silver.x", day), n(number, number))
    first = io.store(out("silver.x", DAYS[1]), n(10))
    again = io.store(out("silver.x", DAYS[1]), n(10))
    assert (first.rows, first.data_version) == (again.rows, again.data_version)
    assert first.data_version == io.version(out("silver.x", DAYS[1]))
    assert sorted_n(io, *DAYS) == [0, 0, 2, 2, 10]
    assert sorted_n(io) == [0, 0, 2, 2, 10]
    assert sorted_n(io, DAYS[1]) == [10]
    frames = io.load(as_of("", "silver.x", *DAYS[1:], annotation=dict[str, pl.DataFrame]))
    assert {day: frame["n"].to_list() for day, frame in frames.items()} == {DAYS[1]: [10], DAYS[2]: [2, 2]}
    lazy = io.load(as_of("", "silver.x", DAYS[2], annotation=pl.LazyFrame))
    assert lazy.select(pl.col("n").sum()).collect().item() == 4
    with io.scan(as_of("", "silver.x", DAYS[2])) as scan:
        assert scan.rows("SELECT * FROM this") == [(2,), (2,)]
    with pytest.raises(MissingDataError, match="partition '2026-02-01' is not stored"):
        io.load(as_of("", "silver.x", *DAYS, "2026-02-01"))


def test_several_partitions_are_one_commit(io: LakeIO) -> None:
    stored = io.store(out("silver.x", *DAYS), {day: n(number) for number, day in enumerate(DAYS)})
    assert {part.metadata["table_version"] for part in stored.parts.values()} == {version_of(stored)}
    assert [part.rows for part in stored.parts.values()] == [1, 1, 1]
    (only,) = io.versions("silver.x")
    assert (only.version, only.run, only.partitions) == (version_of(stored), "7", DAYS)


def test_a_partition_without_rows_is_there(io: LakeIO) -> None:
    io.store(out("silver.x", DAYS[0]), n())
    io.store(out("silver.x", DAYS[1]), n(1))
    io.store(out("silver.x", DAYS[1]), n())
    assert io.exists(out("silver.x", *DAYS[:2]))
    assert not io.exists(out("silver.x", DAYS[2]))
    assert sorted_n(io, *DAYS[:2]) == []
    io.store(out("silver.x", DAYS[1]), n(3))
    assert sorted_n(io, *DAYS[:2]) == [3]
    io.delete(out("silver.x", *DAYS[:2]))
    assert not io.exists(out("silver.x", DAYS[0]))


def test_odd_partition_keys(io: LakeIO) -> None:
    keys = ["it's", "x/y z%", "a=b", "ção", 'a"b', "{x}", "2026-01-01|EUR", "C:\\x", "a,b"]
    io.store(out("silver.x", *keys), {key: n(0) for key in keys})
    for number, key in enumerate(keys, 1):
        io.store(out("silver.x", key), n(number))
    assert [sorted_n(io, key) for key in keys] == [[number] for number in range(1, len(keys) + 1)]
    assert io.exists(out("silver.x", *keys))
    assert sorted_n(io) == list(range(1, len(keys) + 1))


@pytest.mark.parametrize(
    ("column", "of", "other"),
    [("day", date(2026, 1, 1), date(2026, 1, 2)), ("day", "2026-01-01", "2026-01-02"), ("day", 20260101, 20260102)],
)
def test_a_column_of_the_data_tells_the_partition(tmp_path: Path, column: str, of: Any, other: Any) -> None:
    for format_of in FORMATS.values():
        io = format_of(tmp_path / "lake", partition_column=column)
        for value, number in ((of, 1), (other, 2), (of, 3)):
            io.store(out("silver.x", str(value)), pl.DataFrame({"n": [number], column: [value]}))
        assert io.load(as_of("", "silver.x", str(of))).to_dicts() == [{"n": 3, column: of}]
        assert io.load(as_of("", "silver.x")).height == 2
        with pytest.raises(ResultError, match=f"column 'day' also holds {other}"):
            io.store(out("silver.x", str(of)), pl.DataFrame({"n": [1], column: [other]}))
        with pytest.raises(ResultError, match="has no column 'day'"):
            io.store(out("silver.x", str(of)), n(1))


def test_an_asset_gets_partitions_and_loses_them_again(io: LakeIO) -> None:
    io.store(out("silver.x"), n(1, 2))
    io.store(out("silver.x", DAYS[0]), n(3))
    assert sorted_n(io) == [3]
    assert not io.exists(out("silver.x", DAYS[1]))
    io.store(out("silver.x"), pl.DataFrame({"n": ["text"]}))
    assert io.load(as_of("", "silver.x")).to_dicts() == [{"n": "text"}]
    assert [io.load(as_of(one.version, "silver.x")).height for one in io.versions("silver.x")] == [1, 1, 2]


def test_columns_that_come_later_are_null_before_and_those_that_stay_away_stay(io: LakeIO) -> None:
    io.store(out("silver.x", DAYS[0]), pl.DataFrame({"n": [1], "untyped": [None]}))
    io.store(out("silver.x", DAYS[1]), pl.DataFrame({"n": [2], "untyped": ["a"], "more": [1.5]}))
    io.store(out("silver.x", DAYS[2]), pl.DataFrame({"n": [3]}))
    rows = sorted(io.load(as_of("", "silver.x", annotation=list)), key=lambda row: row["n"])
    assert rows == [
        {"n": 1, "untyped": None, "more": None},
        {"n": 2, "untyped": "a", "more": 1.5},
        {"n": 3, "untyped": None, "more": None},
    ]


def test_types_become_wider_and_never_narrower(io: LakeIO) -> None:
    small = pa.table({"n": pa.array([1], pa.int32()), "x": pa.array([1.5], pa.float32())})
    io.store(out("silver.x", DAYS[0]), small)
    version = io.version(out("silver.x", DAYS[0]))
    io.store(out("silver.x", DAYS[1]), pa.table({"n": [2**40], "x": [0.1]}))
    io.store(out("silver.x", DAYS[2]), small)
    assert sorted_n(io) == [1, 1, 2**40]
    assert version is not None
    with pytest.raises(ResultError, match="column 'n' is string here and int64 in the table"):
        io.store(out("silver.x", DAYS[0]), pl.DataFrame({"n": ["text"]}))
    assert sorted_n(io, DAYS[0]) == [1]


def test_what_breaks_off_half_way_through_a_partition_writes_nothing(io: LakeIO) -> None:
    io.store(out("silver.x", DAYS[0]), n(1))

    def batches() -> Any:
        yield pa.record_batch({"n": [7]})
        raise ValueError("row 1000 has no price")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), batches())
    with pytest.raises(Exception, match="row 1000 has no price"):
        io.store(out("silver.x", DAYS[0]), reader)
    assert sorted_n(io) == [1]
    assert len(io.versions("silver.x")) == 1


def test_lineage_is_read_off_the_plan_of_a_lazy_frame(io: LakeIO) -> None:
    io.store(out("silver.x"), pl.DataFrame({"n": [1, 2], "other": [3, 4]}))
    io.store(out("silver.y"), pl.DataFrame({"m": [1, 2]}))
    x, y = (io.load(as_of("", asset, annotation=pl.LazyFrame)) for asset in ("silver.x", "silver.y"))
    (of_x,), (of_y,) = scanned(x), scanned(y)
    assert x.collect_schema().names() == ["n", "other"]  # which Polars remembers in the plan
    made = x.join(y, left_on="n", right_on="m").select("n", twice=pl.col("other") * 2)
    found = lineage_of_plan(made, {of_x: "silver.x", of_y: "silver.y"})
    assert found.gaps == ()
    assert {
        name: [(one.asset, one.column, one.kind) for one in sources] for name, sources in found.columns.items()
    } == {
        "n": [("silver.x", "n", "identity")],
        "twice": [("silver.x", "other", "transformed")],
    }
