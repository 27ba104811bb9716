"""Asking databases for rows that task runs wait for: one look at a time for each database, in a thread of its own.

So a database that hangs holds up those alone who wait for it. Surprising: a look that has not moved for a minute is
given up, its thread left behind (no driver can be told to stop), and the database asked anew, so that one that comes
back is noticed.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core.errors import BatutaError, RequestError, TransientError
from batuta.core.triggers import RowArrives, bare_url
from batuta.engine.probes import NOT_YET

if TYPE_CHECKING:
    from batuta.core.connections import Connection
    from batuta.engine.engine import Engine

PATIENCE_S = 60.0
LEFT_BEHIND_MAX = 4
"""So many hanging looks of one database are left behind; then the next one is waited for."""
TOGETHER_MAX = 500
ROW_BYTES_MAX = 64 * 1024

logger = logging.getLogger("batuta.engine")

Found = list[tuple[RowArrives, Any]]


@dataclass(eq=False)
class _Look:
    """One visit to a database."""

    wanted: Sequence[RowArrives]
    moved_at: float = field(default_factory=time.monotonic)
    forget_timer: Callable[[], None] = lambda: None


@dataclass(eq=False)
class _Lane:
    """One database."""

    waiting: list[RowArrives] = field(default_factory=list)
    look: _Look | None = None
    left_behind: int = 0
    failing: bool = False


class RowLooks:
    """See the module. In the engine's thread, but for the looks; `found` is told what each look gave."""

    def __init__(self, engine: Engine, found: Callable[[Found], None]) -> None:
        self._engine = engine
        self._found = found
        self._lanes: dict[str, _Lane] = {}

    def submit(self, triggers: Sequence[RowArrives]) -> None:
        """Look for each of these soon. Each is told once: a row, NOT_YET, or the error that no later look changes."""
        for trigger in triggers:
            self._lanes.setdefault(trigger.connection, _Lane()).waiting.append(trigger)
        for name in {trigger.connection for trigger in triggers}:
            self._next(name)

    def _next(self, name: str) -> None:
        lane = self._lanes[name]
        if lane.look is not None:
            return
        if not lane.waiting:
            if not lane.left_behind and not lane.failing:
                del self._lanes[name]
            return
        look = lane.look = _Look(lane.waiting[:TOGETHER_MAX])
        del lane.waiting[:TOGETHER_MAX]
        threading.Thread(target=self._ask, args=(name, lane, look), name=f"batuta-rows-{name}", daemon=True).start()
        self._hurry_in(PATIENCE_S, name, lane, look)

    def _hurry_in(self, in_s: float, name: str, lane: _Lane, look: _Look) -> None:
        at = self._engine.now() + in_s
        look.forget_timer = self._engine.call_at(at, lambda: self._hurry(name, lane, look))

    def _hurry(self, name: str, lane: _Lane, look: _Look) -> None:
        """Give a look up that has not moved for long."""
        if lane.look is not look:
            return
        idle_s = time.monotonic() - look.moved_at
        if idle_s < PATIENCE_S or lane.left_behind >= LEFT_BEHIND_MAX:
            self._hurry_in(max(PATIENCE_S - idle_s, PATIENCE_S / 10), name, lane, look)
            return
        logger.warning("%s does not answer; it is asked anew", bare_url(name))
        lane.left_behind += 1
        lane.look = None
        self._found([(trigger, NOT_YET) for trigger in look.wanted])
        self._next(name)

    def _told(self, name: str, lane: _Lane, look: _Look, found: Found, trouble: str) -> None:
        if lane.look is not look:
            lane.left_behind -= 1
            return
        if trouble and not lane.failing:
            logger.warning("%s cannot be asked, it is tried again and again: %s", bare_url(name), trouble)
        elif lane.failing and not trouble:
            logger.info("%s can be asked again", bare_url(name))
        lane.failing = bool(trouble)
        lane.look = None
        look.forget_timer()
        self._found(found)
        self._next(name)

    # ---- in a thread of its own ----

    def _ask(self, name: str, lane: _Lane, look: _Look) -> None:
        found: dict[int, Any] = {}
        trouble = ""
        try:
            trouble = self._visit(name, look, found)
        except TransientError as error:
            trouble = error.what
        except BatutaError as error:
            found = {number: error for number in range(len(look.wanted)) if number not in found} | found
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
        told = [(trigger, found.get(number, NOT_YET)) for number, trigger in enumerate(look.wanted)]
        self._engine.post(lambda: self._told(name, lane, look, told, trouble))

    def _visit(self, name: str, look: _Look, found: dict[int, Any]) -> str:
        """Ask for each row. Returns why some could not be asked for."""
        from batuta.authoring.operators.sql_connect import connected

        target = self._target(name)
        trouble = ""
        with connected(target.database_url, bare_url(name)) as (connection, dialect):
            for number, trigger in enumerate(look.wanted):
                look.moved_at = time.monotonic()
                try:
                    found[number] = _row(connection, dialect, trigger)
                except BatutaError as error:
                    if _may_pass(error):
                        trouble = error.what
                    else:
                        found[number] = error
        return trouble

    def _target(self, name: str) -> Connection:
        from batuta.core.connections import Connection

        target = Connection.from_url(name) if "://" in name else self._engine.lookups.connection(name)
        if target.kind == "duckdb":
            hint = "use SQLSensor without deferrable=, which asks from a worker"
            raise RequestError(f"{name} is DuckDB, whose file only one process at a time can open", hint=hint)
        if target.kind == "sqlite" and not os.path.exists(target.path):
            raise TransientError(f"there is no file {target.path}")  # which a look would make
        return target


def _row(connection: Any, dialect: Any, trigger: RowArrives) -> Any:
    from batuta.authoring.operators.sql import row_of
    from batuta.runtime.sensor_looks import plain

    row = row_of(connection, dialect, trigger.sql, trigger.parameters, bare_url(trigger.connection))
    if row is None:
        return NOT_YET
    found = {name: plain(cell) for name, cell in row.items()}
    if (size := len(msgspec.json.encode(found))) > ROW_BYTES_MAX:
        raise RequestError(f"the row has {size:,} bytes, and is recorded with the run", hint="select less")
    return found


def _may_pass(error: BatutaError) -> bool:
    """Whether a later look may do better: the driver says that the database, not the SQL, is in trouble."""
    said = error.__context__
    if said is None or not {"OperationalError", "InterfaceError"} & {kind.__name__ for kind in type(said).__mro__}:
        return False
    return getattr(said, "sqlite_errorname", "") != "SQLITE_ERROR"  # which is what SQLite calls bad SQL
