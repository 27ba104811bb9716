"""Values between steps: what codec they take, that they come back as they were, and what cannot pass."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime
import enum
import io
import math
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from batuta.core.errors import ResultError
from batuta.core.values import NONE, Handle
from batuta.io.files import TEMP
from batuta.runtime.preview import PREVIEW_MAX, preview
from batuta.runtime.results import INLINE_MAX, ResultStore, dumps, loads


class Color(enum.IntEnum):
    """An integer that must not come back as a plain one."""

    RED = 1


class Pair(NamedTuple):
    """A tuple with a type."""

    a: int
    b: str


@dataclasses.dataclass
class Point:
    """A dataclass with a field that is not for show."""

    x: int
    secret: str = dataclasses.field(default="s3cret", repr=False)


class Model(BaseModel):
    """A pydantic model."""

    name: str
    token: str = Field(default="t0ken", repr=False)


class Struct(msgspec.Struct):
    """A msgspec Struct."""

    a: int


class Text(str):
    """A subclass of a plain type."""

    __slots__ = ()


def back(value: Any) -> Any:
    """There and back."""
    payload = dumps(value)
    return loads(payload.codec, payload.data)


# ---- codecs and round trips


@pytest.mark.parametrize(
    "value", [True, 0, -(2**63), 2**64 - 1, 1.5, "x", "", b"\0", [], {}, [1, "a", None], {"a": [{"b": b"c"}]}]
)
def test_plain_data_goes_as_msgpack(value: Any) -> None:
    assert dumps(value).codec == "m"
    assert back(value) == value


def test_none_costs_nothing() -> None:
    assert dumps(None) is dumps(None)
    assert (dumps(None).codec, dumps(None).data, dumps(None).preview) == ("n", b"", "None")
    assert back(None) is None


@pytest.mark.parametrize(
    "value",
    [
        (1, 2),
        {1, 2},
        {1: "a"},
        {Text("a"): 1},
        [(1,)],
        {"a": (1,)},
        2**64,
        [2**64],
        "\ud800",
        Color.RED,
        [Color.RED],
        Text("x"),
        Pair(1, "b"),
        Point(1),
        Struct(1),
        Decimal("1.50"),
        datetime.date(2026, 1, 1),
        collections.OrderedDict(a=1),
        collections.defaultdict(list, a=[1]),
        np.float64(1.5),
        bytearray(b"x"),
        ValueError,
    ],
)
def test_everything_else_is_pickled_and_keeps_its_type(value: Any) -> None:
    assert dumps(value).codec == "p"
    assert back(value) == value
    assert type(back(value)) is type(value)


def test_subclasses_inside_keep_their_type() -> None:
    assert type(back([Text("x")])[0]) is Text
    assert type(back({"a": [True, Color.RED]})["a"][1]) is Color


def test_what_only_cloudpickle_takes() -> None:
    @dataclasses.dataclass
    class Local:
        x: int

    number = 3
    assert dumps(lambda x: x + number).codec == "c"
    assert back(lambda x: x + number)(1) == 4
    assert back([Local(1)])[0].x == 1


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.tuples(inner, inner)
        | st.sets(st.integers())
    ),
    max_leaves=20,
)


def same(a: Any, b: Any) -> bool:
    """Equal in value, type and order, nan included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return bool(a == b)


@given(values)
def test_any_data_comes_back_the_same(value: Any) -> None:
    payload = dumps(value)
    assert same(loads(payload.codec, payload.data), value)
    assert payload.length == (len(value) if isinstance(value, list | tuple | dict) else None)
    assert len(payload.preview) <= PREVIEW_MAX


def test_cycles_and_deep_nesting() -> None:
    cyclic: list[Any] = [1]
    cyclic += [cyclic, cyclic]
    assert back(cyclic)[1][1][0] == 1
    deep: list[Any] = []
    for _ in range(100):
        deep = [deep]
    assert back(deep) == deep


def test_frames() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert back(frame).equals(frame)
    assert back(frame.lazy()).collect().equals(frame)
    pd.testing.assert_frame_equal(back(frame.to_pandas()), frame.to_pandas())
    assert back(frame.to_arrow()).equals(frame.to_arrow())


MAIN = """
import sys
from batuta.runtime.results import dumps
class Local:
    def __init__(self, x): self.x = x
payload = dumps([Local(5)])
sys.stdout.buffer.write(payload.codec.encode() + payload.data)
"""


def test_a_class_of_a_script_can_be_read_by_another_process() -> None:
    run = subprocess.run([sys.executable, "-c", MAIN], capture_output=True, check=True)
    assert run.stdout[:1] == b"c"
    assert loads("c", run.stdout[1:])[0].x == 5


# ---- what cannot pass


def _generator() -> Iterator[int]:
    yield 1


async def _coroutine() -> None: ...


def _connection() -> Any:
    return sqlite3.connect(":memory:")


@pytest.mark.parametrize(
    ("make", "path", "hint"),
    [
        (lambda c: c, "result: sqlite3.Connection", "open locks, connections"),
        (lambda c: {"conn": [c]}, "result['conn'][0]: sqlite3.Connection", "IO manager"),
        (lambda c: [1, {"a": (2, c)}], "result[1]['a'][1]: sqlite3.Connection", "return data"),
        (lambda c: {"x": {"p": collections.OrderedDict(q=c)}}, "result['x']['p']['q']: sqlite3.Connection", ""),
        (lambda c: Point(c), "result.x: sqlite3.Connection", ""),
        (lambda c: [Struct(c)], "result[0].a: sqlite3.Connection", ""),
        (lambda c: lambda: c, "result.<closure c>: sqlite3.Connection", ""),
        (lambda c: {"f": c.execute}, "result['f']: builtin_function_or_method", ""),
        (lambda c: (threading.Lock(),), "result[0]: _thread.lock", ""),
        (lambda c: _generator(), "result: generator", "list(...)"),
        (lambda c: {"rows": map(str, _generator())}, "result['rows']", "list(...)"),
        (lambda c: {"rows": enumerate(_generator())}, "result['rows']", "list(...)"),
        (lambda c: [threading.current_thread()], "result[0]", ""),
    ],
)
def test_what_cannot_be_recorded_is_named(make: Callable[[Any], Any], path: str, hint: str) -> None:
    connection = _connection()
    with pytest.raises(ResultError) as caught:
        dumps(make(connection))
    connection.close()
    assert str(caught.value).startswith(path)
    assert "cannot be recorded and passed between steps" in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_open_files_are_refused_rather_than_read(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("content")
    with path.open() as text, path.open("rb") as raw:
        for file in (text, raw):
            with pytest.raises(ResultError, match=r"result\['f'\]: _io\..* cannot be recorded") as caught:
                dumps({"f": file})
            assert "the file's path" in (caught.value.hint or "")
    assert back(io.BytesIO(b"x")).read() == b"x"


def test_a_coroutine_that_was_not_awaited() -> None:
    coroutine = _coroutine()
    with pytest.raises(ResultError, match="result: coroutine cannot be recorded") as caught:
        dumps(coroutine)
    assert caught.value.hint == "await it, and return what it gives"
    asyncio.run(coroutine)


def test_the_label_says_what_value_it_was() -> None:
    with pytest.raises(ResultError, match=r"^argument 'x'\[0\]: generator"):
        dumps([_generator()], "argument 'x'")


class Hostile:
    """Raises whatever is asked of it."""

    def __reduce__(self) -> Any:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        raise RuntimeError("no")


def test_a_hostile_object_is_named_by_its_type() -> None:
    with pytest.raises(ResultError, match=r"result\[0\]: .*Hostile cannot be recorded"):
        dumps([Hostile()])
    assert "Hostile" in preview(Hostile())


def test_nesting_too_deep_for_any_pickler() -> None:
    deep: list[Any] = [_generator]
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ResultError, match="nested too deeply"):
        dumps(deep)
    while deep and isinstance(deep[0], list):  # taken apart by hand, as its own destruction would recurse
        deep = deep[0]


def test_bytes_that_cannot_be_read() -> None:
    with pytest.raises(ResultError, match="unknown codec 'z'"):
        loads("z", b"")
    with pytest.raises(ResultError, match="is damaged"):
        loads("m", b"\xc1")
    with pytest.raises(ResultError, match=r"cannot be read back: .*Gone"):
        loads("p", dumps(Point(1)).data.replace(b"Point", b"Gone!"))


# ---- previews


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x" * 300, "'" + "x" * 100 + "'… (300 long)"),
        (b"x", "b'x'"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, … 92 more]"),
        ({"a": {"b": {"c": {"d": 1}}}}, "{'a': {'b': {'c': {…}}}}"),
        ((1,), "(1,)"),
        (set(), "set()"),
        (frozenset({1}), "frozenset({1})"),
        (Point(1), "Point(x=1)"),
        (Model(name="n"), "Model(name='n')"),
        (Struct(1), "Struct(a=1)"),
        (Pair(1, "b"), "Pair(a=1, b='b')"),
        (Color.RED, "Color.RED"),
        (datetime.date(2026, 1, 1), "datetime.date(2026, 1, 1)"),
        (Decimal("1.5"), "Decimal('1.5')"),
        (Path("a"), "PosixPath('a')"),
        (ValueError("x", 1), "ValueError('x', 1)"),
        (np.float64(1.5), "1.5"),
        (np.zeros((2, 3)), "<numpy.ndarray (2, 3)>"),
        (pl.DataFrame({"a": [1]}), "<polars.DataFrame (1, 1)>"),
        (pl.LazyFrame({"a": [1]}), "<polars.LazyFrame>"),
        (pd.DataFrame({"a": [1]}), "<pandas.DataFrame (1, 1)>"),
        (pa.table({"a": [1]}), "<pyarrow.Table (1, 1)>"),
        (int, "<class builtins.int>"),
        (math, "<module math>"),
        (object(), "<builtins.object>"),
    ],
)
def test_previews(value: Any, text: str) -> None:
    assert preview(value) == text


def test_a_preview_of_a_huge_number_does_not_compute_its_digits() -> None:
    assert preview(10**5000) == "<int of about 5001 digits>"
    assert preview([10**5000]) == "[<int of about 5001 digits>]"


def test_previews_do_not_call_a_users_repr() -> None:
    class Query:
        def __repr__(self) -> str:
            raise AssertionError("asked the database")

    assert preview([Query()]).startswith("[<")
    assert len(preview({"x" * 50 + str(number): "y" * 90 for number in range(8)})) == PREVIEW_MAX


# ---- recorded


@pytest.fixture
def store(tmp_path: Path) -> ResultStore:
    return ResultStore(str(tmp_path / "results"))


def test_small_values_stay_inline_and_large_ones_go_to_files(store: ResultStore) -> None:
    assert store.save(None, "r1", "a") is NONE
    small = store.save({"a": 1}, "r1", "a")
    assert (small.path, small.codec, small.length) == ("", "m", 1)
    edge = store.save(b"x" * (INLINE_MAX - 3), "r1", "edge")
    assert (edge.path, edge.size) == ("", INLINE_MAX)
    large = store.save(list(range(1000)), "r1", "group.task[3]#1")
    assert (large.path, large.data, large.length) == ("r1/group.task%5B3%5D%231.m", b"", 1000)
    assert large.size == os.path.getsize(Path(store.base_path, large.path))
    for handle, value in ((NONE, None), (small, {"a": 1}), (large, list(range(1000)))):
        assert store.load(handle) == value


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "a/b", "..", "x" * 500, ""])
def test_names_stay_inside_the_base(store: ResultStore, tmp_path: Path, name: str) -> None:
    handle = store.save("x" * 2000, name, name)
    assert store.load(handle) == "x" * 2000
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_a_project_can_be_moved(store: ResultStore, tmp_path: Path) -> None:
    handle = store.save("x" * 2000, "r1", "a")
    (tmp_path / "results").rename(tmp_path / "moved")
    assert ResultStore(str(tmp_path / "moved")).load(handle) == "x" * 2000


@pytest.mark.parametrize("remote", [True, False])
def test_a_task_can_have_a_place_of_its_own(store: ResultStore, tmp_path: Path, remote: bool) -> None:
    MemoryFileSystem.store.clear()
    base = "memory://own/place" if remote else str(tmp_path / "own")
    handle = store.save("x" * 2000, "r 1", "a/b", base_path=base)
    assert handle.path == f"{base}/r%201/a%2Fb.m"
    assert ResultStore(str(tmp_path / "other")).load(handle) == "x" * 2000


def test_a_store_on_fsspec() -> None:
    MemoryFileSystem.store.clear()
    store = ResultStore("memory://results")
    handle = store.save("x" * 2000, "r1", "a")
    assert handle.path == "r1/a.m"
    assert store.load(handle) == "x" * 2000
    store.delete_run("r1")
    with pytest.raises(ResultError, match=r"memory://results/r1/a\.m is gone"):
        store.load(handle)


def test_results_that_are_gone_or_damaged(store: ResultStore) -> None:
    handle = store.save("x" * 2000, "r1", "a")
    path = Path(store.base_path, handle.path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ResultError, match="has 100 bytes instead of 2003"):
        store.load(handle)
    store.delete_run("r1")
    store.delete_run("r1")
    with pytest.raises(ResultError, match="is gone") as caught:
        store.load(handle)
    assert "run the step again" in (caught.value.hint or "")


def test_loading_gives_a_new_object_unless_shared(store: ResultStore) -> None:
    handle = store.save([[0]] * 1000, "r1", "a")
    first = store.load(handle)
    first[0].append("changed")
    assert store.load(handle)[0] == [0]
    assert store.load(handle, shared=True) is store.load(handle, shared=True)


def test_items_of_a_mapped_list_are_decoded_once_and_cannot_disturb_each_other(store: ResultStore) -> None:
    handle = store.save([[number] for number in range(1000)], "r1", "a")
    store.load_item(handle, 5).append("changed")
    Path(store.base_path, handle.path).unlink()  # decoded already
    assert [store.load_item(handle, number) for number in (0, 5, 999)] == [[0], [5], [999]]
    with pytest.raises(ResultError, match="item 1000 of a result of 1000 items"):
        store.load_item(handle, 1000)


@pytest.mark.parametrize("size", [2, 1000])
def test_items_of_every_collection(store: ResultStore, size: int) -> None:
    assert store.load_item(store.save(tuple(range(size)), "r", "t"), 1) == 1
    assert store.load_item(store.save({str(i): {i} for i in range(size)}, "r", "d"), 1) == ("1", {1})
    with pytest.raises(ResultError, match="mapped over a str"):
        store.load_item(store.save("x" * size, "r", "s"), 0)


def test_the_cache_forgets_what_was_used_longest_ago(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("batuta.runtime.results.CACHE_BYTES_MAX", 10_000)
    handles = [store.save("x" * 4000, "r1", str(number)) for number in range(3)]
    first, second, third = (store.load(handle, shared=True) for handle in handles)
    assert store.load(handles[2], shared=True) is third
    assert store.load(handles[1], shared=True) is second
    assert store.load(handles[0], shared=True) is not first
    large = store.save("x" * 6000, "r1", "large")
    assert store.load(large, shared=True) is not store.load(large, shared=True)


SAVER = """
import sys
from batuta.runtime.results import ResultStore
store = ResultStore(sys.argv[1])
for number in range(1, 1_000_000):
    store.save([number] * 50_000, "r1", "a")
    print(number, flush=True)
"""


@pytest.mark.parametrize("after", [1, 3, 10])
def test_a_killed_process_leaves_whole_results(tmp_path: Path, after: int) -> None:
    with subprocess.Popen([sys.executable, "-c", SAVER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(after):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.stdout.read()
    path = tmp_path / "r1" / "a.m"
    values = ResultStore(str(tmp_path)).load(Handle("m", path="r1/a.m", size=path.stat().st_size))
    assert len(values) == 50_000
    assert set(values) == {values[0]}
    ResultStore(str(tmp_path)).save("x" * 2000, "r1", "b")
    assert os.listdir(tmp_path / TEMP) == []


def test_only_light_modules_are_imported() -> None:
    heavy = ["polars", "pandas", "pyarrow", "duckdb", "pydantic", "fsspec", "numpy", "cloudpickle", "asyncio"]
    code = f"import sys, batuta.runtime.results; print([name for name in {heavy} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
