"""What was found out about source files, by their content: in this process, and in a file for those that come next.

So a reload after a change of one file parses that one. Surprising: only what was asked for is kept, and what is asked
for beyond it is found out anew. The file may be lost at any time.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import tempfile
from contextlib import suppress
from typing import NamedTuple

import msgspec

FORMAT = 1
"""To be raised where what is kept, or how it is found out, changes."""


class Uses(NamedTuple):
    """What a piece of source refers to: plain names, and attributes of names (`domain.clean`)."""

    names: frozenset[str]
    attributes: frozenset[tuple[str, str]]


class Bound(NamedTuple):
    """The statements that bind one top-level name: their hash, and what they refer to."""

    digest: str
    uses: Uses


class Function(NamedTuple):
    """A function in a file, from its first line (or that of its decorators) to its last."""

    name: str
    first: int
    last: int


class Outline(msgspec.Struct):
    """What a file is made of."""

    imported: dict[str, tuple[str, str]] = {}
    """Module and name in it ("": the module itself) of each imported name."""
    lines: dict[str, list[tuple[int, int]]] = {}
    """The first and last line of the statements that bind each top-level name."""
    functions: dict[int, Function] = {}
    """By their first line."""


class FileFacts(msgspec.Struct):
    """What is known of one content: its outline, and by name or line what was asked for."""

    outline: Outline | None = None
    bound: dict[str, Bound] = {}
    uses: dict[int, Uses] = {}
    digests: dict[str, str] = {}


class KnownCode:
    """See the module."""

    def __init__(self) -> None:
        self.changed = False
        """Whether something was found out that is not kept yet."""
        self._kept: dict[str, FileFacts] = {}
        self._used: dict[str, FileFacts] = {}

    def of(self, data: bytes, purpose: str) -> FileFacts:
        """The facts of a content, to be added to; `purpose` is what else they depend on."""
        said = f"{FORMAT} {sys.version_info[:2]} {purpose}\0".encode()
        key = hashlib.blake2b(said + data, digest_size=16).hexdigest()
        found = self._used.get(key)
        if found is None:
            found = self._used[key] = self._kept.get(key) or FileFacts()
        return found

    def read(self, path: str) -> None:
        """Know what a file says that was written by `keep`."""
        with suppress(OSError, msgspec.DecodeError), open(path, "rb") as file:
            self._kept |= msgspec.msgpack.decode(file.read(), type=dict[str, FileFacts])

    def keep(self, path: str) -> None:
        """Write what was asked for, where that is more than is kept. Does nothing on failure."""
        folder = os.path.dirname(path)
        if not self.changed or not os.path.isdir(os.path.dirname(folder)):
            return
        with suppress(OSError):
            os.makedirs(folder, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=folder)
            with open(descriptor, "wb") as file:
                file.write(msgspec.msgpack.encode(self._used))
            os.replace(draft, path)
            self.changed = False


KNOWN = KnownCode()


@functools.lru_cache(maxsize=4096)
def content(path: str) -> bytes | None:
    """What stands in a source file, as it was when it was first asked for; None where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError):
        return None
