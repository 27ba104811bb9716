"""The source of what is defined, shown beside it: as its file is now, or as it was in the version that a run ran.

Surprising: the file is what lies there now, which need not be what serves; the note says what is shown.
"""

from __future__ import annotations

import os

from batuta.core.place import Place
from batuta.runtime.source_files import language_of, read_source
from batuta.server.backend import Backend
from batuta.server.problems import NotFound
from batuta.server.shapes.jobs import SourceCode
from batuta.store.rows import RunRow

NOT_KNOWN = "which version it ran is not known: it was started by a script, or long ago"


def source_now(backend: Backend, location: str, place: Place) -> SourceCode:
    """The file of a definition as it is now; where it is not here, as the version that serves was loaded from it."""
    found = read_source(place.file, backend.project.root)
    if found.why and language_of(place.file):
        entry = backend.catalog.locations.get(location)
        kept = None if entry is None else backend.store.sources.text(location, entry.hash, place.file)
        if kept is not None:
            return _shown(place, found.file, kept, "as it was loaded; this machine does not have the file", None)
    return _shown(place, found.file, found.text, found.why or "the file as it is now", None)


def text_now(backend: Backend, location: str, file: str) -> bytes | None:
    """A file as the version that serves was loaded from it; as it is now, where that was not kept. None: neither."""
    entry = backend.catalog.locations.get(location)
    kept = None if entry is None else backend.store.sources.text(location, entry.hash, file)
    if kept is None:
        found = read_source(file, backend.project.root)
        kept = None if found.why else found.text
    return None if kept is None else kept.encode()


def source_then(backend: Backend, run: RunRow, place: Place | None) -> SourceCode:
    """The file of a definition as it was in the version that a run ran. `place`: in that version, if it is known."""
    if place is None:
        return _shown(Place(), "", "", NOT_KNOWN, None)
    now = read_source(place.file, backend.project.root)
    text = backend.store.sources.text(run.location, run.version, place.file, run.created_at)
    if text is None:
        return _shown(place, now.file, "", f"what run {run.id} ran was not kept", None)
    changed = None if now.why else now.text != text
    since = "" if changed is None else ", and has changed since" if changed else ", and is still the same"
    return _shown(place, now.file, text, f"the file as run {run.id} ran it{since}", changed)


def place_then(backend: Backend, run: RunRow, *, job: str = "", asset: str = "") -> Place | None:
    """Where a job or an asset was defined in the version that a run ran; None where that version was not kept.

    Raises NotFound where that version had no such thing.
    """
    definitions = backend.definitions_then(run.location, run.version) if run.version else None
    if definitions is None:
        return None
    places = (
        {spec.key: spec.place for spec in definitions.assets}
        if asset
        else {spec.name: spec.place for spec in definitions.jobs}
    )
    if (asset or job) not in places:
        what = f"asset {asset!r}" if asset else f"job {job!r}"
        raise NotFound(f"in the version that run {run.id} ran there was no {what}")
    return places[asset or job]


def _shown(place: Place, file: str, text: str, note: str, changed: bool | None) -> SourceCode:
    language = language_of(place.file) if text else ""
    return SourceCode(file=file, line=place.line, first=1, text=text, language=language, note=note, changed=changed)


def short_place(place: Place, root: str) -> str:
    """`file:line`, relative to the project where it is inside."""
    if not place.file:
        return ""
    inside = place.file.startswith(root.rstrip(os.sep) + os.sep)
    file = os.path.relpath(place.file, root) if inside else place.file
    return f"{file}:{place.line}" if place.line else file
