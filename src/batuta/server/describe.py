"""Writes the API's description to a file: `python -m batuta.server.describe docs/openapi.json`.

A test compares that file with what the code says, so that clients can be generated from the repository alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import msgspec

from batuta.runtime.project import Config, Project
from batuta.server.app import create_app
from batuta.server.backend import Backend
from batuta.store.store import Store


def document() -> bytes:
    """The OpenAPI document as JSON; in place of the package's version that of the API."""
    with tempfile.TemporaryDirectory() as folder, Store.open(f"{folder}/store.db") as store:
        app = create_app(Backend(store, Project(root=folder, config=Config())))
        found = dict(app.state.description.document)
    found["info"] = {**found["info"], "version": "1"}
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(document())
