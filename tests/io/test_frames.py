"""Which table an annotation asks for, and one vocabulary for column types."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Optional

import duckdb
import pandas as pd
import pandera.typing as pandera_pandas
import pandera.typing.polars as pandera_polars
import polars as pl
import pyarrow as pa
import pytest
from pandera.polars import DataFrameModel

from batuta.io.frames import Wanted, columns_of, kind_of, null_counts, plain_type, wants


class Rates(DataFrameModel):
    """A schema."""

    rate: float


@pytest.mark.parametrize(
    ("annotation", "wanted"),
    [
        (None, Wanted("any")),
        (Any, Wanted("any")),
        (int, Wanted("any")),
        (str, Wanted("any")),
        ("pl.DataFrame", Wanted("any")),
        (dict, Wanted("any", mapping=True)),
        (dict[str, float], Wanted("any", mapping=True)),
        (pl.DataFrame, Wanted("polars")),
        (pl.LazyFrame, Wanted("lazy")),
        (pd.DataFrame, Wanted("pandas")),
        (pa.Table, Wanted("arrow")),
        (duckdb.DuckDBPyRelation, Wanted("duckdb")),
        (Annotated[pl.LazyFrame, Rates], Wanted("lazy")),
        (Optional[pd.DataFrame], Wanted("pandas")),  # noqa: UP045
        (None | pl.DataFrame, Wanted("polars")),
        (pandera_polars.DataFrame[Rates], Wanted("polars")),
        (pandera_polars.LazyFrame[Rates], Wanted("lazy")),
        (pandera_pandas.DataFrame[Any], Wanted("pandas")),
        (list, Wanted("rows")),
        (list[dict[str, Any]], Wanted("rows")),
        (Sequence[dict[str, Any]], Wanted("rows")),
        (Iterable[dict[str, Any]], Wanted("rows")),
        (Path, Wanted("path")),
        (list[Path], Wanted("path", many=True)),
        (dict[str, pl.DataFrame], Wanted("polars", by_partition=True, mapping=True)),
        (dict[str, Path], Wanted("path", by_partition=True, mapping=True)),
    ],
)
def test_what_an_annotation_asks_for(annotation: Any, wanted: Wanted) -> None:
    assert wants(annotation) == wanted


def test_which_table_a_value_is() -> None:
    frame = pl.DataFrame({"a": [1]})
    values = [frame, frame.lazy(), frame.to_pandas(), frame.to_arrow(), duckdb.sql("SELECT 1"), [{"a": 1}], []]
    assert [kind_of(value) for value in values] == ["polars", "lazy", "pandas", "arrow", "duckdb", "rows", "rows"]
    assert [kind_of(value) for value in (1, "x", {"a": 1}, [1], None, Path())] == [None] * 6
    assert kind_of(pa.RecordBatchReader.from_batches(pa.schema([]), [])) == "stream"


def test_column_types_have_the_same_names_in_all_libraries() -> None:
    sql = """SELECT 1::BIGINT AS i, 2::UTINYINT AS u, 1.5::DOUBLE AS d, 1.5::FLOAT AS f, 'x' AS s, TRUE AS b,
        DATE '2026-01-01' AS day, TIMESTAMP '2026-01-01' AS at, '1 s'::BLOB AS raw, 1.25::DECIMAL(18, 2) AS money,
        [1, 2] AS many"""
    relation: Any = duckdb.sql(sql)
    expected = [
        "int64",
        "uint8",
        "float64",
        "float32",
        "string",
        "bool",
        "date",
        "datetime",
        "binary",
        "decimal(18,2)",
        "list",
    ]
    assert [kind for _, kind in columns_of(relation, "duckdb")] == expected
    assert [kind for _, kind in columns_of(relation.to_arrow_table(), "arrow")] == expected
    frame = relation.pl()
    assert [kind for _, kind in columns_of(frame, "polars")] == expected
    assert columns_of(frame.lazy(), "lazy") == columns_of(frame, "polars")


def test_zones_are_named() -> None:
    frame = pl.DataFrame({"at": []}, schema={"at": pl.Datetime("us", "Europe/Madrid")})
    assert columns_of(frame, "polars") == [("at", "datetime[Europe/Madrid]")]
    assert columns_of(frame.to_arrow(), "arrow") == [("at", "datetime[Europe/Madrid]")]
    assert plain_type("TIMESTAMP WITH TIME ZONE") == "datetime[UTC]"


def test_nothing_heavy_is_imported_with_the_package() -> None:
    heavy = ["polars", "pandas", "pyarrow", "duckdb", "pydantic", "pandera", "fsspec", "numpy", "cloudpickle"]
    code = f"import sys, batuta.io; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_nulls_are_known_without_asking_where_the_table_counts_them() -> None:
    frame = pl.DataFrame({"id": [1, None, None], "name": ["a", "b", None], "whole": [1.0, 2.0, float("nan")]})
    for table in (frame, frame.to_arrow()):
        assert null_counts(table, ["id", "name", "whole", "absent"]) == ({"id": 2, "name": 1, "whole": 0}, 3)
    assert null_counts(frame.clear(), ["id"]) == ({"id": 0}, 0)
    assert null_counts(frame.to_pandas(), ["id"]) is None
