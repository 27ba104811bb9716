"""What was made while a module was imported, so that `with DAG("load"):` is found without a name of its own.

A DAG or schedule belongs to the innermost module that was being imported when it was made; those made in scripts and in
functions called later belong to none, and are found only where they have a name in a module.
"""

from __future__ import annotations

from typing import Protocol

from batuta.core.place import Place


class Made(Protocol):
    """A DAG or a schedule."""

    name: str
    place: Place


_made: dict[str, list[Made]] = {}


def register(made: Made, module: str) -> None:
    """Remember `made` as made by `module`; what the same line made before, under the same name, is forgotten."""
    if not module:
        return
    known = _made.setdefault(module, [])
    known[:] = [other for other in known if other.name != made.name or other.place != made.place]
    known.append(made)


def forget(module: str) -> None:
    """`module` is about to be executed anew, perhaps another one of that name: it makes its DAGs again."""
    _made.pop(module, None)


def made_by(module: str) -> list[Made]:
    """What the import of `module` made, in that order."""
    return list(_made.get(module, ()))
