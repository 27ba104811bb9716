"""What running steps ask about variables, connections and secrets, answered beside the engine's thread.

A backend may be slow (a command for the key, a vault over HTTP), so each question goes to a few threads of its own; the
engine only hands the answer on. Nothing of it is recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from batuta.core.errors import BatutaError, RequestError
from batuta.engine.later import Given, Later
from batuta.runtime.masking import mask
from batuta.runtime.project import Project, find_project

if TYPE_CHECKING:
    from batuta.core.connections import Connection
    from batuta.engine.engine import Engine
    from batuta.runtime.lookups import Kind, Lookups
    from batuta.store.encryption import KeyRing

THREADS = 4


class EngineLookups:
    """Asked in the engine's thread; the rest happens in its own. `project` None: the one that the engine works in."""

    def __init__(self, engine: Engine, project: Project | None) -> None:
        self._engine = engine
        self._project = project
        self._threads: ThreadPoolExecutor | None = None
        self._made: Lookups | None = None

    def close(self) -> None:
        """Wait for none of those that are still asked."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)

    def look_up(self, kind: Kind, name: str, optional: bool) -> Later:
        """The text of it; None where it is not defined and `optional`."""
        return self._later(partial(self._text, kind, name, optional))

    def connection(self, name: str) -> Connection:
        """The connection of that name. From any thread but the engine's; raises RequestError."""
        from batuta.core.connections import Connection

        return Connection.from_text(self._text("connection", name, False)["text"], name=name)

    def seal(self, data: bytes) -> Later:
        """Encrypt a result that holds secrets."""
        return self._later(partial(self._sealed, data))

    def unseal(self, data: bytes) -> Later:
        """The inverse."""
        return self._later(partial(self._unsealed, data))

    def _later(self, work: Callable[[], dict[str, Any]]) -> Later:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="batuta-lookups")
        later = Later()

        def run() -> None:
            given: Given
            try:
                given = work()
            except BatutaError as error:
                given = error
            except Exception as error:  # of a library below: told like any other refusal
                given = RequestError(f"{type(error).__name__}: {mask(str(error))}")
            self._engine.post(lambda: later.give(given))

        self._threads.submit(run)
        return later

    # ---- in threads of their own ----

    def _text(self, kind: Kind, name: str, optional: bool) -> dict[str, Any]:
        from batuta.runtime.lookups import NotDefined
        from batuta.runtime.vault import lookups

        if self._made is None:
            self._made = lookups(self._project, self._engine.store)
        try:
            return {"text": self._made.text(kind, name)}
        except NotDefined:
            if optional:
                return {"text": None}
            raise

    def _sealed(self, data: bytes) -> dict[str, Any]:
        from batuta.runtime.sealing import seal_here

        return {"data": seal_here(data, self._ring)}

    def _unsealed(self, data: bytes) -> dict[str, Any]:
        from batuta.runtime.sealing import unseal_here

        return {"data": unseal_here(data, self._ring)}

    def _ring(self) -> KeyRing:
        from batuta.runtime.vault import sealing_ring

        return sealing_ring(self._project or find_project(), self._engine.store)
