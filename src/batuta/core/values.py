"""Values as the control plane sees them: never the value itself, only where it is, how large, and a short preview."""

from __future__ import annotations

import msgspec


class Handle(msgspec.Struct, frozen=True, omit_defaults=True):
    """A recorded value. Small ones carry their bytes (`data`), larger ones the file they are in (`path`).

    `codec` names how the bytes are to be read (see `batuta.runtime.results`); `size` is in bytes; `length` is the
    number of items where the value is a list, tuple or dict, which dynamic mapping needs.
    """

    codec: str = "n"
    data: bytes = b""
    path: str = ""
    size: int = 0
    length: int | None = None
    preview: str = ""


NONE = Handle(preview="None")


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an attempt failed. `kind` is one of error, timeout, crash, killed, type, result, replay."""

    kind: str = "error"
    type: str = ""
    message: str = ""
    file: str = ""
    line: int = 0
    traceback: str = ""  # user's frames first
    hint: str = ""
    pickled: bytes = b""  # the exception itself, for user code that catches it; never loaded by the control plane

    def headline(self) -> str:
        """One line for lists: type, message, place."""
        place = f" ({self.file}:{self.line})" if self.file else ""
        message = self.message.strip().splitlines()[0].removesuffix(":") if self.message.strip() else ""
        return (f"{self.type}: {message}" if self.type else message) + place
