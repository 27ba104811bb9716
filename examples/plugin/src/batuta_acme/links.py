"""Links: a function that says where else something is to be seen, here in a system that collects logs."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlencode


def log_links(kind: str, about: dict[str, Any]) -> list[tuple[str, str]]:
    """(title, URL) by what it is about: a `run`, `task_run`, `asset` or `job`. `ACME_LOGS` says where the system is."""
    base = os.environ.get("ACME_LOGS")
    if not base:
        return []
    match kind:
        case "run":
            return [("Logs", f"{base}/search?{urlencode({'run': about['id']})}")]
        case "task_run":
            return [("Logs", f"{base}/search?{urlencode({'run': about['run'], 'step': about['step']})}")]
        case "job":
            return [("Logs", f"{base}/search?{urlencode({'job': about['name'], 'location': about['location']})}")]
        case _:
            return []
