"""Small questions to user code that are no steps: parameters to be validated, sensors and timetables to be evaluated.

An *evaluator* is a child that the location host forks for them: it answers one after the other, and is killed where one
takes too long, which costs nobody else anything. What can be asked stands in `EVALUATIONS`, so that nothing is imported
before it is needed. An answer is JSON data.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
from typing import Any

from batuta.core.errors import BatutaError, InvariantError
from batuta.runtime.failures import error_info
from batuta.runtime.host import ObjectReader, send_object
from batuta.runtime.masking import mask

EVALUATIONS: dict[str, str] = {
    "validate": "batuta.runtime.evaluations:validate",
    "timetable": "batuta.runtime.evaluations:timetable",
    "sensor": "batuta.runtime.sensing:evaluate",
    "connection": "batuta.runtime.evaluations:connection",
    "rows": "batuta.runtime.asset_rows:rows",
    "versions": "batuta.runtime.asset_rows:versions",
}
"""What can be evaluated: a function (location, data) -> JSON object, as `module:function`."""


def serve(sock: socket.socket, location: Any) -> None:
    """Answer until the engine hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # whoever asked has given it up
        send_object(sock, {"say": "ready", "pid": os.getpid()})
        reader = ObjectReader(sock)
        while (asked := reader.read()) is not None:
            for each in asked:
                send_object(sock, answer(location, each["what"], each["data"]))


def answer(location: Any, what: str, data: dict[str, Any]) -> dict[str, Any]:
    """`{"say": "answer", "data"}`, or what went wrong: ours (`refused`), or in the user's code (`raised`)."""
    try:
        return {"say": "answer", "data": _function(what)(location, data)}
    except BatutaError as error:
        kind = type(error).__name__
        return {"say": "refused", "kind": kind, "what": mask(error.what), "where": error.where, "hint": error.hint}
    except (Exception, SystemExit) as error:
        info = error_info(error)
        return {
            "say": "raised",
            "kind": info.type,
            "what": info.message,
            "where": f"{info.file}:{info.line}" if info.file else "",
            "traceback": info.traceback,
        }


def _function(what: str) -> Any:
    if what not in EVALUATIONS:
        raise InvariantError(f"nothing is known of the evaluation {what!r}")
    module, _, name = EVALUATIONS[what].partition(":")
    return getattr(importlib.import_module(module), name)


def validate(location: Any, data: dict[str, Any]) -> dict[str, Any]:
    """The parameters of many runs, `[[job, params], ...]`: for each `{"params"}` completed, or `{"what", ...}`."""
    from batuta.runtime.outputs import refuse_secrets, shown_params

    found: list[dict[str, Any]] = []
    for job, params in data["runs"]:
        try:
            shown = shown_params(location.job(job).validate_params(params, from_text=True))
            refuse_secrets(shown, f"job {job!r}")
            found.append({"params": shown})
        except BatutaError as error:
            found.append({"what": mask(error.what), "where": error.where, "hint": error.hint})
        except Exception as error:  # of the user's own types and validators
            info = error_info(error)
            hint = f"it was raised while the parameters of {job!r} were validated"
            found.append({"what": f"{info.type}: {info.message}", "where": f"{info.file}:{info.line}", "hint": hint})
    return {"runs": found}


def timetable(location: Any, data: dict[str, Any]) -> dict[str, Any]:
    """`{"at"}`: the first time after `after` that a timetable gives, None where there is none."""
    from batuta.authoring.collected import evaluate_timetable

    return {"at": evaluate_timetable(location.found, data["name"], data["after"], data["timezone"])}


def connection(location: Any, data: dict[str, Any]) -> dict[str, Any]:
    """`{"told"}`: what a connection answers, which is looked up by its name and really connected to."""
    from batuta.authoring.lookups import Connection
    from batuta.authoring.operators.try_connection import try_connection

    return {"told": mask(try_connection(Connection.get(data["name"])))}
