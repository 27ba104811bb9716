"""Who is at the keyboard: the actor of what is done by hand, for the audit log."""

from __future__ import annotations

import getpass


def person() -> str:
    """The name of the user that this process runs as."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
