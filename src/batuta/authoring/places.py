"""Where in the user's source something is being defined: the nearest frame that is not ours."""

from __future__ import annotations

import os
import sys
from types import FrameType

from batuta.core.definitions import Place

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def user_place(constructing: object = None) -> Place:
    """The line of user code that led here; constructors of `constructing` do not count."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_OURS) and not _constructs(frame, constructing):
            return Place(code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return Place()


def _constructs(frame: FrameType, what: object) -> bool:
    if what is None or frame.f_code.co_name != "__init__":
        return False
    return frame.f_locals.get("self") is what


def importing_module() -> str:
    """The name of the module that is being imported right now ("" for none, and for a script)."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            name = frame.f_globals.get("__name__", "")
            return "" if name == "__main__" else str(name)
        frame = frame.f_back
    return ""
