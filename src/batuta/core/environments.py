"""Environments: places of their own for what is made there, over what production has.

Whatever was not made in an environment is read from production. What is made in it is kept under a name of its own, so
that IO managers need not know: asset `silver.orders` in `dev_anna` is stored as `silver__dev_anna.orders`, in a schema
or folder beside that of production. Surprising: production is the environment called "".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from batuta.core.errors import RequestError, nearest

NAME_CHARS_MAX = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
PRODUCTION = ""
CONFIG = "environment"
"""Where a run says in which environment it is."""
TAG = "batuta/environment"
"""The tag of such a run: what lists of runs are asked by."""
PROMOTE = "promote"
"""Where a run says that it takes to production what an environment has: {"environment", "partitions" by asset}."""
CLEAR = "clear"
"""Where a run says that it deletes the data of an environment: the same, and `by`: who drops it, which is forgotten
once that is done (none: it is not)."""


def checked_name(name: str) -> str:
    """The name of an environment, if it can be one. Raises RequestError."""
    if not _NAME.fullmatch(name) or len(name) > NAME_CHARS_MAX or name in ("production", "prod"):
        hint = f"write small letters, digits and single _ between them, at most {NAME_CHARS_MAX}, like dev_anna"
        if name in ("production", "prod"):
            hint = "what is made without an environment is production's"
        raise RequestError(f"{name!r} cannot be an environment's name", hint=hint)
    return name


def environment_of(config: Mapping[str, Any]) -> str:
    """Where a run of this configuration is; "" in production."""
    return str(config.get(CONFIG, ""))


def stored_key(asset: str, environment: str) -> str:
    """The key under which an IO manager keeps an asset in an environment."""
    if not environment:
        return asset
    head, dot, rest = asset.partition(".")
    return f"{head}__{environment}{dot}{rest}"


def unknown_environment(name: str, known: Iterable[str]) -> RequestError:
    """The error for an environment that is not there."""
    known = list(known)
    hint = nearest(name, known) or (f"there are {', '.join(known)}" if known else "there are none yet")
    return RequestError(f"there is no environment {name!r}", hint=hint)
