"""The conditions that people start from, written in the algebra of `core.conditions`.

The surprising rule: an external asset counts as there, because nothing here could make it.
"""

from __future__ import annotations

from batuta.core.conditions import (
    AllDeps,
    AllOf,
    AnyDep,
    AnyDepUpdated,
    CheckFailed,
    CronPassed,
    InProgress,
    Latest,
    Missing,
    NewlyRequested,
    NewlyStarted,
    UpdatedSinceCron,
    WillBeRequested,
)


def any_dep_missing() -> AnyDep:
    """An upstream partition was never made, and this tick does not request it."""
    return AnyDep(Missing() & ~WillBeRequested(), label="any upstream missing")


def any_dep_in_progress() -> AnyDep:
    """An upstream partition is being made."""
    return AnyDep(InProgress(), label="any upstream in progress")


def any_dep_unproven() -> AnyDep:
    """A blocking check of an upstream partition failed, and this tick does not request it again."""
    return AnyDep(CheckFailed(blocking=True) & ~WillBeRequested(), label="any upstream failed a blocking check")


def eager() -> AllOf:
    """As soon as possible: when an upstream was made, and when the latest partition is missing.

    It waits while an upstream is missing, being made, or has failed a blocking check.
    """
    wanted = (Missing() & Latest()).named("missing in the latest partition")
    updated = AnyDepUpdated().since(NewlyStarted()).named("any upstream updated since it was started last")
    ready = ~any_dep_missing() & ~any_dep_in_progress() & ~any_dep_unproven()
    return ((wanted | updated) & ready).named("eager")


def on_cron(cron: str, timezone: str = "UTC") -> AllOf:
    """Once for each time of `cron`, after all upstreams have been made since; the latest partition only."""
    due = CronPassed(cron, timezone).since(NewlyRequested()).named(f"{cron} ({timezone}) has passed since its request")
    return (due & all_deps_updated_since(cron, timezone) & Latest()).named(f"on cron {cron} ({timezone})")


def all_deps_updated_since(cron: str, timezone: str = "UTC") -> AllDeps:
    """Every upstream was made since `cron` fired last, or is requested by this tick."""
    return AllDeps(
        UpdatedSinceCron(cron, timezone) | WillBeRequested(), label=f"every upstream updated since {cron} ({timezone})"
    )
