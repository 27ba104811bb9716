"""DeltaIO and IcebergIO on real tables, one suite for both: versions, commits at once, kill -9, others, upkeep."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from batuta.core.connections import Connection
from batuta.core.errors import DefinitionError, RequestError, ResultError
from batuta.io import (
    DeltaIO,
    IcebergIO,
    InputContext,
    MissingDataError,
    OutputContext,
    ParquetIO,
    StorageError,
    Stored,
    delta_upkeep,
    iceberg_upkeep,
    versions,
)
from batuta.io.delta import object_store_options
from batuta.io.lake import LakeIO
from batuta.io.polars_plan import lineage_of_plan, scanned
from batuta.io.versions import TableVersion, Upkeep, needed, versioned, written_by
from tests.io.test_duckdb import DAYS, FRAME, KINDS, ROWS, as_rows, into, make

FORMATS: dict[str, type[DeltaIO] | type[IcebergIO]] = {"delta": DeltaIO, "iceberg": IcebergIO}


@pytest.fixture(params=list(FORMATS))
def io(request: pytest.FixtureRequest, tmp_path: Path) -> LakeIO:
    return FORMATS[request.param](tmp_path / "lake")


def out(asset: str = "gold.revenue", *partitions: str, run: int = 7) -> OutputContext:
    return OutputContext(asset=asset, partitions=partitions, run_id=str(run), attempt=f"{run}.x.1")


def as_of(version: str, asset: str = "gold.revenue", *partitions: str, annotation: Any = None) -> InputContext:
    return InputContext(
        asset=asset, partitions=partitions, partitioned=bool(partitions), annotation=annotation, version=version
    )


def version_of(stored: Stored) -> str:
    return str(stored.metadata["table_version"])


def n(*values: int) -> pl.DataFrame:
    return pl.DataFrame({"n": values}, schema={"n": pl.Int64})


def sorted_n(io: LakeIO, *partitions: str, asset: str = "silver.x", version: str = "") -> list[int]:
    return sorted(io.load(as_of(version, asset, *partitions))["n"])


# ---- types in and out


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


# ---- partitions


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


# ---- schemas


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


# ---- versions


def test_each_write_is_a_version_that_can_be_loaded(io: LakeIO) -> None:
    first = io.store(out("silver.x", DAYS[0], run=1), n(1))
    second = io.store(out("silver.x", DAYS[1], run=2), n(2))
    third = io.store(out("silver.x", DAYS[0], run=3), n(3))
    found = io.versions("silver.x")
    assert [(one.version, one.run) for one in found] == [
        (version_of(third), "3"), (version_of(second), "2"), (version_of(first), "1"),
    ]  # fmt: skip
    assert [sorted_n(io, version=one.version) for one in found] == [[2, 3], [1, 2], [1]]
    assert sorted_n(io, DAYS[0], version=version_of(second)) == [1]
    assert io.partitions("silver.x", version_of(first)) == {DAYS[0]}
    for annotation in KINDS:
        assert as_rows(io.load(as_of(version_of(first), "silver.x", annotation=annotation))) == [{"n": 1}]
    with io.scan(as_of(version_of(first), "silver.x")) as scan:
        assert scan.rows("FROM this") == [(1,)]
    with pytest.raises(MissingDataError, match=f"partition '{DAYS[1]}' is not stored .*version {version_of(first)}"):
        io.load(as_of(version_of(first), "silver.x", DAYS[1]))
    for wrong in ("99", "yesterday"):
        with pytest.raises(MissingDataError, match=r"version|snapshot"):
            io.load(as_of(wrong, "silver.x"))
    assert written_by(io, "silver.x", 1, [version_of(first)]) == version_of(first)
    with pytest.raises(MissingDataError, match="can no longer be read"):
        written_by(io, "silver.x", 1, ["123456"])
    with pytest.raises(MissingDataError, match="run 4 recorded no version"):
        written_by(io, "silver.x", 4, [])


def test_a_manager_without_versions_says_which_have_them(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has no versions of it but the last"):
        versioned(ParquetIO(tmp_path), "gold.revenue")


# ---- others


def _append(io: LakeIO, table: pa.Table, asset: str = "silver.x") -> None:
    """As another program does."""
    if isinstance(io, IcebergIO):
        io.catalog.load_table(tuple(asset.split("."))).append(table)
    else:
        write_deltalake(io.place_of(asset), table, mode="append")


def test_a_table_that_others_have_changed(io: LakeIO) -> None:
    io.store(out("silver.x", DAYS[0]), n(1))
    before = io.version(out("silver.x", DAYS[0]))
    _append(io, pa.table({"n": [5], "_partition": [DAYS[0]]}))
    _append(io, pa.table({"n": [6], "_partition": ["by hand"]}))
    assert io.version(out("silver.x", DAYS[0])) != before
    other = io.versions("silver.x")[0]
    assert other.by
    assert not other.run
    stored = io.store(out("silver.x", DAYS[0]), n(1))
    assert f"version {other.version}: " in stored.metadata["changed_by_others"]
    assert stored.data_version == before
    assert sorted_n(io) == [1, 6]
    assert "changed_by_others" not in io.store(out("silver.x", DAYS[0]), n(1)).metadata


def test_runs_that_write_different_partitions_at_once_all_succeed(io: LakeIO, tmp_path: Path) -> None:
    keys = [f"k{number}" for number in range(4)]
    wrote: dict[str, list[str]] = {key: [] for key in keys}
    failed: list[BaseException] = []
    together = threading.Barrier(len(keys))

    def work(number: int, key: str) -> None:
        own = pickle.loads(pickle.dumps(io))  # as another process has it
        try:
            together.wait(60)
            for turn in range(4):
                wrote[key].append(version_of(own.store(out("silver.x", key, run=number), n(turn, number))))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=one) for one in enumerate(keys)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    for number, key in enumerate(keys):
        assert sorted_n(io, key) == sorted([3, number])
    by_version = {one.version: one for one in io.versions("silver.x")}
    assert sorted(by_version) == sorted(version for found in wrote.values() for version in found)
    for number, key in enumerate(keys):
        assert {(by_version[version].run, by_version[version].partitions) for version in wrote[key]} == {
            (str(number), (key,))
        }


KILLED = """
import os, signal, sys
import polars as pl, pyarrow.dataset, duckdb, deltalake, pyiceberg.catalog.sql, pyiceberg.io.pyarrow
from batuta.io import DeltaIO, IcebergIO, InputContext, OutputContext

def grandchild(io, told):
    out = OutputContext(asset="silver.x", partitions=("a", "b"), run_id="1", attempt="1")
    number = 0
    while True:
        if io.exists(out):
            found = io.load(InputContext(asset="silver.x", partitions=("a", "b"), partitioned=True))
            values = set(found["n"])
            if len(values) != 1 or found.height != 2000:
                os.write(told, b"torn")
                os._exit(1)
            number = values.pop() + 1
        os.write(told, b"x")
        frame = pl.DataFrame({"n": [number] * 1000})
        io.store(out, {"a": frame, "b": frame})

for io in (DeltaIO(sys.argv[1]), IcebergIO(sys.argv[1])):
    for writes in (1, 2):  # killed when the last of them has begun
        ear, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                grandchild(io, told)
            finally:
                os._exit(2)
        os.close(told)
        heard = b""
        while heard.count(b"x") < writes:
            more = os.read(ear, 1)
            if not more or b"t" in more:
                sys.exit(f"{io}: {heard}")
            heard += more
        for _ in range(writes * 20000):  # some way into the write
            pass
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ear)
"""


def test_a_writer_that_is_killed_leaves_the_version_before(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for format_of in FORMATS.values():
        io = format_of(tmp_path)
        if io.exists(out("silver.x")):
            assert len(set(io.load(as_of("", "silver.x", "a", "b"))["n"])) == 1
        io.store(out("silver.x", "a", "b"), {"a": n(1), "b": n(2)})
        assert sorted_n(io) == [1, 2]


# ---- copies


def test_copies_are_one_commit_and_production_stays(io: LakeIO) -> None:
    for number, day in enumerate(DAYS):
        io.store(out("silver.x", day), n(number))
    stored = io.copy(out("silver.x", *DAYS), out("silver__dev.x", *DAYS))
    assert len(io.versions("silver__dev.x")) == 1
    assert io.version(out("silver__dev.x", *DAYS)) == io.version(out("silver.x", *DAYS)) == stored.data_version
    io.store(out("silver__dev.x", DAYS[0]), n(100))
    assert sorted_n(io) == [0, 1, 2]
    io.delete(out("silver__dev.x"))
    assert not io.exists(out("silver__dev.x"))
    assert io.versions("silver__dev.x") == []
    with pytest.raises(MissingDataError):
        io.copy(out("silver__dev.x"), out("silver.x"))


def test_tables_of_assets_whose_keys_begin_alike_lie_apart(io: LakeIO) -> None:
    for number, asset in enumerate(("gold.data", "gold", "gold.data.metadata", "gold.data.metadata.x")):
        io.store(out(asset), n(number))
    io.delete(out("gold.data"))
    io.tend("gold.data.metadata", Upkeep())
    assert [sorted_n(io, asset=asset) for asset in ("gold", "gold.data.metadata", "gold.data.metadata.x")] == [
        [1], [2], [3],
    ]  # fmt: skip


# ---- upkeep


@pytest.fixture
def no_least_age(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (versions, delta_upkeep, iceberg_upkeep):
        monkeypatch.setattr(module, "KEEP_FOR_MIN_S", 0.0)


def _busy_table(io: LakeIO) -> list[str]:
    """Some versions, small files, and what a killed writer left."""
    for turn in range(3):
        for number, day in enumerate(DAYS[:2]):
            io.store(out("silver.x", day, run=turn), n(number, turn))
    for number in range(3):
        _append(io, pa.table({"n": [number], "_partition": [DAYS[0]]}))
    folder = next(Path(io.place_of("silver.x").partition("#")[0]).rglob(f"*{DAYS[0]}*"))
    (folder / "left-behind.parquet").write_bytes(b"x" * 100)
    os.utime(folder / "left-behind.parquet", (0, 0))
    return [one.version for one in io.versions("silver.x")]


def test_upkeep_keeps_what_is_young(io: LakeIO) -> None:
    before = _busy_table(io)
    content = io.version(out("silver.x", DAYS[0]))
    done = io.tend("silver.x", Upkeep())
    assert done is not None
    assert (done.files_read_before, done.files_read_after) == (5, 2)
    assert done.files_after == done.files_before  # one more by compaction, one less that was left behind
    assert io.version(out("silver.x", DAYS[0])) == content
    assert [one.version for one in io.versions("silver.x")][1:] == before
    for version in before:
        io.load(as_of(version, "silver.x"))
    assert not list(Path(io.place_of("silver.x").partition("#")[0]).rglob("left-behind*"))


@pytest.mark.usefixtures("no_least_age")
def test_upkeep_removes_what_no_version_needs_that_stays(io: LakeIO) -> None:
    before = _busy_table(io)
    pinned = before[-2]
    content = io.load(as_of(pinned, "silver.x", annotation=list))
    done = io.tend("silver.x", Upkeep(keep_for_s=0, keep_last=2, keep=(pinned,)))
    assert done is not None
    left = [one.version for one in io.versions("silver.x")]
    assert left == [left[0], before[0], pinned]
    assert (done.versions_before, done.versions_after) == (len(before), 3)
    assert done.files_after < done.files_before
    assert done.bytes_after < done.bytes_before
    assert io.load(as_of(pinned, "silver.x", annotation=list)) == content
    assert sorted_n(io) == sorted([0, 2, 0, 1, 2, 1, 2])
    with pytest.raises(MissingDataError):
        io.load(as_of(before[5], "silver.x"))
    again = io.tend("silver.x", Upkeep(keep_for_s=0, keep_last=2, keep=(pinned,)))
    assert again is not None
    assert again.files_after == again.files_before
    assert io.tend("silver.other", Upkeep()) is None


def test_which_versions_are_needed() -> None:
    found = [TableVersion(version=str(number), at=number * 1000.0) for number in range(9, -1, -1)]
    hours = Upkeep(keep_for_s=3600.0)
    assert needed(found, hours, 9000.0) == {"9", "8", "7", "6", "5"}  # 5 could still be read at 5400
    assert needed(found, Upkeep(keep_for_s=1.0), 9000.0) == {"9", "8", "7", "6", "5"}  # never less than an hour
    assert needed(found, Upkeep(keep_for_s=3600.0, keep_last=3, keep=("1", "77")), 1e6) == {"9", "8", "7", "1"}
    assert needed([], hours, 0.0) == set()


# ---- bad input


def test_missing_data_says_what_to_materialize(io: LakeIO) -> None:
    with pytest.raises(MissingDataError, match=r"asset 'gold\.revenue' is not stored"):
        io.load(into())
    with pytest.raises(MissingDataError, match="partition '2026-01-01' is not stored"):
        io.load(into(None, "gold.revenue", DAYS[0]))
    assert io.load(InputContext(asset="gold.revenue", partitioned=True)) is None
    assert (io.exists(out()), io.version(out()), io.versions("gold.revenue")) == (False, None, [])
    io.delete(out())
    io.store(out(), FRAME)
    with pytest.raises(DefinitionError, match="it is a table in"):
        io.load(into(Path))


@pytest.mark.parametrize(("format_of", "module"), [(DeltaIO, "deltalake"), (IcebergIO, "pyiceberg.catalog")])
def test_a_missing_library_names_the_extra(
    format_of: type[DeltaIO], module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    io = format_of(tmp_path)
    extra = "delta" if format_of is DeltaIO else "iceberg"
    for do in (lambda: io.store(out(), FRAME), lambda: io.load(into()), lambda: io.exists(out())):
        with pytest.raises(DefinitionError, match="which is not installed here") as caught:
            do()
        assert caught.value.hint == f"install it: pip install 'batuta[{extra}]'"
    io.warm()


def test_a_place_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    delta, iceberg = DeltaIO(tmp_path), IcebergIO(tmp_path)
    place = Path(delta.place_of("gold.revenue"))
    place.mkdir(parents=True)
    FRAME.write_parquet(place / "part.parquet")
    with pytest.raises(ResultError, match=r"revenue\.delta holds part\.parquet, and is no Delta table"):
        delta.store(out(), FRAME)
    assert [path.name for path in place.iterdir()] == ["part.parquet"]
    there = tmp_path / "gold" / "revenue.iceberg"
    write_deltalake(str(there), FRAME.to_arrow())
    with pytest.raises(ResultError, match=r"revenue\.iceberg holds a Delta table"):
        iceberg.store(out(), FRAME)
    assert DeltaTable(str(there)).version() == 0
    Path(delta.place_of("gold.file")).write_text("a file")
    with pytest.raises(ResultError, match=r"file\.delta is a file"):
        delta.load(into(None, "gold.file"))


def test_managers_that_are_not_told_where(tmp_path: Path) -> None:
    for wrong in (DeltaIO, IcebergIO, lambda: IcebergIO("s3://bucket/lake")):
        with pytest.raises(DefinitionError, match=r"is not told where|needs a catalog"):
            wrong()
    hidden = IcebergIO(catalog={"type": "sql", "uri": "postgresql+psycopg://ann:secret@host/lake"})
    assert (repr(hidden), hidden.place_of("gold.x")) == (
        "IcebergIO('postgresql+psycopg://host/lake')",
        "postgresql+psycopg://host/lake#gold.x",
    )
    (tmp_path / "catalog.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(ResultError, match="file is not a database"):
        IcebergIO(tmp_path).store(out(), FRAME)


def test_a_full_disk_is_told(io: LakeIO, tmp_path: Path) -> None:
    place = tmp_path / "lake"
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        io.store(out("silver.x", DAYS[0]), FRAME)
        rows = 500_000
        large = pl.DataFrame({"id": range(rows), "name": [f"x{one * 7919 % 100_003}" for one in range(rows)]})
        with pytest.raises(StorageError, match="no space left to write"):
            io.store(out("silver.x", DAYS[0]), large)
        assert as_rows(io.load(as_of("", "silver.x", DAYS[0]))) == ROWS
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


# ---- object stores


def test_a_connection_says_where_and_with_which_keys(tmp_path: Path) -> None:
    known = Connection(name="lake", kind="file", database=str(tmp_path))
    io = DeltaIO("tables", connection=known)
    io.store(out(), FRAME)
    assert io.place_of("gold.revenue") == f"{tmp_path}/tables/gold/revenue.delta"
    assert pickle.loads(pickle.dumps(io)).load(into()).height == 3
    iceberg = IcebergIO("tables", connection=known)
    iceberg.store(out(), FRAME)
    assert iceberg.load(into()).height == 3
    options = {"key": "k", "secret": "s", "endpoint_url": "http://minio:9000", "client_kwargs": {"region_name": "eu"}}
    assert object_store_options("s3", options) == {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_REGION": "eu",
        "AWS_ENDPOINT_URL": "http://minio:9000",
        "AWS_ALLOW_HTTP": "true",
    }


# ---- lineage


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
