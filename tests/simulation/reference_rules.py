"""Trigger rules and the scopes of setups, said naively: what the reference knows before anything has happened."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable

from batuta.core.plan import MapExpansion, Plan, StepSpec
from batuta.core.states import TaskState
from batuta.core.trigger_rules import TriggerRule

W, Q, R = TaskState.WAITING, TaskState.QUEUED, TaskState.RUNNING
RETRYING, DEFERRED, PAUSED = TaskState.RETRYING, TaskState.DEFERRED, TaskState.PAUSED
OK, FAILED, SKIPPED = TaskState.SUCCEEDED, TaskState.FAILED, TaskState.SKIPPED
UP_FAILED, CANCELLED = TaskState.UPSTREAM_FAILED, TaskState.CANCELLED
ENDS = {OK, FAILED, SKIPPED, UP_FAILED, CANCELLED}
BAD = {FAILED, UP_FAILED, CANCELLED}
Bits = tuple[bool, bool, bool, bool]
"""Whether any upstream succeeded, failed, was skipped, was held back by a failure."""

# ---- trigger rules, as Airflow's documentation says them of upstreams that have all ended ----

_FINAL: dict[TriggerRule, Callable[[bool, bool, bool, bool], str]] = {
    TriggerRule.ALL_SUCCESS: lambda s, f, k, u: "upstream_failed" if f or u else "skip" if k else "run",
    TriggerRule.ALL_FAILED: lambda s, f, k, u: "skip" if s or k else "run",
    TriggerRule.ALL_DONE: lambda s, f, k, u: "run",
    TriggerRule.ALL_DONE_SETUP_SUCCESS: lambda s, f, k, u: "run",
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: lambda s, f, k, u: "run" if s else "upstream_failed" if f or u else "skip",
    TriggerRule.ALL_SKIPPED: lambda s, f, k, u: "skip" if s or f or u else "run",
    TriggerRule.ONE_SUCCESS: lambda s, f, k, u: "run" if s else "upstream_failed" if f or u else "skip",
    TriggerRule.ONE_FAILED: lambda s, f, k, u: "run" if f or u else "skip",
    TriggerRule.ONE_DONE: lambda s, f, k, u: "run" if s or f else "skip",
    TriggerRule.NONE_FAILED: lambda s, f, k, u: "upstream_failed" if f or u else "run",
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: lambda s, f, k, u: "upstream_failed" if f or u else "run" if s else "skip",
    TriggerRule.NONE_SKIPPED: lambda s, f, k, u: "skip" if k else "run",
    TriggerRule.ALWAYS: lambda s, f, k, u: "run",
}
_PATIENT = {TriggerRule.ALL_DONE, TriggerRule.ALL_DONE_MIN_ONE_SUCCESS, TriggerRule.ALL_DONE_SETUP_SUCCESS}


def verdict(rule: TriggerRule, states: Iterable[TaskState | None], setups: Iterable[TaskState] = ()) -> str:
    """What the rule says; None stands for an upstream that goes on. It is early if no way for those to end differs."""
    seen = set(states)
    bits = (OK in seen, FAILED in seen or CANCELLED in seen, SKIPPED in seen, UP_FAILED in seen)
    if None not in seen and rule is TriggerRule.ALL_DONE_SETUP_SUCCESS:
        of_setups = set(setups)
        if of_setups and OK not in of_setups:
            return "upstream_failed" if of_setups & BAD else "skip"
    return _verdict(rule, bits, None in seen)


@functools.cache
def _verdict(rule: TriggerRule, bits: Bits, pending: bool) -> str:
    if rule is TriggerRule.ALWAYS:
        return "run"
    if not pending:
        return _FINAL[rule](*bits) if any(bits) else "run"
    if rule in _PATIENT:
        return "wait"
    s, f, k, u = bits
    more = [added for added in itertools.product((False, True), repeat=4) if any(added)]
    verdicts = {_FINAL[rule](s or a, f or b, k or c, u or d) for a, b, c, d in more}
    return verdicts.pop() if len(verdicts) == 1 else "wait"


def is_named(spec: StepSpec, name: str) -> bool:
    return spec.key == name or spec.group == name or spec.group.startswith(name + ".")


@functools.lru_cache(maxsize=8)
def direct_downs(plan: Plan) -> dict[str, set[str]]:
    downs: dict[str, set[str]] = {spec.key: set() for spec in plan.steps}
    for spec in plan.steps:
        for edge in spec.upstream:
            downs[edge.step].add(spec.key)
        if isinstance(spec.expansion, MapExpansion):
            for source in spec.expansion.sources:
                if source.step:
                    downs[source.step].add(spec.key)
    return downs


@functools.lru_cache(maxsize=8)
def scopes_of(plan: Plan) -> dict[str, set[str]]:
    """Which setups each step needs: those with a path to it, and one from it to their teardown if they have one."""
    downs = direct_downs(plan)

    def leads(start: str, to: str) -> bool:
        seen: set[str] = set()
        todo = [start]
        while todo:
            more = downs[todo.pop()] - seen
            seen |= more
            todo += more
        return to in seen

    scopes: dict[str, set[str]] = {}
    specs = {spec.key: spec for spec in plan.steps}
    for setup in (spec for spec in plan.steps if spec.is_setup):
        teardowns = [down for down in downs[setup.key] if specs[down].is_teardown]
        for spec in plan.steps:
            if spec.is_teardown or not leads(setup.key, spec.key):
                continue
            if not teardowns or any(leads(spec.key, teardown) for teardown in teardowns):
                scopes.setdefault(spec.key, set()).add(setup.key)
    return scopes
