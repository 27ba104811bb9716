"""Delta and Iceberg tables that several write: others, runs at once, and one that is killed."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa

from batuta.io.lake import LakeIO
from tests.io.lakes import FORMATS, append, as_of, n, out, sorted_n, version_of
from tests.io.test_duckdb import DAYS


def test_a_table_that_others_have_changed(io: LakeIO) -> None:
    io.store(out("silver.x", DAYS[0]), n(1))
    before = io.version(out("silver.x", DAYS[0]))
    append(io, pa.table({"n": [5], "_partition": [DAYS[0]]}))
    append(io, pa.table({"n": [6], "_partition": ["by hand"]}))
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
