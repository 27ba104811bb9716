"""`Automation` and `Freshness`: when an asset is made by itself, and how fresh it has to be.

`@asset(automation=Automation.eager(), freshness=Freshness(max_age=timedelta(hours=26)))`. Surprising rule: a partition
for which a condition goes on to hold is requested once, see `core.automation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from batuta.authoring.asset_definitions import key_of
from batuta.core import condition_recipes as recipes
from batuta.core import conditions as c
from batuta.core.conditions import AnyCondition, Condition
from batuta.core.cron import validate_cron
from batuta.core.definitions import AssetSpec, CheckSpec
from batuta.core.errors import DefinitionError
from batuta.core.freshness import FreshnessPolicy, validate_freshness
from batuta.core.similar import similar

__all__ = ["Automation", "Condition", "Freshness"]


class Automation:
    """The conditions there are. Combine them with `&`, `|`, `~`, `.since(...)`, `.newly_true()`, `.named()`."""

    def __init__(self) -> None:
        raise DefinitionError("Automation is not made", hint="write Automation.eager(), Automation.on_cron(...), ...")

    # ---- ready to use ----

    @staticmethod
    def eager() -> AnyCondition:
        """As soon as possible: when an upstream was made, or the latest partition is missing.

        It waits while an upstream is missing, being made, or has failed a blocking check. A chain of eager assets is
        made by one run.
        """
        return recipes.eager()

    @staticmethod
    def on_cron(cron: str, timezone: str = "UTC") -> AnyCondition:
        """Once for each time of `cron`, after all upstreams have been made since; of partitions of time the latest."""
        return recipes.on_cron(cron, timezone)

    # ---- about upstreams ----

    @staticmethod
    def any_dep_updated(*assets: Any, ignoring: Sequence[Any] = ()) -> AnyCondition:
        """An upstream was made since the tick before, or is requested by this one."""
        return c.AnyDepUpdated(_keys(assets), _keys(ignoring))

    @staticmethod
    def all_deps_updated_since(cron: str, timezone: str = "UTC") -> AnyCondition:
        """Every upstream was made since `cron` fired last, or is requested by this tick."""
        return recipes.all_deps_updated_since(cron, timezone)

    @staticmethod
    def all_deps_updated(*assets: Any, ignoring: Sequence[Any] = ()) -> AnyCondition:
        """Every upstream was made since this was made."""
        return c.AllDepsNewer(_keys(assets), _keys(ignoring))

    @staticmethod
    def any_dep_missing() -> AnyCondition:
        """An upstream was never made, and is not requested by this tick."""
        return recipes.any_dep_missing()

    @staticmethod
    def any_dep_in_progress() -> AnyCondition:
        """An upstream is being made."""
        return recipes.any_dep_in_progress()

    @staticmethod
    def any_dep(condition: AnyCondition, *assets: Any, ignoring: Sequence[Any] = ()) -> AnyCondition:
        """The condition holds for one of the upstream partitions that a partition needs."""
        return c.AnyDep(_condition(condition), _keys(assets), _keys(ignoring))

    @staticmethod
    def all_deps(condition: AnyCondition, *assets: Any, ignoring: Sequence[Any] = ()) -> AnyCondition:
        """The condition holds for every upstream partition that a partition needs."""
        return c.AllDeps(_condition(condition), _keys(assets), _keys(ignoring))

    # ---- about the asset ----

    @staticmethod
    def missing() -> AnyCondition:
        """It was never made."""
        return c.Missing()

    @staticmethod
    def stale() -> AnyCondition:
        """It was made of code or data that have changed since."""
        return c.Stale()

    @staticmethod
    def code_changed() -> AnyCondition:
        """It was made with other code than it has now."""
        return c.CodeChanged()

    @staticmethod
    def freshness_overdue() -> AnyCondition:
        """It is not as fresh as its `freshness=` asks for."""
        return c.FreshnessOverdue()

    @staticmethod
    def check_failed(check: str = "", *, blocking: bool = False) -> AnyCondition:
        """The last verdict of a check, or of any (blocking) check, is that it failed."""
        return c.CheckFailed(check, blocking)

    @staticmethod
    def in_progress() -> AnyCondition:
        """A run is to make it and has not yet."""
        return c.InProgress()

    @staticmethod
    def run_failed() -> AnyCondition:
        """The last run that was to make it ended without having made it."""
        return c.RunFailed()

    @staticmethod
    def latest(count: int = 1) -> AnyCondition:
        """One of the last `count` partitions of time; where there is no time, every partition."""
        return c.Latest(count)

    # ---- for one tick ----

    @staticmethod
    def newly_updated() -> AnyCondition:
        """It was made since the tick before."""
        return c.NewlyUpdated()

    @staticmethod
    def newly_requested() -> AnyCondition:
        """It was requested by the tick before."""
        return c.NewlyRequested()

    @staticmethod
    def newly_started() -> AnyCondition:
        """A run that is to make it was created since the tick before, by whomever."""
        return c.NewlyStarted()

    @staticmethod
    def will_be_requested() -> AnyCondition:
        """It is requested by this tick: for `any_dep` and `all_deps`."""
        return c.WillBeRequested()

    @staticmethod
    def cron_passed(cron: str, timezone: str = "UTC") -> AnyCondition:
        """`cron` has fired since the tick before."""
        return c.CronPassed(cron, timezone)

    @staticmethod
    def initial() -> AnyCondition:
        """It is the first tick that knows this condition of this asset."""
        return c.Initial()


class Freshness:
    """How fresh an asset has to be: not older than `max_age`, or made by each time of the cron expression `by`.

    `within`: not longer before that time; by default since the time before. Lengths are seconds or timedeltas.
    """

    def __init__(
        self,
        max_age: timedelta | float | None = None,
        *,
        by: str = "",
        timezone: str = "UTC",
        within: timedelta | float | None = None,
    ) -> None:
        self.policy = FreshnessPolicy(_seconds(max_age), by, timezone, _seconds(within))

    def __repr__(self) -> str:
        return f"<freshness {self.policy}>"


def _seconds(length: timedelta | float | None) -> float | None:
    return length.total_seconds() if isinstance(length, timedelta) else length


def _keys(assets: Sequence[Any]) -> tuple[str, ...]:
    listed = [assets] if isinstance(assets, str) else assets
    return tuple([key_of(one) for one in listed])


def _condition(value: Any) -> AnyCondition:
    if isinstance(value, Condition):
        return value  # type: ignore[return-value]
    raise DefinitionError(f"{value!r} is not a condition", hint="write Automation.any_dep(Automation.missing())")


# ---- among the other definitions ----


def checked_condition(given: Any, where: str) -> AnyCondition | None:
    """What `automation=` says, or DefinitionError."""
    if given is None:
        return None
    if isinstance(given, Condition):
        return given  # type: ignore[return-value]
    name = given if isinstance(given, str) else getattr(given, "__name__", "")
    if isinstance(getattr(Automation, name, None), type(Automation.eager)):
        hint = f"write automation=Automation.{name}()"
    else:
        hint = "write automation=Automation.eager(), or another condition of batuta.Automation"
    raise DefinitionError(f"automation= is {given!r}, which is no condition", where=where, hint=hint)


def checked_policy(given: Any, where: str) -> FreshnessPolicy | None:
    """What `freshness=` says, or DefinitionError."""
    if given is None:
        return None
    policy = given.policy if isinstance(given, Freshness) else given
    validate_freshness(policy, where)
    return policy


def validate_automation(specs: Iterable[AssetSpec], checks: Iterable[CheckSpec]) -> None:
    """Raise DefinitionError for a condition that means nothing among the definitions of its asset."""
    names: dict[str, set[str]] = {}
    for check in checks:
        names.setdefault(check.asset, set()).add(check.name)
    right: set[tuple[str, str]] = set()
    for spec in specs:
        if spec.automation is not None:
            where = f"{spec.place}: automation of {spec.key!r}"
            for node in c.walk(spec.automation):
                _validate_node(node, spec, where, right)
            _validate_own(spec.automation, spec, names.get(spec.key, set()), where)


def _validate_node(node: AnyCondition, spec: AssetSpec, where: str, right: set[tuple[str, str]]) -> None:
    if isinstance(node, c.CronPassed | c.UpdatedSinceCron) and (node.cron, node.timezone) not in right:
        validate_cron(node.cron, node.timezone, where)
        right.add((node.cron, node.timezone))
    if isinstance(node, c.Latest) and node.count < 1:
        raise DefinitionError(f"the latest {node.count} partitions", where=where, hint="give 1 or more")


def _validate_own(condition: AnyCondition, spec: AssetSpec, checks: set[str], where: str) -> None:
    """What is about the asset itself, and not about its upstreams."""
    if isinstance(condition, c.FreshnessOverdue) and spec.freshness is None:
        hint = "write freshness=Freshness(max_age=...) beside it"
        raise DefinitionError("freshness_overdue() of an asset without freshness=", where=where, hint=hint)
    if isinstance(condition, c.CheckFailed) and condition.check and condition.check not in checks:
        hint = similar(condition.check, checks) or f"its checks are {', '.join(sorted(checks)) or 'none'}"
        raise DefinitionError(f"check_failed() of {condition.check!r}, which is no check of it", where=where, hint=hint)
    if isinstance(condition, c.DepCondition):
        known = {dep.asset for dep in spec.deps}
        for name in (*condition.assets, *condition.ignoring):
            if name not in known:
                hint = similar(name, known) or f"it depends on {', '.join(sorted(known)) or 'nothing'}"
                raise DefinitionError(f"{name!r} is not one of its upstreams", where=where, hint=hint)
        return
    for part in condition.parts:
        _validate_own(part, spec, checks, where)
