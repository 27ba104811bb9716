"""Good rows and bad rows apart: the bad ones with the names of the rules that they fail.

Rows are split in the library that holds them, by their numbers, so that neither types nor order change on the way; SQL
only tells which numbers. The surprising rule: a table that can be read only once, or is computed when it is read, is
first written to a temporary file, so that it is judged and stored as one and the same.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from batuta.core.errors import DefinitionError
from batuta.io import frames
from batuta.io.duck_tables import quoted, text
from batuta.io.frames import Kind
from batuta.io.scan import Scan, cursor, scanned, scanned_sql
from batuta.quality.given import Given
from batuta.quality.rules import RowRule, Rule
from batuta.quality.table_rules import Relationship, Unique

ROW = "batuta_row"
REASON = "quarantine_reason"


class Held(NamedTuple):
    """A table that may be read as often as wanted. `path`: of the temporary file that it is in, if it is in one."""

    value: Any
    kind: Kind
    path: str = ""


class Split(NamedTuple):
    """`good` is as the table was held; `bad` is a frame, with a column that says why."""

    good: Any
    bad: Any
    refused: int


@contextmanager
def held(value: Any) -> Iterator[Held]:
    """The table, so that it can be read twice and gives the same."""
    kind = frames.kind_of(value)
    assert kind is not None
    if kind not in ("lazy", "duckdb", "stream"):
        yield Held(value, kind)
        return
    folder = tempfile.mkdtemp(prefix="batuta-held-")
    path = os.path.join(folder, "table.parquet")
    try:
        _write(value, kind, path)
        yield Held(_read(path, kind), kind, path)
    finally:
        if os.path.exists(path):
            os.remove(path)
        os.rmdir(folder)


def _write(value: Any, kind: Kind, path: str) -> None:
    if kind == "lazy":
        value.sink_parquet(path)
    elif kind == "duckdb":
        value.write_parquet(path)
    else:
        import pyarrow.parquet as pq

        batches = frames.pyarrow().RecordBatchReader.from_stream(value)
        with pq.ParquetWriter(path, batches.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)


def _read(path: str, kind: Kind) -> Any:
    """What stands in the file, to be read as often as wanted: a LazyFrame of one, a DuckDB relation of the rest."""
    if kind == "lazy":
        import polars as pl

        return pl.scan_parquet(path, glob=False, hive_partitioning=False)
    return cursor().sql(f"SELECT * FROM read_parquet({text(path)}, hive_partitioning = false)")


@contextmanager
def scanned_held(table: Held, what: str) -> Iterator[Scan]:
    """Ask it in SQL."""
    if table.path:
        with scanned_sql(f"read_parquet({text(table.path)}, hive_partitioning = false)") as found:
            yield found
        return
    with scanned(table.value, what) as found:
        yield found


# ---- splitting ----


def split(table: Held, rules: Sequence[Rule], given: Given) -> Split:
    """The rows that all rules accept, and those that one refuses. `given.scan` asks the same table."""
    with _numbered(table) as numbered:
        asked = Given(numbered, others=given.others, stack=given.stack)
        asked.opened = given.opened  # type: ignore[method-assign]
        flags = [f"coalesce({_refused(rule, asked)}, FALSE) AS f{n}" for n, rule in enumerate(rules)]
        names = ", ".join(f"CASE WHEN f{n} THEN {text(rule.name)} END" for n, rule in enumerate(rules))
        some = " OR ".join(f"f{n}" for n in range(len(rules)))
        found = numbered.table(
            f"SELECT {ROW}, concat_ws(', ', {names}) AS {REASON} "
            f"FROM (SELECT {ROW}, {', '.join(flags)} FROM this) WHERE {some} ORDER BY {ROW}"
        )
    good, bad = _SPLITTERS[table.kind](table, found)
    return Split(good, bad, found.num_rows)


@contextmanager
def _numbered(table: Held) -> Iterator[Scan]:
    """The table with a column more: the number of the row, from 0 on."""
    if table.path:
        sql = f"read_parquet({text(table.path)}, hive_partitioning = false, file_row_number = true)"
        with scanned_sql(f"(SELECT * EXCLUDE (file_row_number), file_row_number AS {ROW} FROM {sql})") as found:
            yield found
        return
    value = table.value
    match table.kind:
        case "rows":
            value = frames.from_rows(value)[1].with_row_index(ROW)
        case "polars":
            value = value.with_row_index(ROW)
        case "pandas":
            value = value.reset_index(drop=True).assign(**{ROW: range(len(value))})
        case _:
            value = value.append_column(ROW, frames.pyarrow().array(range(value.num_rows)))
    with scanned(value) as found:
        yield found


def _refused(rule: Rule, given: Given) -> str:
    """The condition that a row fails, in a query over `this` with row numbers."""
    if isinstance(rule, Unique):
        return rule.repeated(ROW)
    if isinstance(rule, Relationship):
        condition = rule.failing(given.other(rule.to, rule.to_names))
    elif isinstance(rule, RowRule):
        condition = rule.failing(given.scan.columns)
    else:
        raise DefinitionError(f"{rule.name!r} does not say of each row by itself whether it is good")
    return f"({rule.options.where}) AND ({condition})" if rule.options.where else f"({condition})"


def _split_polars(table: Held, found: Any) -> tuple[Any, Any]:
    import polars as pl

    return _by_frame(table.value.with_row_index(ROW), pl.DataFrame(found))


def _split_lazy(table: Held, found: Any) -> tuple[Any, Any]:
    import polars as pl

    good, bad = _by_frame(table.value.with_row_index(ROW), pl.DataFrame(found).lazy())
    return good, bad.collect()


def _by_frame(numbered: Any, refused: Any) -> tuple[Any, Any]:
    import polars as pl

    refused = refused.with_columns(pl.col(ROW).cast(pl.get_index_type()))
    good = numbered.join(refused, on=ROW, how="anti", maintain_order="left").drop(ROW)
    return good, numbered.join(refused, on=ROW, how="inner", maintain_order="left").drop(ROW)


def _split_rows(table: Held, found: Any) -> tuple[Any, Any]:
    reasons = dict(zip(found[ROW].to_pylist(), found[REASON].to_pylist(), strict=True))
    good = [row for n, row in enumerate(table.value) if n not in reasons]
    bad = [{**row, REASON: reasons[n]} for n, row in enumerate(table.value) if n in reasons]
    if bad:
        return good, frames.from_rows(bad)[1]
    empty = frames.from_rows(table.value)[1].clear() if table.value else frames.from_rows([])[1]
    import polars as pl

    return good, empty.with_columns(pl.lit(None, pl.String).alias(REASON))


def _split_pandas(table: Held, found: Any) -> tuple[Any, Any]:
    import numpy as np

    keep = np.ones(len(table.value), dtype=bool)
    numbers = found[ROW].to_numpy()
    keep[numbers] = False
    bad = table.value.iloc[numbers].reset_index(drop=True)
    return table.value[keep], bad.assign(**{REASON: found[REASON].to_pandas().to_numpy()})


def _split_arrow(table: Held, found: Any) -> tuple[Any, Any]:
    return _by_mask(table.value, found)


def _by_mask(value: Any, found: Any) -> tuple[Any, Any]:
    pa = frames.pyarrow()
    import numpy as np

    keep = np.ones(value.num_rows, dtype=bool)
    keep[found[ROW].to_numpy()] = False
    bad = value.take(found[ROW])
    return value.filter(pa.array(keep)), bad.append_column(REASON, found[REASON])


def _split_file(table: Held, found: Any) -> tuple[Any, Any]:
    connection = cursor()
    connection.register("refused", found)
    sql = f"read_parquet({text(table.path)}, hive_partitioning = false, file_row_number = true)"
    good = connection.sql(
        f"SELECT * EXCLUDE (file_row_number) FROM {sql} "
        f"WHERE file_row_number NOT IN (SELECT {ROW} FROM refused) ORDER BY file_row_number"
    )
    bad = connection.sql(
        f"SELECT t.* EXCLUDE (file_row_number), r.{quoted(REASON)} FROM {sql} AS t "
        f"JOIN refused AS r ON r.{ROW} = t.file_row_number ORDER BY t.file_row_number"
    ).to_arrow_table()
    return good, bad


_SPLITTERS: dict[Kind, Any] = {
    "polars": _split_polars,
    "lazy": _split_lazy,
    "rows": _split_rows,
    "pandas": _split_pandas,
    "arrow": _split_arrow,
    "duckdb": _split_file,
    "stream": _split_file,
}


def content_hash(table: Any) -> str:
    """A hash of a table's rows, whatever their order."""
    with scanned(table) as found:
        if not found.columns:
            return "empty"
        ((rows, total),) = found.rows("SELECT count(*), coalesce(sum(hash(t)::HUGEINT), 0) FROM this AS t")
    return f"{rows}-{total:x}"
