"""An answer that is not known yet: the engine goes on, and whoever asked hears it when it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batuta.core.errors import BatutaError

Given = dict[str, Any] | BatutaError


class Later:
    """Given once, in the engine's thread."""

    def __init__(self) -> None:
        self._hear: Callable[[Given], None] | None = None
        self._given: Given | None = None

    def give(self, answer: Given) -> None:
        """The answer, or why there is none."""
        self._given = answer
        if self._hear is not None:
            self._hear(answer)

    def then(self, hear: Callable[[Given], None]) -> None:
        """Call `hear` with the answer, at once if it is there."""
        self._hear = hear
        if self._given is not None:
            hear(self._given)


__all__ = ["Given", "Later"]
