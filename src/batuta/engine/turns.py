"""The engine's turns: what has happened is heard, then all of it is committed, and only then acted upon.

So nothing is started, answered or told whose reason is not durable. Beside that, what comes round by the clock: starts
of attempts that last, leases, what other processes ask for. All in the engine's thread.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from batuta.core.tallies import SHORT_S, Histogram
from batuta.engine.acting import REVEAL_S
from batuta.engine.journal import Changed
from batuta.engine.loop import EventLoop
from batuta.engine.requests import POLL_S, Requests
from batuta.engine.runs import LEASE_S
from batuta.executors.port import Executor
from batuta.runtime.protocol import Reply

if TYPE_CHECKING:
    from batuta.engine.engine import Engine

_IDLE_S = 5.0


class Turns:
    """See the module."""

    def __init__(self, engine: Engine, loop: EventLoop) -> None:
        self.took_s = Histogram(SHORT_S)
        """How long turns took, without the wait that each begins with."""
        self._engine = engine
        self._loop = loop
        self.requests = Requests(engine)
        self._replies: list[tuple[Executor, int, Reply]] = []
        self._next_reveal = 0.0
        self._next_renewal = 0.0
        self._next_requests = 0.0

    def turn(self) -> None:
        """Wait until something happens, and see to it."""
        self._loop.turn(self._patience_s())
        engine, journal, now = self._engine, self._engine.journal, time.monotonic()
        self._come_round(now)
        due_s = journal.due_in_s(now)
        if due_s is not None and due_s <= 0:
            self._act(journal.write())
        while journal.pending or self._replies:
            self._commit_and_act()
        for executor in engine.executors.values():
            executor.flush()  # what was answered from the record, without anything to commit
        self.requests.settle()
        self.took_s.add(time.monotonic() - self._loop.woken_at)

    def reply(self, executor: Executor, request_id: int, reply: Reply) -> None:
        """Answer a question of an attempt, when what it may rest on is committed."""
        self._replies.append((executor, request_id, reply))

    def look_for_requests(self) -> None:
        """Other processes may have left some."""
        self._next_requests = 0.0

    def _come_round(self, now: float) -> None:
        engine = self._engine
        if now >= self._next_reveal:
            self._next_reveal = now + REVEAL_S
            engine.acting.reveal()
        if now >= self._next_renewal:
            self._next_renewal = now + LEASE_S / 3
            engine.runs.renew()
        if now >= self._next_requests and engine.runs.by_id:
            self._next_requests = now + POLL_S
            self.requests.poll(list(engine.runs.by_id))

    def _patience_s(self) -> float:
        """How long to wait for something to happen."""
        engine = self._engine
        if engine.journal.pending:
            return 0.0
        now = time.monotonic()
        patience_s = _IDLE_S
        if engine.runs.by_id or engine.acting.busy:
            patience_s = min(self._next_reveal, self._next_renewal) - now
        due_s = engine.journal.due_in_s(now)
        return patience_s if due_s is None else min(patience_s, due_s)

    def _commit_and_act(self) -> None:
        engine = self._engine
        ahead = None if self._replies else engine.journal.ahead()
        if ahead is not None:
            for active in ahead:
                engine.acting.carry_out(active)
            engine.acting.dispatch()
            return
        replies, self._replies = self._replies, []
        changed = engine.journal.write()
        for executor, request_id, reply in replies:
            executor.reply(request_id, reply)
        self._act(changed)

    def _act(self, changed: Changed) -> None:
        engine = self._engine
        for active, tasks in changed:
            if active.is_flow:
                engine.calls.tell_ends(active, tasks)
            engine.waits.changed(active, tasks)
            for observer in engine.observers:
                observer(active, tasks)
            engine.acting.carry_out(active)
        engine.acting.dispatch()
