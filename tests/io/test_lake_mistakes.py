"""Delta and Iceberg tables where something is wrong: what is missing, in the way or full is told with what to do."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from batuta.core.connections import Connection
from batuta.core.errors import DefinitionError, ResultError
from batuta.io import (
    DeltaIO,
    IcebergIO,
    InputContext,
    MissingDataError,
    StorageError,
)
from batuta.io.delta import object_store_options
from batuta.io.lake import LakeIO
from tests.io.lakes import as_of, out
from tests.io.test_duckdb import DAYS, FRAME, ROWS, as_rows, into


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
