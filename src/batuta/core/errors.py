"""Every error Batuta raises, in one tree, split by who must act on it.

`DefinitionError`: the author of a pipeline. `RequestError`: the caller of a command or an API. `TransientError`:
nobody, a retry may help. `StoreError`: the operator of the database. `InvariantError`: us; it carries the story.
A message says what is wrong; `where` says in which file, definition or row; `hint` says what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BatutaError(Exception):
    """Base of all errors of this package; its text is `what`, then where, then what to do."""

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  hint: {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.hint), self.__dict__)


def _rebuild(kind: type[BatutaError], what: str, where: str | None, hint: str | None) -> BatutaError:
    error = kind.__new__(kind)
    BatutaError.__init__(error, what, where=where, hint=hint)
    return error


class DefinitionError(BatutaError):
    """A pipeline's definition is wrong; its author must change the code."""


class CycleError(DefinitionError):
    """Steps or assets depend on each other in a circle; the text shows it."""


class UnknownDependencyError(DefinitionError):
    """A definition names another that does not exist."""


class DuplicateKeyError(DefinitionError):
    """Two definitions have the same key."""


class LayerError(DefinitionError):
    """A lower medallion layer depends on a higher one."""


class LoadError(DefinitionError):
    """A file could not be imported (syntax error, exception at import)."""


class RequestError(BatutaError):
    """A command, call or API request asks for something that cannot be; its caller must change it."""


class ParameterError(RequestError):
    """A parameter is missing, unknown or of the wrong type."""


class PartitionError(RequestError):
    """A partition does not exist, or a partition key is malformed."""


class SelectionError(RequestError):
    """A selection does not parse or matches nothing."""


class ResultError(BatutaError):
    """A value cannot be passed between steps: it cannot be serialized, or its record is gone."""


class TypeViolation(BatutaError):
    """A value is not what its annotation promises; the text holds the first offending rows."""


class CheckFailed(BatutaError):
    """A blocking check did not pass: what depends on the asset is held back."""


class ReplayMismatch(BatutaError):
    """A resumed flow makes other calls than those recorded; somebody must say which is right."""


class TransientError(BatutaError):
    """Something outside failed that may work when tried again."""


class StoreError(BatutaError):
    """The database cannot be used: read-only, corrupt, full, locked, or of a newer version."""


class InvariantError(BatutaError):
    """A broken invariant of Batuta itself; the text carries the story of what led to it. Please report it."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> str | None:
    """A hint naming the closest known names, or None where nothing is close."""
    close = difflib.get_close_matches(name, list(known), n=count, cutoff=0.6)
    return f"did you mean {' or '.join(repr(c) for c in close)}?" if close else None
