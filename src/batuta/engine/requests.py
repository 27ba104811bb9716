"""Messages that other processes left in the store for the runs of this engine: cancel, answer a question, mark.

Looked for about once a second while runs are under way. A request that makes no sense (any more) is dropped: whoever
sent it watches the run, not the request.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from batuta.core.errors import RequestError
from batuta.core.events import Mark
from batuta.core.values import Handle
from batuta.store.errors import StoreUnavailable
from batuta.store.rows import RunRequestRow

if TYPE_CHECKING:
    from batuta.engine.engine import Engine

POLL_S = 1.0


class Requests:
    """See the module. All in the engine's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._taken: set[int] = set()

    def poll(self, run_ids: list[int]) -> None:
        """Record what is asked of these runs."""
        try:
            found = self._engine.store.requests(run_ids)
        except StoreUnavailable:
            return
        for request in found:
            if request.id not in self._taken:
                self._take(request)
                self._taken.add(request.id)

    def carried_out(self, ids: Iterable[int]) -> None:
        """Somebody else has taken these: they are recorded with the next commit."""
        self._taken.update(ids)

    def settle(self) -> None:
        """What was asked is committed now: delete the requests."""
        if self._taken:
            with contextlib.suppress(StoreUnavailable):
                self._engine.store.requests_done(self._taken)
                self._taken.clear()

    def _take(self, request: RunRequestRow) -> None:
        with contextlib.suppress(RequestError):
            if request.kind == "cancel":
                self._engine.cancel_run(request.run_id, request.by, bool(request.data.get("hard")))
            elif request.kind == "mark":
                data = request.data
                state: Mark = data["state"]
                self._engine.mark_run(request.run_id, state, data.get("tasks"), request.by, str(data.get("note") or ""))
            elif request.kind == "input":
                value = msgspec.convert(request.data["value"], Handle)
                self._engine.give_input(request.run_id, request.data["key"], value, request.by)
