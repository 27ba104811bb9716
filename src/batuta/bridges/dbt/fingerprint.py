"""What a described project was made of, as one hash: its files, its settings, the installed dbt, our own describing.

Environment variables that it asks for are known only once it is parsed, so they are kept beside what was described, and
compared. Surprising: large files (seeds) count by their size and time, as reading them would take longer than parsing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

import msgspec

from batuta.bridges.dbt.settings import DbtSettings

FORMAT = 2
"""Raised when what is made of the same project changes."""
SUFFIXES = (".sql", ".yml", ".yaml", ".md", ".csv", ".py", ".json", ".jinja")
READ_BYTES_MAX = 1 << 20
_LEFT_OUT = {"target", "logs", "node_modules", "__pycache__", "site-packages"}
_encoder = msgspec.json.Encoder(order="deterministic")


def project_files(settings: DbtSettings) -> list[str]:
    """The files of the project, its packages and its profile, in order."""
    found = set(_below(settings.root))
    profile = os.path.join(settings.profiles_dir, "profiles.yml")
    if os.path.isfile(profile):
        found.add(profile)
    return sorted(found)


def _below(top: str) -> Iterator[str]:
    seen: set[str] = set()
    for folder, names, files in os.walk(top, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            names.clear()
            continue
        seen.add(real)
        names[:] = [name for name in names if not name.startswith(".") and name not in _LEFT_OUT]
        if "pyvenv.cfg" in files:
            names.clear()
            continue
        yield from (os.path.join(folder, name) for name in files if name.endswith(SUFFIXES))


def fingerprint(settings: DbtSettings, files: Iterable[str]) -> str:
    """32 hex digits."""
    digest = hashlib.blake2b(digest_size=16)
    told = [FORMAT, settings.root, settings.profiles_dir, settings.target, settings.profile, settings.vars]
    told += [settings.keys, settings.source_keys, settings.layers, settings.folders, settings.data, versions()]
    told.append(settings.glossary)
    digest.update(_encoder.encode(told))
    for file in files:
        digest.update(f"{file}\0".encode())
        digest.update(_content(file))
    return digest.hexdigest()


def _content(file: str) -> bytes:
    try:
        state = os.stat(file)
        if state.st_size > READ_BYTES_MAX:
            return f"{state.st_size} {state.st_mtime_ns}".encode()
        return hashlib.blake2b(Path(file).read_bytes(), digest_size=16).digest()
    except OSError:  # it has just gone
        return b"gone"


def versions() -> list[str]:
    """The installed dbt packages, without importing any."""
    return sorted(
        f"{name} {one.version}" for one in distributions() if (name := one.name or "").lower().startswith("dbt")
    )


def environment_hash(names: Iterable[str], values: Mapping[str, str] = os.environ) -> str:
    """Of the values of these environment variables, which may be secrets: they cannot be read from it."""
    told = [(name, values.get(name)) for name in sorted(set(names))]
    return hashlib.blake2b(_encoder.encode(told), digest_size=16).hexdigest()
