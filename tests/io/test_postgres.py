"""PostgresIO on a real server: types there and back, partitions in one transaction, columns that change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import psycopg
import pyarrow as pa
import pytest

from batuta.core.errors import DefinitionError, RequestError, ResultError, TransientError
from batuta.io import InputContext, MissingDataError, OutputContext, PostgresIO

FRAME = pl.DataFrame({"id": [1, 2, 3], "name": ["a", None, "c\td\\"], "amount": [1.5, 2.5, None]})


@pytest.fixture
def io(postgres_url: str) -> PostgresIO:
    return PostgresIO(postgres_url)


def out(asset: str = "gold.revenue", *partitions: str) -> OutputContext:
    return OutputContext(asset=asset, partitions=partitions)


def into(annotation: Any = pl.DataFrame, asset: str = "gold.revenue", *partitions: str) -> InputContext:
    return InputContext(asset=asset, partitions=partitions, partitioned=bool(partitions), annotation=annotation)


def sql(io: PostgresIO, text: str) -> list[Any]:
    return io.write(
        lambda cursor: cursor.execute(text).fetchall() if text.startswith("SELECT") else [cursor.execute(text)]
    )


@pytest.mark.parametrize("made", [FRAME, FRAME.lazy(), FRAME.to_pandas(), FRAME.to_arrow(), FRAME.to_dicts()])
def test_any_table_goes_in_and_comes_out_as_what_is_asked_for(io: PostgresIO, made: Any) -> None:
    stored = io.store(out(), made)
    assert stored.rows == 3
    assert stored.columns == [("id", "int64"), ("name", "string"), ("amount", "float64")]
    assert stored.path.endswith("#gold.revenue")
    assert stored.data_version == io.version(out())
    assert io.load(into()).sort("id").equals(FRAME)
    assert io.load(into(pa.Table)).num_rows == 3
    assert len(io.load(into(pd.DataFrame))) == 3
    assert io.load(into(list[dict[str, Any]])) == FRAME.to_dicts()
    assert io.load(into(pl.LazyFrame)).collect().height == 3
    assert io.load(into(duckdb.DuckDBPyRelation)).fetchall()


def test_types_come_back_as_they_went(io: PostgresIO) -> None:
    table = pa.table(
        {
            "small": pa.array([1, None], pa.int16()),
            "big": pa.array([2**62, None], pa.uint64()),
            "flag": [True, None],
            "text": ["ä'\n", None],
            "day": [date(2026, 1, 2), None],
            "at": pa.array([datetime.fromisoformat("2026-01-02T03:04:05.000006"), None], pa.timestamp("us")),
            "instant": pa.array([datetime(2026, 1, 2, 3, tzinfo=UTC), None], pa.timestamp("us", "UTC")),
            "clock": pa.array([time(1, 2, 3), None], pa.time64("us")),
            "long": pa.array([timedelta(days=1, seconds=2), None], pa.duration("us")),
            "money": pa.array([Decimal("1.25"), None], pa.decimal128(10, 2)),
            "raw": pa.array([b"\x00\xff", None], pa.binary()),
            "many": pa.array([[1, 2], None], pa.list_(pa.int64())),
            "nested": pa.array([{"a": 1}, None], pa.struct([("a", pa.int64())])),
            "nothing": pa.array([None, None], pa.null()),
        }
    )
    io.store(out(), table)
    found = io.load(into(pa.Table))
    expected = table.to_pylist()[0] | {"big": Decimal(2**62), "nested": '{"a": 1}'}
    assert found.to_pylist()[0] == expected
    assert set(found.to_pylist()[1].values()) == {None}
    kinds = {field.name: str(field.type) for field in found.schema}
    assert (kinds["small"], kinds["at"], kinds["instant"]) == ("int16", "timestamp[us]", "timestamp[us, tz=UTC]")


def test_the_version_is_that_of_the_content_in_whatever_order(io: PostgresIO) -> None:
    first = io.store(out(), FRAME).data_version
    assert io.store(out(), FRAME.reverse()).data_version == first
    assert io.store(out(), FRAME.head(2)).data_version != first
    assert (
        io.store(out(), FRAME.with_columns(name=pl.lit(""))).data_version
        != io.store(out(), FRAME.with_columns(name=pl.lit(None, pl.String))).data_version
    )


def test_partitions_are_kept_apart_and_may_be_empty(io: PostgresIO) -> None:
    one = io.store(out("a.b", "2026-01-01"), FRAME)
    io.store(out("a.b", "2026-01-02"), FRAME.head(0))
    io.store(out("a.b", "2026-01-01"), FRAME)
    assert io.version(out("a.b", "2026-01-01")) == one.data_version
    assert io.load(into(pl.DataFrame, "a.b", "2026-01-01", "2026-01-02")).height == 3
    assert io.load(into(dict[str, pl.DataFrame], "a.b", "2026-01-02"))["2026-01-02"].height == 0
    with pytest.raises(MissingDataError, match="partition '2026-01-03'"):
        io.load(into(pl.DataFrame, "a.b", "2026-01-03"))
    io.delete(out("a.b", "2026-01-02"))
    assert not io.exists(out("a.b", "2026-01-02"))
    both = io.store(out("a.b", "x", "y"), {"x": FRAME, "y": FRAME.head(1)})
    assert (both.rows, set(both.parts)) == (4, {"x", "y"})


def test_partitions_may_widen_and_add_columns_but_no_number_becomes_text(io: PostgresIO) -> None:
    io.store(out("a.b", "1"), pl.DataFrame({"n": pl.Series([1], dtype=pl.Int32)}))
    io.store(out("a.b", "2"), pl.DataFrame({"n": pl.Series([2**40]), "new": ["x"]}))
    io.store(out("a.b", "3"), pl.DataFrame({"n": pl.Series([3], dtype=pl.Int16)}))
    found = io.load(into(pl.DataFrame, "a.b", "1", "2", "3")).sort("n")
    assert found.to_dicts() == [{"n": 1, "new": None}, {"n": 3, "new": None}, {"n": 2**40, "new": "x"}]
    with pytest.raises(ResultError, match="column 'n' is text here and bigint in other rows"):
        io.store(out("a.b", "4"), pl.DataFrame({"n": ["x"]}))


def test_an_asset_that_loses_its_partitions_or_gets_them_is_made_anew(io: PostgresIO) -> None:
    io.store(out(), FRAME)
    io.store(out("gold.revenue", "1"), FRAME.head(1))
    assert io.load(into(pl.DataFrame, "gold.revenue", "1")).height == 1
    io.store(out(), FRAME)
    assert io.load(into()).columns == FRAME.columns


def test_what_depends_on_a_table_stays_when_it_is_written_again(io: PostgresIO) -> None:
    io.store(out(), FRAME)
    sql(io, "CREATE VIEW gold.ids AS SELECT id FROM gold.revenue")
    io.store(out(), FRAME.with_columns(more=pl.lit(1)).drop("amount"))
    assert sql(io, "SELECT count(*) FROM gold.ids") == [(3,)]
    with pytest.raises(ResultError, match="depend") as caught:
        io.store(out(), FRAME.drop("id"))
    assert "ids" in str(caught.value)
    assert io.load(into()).height == 3, "nothing half-written"


def test_a_partition_column_of_the_data(postgres_url: str) -> None:
    io = PostgresIO(postgres_url, schema="lake", partition_column="day")
    frame = pl.DataFrame({"day": [date(2026, 1, 1)] * 2, "n": [1, 2]})
    io.store(out("x.y", "2026-01-01"), frame)
    assert io.load(into(pl.DataFrame, "x.y", "2026-01-01")).sort("n").equals(frame)
    with pytest.raises(ResultError, match="also holds 2026-01-01"):
        io.store(out("x.y", "2026-01-02"), frame)
    assert sql(io, 'SELECT count(*) FROM lake."x.y"') == [(2,)]


def test_readers_see_the_old_rows_until_the_new_ones_are_there(io: PostgresIO, postgres_url: str) -> None:
    io.store(out(), FRAME)
    url = "postgresql" + postgres_url[postgres_url.index(":") :]
    with psycopg.connect(url) as reader:
        reader.execute("SELECT * FROM gold.revenue").fetchall()
        reader.rollback()

        def work(cursor: Any) -> int:
            cursor.execute("DELETE FROM gold.revenue")
            (seen,) = reader.execute("SELECT count(*) FROM gold.revenue").fetchone() or (0,)
            return int(seen)

        assert io.read(work) == 3


def test_what_is_stored_at_once_does_not_stumble_over_schemas_and_tables(io: PostgresIO) -> None:
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(io.store, out(f"new.t{n % 4}", f"{n}"), FRAME) for n in range(16)]
        assert [job.result().rows for job in jobs] == [3] * 16


def test_wrong_input_says_what_to_do(io: PostgresIO, tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="PostgresIO stores tables, not int"):
        io.store(out(), 5)
    with pytest.raises(MissingDataError, match="materialize it first"):
        io.load(into())
    with pytest.raises(DefinitionError, match="as a Path"):
        io.load(into(Path))
    with pytest.raises(TransientError, match="cannot be reached"):
        PostgresIO("postgresql://nobody@127.0.0.1:1/x").load(into())
    with pytest.raises(RequestError, match="postgresql is needed"):
        PostgresIO("duckdb:///x.db")
    assert "secret" not in repr(PostgresIO("postgresql://ann:secret@host/x"))


def test_a_table_is_scanned_by_batches(io: PostgresIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batuta.io.postgres.SCAN_ROWS", 2)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    columns = {
        "id": range(5),
        "money": [Decimal("1.50")] * 5,
        "made": [noon] * 5,
        "tags": [["a"], None, [], None, ["b"]],
    }
    io.store(out("gold.x", "a"), pl.DataFrame(columns))
    io.store(out("gold.x", "b"), pl.DataFrame(columns)[:1])
    with io.scan(into(None, "gold.x", "a")) as scan, io.scan(into(None, "gold.x", "b")) as other:
        found = scan.rows("SELECT count(*), sum(money), epoch(max(made)), count(tags) FROM this")
        assert found == [(5, Decimal("7.50"), noon.timestamp(), 3)]
        assert other.rows("SELECT id FROM this") == [(0,)]
        assert [kind for _, kind in scan.plain_columns] == ["int64", "decimal(38,2)", "datetime[UTC]", "list"]
        scan.add("other", other, ["id"])
        assert scan.rows("SELECT count(*) FROM this JOIN other USING (id)") == [(1,)]
    with io.scan(into(None, "gold.x")) as scan:
        assert scan.rows("SELECT count(*) FROM this") == [(6,)]
    with pytest.raises(MissingDataError, match="partition 'c' is not stored"), io.scan(into(None, "gold.x", "c")):
        pass
    sql(io, "CREATE TABLE gold.loose AS SELECT 1.5::numeric AS n UNION ALL SELECT 2.25")
    with io.scan(into(None, "gold.loose")) as scan:  # a type that only its values tell
        assert scan.rows("SELECT sum(n) FROM this") == [(Decimal("3.75"),)]
