"""The text of the code that makes an asset: as it was loaded, to be kept with what it makes, and as a file has it now.

Told once by each process for each run: partitions are made by the same code. Surprising: of a long tail of helpers only
the first are kept, and so are found again; that others changed is still seen by the code version.
"""

from __future__ import annotations

import inspect
import os
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from batuta.authoring.known_code import FileFacts
from batuta.authoring.project_code import Source, source_of, used_by
from batuta.core.code_text import CodePart, CodeText
from batuta.core.place import Place

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph
    from batuta.authoring.context import StepContext

Read = Callable[[str], bytes | None]
"""Gives what a file says, by its path; None where it cannot."""
CHARS_MAX = 60_000
"""So much of what a function uses is kept."""
_TOLD_MAX = 50_000
_by_code: dict[int, tuple[types.CodeType, CodeText | None]] = {}
"""By the identity of code objects: thousands of functions made in a loop share one. See `asset_versions`."""


class CodeTeller:
    """Says for each materialization which code is to be told with it. One of each process that runs steps."""

    def __init__(self, graph: AssetGraph) -> None:
        self._graph = graph
        self._told: set[tuple[int, str, str]] = set()

    def of(self, definition: Any, asset: str, version: str, context: StepContext) -> CodeText | None:
        """The code, unless this process has told it in this run. An attempt that is not the first tells it again: what
        one before it told may be lost."""
        key = context.run_id, asset, version
        if not version or (key in self._told and context.attempt == 1):
            return None
        if len(self._told) >= _TOLD_MAX:
            self._told.clear()
        self._told.add(key)
        return code_of(definition, self._graph)


def code_of(definition: Any, graph: AssetGraph) -> CodeText | None:
    """The code of an asset as it is loaded; None where it has no source."""
    from batuta.authoring.sql_asset import SqlAsset
    from batuta.authoring.sql_binding import source_of as query_of

    if isinstance(definition, SqlAsset):
        return CodeText(sql=query_of(definition, graph))
    function = inspect.unwrap(definition.fn)
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    if id(code) not in _by_code:
        _by_code[id(code)] = code, _of_function(function, code)
    return _by_code[id(code)][1]


def _of_function(function: Any, code: types.CodeType) -> CodeText | None:
    source = source_of(function.__module__)
    node = None if source is None else source.functions.get(code.co_firstlineno)
    if source is None or node is None or node.name != code.co_name:
        return None
    folder = os.path.dirname(source.file)
    parts = [CodePart(node.name, source.text_of(node))]
    left = CHARS_MAX
    for module, name in sorted(used_by(function.__module__, source.uses_in(node))):
        other = source_of(module)
        text = "" if other is None else other.text_bound(name)
        left -= len(text)
        if other is not None and text and left >= 0 and (other is not source or name != node.name):
            parts.append(CodePart(name, text, "" if other is source else os.path.relpath(other.file, folder)))
    return CodeText(tuple(parts))


def code_now(place: Place, kept: CodeText, read: Read | None = None) -> CodeText | None:
    """The same parts as the files have them now; what is not there any more has no text. None: the file cannot be read.

    `place`: of the function of the asset. `read` gives files; by default they are those of this machine.
    """
    read = read or _of_disk
    files: dict[str, Source | None] = {}
    folder = os.path.dirname(place.file)
    parts = []
    for number, part in enumerate(kept.parts):
        path = os.path.normpath(os.path.join(folder, part.file)) if part.file else place.file
        if path not in files:
            files[path] = _parsed(path, read)
        source = files[path]
        text = ""
        if source is None and number == 0:
            return None
        if source is not None and number == 0:
            node = source.functions.get(place.line)
            text = "" if node is None else source.text_of(node)
        elif source is not None:
            text = source.text_bound(part.name)
        parts.append(CodePart(part.name, text, part.file))
    return CodeText(tuple(parts))


def _of_disk(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def _parsed(path: str, read: Read) -> Source | None:
    data = read(path)
    try:
        return None if data is None else Source(data, "", path, FileFacts())
    except (SyntaxError, ValueError):
        return None
