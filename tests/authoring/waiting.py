"""Waiting for what another thread or process does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

WAIT_S = 100.0


def until(condition: Callable[[], Any], what: str = "") -> Any:
    """The first truthy value of `condition()`; fails where none comes."""
    end = time.monotonic() + WAIT_S
    tick = threading.Event()
    while not (value := condition()):
        assert time.monotonic() < end, f"in vain: {what or condition}"
        tick.wait(0.01)
    return value
