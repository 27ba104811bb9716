"""What a step leaves to be looked at, for `from batuta import artifact`."""

from __future__ import annotations

from batuta.authoring.artifacts import file, image, json, link, markdown, progress, table, track

__all__ = ["file", "image", "json", "link", "markdown", "progress", "table", "track"]
