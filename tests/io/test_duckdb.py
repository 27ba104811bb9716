"""DuckDBIO on real files: partitions in one transaction, types that widen, locks of other processes, kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from batuta.core.errors import DefinitionError, ResultError, TransientError
from batuta.io import DuckDBIO, InputContext, MissingDataError, OutputContext, StorageError

FRAME = pl.DataFrame({"id": [1, 2, 3], "name": ["a", None, "c"], "amount": [1.5, 2.5, None]})
ROWS = FRAME.to_dicts()
KINDS = [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.Table, duckdb.DuckDBPyRelation, list]
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")


@pytest.fixture
def io(tmp_path: Path) -> DuckDBIO:
    return DuckDBIO(tmp_path / "lake.duckdb")


def out(asset: str = "gold.revenue", *partitions: str) -> OutputContext:
    return OutputContext(asset=asset, partitions=partitions)


def into(annotation: Any = None, asset: str = "gold.revenue", *partitions: str) -> InputContext:
    return InputContext(
        asset=asset, partitions=partitions, partitioned=bool(partitions), annotation=annotation, downstream="report"
    )


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


def as_rows(value: Any) -> list[dict[str, Any]]:
    """Any table as rows, to compare."""
    if isinstance(value, pl.LazyFrame):
        value = value.collect()
    if isinstance(value, duckdb.DuckDBPyRelation):
        value = value.pl()
    if isinstance(value, pd.DataFrame):
        value = pl.from_pandas(value)
    if isinstance(value, pa.Table):
        value = pl.DataFrame(value)
    return value.to_dicts() if isinstance(value, pl.DataFrame) else list(value)


def query(io: DuckDBIO, sql: str) -> list[tuple[Any, ...]]:
    """What a person would see who opens the file."""
    with duckdb.connect(io.database) as connection:
        return list(connection.execute(sql).fetchall())


@pytest.mark.parametrize("stored", KINDS)
@pytest.mark.parametrize("loaded", KINDS)
def test_every_table_goes_in_and_comes_out_as_every_other(io: DuckDBIO, stored: type, loaded: type) -> None:
    facts = io.store(out(), make(stored))
    assert (facts.rows, facts.columns) == (3, [("id", "int64"), ("name", "string"), ("amount", "float64")])
    assert facts.path == f"{io.database}#gold.revenue"
    value = io.load(into(loaded))
    assert isinstance(value, loaded)
    assert sorted(as_rows(value), key=lambda row: row["id"]) == ROWS


def test_keys_become_schemas_and_tables(io: DuckDBIO) -> None:
    for asset in ("revenue", "gold.revenue", "fin.gold.revenue", 'od"d.ta"ble', "gold.sel ect"):
        io.store(out(asset), FRAME)
        assert io.load(into(None, asset)).height == 3
    assert query(io, "SELECT count(*) FROM gold.revenue") == [(3,)]
    assert query(io, "SELECT count(*) FROM revenue") == [(3,)]
    assert query(io, 'SELECT count(*) FROM fin."gold.revenue"') == [(3,)]


def test_one_schema_for_all(tmp_path: Path) -> None:
    io = DuckDBIO(tmp_path / "lake.duckdb", schema="warehouse")
    io.store(out("revenue"), FRAME)
    assert query(io, "SELECT count(*) FROM warehouse.revenue") == [(3,)]


def test_storing_again_replaces(io: DuckDBIO) -> None:
    io.store(out(), FRAME)
    io.store(out(), FRAME.select("id")[:1])
    assert io.load(into()).to_dicts() == [{"id": 1}]


# ---- partitions


def _store_days(io: DuckDBIO, asset: str = "silver.x") -> None:
    for number, day in enumerate(DAYS):
        io.store(out(asset, day), pl.DataFrame({"n": [number, number]}))


def test_partitions_are_replaced_one_by_one(io: DuckDBIO) -> None:
    _store_days(io)
    facts = io.store(out("silver.x", DAYS[1]), pl.DataFrame({"n": [10]}))
    assert facts.rows == 1
    assert facts.columns == [("n", "int64")]
    assert sorted(io.load(into(None, "silver.x", *DAYS))["n"]) == [0, 0, 2, 2, 10]
    assert io.load(into(None, "silver.x", DAYS[1])).to_dicts() == [{"n": 10}]
    assert query(io, "SELECT DISTINCT _partition FROM silver.x ORDER BY 1") == [(day,) for day in DAYS]


def test_all_of_a_partitioned_asset_for_a_consumer_without_partitions(io: DuckDBIO) -> None:
    _store_days(io)
    assert io.load(into(None, "silver.x")).columns == ["n"]
    assert io.load(into(None, "silver.x")).height == 6


def test_partitions_by_key(io: DuckDBIO) -> None:
    _store_days(io)
    frames = io.load(into(dict[str, pl.DataFrame], "silver.x", *DAYS))
    assert {day: frame["n"].to_list() for day, frame in frames.items()} == {
        day: [number] * 2 for number, day in enumerate(DAYS)
    }


def test_a_partition_without_rows_is_stored(io: DuckDBIO) -> None:
    io.store(out("silver.x", DAYS[0]), pl.DataFrame({"n": []}, schema={"n": pl.Int64}))
    assert io.exists(out("silver.x", DAYS[0]))
    assert io.load(into(None, "silver.x", DAYS[0])).height == 0
    assert not io.exists(out("silver.x", DAYS[1]))


def test_several_partitions_at_once(io: DuckDBIO) -> None:
    facts = io.store(out("silver.x", *DAYS[:2]), {DAYS[0]: FRAME, DAYS[1]: FRAME[:1]})
    assert {key: part.rows for key, part in facts.parts.items()} == {DAYS[0]: 3, DAYS[1]: 1}
    assert facts.data_version == io.version(out("silver.x", *DAYS[:2]))
    with pytest.raises(ResultError, match="return a dict with one value for each partition key"):
        io.store(out("silver.x", *DAYS), FRAME)


def test_a_column_of_the_data_can_be_the_partition(tmp_path: Path) -> None:
    io = DuckDBIO(tmp_path / "lake.duckdb", partition_column="day")
    frame = pl.DataFrame({"day": [date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 2)], "n": [1, 2, 3]})
    facts = io.store(out("silver.x", *DAYS[:2]), frame)
    assert {key: part.rows for key, part in facts.parts.items()} == {DAYS[0]: 2, DAYS[1]: 1}
    io.store(out("silver.x", DAYS[0]), frame[:1])
    assert io.load(into(None, "silver.x", *DAYS[:2])).sort("n").to_dicts() == [frame.row(i, named=True) for i in (0, 2)]
    with pytest.raises(ResultError, match="column 'day' also holds 2026-01-02"):
        io.store(out("silver.x", DAYS[0]), frame)
    with pytest.raises(ResultError, match="has no column 'day'"):
        io.store(out("silver.x", DAYS[0]), frame.drop("day"))
    assert io.load(into(None, "silver.x", *DAYS[:2])).height == 2


def test_quotes_in_partition_keys(io: DuckDBIO) -> None:
    keys = ("it's", 'a"b', "x'; DROP TABLE silver.x; --")
    for key in keys:
        io.store(out("silver.x", key), FRAME)
    assert io.load(into(None, "silver.x", *keys)).height == 9
    io.delete(out("silver.x", keys[0]))
    assert io.load(into(None, "silver.x", *keys[1:])).height == 6


# ---- columns that change between partitions


def test_new_columns_are_added_and_wider_types_widen(io: DuckDBIO) -> None:
    io.store(out("silver.x", DAYS[0]), pl.DataFrame({"n": pl.Series([1], dtype=pl.Int32), "same": ["a"]}))
    io.store(out("silver.x", DAYS[1]), pl.DataFrame({"n": [2.5], "note": ["new"]}))
    rows = io.load(into(list, "silver.x", *DAYS[:2]))
    assert sorted(rows, key=lambda row: row["n"]) == [
        {"n": 1.0, "same": "a", "note": None},
        {"n": 2.5, "same": None, "note": "new"},
    ]


def test_numbers_do_not_become_text(io: DuckDBIO) -> None:
    io.store(out("silver.x", DAYS[0]), pl.DataFrame({"n": [1]}))
    with pytest.raises(ResultError, match="column 'n' is VARCHAR here and BIGINT in other partitions"):
        io.store(out("silver.x", DAYS[1]), pl.DataFrame({"n": ["x"]}))
    assert io.load(into(None, "silver.x", DAYS[0]))["n"].to_list() == [1]
    assert not io.exists(out("silver.x", DAYS[1]))


def test_a_column_that_was_only_null_takes_the_type_that_comes(io: DuckDBIO) -> None:
    io.store(out("silver.x", DAYS[0]), pl.DataFrame({"n": [1], "note": [None]}))
    io.store(out("silver.x", DAYS[1]), pl.DataFrame({"n": [2], "note": ["text"]}))
    io.store(out("silver.x", DAYS[2]), pl.DataFrame({"n": [3], "note": [None]}))
    assert io.load(into(None, "silver.x", *DAYS)).sort("n")["note"].to_list() == [None, "text", None]


def test_an_asset_that_gets_partitions_later_starts_anew(io: DuckDBIO) -> None:
    io.store(out("silver.x"), FRAME)
    io.store(out("silver.x", DAYS[0]), FRAME[:1])
    assert io.load(into(None, "silver.x")).height == 1


# ---- versions


def test_the_version_is_of_the_content_not_of_its_order(io: DuckDBIO) -> None:
    version = io.store(out(), FRAME).data_version
    assert io.store(out(), FRAME.reverse()).data_version == version
    assert io.store(out(), FRAME.to_arrow()).data_version == version
    assert io.store(out(), FRAME.to_pandas()).data_version == version
    assert io.version(out()) == version
    swapped = FRAME.with_columns(name=pl.col("name").reverse())
    assert io.store(out(), swapped).data_version != version
    assert io.store(out(), FRAME.rename({"id": "key"})).data_version != version
    assert io.store(out(), pl.concat([FRAME, FRAME])).data_version != version


def test_a_later_column_leaves_versions_of_earlier_partitions(io: DuckDBIO) -> None:
    version = io.store(out("silver.x", DAYS[0]), FRAME).data_version
    io.store(out("silver.x", DAYS[1]), FRAME.with_columns(z=1))
    assert io.version(out("silver.x", DAYS[0])) == version
    assert io.store(out("gold.other"), FRAME).data_version == version


def test_exists_version_delete(io: DuckDBIO) -> None:
    context = out("silver.x", *DAYS[:2])
    io.delete(context)
    assert (io.exists(context), io.version(context)) == (False, None)
    _store_days(io)
    assert io.exists(context)
    io.delete(context)
    io.delete(context)
    assert not io.exists(out("silver.x", DAYS[0]))
    assert io.exists(out("silver.x", DAYS[2]))
    io.delete(out("silver.x"))
    assert not io.exists(out("silver.x", DAYS[2]))


# ---- bad input


def test_missing_data_says_what_to_materialize(io: DuckDBIO) -> None:
    with pytest.raises(MissingDataError, match=r"asset 'gold\.revenue' is not stored"):
        io.load(into())
    assert not os.path.exists(io.database)
    io.store(out("gold.other"), FRAME)
    with pytest.raises(MissingDataError, match=r"batuta materialize gold\.revenue"):
        io.load(into())
    with pytest.raises(MissingDataError, match="partition '2026-01-01' is not stored"):
        io.load(into(None, "gold.revenue", DAYS[0]))
    _store_days(io)
    with pytest.raises(MissingDataError, match="partition '2026-02-01' is not stored"):
        io.load(into(None, "silver.x", *DAYS, "2026-02-01"))


def test_what_is_no_table_or_no_file_is_refused(io: DuckDBIO) -> None:
    with pytest.raises(ResultError, match="DuckDBIO stores tables, not int"):
        io.store(out(), 1)
    with pytest.raises(DefinitionError, match="needs a local database file"):
        DuckDBIO(":memory:")
    io.store(out(), FRAME)
    with pytest.raises(DefinitionError, match="it is a table in"):
        io.load(into(Path))


def test_a_file_that_is_no_database_is_named(io: DuckDBIO) -> None:
    Path(io.database).write_bytes(b"no database" * 1000)
    with pytest.raises(ResultError, match=r"lake\.duckdb: .*not a valid DuckDB database file"):
        io.store(out(), FRAME)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small tmpfs")
    try:
        io = DuckDBIO(place / "lake.duckdb")
        io.store(out("silver.x", DAYS[0]), FRAME)
        n = 500_000
        large = pl.DataFrame({"id": range(n), "name": [f"x{number * 7919 % 100_003}" for number in range(n)]})
        with pytest.raises(StorageError, match=r"no space left to write .*lake\.duckdb"):
            io.store(out("silver.x", DAYS[0]), large)
        assert io.load(into(list, "silver.x", DAYS[0])) == ROWS
    finally:
        subprocess.run(["umount", str(place)], check=True)


# ---- other processes, other threads

HOLD = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
connection.close()
print("released", flush=True)
"""


def _holder(io: DuckDBIO) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, io.database], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_a_file_held_by_another_process_is_waited_for(io: DuckDBIO) -> None:
    io.store(out(), FRAME)
    refused = threading.Event()

    class Watched(DuckDBIO):
        """Tells when the first attempt to open the file has failed, which is when the other lets go."""

        def _busy_until(self, error: Exception, deadline: float, pause_s: float) -> None:
            refused.set()
            super()._busy_until(error, deadline, pause_s)

    watched = Watched(io.database)
    with _holder(io) as child:
        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.append(watched.store(out(), FRAME[:1])))
        thread.start()
        assert refused.wait(20)
        child.communicate("\n")
        thread.join()
    assert results[0].rows == 1
    assert io.load(into()).height == 1


def test_waiting_ends_with_an_error_that_says_who_holds_it(io: DuckDBIO) -> None:
    io.lock_timeout_s = 0.05
    with _holder(io) as child:
        with pytest.raises(TransientError, match=rf"was in use for 0\.05 s: .*PID {child.pid}"):
            io.store(out(), FRAME)
        with pytest.raises(TransientError, match="was in use"):
            io.load(into())
        child.communicate("\n")


def test_a_relation_from_the_file_can_be_stored_in_the_same_file(io: DuckDBIO) -> None:
    io.store(out("silver.x"), FRAME)
    upstream = io.load(into(duckdb.DuckDBPyRelation, "silver.x"))
    assert io.store(out("gold.y"), upstream.aggregate("sum(id) AS total")).rows == 1
    assert io.load(into(list, "gold.y")) == [{"total": 6}]


def test_loading_works_beside_an_open_connection_of_the_same_process(io: DuckDBIO) -> None:
    io.store(out(), FRAME)
    with duckdb.connect(io.database) as connection:
        assert io.load(into()).height == 3
        assert io.store(out("gold.other"), FRAME).rows == 3
        assert connection.execute("SELECT count(*) FROM gold.other").fetchall() == [(3,)]


def test_threads_store_and_load_at_once(io: DuckDBIO) -> None:
    errors: list[BaseException] = []
    keys = [f"p{number}" for number in range(16)]

    def work(mine: list[str]) -> None:
        try:
            for key in mine:
                io.store(out("silver.x", key), FRAME)
                assert io.load(into(None, "silver.x", key)).height == 3
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(keys[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert io.load(into(None, "silver.x", *keys)).height == 48


WRITER = """
import sys
import polars as pl
from batuta.io import DuckDBIO, OutputContext
io = DuckDBIO(sys.argv[1])
for number in range(1, 1_000_000):
    frame = pl.DataFrame({"version": [number] * 20_000})
    io.store(OutputContext(asset="gold.revenue", partitions=("2026-01-01",)), frame)
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_writer_killed_at_any_instant_leaves_a_whole_version(io: DuckDBIO, after: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITER, io.database], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        acknowledged = [int(child.stdout.readline()) for _ in range(after)][-1]
        child.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
    frame = io.load(into(None, "gold.revenue", "2026-01-01"))
    assert frame.height == 20_000
    assert frame["version"].unique().to_list() in ([acknowledged], [acknowledged + 1])
