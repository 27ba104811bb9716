"""Looking whether a trigger has fired: files, HTTP, what the store knows. In threads, never in the engine's own.

A look gives what it found, or `NOT_YET`. What cannot be reached now counts as not yet; only what no later look could
change (a library that is missing) is an error.
"""

from __future__ import annotations

import glob
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from typing import Any

from batuta.core.errors import BatutaError, RequestError
from batuta.core.states import RUN_FINAL, RunState
from batuta.core.triggers import AssetMade, FileArrives, HttpAnswers, RunEnds, Signal, Trigger
from batuta.store.store import Store

NOT_YET = object()
BODY_BYTES_MAX = 64 * 1024
"""Larger answers are not kept: a step that wants them asks for them itself."""


def probe(trigger: FileArrives | HttpAnswers) -> Any:
    """What is there, or NOT_YET. Raises RequestError where looking again is no use."""
    try:
        return _file(trigger) if isinstance(trigger, FileArrives) else _http(trigger)
    except BatutaError:
        raise
    except ImportError as error:
        hint = 'install what reads it where the engine runs: pip install "batuta[http]", s3fs, gcsfs, ...'
        raise RequestError(f"{error}", where="the engine that waits for it", hint=hint) from None
    except Exception:
        return NOT_YET


def is_quick(trigger: Trigger) -> bool:
    """Whether many of its kind can be looked at one after the other."""
    return isinstance(trigger, FileArrives) and "://" not in trigger.path


def _file(trigger: FileArrives) -> Any:
    path = trigger.path
    if "://" in path:
        return _remote_file(trigger)
    if glob.has_magic(path) and not os.path.exists(path):
        found = sorted(one for one in glob.glob(path, recursive=True) if os.path.getsize(one) >= trigger.bytes_min)
        return found or NOT_YET
    return path if os.path.exists(path) and os.path.getsize(path) >= trigger.bytes_min else NOT_YET


def _remote_file(trigger: FileArrives) -> Any:
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(trigger.path)
    except ValueError as error:  # a protocol that nobody knows
        raise RequestError(f"{trigger.path!r} cannot be read: {error}", hint="see the protocols of fsspec") from None
    files.invalidate_cache()
    if glob.has_magic(path):
        found = files.glob(path, detail=True)
        return sorted(name for name, info in found.items() if (info["size"] or 0) >= trigger.bytes_min) or NOT_YET
    there = files.exists(path) and (files.info(path)["size"] or 0) >= trigger.bytes_min
    return trigger.path if there else NOT_YET


def _http(trigger: HttpAnswers) -> Any:
    request = urllib.request.Request(trigger.url, method=trigger.method, headers={"User-Agent": "batuta"})
    try:
        with urllib.request.urlopen(request, timeout=trigger.timeout_s) as answer:
            status, body, kind = answer.status, answer.read(BODY_BYTES_MAX + 1), answer.headers.get_content_type()
    except urllib.error.HTTPError as answer:
        with answer:
            status, body, kind = answer.code, answer.read(BODY_BYTES_MAX + 1), answer.headers.get_content_type()
    if status not in trigger.statuses if trigger.statuses else status >= 400:
        return NOT_YET
    text = body.decode("utf-8", "replace")
    if trigger.contains not in text:
        return NOT_YET
    if len(body) > BODY_BYTES_MAX:
        return {"status": status, "body": None}
    return {"status": status, "body": _parsed(text) if "json" in kind else text}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# ---- what the store knows ----


def look_in_store(store: Store, triggers: Iterable[Trigger]) -> list[tuple[Trigger, Any]]:
    """Those of these triggers that have fired, with what they found. `after` is to be given in all of them."""
    wanted = list(triggers)
    found = _ended(store, [one for one in wanted if isinstance(one, RunEnds)])
    found += _sent(store, [one for one in wanted if isinstance(one, Signal)])
    for one in wanted:
        if isinstance(one, AssetMade) and (made := _made(store, one)) is not NOT_YET:
            found.append((one, made))
    return found


def _ended(store: Store, triggers: Sequence[RunEnds]) -> list[tuple[Trigger, Any]]:
    """A run that is not there (any more) has ended, as nobody knows how."""
    if not triggers:
        return []
    states = {row.id: row.state for row in store.runs_numbered({one.run_id for one in triggers})}
    each = ((one, states.get(one.run_id, "unknown")) for one in triggers)
    return [(one, state) for one, state in each if state == "unknown" or RunState(state) in RUN_FINAL]


def _sent(store: Store, triggers: Sequence[Signal]) -> list[tuple[Trigger, Any]]:
    if not triggers:
        return []
    sent = store.signals_among({one.name for one in triggers}, min(one.after or 0.0 for one in triggers))
    found: list[tuple[Trigger, Any]] = []
    by_name: dict[str, list[Any]] = {}
    for row in sent:
        by_name.setdefault(row.name, []).append(row)
    for one in triggers:
        first = next((row for row in by_name.get(one.name, ()) if row.at > (one.after or 0.0)), None)
        if first is not None:
            found.append((one, first.data))
    return found


def _made(store: Store, trigger: AssetMade) -> Any:
    for row in store.materializations(trigger.asset, trigger.partition, limit=1):
        if row.at > (trigger.after or 0.0):
            return {
                "asset": row.asset,
                "partition": row.partition,
                "run_id": row.run_id,
                "at": row.at,
                "data_version": row.data_version,
            }
    return NOT_YET
