"""A small client of the HTTP API: launching, waiting, stopping, repeating, listing runs, logs, plans, news.

What it gives are structs with the fields of the API; fields that a newer server adds are left out. Surprising: reads
that fail for a moment (the server restarts) are tried again for a while, and so is a launch, under a key that is made
for it if none was given: it is carried out once.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import msgspec

from batuta.core.errors import BatutaError, RequestError, TransientError

if TYPE_CHECKING:
    import httpx

FINAL = ("succeeded", "failed", "cancelled")
PATIENCE_S = 30.0
POLL_S = 0.5
T = TypeVar("T")


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run, see `Run` in the API's description."""

    id: int
    job: str
    kind: str
    location: str
    state: str
    trigger: str
    params: dict[str, Any]
    tags: dict[str, str]
    partition: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_s: float | None
    error: str

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL


class TaskRun(msgspec.Struct, frozen=True, kw_only=True):
    """A task run, see `TaskRun` in the API's description."""

    no: int
    key: str
    step: str
    state: str
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None
    reason: str


class Artifact(msgspec.Struct, frozen=True, kw_only=True):
    """What a task run has left to be looked at, see `Artifact` in the API's description."""

    id: int
    run: int
    task: int
    name: str
    kind: str
    title: str
    media_type: str
    size: int
    progress: float | None
    at: datetime


class AssetChange(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that would be made, see `AssetChange` in the API's description; all else of it is in `columns`, `diff`,
    `reasons` and `reuse` as the API gives them."""

    asset: str
    how: str
    partitions: list[str] | None
    partitions_total: int
    note: str
    reasons: list[dict[str, Any]]
    reuse: list[dict[str, Any]]
    diff: list[dict[str, Any]]
    columns: list[dict[str, Any]]


class BreakingChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change that whoever reads the asset may not stand, see `BreakingChange` in the API's description."""

    asset: str
    column: str
    text: str
    reached: list[dict[str, Any]]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What would change, see `ChangesFound` in the API's description."""

    environment: str
    selected: list[str]
    assets: list[AssetChange]
    removed: list[str]
    breaking: list[BreakingChange]
    fresh: list[str]
    afterwards: list[str]
    task_runs: int


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A record of a log."""

    at: datetime
    level: str
    source: str
    text: str


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that was recorded of a run, see `RunEvent` in the API's description."""

    id: int
    run: int
    job: str
    location: str
    seq: int
    kind: str
    at: datetime
    task: int | None
    data: dict[str, Any]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Which lists have changed (`topics` of `/events` in the API's description)."""

    topics: frozenset[str]
    place: str = ""
    """Where the stream is: what `after` takes to go on from there."""


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]
    next: str | None


class _Launched(msgspec.Struct):
    run: Run


class _Dropped(msgspec.Struct):
    run: Run | None


class _Lines(msgspec.Struct):
    lines: list[LogLine]
    next: int
    size: int


class _Problem(msgspec.Struct):
    detail: str = ""
    where: str = ""
    hint: str = ""


class Client:
    """See the module. Use it as a context manager, from one thread."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8421",
        *,
        token: str | None = None,
        timeout_s: float = 30.0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        import httpx

        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(base_url=url.rstrip("/") + "/api/v1", headers=headers, timeout=timeout_s)
        self._patience_s = patience_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    # ---- runs ----

    def launch(
        self,
        job: str = "",
        params: Mapping[str, Any] | None = None,
        *,
        selection: str = "",
        partitions: str = "",
        mode: str = "all",
        location: str = "",
        tags: Mapping[str, str] | None = None,
        priority: int = 0,
        key: str | None = None,
    ) -> Run:
        """Queue a run of a job, or of a selection of assets; at most one for a key. Raises RequestError."""
        wanted = {
            "job": job,
            "selection": selection,
            "partitions": partitions,
            "mode": mode,
            "location": location,
            "params": dict(params or {}),
            "tags": dict(tags or {}),
            "priority": priority,
        }
        headers = {"idempotency-key": key or uuid.uuid4().hex}
        return msgspec.json.decode(self._ask("POST", "/runs", wanted, headers=headers), type=_Launched).run

    def run(self, run_id: int) -> Run:
        """A run as it is now. Raises RequestError where there is none."""
        return msgspec.json.decode(self._ask("GET", f"/runs/{run_id}"), type=_Launched).run

    def runs(self, *, limit: int | None = None, **filters: Any) -> Iterator[Run]:
        """Runs, newest first; filters are those of the API: state, job, tag, since, ... Pages are read as needed."""
        return self._pages("/runs", Run, limit, filters)

    def wait(self, run_id: int, *, timeout_s: float | None = None, poll_s: float = POLL_S) -> Run:
        """Wait for a run's end; the run. Raises TransientError where the time is over first."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not (found := self.run(run_id)).is_over:
            left = poll_s if deadline is None else min(poll_s, deadline - time.monotonic())
            if left <= 0:
                raise TransientError(f"run {run_id} is still {found.state}", hint="wait again, or longer")
            time.sleep(left)
        return found

    def cancel(self, run_id: int, *, hard: bool = False) -> None:
        """Ask a run to stop. Raises RequestError where it has ended."""
        self._ask("POST", f"/runs/{run_id}/cancel", {"hard": hard})

    def retry(self, run_id: int, *, tasks: list[str] | None = None) -> None:
        """Run again what failed in a run that has ended, or what is named. Raises RequestError."""
        self._ask("POST", f"/runs/{run_id}/retry", {"tasks": tasks})

    def mark(self, run_id: int, state: str, *, tasks: list[str] | None = None, note: str = "") -> None:
        """Say how task runs have ended (succeeded, failed, skipped), or the run as a whole. Raises RequestError."""
        self._ask("POST", f"/runs/{run_id}/mark", {"state": state, "tasks": tasks, "note": note})

    def answer(self, run_id: int, task: str, value: str) -> None:
        """Answer a question that a run asks. Raises RequestError."""
        self._ask("POST", f"/runs/{run_id}/answer", {"task": task, "value": value})

    # ---- assets ----

    def changes(
        self, selection: str = "*", *, partitions: str = "", environment: str = "", diffs: bool = True
    ) -> Changes:
        """What would change if what is stale of a selection were made now; nothing is started. Raises RequestError."""
        wanted = {"selection": selection, "partitions": partitions, "environment": environment, "diffs": diffs}
        return msgspec.json.decode(self._ask("POST", "/assets/changes", wanted, headers={}), type=Changes)

    def promote_environment(self, name: str, selection: str = "") -> Run:
        """Queue the run that takes to production what an environment has. Raises RequestError where that is nothing."""
        data = self._ask("POST", f"/environments/{name}/promote", {"selection": selection})
        return msgspec.json.decode(data, type=_Launched).run

    def drop_environment(self, name: str, *, keep_data: bool = False) -> Run | None:
        """Delete what was made in an environment, and forget it: the run that does; None where it is done."""
        data = self._ask("POST", f"/environments/{name}/drop", {"keep_data": keep_data})
        return msgspec.json.decode(data, type=_Dropped).run

    # ---- within a run ----

    def artifacts(self, run_id: int, *, limit: int | None = None, **filters: Any) -> Iterator[Artifact]:
        """What the task runs of a run have left to be looked at, newest first; filters: task, kind, name, text."""
        return self._pages("/artifacts", Artifact, limit, {"run": run_id, **filters})

    def content(self, artifact: Artifact) -> bytes:
        """The file of an artifact, whole. Raises RequestError where it has none."""
        return self._ask("GET", f"/artifacts/{artifact.id}/file")

    def tasks(self, run_id: int, *, limit: int | None = None, **filters: Any) -> Iterator[TaskRun]:
        """The task runs of a run, by number; filters: state, step, kind, text."""
        return self._pages(f"/runs/{run_id}/tasks", TaskRun, limit, filters)

    def logs(
        self, run_id: int, task: str | int, *, attempt: int | None = None, level: str | None = None, text: str = ""
    ) -> Iterator[LogLine]:
        """What a task run (its key or number) has logged so far. Raises RequestError where there is none."""
        no = task if isinstance(task, int) else self._number(run_id, task)
        offset = 0
        while True:
            query = {"attempt": attempt, "level": level, "text": text or None, "offset": offset}
            data = self._ask("GET", f"/runs/{run_id}/tasks/{no}/logs", query=query)
            found = msgspec.json.decode(data, type=_Lines)
            yield from found.lines
            if not found.lines or found.next >= found.size:
                return
            offset = found.next

    # ---- news ----

    def events(self, *, after: int | None = None, **filters: Any) -> Iterator[Event]:
        """The events of runs as they are recorded, without end: after the one with that id (0: all), or from now on;
        filters: run, job, kind. A stream that breaks is taken up where it was, none left out."""
        query = {**filters, "after": None if after is None else str(after)}
        for _, data in self._stream("run", query):
            yield msgspec.json.decode(data, type=Event)

    def watch(self, *, after: str | None = None) -> Iterator[Changed]:
        """Which lists have changed, whenever some have, without end; `after`: the `place` of one that was heard."""
        for place, data in self._stream("changed", {"changes": "only", "after": after}):
            told = msgspec.json.decode(data, type=Changed)
            yield msgspec.structs.replace(told, place=place)

    def _stream(self, wanted: str, query: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The messages of that kind from `/events`: id and data."""
        import httpx

        place = query.get("after")
        deadline = time.monotonic() + self._patience_s
        while True:
            params = {name: value for name, value in {**query, "after": place}.items() if value is not None}
            try:
                with self._http.stream("GET", "/events", params=params) as answer:
                    if answer.status_code >= 400:
                        answer.read()
                        _content(answer)
                    name = ""
                    for line in answer.iter_lines():
                        field, _, value = line.partition(": ")
                        if field == "id":
                            place = value
                        elif field == "event":
                            name = value
                        elif field == "data" and name == wanted:
                            yield place or "", value
                        elif not line:
                            name = ""
                        deadline = time.monotonic() + self._patience_s
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    problem = f"{self._http.base_url} cannot be reached: {error}"
                    raise TransientError(problem, hint="is the server running? try again") from error
            time.sleep(0.2)

    def _number(self, run_id: int, key: str) -> int:
        step = key.partition("[")[0]
        for task in self.tasks(run_id, step=[key, step]):
            if key in (task.key, task.step):
                return task.no
        raise RequestError(f"run {run_id} has no task run {key!r} yet", where=str(self._http.base_url))

    # ---- requests ----

    def _pages(self, path: str, kind: type[T], limit: int | None, filters: Mapping[str, Any]) -> Iterator[T]:
        cursor: str | None = None
        count = 0
        while True:
            page = msgspec.json.decode(self._ask("GET", path, query={**filters, "cursor": cursor}), type=_Page)
            for raw in page.items:
                if limit is not None and count >= limit:
                    return
                count += 1
                yield msgspec.json.decode(raw, type=kind)
            cursor = page.next
            if cursor is None:
                return

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        import httpx

        params = {name: value for name, value in (query or {}).items() if value is not None}
        deadline = time.monotonic() + self._patience_s
        pause = 0.1
        while True:
            problem = f"{self._http.base_url} cannot be reached"
            try:
                answer = self._http.request(method, path, json=body, params=params, headers=dict(headers or {}))
            except httpx.TransportError as error:
                problem = f"{problem}: {error}"
                may_repeat = method == "GET" or headers is not None or isinstance(error, httpx.ConnectError)
            else:
                if answer.status_code not in (502, 503, 504):
                    return _content(answer)
                problem = f"{problem}: it answers {answer.status_code}"
                may_repeat = True
            if not may_repeat or time.monotonic() + pause > deadline:
                raise TransientError(problem, hint="is the server running? try again")
            time.sleep(pause)
            pause = min(pause * 2, 5.0)


def _content(answer: httpx.Response) -> bytes:
    """The body; an error answer as the error that it tells of."""
    if answer.status_code < 400:
        return answer.content
    try:
        told = msgspec.json.decode(answer.content, type=_Problem)
    except msgspec.DecodeError:
        told = _Problem(detail=f"{answer.request.url} answers {answer.status_code}")
    kind: type[BatutaError] = TransientError if answer.status_code in (429, 500) else RequestError
    raise kind(told.detail, where=told.where or None, hint=told.hint or None)
