"""Errors as RFC 9457 problems: what is wrong, where, and what to do, in `application/problem+json`.

The `type` names the kind of error and stays the same between versions. What is our own fault is told without its story,
which goes to the log: an answer must not show the server's inside.
"""

from __future__ import annotations

import logging
from typing import Annotated as A
from typing import Any

import msgspec

from batuta.core.errors import (
    BatutaError,
    DefinitionError,
    ParameterError,
    PartitionError,
    RequestError,
    SelectionError,
    StoreError,
)
from batuta.server.shapes.base import Shape, doc

MEDIA_TYPE = "application/problem+json"
TYPES = "urn:batuta:problem:"

logger = logging.getLogger("batuta.server")


class FieldProblem(Shape):
    """What is wrong with one part of a request."""

    pointer: A[str, doc("Which part: a JSON pointer into the body, or `query.limit`.", "/params/day")]
    detail: A[str, doc("What is wrong with it.", "expected a date")]


class Problem(Shape):
    """Why a request was not carried out (RFC 9457)."""

    type: A[str, doc("The kind of problem; the same between versions.", TYPES + "not-found")]
    title: A[str, doc("The kind in words.", "Not found")]
    status: A[int, doc("The HTTP status.", 404)]
    detail: A[str, doc("What is wrong.", "there is no run 4711")]
    where: A[str, doc("In which file, definition or row; empty if that says nothing.")]
    hint: A[str, doc("What to do; empty if nothing is known to help.")]
    errors: A[list[FieldProblem], doc("What is wrong with single parts of the request.")]


class Refused(RequestError):
    """A request that is refused with a status of its own."""

    def __init__(
        self,
        kind: str,
        status: int,
        what: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        errors: tuple[FieldProblem, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(what, where=where, hint=hint)
        self.kind = kind
        self.status = status
        self.errors = errors
        self.headers = headers or {}


class NotFound(Refused):
    """There is no such thing."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__("not-found", 404, what, hint=hint)


class Conflict(Refused):
    """It cannot be done in the state that the thing is in."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__("conflict", 409, what, hint=hint)


class Invalid(Refused):
    """The request is understood, and what it asks for cannot be."""

    def __init__(self, what: str, *, hint: str | None = None, errors: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__("invalid", 422, what, hint=hint, errors=errors)


class Forbidden(Refused):
    """Whoever asks may not do that."""

    def __init__(self, what: str, *, hint: str | None = None) -> None:
        super().__init__("forbidden", 403, what, hint=hint)


_TITLES = {
    "bad-request": "Bad request",
    "unauthenticated": "Not logged in",
    "forbidden": "Not allowed",
    "not-found": "Not found",
    "method-not-allowed": "Method not allowed",
    "conflict": "Conflict",
    "too-large": "Request too large",
    "range": "Range not satisfiable",
    "unsupported-media-type": "Unsupported media type",
    "invalid": "Invalid request",
    "invalid-parameter": "Invalid parameter",
    "invalid-partition": "Invalid partition",
    "invalid-selection": "Invalid selection",
    "definition": "Wrong definition",
    "too-many-requests": "Too many requests",
    "store": "The store cannot be used",
    "unavailable": "Not available",
    "internal": "Internal error",
}
_KINDS = {
    400: "bad-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "too-large",
    416: "range",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-requests",
    503: "unavailable",
}
_HINTS = {
    404: "GET /api/v1/openapi.json describes what there is",
    405: "GET /api/v1/openapi.json describes what may be done here",
}


def problem(
    kind: str,
    status: int,
    detail: str,
    *,
    where: str | None = None,
    hint: str | None = None,
    errors: tuple[FieldProblem, ...] = (),
) -> Problem:
    """A problem of a kind that has a title."""
    return Problem(
        type=TYPES + kind,
        title=_TITLES[kind],
        status=status,
        detail=detail,
        where=where or "",
        hint=hint or "",
        errors=list(errors),
    )


def of_status(status: int, detail: str, errors: tuple[FieldProblem, ...] = ()) -> Problem:
    """A problem that the framework found."""
    kind = _KINDS.get(status, "bad-request" if status < 500 else "internal")
    if errors:  # which is what the framework's own words leave out
        detail = "; ".join(f"{each.pointer}: {each.detail}" for each in errors)
    return problem(kind, status, detail, hint=_HINTS.get(status), errors=errors)


def of_error(error: Exception) -> Problem:
    """What an exception means to whoever asked."""
    match error:
        case Refused():
            kind, status, errors = error.kind, error.status, error.errors
        case ParameterError():
            kind, status, errors = "invalid-parameter", 422, ()
        case PartitionError():
            kind, status, errors = "invalid-partition", 422, ()
        case SelectionError():
            kind, status, errors = "invalid-selection", 422, ()
        case RequestError():
            kind, status, errors = "invalid", 422, ()
        case DefinitionError():
            kind, status, errors = "definition", 422, ()
        case StoreError():
            logger.error("%s", error)
            kind, status, errors = "store", 503, ()
        case UnicodeEncodeError():
            return problem("bad-request", 400, "there are characters in it that are none", hint="send valid Unicode")
        case _:
            logger.error("a request failed", exc_info=error)
            return problem("internal", 500, "something went wrong in the server; its log tells what")
    assert isinstance(error, BatutaError)
    return problem(kind, status, error.what, where=error.where, hint=error.hint, errors=errors)


_encode = msgspec.json.Encoder().encode


def encoded(found: Problem) -> bytes:
    """As JSON."""
    return _encode(found)


def field_problems(extra: Any) -> tuple[FieldProblem, ...]:
    """What the framework says about single parameters."""
    found = []
    for each in extra if isinstance(extra, list) else []:
        key = str(each.get("key", ""))
        source = each.get("source", "body")
        source = str(getattr(source, "value", source))
        pointer = "/" + key.replace(".", "/") if source == "body" else f"{source}.{key}"
        found.append(FieldProblem(pointer=pointer, detail=str(each.get("message", ""))))
    return tuple(found)
