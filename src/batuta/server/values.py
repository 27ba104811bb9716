"""Inputs and output of a task run, as far as they may be shown: plain data itself, of all else the recorded preview.

The server never unpickles: what is shown is msgpack, of which nothing but data can come. A file is read only where it
lies below the results of this project, whatever the record says. Surprising: what a flow's call was given is known by
the short texts that were recorded with it, for the values were pickled.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from batuta.core.plan import Edge, MapExpansion, MapSource, StepSpec
from batuta.core.values import Handle
from batuta.runtime.artifact_files import result_path
from batuta.server.backend import Backend
from batuta.server.pictures import call_of
from batuta.server.shapes.values import Kept, ShownValue, Source, TaskValues
from batuta.store.rows import RunRow, TaskRunRow

BYTES_MAX = 2 << 20
"""What is larger is shown by its preview alone."""
ITEMS_MAX = 200
CHARS_MAX = 10_000
DEPTH_MAX = 8
INPUTS_MAX = 50
_handle = msgspec.json.Decoder(Handle).decode
_unpacked = msgspec.msgpack.Decoder().decode
_KEPT: dict[str, Kept] = {"n": "data", "m": "data", "p": "pickled", "c": "pickled", "gone": "nowhere"}


def values_of(backend: Backend, run: RunRow, task: TaskRunRow, own: StepSpec | None) -> TaskValues:
    """What a task run was given and what it gave. `own` is its step."""
    found: list[ShownValue] = []
    more = 0
    for one in _inputs(backend, run, task, own):
        if len(found) < INPUTS_MAX:
            found.append(one)
        else:
            more += 1
    output = None
    if task.output is not None:
        source: Source = "output" if task.state == "succeeded" else "state"
        output = _shown(backend, "", source, task, _handle(task.output))
    return TaskValues(inputs=found, more=more, output=output)


def _inputs(backend: Backend, run: RunRow, task: TaskRunRow, own: StepSpec | None) -> Iterator[ShownValue]:
    if run.kind == "flow" and task.no > 0:
        call = call_of(backend, run.id, task.step)
        for name, text in call.shown.items() if call is not None else ():
            yield _text(name, "argument", text)
        return
    if task.kind == "flow" or run.kind == "task":
        for name, value in run.params.items():
            data, whole = _cut(value, DEPTH_MAX)
            yield _data(name, "parameter", None, data, whole)
        return
    if own is None:
        return
    mapped = _map_sources(own)
    for source in mapped:
        yield from _item(backend, task, own, source)
    for edge in own.upstream:
        if edge.data and edge.step not in {source.step for source in mapped}:
            for up in _upstreams(backend, task, edge):
                if up.output is not None:
                    yield _shown(backend, _name(up), "upstream", up, _handle(up.output))


def _map_sources(own: StepSpec) -> tuple[MapSource, ...]:
    return own.expansion.sources if isinstance(own.expansion, MapExpansion) else ()


def _upstreams(backend: Backend, task: TaskRunRow, edge: Edge) -> Iterable[TaskRunRow]:
    """The task runs whose outputs came along an edge, at most so many as are shown and one more."""
    rows = backend.store.task_runs(task.run_id, step=edge.step, limit=None if task.index >= 0 else INPUTS_MAX + 1)
    if edge.mapping == "every" or task.index < 0:
        return rows
    wanted = {task.index} if edge.mapping == "aligned" else {*edge.mapping[task.index]}
    return [row for row in rows if row.index in wanted]


def _item(backend: Backend, task: TaskRunRow, own: StepSpec, source: MapSource) -> Iterator[ShownValue]:
    """What one source gave a task run of a mapped step."""
    if not source.step or task.index < 0:
        return
    rows = backend.store.task_runs(task.run_id, step=source.step)
    number = _place(backend, task, own, source)
    single = len(rows) == 1 and rows[0].index < 0
    if number is None or not rows or rows[0 if single else -1].output is None:
        return
    if not single:
        yield from (
            _shown(backend, _name(row), "item", row, _handle(row.output))
            for row in rows
            if row.index == number and row.output is not None
        )
        return
    up = rows[0]
    assert up.output is not None
    handle = _handle(up.output)
    whole = _loaded(backend, handle)
    name = f"{_name(up)}[{number}]"
    if isinstance(whole, list) and number < len(whole):
        data, complete = _cut(whole[number], DEPTH_MAX)
        yield _data(name, "item", up.no, data, complete)
    elif isinstance(whole, dict) and number < len(whole):
        data, complete = _cut(list(list(whole.items())[number]), DEPTH_MAX)
        yield _data(name, "item", up.no, data, complete)
    else:
        yield _shown(backend, name, "item", up, handle, read=False)


def _place(backend: Backend, task: TaskRunRow, own: StepSpec, source: MapSource) -> int | None:
    """Which item of a source a map index stands for; of a product the last source varies fastest."""
    expansion = own.expansion
    assert isinstance(expansion, MapExpansion)
    if expansion.mode == "zip" or len(expansion.sources) == 1:
        return task.index
    rest = task.index
    for one in reversed(expansion.sources):
        length = one.length if not one.step else _length(backend, task.run_id, one.step)
        if not length:
            return None
        rest, item = divmod(rest, length)
        if one is source:
            return item
    return None


def _length(backend: Backend, run_id: int, step: str) -> int:
    rows = backend.store.task_runs(run_id, step=step)
    if len(rows) == 1 and rows[0].index < 0:
        return 0 if rows[0].output is None else _handle(rows[0].output).length or 0
    return len(rows)


def _name(row: TaskRunRow) -> str:
    if row.label:
        return f"{row.step}[{row.label}]"
    return f"{row.step}[{row.index}]" if row.index >= 0 else row.step


# ---- values ----


def _shown(
    backend: Backend, name: str, source: Source, task: TaskRunRow, handle: Handle, *, read: bool = True
) -> ShownValue:
    """A recorded value: itself where it is plain data and not large, its preview else."""
    kept: Kept = "encrypted" if handle.codec.startswith("s") else _KEPT.get(handle.codec, "pickled")
    if "://" in handle.path or os.path.isabs(handle.path):
        kept = "elsewhere"
    data, whole = None, False
    if read and kept == "data":
        loaded = _loaded(backend, handle)
        if loaded is not _NOTHING:
            data, whole = _cut(loaded, DEPTH_MAX)
        elif handle.size > BYTES_MAX:
            kept = "large"
        else:
            kept = "nowhere"
    return ShownValue(
        name=name,
        source=source,
        task=task.no,
        kept=kept,
        preview=handle.preview,
        size=handle.size,
        length=handle.length,
        data=data,
        whole=whole,
    )


def _data(name: str, source: Source, task: int | None, data: Any, whole: bool) -> ShownValue:
    length = len(data) if isinstance(data, list | dict) and whole else None
    return ShownValue(
        name=name, source=source, task=task, kept="data", preview="", size=0, length=length, data=data, whole=whole
    )


def _text(name: str, source: Source, text: str) -> ShownValue:
    return ShownValue(
        name=name, source=source, task=None, kept="text", preview=text, size=0, length=None, data=None, whole=False
    )


_NOTHING = object()


def _loaded(backend: Backend, handle: Handle) -> Any:
    """The value of a handle that holds plain data; `_NOTHING` where it cannot or shall not be read."""
    if handle.codec == "n":
        return None
    if handle.codec != "m" or handle.size > BYTES_MAX:
        return _NOTHING
    data = handle.data if not handle.path else read_result(backend, handle.path)
    try:
        return _NOTHING if data is None else _unpacked(data)
    except (msgspec.DecodeError, RecursionError):
        return _NOTHING


def read_result(backend: Backend, path: str) -> bytes | None:
    """The bytes of a result's file below the project's results; None where it is elsewhere, gone, or too large."""
    real = result_path(backend.home, path)
    try:
        if real is None or os.path.getsize(real) > BYTES_MAX:
            return None
        with open(real, "rb") as file:
            return file.read()
    except OSError:
        return None


def _cut(value: Any, depth: int) -> tuple[Any, bool]:
    """A value as JSON data of a size that can be shown, and whether that is all of it."""
    match value:
        case str():
            return (value, True) if len(value) <= CHARS_MAX else (value[:CHARS_MAX], False)
        case bytes():
            return f"({len(value):,} bytes)", False
        case int() if not isinstance(value, bool):
            return (value, True) if -(2**53) <= value <= 2**53 else (str(value), True)
        case dict() | list() if not depth:
            return f"({len(value):,} items)", False
        case dict():
            pairs = [(str(key), *_cut(one, depth - 1)) for key, one in list(value.items())[:ITEMS_MAX]]
            whole = len(value) <= ITEMS_MAX and all(complete for *_, complete in pairs)
            return {key: one for key, one, _ in pairs}, whole
        case list():
            items = [_cut(one, depth - 1) for one in value[:ITEMS_MAX]]
            return [one for one, _ in items], len(value) <= ITEMS_MAX and all(complete for _, complete in items)
        case None | bool() | float():
            return value, True
    return str(value)[:CHARS_MAX], False
