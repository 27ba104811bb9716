"""The API's description: what the framework derives from the handlers and shapes, with what it cannot know.

Which is that every error is a problem, how one logs in, and what each group of operations is about.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import msgspec

from batuta.server.problems import MEDIA_TYPE, FieldProblem, Problem
from batuta.server.shapes.base import Given, Shape

TAGS = {
    "home": "What runs, what failed, what is late, what comes next.",
    "runs": "Runs: what was executed, is being executed, or waits for it.",
    "tasks": "Task runs within a run, with their logs.",
    "artifacts": "What task runs have left to be looked at: texts, tables, pictures, links, files, progress.",
    "jobs": "What can be launched: DAGs, flows, selections of assets.",
    "assets": "Tables, files, models and reports, with their partitions, checks and history.",
    "lineage": "What is made from what, across all locations and styles.",
    "schedules": "What starts runs: schedules, sensors and automations, with their ticks.",
    "backfills": "Requests to run many partitions or logical times.",
    "environments": "Places of one's own over production's data.",
    "locations": "Code locations: what is loaded, and what is wrong with it.",
    "settings": "Pools, variables, connections and secrets.",
    "operations": "Alerts, the audit log, processes and the store.",
    "live": "News as they happen, by server-sent events.",
    "access": "Logging in, accounts, and API tokens.",
}
_ERRORS = {
    "400": "The request does not parse.",
    "401": "Nobody is logged in.",
    "403": "Whoever asks may not do that.",
    "404": "There is no such thing.",
    "409": "It cannot be done as things stand.",
    "422": "What it asks for cannot be.",
    "503": "The store cannot be used.",
}
_METHODS = ("get", "post", "put", "patch", "delete")


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document, from what the framework made."""
    found: dict[str, Any] = _plain(schema)
    paths = {path: item for path, item in found["paths"].items() if not path.startswith("/-/")}
    found["paths"] = {path: paths[path] for path in sorted(paths)}
    for path, item in found["paths"].items():
        for method in _METHODS:
            if method in item:
                _complete(path, method, item[method])
    components = found.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, own = msgspec.json.schema_components([Problem, FieldProblem], ref_template="#/components/schemas/{name}")
    schemas.update(own)
    for shape in (*Shape.__subclasses__(), *Given.__subclasses__()):
        if shape.__name__ in schemas:
            # The framework may take what a field says of it instead, depending on which it meets first.
            schemas[shape.__name__]["description"] = inspect.cleandoc(shape.__doc__ or "")
            if issubclass(shape, Given):
                schemas[shape.__name__]["additionalProperties"] = False
    components["schemas"] = {name: schemas[name] for name in sorted(schemas)}
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
        "session": {"type": "apiKey", "in": "cookie", "name": "batuta_session", "description": "A browser's session."},
    }
    found["security"] = [{}, {"token": []}, {"session": []}]
    found["info"] = {
        "title": "Batuta",
        "version": version("batuta"),
        "summary": "The REST API of Batuta, a data orchestrator.",
        "description": (
            "Times are in UTC (RFC 3339). Lists are pages: pass `next` of one as `cursor` of the next. Errors are "
            "problems (RFC 9457). A GET may be made conditional with `If-None-Match`. What launches takes an "
            "`Idempotency-Key`."
        ),
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    found["servers"] = [{"url": "/", "description": "This server."}]
    found["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    return found


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """One operation: its errors as problems, without what the framework says of them."""
    responses = {code: each for code, each in operation["responses"].items() if not code.startswith("4")}
    for code, text in _ERRORS.items():
        schema = {"$ref": "#/components/schemas/Problem"}
        responses.setdefault(code, {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}})
    for code, each in responses.items():
        if code.startswith("2") and each.get("description", "").startswith(("Request fulfilled", "Document created")):
            each["description"] = "Done." if method != "get" else "What was asked for."
        if not each.get("headers", True):
            each.pop("headers")
    operation["responses"] = responses
    for name in ("deprecated",):
        operation.pop(name, None)
    for parameter in operation.get("parameters", ()):
        for name in ("deprecated", "allowEmptyValue", "allowReserved"):
            parameter.pop(name, None)
        parameter["schema"] = _without_null(parameter["schema"])


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What a parameter may be if it is there: that it may be left out is said elsewhere."""
    choices = schema.get("oneOf", [])
    if {"type": "null"} not in choices:
        return schema
    kept = [choice for choice in choices if choice != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name != "oneOf"}
    return {**rest, **kept[0]} if len(kept) == 1 else {**rest, "oneOf": kept}


_BOUNDS = ("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum", "maxLength", "minLength")


def _plain(value: Any) -> Any:
    """Copied as plain data; whole bounds as integers."""
    if isinstance(value, dict):
        return {
            str(key): int(each) if key in _BOUNDS and isinstance(each, float) and each.is_integer() else _plain(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
