"""Loading very many definitions without the garbage collector looking at all of them again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

MANY = 100_000


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the collector inside, where many objects are made that stay: it would go through all and find nothing.

    Where they were very many, they are left out of later collections too; garbage of that moment stays with them.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        if gc.get_count()[0] > MANY:
            gc.freeze()
    finally:
        gc.enable()
