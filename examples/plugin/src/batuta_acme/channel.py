"""A channel of alerts: `send` delivers one message, or raises."""

from __future__ import annotations

import json
from typing import Any


class FileChannel:
    """Appends each alert to a file as a line of JSON.

    A real one would call a service here. What it is made with stands in the channel's `options` in batuta.toml.
    """

    def __init__(self, path: str) -> None:
        self._path = path

    def send(self, message: dict[str, Any]) -> None:
        """`message` has title, body, severity, state (raised, escalated, resolved), key and what the alert is about."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(message) + "\n")
