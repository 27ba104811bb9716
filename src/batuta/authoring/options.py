"""What can be said about how a task is run: retries, caching, limits, hooks. Shared by every style."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from batuta.core.errors import DefinitionError, nearest
from batuta.core.plan import StepKind, StepSpec
from batuta.core.retry import Retry
from batuta.core.trigger_rules import TriggerRule

RetryCondition = Callable[[BaseException], bool] | type[BaseException] | tuple[type[BaseException], ...]
Hook = Callable[..., Any]
"""Called with the step's context, and, for failure and retry, the exception."""


@dataclass(frozen=True, slots=True)
class Cache:
    """When a recorded result is used again instead of running the task.

    The key is made of the task's code (`code`), its arguments (`inputs`) or whatever `key(context, arguments)` returns.
    `ttl_s` is how many seconds a result stays good; None for ever.
    """

    inputs: bool = True
    code: bool = True
    ttl_s: float | None = None
    key: Callable[..., str] | None = None


ONCE = Retry()
"""A single try."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a task is run. See `task` for what each means."""

    name: str = ""
    retry: Retry = ONCE
    retry_if: RetryCondition | None = None
    timeout_s: float | None = None
    cache: Cache | None = None
    pools: tuple[tuple[str, int], ...] = ()
    priority: int = 0
    concurrency_max: int | None = None
    isolated: bool = False
    persist: bool = True
    result_storage: str | None = None
    tags: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    on_success: tuple[Hook, ...] = ()
    on_failure: tuple[Hook, ...] = ()
    on_retry: tuple[Hook, ...] = ()
    description: str = ""
    trigger_rule: TriggerRule | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was said and not left to the default, so that the defaults of a DAG go below it."""

    def spec(self, key: str, task: str, kind: StepKind, **more: Any) -> StepSpec:
        """These options as a step of a plan."""
        return StepSpec(
            key=key,
            task=task,
            kind=kind,
            retry=self.retry,
            timeout_s=self.timeout_s,
            pools=self.pools,
            priority=self.priority,
            instances_max=self.concurrency_max,
            isolated=self.isolated,
            tags=self.tags,
            reads=more.pop("reads", self.reads),
            writes=more.pop("writes", self.writes),
            **more,
        )

    def retries_error(self, error: BaseException) -> bool:
        """Whether the retry condition lets this error be tried again."""
        condition = self.retry_if
        if condition is None:
            return True
        if isinstance(condition, (type, tuple)):
            return isinstance(error, condition)
        return bool(condition(error))


_NAMES = tuple(name for name in Options.__dataclass_fields__ if name != "given")
_RETRY_ALIASES = ("retries", "retry_delay_s", "retry_backoff", "retry_jitter", "retry_delay_max_s")
_ALIASES = (*_RETRY_ALIASES, "pool")
_SHOWN = tuple(name for name in (*_NAMES, *_ALIASES) if name != "extra")


def make_options(base: Options | None, given: dict[str, Any], where: str) -> Options:
    """Options from keyword arguments, on top of `base`; a misspelt one is an error that names the nearest."""
    base = base or Options()
    for name in given:
        if name not in _NAMES and name not in _ALIASES:
            hint = nearest(name, _SHOWN) or f"options are {', '.join(_SHOWN)}"
            raise DefinitionError(f"unknown option {name!r}", where=where, hint=hint)
    values = {name: value for name, value in given.items() if name in _NAMES}
    values["retry"] = _retry(base.retry, given, where)
    pools = _pools(base.pools, given)
    values["pools"] = pools
    for name in ("tags", "reads", "writes"):
        if name in values:
            values[name] = _strings(values[name])
    for name in ("on_success", "on_failure", "on_retry"):
        if name in values:
            hooks = values[name]
            values[name] = tuple(hooks) if isinstance(hooks, Sequence) else (hooks,)
    cache = values.get("cache")
    if isinstance(cache, str) or cache is True:
        values["cache"] = Cache(code=cache is True or "code" in str(cache))
    timeout_s = values.get("timeout_s")
    if timeout_s is not None and timeout_s <= 0:
        raise DefinitionError(f"timeout_s is {timeout_s}", where=where, hint="give seconds above 0, or None")
    if values.get("trigger_rule") is not None:
        values["trigger_rule"] = _trigger_rule(values["trigger_rule"], where)
    return replace(base, **values, given=_given(base.given, given))


def _trigger_rule(value: Any, where: str) -> TriggerRule:
    try:
        return TriggerRule(value)
    except ValueError:
        rules = [str(rule) for rule in TriggerRule]
        hint = nearest(str(value), rules) or f"trigger rules are {', '.join(rules)}"
        raise DefinitionError(f"unknown trigger rule {value!r}", where=where, hint=hint) from None


def _given(base: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """All that was said so far; a whole policy takes the place of its parts said before."""
    if not base or not given:
        return given or base
    replaced = set(_RETRY_ALIASES) if "retry" in given else set()
    if "pool" in given or "pools" in given:
        replaced |= {"pool", "pools"}
    return {**{name: value for name, value in base.items() if name not in replaced}, **given}


def _retry(base: Retry, given: dict[str, Any], where: str) -> Retry:
    retry: Retry = given.get("retry", base)
    if not any(name in given for name in _ALIASES):
        retry.validate(where)
        return retry
    backoff: Literal["fixed", "exponential"] = given.get("retry_backoff", retry.backoff)
    if backoff not in ("fixed", "exponential"):
        raise DefinitionError(f"retry_backoff is {backoff!r}", where=where, hint="use 'fixed' or 'exponential'")
    made = Retry(
        attempts_max=given["retries"] + 1 if "retries" in given else retry.attempts_max,
        delay_s=float(given.get("retry_delay_s", retry.delay_s)),
        backoff=backoff,
        factor=retry.factor,
        delay_max_s=float(given.get("retry_delay_max_s", retry.delay_max_s)),
        jitter=float(given.get("retry_jitter", retry.jitter)),
    )
    made.validate(where)
    return made


def _pools(base: tuple[tuple[str, int], ...], given: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    if "pool" in given:
        return ((given["pool"], 1),)
    pools = given.get("pools", base)
    if isinstance(pools, dict):
        return tuple(pools.items())
    return tuple((pool, 1) if isinstance(pool, str) else pool for pool in pools)


def _strings(value: Any) -> tuple[str, ...]:
    values = (value,) if isinstance(value, str) or hasattr(value, "key") else value
    return tuple(getattr(one, "key", one) for one in values)
