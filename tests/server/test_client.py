"""The client against the real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import msgspec
import pytest

from batuta.client import Client
from batuta.core.errors import RequestError, TransientError
from batuta.core.values import Handle
from batuta.engine.workspace import Workspace
from batuta.runtime.project import Project
from batuta.server.accounts import OpenToLocal
from batuta.server.backend import Backend
from batuta.server.gate import Gate
from batuta.server.serving import ServerThread, bind
from batuta.store import Store
from batuta.store.rows import ArtifactRow, Batch
from tests.server.conftest import app_over


@pytest.fixture
def client(api: httpx.Client) -> Iterator[Client]:
    with Client(str(api.base_url)) as opened:
        yield opened


def test_it_launches_once_for_a_key_and_stops(client: Client, store: Store) -> None:
    run = client.launch("doubling", {"numbers": [4]}, tags={"a": "b"}, key="monday")
    assert (run.state, run.params["numbers"], run.tags, run.is_over) == ("queued", [4], {"a": "b"}, False)
    assert client.launch("doubling", {"numbers": [4]}, tags={"a": "b"}, key="monday").id == run.id
    assert client.launch(selection="orders", partitions="2026-01-01").job == "materialize"
    client.cancel(run.id)
    assert [request.kind for request in store.requests([run.id])] == ["cancel"]
    with pytest.raises(TransientError, match="still queued"):
        client.wait(run.id, timeout_s=0.0)


def test_it_lists_waits_and_reads(client: Client, workspace: Workspace) -> None:
    handles = [workspace.start_job("nightly") for _ in range(3)]
    for handle in handles:
        handle.wait(30)
    assert client.wait(handles[0].id).state == "failed"
    assert [run.id for run in client.runs(state="failed", limit=2)] == [handles[2].id, handles[1].id]
    assert [task.key for task in client.tasks(handles[0].id)] == ["extract", "load", "report"]
    assert [line.text for line in client.logs(handles[0].id, "load")] == ["\x1b[31mloading\x1b[0m 3"]
    assert list(client.logs(handles[0].id, 1, text="nothing")) == []
    client.retry(handles[0].id, tasks=["report"])


def test_it_marks_and_reads_artifacts(client: Client, workspace: Workspace, store: Store) -> None:
    run = workspace.start_job("nightly")
    run.wait(30)
    client.mark(run.id, "succeeded", tasks=["report"], note="by hand")
    assert [(one.kind, one.data["tasks"]) for one in store.requests([run.id])] == [("mark", ["report"])]
    with pytest.raises(RequestError, match="never skipped"):
        client.mark(run.id, "skipped")
    row = ArtifactRow(
        run_id=run.id,
        task=0,
        name="report",
        kind="markdown",
        title="",
        media_type="text/markdown",
        size=3,
        progress=None,
        content=msgspec.json.encode(Handle("m", msgspec.msgpack.encode(b"# x"), "", 5)),
        attempt=1,
        job="nightly",
        location="shop",
        at=1.0,
    )
    store.commit(Batch(artifacts=[row]))
    (left,) = client.artifacts(run.id, kind="markdown")
    assert (left.name, client.content(left)) == ("report", b"# x")
    assert list(client.artifacts(run.id, kind="table")) == []


def test_its_errors_say_what_to_do(client: Client) -> None:
    with pytest.raises(RequestError, match="there is no job 'nitely'") as caught:
        client.launch("nitely")
    assert caught.value.hint == "did you mean 'nightly'?"
    with pytest.raises(RequestError, match="no run 4711"):
        client.run(4711)
    with pytest.raises(TransientError, match="cannot be reached"), Client("http://127.0.0.1:9", patience_s=0.0) as one:
        one.run(1)


def test_it_hears_news_and_goes_on_where_it_was(client: Client, workspace: Workspace, store: Store) -> None:
    run = workspace.start_job("doubling")
    run.wait(30)
    recorded = [event.id for event in store.events(run.id)]
    heard = client.events(after=0, run=run.id)
    assert [next(heard).id for _ in recorded] == recorded
    ends = client.events(after=recorded[0], kind="run_finished")
    assert (next(ends).job, next(client.watch(after="0")).topics >= {"runs", "variables"}) == ("doubling", True)
    with pytest.raises(RequestError, match="after"):
        next(client.watch(after="yesterday"))


def test_a_stream_that_breaks_is_taken_up(project: Project, workspace: Workspace, store: Store) -> None:
    """The server ends in the midst of it, and another comes to its place."""

    def start(port: int) -> ServerThread:
        app = stack.enter_context(app_over(Backend(store, project)))
        thread = ServerThread(Gate(app, OpenToLocal("ada")), bind("127.0.0.1", port), feeds=[app.state.feed])
        thread.start()
        stack.callback(thread.stop)
        return thread

    with ExitStack() as stack:
        first = start(0)
        url = first.url
        heard = stack.enter_context(Client(url)).events(after=0)
        workspace.start_job("doubling").wait(30)
        before = [next(heard).id for _ in store.events_since(0)]
        first.stop()
        start(int(url.rpartition(":")[2]))
        workspace.start_job("doubling").wait(30)
        recorded = [event.id for event in store.events_since(0)]
        assert before + [next(heard).id for _ in recorded[len(before) :]] == recorded
