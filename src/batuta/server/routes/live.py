"""`/events` and the tail of a log, as server-sent events: news as they happen, none left out.

A client that comes back sends `Last-Event-ID` and gets what it has missed. Each event is one that was recorded; its id
is its place among the events of all runs. With `changes` the stream says also which lists are old, see `changes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated as A
from typing import Literal

import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import HeaderParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from batuta.core.states import TASK_FINAL
from batuta.runtime.log_read import LogLine, read
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.changes import MARK_PATTERN, TOPICS, Mark
from batuta.server.feed import Feed, News
from batuta.server.log_access import LogFilter, attempt_of, log_path
from batuta.server.problems import FieldProblem, NotFound, Refused
from batuta.server.routes.base import RunId, TaskNo, Text, query, viewer
from batuta.server.routes.runs import seen
from batuta.server.routes.tasks import Level
from batuta.server.shapes.runs import event_of, log_entry
from batuta.store.rows import EventRow, TaskRunRow

TAIL_POLL_S = 0.25
TAIL_LINES = 1_000
RETRY_MS = 1_000
JOBS_KEPT = 10_000
_encode = msgspec.json.Encoder().encode
_CALLS_SHOWN = 50

_HEADER = "header.Last-Event-ID"
Changes = Literal["also", "only"]
_CHANGES = (
    "Whether to say which lists have changed besides (`also`) or instead of (`only`) the events of runs. Topics: "
    f"{', '.join(f'`{topic}`' for topic in TOPICS)}."
)

_AFTER = "Like `Last-Event-ID`, for clients that cannot send it."

LastEventId = A[
    str | None,
    HeaderParameter(name="Last-Event-ID", max_length=200, description="The id of the last event that was received."),
]


class Live(Controller):
    """See the module."""

    tags = ("live",)

    @get("/events", operation_id="streamEvents", summary="News of runs", opt=viewer(), media_type="text/event-stream")
    async def events(
        self,
        backend: NamedDependency[Backend],
        feed: NamedDependency[Feed],
        who: NamedDependency[Principal],
        runs: A[list[int] | None, query("Only of these runs.", "run")] = None,
        jobs: A[list[str] | None, query("Only of runs of these jobs.", "job")] = None,
        kinds: A[list[str] | None, query("Only of these kinds.", "kind")] = None,
        changes: A[Changes | None, query(_CHANGES)] = None,
        after: A[str | None, query(_AFTER, max_length=200, pattern=MARK_PATTERN)] = None,
        last_event_id: LastEventId = None,
    ) -> ServerSentEvent:
        """The events of runs as they are recorded: `event: run`, a `RunEvent` with the run's `job` and `location`; with
        `changes` also which lists have changed: `event: changed`, an object whose `topics` names them."""
        given = last_event_id if last_event_id is not None else after
        if given is None:
            start = await feed.now(changes=changes is not None)
        else:
            start = _mark(given, "query.after" if last_event_id is None else _HEADER)
        wanted = _Wanted(backend, who, set(runs or ()), set(jobs or ()), set(kinds or ()), changes)
        return ServerSentEvent(wanted.messages(feed, start), retry_duration=RETRY_MS)

    @get(
        "/runs/{run_id:int}/tasks/{no:int}/logs/stream",
        operation_id="streamLog",
        summary="Follow a log",
        opt=viewer(),
        media_type="text/event-stream",
    )
    async def follow_log(
        self,
        backend: NamedDependency[Backend],
        feed: NamedDependency[Feed],
        who: NamedDependency[Principal],
        run_id: RunId,
        no: TaskNo,
        attempt: A[int | None, query("Which attempt; by default the last.", ge=1, le=1_000_000)] = None,
        offset: A[int, query("Where to begin.", ge=0, le=2**53)] = 0,
        level: A[Level | None, query("Only records of at least this level.")] = None,
        text: Text = "",
        last_event_id: LastEventId = None,
    ) -> ServerSentEvent:
        """The records of a log as they are written: `event: line` with a `LogEntry`, whose end is the event's id; and
        `event: end` once the attempt is over."""
        await asyncio.to_thread(seen, backend, who, run_id)
        task = await asyncio.to_thread(backend.store.task_run, run_id, no)
        if task is None:
            raise NotFound(f"run {run_id} has no task run {no} yet")
        start = offset if last_event_id is None else _mark(last_event_id, _HEADER).event
        wanted = LogFilter(level=level, text=text)
        lines = _tail(backend, feed, task, attempt_of(task, attempt), start, wanted)
        return ServerSentEvent(lines, retry_duration=RETRY_MS)


def _mark(text: str, pointer: str) -> Mark:
    """Where a listener was. Raises Refused."""
    try:
        return Mark.read(text)
    except ValueError:
        errors = (FieldProblem(pointer=pointer, detail="it is not the id of an event of this API"),)
        raise Refused("bad-request", 400, f"{text!r} is not the id of an event", errors=errors) from None


class _Wanted:
    """What one listener wants to hear."""

    def __init__(
        self,
        backend: Backend,
        who: Principal,
        runs: set[int],
        jobs: set[str],
        kinds: set[str],
        changes: Changes | None,
    ) -> None:
        self._backend = backend
        self._who = who
        self._runs = runs
        self._jobs = jobs
        self._kinds = kinds
        self._changes = changes
        self._known: dict[int, tuple[str, str]] = {}

    async def messages(self, feed: Feed, after: Mark) -> AsyncIterator[ServerSentEventMessage]:
        yield ServerSentEventMessage(data=None, comment="listening")
        async for news in feed.listen(after, changes=self._changes is not None):
            if news.topics:
                # First, and as of before the events: who loses the connection between the two hears both again.
                before = news.rows[0].id - 1 if news.rows else news.mark.event
                topics = _encode({"topics": sorted(news.topics)})
                yield ServerSentEventMessage(data=topics, event="changed", id=self._place(news, before))
            for message in await self._of_runs(news) if self._changes != "only" else ():
                yield message
            # The id goes on even where nothing was wanted, so that a client that returns need not hear it again.
            moved = self._place(news, news.mark.event) if news.rows else None
            yield ServerSentEventMessage(data=None, id=moved, comment="quiet")

    def _place(self, news: News, event: int) -> str:
        """The id of a message after which a listener has heard so far."""
        return str(msgspec.structs.replace(news.mark, event=event)) if self._changes else str(event)

    async def _of_runs(self, news: News) -> list[ServerSentEventMessage]:
        wanted = [row for row in news.rows if self._may_want(row)]
        unknown = {row.run_id for row in wanted} - self._known.keys()
        if unknown:
            await asyncio.to_thread(self._learn, unknown)
        told = []
        for row in wanted:
            job, location = self._known.get(row.run_id, ("", ""))
            if self._wants(job, location):
                data, place = _data(row, job, location), self._place(news, row.id)
                told.append(ServerSentEventMessage(data=data, event="run", id=place))
        return told

    def _may_want(self, row: EventRow) -> bool:
        return (not self._runs or row.run_id in self._runs) and (not self._kinds or row.kind in self._kinds)

    def _wants(self, job: str, location: str) -> bool:
        return (not self._jobs or job in self._jobs) and self._who.may("viewer", location)

    def _learn(self, run_ids: set[int]) -> None:
        if len(self._known) > JOBS_KEPT:
            self._known.clear()
        for run_id in run_ids:
            row = self._backend.store.run(run_id)
            if row is not None:
                self._known[run_id] = (row.job, row.location)


def _data(row: EventRow, job: str, location: str) -> bytes:
    shown = msgspec.to_builtins(event_of(row), builtin_types=())
    calls = shown["data"].get("calls")
    if isinstance(calls, list):
        shown["data"]["calls"] = [call.get("key") for call in calls[:_CALLS_SHOWN]]
        shown["data"]["count"] = len(calls)
    return _encode({**shown, "job": job, "location": location})


async def _tail(
    backend: Backend, feed: Feed, task: TaskRunRow, attempt: int, offset: int, wanted: LogFilter
) -> AsyncIterator[ServerSentEventMessage]:
    path = log_path(backend.logs_path(), task, attempt)
    position = offset
    while not feed.closed:
        over = await asyncio.to_thread(_is_over, backend, task, attempt)
        lines = await asyncio.to_thread(_lines, path, position, wanted)
        for line in lines:
            position = line.end
            yield ServerSentEventMessage(data=_encode(log_entry(line)), event="line", id=line.end)
        if over and len(lines) < TAIL_LINES:
            yield ServerSentEventMessage(data="{}", event="end", id=position)
            return
        if not lines:
            yield ServerSentEventMessage(data=None, comment="quiet")
            await asyncio.sleep(TAIL_POLL_S)


def _is_over(backend: Backend, task: TaskRunRow, attempt: int) -> bool:
    row = backend.store.task_run(task.run_id, task.no)
    return row is None or attempt < row.attempt or row.state in TASK_FINAL


def _lines(path: str, offset: int, wanted: LogFilter) -> list[LogLine]:
    return list(read(path, offset, TAIL_LINES, wanted.level, wanted.pattern))
