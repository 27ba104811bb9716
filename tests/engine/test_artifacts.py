"""Artifacts from the step that leaves them to the store: at once, by name, of the attempt that counts."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from batuta import artifact
from batuta.core.errors import RequestError
from batuta.core.states import RunState
from batuta.engine.workspace import Workspace
from batuta.runtime.artifact_files import content_of, read_content
from batuta.runtime.project import Project, find_project
from batuta.scheduler.retention import delete_files
from batuta.store import Store
from batuta.store.rows import ArtifactRow

CODE = """
import os
from pathlib import Path

from batuta import DAG, Defer, artifact, context, flow, task

PNG = Path(__file__).with_name("dot.png")


@task
def leaves(number: int) -> int:
    artifact.markdown(f"# {number}", "report", title="A report")
    artifact.table([{"a": 1, "b": None}, {"a": 2, "b": "x"}])
    artifact.table([[n] for n in range(3000)], columns=["n"])
    artifact.image(PNG, "picture")
    artifact.link("https://example.com", title="there")
    artifact.json({"a": [1, {"b": 2.5}]}, "nested")
    artifact.file(b"0123456789" * 1000, "data.bin")
    return number


@task(retries=1)
def second_time() -> None:
    artifact.markdown(f"attempt {context().attempt}", "report")
    if context().attempt == 1:
        raise ValueError("not yet")


@task
def tracked() -> None:
    for _ in artifact.track(range(200), "rows"):
        pass


@flow
def inner() -> None:
    artifact.markdown("of the inner flow", "note")


@flow
def everything() -> None:
    artifact.markdown("of the body", "note")
    leaves(1)
    second_time()
    tracked()
    inner()


@task
def wrong(what: str) -> None:
    match what:
        case "name":
            artifact.markdown("x", "a\\nb")
        case "picture":
            artifact.image(b"no picture")
        case "gone":
            artifact.file("/nowhere/at.all")
        case "progress":
            artifact.progress(1.5)


@flow
def misused(what: str) -> None:
    wrong(what)
"""


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "code.py").write_text(CODE)
    (tmp_path / "dot.png").write_bytes(png())
    (tmp_path / "batuta.toml").write_text('name = "arts"\ncode = ["code.py"]\n')
    return find_project(str(tmp_path))


@pytest.fixture(params=["threads", "processes"])
def workspace(project: Project, sqlite_url: str, request: pytest.FixtureRequest) -> Any:
    project.make_home()
    with Store.open(sqlite_url) as store, Workspace(project, "", executor=request.param, store=store) as opened:
        yield opened


def contents(workspace: Workspace, run_id: int) -> dict[tuple[int, str], tuple[ArtifactRow, bytes]]:
    rows = workspace.store.artifacts.page(run_id=run_id, limit=100)
    home = workspace.project.home

    def content(row: ArtifactRow) -> bytes:
        return b"" if row.content is None else read_content(content_of(home, row.content, row.size, row.name))

    return {(row.task, row.name): (row, content(row)) for row in rows}


def test_what_is_left_is_recorded_whole(workspace: Workspace, project: Project) -> None:
    run = workspace.start_job("everything")
    assert run.wait(60) is RunState.SUCCEEDED
    found = contents(workspace, run.id)
    assert found[0, "note"][1] == b"of the body"
    assert {name for task, name in found if task == 1} == {
        *("report", "table", "table-2", "picture", "link", "nested", "data.bin")
    }
    report, text = found[1, "report"]
    assert (report.kind, report.title, report.media_type, text) == ("markdown", "A report", "text/markdown", b"# 1")
    assert (report.job, report.attempt, report.size) == ("everything", 1, 3)
    table = msgspec.json.decode(found[1, "table"][1])
    assert (table["columns"], table["rows"]) == (["a", "b"], [[1, None], [2, "x"]])
    long = msgspec.json.decode(found[1, "table-2"][1])
    assert (len(long["rows"]), long["rows_total"], long["columns"]) == (1000, 3000, ["n"])
    assert found[1, "picture"][1] == png()
    assert found[1, "picture"][0].media_type == "image/png"
    assert msgspec.json.decode(found[1, "link"][1])["url"] == "https://example.com"
    assert msgspec.json.decode(found[1, "nested"][1])["value"] == {"a": [1, {"b": 2.5}]}
    assert found[1, "data.bin"][1] == b"0123456789" * 1000
    events = workspace.store.reports.events(run.id, kinds=["artifact_made"], limit=100)
    assert len([event for event in events if event.task == 1]) == 7


def test_that_of_the_attempt_that_counts_takes_the_place_of_the_former(workspace: Workspace) -> None:
    run = workspace.start_job("everything")
    assert run.wait(60) is RunState.SUCCEEDED
    row, text = contents(workspace, run.id)[2, "report"]
    assert (row.attempt, text) == (2, b"attempt 2")


def test_progress_is_told_now_and_then_and_at_its_end(workspace: Workspace) -> None:
    run = workspace.start_job("everything")
    assert run.wait(60) is RunState.SUCCEEDED
    row, _ = contents(workspace, run.id)[3, "progress"]
    assert (row.kind, row.progress, row.title, row.content) == ("progress", 1.0, "rows", None)
    told = workspace.store.reports.events(run.id, kinds=["artifact_made"], limit=999)
    assert 2 <= len([event for event in told if event.task == 3]) < 100


def test_that_of_a_nested_flow_belongs_to_its_run(workspace: Workspace) -> None:
    run = workspace.start_job("everything")
    assert run.wait(60) is RunState.SUCCEEDED
    (child,) = workspace.store.runs(parent_run=run.id)
    assert {key: text for key, (_, text) in contents(workspace, child.id).items()} == {
        (0, "note"): b"of the inner flow"
    }


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("name", "is no name for an artifact"),
        ("picture", "bytes is no picture"),
        ("gone", "no such file"),
        ("progress", "a number from 0 to 1"),
    ],
)
def test_what_cannot_be_left_is_told(workspace: Workspace, what: str, told: str) -> None:
    run = workspace.start_job("misused", {"what": what})
    assert run.wait(60) is RunState.FAILED
    row = workspace.store.run(run.id)
    assert row is not None
    assert told in row.error


def test_outside_of_a_run_nothing_is_recorded_and_nothing_fails() -> None:
    artifact.markdown("x")
    artifact.table([{"a": 1}])
    artifact.link("https://example.com")
    artifact.file(b"x", "y")
    assert list(artifact.track(iter("abc"))) == ["a", "b", "c"]
    with pytest.raises(RequestError, match="is no picture"):
        artifact.image(b"neither")
    with pytest.raises(RequestError, match="from 0 to 1"):
        artifact.progress(float("nan"))


def test_they_go_with_their_run(workspace: Workspace, project: Project) -> None:
    run = workspace.start_job("everything")
    run.wait(60)
    home = project.home
    pruned = workspace.store.prune(0.0, 4e9, on_runs=lambda ids: delete_files(home, ids))
    assert run.id in pruned.runs
    assert workspace.store.artifacts.page(limit=10) == []
    assert not os.path.exists(os.path.join(home, "results", str(run.id)))


@pytest.mark.parametrize(
    "kind",
    [b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"<svg xmlns='x'/>", b"<?xml version='1.0'?>\n<svg/>"],
)
def test_pictures_are_known_by_what_they_begin_with(kind: bytes) -> None:
    artifact.image(kind)


SCRIPT = """
from batuta import artifact, context, flow

@flow
def called():
    artifact.markdown(f"of run {context().run_id}", "note")
    context().materialized("table", metadata={"rows": 3})

@flow
async def awaited():
    artifact.progress(0.5, "half way")

called()
import asyncio
asyncio.run(awaited())
"""


def test_the_body_of_a_flow_that_a_script_calls_leaves_them_too(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    env = {**os.environ, "BATUTA_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "script.py"], cwd=tmp_path, env=env, check=True, timeout=60)
    with Store.open(str(tmp_path / "home" / "batuta.db")) as store:
        rows = store.artifacts.page(limit=10)
        assert [(row.run_id, row.name, row.title) for row in rows] == [(2, "progress", "half way"), (1, "note", "")]
        assert read_content(content_of(str(tmp_path / "home"), rows[1].content, rows[1].size, "")) == b"of run 1"
        assert [made.asset for made in store.materializations("table")] == ["table"]
