"""When a step may start, given how its upstreams ended. The names and meanings are those of Airflow.

Every rule gives the same verdict whatever order the upstreams end in: a verdict that could still change waits.
"""

from __future__ import annotations

from enum import StrEnum

from batuta.core.states import TaskState


class TriggerRule(StrEnum):
    """How the ends of a step's upstreams decide about the step. Without any upstream, every rule says run."""

    ALL_SUCCESS = "all_success"
    ALL_FAILED = "all_failed"
    ALL_DONE = "all_done"
    ALL_DONE_MIN_ONE_SUCCESS = "all_done_min_one_success"
    ALL_DONE_SETUP_SUCCESS = "all_done_setup_success"
    ALL_SKIPPED = "all_skipped"
    ONE_SUCCESS = "one_success"
    ONE_FAILED = "one_failed"
    ONE_DONE = "one_done"
    NONE_FAILED = "none_failed"
    NONE_FAILED_MIN_ONE_SUCCESS = "none_failed_min_one_success"
    NONE_SKIPPED = "none_skipped"
    ALWAYS = "always"


class Verdict(StrEnum):
    """What a trigger rule says about a step."""

    WAIT = "wait"
    RUN = "run"
    SKIP = "skip"
    UPSTREAM_FAILED = "upstream_failed"


_BAD = frozenset((TaskState.FAILED, TaskState.CANCELLED, TaskState.UPSTREAM_FAILED))

EARLY_ON: dict[TriggerRule, frozenset[TaskState]] = {
    TriggerRule.ALL_SUCCESS: _BAD,
    TriggerRule.ALL_FAILED: frozenset((TaskState.SUCCEEDED, TaskState.SKIPPED)),
    TriggerRule.ALL_DONE: frozenset(),
    TriggerRule.ALL_DONE_MIN_ONE_SUCCESS: frozenset(),
    TriggerRule.ALL_DONE_SETUP_SUCCESS: frozenset(),
    TriggerRule.ALL_SKIPPED: _BAD | {TaskState.SUCCEEDED},
    TriggerRule.ONE_SUCCESS: frozenset((TaskState.SUCCEEDED,)),
    TriggerRule.ONE_FAILED: _BAD,
    TriggerRule.ONE_DONE: frozenset((TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELLED)),
    TriggerRule.NONE_FAILED: _BAD,
    TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS: _BAD,
    TriggerRule.NONE_SKIPPED: frozenset((TaskState.SKIPPED,)),
    TriggerRule.ALWAYS: frozenset(),
}
"""The ends of a single upstream that settle a rule's verdict while others are still going on."""

EARLY: frozenset[TriggerRule] = frozenset(rule for rule, ends in EARLY_ON.items() if ends) | {TriggerRule.ALWAYS}
"""Rules whose verdict can fall before every upstream has ended."""


class Tally:
    """How many upstream task runs ended in which way. `failed` counts cancelled ones too."""

    __slots__ = ("failed", "skipped", "succeeded", "upstream_failed")

    def __init__(self, succeeded: int = 0, failed: int = 0, skipped: int = 0, upstream_failed: int = 0) -> None:
        self.succeeded = succeeded
        self.failed = failed
        self.skipped = skipped
        self.upstream_failed = upstream_failed

    @property
    def done(self) -> int:
        return self.succeeded + self.failed + self.skipped + self.upstream_failed

    def count(self, state: TaskState, by: int = 1) -> None:
        """Count one end (`by=1`), or take it back (`by=-1`)."""
        if state is TaskState.SUCCEEDED:
            self.succeeded += by
        elif state is TaskState.SKIPPED:
            self.skipped += by
        elif state is TaskState.UPSTREAM_FAILED:
            self.upstream_failed += by
        else:
            self.failed += by

    def add(self, other: Tally) -> None:
        """Count all that `other` counted."""
        self.succeeded += other.succeeded
        self.failed += other.failed
        self.skipped += other.skipped
        self.upstream_failed += other.upstream_failed

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.upstream_failed + other.upstream_failed,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and self._counts() == other._counts()

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return "Tally(succeeded={}, failed={}, skipped={}, upstream_failed={})".format(*self._counts())

    def _counts(self) -> tuple[int, int, int, int]:
        return self.succeeded, self.failed, self.skipped, self.upstream_failed


def decide(rule: TriggerRule, tally: Tally, resolved: bool, setups: Tally | None = None) -> Verdict:
    """The verdict of `rule`; `resolved` says that every upstream has ended, `setups` counts only setup upstreams."""
    if rule is TriggerRule.ALL_SUCCESS:
        if tally.failed or tally.upstream_failed:
            return Verdict.UPSTREAM_FAILED
        if not resolved:
            return Verdict.WAIT
        return Verdict.SKIP if tally.skipped else Verdict.RUN
    if rule is TriggerRule.ALWAYS or (resolved and not tally.done):
        return Verdict.RUN
    if rule in _ONE:
        return _decide_one(rule, tally, resolved)
    if rule in _NONE:
        return _decide_none(rule, tally, resolved)
    return _decide_all(rule, tally, resolved, setups)


_ONE = frozenset((TriggerRule.ONE_SUCCESS, TriggerRule.ONE_FAILED, TriggerRule.ONE_DONE))
_NONE = frozenset((TriggerRule.NONE_FAILED, TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS, TriggerRule.NONE_SKIPPED))


def _decide_one(rule: TriggerRule, tally: Tally, resolved: bool) -> Verdict:
    bad = tally.failed + tally.upstream_failed
    if rule is TriggerRule.ONE_SUCCESS:
        if tally.succeeded:
            return Verdict.RUN
        if not resolved:
            return Verdict.WAIT
        return Verdict.UPSTREAM_FAILED if bad else Verdict.SKIP
    hits = bad if rule is TriggerRule.ONE_FAILED else tally.succeeded + tally.failed
    if hits:
        return Verdict.RUN
    return Verdict.SKIP if resolved else Verdict.WAIT


def _decide_none(rule: TriggerRule, tally: Tally, resolved: bool) -> Verdict:
    if rule is TriggerRule.NONE_SKIPPED:
        if tally.skipped:
            return Verdict.SKIP
        return Verdict.RUN if resolved else Verdict.WAIT
    if tally.failed or tally.upstream_failed:
        return Verdict.UPSTREAM_FAILED
    if not resolved:
        return Verdict.WAIT
    if rule is TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS and not tally.succeeded:
        return Verdict.SKIP
    return Verdict.RUN


def _decide_all(rule: TriggerRule, tally: Tally, resolved: bool, setups: Tally | None) -> Verdict:
    bad = tally.failed + tally.upstream_failed
    if rule is TriggerRule.ALL_FAILED:
        if tally.succeeded or tally.skipped:
            return Verdict.SKIP
        return Verdict.RUN if resolved else Verdict.WAIT
    if rule is TriggerRule.ALL_SKIPPED:
        if tally.succeeded or bad:
            return Verdict.SKIP
        return Verdict.RUN if resolved else Verdict.WAIT
    if not resolved:
        return Verdict.WAIT
    if rule is TriggerRule.ALL_DONE_MIN_ONE_SUCCESS and not tally.succeeded:
        return Verdict.UPSTREAM_FAILED if bad else Verdict.SKIP
    if rule is TriggerRule.ALL_DONE_SETUP_SUCCESS and setups is not None and setups.done and not setups.succeeded:
        return Verdict.UPSTREAM_FAILED if setups.failed + setups.upstream_failed else Verdict.SKIP
    return Verdict.RUN
