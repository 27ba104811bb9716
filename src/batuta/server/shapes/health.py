"""Health and readiness, as probes and people look at them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A

from batuta.server.shapes.base import Shape, doc


class Health(Shape):
    """The server lives."""

    status: A[str, doc("Always `ok`: a server that cannot say so says nothing.", "ok")]
    version: A[str, doc("The version of Batuta.", "0.2.0")]


class ReadyCheck(Shape):
    """One thing that the server needs to be of use."""

    name: A[str, doc("What was looked at: store, schema, scheduler.", "store")]
    ok: A[bool, doc("Whether it is as it should be.")]
    detail: A[str, doc("What was found.")]


class Ready(Shape):
    """Whether the server can do its work."""

    ready: A[bool, doc("Whether all checks are ok.")]
    checks: A[list[ReadyCheck], doc("What was looked at.")]


class Process(Shape):
    """A process of the service."""

    id: A[str, doc("Its name: `host:pid:start`.")]
    kind: A[str, doc("up, scheduler, server or worker.", "scheduler")]
    host: A[str, doc("The machine.", "etl-1")]
    pid: A[int, doc("Its number there.", 4711)]
    started_at: A[datetime, doc("Since when it runs.")]
    seen_at: A[datetime, doc("When it last said that it lives.")]
    alive: A[bool, doc("Whether that was recently enough.")]
    waiting_for_restart: A[
        list[str], doc("Settings of batuta.toml that differ from what is in force there.", ["server.port"])
    ]
    configuration_error: A[str, doc("What is wrong with batuta.toml as it is: what was in force goes on.")]


class ProcessPage(Shape):
    """A page of processes."""

    items: A[list[Process], doc("The processes of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]
