"""Conditions of automation: an algebra of small frozen records that say for which partitions something holds.

A condition is about one asset, and evaluated (`automation_eval`) it gives a subset of the partitions that exist; of an
asset without partitions all or nothing. It is part of the definition, so it is data: it survives JSON and hashes alike.
The surprising rule of `since`: where both happen between two ticks it holds, as losing an update is worse than making
something once too often.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, Union

import msgspec

from batuta.core.errors import DefinitionError

Self = TypeVar("Self", bound="Condition")


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", kw_only=True):
    """What all conditions can do. Combine them with `&`, `|` and `~`."""

    label: str = ""

    def __and__(self, other: Any) -> AllOf:
        return AllOf((*_operands(self, AllOf), *_operands(_condition(other), AllOf)))

    def __or__(self, other: Any) -> AnyOf:
        return AnyOf((*_operands(self, AnyOf), *_operands(_condition(other), AnyOf)))

    def __invert__(self) -> Not:
        return Not(self)  # type: ignore[arg-type]

    def __bool__(self) -> bool:
        raise DefinitionError(
            "a condition is neither true nor false before it is evaluated",
            hint="combine conditions with & | ~ instead of and, or, not",
        )

    def since(self, reset: AnyCondition) -> Since:
        """It has held for the partition more recently than `reset`."""
        return Since(self, _condition(reset))  # type: ignore[arg-type]

    def newly_true(self) -> NewlyTrue:
        """It holds now and did not at the tick before."""
        return NewlyTrue(self)  # type: ignore[arg-type]

    def named(self: Self, label: str) -> Self:
        """The same condition with a name that explanations show."""
        return msgspec.structs.replace(self, label=label)

    @property
    def words(self) -> str:
        """What it says, without its parts."""
        raise NotImplementedError

    @property
    def parts(self) -> tuple[AnyCondition, ...]:
        """The conditions it is made of."""
        return ()


# ---- about the asset itself ----


class Missing(Condition, frozen=True, tag="missing"):
    """Never made. External assets are never missing."""

    @property
    def words(self) -> str:
        return "missing"


class Stale(Condition, frozen=True, tag="stale"):
    """Made, but of code or data that have changed since, or something above will be made again: `core.staleness`."""

    @property
    def words(self) -> str:
        return "stale"


class CodeChanged(Condition, frozen=True, tag="code_changed"):
    """Made with other code than it has now."""

    @property
    def words(self) -> str:
        return "code changed"


class InProgress(Condition, frozen=True, tag="in_progress"):
    """A run that is to make it has not ended, and not made it yet."""

    @property
    def words(self) -> str:
        return "in progress"


class RunFailed(Condition, frozen=True, tag="run_failed"):
    """The last run that was to make it ended without having made it."""

    @property
    def words(self) -> str:
        return "run failed"


class CheckFailed(Condition, frozen=True, tag="check_failed"):
    """The last verdict of the check `check` ("": of any check) is that it failed; `blocking`: of blocking checks."""

    check: str = ""
    blocking: bool = False

    @property
    def words(self) -> str:
        return f"{'blocking ' if self.blocking else ''}check {f'{self.check} ' if self.check else ''}failed"


class FreshnessOverdue(Condition, frozen=True, tag="freshness_overdue"):
    """Not as fresh as its policy asks for: `core.freshness`."""

    @property
    def words(self) -> str:
        return "freshness overdue"


class Latest(Condition, frozen=True, tag="latest"):
    """One of the last `count` partitions of time; where there is no time, every partition."""

    count: int = 1

    @property
    def words(self) -> str:
        return "in the latest partition" if self.count == 1 else f"in the latest {self.count} partitions"


class UpdatedSinceCron(Condition, frozen=True, tag="updated_since_cron"):
    """Made at or after the last time at which `cron` fired. An external asset that nobody ever reported counts."""

    cron: str
    timezone: str = "UTC"

    @property
    def words(self) -> str:
        return f"updated since the last {self.cron} ({self.timezone})"


# ---- true for one tick ----


class NewlyUpdated(Condition, frozen=True, tag="newly_updated"):
    """Made since the tick before."""

    @property
    def words(self) -> str:
        return "newly updated"


class NewlyStarted(Condition, frozen=True, tag="newly_started"):
    """A run that is to make it was created since the tick before, by whomever."""

    @property
    def words(self) -> str:
        return "newly started"


class NewlyRequested(Condition, frozen=True, tag="newly_requested"):
    """Requested by the tick before."""

    @property
    def words(self) -> str:
        return "newly requested"


class WillBeRequested(Condition, frozen=True, tag="will_be_requested"):
    """Requested by this tick, and in the same code location, so that one run makes both. Only of upstream assets."""

    @property
    def words(self) -> str:
        return "will be requested"


class CronPassed(Condition, frozen=True, tag="cron_passed"):
    """`cron` has fired on the clock of `timezone` since the tick before."""

    cron: str
    timezone: str = "UTC"

    @property
    def words(self) -> str:
        return f"{self.cron} ({self.timezone}) has passed"


class Initial(Condition, frozen=True, tag="initial"):
    """The first tick that knows this condition of this asset."""

    @property
    def words(self) -> str:
        return "first evaluation"


# ---- about upstream assets ----


class AnyDep(Condition, frozen=True, tag="any_dep"):
    """`operand` holds for one of the upstream partitions that a partition needs.

    `assets`: only of these upstream assets; `ignoring`: not of these.
    """

    operand: AnyCondition
    assets: tuple[str, ...] = ()
    ignoring: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"any upstream{_limits(self)}"

    @property
    def parts(self) -> tuple[AnyCondition, ...]:
        return (self.operand,)


class AllDeps(Condition, frozen=True, tag="all_deps"):
    """`operand` holds for every upstream partition that a partition needs; also where it needs none."""

    operand: AnyCondition
    assets: tuple[str, ...] = ()
    ignoring: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"every upstream{_limits(self)}"

    @property
    def parts(self) -> tuple[AnyCondition, ...]:
        return (self.operand,)


class AnyDepUpdated(Condition, frozen=True, tag="any_dep_updated"):
    """An upstream partition was made since the tick before, not by a run that is to make this one too; or will be
    requested by this tick."""

    assets: tuple[str, ...] = ()
    ignoring: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"any upstream{_limits(self)} updated"


class AllDepsNewer(Condition, frozen=True, tag="all_deps_newer"):
    """Every upstream partition that it needs was made after it was; one that was never made is older than all."""

    assets: tuple[str, ...] = ()
    ignoring: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        return f"every upstream{_limits(self)} updated since it was made"


DepCondition = AnyDep | AllDeps | AnyDepUpdated | AllDepsNewer


def _limits(condition: DepCondition) -> str:
    told = f" of {', '.join(condition.assets)}" if condition.assets else ""
    return f"{told} but {', '.join(condition.ignoring)}" if condition.ignoring else told


# ---- of other conditions ----


class AllOf(Condition, frozen=True, tag="all"):
    """Every operand holds."""

    operands: tuple[AnyCondition, ...]

    @property
    def words(self) -> str:
        return "all of"

    @property
    def parts(self) -> tuple[AnyCondition, ...]:
        return self.operands


class AnyOf(Condition, frozen=True, tag="any"):
    """One operand holds."""

    operands: tuple[AnyCondition, ...]

    @property
    def words(self) -> str:
        return "any of"

    @property
    def parts(self) -> tuple[AnyCondition, ...]:
        return self.operands


class Not(Condition, frozen=True, tag="not"):
    """The operand does not hold."""

    operand: AnyCondition

    @property
    def words(self) -> str:
        return "not"

    @property
    def parts(self) -> tuple[AnyCondition, ...]:
        return (self.operand,)


class NewlyTrue(Condition, frozen=True, tag="newly_true"):
    """The operand holds, and did not at the tick before (or there was none)."""

    operand: AnyCondition

    @property
    def words(self) -> str:
        return "newly true"

    @property
    def parts(self) -> tuple[AnyCondition, ...]:
        return (self.operand,)


class Since(Condition, frozen=True, tag="since"):
    """`trigger` has held, and `reset` not later. See the module for ties."""

    trigger: AnyCondition
    reset: AnyCondition

    @property
    def words(self) -> str:
        return "since"

    @property
    def parts(self) -> tuple[AnyCondition, ...]:
        return self.trigger, self.reset


Momentary = (
    NewlyUpdated | NewlyStarted | NewlyRequested | WillBeRequested | CronPassed | Initial | AnyDepUpdated | NewlyTrue
)
"""What holds for one tick and then no longer, though nothing else happens."""

AnyCondition = Union[  # noqa: UP007 - msgspec resolves the recursion by name, which `|` between strings cannot
    Missing,
    Stale,
    CodeChanged,
    InProgress,
    RunFailed,
    CheckFailed,
    FreshnessOverdue,
    Latest,
    UpdatedSinceCron,
    NewlyUpdated,
    NewlyStarted,
    NewlyRequested,
    WillBeRequested,
    CronPassed,
    Initial,
    AnyDep,
    AllDeps,
    AnyDepUpdated,
    AllDepsNewer,
    AllOf,
    AnyOf,
    Not,
    NewlyTrue,
    Since,
]

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[AnyCondition] = msgspec.json.Decoder(AnyCondition)


def encode(condition: AnyCondition) -> bytes:
    """The condition as JSON, the same bytes for the same condition."""
    return _encoder.encode(condition)


def decode(data: bytes | str) -> AnyCondition:
    """The inverse of `encode`."""
    return _decoder.decode(data)


def walk(condition: AnyCondition) -> Iterator[AnyCondition]:
    """The condition and all its parts, outermost first."""
    yield condition
    for part in condition.parts:
        yield from walk(part)


def text(condition: AnyCondition) -> str:
    """The whole condition in one line."""
    if condition.label:
        return condition.label
    match condition:
        case AllOf(operands=operands):
            return f"({' & '.join(map(text, operands))})"
        case AnyOf(operands=operands):
            return f"({' | '.join(map(text, operands))})"
        case Not(operand=operand):
            return f"~{text(operand)}"
        case Since(trigger=trigger, reset=reset):
            return f"({text(trigger)} since {text(reset)})"
        case NewlyTrue(operand=operand):
            return f"newly {text(operand)}"
        case AnyDep() | AllDeps():
            return f"{condition.words}: {text(condition.operand)}"
        case _:
            return condition.words


def _operands(condition: Any, kind: type[AllOf] | type[AnyOf]) -> tuple[AnyCondition, ...]:
    """Nested `&` and `|` become one level, unless a part has a name of its own."""
    if isinstance(condition, kind) and not condition.label:
        return condition.operands
    return (condition,)


def _condition(value: Any) -> AnyCondition:
    if isinstance(value, Condition):
        return value  # type: ignore[return-value]
    hint = "combine what Automation gives, like Automation.missing() & ~Automation.any_dep_missing()"
    raise DefinitionError(f"{value!r} is not a condition", hint=hint)
