"""Executors that plugins bring: made by name for a code location, and guarded, since they work in the engine's thread.

Surprising: what goes wrong in such an executor is never an error of the engine. An attempt that it cannot take fails
with an error that names the plugin, and all the rest is told in the log.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from batuta import plugins
from batuta.core.errors import BatutaError, LoadError
from batuta.executors.host_process import HostProcess
from batuta.executors.port import Executor, HasRoom, Heard, Loop, ServingExecutor
from batuta.plugins import PluginError
from batuta.runtime.failures import error_info
from batuta.runtime.protocol import Ask, Reply, RunInfo, StepDone, StepRequest, Submit, TaskEnded

GROUP = "batuta.executors"
NEEDS = (
    *("start", "has_room", "send", "flush", "cancel", "reply", "ended"),
    *("running", "forget", "stop", "hang_up"),
)
STATUSES = frozenset(("succeeded", "failed", "skipped", "cancelled", "deferred", "lost", "returned"))
MINE = "mend the plugin, or take `executor` out of this location in batuta.toml"

logger = logging.getLogger("batuta.executors")
T = TypeVar("T")

Told = Callable[[LoadError | None], None]
"""Hears what keeps the host from coming back once it has died, and None when it is back; see `ProcessExecutor`."""


def make(
    name: str, host: HostProcess, workers: int, spools: str, options: dict[str, Any], *, told: Told, where: str
) -> ServingExecutor:
    """The executor that a plugin of that name makes for a location, guarded. Raises PluginError."""
    factory = plugins.load(GROUP, name, where=where)
    try:
        made = factory(host, workers, spools, options, told=told)
    except BatutaError:
        raise
    except Exception as error:
        what = f"the executor {name!r} cannot be made: {type(error).__name__}: {error}"
        raise PluginError(what, where=where, hint="see `executor_options` of this location") from error
    missing = [each for each in NEEDS if not callable(getattr(made, each, None))]
    if missing:
        what = f"what the executor {name!r} makes has no {missing[0]!r}, so it is not an executor"
        raise PluginError(what, where=where, hint="see docs/plugins.md for what each kind has to have")
    return GuardedExecutor(name, made)


class GuardedExecutor:
    """See the module and `executors.port.ServingExecutor`."""

    def __init__(self, name: str, inner: ServingExecutor) -> None:
        self._name = name
        self._inner = inner
        self._loop: Loop
        self._heard: Callable[[Executor, Heard], None]
        self._unflushed: list[int] = []
        self._no_room: Exception | None = None
        self._said: set[str] = set()

    @property
    def is_staffed(self) -> bool:
        """Whether there is anybody to run its steps, where the executor tells."""
        return bool(self._call("is_staffed", lambda: getattr(self._inner, "is_staffed", True), True))

    def start(self, loop: Loop, heard: Callable[[Executor, Heard], None]) -> None:
        """See the port. Raises PluginError."""
        self._loop, self._heard = loop, heard
        try:
            self._inner.start(GuardedLoop(loop, self._call), self._hear)
        except Exception as error:
            self.hang_up()
            what = f"the executor {self._name!r} cannot start: {type(error).__name__}: {error}"
            raise PluginError(what, hint=MINE) from error

    def _hear(self, _executor: Executor, message: Heard) -> None:
        is_known = isinstance(message, StepDone | Submit | Ask | HasRoom)
        if not is_known or (isinstance(message, StepDone) and message.status not in STATUSES):
            self._tell("start", f"it told of {str(message)[:200]}, which is nothing that an executor says")
            return
        self._heard(self, message)

    # ---- what attempts depend on ----

    def has_room(self, kind: str, task: str) -> bool:
        """See the port. Where it cannot say, yes: the attempt says then what is wrong, rather than wait for ever."""
        try:
            return bool(self._inner.has_room(kind, task))
        except Exception as error:
            self._no_room = error
            return True

    def send(self, info: RunInfo, request: StepRequest) -> None:
        """See the port. An attempt that cannot be sent fails."""
        failure, self._no_room = self._no_room, None
        if failure is None:
            self._unflushed.append(request.id)
            try:
                self._inner.send(info, request)
                return
            except Exception as error:
                self._unflushed.remove(request.id)
                failure = error
        self._fail(request.id, "send", failure)

    def flush(self) -> None:
        """See the port. What it had not sent fails."""
        sent, self._unflushed = self._unflushed, []
        try:
            self._inner.flush()
        except Exception as error:
            self._tell("flush", f"{type(error).__name__}: {error}")
            for request_id in sent:
                self._fail(request_id, "flush", error)

    def _fail(self, request_id: int, during: str, error: Exception) -> None:
        """The attempt ends, soon; should the executor have begun it all the same, it is to stop."""
        self._call("cancel", lambda: self._inner.cancel(request_id, True), None)
        what = f"the executor {self._name!r} failed at {during}: {type(error).__name__}: {error}"
        raised = PluginError(what, hint=MINE)
        raised.__cause__ = error
        done = StepDone(request_id, "failed", 0.0, 0.0, error=error_info(raised))
        self._loop.post(functools.partial(self._heard, self, done))

    # ---- the rest of the port ----

    def cancel(self, request_id: int, hard: bool, run_id: int = 0) -> None:
        """See the port."""
        self._call("cancel", lambda: self._inner.cancel(request_id, hard, run_id), None)

    def reply(self, request_id: int, reply: Reply) -> None:
        """See the port."""
        self._call("reply", lambda: self._inner.reply(request_id, reply), None)

    def ended(self, request_id: int, message: TaskEnded) -> None:
        """See the port."""
        self._call("ended", lambda: self._inner.ended(request_id, message), None)

    def running(self) -> Iterable[tuple[int, float, str]]:
        """See the port."""
        return self._call("running", lambda: [(int(one), since, who) for one, since, who in self._inner.running()], [])

    def forget(self, run_id: int) -> None:
        """See the port."""
        self._call("forget", lambda: self._inner.forget(run_id), None)

    def stop(self) -> None:
        """See the port."""
        self._call("stop", self._inner.stop, None)

    def hang_up(self) -> None:
        """See `ServingExecutor`."""
        self._call("hang_up", self._inner.hang_up, None)

    def _call(self, during: str, call: Callable[[], T], otherwise: T) -> T:
        try:
            return call()
        except Exception as error:
            self._tell(during, f"{type(error).__name__}: {error}")
            return otherwise

    def _tell(self, during: str, what: str) -> None:
        """Into the log, the same thing once: some methods are called thousands of times a second."""
        if (said := f"{during} {what}") in self._said or len(self._said) > 100:
            return
        self._said.add(said)
        logger.error("the executor %r failed at %s: %s", self._name, during, what)


class GuardedLoop:
    """See `executors.port.Loop`: what the executor has it call may raise and harm nobody."""

    def __init__(self, loop: Loop, call: Callable[[str, Callable[[], None], None], None]) -> None:
        self._loop = loop
        self._call = call

    def register(self, fileobj: Any, on_readable: Callable[[], None]) -> None:
        """See the port."""
        self._loop.register(fileobj, self._guarded(on_readable))

    def watch_writable(self, fileobj: Any, on_writable: Callable[[], None] | None) -> None:
        """See the port."""
        self._loop.watch_writable(fileobj, None if on_writable is None else self._guarded(on_writable))

    def unregister(self, fileobj: Any) -> None:
        """See the port."""
        self._loop.unregister(fileobj)

    def post(self, callback: Callable[[], None], soon: bool = True) -> None:
        """See the port."""
        self._loop.post(self._guarded(callback), soon)

    def call_at(self, at: float, callback: Callable[[], None]) -> Callable[[], None]:
        """See the port."""
        return self._loop.call_at(at, self._guarded(callback))

    def _guarded(self, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: self._call("an event", callback, None)
