"""Which files of a project may be read to be shown and kept as source code, and their texts.

Only files of a language, inside of the project, and not larger than BYTES_MAX; a link that leads out of the project is
none of it.
"""

from __future__ import annotations

import os
from typing import NamedTuple

BYTES_MAX = 512 << 10
_LANGUAGES = {".py": "python", ".sql": "sql", ".toml": "toml", ".yml": "yaml", ".yaml": "yaml", ".ipynb": "json"}


class SourceFile(NamedTuple):
    """A file, relative to the project, and its text; or why there is none (`why`)."""

    file: str
    language: str = ""
    text: str = ""
    why: str = ""


def read_source(file: str, root: str) -> SourceFile:
    """The text of a file as it is now; `file` as a definition's place has it."""
    if not file:
        return SourceFile("", why="where it is defined is not known")
    top = os.path.realpath(root)
    real = os.path.realpath(os.path.join(top, file))
    if os.path.commonpath([top, real]) != top:
        return SourceFile(os.path.basename(file), why="it is defined outside of the project")
    name, language = os.path.relpath(real, top), language_of(file)
    if not language:
        return SourceFile(name, why="it is not a file of source code")
    try:
        if os.path.getsize(real) > BYTES_MAX:
            return SourceFile(name, why="the file is too large to show")
        with open(real, encoding="utf-8", errors="replace") as found:
            return SourceFile(name, language, found.read())
    except OSError:
        why = "the file is not here: this machine has another copy of the project, or it was moved"
        return SourceFile(name, why=why)


def language_of(file: str) -> str:
    """python, sql, ...; empty for what is no source code."""
    return _LANGUAGES.get(os.path.splitext(file)[1], "")
