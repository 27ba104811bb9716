"""What can be attached to assets and checks, for `from batuta.metadata import table, plot`."""

from __future__ import annotations

from batuta.authoring.metadata import Metadata, json, link, markdown, path, plot, schema, table

__all__ = ["Metadata", "json", "link", "markdown", "path", "plot", "schema", "table"]
