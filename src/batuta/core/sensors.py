"""What can be decided about sensors without looking: what is wrong with one, its limits, its next evaluation, its keys.

The limits exist so that one sensor cannot hold up the others, fill the store or the memory of the scheduler; each has a
text that says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from batuta.core import run_limits
from batuta.core.errors import DefinitionError, RequestError
from batuta.core.run_limits import oversized
from batuta.core.sensor_specs import Answers, Asked, Assets, Evaluated, Files, Rows, SensorSpec, Webhook
from batuta.core.states import RUN_FINAL

REQUESTS_MAX = 1_000
"""Runs that one evaluation may ask for; more are left for the next, see `taken`."""
ANSWER_BYTES_MAX = 8 * 1024 * 1024
"""All that one evaluation asks for, as JSON."""
CURSOR_BYTES_MAX = 64 * 1024
KEY_CHARS_MAX = 500
INTERVAL_S_MIN = 0.1
BACKOFF_S_MAX = 900.0
EVENTS_MAX = 500
"""Events of the store that one evaluation is given."""

_NAME = re.compile(r"[\w.-]+")
_FIELD = re.compile(r"\{(\w+)\}")


def validate(spec: SensorSpec, where: str) -> None:
    """Raises DefinitionError for what cannot be, whatever the rest of the definitions says."""
    if not _NAME.fullmatch(spec.name):
        hint = "give it a name= of letters, digits, '_', '-' and '.'"
        raise DefinitionError(f"a sensor cannot be called {spec.name!r}", where=where, hint=hint)
    if not spec.interval_s >= INTERVAL_S_MIN:
        raise DefinitionError(f"every_s is {spec.interval_s}", where=where, hint=f"give at least {INTERVAL_S_MIN} s")
    if not 0 < spec.timeout_s <= 3600:
        raise DefinitionError(f"timeout_s is {spec.timeout_s}", where=where, hint="give up to an hour, 60 s is usual")
    if not spec.has_function and not spec.job and not spec.selection:
        raise DefinitionError("the sensor starts nothing", where=where, hint='give job= or assets="layer:gold"')
    match spec.source:
        case Files(path="") | Answers(url="") | Rows(sql="") | Webhook(secret=""):
            raise DefinitionError("it is not said what is looked at", where=where)
        case Rows(key=""):
            raise DefinitionError("key is empty", where=where, hint="name the column that grows with each new row")
        case Assets(assets=()):
            raise DefinitionError("no asset is named", where=where)
        case Answers() as answers if not answers.url.startswith(("http://", "https://")):
            raise DefinitionError(f"{answers.url!r} is no URL", where=where, hint="give http://... or https://...")
    states = getattr(spec.source, "states", ())
    unknown = [state for state in states if state not in {str(one) for one in RUN_FINAL}]
    if unknown:
        raise DefinitionError(
            f"there is no final state {unknown[0]!r}", where=where, hint="there are succeeded, failed and cancelled"
        )


def filled(template: Any, event: Mapping[str, Any]) -> Any:
    """Text with `{field}` replaced by the event's field, in lists and dicts too; `"{row}"` alone is the field itself.

    Raises RequestError for a field that the event does not have.
    """
    match template:
        case str():
            alone = _FIELD.fullmatch(template)
            if alone:
                return _field(event, alone[1])
            return _FIELD.sub(lambda found: str(_field(event, found[1])), template)
        case dict():
            return {key: filled(value, event) for key, value in template.items()}
        case list() | tuple():
            return [filled(value, event) for value in template]
    return template


def _field(event: Mapping[str, Any], name: str) -> Any:
    if name not in event:
        raise RequestError(f"there is no {{{name}}} in what was seen", hint=f"there are: {', '.join(event)}")
    return event[name]


def asked_for(spec: SensorSpec, event: Mapping[str, Any]) -> Asked:
    """The run that a source without a function starts for what was seen. Raises RequestError."""
    return Asked(
        key=str(event.get("key", "")),
        params=filled(spec.params, event),
        tags={key: str(filled(value, event)) for key, value in spec.tags.items()},
        partition=str(filled(spec.partition, event)),
        priority=spec.priority,
    )


def wrong(asked: Asked) -> str:
    """Why a run cannot be asked for like this; empty if it can."""
    if len(asked.key) > KEY_CHARS_MAX:
        return f"a run_key of {len(asked.key):,} characters: at most {KEY_CHARS_MAX} are kept, use a hash of it"
    return oversized(asked.params, asked.tags, f"run {asked.key!r}")


def size_of(asked: Asked) -> int:
    """Bytes of what the run would be given."""
    return run_limits.size_of(asked.params, asked.tags)


def checked_cursor(cursor: Any) -> str:
    """A cursor as it is kept. Raises RequestError for anything but text of a moderate size."""
    if not isinstance(cursor, str):
        kind = type(cursor).__name__
        raise RequestError(
            f"the cursor is {kind}, not text", hint="use str(...), or json.dumps(...) for several values"
        )
    size = len(cursor.encode("utf-8", "surrogatepass"))
    if size > CURSOR_BYTES_MAX:
        what = f"the cursor has {size:,} bytes, at most {CURSOR_BYTES_MAX:,} are kept"
        raise RequestError(what, hint="keep what was seen in a file or table, and where that is in the cursor")
    return cursor


def too_many(count: int) -> RequestError:
    """The error for more requests than one evaluation may make, where the rest could not be told apart."""
    hint = (
        "yield them one by one, each with a run_key, and set context.cursor as you go: "
        f"the evaluation is then ended after {REQUESTS_MAX:,} and goes on from the cursor"
    )
    return RequestError(f"it asked for {count:,} runs at once, at most {REQUESTS_MAX:,} are started", hint=hint)


def next_at(spec: SensorSpec, now: float, failures: int, more: bool = False) -> float:
    """When to evaluate it again: at once where there is more, later each time that it has failed in a row."""
    if failures:
        wait_s = spec.interval_s * 2.0 ** min(failures - 1, 20)
        return now + max(spec.interval_s, min(wait_s, BACKOFF_S_MAX))
    return now if more else now + spec.interval_s


def keys_of(evaluated: Evaluated, tick: str) -> Sequence[str]:
    """The keys of the runs: their own, or such as no other tick has."""
    return [one.key or f"{tick}#{number}" for number, one in enumerate(evaluated.asked)]
