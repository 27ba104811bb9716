"""Jobs that are started by assets: an expression over what was made, and what of it has been seen so far.

`all` of several assets waits until each was made since the job was last started, in whatever order; the events that
make it true come with the run. The surprising rule: what the job's own runs make does not count, or a job that writes
what it waits for would start itself for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from batuta.core.errors import DefinitionError, UnknownDependencyError
from batuta.core.place import Place
from batuta.core.similar import similar

EVENTS_MAX = 1000
"""So many events of one asset are kept for a run; of more, the newest."""


class _Combined(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    def __and__(self, other: Any) -> OnAll:
        return OnAll((*_operands(self, OnAll), *_operands(expression(other), OnAll)))

    def __or__(self, other: Any) -> OnAny:
        return OnAny((*_operands(self, OnAny), *_operands(expression(other), OnAny)))

    def __bool__(self) -> bool:
        what = "whether assets were made is not known before they are"
        raise DefinitionError(what, hint="combine assets with & and | instead of and, or")


class OnAsset(_Combined, frozen=True, omit_defaults=True, tag="asset"):
    """The asset was made; `partitions`: one of these."""

    asset: str
    partitions: tuple[str, ...] = ()


class OnAll(_Combined, frozen=True, omit_defaults=True, tag="all"):
    """Every operand holds."""

    operands: tuple[Expression, ...]


class OnAny(_Combined, frozen=True, omit_defaults=True, tag="any"):
    """One operand holds."""

    operands: tuple[Expression, ...]


Expression = OnAsset | OnAll | OnAny


class AssetTriggerSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A job that is started whenever its expression over assets holds. `enabled` is what it is until a person says
    otherwise."""

    job: str
    on: Expression
    params: dict[str, Any] = {}
    tags: dict[str, str] = {}
    enabled: bool = True
    place: Place = Place()


class TriggeringEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """An asset (partition) was made. `at` is in seconds since the epoch."""

    asset: str
    partition: str = ""
    run_id: int = 0
    at: float = 0.0
    data_version: str = ""
    metadata: dict[str, Any] = {}


class Pending(msgspec.Struct, frozen=True, omit_defaults=True):
    """What has been seen since the job was last started. `signature` is that of the expression."""

    signature: str = ""
    events: tuple[TriggeringEvent, ...] = ()
    dropped: int = 0


def expression(value: Any) -> Expression:
    """An expression, or DefinitionError."""
    if isinstance(value, Expression):
        return value
    key = getattr(value, "key", value)
    if isinstance(key, str) and key:
        return OnAsset(key)
    what = f"{value!r} is neither an asset nor an expression of assets"
    raise DefinitionError(what, hint='write on_assets(orders & rates), on_assets("silver.orders", "silver.rates")')


def _operands(value: Any, kind: type[OnAll] | type[OnAny]) -> tuple[Expression, ...]:
    return value.operands if isinstance(value, kind) else (value,)


def signature(on: Expression) -> str:
    """The expression as text; another one begins anew."""
    return msgspec.json.encode(on).decode()


def leaves(on: Expression) -> Iterator[OnAsset]:
    """The assets of an expression."""
    if isinstance(on, OnAsset):
        yield on
        return
    for operand in on.operands:
        yield from leaves(operand)


def holds(on: Expression, events: Iterable[TriggeringEvent]) -> bool:
    """Whether the events are enough."""
    made: dict[str, set[str]] = {}
    for event in events:
        made.setdefault(event.asset, set()).add(event.partition)
    return _holds(on, made)


def _holds(on: Expression, made: Mapping[str, set[str]]) -> bool:
    match on:
        case OnAsset(asset=asset, partitions=partitions):
            return asset in made and (not partitions or not made[asset].isdisjoint(partitions))
        case OnAll(operands=operands):
            return all(_holds(operand, made) for operand in operands)
        case OnAny(operands=operands):
            return any(_holds(operand, made) for operand in operands)


def awaited(on: Expression, events: Iterable[TriggeringEvent]) -> list[str]:
    """The assets of which nothing has been seen, each once."""
    seen = list(events)
    return list(dict.fromkeys(leaf.asset for leaf in leaves(on) if not holds(leaf, seen)))


def hear(
    on: Expression, pending: Pending, made: Iterable[TriggeringEvent], *, may_start: bool = True
) -> tuple[Pending, tuple[TriggeringEvent, ...] | None]:
    """What is pending after more was made, and the events to start the job with, if the expression holds now.

    While it may not start, what would start it stays pending.
    """
    name = signature(on)
    known = pending if pending.signature == name else Pending(name)
    wanted = list(leaves(on))
    news = [event for event in made if any(_is_about(leaf, event) for leaf in wanted)]
    events, dropped = _newest([*known.events, *news]) if news else (known.events, 0)
    if may_start and events and holds(on, events):
        return Pending(name), events
    return Pending(name, events, known.dropped + dropped), None


def _is_about(leaf: OnAsset, event: TriggeringEvent) -> bool:
    return leaf.asset == event.asset and (not leaf.partitions or event.partition in leaf.partitions)


def _newest(events: list[TriggeringEvent]) -> tuple[tuple[TriggeringEvent, ...], int]:
    """At most EVENTS_MAX of each asset, in their order, and how many that leaves out."""
    counts: dict[str, int] = {}
    kept: list[TriggeringEvent] = []
    for event in reversed(events):
        counts[event.asset] = counts.get(event.asset, 0) + 1
        if counts[event.asset] <= EVENTS_MAX:
            kept.append(event)
    return tuple(reversed(kept)), len(events) - len(kept)


def validate_trigger(spec: AssetTriggerSpec, known: Iterable[str]) -> None:
    """Raise UnknownDependencyError for an asset that is not there."""
    names = set(known)
    for leaf in leaves(spec.on):
        if leaf.asset not in names:
            raise UnknownDependencyError(
                f"job {spec.job!r} is started by {leaf.asset!r}, which does not exist",
                where=str(spec.place),
                hint=similar(leaf.asset, names) or "define it, or an external_asset where something else makes it",
            )


def text(on: Expression) -> str:
    """The expression in one line."""
    match on:
        case OnAsset(asset=asset, partitions=partitions):
            return f"{asset}[{', '.join(partitions)}]" if partitions else asset
        case OnAll(operands=operands):
            return f"({' & '.join(map(text, operands))})"
        case OnAny(operands=operands):
            return f"({' | '.join(map(text, operands))})"


CONFIG_KEY = "triggering_events"


def triggering_events(config: Mapping[str, Any]) -> tuple[TriggeringEvent, ...]:
    """The events that stand in the config of a run."""
    return msgspec.convert(config.get(CONFIG_KEY, ()), tuple[TriggeringEvent, ...])
