"""A flow's call that is run by the thread of the flow's body, which would otherwise wait for another thread to run it.

So a call costs two hand-overs between threads instead of four. It takes the place of a step on one of the executor's
threads: no more steps run at once than there are threads. The surprising rule: the engine is told of it without being
woken. It hears of it together with the end, or when it looks around for what has been running for a while.
"""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager
from contextvars import Context
from typing import TYPE_CHECKING

from batuta.executors.port import Begun
from batuta.executors.thread_attempt import ThreadAttempt
from batuta.runtime.interrupts import Within
from batuta.runtime.protocol import RunInfo, StepRequest, Submit

if TYPE_CHECKING:
    from batuta.executors.threads import ThreadExecutor

_ids = itertools.count(-1, -1)
"""Names of requests that the engine did not give, apart from those that it gives."""


class CallHere:
    """See `runtime.flow_session.CallHere` and `.Transport.here`. `body` is the attempt that makes the call."""

    __slots__ = ("_body", "_executor", "_info", "_paused", "attempt")

    def __init__(self, executor: ThreadExecutor, body: ThreadAttempt) -> None:
        self._executor = executor
        self._body = body
        self._paused: AbstractContextManager[None] | None = None
        self.attempt: ThreadAttempt | None = None
        self._info: RunInfo

    def __enter__(self) -> CallHere | None:
        body = self._body
        if not body.is_of_this_thread or body.over:
            return None
        self._paused = body.interrupts.paused()
        self._paused.__enter__()
        return self if self._executor.lend(self) else None

    def __exit__(self, *_: object) -> None:
        if self._paused is not None:
            self._executor.unlend(self)
            self._paused.__exit__(None, None, None)

    def begin(self, info: RunInfo, submit: Submit, no: int) -> None:
        """See the port."""
        [call] = submit.calls
        request = StepRequest(
            next(_ids),
            info.run_id,
            call.key,
            no,
            attempt=1,
            tries=1,
            kind=submit.spec.kind,
            code=submit.code,
            args=call.args,
        )
        self._info = info
        self.attempt = self._executor.attempt(request, Within(self._body.interrupts))
        self._executor.tell(Begun(submit, request), soon=False)

    def run(self) -> None:
        """See the port. In a context of its own: what it calls is no call of the flow."""
        attempt = self.attempt
        assert attempt is not None
        runner = self._executor.runner()
        done = Context().run(runner.run, self._info, attempt.request, attempt, attempt.interrupts)
        self._executor.end(attempt, done)
