"""Tables in an object store: an S3 endpoint on loopback. Partitions are replaced whole, and what fails leaves them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from batuta.core.errors import ResultError
from batuta.io import DeltaIO, IcebergIO, InputContext, MissingDataError, OutputContext, ParquetIO
from batuta.io.base import IOManager

pytest.importorskip("moto.server", reason='pip install "moto[s3,server]" s3fs')
pytest.importorskip("s3fs", reason='pip install "moto[s3,server]" s3fs')
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
FRAME = pl.DataFrame({"day": ["a", "b"], "n": [1, 2]})
KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An S3 server with a bucket `lake`, in a process of its own: deltalake holds Python while it waits for it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    environment = {name: value for name, value in os.environ.items() if "PROXY" not in name.upper()}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not _is_made(f"{url}/lake"):
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)
        yield url
    finally:
        server.kill()
        server.wait()


def _is_made(bucket: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(bucket, method="PUT"), timeout=5) as answer:
            return int(answer.status) == 200
    except OSError:
        return False


@pytest.fixture(params=["parquet", "delta", "iceberg"])
def io(request: pytest.FixtureRequest, endpoint: str, tmp_path: Path) -> IOManager:
    place = f"s3://lake/{tmp_path.name}"
    match request.param:
        case "parquet":
            return ParquetIO(place, storage_options={"endpoint_url": endpoint, "key": "k", "secret": "s"})
        case "delta":
            options = {**KEYS, "AWS_ENDPOINT_URL": endpoint, "AWS_ALLOW_HTTP": "true"}
            return DeltaIO(place, storage_options=options)
    keys = {"s3.access-key-id": "k", "s3.secret-access-key": "s", "s3.region": "us-east-1"}
    catalog = {"uri": f"sqlite:///{tmp_path}/catalog.db", "s3.endpoint": endpoint, **keys}
    return IcebergIO(place, catalog=catalog)


def out(asset: str, *partitions: str) -> OutputContext:
    return OutputContext(asset=asset, partitions=partitions, run_id="7", attempt="7.x.1")


def into(asset: str, *partitions: str, annotation: Any = None) -> InputContext:
    return InputContext(asset=asset, partitions=partitions, partitioned=bool(partitions), annotation=annotation)


def loaded(io: IOManager, asset: str, *partitions: str) -> list[tuple[Any, ...]]:
    return sorted(io.load(into(asset, *partitions)).rows())


def test_a_partition_is_replaced_whole_and_what_fails_leaves_it(io: IOManager) -> None:
    io.store(out("gold.p", "a"), FRAME[:1])
    io.store(out("gold.p", "b"), FRAME[1:])
    io.store(out("gold.p", "a"), pl.DataFrame({"day": ["a"], "n": [9]}))
    io.store(out("gold.p", "a"), pl.DataFrame({"day": ["a"], "n": [9]}))
    assert loaded(io, "gold.p", "a", "b") == [("a", 9), ("b", 2)]
    breaks = pl.LazyFrame({"day": ["a"], "n": ["x"]}).with_columns(pl.col("n").cast(pl.Int64))
    with pytest.raises(pl.exceptions.InvalidOperationError):
        io.store(out("gold.p", "a"), breaks)
    assert loaded(io, "gold.p", "a") == [("a", 9)]


def test_it_is_read_lazily_and_by_checks(io: IOManager) -> None:
    io.store(out("gold.x"), FRAME)
    lazy = io.load(into("gold.x", annotation=pl.LazyFrame))
    assert lazy.filter(pl.col("n") > 1).collect().rows() == [("b", 2)]
    with io.scan(into("gold.x")) as scan:
        assert scan.rows("SELECT sum(n) FROM this") == [(3,)]


def test_an_environment_is_promoted_and_dropped(io: IOManager) -> None:
    io.store(out("gold__dev.p", "a"), FRAME[:1])
    io.store(out("gold__dev.p", "b"), FRAME[1:])
    io.copy(out("gold__dev.p", "a", "b"), out("gold.p", "a", "b"))
    io.delete(out("gold__dev.p", "a", "b"))
    io.delete(out("gold__dev.p"))
    assert loaded(io, "gold.p", "a", "b") == [("a", 1), ("b", 2)]
    with pytest.raises(MissingDataError):
        io.load(into("gold__dev.p", "a"))


def test_why_a_store_is_not_reached_is_told(endpoint: str) -> None:
    with pytest.raises(ResultError, match=r"lake/x/gold/x\.delta: .*scheme is not allowed"):
        DeltaIO("s3://lake/x", storage_options={**KEYS, "AWS_ENDPOINT_URL": endpoint}).store(out("gold.x"), FRAME)
