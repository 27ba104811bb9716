"""Evaluating a sensor in a process of its location: what it looks at, its function, and what both ask for.

All that a function may do wrong ends here as an error with its place. It is ended, not just refused, where it asks for
more than one evaluation may: what it asked for until then counts, if that can be told from what is left.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from batuta.authoring.sensor import RunRequest, SensorCode, SensorContext, Skip, job_name, selection_of
from batuta.core import sensors
from batuta.core.errors import DefinitionError, RequestError, nearest
from batuta.core.sensor_specs import RECORDED, Asked, Evaluated, SensorSpec
from batuta.runtime.load import Location
from batuta.runtime.masking import longest_secret, mask, masked
from batuta.runtime.sensor_looks import Look, look


def evaluate(location: Location, data: Mapping[str, Any]) -> dict[str, Any]:
    """For evaluators: `{"name", "cursor", "now", "last_tick", "events"}` -> an `Evaluated` as JSON data."""
    found: dict[str, Any] = msgspec.to_builtins(
        evaluated(
            location,
            data["name"],
            data.get("cursor", ""),
            now=data["now"],
            last_tick=data.get("last_tick"),
            events=data.get("events"),
        )
    )
    return _recordable(found, data["name"])


def _recordable(found: dict[str, Any], name: str) -> dict[str, Any]:
    """The reason masked. Raises RequestError for a secret in a cursor or a request, which are needed as they are."""
    if not longest_secret():
        return found
    told = {**found, **{key: mask(found[key]) for key in ("reason",) if key in found}}
    if masked(told) != told:
        hint = "pass the secret's name, and look it up where it is needed: Secret.get(name)"
        raise RequestError("what it asks for holds a secret, and is recorded", where=f"sensor {name!r}", hint=hint)
    return told


def evaluated(
    location: Location,
    name: str,
    cursor: str,
    *,
    now: float,
    last_tick: float | None = None,
    events: list[dict[str, Any]] | None = None,
) -> Evaluated:
    """What the sensor asks for. `events`: what the store has for its source. Raises RequestError, and what its function
    raises."""
    code = location.found.sensors.get(name)
    if code is None:
        hint = nearest(name, location.found.sensors) or "is it still in the code of this location?"
        raise RequestError(f"there is no sensor {name!r}", hint=hint)
    spec = code.spec()
    cursor = sensors.checked_cursor(cursor)
    context = SensorContext(
        name=name,
        job=spec.job,
        now=datetime.fromtimestamp(now, UTC),
        last_tick=None if last_tick is None else datetime.fromtimestamp(last_tick, UTC),
        _cursor=cursor,
        _own=spec.source is None,
    )
    if spec.source is None:
        return _own(code, context)
    seen = Look(events or [], cursor)
    if not isinstance(spec.source, RECORDED):
        seen = look(spec.source, cursor, location.project.root, sensors.EVENTS_MAX)
    if not seen.events:
        return Evaluated(reason="nothing new", cursor=seen.cursor, more=seen.more)
    if code.fn is None:
        asked = tuple(sensors.asked_for(spec, event) for event in seen.events)
        return _checked(Evaluated(asked, cursor=seen.cursor, more=seen.more))
    return _of_events(code, spec, context, seen)


# ---- functions ----


def _own(code: SensorCode, context: SensorContext) -> Evaluated:
    """What a plain sensor asks for, its cursor kept right where it asks for too much."""
    assert code.fn is not None
    taken: list[Asked] = []
    reasons: list[str] = []
    size = 0
    cursor = ""
    with contextlib.closing(_outcomes(_call(code.fn, context))) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, Skip):
                reasons.append(outcome.reason)
                continue
            asked = _asked(outcome, code)
            size += sensors.size_of(asked)
            if len(taken) >= sensors.REQUESTS_MAX or (taken and size > sensors.ANSWER_BYTES_MAX):
                return _cut(taken, cursor, outcomes)
            taken.append(asked)
            cursor = context.cursor if context.moved else ""
    return _checked(Evaluated(tuple(taken), "; ".join(filter(None, reasons))[:1000], context.cursor))


def _cut(taken: list[Asked], cursor: str, rest: Iterable[Any]) -> Evaluated:
    """The first of too many, up to `cursor`; an error where the next evaluation could not tell them from the rest."""
    if not cursor or not all(one.key for one in taken):
        counted = len(taken) + 1 + sum(1 for _ in _at_most(rest, 1_000_000))
        raise sensors.too_many(counted)
    return _checked(Evaluated(tuple(taken), cursor=cursor, more=True))


def _at_most(items: Iterable[Any], count: int) -> Iterator[Any]:
    for number, item in enumerate(items):
        if number >= count:
            return
        yield item


def _of_events(code: SensorCode, spec: SensorSpec, context: SensorContext, seen: Look) -> Evaluated:
    assert code.fn is not None
    context.events = seen.events
    taken: list[Asked] = []
    reasons: list[str] = []
    for event in seen.events:
        for number, outcome in enumerate(_outcomes(_call(code.fn, context, event))):
            if isinstance(outcome, Skip):
                reasons.append(outcome.reason)
                continue
            asked = _asked(outcome, code)
            if not asked.key and event.get("key"):
                asked = msgspec.structs.replace(asked, key=f"{event['key']}{f'#{number}' if number else ''}")
            taken.append(asked)
        if len(taken) > sensors.REQUESTS_MAX:
            raise sensors.too_many(len(taken))
    reason = "; ".join(dict.fromkeys(filter(None, reasons)))[:1000]
    return _checked(Evaluated(tuple(taken), reason, seen.cursor, seen.more))


def _call(fn: Callable[..., Any], context: SensorContext, event: Mapping[str, Any] | None = None) -> Any:
    """Call it with what it takes: `context`, `event`, or, under another name, whichever it is about."""
    given: dict[str, Any] = {"context": context}
    if event is not None:
        given["event"] = event
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for parameter in inspect.signature(fn).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.name in given:
            value = given.pop(parameter.name)
        elif not args and not kwargs:
            value = given.pop("event", None) if event is not None else given.pop("context")
        elif parameter.default is not parameter.empty:
            continue
        else:
            hint = "a sensor's function takes context, event (of a source), or nothing"
            raise DefinitionError(f"it takes {parameter.name!r}, which nobody gives it", hint=hint)
        if parameter.kind is parameter.KEYWORD_ONLY:
            kwargs[parameter.name] = value
        else:
            args.append(value)
    return fn(*args, **kwargs)


def _outcomes(value: Any) -> Generator[Any, None, None]:
    """What a function returned or yields, one after the other, async or not."""
    if inspect.iscoroutine(value):
        import asyncio

        value = asyncio.run(value)
    if inspect.isasyncgen(value):
        yield from _of_async(value)
    elif isinstance(value, (RunRequest, Skip)):
        yield value
    elif isinstance(value, (list, tuple)) or inspect.isgenerator(value):
        if isinstance(value, (list, tuple)) and len(value) > sensors.REQUESTS_MAX:
            raise sensors.too_many(len(value))
        yield from value
    elif value is not None:
        raise _no_request(value)


def _of_async(items: AsyncIterator[Any]) -> Iterator[Any]:
    import asyncio

    with asyncio.Runner() as runner:
        while True:
            try:
                yield runner.run(_next(items))
            except StopAsyncIteration:
                return


async def _next(items: AsyncIterator[Any]) -> Any:
    return await anext(items)


def _no_request(value: Any) -> RequestError:
    what = f"it gave {type(value).__name__}, which is no RunRequest"
    return RequestError(what, hint='return or yield RunRequest(...), Skip("why") or nothing')


def _asked(value: Any, code: SensorCode) -> Asked:
    """A request as data. Raises RequestError."""
    if not isinstance(value, RunRequest):
        raise _no_request(value)
    where = f"{code.place}: sensor {code.name!r}"
    at = value.logical_at
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise RequestError("logical_at has no time zone", where=where, hint="give an aware datetime")
        at = at.timestamp()
    try:
        params = msgspec.to_builtins(dict(value.params), str_keys=True)
    except (TypeError, ValueError) as error:
        raise RequestError(f"the params of a RunRequest are not JSON: {error}", where=where) from None
    return Asked(
        key=str(value.run_key),
        job=job_name(value.job, where),
        selection=selection_of(value.assets, where),
        params=params,
        tags={str(key): str(tag) for key, tag in value.tags.items()},
        partition=str(value.partition),
        logical_at=at,
        priority=int(value.priority),
    )


def _checked(found: Evaluated) -> Evaluated:
    return msgspec.structs.replace(found, cursor=sensors.checked_cursor(found.cursor))
