"""What authoring needs of the layers above it, set by them when they are loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _unchecked(value: Any, annotation: Any, where: str) -> None:
    """Nothing is checked where no runtime is loaded."""


check_value: Callable[[Any, Any, str], None] = _unchecked
"""(value, annotation, where): raises TypeViolation where the value is not what the annotation promises.

Assets call it before they store: data of the wrong type never take the place of good ones. The runtime sets it.
"""


def _none_known(text: str) -> bool:
    """Nothing was looked up where no runtime is loaded."""
    return False


has_secret: Callable[[str], bool] = _none_known
"""Whether a secret that was looked up stands in a text, which is then no text to be recorded. The runtime sets it."""


def _as_it_is(text: str) -> str:
    """Nothing was looked up where no runtime is loaded."""
    return text


mask: Callable[[str], str] = _as_it_is
"""A text with `***` in the place of secrets that were looked up. The runtime sets it."""
