"""What was described, kept by the fingerprint of what it was described from, with the manifest that workers run.

A folder each; the last few are kept, so that going back to a branch finds its own. Surprising: an entry is written
beside and renamed, so that one that was cut off is none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import msgspec

from batuta.bridges.dbt.fingerprint import environment_hash
from batuta.bridges.dbt.targets import Described

KEPT = 5
_DESCRIBED, _MANIFEST, _ABOUT, _COMPILED = "described.json", "manifest.msgpack", "about.json", "compiled.json"


class About(msgspec.Struct, frozen=True):
    """Of what was described. `variables`: the environment variables that count; `workers_max`: see `Bridge`."""

    variables: tuple[str, ...]
    environment: str
    workers_max: int | None
    rests: bool


class Cache:
    """The cache of one location, in a folder of its own."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.join(folder, "manifests")

    def path(self, key: str) -> str:
        """The folder of an entry."""
        return os.path.join(self._folder, key)

    def find(self, key: str) -> tuple[Described, About] | None:
        """What was described from the same, if it is known and the environment is as it was."""
        folder = Path(self.path(key))
        try:
            about = msgspec.json.decode((folder / _ABOUT).read_bytes(), type=About)
            if environment_hash(about.variables) != about.environment:
                return None
            described = msgspec.json.decode((folder / _DESCRIBED).read_bytes(), type=Described)
        except (OSError, msgspec.DecodeError):
            return None
        with contextlib.suppress(OSError):
            os.utime(folder)
        return described, about

    def keep(self, key: str, described: Described, about: About, manifest: bytes) -> None:
        """Remember it, and forget what was not asked for the longest."""
        os.makedirs(self._folder, exist_ok=True)
        fresh = Path(f"{self.path(key)}.{os.getpid()}")
        fresh.mkdir(exist_ok=True)
        (fresh / _DESCRIBED).write_bytes(msgspec.json.encode(described))
        (fresh / _ABOUT).write_bytes(msgspec.json.encode(about))
        (fresh / _MANIFEST).write_bytes(manifest)
        former = Path(self.path(key))
        if former.exists():
            shutil.rmtree(former, ignore_errors=True)
        with contextlib.suppress(OSError):  # somebody else was quicker, with the same
            os.rename(fresh, former)
        self._forget()

    def _forget(self) -> None:
        entries = sorted(Path(self._folder).iterdir(), key=lambda entry: entry.stat().st_mtime, reverse=True)
        for entry in entries[KEPT:]:
            shutil.rmtree(entry, ignore_errors=True)

    def manifest(self, key: str) -> bytes:
        """dbt's own manifest of an entry. Raises OSError."""
        return Path(self.path(key), _MANIFEST).read_bytes()


class Compiled:
    """The compiled SQL of nodes, by their code version: what was compiled once is not compiled again."""

    def __init__(self, folder: str) -> None:
        self._file = Path(folder, _COMPILED)

    def known(self) -> dict[str, str]:
        """All that is known."""
        try:
            found: dict[str, str] = msgspec.json.decode(self._file.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}
        return found

    def keep(self, texts: dict[str, str]) -> None:
        """These, and no others."""
        fresh = self._file.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(msgspec.json.encode(texts))
        os.replace(fresh, self._file)
