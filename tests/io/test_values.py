"""MemoryIO, PickleIO and JSONIO; and a manager as a user writes one."""

from __future__ import annotations

import dataclasses
import datetime
import pickle
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pydantic import BaseModel

from batuta.core.errors import RequestError, ResultError
from batuta.io import (
    JSONIO,
    DuckDBIO,
    InputContext,
    IOManager,
    MemoryIO,
    MissingDataError,
    OutputContext,
    ParquetIO,
    PickleIO,
    Stored,
)
from batuta.io.base import describe


class Merchant(BaseModel):
    """A pydantic model."""

    name: str
    since: datetime.date


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: float = 0.0


class Limit(msgspec.Struct):
    """A msgspec Struct."""

    amount: Decimal


def out(*partitions: str) -> OutputContext:
    return OutputContext(asset="a.b", partitions=partitions)


def into(annotation: Any = None, *partitions: str) -> InputContext:
    return InputContext(asset="a.b", partitions=partitions, partitioned=bool(partitions), annotation=annotation)


@pytest.fixture(params=[MemoryIO, PickleIO, JSONIO])
def io(request: pytest.FixtureRequest, tmp_path: Path) -> IOManager:
    """Every manager that takes plain values."""
    manager: IOManager = MemoryIO() if request.param is MemoryIO else request.param(tmp_path)
    return manager


@pytest.mark.parametrize("value", [None, 1, 1.5, "x", True, [1, 2], {"a": [1, None]}, [], {}])
def test_plain_values(io: IOManager, value: Any) -> None:
    stored = io.store(out(), value)
    assert io.load(into()) == value
    assert stored.data_version == io.version(out())
    assert io.store(out(), value).data_version == stored.data_version
    assert io.store(out(), {"other": 1}).data_version != stored.data_version


def test_one_partition_is_its_value_and_several_are_a_dict_or_a_list(io: IOManager) -> None:
    for key in ("x", "y"):
        io.store(out(key), [key, 1])
    assert io.load(into(None, "x")) == ["x", 1]
    assert io.load(into(None, "x", "y")) == {"x": ["x", 1], "y": ["y", 1]}
    assert io.load(into(list, "x", "y")) == ["x", 1, "y", 1]
    assert io.load(InputContext(asset="a.b", partitioned=True)) is None


def test_a_list_of_values_that_are_no_lists(io: IOManager) -> None:
    for number, key in enumerate("xy"):
        io.store(out(key), number)
    assert io.load(into(list[int], "x", "y")) == [0, 1]


def test_several_partitions_at_once(io: IOManager) -> None:
    stored = io.store(out("x", "y"), {"x": 1, "y": 2})
    assert set(stored.parts) == {"x", "y"}
    assert io.load(into(None, "y")) == 2
    assert io.version(out("x", "y")) == stored.data_version
    with pytest.raises(ResultError, match=r"returned a dict with the keys \['x'\]"):
        io.store(out("x", "y"), {"x": 1})


def test_missing_exists_delete(io: IOManager) -> None:
    with pytest.raises(MissingDataError, match=r"asset 'a\.b' is not stored"):
        io.load(into())
    io.store(out("x"), 1)
    with pytest.raises(MissingDataError, match="partition 'y' is not stored"):
        io.load(into(None, "x", "y"))
    assert io.exists(out("x"))
    assert not io.exists(out("x", "y"))
    assert io.version(out("x", "y")) is None
    io.delete(out("x", "y"))
    assert not io.exists(out("x"))


@pytest.mark.parametrize("kind", [MemoryIO, PickleIO])
def test_any_object_by_memory_and_pickle(kind: type, tmp_path: Path) -> None:
    io: IOManager = MemoryIO() if kind is MemoryIO else PickleIO(tmp_path)
    for value in (Point(1), {1, 2}, (1, 2), Decimal("1.5"), datetime.date(2026, 1, 1), Merchant):
        io.store(out(), value)
        assert io.load(into()) == value
    frame = pl.DataFrame({"a": [1, 2]})
    io.store(out(), frame)
    assert io.load(into(pl.DataFrame)).equals(frame)
    assert io.load(into()).equals(frame)


def test_memory_keeps_what_cannot_be_pickled_as_a_new_version_each_time() -> None:
    io, lock = MemoryIO(), threading.Lock()
    first = io.store(out(), lock)
    assert io.load(into()) is lock
    assert io.store(out(), lock).data_version != first.data_version


def test_a_lambda_is_pickled(tmp_path: Path) -> None:
    io = PickleIO(tmp_path)
    io.store(out(), lambda number: number + 1)
    assert io.load(into())(1) == 2


def test_what_cannot_be_pickled_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match=r"asset 'a\.b'\['lock'\]: _thread\.lock cannot be recorded"):
        PickleIO(tmp_path).store(out(), {"lock": threading.Lock()})


def test_a_pickle_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    io = PickleIO(tmp_path)
    Path(io.store(out(), 1).path).write_bytes(pickle.dumps(Point(1)).replace(b"Point", b"Gone!"))
    with pytest.raises(ResultError, match=r"asset 'a\.b' cannot be read back: AttributeError"):
        io.load(into())


# ---- JSON


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (Merchant(name="x", since=datetime.date(2026, 1, 1)), Merchant),
        ([Merchant(name="x", since=datetime.date(2026, 1, 1))], list[Merchant]),
        ({"x": Merchant(name="x", since=datetime.date(2026, 1, 1))}, dict[str, Merchant]),
        (Point(1, 2.0), Point),
        ([Limit(Decimal("1.50"))], list[Limit]),
        ({1, 2}, set[int]),
        ((1, "x"), tuple[int, str]),
        (datetime.date(2026, 1, 1), datetime.date),
        ([Path("a/b")], list[Any]),
    ],
)
def test_json_gives_back_the_type_of_the_annotation(tmp_path: Path, value: Any, annotation: Any) -> None:
    io = JSONIO(tmp_path)
    io.store(out(), value)
    loaded = io.load(into(annotation))
    assert loaded == ([str(item) for item in value] if annotation == list[Any] else value)


def test_json_of_numpy_numbers(tmp_path: Path) -> None:
    io = JSONIO(tmp_path)
    io.store(out(), {"mean": np.float64(1.5), "count": np.int64(2), "all": np.array([1, 2])})
    assert io.load(into()) == {"mean": 1.5, "count": 2, "all": [1, 2]}


@pytest.mark.parametrize("kind", [pl.DataFrame, pl.LazyFrame, pd.DataFrame, pa.Table])
def test_json_rows_as_frames(tmp_path: Path, kind: type) -> None:
    io = JSONIO(tmp_path)
    for key in ("x", "y"):
        io.store(out(key), [{"key": key}])
    loaded: Any = io.load(into(kind, "x", "y"))
    assert isinstance(loaded, kind)
    frame: Any = loaded.collect() if isinstance(loaded, pl.LazyFrame) else loaded
    assert len(frame) == 2
    assert len(io.load(into(dict[str, pl.DataFrame], "x", "y"))["y"]) == 1


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    io = JSONIO(tmp_path)
    with pytest.raises(ResultError, match="cannot be written as JSON: it holds a _thread"):
        io.store(out(), [threading.Lock()])
    with pytest.raises(ResultError, match="ParquetIO stores those"):
        io.store(out(), pl.DataFrame())
    path = Path(io.store(out(), {"name": 1}).path)
    with pytest.raises(ResultError, match="cannot be read as JSON of Merchant"):
        io.load(into(Merchant))
    path.write_bytes(b"{")
    with pytest.raises(ResultError, match="cannot be read as JSON"):
        io.load(into())


# ---- a user's own


class TextIO(IOManager):
    """Ten lines, as the documentation promises."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def store(self, context: OutputContext, value: Any) -> Stored:
        path = self.folder / f"{context.asset}.txt"
        path.write_text(value)
        return Stored(path=str(path), metadata={"words": len(value.split())})

    def load(self, context: InputContext) -> Any:
        return (self.folder / f"{context.asset}.txt").read_text()


def test_a_manager_of_a_user(tmp_path: Path) -> None:
    io = TextIO(tmp_path)
    assert io.store(out(), "two words").metadata == {"words": 2}
    assert io.load(into()) == "two words"
    assert (io.exists(out()), io.version(out())) == (True, None)
    with pytest.raises(RequestError, match=r"TextIO cannot delete asset 'a\.b', partitions 'x', 'y'"):
        io.delete(out("x", "y"))


def test_managers_travel_to_other_processes(tmp_path: Path) -> None:
    remote = ParquetIO("memory://travel")
    remote.store(out(), pl.DataFrame({"a": [1]}))
    for io in (remote, ParquetIO(tmp_path), DuckDBIO(tmp_path / "x.duckdb"), JSONIO(tmp_path), MemoryIO()):
        assert type(pickle.loads(pickle.dumps(io))) is type(io)
    assert pickle.loads(pickle.dumps(remote)).load(into()).height == 1


def test_stored_is_recordable() -> None:
    stored = Stored(path="x", rows=1, columns=[("a", "int64")], parts={"p": Stored(rows=1)})
    assert msgspec.json.decode(msgspec.json.encode(stored), type=Stored) == stored


def test_many_partitions_are_shortened_in_messages() -> None:
    assert describe("a", ["1", "2", "3", "4", "5"]) == "asset 'a', partitions '1', '2', '3' and 2 more"
