"""Keeps what a location defined, with the files that say so, for who looks at a run of it once both have changed."""

from __future__ import annotations

from batuta.core import definitions as model
from batuta.core.definitions import Definitions
from batuta.runtime.source_files import read_source
from batuta.store.store import Store

FILES_MAX = 1_000


def keep_version(store: Store, location: str, definitions: Definitions, data: bytes, root: str, *, now: float) -> str:
    """Keep a version of a location, `definitions` as `data`, with its files as they are now; the version's name."""
    version = model.content_hash(data)
    store.keep_definitions(location, version, data, now=now)
    store.sources.keep(location, version, _texts(definitions, root), now=now)
    return version


def _texts(definitions: Definitions, root: str) -> dict[str, str]:
    """The files in which jobs and assets are defined, if they are here: the first FILES_MAX."""
    places = [*(job.place for job in definitions.jobs), *(asset.place for asset in definitions.assets)]
    named = sorted({place.file for place in places if place.file})
    read = {file: read_source(file, root) for file in named[:FILES_MAX]}
    return {file: found.text for file, found in read.items() if not found.why}
