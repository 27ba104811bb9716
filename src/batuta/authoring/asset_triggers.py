"""`on_assets`: jobs that are started when assets were made, `@flow(schedule=on_assets(orders & rates))`.

Assets combine with `&` and `|` as they are, so that `schedule=orders & rates` is enough; `on_assets` is for names, and
for what is to be said beside. Surprising rule: several assets, or a list of them, mean all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from batuta.authoring.asset_definitions import Asset, MultiAsset, key_of
from batuta.authoring.places import user_place
from batuta.core.asset_triggers import (
    AssetTriggerSpec,
    Expression,
    OnAll,
    OnAny,
    OnAsset,
    expression,
    text,
    validate_trigger,
)
from batuta.core.definitions import Definitions, Place, Problem
from batuta.core.errors import DefinitionError, UnknownDependencyError


class OnAssets:
    """What `on_assets` gives: an expression, and what the runs that it starts get."""

    def __init__(
        self,
        on: Expression,
        params: Mapping[str, Any] | None = None,
        tags: Sequence[str] | Mapping[str, str] = (),
        enabled: bool = True,
    ) -> None:
        self.on = on
        self.params = dict(params or {})
        self.tags = dict(tags) if isinstance(tags, Mapping) else dict.fromkeys(_listed(tags), "")
        self.enabled = enabled

    def __and__(self, other: Any) -> OnAssets:
        return OnAssets(self.on & _expression(other), self.params, self.tags, self.enabled)

    def __or__(self, other: Any) -> OnAssets:
        return OnAssets(self.on | _expression(other), self.params, self.tags, self.enabled)

    __rand__ = __and__
    __ror__ = __or__

    def __bool__(self) -> bool:
        return bool(self.on)

    def spec(self, job: str, place: Place) -> AssetTriggerSpec:
        """In the neutral model, as what starts `job`."""
        return AssetTriggerSpec(job, self.on, self.params, self.tags, self.enabled, place)

    def __repr__(self) -> str:
        return f"<on_assets {text(self.on)}>"


Trigger = OnAssets | Expression | Asset[..., Any]
"""What starts a job by assets; `schedule=` takes it beside timings."""


def on_assets(
    *assets: Any,
    any: Sequence[Any] = (),
    all: Sequence[Any] = (),
    partitions: str | Sequence[str] = (),
    params: Mapping[str, Any] | None = None,
    tags: Sequence[str] | Mapping[str, str] = (),
    enabled: bool = True,
) -> OnAssets:
    """Start a job when assets were made: all of `assets` and `all`, and one of `any`, since it was started last.

    Each is a key, an asset, or an expression like `orders & (rates | prices)`. `partitions`: only when one of these was
    made. The job finds what was made in `batuta.context().triggering_events`. Raises DefinitionError.
    """
    parts = [_expression(one) for one in (*assets, *_listed(all))]
    either = [_expression(one) for one in _listed(any)]
    if either:
        parts.append(either[0] if len(either) == 1 else OnAny(tuple(either)))
    if not parts:
        hint = 'write on_assets("silver.orders"), on_assets(orders & rates), on_assets(any=[orders, rates])'
        raise DefinitionError("on_assets() without an asset", where=str(user_place()), hint=hint)
    on = parts[0] if len(parts) == 1 else _all(parts)
    if partitions:
        on = _limited(on, tuple(_listed(partitions)))
    return OnAssets(on, params, tags, enabled)


def _all(parts: Sequence[Expression]) -> Expression:
    found = parts[0]
    for part in parts[1:]:
        found = found & part
    return found


def _limited(on: Expression, partitions: tuple[str, ...]) -> Expression:
    match on:
        case OnAsset(asset=asset):
            return OnAsset(asset, partitions)
        case OnAll(operands=operands):
            return OnAll(tuple(_limited(operand, partitions) for operand in operands))
        case OnAny(operands=operands):
            return OnAny(tuple(_limited(operand, partitions) for operand in operands))


def _expression(value: Any) -> Expression:
    if isinstance(value, OnAssets):
        return value.on
    if isinstance(value, (Asset, MultiAsset)):
        return OnAsset(key_of(value, str(user_place())))
    try:
        return expression(value)
    except DefinitionError as error:
        raise DefinitionError(error.what, where=str(user_place()), hint=error.hint) from None


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


def _is_trigger(value: Any) -> bool:
    return isinstance(value, (OnAssets, OnAsset, OnAll, OnAny, Asset, MultiAsset))


def split(given: Any, job: str, place: Place) -> tuple[Any, tuple[AssetTriggerSpec, ...]]:
    """What `schedule=` of a job says, apart: timings, and triggers. A list of assets means all of them."""
    if _is_trigger(given):
        return None, (_on_assets(given).spec(job, place),)
    if not isinstance(given, (list, tuple)) or not any(map(_is_trigger, given)):
        return given, ()
    if all(isinstance(one, (Asset, MultiAsset)) for one in given):
        return None, (on_assets(*given).spec(job, place),)
    timings = [one for one in given if not _is_trigger(one)]
    return timings or None, tuple(_on_assets(one).spec(job, place) for one in given if _is_trigger(one))


def _on_assets(value: Any) -> OnAssets:
    return value if isinstance(value, OnAssets) else OnAssets(_expression(value))


def bind(definitions: Definitions, triggers: Iterable[AssetTriggerSpec]) -> Definitions:
    """The definitions with what starts jobs by assets; one that names an asset that is not there becomes a problem."""
    known = [spec.key for spec in definitions.assets]
    found: list[AssetTriggerSpec] = []
    problems = list(definitions.problems)
    for trigger in triggers:
        try:
            validate_trigger(trigger, known)
            found.append(trigger)
        except UnknownDependencyError as error:
            problems.append(Problem(error.what, trigger.place, error.hint or ""))
    if not found and len(problems) == len(definitions.problems):
        return definitions
    texts: dict[str, list[str]] = {}
    for trigger in found:
        texts.setdefault(trigger.job, []).append(text(trigger.on))
    jobs = [
        replace(job, schedule=" | ".join(filter(None, [job.schedule, *texts[job.name]]))) if job.name in texts else job
        for job in definitions.jobs
    ]
    return replace(definitions, jobs=tuple(jobs), asset_triggers=tuple(found), problems=tuple(problems))
