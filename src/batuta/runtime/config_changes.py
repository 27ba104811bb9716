"""What a change of batuta.toml means for a process that runs: what it takes on at once, and what waits for a restart.

Settings are named as in the file: `queue`, or `service.watch` where only a part is meant. A file that is wrong changes
nothing: what was in force stays, and the mistake is told of. Surprising: what waits is compared with what is in force,
not with the file before, so a change that is taken back waits no more.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from batuta.core.errors import BatutaError, DefinitionError
from batuta.runtime.project import CONFIG_FILES, Config, Project, read_project

logger = logging.getLogger("batuta.configuration")

_BOTH = ("name", "store", "secrets", "log.format")
OF_SERVER = (*_BOTH, "server")
OF_SCHEDULER = (*_BOTH, "traces", "openlineage", "metrics", "workers", "service.watch")
FIXED = {
    "server": OF_SERVER,
    "scheduler": OF_SCHEDULER,
    "up": (*OF_SCHEDULER, "server"),
}
"""What each kind of process looks at once, when it starts."""
NOBODYS = ("profiles", "executor.kind")
"""What means nothing to a process that runs: profiles are merged when they are read."""


class Change(NamedTuple):
    """`project` is what is in force now; `taken` has changed, `waiting` needs a restart."""

    project: Project
    taken: tuple[str, ...]
    waiting: tuple[str, ...]


Seen = tuple[tuple[int, int, int] | None, ...]


class ConfigFile:
    """The file of a project, for a process of that kind: `take` is called with what has changed, and may raise
    BatutaError where it cannot be taken on."""

    def __init__(self, project: Project, kind: str, take: Callable[[Change], None]) -> None:
        self.project = project
        """As it is in force."""
        self.error = ""
        """What is wrong with the file as it is."""
        self.waiting: tuple[str, ...] = ()
        """The settings that need a restart."""
        self._kind = kind
        self._take = take
        self._lock = threading.Lock()
        self._seen = self._look()

    @property
    def has_changed(self) -> bool:
        """Whether the file is another than was read last."""
        return self._look() != self._seen

    def read(self) -> None:
        """Take on what the file says now, if it is another than before."""
        with self._lock:
            seen = self._look()
            if seen == self._seen:
                return
            self._seen = seen
            try:
                read = read_project(Path(self.project.root))
                if read is None:
                    raise DefinitionError("the configuration is gone", where=self.project.file)
                change = take_on(self.project, read, self._kind)
                self._take(change)
            except BatutaError as error:
                self.error = str(error)
                logger.error("what was configured before goes on: %s", error)
                return
            self.project, self.error = change.project, ""
            self._tell(change)

    def info(self) -> dict[str, Any]:
        """For who looks at this process from elsewhere."""
        return {"error": self.error, "waiting": list(self.waiting)}

    def _look(self) -> Seen:
        found: list[tuple[int, int, int] | None] = []
        for name in CONFIG_FILES:
            try:
                stat = os.stat(os.path.join(self.project.root, name))
                found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
            except OSError:
                found.append(None)
        return tuple(found)

    def _tell(self, change: Change) -> None:
        where = change.project.file
        if change.taken and self._kind != "server":
            logger.info("%s: changed, and in force from now on: %s", where, ", ".join(change.taken))
        if change.waiting and change.waiting != self.waiting:
            logger.warning("%s: changed, and in force after a restart: %s", where, ", ".join(change.waiting))
        self.waiting = change.waiting


def take_on(now: Project, read: Project, kind: str) -> Change:
    """What comes of a file that was read anew, for a process of that kind."""
    fixed = FIXED[kind]
    differ = set(_differing(now.config, read.config))
    waiting = [name for name in differ if _is_in(name, fixed)]
    taken = [name for name in differ if not _is_in(name, fixed) and not _is_in(name, NOBODYS)]
    config = _kept(read.config, now.config, fixed)
    return Change(msgspec.structs.replace(read, config=config), tuple(sorted(taken)), tuple(sorted(waiting)))


def _is_in(name: str, names: Iterable[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in names)


def _differing(now: Config, read: Config) -> Iterator[str]:
    """The settings that differ; of tables of ours, the settings in them."""
    for field in Config.__struct_fields__:
        one, other = getattr(now, field), getattr(read, field)
        if one == other:
            continue
        if not isinstance(one, msgspec.Struct):
            yield field
            continue
        for part in one.__struct_fields__:
            if getattr(one, part) != getattr(other, part):
                yield f"{field}.{part}"


def _kept(read: Config, now: Config, fixed: Iterable[str]) -> Config:
    """`read`, but for what is fixed."""
    changes: dict[str, Any] = {}
    for name in fixed:
        field, _, part = name.partition(".")
        value = getattr(now, field)
        if part:
            value = msgspec.structs.replace(changes.get(field, getattr(read, field)), **{part: getattr(value, part)})
        changes[field] = value
    return msgspec.structs.replace(read, **changes)
