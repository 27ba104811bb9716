"""What all routes share: the text of parameters, and how an operation is described."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any

from litestar.params import HeaderParameter, PathParameter, QueryParameter

from batuta.server.gate import SLASH
from batuta.server.problems import FieldProblem, Refused
from batuta.server.shapes.base import seconds_of


def query(description: str, name: str | None = None, **limits: Any) -> Any:
    """A query parameter."""
    return QueryParameter(name=name, description=description, **limits)


def path(description: str, **limits: Any) -> Any:
    """A part of the path."""
    return PathParameter(description=description, **limits)


OfRun = A[int | None, query("As it was in the version that this run ran.", ge=1, le=2**63 - 1)]
RunId = A[int, path("The run's number.", ge=1, le=2**63 - 1)]
TaskNo = A[int, path("The task run's number within the run.", ge=0, le=2**31 - 1)]
Text = A[str, query("Only what has this text in it.", max_length=200)]
Location = A[str, query("The code location, where several define one of that name.", max_length=500)]
IdempotencyKey = A[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="A text of the caller's: the same request with the same key is carried out once.",
    ),
]


def moment(description: str) -> Any:
    """A query parameter that is a time."""
    return QueryParameter(description=description, format="date-time", max_length=50)


def seconds_at(text: str | None, name: str) -> float | None:
    """A time from a query, RFC 3339, as seconds since the epoch; without a zone it is UTC. Raises Refused."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        if len(text) < len("2026-01-31T00:00"):
            raise ValueError
        return seconds_of(found)
    except (ValueError, OverflowError):
        errors = (FieldProblem(pointer=f"query.{name}", detail="it is not a time as 2026-01-31T12:00:00Z"),)
        raise Refused("bad-request", 400, f"{text!r} is not a time", errors=errors) from None


def named(part: str) -> str:
    """A name as it came in a path, see `gate.SLASH`."""
    return part.replace(SLASH, "/")


def viewer(**more: Any) -> dict[str, Any]:
    """The options of an operation that looks."""
    return {"role": "viewer", **more}


def operator(**more: Any) -> dict[str, Any]:
    """The options of an operation that launches, cancels, switches; the handler checks at which location."""
    return {"role": "operator", "at_location": True, **more}


def editor(**more: Any) -> dict[str, Any]:
    """The options of an operation that changes what runs depend on."""
    return {"role": "editor", **more}


def admin(**more: Any) -> dict[str, Any]:
    """The options of an operation about who may do what."""
    return {"role": "admin", **more}


def pairs(texts: list[str] | None, name: str) -> dict[str, str]:
    """`key=value` texts. Raises Refused."""
    found = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or not key:
            errors = (FieldProblem(pointer=f"query.{name}", detail=f"{text!r} is not key=value"),)
            raise Refused("bad-request", 400, f"{text!r} is not key=value", errors=errors)
        found[key] = value
    return found
