"""Noticing that the code of locations has changed on disk, so that it is loaded anew.

Watched are the folders of the files that were imported, and those that the configuration names. A file that is written
with what was in it before changes nothing. Where `watchfiles` is not installed, they are looked at once a second.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from batuta.scheduler.location import CodeLocation
from batuta.scheduler.locations import Locations

SUFFIXES = {
    "python": (".py", ".sql", ".toml"),
    "dbt": (".py", ".sql", ".toml", ".yml", ".yaml", ".md", ".csv", ".json", ".jinja"),
}
"""By the kind of a location, what the files are called that it may be made of."""
READ_BYTES_MAX = 1 << 20
"""Of a larger file (a seed of dbt), its size and time count."""
LOOK_S = 1.0
_STEP_MS, _DEBOUNCE_MS, _TIMEOUT_MS = 50, 400, 5_000
_IGNORED = {"__pycache__", "node_modules", "site-packages", "target", "logs", "dbt_packages"}

State = dict[str, bytes]
"""Files with a digest of what is in them."""


def watched_folders(location: CodeLocation) -> set[str]:
    """The folders whose files a location is made of, its configuration's among them."""
    code = location.code
    folders = {os.path.dirname(file) for file in (code.file, location.project.file) if file}
    for target in code.targets:
        path = os.path.join(code.root, target)
        if os.path.isdir(path):
            folders.update(_below(path))
        elif os.path.exists(path):
            folders.add(os.path.dirname(path))
    if location.project.kind_of(location.config) != "python":  # also where it could not be loaded yet
        folders.update(_below(code.root))
    if location.current is not None:
        folders.update(os.path.dirname(file) for file in location.current.files)
    if location.trouble is not None:
        problems = (problem.place.file for problem in location.trouble.problems)
        folders.update(os.path.dirname(os.path.join(code.root, file)) for file in problems if file)
    return {folder for folder in folders if os.path.isdir(folder)}


def _below(top: str) -> Iterator[str]:
    for folder, names, _files in os.walk(top):
        names[:] = [name for name in names if not name.startswith(".") and name not in _IGNORED]
        yield folder


def suffixes_of(location: CodeLocation) -> tuple[str, ...]:
    """Those of the files that count."""
    return SUFFIXES[location.project.kind_of(location.config)]


def state_of(folders: Iterable[str], project_file: str = "", suffixes: tuple[str, ...] = SUFFIXES["python"]) -> State:
    """What is in the files of these folders now, but for the project's configuration: it is read for itself."""
    state: State = {}
    for folder in folders:
        try:
            entries = [entry.path for entry in os.scandir(folder) if entry.name.endswith(suffixes)]
        except OSError:
            continue
        for path in entries:
            if path == project_file:
                continue
            try:
                state[path] = _digest(path)
            except OSError:
                continue
    return state


def _digest(path: str) -> bytes:
    found = os.stat(path)
    if found.st_size > READ_BYTES_MAX:
        return f"{found.st_size} {found.st_mtime_ns}".encode()
    return hashlib.blake2b(Path(path).read_bytes(), digest_size=16).digest()


class Watcher:
    """A thread that reloads the locations whose files have changed, until `stop`.

    `on_change` is called whenever anything may have changed: for who looks after the project's configuration.
    """

    def __init__(self, locations: Locations, on_change: Callable[[], None] = lambda: None) -> None:
        self._locations = locations
        self._on_change = on_change
        self._states: dict[str, tuple[set[str], State]] = {}
        self.changed_at: dict[str, float] = {}
        """When each location was reloaded last, by the steady clock."""
        self._stopping = threading.Event()
        self._moved = threading.Event()
        self._thread = threading.Thread(target=self._main, name="batuta-watch", daemon=True)
        locations.observers.append(self._loaded)

    def start(self) -> None:
        """Begin, with the locations as they were loaded."""
        for location in self._locations:
            self._loaded(location)
        self._thread.start()

    def stop(self) -> None:
        """End; waits for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loaded(self, location: CodeLocation) -> None:
        if location.name not in self._locations or self._locations.get(location.name) is not location:
            if location.name not in self._locations:
                self._states.pop(location.name, None)
            return
        folders = watched_folders(location)
        known = self._states.get(location.name)
        if known is None or known[0] != folders:
            # What was written while it was being loaded is a change: the former state counts where there is one.
            former = known[1] if known is not None else {}
            now = state_of(folders, location.project.file, suffixes_of(location))
            self._states[location.name] = (folders, {**now, **former})
            self._moved.set()

    def _main(self) -> None:
        while not self._stopping.is_set():
            self._moved.clear()
            folders = sorted(set().union(*(folders for folders, _state in self._states.values())))
            if not folders:
                self._stopping.wait(LOOK_S)
                self._on_change()
                continue
            for _ in self._changes(folders):
                if self._stopping.is_set():
                    return
                self._look()
                if self._moved.is_set():
                    break

    def _changes(self, folders: list[str]) -> Iterator[None]:
        """Whenever something may have changed in there."""
        try:
            import watchfiles
        except ImportError:
            while not self._stopping.wait(LOOK_S):
                yield
            return
        every = tuple({suffix for suffixes in SUFFIXES.values() for suffix in suffixes})
        for _changed in watchfiles.watch(
            *folders,
            watch_filter=lambda _change, path: path.endswith(every) or os.path.isdir(path),
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_TIMEOUT_MS,
            stop_event=self._stopping,
            recursive=False,
            raise_interrupt=False,
            yield_on_timeout=True,
        ):
            yield

    def _look(self) -> None:
        """Reload what has changed."""
        self._on_change()
        for name, (folders, before) in list(self._states.items()):
            if name not in self._locations:
                continue
            location = self._locations.get(name)
            now = state_of(watched_folders(location) | folders, location.project.file, suffixes_of(location))
            if now != before:
                self._states[name] = (folders, now)
                self._locations.reload(name, warm=True)
                self.changed_at[name] = time.monotonic()
                location.prepare()
