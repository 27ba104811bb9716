"""ParquetIO with every library's tables, on real files: round trips, partitions, versions, bad input, kill -9."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from batuta.core.errors import ResultError
from batuta.io import InputContext, MissingDataError, OutputContext, ParquetIO, StorageError
from batuta.io.files import TEMP

FRAME = pl.DataFrame({"id": [1, 2, 3], "name": ["a", None, "c"], "amount": [1.5, 2.5, None]})
ROWS = FRAME.to_dicts()


def as_rows(value: Any) -> list[dict[str, Any]]:
    """Any table as rows, to compare."""
    if isinstance(value, pl.LazyFrame):
        value = value.collect()
    if isinstance(value, duckdb.DuckDBPyRelation | pd.DataFrame):
        value = value.pl() if isinstance(value, duckdb.DuckDBPyRelation) else pl.from_pandas(value)
    if isinstance(value, pa.Table):
        value = pl.DataFrame(value)
    return value.to_dicts() if isinstance(value, pl.DataFrame) else list(value)


def make(kind: type, frame: pl.DataFrame = FRAME) -> Any:
    """The frame as a value of the type."""
    if kind is pl.LazyFrame:
        return frame.lazy()
    if kind is pd.DataFrame:
        return frame.to_pandas()
    if kind is pa.Table:
        return frame.to_arrow()
    if kind is duckdb.DuckDBPyRelation:
        return duckdb.sql("FROM frame")
    return frame.to_dicts() if kind is list else frame


KINDS = [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.Table, duckdb.DuckDBPyRelation, list]


@pytest.fixture
def io(tmp_path: Path) -> ParquetIO:
    return ParquetIO(tmp_path / "lake")


def out(asset: str = "gold.revenue", *partitions: str) -> OutputContext:
    return OutputContext(asset=asset, partitions=partitions)


def into(annotation: Any = None, asset: str = "gold.revenue", *partitions: str) -> InputContext:
    return InputContext(
        asset=asset, partitions=partitions, partitioned=bool(partitions), annotation=annotation, downstream="report"
    )


@pytest.mark.parametrize("stored", KINDS)
@pytest.mark.parametrize("loaded", KINDS)
def test_every_table_goes_in_and_comes_out_as_every_other(io: ParquetIO, stored: type, loaded: type) -> None:
    facts = io.store(out(), make(stored))
    assert facts.rows == 3
    assert [name for name, _ in facts.columns or []] == ["id", "name", "amount"]
    assert dict(facts.columns or [])["name"] == "string"
    assert facts.bytes == os.path.getsize(facts.path)
    value = io.load(into(loaded))
    assert isinstance(value, loaded)
    assert as_rows(value) == ROWS


def test_nothing_said_means_polars(io: ParquetIO) -> None:
    io.store(out(), FRAME)
    assert io.load(into()).equals(FRAME)


def test_pandas_keeps_its_index(io: ParquetIO) -> None:
    frame = pd.DataFrame({"rate": [1.0, 2.0]}, index=pd.Index(["EUR", "USD"], name="currency"))
    io.store(out(), frame)
    pd.testing.assert_frame_equal(io.load(into(pd.DataFrame)), frame)


def test_arrow_keeps_its_types_and_metadata(io: ParquetIO) -> None:
    fields = {"text": pa.string(), "money": pa.decimal128(10, 2), "at": pa.timestamp("ms", "Asia/Tokyo")}
    schema = pa.schema(list(fields.items()), {"owner": "ana"})
    table = pa.table({"text": ["x"], "money": [None], "at": [0]}, schema=schema)
    io.store(out(), table)
    assert io.load(into(pa.Table)).schema.equals(schema, check_metadata=True)


def test_a_path_is_the_file_itself(io: ParquetIO) -> None:
    facts = io.store(out(), FRAME)
    assert io.load(into(Path)) == Path(facts.path)
    assert facts.path.endswith("/lake/gold/revenue.parquet")


def test_empty_tables(io: ParquetIO) -> None:
    assert io.store(out(), FRAME.clear()).rows == 0
    assert io.load(into()).equals(FRAME.clear())
    assert io.store(out(), []).rows == 0
    assert io.load(into(list)) == []


# ---- partitions

DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")


def _store_days(io: ParquetIO) -> None:
    for number, day in enumerate(DAYS):
        frame = pl.DataFrame({"day": [day], "n": [number]})
        io.store(out("silver.x", day), frame.with_columns(note=pl.lit("new")) if number == 2 else frame)


@pytest.mark.parametrize("loaded", KINDS)
def test_partitions_are_concatenated_though_a_column_came_later(io: ParquetIO, loaded: type) -> None:
    _store_days(io)
    rows = as_rows(io.load(into(loaded, "silver.x", *DAYS)))
    assert [(row["day"], row["n"]) for row in rows] == list(zip(DAYS, range(3), strict=True))
    assert [row["note"] for row in rows] == [None, None, "new"]


def test_partitions_by_key(io: ParquetIO) -> None:
    _store_days(io)
    frames = io.load(into(dict[str, pl.DataFrame], "silver.x", *DAYS[:2]))
    assert {day: frame["n"].to_list() for day, frame in frames.items()} == {DAYS[0]: [0], DAYS[1]: [1]}
    assert list(io.load(into(dict[str, Path], "silver.x", *DAYS))) == list(DAYS)
    assert [path.name for path in io.load(into(list[Path], "silver.x", DAYS[0]))] == ["2026-01-01.parquet"]


def test_a_mapping_that_gives_no_partition_loads_nothing(io: ParquetIO) -> None:
    context = InputContext(asset="silver.x", partitioned=True, annotation=pl.DataFrame)
    assert io.load(context) is None
    context.annotation = list
    assert io.load(context) == []
    context.annotation = dict[str, pl.DataFrame]
    assert io.load(context) == {}


def test_several_partitions_are_stored_from_a_dict(io: ParquetIO) -> None:
    facts = io.store(out("silver.x", *DAYS[:2]), dict.fromkeys(DAYS[:2], FRAME))
    assert facts.rows == 6
    assert list(facts.parts) == list(DAYS[:2])
    assert io.load(into(None, "silver.x", *DAYS[:2])).height == 6
    assert facts.data_version == io.version(out("silver.x", *DAYS[:2]))
    with pytest.raises(ResultError, match="return a dict with one value for each partition key"):
        io.store(out("silver.x", *DAYS[:2]), FRAME)


def test_partitions_of_a_month_read_lazily_as_one_scan(io: ParquetIO) -> None:
    _store_days(io)
    scan = io.load(into(pl.LazyFrame, "silver.x", *DAYS)).filter(pl.col("n") == 1)
    assert "Parquet SCAN" in scan.explain()
    assert scan.collect()["day"].to_list() == [DAYS[1]]


def test_a_relation_works_in_the_sql_of_the_consumer(io: ParquetIO) -> None:
    _store_days(io)
    upstream = io.load(into(duckdb.DuckDBPyRelation, "silver.x", *DAYS))
    total: Any = duckdb.sql("SELECT sum(n) FROM upstream")
    assert upstream.columns == ["day", "n", "note"]
    assert total.fetchall() == [(3,)]


@pytest.mark.parametrize("folder", ["a[1]b", "x=1", "we*rd", "sp ace"])
@pytest.mark.parametrize("loaded", KINDS)
def test_the_base_path_is_no_pattern(tmp_path: Path, folder: str, loaded: type) -> None:
    io = ParquetIO(tmp_path / folder)
    io.store(out("silver.x", "a=b"), FRAME)
    io.store(out("silver.x", "*"), FRAME)
    assert as_rows(io.load(into(loaded, "silver.x", "a=b", "*"))) == ROWS * 2


# ---- versions


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(-(2**40), 2**40), st.none() | st.text(max_size=5), st.floats()), max_size=30),
    st.integers(0, 30),
)
def test_same_content_has_the_same_version_however_it_is_chunked(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str | None, float]], cut: int
) -> None:
    io = ParquetIO(tmp_path_factory.getbasetemp() / "versions")
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String, "c": pl.Float64}, orient="row")
    chunked = pl.concat([frame[:cut], frame[cut:]], rechunk=False)
    version = io.store(out(), frame).data_version
    assert io.store(out(), chunked).data_version == version
    assert io.store(out(), frame.lazy()).data_version == version
    assert io.version(out()) == version
    table = frame.to_arrow()
    arrow = io.store(out(), table).data_version
    assert io.store(out(), pa.concat_tables([table[:cut], table[cut:]])).data_version == arrow
    changed = frame.vstack(pl.DataFrame({"a": [1], "b": ["x"], "c": [0.0]}))
    assert io.store(out(), changed).data_version != version


@pytest.mark.parametrize("threads", ["1", "3"])
def test_the_version_of_a_large_lazy_table_does_not_depend_on_threads(tmp_path: Path, threads: str) -> None:
    code = """
import sys, polars as pl
from batuta.io import ParquetIO, OutputContext
n = 300_000
frame = pl.DataFrame({"a": range(n), "s": [f"x{i % 1000}" for i in range(n)]})
lazy = pl.concat([frame.lazy(), frame.lazy()]).filter(pl.col("a") % 7 != 1)
io = ParquetIO(sys.argv[1])
context = OutputContext(asset="a")
print(io.store(context, lazy).data_version, io.store(context, lazy.collect()).data_version)
"""
    environment = {**os.environ, "POLARS_MAX_THREADS": threads}
    run = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
    )
    lazy, eager = run.stdout.split()
    assert lazy == eager


def test_exists_version_delete(io: ParquetIO) -> None:
    context = out("silver.x", *DAYS[:2])
    assert (io.exists(context), io.version(context)) == (False, None)
    io.store(out("silver.x", DAYS[0]), FRAME)
    assert (io.exists(context), io.version(context)) == (False, None)
    io.store(out("silver.x", DAYS[1]), FRAME)
    assert io.exists(context)
    assert io.version(context)
    io.delete(context)
    io.delete(context)
    assert not io.exists(out("silver.x", DAYS[0]))


# ---- bad input


def test_missing_data_says_what_to_materialize(io: ParquetIO) -> None:
    with pytest.raises(MissingDataError) as caught:
        io.load(into(pl.DataFrame))
    assert "asset 'gold.revenue' is not stored" in str(caught.value)
    assert "'report' needs it" in str(caught.value)
    assert "batuta materialize gold.revenue" in str(caught.value)


def test_missing_partitions_are_named(io: ParquetIO) -> None:
    _store_days(io)
    with pytest.raises(MissingDataError) as caught:
        io.load(into(pl.LazyFrame, "silver.x", "2025-12-31", *DAYS, "2026-01-04"))
    assert "partitions '2025-12-31', '2026-01-04' are not stored" in str(caught.value)
    assert "batuta materialize silver.x --partition 2025-12-31" in str(caught.value)


@pytest.mark.parametrize("value", [1, "text", {"a": 1}, [1, 2], None])
def test_what_is_no_table_is_refused(io: ParquetIO, value: Any) -> None:
    with pytest.raises(ResultError, match=f"ParquetIO stores tables, not {type(value).__name__}"):
        io.store(out(), value)


def test_a_column_that_parquet_does_not_have_is_refused(io: ParquetIO) -> None:
    io.store(out(), FRAME)
    with pytest.raises(ResultError, match="cannot be written as Parquet"):
        io.store(out(), pl.DataFrame({"a": [object()]}))
    with pytest.raises(ResultError, match="cannot be written as Parquet"):
        io.store(out(), pd.DataFrame({"a": [1, "x"]}))
    assert io.load(into()).equals(FRAME)


def test_what_a_lazy_table_raises_is_told_as_it_is(io: ParquetIO) -> None:
    io.store(out(), FRAME)
    with pytest.raises(pl.exceptions.ColumnNotFoundError):
        io.store(out(), FRAME.lazy().select("nope"))
    with pytest.raises(duckdb.ConversionException):
        io.store(out(), duckdb.sql("SELECT CAST('x' || range AS INT) FROM range(3)"))
    assert io.load(into()).equals(FRAME)


@pytest.mark.parametrize("loaded", [pl.DataFrame, pd.DataFrame, pa.Table, duckdb.DuckDBPyRelation, list])
def test_a_damaged_file_is_named(io: ParquetIO, loaded: type) -> None:
    path = Path(io.store(out(), FRAME).path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ResultError, match=r"gold/revenue\.parquet cannot be read as Parquet"):
        as_rows(io.load(into(loaded)))


def test_a_remote_asset_has_no_local_path() -> None:
    io = ParquetIO("memory://paths")
    io.store(out(), FRAME)
    with pytest.raises(Exception, match="it is kept at memory://paths"):
        io.load(into(Path))


# ---- elsewhere than on the local disk


@pytest.mark.parametrize("kind", KINDS)
def test_on_an_fsspec_path(kind: type) -> None:
    MemoryFileSystem.store.clear()
    io = ParquetIO("memory://lake/x")
    for day in DAYS:
        facts = io.store(out("silver.x", day), make(kind))
        assert facts.path == f"memory://lake/x/silver/x/{day}.parquet"
    assert as_rows(io.load(into(kind, "silver.x", *DAYS))) == ROWS * 3
    with pytest.raises(MissingDataError, match="'2020-01-01' is not stored"):
        io.load(into(kind, "silver.x", "2020-01-01"))
    assert io.version(out("silver.x", DAYS[0])) == facts.data_version


# ---- full disk


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A file system of 256 KiB, where the test may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_told_and_the_previous_version_stays(small_disk: Path, kind: type) -> None:
    io = ParquetIO(small_disk)
    facts = io.store(out(), make(kind))
    n = 200_000
    large = pl.DataFrame({"a": range(n), "s": [f"x{number * 7919 % 100_003}" for number in range(n)]})
    with pytest.raises(StorageError, match=r"no space left to write .*/small/gold/revenue\.parquet") as caught:
        io.store(out(), make(kind, large))
    assert caught.value.hint
    assert io.version(out()) == facts.data_version
    assert os.listdir(small_disk / TEMP) == []


def test_a_full_device_without_a_mount(io: ParquetIO) -> None:
    """The kernel's own full device, for machines on which nothing may be mounted."""
    io.store(out(), FRAME)

    def write() -> None:
        with io.files.replacing("gold/revenue.parquet") as draft:
            os.symlink("/dev/full", draft)
            with open(draft, "wb", buffering=0) as file:
                file.write(b"x")

    with pytest.raises(StorageError, match="no space left"):
        write()
    assert io.load(into()).equals(FRAME)


# ---- kill -9

WRITER = """
import sys
import polars as pl
from batuta.io import OutputContext, ParquetIO
io = ParquetIO(sys.argv[1])
for number in range(1, 1_000_000):
    n = 20_000
    frame = pl.DataFrame({"version": [number] * n, "row": range(n)})
    io.store(OutputContext(asset="gold.revenue"), frame)
    print(number, flush=True)
"""


@pytest.mark.parametrize("seed", range(5))
def test_a_writer_killed_at_any_instant_leaves_a_whole_version(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    with subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(chance.randint(1, 4))][-1]
        spin_until = time.perf_counter() + chance.uniform(0, 0.02)
        while time.perf_counter() < spin_until:
            pass
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
    io = ParquetIO(tmp_path)
    frame = io.load(into())
    assert frame.height == 20_000
    assert frame["version"].n_unique() == 1
    assert frame["version"][0] in (acknowledged, acknowledged + 1)
    assert pl.scan_parquet(tmp_path / "gold").collect().height == 20_000  # other readers see no leftover
    io.store(out(), FRAME)
    assert os.listdir(tmp_path / TEMP) == []


PARTITIONS = """
import sys
import polars as pl
from batuta.io import OutputContext, ParquetIO
for day in sys.argv[2:]:
    ParquetIO(sys.argv[1]).store(OutputContext(asset="silver.x", partitions=(day,)), pl.DataFrame({"day": [day]}))
"""


def test_writers_of_different_partitions_at_once(tmp_path: Path) -> None:
    days = [f"2026-01-{day:02}" for day in range(1, 31)]
    command = [sys.executable, "-c", PARTITIONS, str(tmp_path)]
    writers = [subprocess.Popen([*command, *days[start::2]]) for start in (0, 1)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert ParquetIO(tmp_path).load(into(None, "silver.x", *days))["day"].to_list() == days


def test_files_are_plain_parquet(io: ParquetIO) -> None:
    path = io.store(out(), FRAME).path
    assert pq.read_table(path).num_rows == 3
    assert pl.read_parquet(path).equals(FRAME)
