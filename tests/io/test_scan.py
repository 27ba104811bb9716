"""Asking tables in SQL where they are."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from batuta.core.errors import ResultError
from batuta.io import JSONIO, DuckDBIO, InputContext, MemoryIO, MissingDataError, OutputContext, ParquetIO
from batuta.io.base import IOManager
from batuta.io.scan import cursor, scanned

FRAME = pl.DataFrame({"id": [1, 2, None], "name": ["a", "b", None]})
KINDS: list[Any] = [
    FRAME,
    FRAME.lazy(),
    FRAME.to_arrow(),
    FRAME.to_pandas(),
    FRAME.to_dicts(),
    FRAME.to_arrow().to_reader(),
]


@pytest.mark.parametrize("value", KINDS, ids=lambda value: type(value).__name__)
def test_any_table_in_memory_is_asked_by_one_name(value: Any) -> None:
    with scanned(value) as found:
        assert list(found.columns) == ["id", "name"]
        assert found.rows("SELECT count(*), count(id), max(name) FROM this") == [(3, 2, "b")]
        assert found.table("SELECT name FROM this WHERE id = 2").to_pylist() == [{"name": "b"}]
        with scanned(pl.DataFrame({"key": [2, 7], "more": [0, 0]})) as other:
            found.add("of", other, ["key"])
        assert found.rows("SELECT id FROM this SEMI JOIN of ON id = key") == [(2,)]


def test_a_relation_is_asked_in_its_own_connection_and_joined_in_ours() -> None:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE mine AS SELECT range AS id FROM range(3)")
        with scanned(connection.sql("SELECT id FROM mine WHERE id > 0")) as found:
            assert found.plain_columns == [("id", "int64")]
            assert found.rows("SELECT sum(id) FROM this") == [(3,)]
            with scanned([{"key": 2}]) as other:
                found.add("of", other, [])
            assert found.rows("SELECT id, more.key FROM this JOIN of AS more ON id = key") == [(2, 2)]
        assert connection.sql("SHOW TABLES").fetchall() == [("mine",)]


def test_types_have_one_vocabulary_and_times_are_in_utc() -> None:
    at = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    frame = pl.DataFrame(
        {"at": [at], "day": [date(2026, 1, 1)], "sum": [Decimal("1.50")], "of": [[1]], "none": [None], "x": [0.5]}
    )
    with scanned(frame.with_columns(pl.col("at").dt.convert_time_zone("Asia/Tokyo"))) as found:
        names = dict(found.plain_columns)
        assert names == {
            "at": "datetime[Asia/Tokyo]",
            "day": "date",
            "sum": "decimal(38,2)",
            "of": "list",
            "none": "null",
            "x": "float64",
        }
        assert found.rows('SELECT CAST(CAST("at" AS DATE) AS VARCHAR) FROM this') == [("2026-01-01",)]


@pytest.mark.parametrize("empty", [pl.DataFrame(), pd.DataFrame(), [], pa.table({})], ids=lambda v: type(v).__name__)
def test_a_table_without_columns_has_no_rows(empty: Any) -> None:
    with scanned(empty) as found:
        assert found.columns == {}
        assert found.rows("SELECT count(*) FROM this") == [(0,)]


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(ResultError, match="asset 'a' is a int, not a table"), scanned(7, "asset 'a'"):
        pass
    with pytest.raises(ResultError, match="cannot be asked in SQL"), scanned(pl.DataFrame({"a": [object()]})):
        pass


def _out(*partitions: str) -> OutputContext:
    return OutputContext(asset="gold.sales", partitions=partitions)


def _in(*partitions: str, partitioned: bool = True) -> InputContext:
    return InputContext(asset="gold.sales", partitions=partitions, partitioned=partitioned, downstream="a check")


@pytest.fixture(params=["parquet", "duckdb", "duckdb column", "json", "memory"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> IOManager:
    made: dict[str, IOManager] = {
        "parquet": ParquetIO(tmp_path),
        "duckdb": DuckDBIO(tmp_path / "lake.duckdb"),
        "duckdb column": DuckDBIO(tmp_path / "lake.duckdb", partition_column="day"),
        "json": JSONIO(tmp_path),
        "memory": MemoryIO(),
    }
    return made[request.param]


def test_partitions_are_asked_together_wherever_they_are_kept(manager: IOManager) -> None:
    for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
        rows = [{"day": day, "amount": n} for n in range(3)]
        manager.store(_out(day), rows)
    with manager.scan(_in("2026-01-01", "2026-01-03")) as found:
        assert list(found.columns) == ["day", "amount"]
        asked = found.rows("SELECT day, sum(amount) FROM this GROUP BY day ORDER BY day")
        assert asked == [("2026-01-01", 3), ("2026-01-03", 3)]
        with scanned([{"key": "2026-01-03"}]) as other:
            found.add("days", other, ["key"])
        assert found.rows("SELECT count(*) FROM this SEMI JOIN days ON day = key") == [(3,)]
    with pytest.raises(MissingDataError), manager.scan(_in("2026-02-01")):
        pass
    # Nothing is held: it can be written again.
    manager.store(_out("2026-01-01"), [{"day": "2026-01-01", "amount": 7}])
    with manager.scan(_in("2026-01-01")) as found:
        assert found.rows("SELECT amount FROM this") == [(7,)]


def test_two_files_are_joined_without_loading_either(tmp_path: Path) -> None:
    manager = ParquetIO(tmp_path)
    manager.store(OutputContext(asset="a"), [{"id": 1}, {"id": 2}])
    manager.store(OutputContext(asset="b [x]"), [{"id": 2}])
    with manager.scan(InputContext(asset="a")) as one, manager.scan(InputContext(asset="b [x]")) as other:
        assert one.portable.startswith("read_parquet(")
        one.add("other", other, ["id"])
        assert one.rows("SELECT id FROM this ANTI JOIN other USING (id)") == [(1,)]


def test_a_file_that_was_damaged_behind_our_back_is_named(tmp_path: Path) -> None:
    manager = ParquetIO(tmp_path)
    manager.store(OutputContext(asset="a"), [{"id": 1}])
    (tmp_path / "a.parquet").write_bytes(b"PAR1 but not for long")
    with (
        pytest.raises(ResultError, match=r"a\.parquet cannot be read as Parquet"),
        manager.scan(InputContext(asset="a")),
    ):
        pass


def test_a_forked_process_has_a_database_of_its_own() -> None:
    cursor().execute("SELECT 1")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(cursor().execute("SELECT count(*) FROM range(3)").fetchall()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert answer.read() == "[(3,)]"
    assert os.waitpid(child, 0)[1] == 0
