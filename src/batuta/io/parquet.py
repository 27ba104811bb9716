"""Tables as Parquet files: Polars, pandas, Arrow, DuckDB relations and lists of dicts.

The data version is the hash of the file, and the same content gives the same file: row groups have a fixed number of
rows, so that neither chunks nor the number of threads show. It differs between libraries, and between versions of one.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from batuta.core.errors import BatutaError, ResultError
from batuta.io import frames
from batuta.io.base import InputContext, OutputContext, describe, missing
from batuta.io.duck_tables import text
from batuta.io.file_io import FileIO, Source, Written, unreadable
from batuta.io.files import storage_error
from batuta.io.frames import Columns, Kind, WantedKind, columns_of, plain_type, wants
from batuta.io.pickling import type_name
from batuta.io.recent import RECENT

if TYPE_CHECKING:
    from batuta.io.scan import Scan

ROW_GROUP_ROWS = 122_880
_GLOB = frozenset("*?[]{}")


class ParquetIO(FileIO):
    """Stores any table; loads it as what the consumer is annotated with (Polars where nothing is said).

    Several partitions are concatenated; columns that only some of them have are null in the others. A LazyFrame and a
    DuckDB relation read the files when they are computed; `Path` gives the file itself.
    """

    extension = ".parquet"

    def __init__(
        self,
        base_path: str | os.PathLike[str] = "",
        *,
        storage_options: Mapping[str, Any] | None = None,
        connection: Any = None,
        compression: str = "zstd",
    ) -> None:
        super().__init__(base_path, storage_options=storage_options, connection=connection)
        self.compression = compression

    def write(self, path: str, value: Any, context: OutputContext) -> Written:
        kind = frames.kind_of(value)
        if kind is None:
            raise ResultError(
                f"{describe(context.asset, context.partitions)}: ParquetIO stores tables, not {type_name(value)}",
                hint="return a frame, an Arrow table, a DuckDB relation or a list of dicts, or use JSONIO or PickleIO",
            )
        try:
            return self._write(path, value, kind)
        except (MemoryError, BatutaError):
            raise
        except Exception as error:
            # A lazy table is computed here: what its own plan raises is the user's, and is told as it is.
            if kind in ("lazy", "duckdb") or storage_error(error, path, ours=False):
                raise
            raise ResultError(
                f"{describe(context.asset, context.partitions)} cannot be written as Parquet: {error}",
                hint="give every column one type that Parquet has (text, numbers, dates, lists or structs of those)",
            ) from error

    def _write(self, path: str, value: Any, kind: Kind) -> Written:
        if kind == "rows":
            kind, value = frames.from_rows(value)
        options = {"row_group_size": ROW_GROUP_ROWS, "compression": self.compression}
        match kind:
            case "polars":
                value.rechunk().write_parquet(path, **options)
                return Written(value.height, columns_of(value, kind))
            case "lazy":
                value.sink_parquet(path, **options)
                return _written_by_plan(path)
            case "duckdb":
                value.write_parquet(path, **options)
                found = frames.duckdb_cursor().execute("SELECT num_rows FROM parquet_file_metadata(?)", [path])
                ((rows,),) = found.fetchall()
                return Written(rows, columns_of(value, kind))
            case _:
                import pyarrow.parquet as pq

                table = frames.to_arrow(value, kind)
                pq.write_table(table, path, **options)
                return Written(table.num_rows, columns_of(table, "arrow"))

    @contextmanager
    def scan(self, context: InputContext) -> Iterator[Scan]:
        from batuta.io.scan import scanned, scanned_sql

        names = {key: self._name(context.asset, key) for key in context.partitions or ("",)}
        if context.partitioned and not context.partitions:
            raise missing(context.asset, (), context.downstream, self.files.base)
        sources = list(self._sources(names, context).values())
        paths = [source for source in sources if isinstance(source, str) and not _GLOB & set(source)]
        try:
            if len(paths) < len(sources):
                with scanned(_read_arrow(sources)) as found:
                    yield found
                return
            listed = ", ".join(map(text, paths))
            sql = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false)"
            with scanned_sql(sql, lambda: _columns_of(sources)) as found:
                yield found
        except Exception as error:
            if not isinstance(error, BatutaError) and (place := _damaged(sources)):
                raise unreadable(place, "Parquet", error) from error
            raise

    def read(self, sources: dict[str, Source], context: InputContext) -> Any:
        wanted = wants(context.annotation)
        kind = frames.default_kind() if wanted.kind == "any" else wanted.kind
        if wanted.by_partition:
            return {key: self._read([source], kind, context) for key, source in sources.items()}
        return self._read(list(sources.values()), kind, context)

    def _read(self, sources: list[Source], kind: WantedKind, context: InputContext) -> Any:
        try:
            return _READERS[kind](sources)
        except ImportError as error:
            raise frames.needs(error.name or kind) from error
        except (MemoryError, BatutaError):
            raise
        except Exception as error:
            place = _damaged(sources) or describe(context.asset, context.partitions)
            raise unreadable(place, "Parquet", error) from error


def _written_by_plan(path: str) -> Written:
    import polars as pl

    written = pl.scan_parquet(path, glob=False, hive_partitioning=False)
    rows = written.select(pl.len()).collect().item()
    return Written(rows, columns_of(written, "lazy"))


def _columns_of(sources: list[Source]) -> Columns:
    """Without reading more than the ends of the files."""
    if frames.default_kind() == "polars":
        return columns_of(_read_lazy(sources), "lazy")
    import pyarrow.parquet as pq

    schemas = [pq.read_schema(source) for source in sources]
    schema = schemas[0] if len(schemas) == 1 else frames.pyarrow().unify_schemas(schemas, promote_options="permissive")
    return [(name, plain_type(str(kind))) for name, kind in zip(schema.names, schema.types, strict=True)]


def _read_lazy(sources: list[Source]) -> Any:
    import polars as pl

    scans = [pl.scan_parquet(source, glob=False, hive_partitioning=False) for source in sources]
    return scans[0] if len(scans) == 1 else pl.concat(scans, how="diagonal_relaxed")


def _read_polars(sources: list[Source]) -> Any:
    match sources:
        case [str() as path]:
            return RECENT.read(path, lambda: _read_lazy(sources).collect())
    return _read_lazy(sources).collect()


def _read_arrow(sources: list[Source]) -> Any:
    pa = frames.pyarrow()
    import pyarrow.parquet as pq

    tables = [pq.ParquetFile(source).read() for source in sources]
    return tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")


def _read_pandas(sources: list[Source]) -> Any:
    import pandas as pd

    tables = [_read_arrow([source]).to_pandas() for source in sources]
    if len(tables) == 1:
        return tables[0]
    return pd.concat(tables, ignore_index=all(isinstance(table.index, pd.RangeIndex) for table in tables))


def _read_duckdb(sources: list[Source]) -> Any:
    if any(isinstance(source, io.BytesIO) or _GLOB & set(source) for source in sources):
        return frames.from_arrow(_read_arrow(sources), "duckdb")  # DuckDB would take `[` in a path for a pattern
    return frames.duckdb_cursor().read_parquet(sources, union_by_name=True, hive_partitioning=False)


def _read_rows(sources: list[Source]) -> list[dict[str, Any]]:
    if frames.default_kind() == "polars":
        rows: list[dict[str, Any]] = _read_polars(sources).to_dicts()
        return rows
    return list(_read_arrow(sources).to_pylist())


_READERS: dict[WantedKind, Callable[[list[Source]], Any]] = {
    "lazy": _read_lazy,
    "polars": _read_polars,
    "arrow": _read_arrow,
    "pandas": _read_pandas,
    "duckdb": _read_duckdb,
    "rows": _read_rows,
}


def _damaged(sources: list[Source]) -> str | None:
    """The first file that does not start and end as Parquet files do."""
    for source in sources:
        if isinstance(source, str):
            with open(source, "rb") as file:
                head = file.read(4)
                file.seek(max(0, os.path.getsize(source) - 4))
                if head != b"PAR1" or file.read(4) != b"PAR1":
                    return source
    return None
