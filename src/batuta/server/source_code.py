"""The source of what is defined, shown beside it: only files that definitions name, and only inside the project.

What is read is what lies there now; a run may have run an earlier version, which the answer says.
"""

from __future__ import annotations

import os

from batuta.core.place import Place
from batuta.runtime.project import Project
from batuta.server.shapes.jobs import SourceCode

BYTES_MAX = 512 << 10
_LANGUAGES = {".py": "python", ".sql": "sql", ".toml": "toml", ".yml": "yaml", ".yaml": "yaml", ".ipynb": "json"}


def source_of(place: Place, project: Project) -> SourceCode:
    """The file of a definition, with its place in it."""
    file = place.file
    if not file:
        return _none(place, "where it is defined is not known")
    root = os.path.realpath(project.root)
    real = os.path.realpath(os.path.join(root, file))
    if os.path.commonpath([root, real]) != root:
        return _none(place, "it is defined outside of the project")
    language = _LANGUAGES.get(os.path.splitext(real)[1])
    if language is None:
        return _none(place, "it is not a file of source code")
    try:
        if os.path.getsize(real) > BYTES_MAX:
            return _none(place, "the file is too large to show")
        with open(real, encoding="utf-8", errors="replace") as found:
            text = found.read()
    except OSError:
        return _none(place, "the file is not here: this machine has another copy of the project, or it was moved")
    return SourceCode(
        file=os.path.relpath(real, root),
        line=place.line,
        first=1,
        text=text,
        language=language,
        note="the file as it is now",
    )


def _none(place: Place, why: str) -> SourceCode:
    return SourceCode(file=os.path.basename(place.file), line=place.line, first=1, text="", language="", note=why)


def short_place(place: Place, root: str) -> str:
    """`file:line`, relative to the project where it is inside."""
    if not place.file:
        return ""
    inside = place.file.startswith(root.rstrip(os.sep) + os.sep)
    file = os.path.relpath(place.file, root) if inside else place.file
    return f"{file}:{place.line}" if place.line else file
