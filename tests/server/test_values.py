"""Inputs and outputs of task runs: data itself, of all else the preview; nothing is unpickled, nothing outside read."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from batuta.core.values import Handle
from batuta.engine.workspace import Workspace
from batuta.runtime.artifact_files import result_path
from batuta.runtime.project import Project
from batuta.server.backend import Backend
from batuta.server.values import values_of
from batuta.store import Store
from tests.server.conftest import save_definitions
from tests.server.test_runs import get, ran

__all__ = ["ran"]

MORE = """
from batuta import DAG, flow, task


class Row:
    def __reduce__(self):
        return (open, ("touched-by-unpickling", "w"))


with DAG("wide") as wide:

    @task
    def many() -> list[int]:
        return [10, 20, 30]

    @task
    def pairs() -> dict[str, list[int]]:
        return {"a": [1, 2], "b": [3]}

    @task
    def add(number: int, pair: tuple[str, list[int]]) -> int:
        return number + len(pair[1])

    @task
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @task
    def shape() -> Row:
        return Row()

    @task
    def long() -> list[str]:
        return ["x" * 20_000, *["y"] * 500]

    total(add.expand(number=many(), pair=pairs()))
    shape()
    long()


@task
def describe(number: int, *, label: str = "", extra: object = None) -> str:
    return f"{label}{number}"


@flow
def calling(count: int = 2) -> list[str]:
    first = describe.submit(1, label="a")
    return [describe.submit(count, label=first, extra=[1, 2]).result()]
"""


@pytest.fixture
def wide(project: Project, workspace: Workspace, store: Store) -> dict[str, int]:
    """Runs of a DAG with a product, and of a flow whose calls have arguments."""
    (Path(project.root) / "more.py").write_text(MORE)
    (Path(project.root) / "batuta.toml").write_text('name = "shop"\ncode = ["shop.py", "more.py"]\n')
    from batuta.runtime.project import find_project

    with Workspace(find_project(project.root), "", executor="threads", store=store) as opened:
        save_definitions(store, opened.definitions)
        runs = {name: opened.start_job(name) for name in ("wide", "calling")}
        for run in runs.values():
            run.wait(30)
    return {name: run.id for name, run in runs.items()}


def values(api: httpx.Client, run: int, key: str) -> dict[str, Any]:
    (task,) = [one for one in get(api, f"/runs/{run}/tasks", limit=100)["items"] if one["key"] == key]
    found: dict[str, Any] = get(api, f"/runs/{run}/tasks/{task['no']}/values")
    return found


def test_upstream_outputs_are_inputs(api: httpx.Client, ran: dict[str, int]) -> None:
    shown = values(api, ran["nightly"], "load")
    (rows,) = shown["inputs"]
    assert (rows["name"], rows["source"], rows["data"], rows["whole"]) == ("extract", "upstream", [1, 2, 3], True)
    assert (shown["output"], shown["more"]) == (None, 0)
    assert values(api, ran["nightly"], "extract")["output"]["data"] == [1, 2, 3]


def test_a_mapped_task_run_was_given_its_items(api: httpx.Client, wide: dict[str, int]) -> None:
    shown = values(api, wide["wide"], "add[3]")
    assert [(one["name"], one["data"]) for one in shown["inputs"]] == [("many[1]", 20), ("pairs[1]", ["b", [3]])]
    assert shown["output"]["data"] == 21
    total = values(api, wide["wide"], "total")
    assert [one["data"] for one in total["inputs"]] == [12, 11, 22, 21, 32, 31]


def test_a_call_of_a_flow_shows_its_arguments(api: httpx.Client, wide: dict[str, int]) -> None:
    body = values(api, wide["calling"], "calling")
    assert [(one["name"], one["source"], one["data"]) for one in body["inputs"]] == [("count", "parameter", 2)]
    assert body["output"]["data"] == ["a12"]
    call = values(api, wide["calling"], "describe-1")
    shown = {one["name"]: one["preview"] for one in call["inputs"]}
    assert shown == {"number": "2", "label": "describe-0", "extra": "[1, 2]"}
    assert {one["kept"] for one in call["inputs"]} == {"text"}


def test_what_is_pickled_is_never_unpickled(
    api: httpx.Client, wide: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    output = values(api, wide["wide"], "shape")["output"]
    assert (output["kept"], output["data"], output["whole"]) == ("pickled", None, False)
    assert "Row" in output["preview"]
    assert not (tmp_path / "touched-by-unpickling").exists()


def test_long_values_are_cut(api: httpx.Client, wide: dict[str, int]) -> None:
    output = values(api, wide["wide"], "long")["output"]
    assert (len(output["data"]), len(output["data"][0])) == (200, 10_000)
    assert (output["whole"], output["length"]) == (False, 501)


@pytest.mark.parametrize("codec", ["m", "p", "c", "sm", "x"])
def test_files_elsewhere_are_not_read(workspace: Workspace, store: Store, tmp_path: Path, codec: str) -> None:
    """Whatever a worker recorded as the place of its result (path traversal, deserialisation)."""
    backend = Backend(store, workspace.project)
    run = workspace.start_job("nightly")
    run.wait(30)
    row, task = store.run(run.id), store.task_run(run.id, 0)
    assert row is not None
    assert task is not None
    secret = msgspec.msgpack.encode("hunter2") if codec == "m" else pickle.dumps("hunter2")
    (tmp_path / "secret.m").write_bytes(secret)
    link = Path(backend.home) / "results" / "link.m"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "secret.m")
    for path in (
        str(tmp_path / "secret.m"),
        "../../../secret.m",
        "1/../../../../secret.m",
        "link.m",
        "..",
        "file:///x",
    ):
        task.output = msgspec.json.encode(Handle(codec, b"", path, len(secret), None, "a value"))
        output = values_of(backend, row, task, None).output
        assert output is not None
        assert (output.data, output.preview) == (None, "a value"), path
        assert b"hunter2" not in msgspec.json.encode(output)
    assert result_path(backend.home, "\x00") is None
