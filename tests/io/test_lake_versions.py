"""Versions of Delta and Iceberg tables: each write is one, copies are one commit, and upkeep keeps what is needed."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

from batuta.core.errors import RequestError
from batuta.io import (
    MissingDataError,
    ParquetIO,
    delta_upkeep,
    iceberg_upkeep,
    versions,
)
from batuta.io.lake import LakeIO
from batuta.io.versions import TableVersion, Upkeep, needed, versioned, written_by
from tests.io.lakes import append, as_of, n, out, sorted_n, version_of
from tests.io.test_duckdb import DAYS, KINDS, as_rows


def test_each_write_is_a_version_that_can_be_loaded(io: LakeIO) -> None:
    first = io.store(out("silver.x", DAYS[0], run=1), n(1))
    second = io.store(out("silver.x", DAYS[1], run=2), n(2))
    third = io.store(out("silver.x", DAYS[0], run=3), n(3))
    found = io.versions("silver.x")
    assert [(one.version, one.run) for one in found] == [
        (version_of(third), "3"), (version_of(second), "2"), (version_of(first), "1"),
    ]  # fmt: skip
    assert [sorted_n(io, version=one.version) for one in found] == [[2, 3], [1, 2], [1]]
    assert sorted_n(io, DAYS[0], version=version_of(second)) == [1]
    assert io.partitions("silver.x", version_of(first)) == {DAYS[0]}
    for annotation in KINDS:
        assert as_rows(io.load(as_of(version_of(first), "silver.x", annotation=annotation))) == [{"n": 1}]
    with io.scan(as_of(version_of(first), "silver.x")) as scan:
        assert scan.rows("FROM this") == [(1,)]
    with pytest.raises(MissingDataError, match=f"partition '{DAYS[1]}' is not stored .*version {version_of(first)}"):
        io.load(as_of(version_of(first), "silver.x", DAYS[1]))
    for wrong in ("99", "yesterday"):
        with pytest.raises(MissingDataError, match=r"version|snapshot"):
            io.load(as_of(wrong, "silver.x"))
    assert written_by(io, "silver.x", 1, [version_of(first)]) == version_of(first)
    with pytest.raises(MissingDataError, match="can no longer be read"):
        written_by(io, "silver.x", 1, ["123456"])
    with pytest.raises(MissingDataError, match="run 4 recorded no version"):
        written_by(io, "silver.x", 4, [])


def test_a_manager_without_versions_says_which_have_them(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="has no versions of it but the last"):
        versioned(ParquetIO(tmp_path), "gold.revenue")


def test_copies_are_one_commit_and_production_stays(io: LakeIO) -> None:
    for number, day in enumerate(DAYS):
        io.store(out("silver.x", day), n(number))
    stored = io.copy(out("silver.x", *DAYS), out("silver__dev.x", *DAYS))
    assert len(io.versions("silver__dev.x")) == 1
    assert io.version(out("silver__dev.x", *DAYS)) == io.version(out("silver.x", *DAYS)) == stored.data_version
    io.store(out("silver__dev.x", DAYS[0]), n(100))
    assert sorted_n(io) == [0, 1, 2]
    io.delete(out("silver__dev.x"))
    assert not io.exists(out("silver__dev.x"))
    assert io.versions("silver__dev.x") == []
    with pytest.raises(MissingDataError):
        io.copy(out("silver__dev.x"), out("silver.x"))


def test_tables_of_assets_whose_keys_begin_alike_lie_apart(io: LakeIO) -> None:
    for number, asset in enumerate(("gold.data", "gold", "gold.data.metadata", "gold.data.metadata.x")):
        io.store(out(asset), n(number))
    io.delete(out("gold.data"))
    io.tend("gold.data.metadata", Upkeep())
    assert [sorted_n(io, asset=asset) for asset in ("gold", "gold.data.metadata", "gold.data.metadata.x")] == [
        [1], [2], [3],
    ]  # fmt: skip


@pytest.fixture
def no_least_age(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (versions, delta_upkeep, iceberg_upkeep):
        monkeypatch.setattr(module, "KEEP_FOR_MIN_S", 0.0)


def _busy_table(io: LakeIO) -> list[str]:
    """Some versions, small files, and what a killed writer left."""
    for turn in range(3):
        for number, day in enumerate(DAYS[:2]):
            io.store(out("silver.x", day, run=turn), n(number, turn))
    for number in range(3):
        append(io, pa.table({"n": [number], "_partition": [DAYS[0]]}))
    folder = next(Path(io.place_of("silver.x").partition("#")[0]).rglob(f"*{DAYS[0]}*"))
    (folder / "left-behind.parquet").write_bytes(b"x" * 100)
    os.utime(folder / "left-behind.parquet", (0, 0))
    return [one.version for one in io.versions("silver.x")]


def test_upkeep_keeps_what_is_young(io: LakeIO) -> None:
    before = _busy_table(io)
    content = io.version(out("silver.x", DAYS[0]))
    done = io.tend("silver.x", Upkeep())
    assert done is not None
    assert (done.files_read_before, done.files_read_after) == (5, 2)
    assert done.files_after == done.files_before  # one more by compaction, one less that was left behind
    assert io.version(out("silver.x", DAYS[0])) == content
    assert [one.version for one in io.versions("silver.x")][1:] == before
    for version in before:
        io.load(as_of(version, "silver.x"))
    assert not list(Path(io.place_of("silver.x").partition("#")[0]).rglob("left-behind*"))


@pytest.mark.usefixtures("no_least_age")
def test_upkeep_removes_what_no_version_needs_that_stays(io: LakeIO) -> None:
    before = _busy_table(io)
    pinned = before[-2]
    content = io.load(as_of(pinned, "silver.x", annotation=list))
    done = io.tend("silver.x", Upkeep(keep_for_s=0, keep_last=2, keep=(pinned,)))
    assert done is not None
    left = [one.version for one in io.versions("silver.x")]
    assert left == [left[0], before[0], pinned]
    assert (done.versions_before, done.versions_after) == (len(before), 3)
    assert done.files_after < done.files_before
    assert done.bytes_after < done.bytes_before
    assert io.load(as_of(pinned, "silver.x", annotation=list)) == content
    assert sorted_n(io) == sorted([0, 2, 0, 1, 2, 1, 2])
    with pytest.raises(MissingDataError):
        io.load(as_of(before[5], "silver.x"))
    again = io.tend("silver.x", Upkeep(keep_for_s=0, keep_last=2, keep=(pinned,)))
    assert again is not None
    assert again.files_after == again.files_before
    assert io.tend("silver.other", Upkeep()) is None


def test_which_versions_are_needed() -> None:
    found = [TableVersion(version=str(number), at=number * 1000.0) for number in range(9, -1, -1)]
    hours = Upkeep(keep_for_s=3600.0)
    assert needed(found, hours, 9000.0) == {"9", "8", "7", "6", "5"}  # 5 could still be read at 5400
    assert needed(found, Upkeep(keep_for_s=1.0), 9000.0) == {"9", "8", "7", "6", "5"}  # never less than an hour
    assert needed(found, Upkeep(keep_for_s=3600.0, keep_last=3, keep=("1", "77")), 1e6) == {"9", "8", "7", "1"}
    assert needed([], hours, 0.0) == set()
