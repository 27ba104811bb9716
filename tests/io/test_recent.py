"""What was read a moment ago is read from memory, and is what stands in the file, whatever is done to a frame."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from batuta.io import InputContext, OutputContext, ParquetIO
from batuta.io.recent import Recent


class Disk:
    """A file of Parquet, and how often it was read."""

    def __init__(self, path: Path, recent: Recent) -> None:
        self.path = path
        self.recent = recent
        self.reads = 0

    def write(self, frame: pl.DataFrame) -> None:
        draft = self.path.with_suffix(".draft")
        frame.write_parquet(draft)
        draft.replace(self.path)

    def load(self) -> pl.DataFrame:
        found = self.recent.read(str(self.path), self._read)
        assert isinstance(found, pl.DataFrame)
        return found

    def _read(self) -> pl.DataFrame:
        self.reads += 1
        return pl.read_parquet(self.path)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    made = Disk(tmp_path / "table.parquet", Recent(bytes_max=1_000, files_max=3))
    made.write(pl.DataFrame({"n": [1, 2, 3]}))
    return made


def test_a_file_is_kept_from_its_second_reading_on(disk: Disk) -> None:
    assert disk.recent.bytes == 0
    disk.load()
    assert disk.recent.bytes == 0
    assert [disk.load()["n"].to_list() for _ in range(3)] == [[1, 2, 3]] * 3
    assert disk.reads == 2
    assert disk.recent.bytes == 24


def test_a_file_that_was_replaced_is_read_again(disk: Disk) -> None:
    disk.load(), disk.load(), disk.load()
    disk.write(pl.DataFrame({"n": [4, 5, 6]}))
    assert disk.load()["n"].to_list() == [4, 5, 6]


def test_what_one_does_to_his_frame_no_other_sees(disk: Disk) -> None:
    for _ in range(3):
        mine = disk.load()
        mine["n"].scatter(0, 99)
        mine.insert_column(0, pl.Series("more", [0, 0, 0]))
        mine[1, "n"] = 98
        mine.extend(mine)
        assert disk.load().equals(pl.DataFrame({"n": [1, 2, 3]}))


def test_no_more_is_kept_than_there_is_room_for(disk: Disk, tmp_path: Path) -> None:
    others = [Disk(tmp_path / f"{n}.parquet", disk.recent) for n in range(3)]
    for other in others:
        other.write(pl.DataFrame({"n": list(range(60))}))
        other.load(), other.load()
    assert disk.recent.bytes == 2 * 480
    large = Disk(tmp_path / "large.parquet", disk.recent)
    large.write(pl.DataFrame({"n": list(range(200))}))
    large.load(), large.load(), large.load()
    assert large.reads == 3
    others[0].load()
    assert others[0].reads == 3


def test_a_table_of_parquet_is_one_and_what_is_stored_anew_is_loaded_anew(tmp_path: Path) -> None:
    io = ParquetIO(tmp_path)
    for number in (1, 2):
        io.store(OutputContext(asset="silver.rates"), pl.DataFrame({"n": [number]}))
        found = [io.load(InputContext(asset="silver.rates")) for _ in range(3)]
        assert [frame["n"].to_list() for frame in found] == [[number]] * 3
