"""A project's look-ups and keys in this very process: for scripts, tests, files being loaded, and the command line.

Steps ask their engine instead, which does it through here with the store it has open. The surprising rule: a look-up
never makes a store or a key; what is not there knows nothing.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator

from batuta.runtime.lookups import Backend, Lookups
from batuta.runtime.project import Project, project_here
from batuta.store.encryption import KeyRing, KeySource
from batuta.store.store import Store
from batuta.store.vault import Vault


def keys_of(project: Project) -> KeySource:
    """Where the project's keys come from."""
    return _source(project.key_file, project.config.secrets.key_command)


@functools.lru_cache(maxsize=16)
def _source(file: str, command: str) -> KeySource:
    """One per place, since it remembers what a command has printed."""
    return KeySource(file, command)


def lookups(project: Project | None = None, store: Store | None = None) -> Lookups:
    """The look-ups of a project, by default of the one here; `store` is its store where that is open already."""
    project = project or project_here()
    stored: Backend = _Stored(project) if store is None else store.vault(keys_of(project))
    return Lookups(project, stored)


class _Stored:
    """The store as a backend, opened for each look-up."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def get(self, kind: str, name: str) -> str | None:
        with opened(self._project) as vault:
            return None if vault is None else vault.get(kind, name)

    def names(self, kind: str) -> list[str]:
        with opened(self._project) as vault:
            return [] if vault is None else vault.names(kind)


@contextlib.contextmanager
def opened(project: Project) -> Iterator[Vault | None]:
    """The vault of a project whose store is not open; None where there is no store yet."""
    url = project.store_url
    path = url.partition("://")[2].removeprefix("/") if url.startswith("sqlite") else "" if "://" in url else url
    if path and not os.path.exists(path):
        yield None
        return
    with Store.open(url, durable=project.config.store.durable) as store:
        yield store.vault(keys_of(project))


def sealing_ring(project: Project | None = None, store: Store | None = None) -> KeyRing:
    """The keys that recorded results with secrets are encrypted with. Raises KeyUnusable, WrongKey."""
    project = project or project_here()
    if store is not None:
        return store.vault(keys_of(project)).sealing_ring()
    project.make_home()
    with Store.open(project.store_url, durable=project.config.store.durable) as own:
        return own.vault(keys_of(project)).sealing_ring()
