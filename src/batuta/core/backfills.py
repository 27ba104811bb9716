"""Backfills: a request for many partitions or logical times, as items of one run each; what becomes of it step by step.

All decisions are here: which items there are, which are submitted next, when it is over, what a retry runs again. An
item is done for when its run is; its next attempt has a run of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, Literal

import msgspec

from batuta.core.environments import checked_name
from batuta.core.errors import RequestError
from batuta.core.schedule_specs import Fire, ScheduleSpec
from batuta.core.states import RunState

Mode = Literal["all", "missing", "stale", "failed"]
"""Which of the partitions: all, those never made, those that are missing or stale, those that failed when last made."""
Order = Literal["oldest", "newest"]

ITEMS_MAX = 200_000
RUNS_MAX = 10
"""Runs at once, unless something else is said."""
SUBMITTED_MAX = 1_000
"""Runs that are made in one transaction."""


class BackfillState(StrEnum):
    """Where a backfill stands."""

    RUNNING = "running"
    PAUSED = "paused"  # what is under way ends, nothing new is submitted
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset((BackfillState.SUCCEEDED, BackfillState.FAILED, BackfillState.CANCELLED))


class ItemState(StrEnum):
    """Where an item stands."""

    WAITING = "waiting"
    SUBMITTED = "submitted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Backfill(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is to be run: partitions of the selected assets or of an asset job, or a job for many logical times.

    `partitions` is a choice as on the command line. `first` and `last` bound logical times, both included; they are
    those of `timing`. `batch`: partitions of one run, 0 for all of them in one. `runs_max`: runs at once.
    """

    job: str = ""
    selection: str = ""
    location: str = ""
    partitions: str = ""
    first: float | None = None
    last: float | None = None
    timing: ScheduleSpec | None = None
    mode: Mode = "all"
    batch: int = 1
    runs_max: int = RUNS_MAX
    order: Order = "oldest"
    priority: int = 0
    params: dict[str, Any] = {}
    tags: dict[str, str] = {}
    environment: str = ""


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One run of a backfill: for partitions (by asset, where the selected assets have several kinds), or a time."""

    label: str
    partitions: tuple[str, ...] = ()
    of: str = ""  # the asset whose partitions they are, where others follow from them
    fire: Fire | None = None


def validate(backfill: Backfill) -> None:
    """Raises RequestError for what cannot be."""
    if bool(backfill.job) == bool(backfill.selection):
        raise RequestError("name a job, or a selection of assets", hint="one of the two")
    if not backfill.partitions and backfill.first is None:
        raise RequestError(
            "it is not said which partitions, or which logical times", hint="say partitions, or from and to"
        )
    if backfill.partitions and backfill.first is not None:
        raise RequestError("a backfill is over partitions or over logical times", hint="leave out one of them")
    if backfill.environment:
        checked_name(backfill.environment)
    if backfill.batch < 0:
        raise RequestError(f"batch is {backfill.batch}", hint="give partitions for one run: 1 and up, 0 for all in one")
    if backfill.runs_max < 1:
        raise RequestError(f"runs_max is {backfill.runs_max}", hint="give 1 or more")
    if backfill.first is not None:
        if backfill.timing is None:
            raise RequestError("it is not said how often the logical times are", hint="say every: daily, or a cron")
        if backfill.last is None or backfill.last < backfill.first:
            raise RequestError("the logical times end before they begin", hint="say from and to, both included")
        if backfill.mode != "all":
            raise RequestError(f"mode {backfill.mode!r} is for partitions of assets")


# ---- items ----


def items_of_labels(backfill: Backfill, labels: Sequence[str], of: str = "") -> list[Item]:
    """The items for these partitions, which are in their own order. Raises RequestError for too many."""
    size = backfill.batch or max(len(labels), 1)
    batches = [tuple(labels[i : i + size]) for i in range(0, len(labels), size)]
    return _ordered(backfill, [Item(label_of(batch), batch, of) for batch in batches])


def items_of_times(backfill: Backfill, fires: Sequence[Fire], texts: Sequence[str]) -> list[Item]:
    """The items for these logical times; `texts` show them. Raises RequestError for too many."""
    return _ordered(backfill, [Item(text, fire=fire) for fire, text in zip(fires, texts, strict=True)])


def _ordered(backfill: Backfill, items: list[Item]) -> list[Item]:
    if len(items) > ITEMS_MAX:
        hint = "give a larger batch, or a part of it at a time"
        raise RequestError(f"{len(items):,} runs are more than the {ITEMS_MAX:,} of one backfill", hint=hint)
    return items if backfill.order == "oldest" else items[::-1]


def label_of(partitions: Sequence[str]) -> str:
    """Partitions of one run in a few characters."""
    if len(partitions) <= 1:
        return "".join(partitions)
    return f"{partitions[0]}..{partitions[-1]} ({len(partitions)})"


def same_for_all(asked: Mapping[str, Sequence[str]]) -> bool:
    """Whether all assets have the same partitions chosen, so that one choice serves them all."""
    first = next(iter(asked.values()), ())
    return all(labels == first for labels in asked.values())


# ---- going on ----


def room(backfill: Backfill, state: str, submitted: int) -> int:
    """How many items may be submitted now."""
    if state != BackfillState.RUNNING:
        return 0
    return max(0, min(backfill.runs_max - submitted, SUBMITTED_MAX))


def end_of(run_state: str) -> ItemState | None:
    """What the end of a run makes of its item; None while it has not ended."""
    match run_state:
        case RunState.SUCCEEDED:
            return ItemState.SUCCEEDED
        case RunState.FAILED:
            return ItemState.FAILED
        case RunState.CANCELLED:
            return ItemState.CANCELLED
    return None


def next_state(state: str, counts: Mapping[str, int]) -> BackfillState:
    """Where the backfill stands, by how many of its items are in each state."""
    open_ = counts.get(ItemState.SUBMITTED, 0)
    if state == BackfillState.CANCELLING:
        return BackfillState.CANCELLING if open_ else BackfillState.CANCELLED
    if state in FINAL or open_ or counts.get(ItemState.WAITING, 0):
        return BackfillState(state)
    if counts.get(ItemState.FAILED, 0):
        return BackfillState.FAILED
    return BackfillState.CANCELLED if counts.get(ItemState.CANCELLED, 0) else BackfillState.SUCCEEDED


Action = Literal["pause", "resume", "cancel", "retry"]
_FROM: dict[Action, Collection[BackfillState]] = {
    "pause": (BackfillState.RUNNING,),
    "resume": (BackfillState.PAUSED,),
    "cancel": (BackfillState.RUNNING, BackfillState.PAUSED),
    "retry": (BackfillState.RUNNING, BackfillState.PAUSED, *FINAL),
}
_TO: dict[Action, BackfillState] = {
    "pause": BackfillState.PAUSED,
    "resume": BackfillState.RUNNING,
    "cancel": BackfillState.CANCELLING,
    "retry": BackfillState.RUNNING,
}


def after(action: Action, state: str, number: int) -> BackfillState:
    """Where a person's wish brings a backfill. Raises RequestError where it makes no sense."""
    current = BackfillState(state)
    if current not in _FROM[action]:
        possible = ", ".join(name for name, states in _FROM.items() if current in states) or "nothing"
        told = f"backfill {number} is {current}" if current not in FINAL else f"backfill {number} has {current}"
        if current is BackfillState.CANCELLED:
            told = f"backfill {number} was cancelled"
        raise RequestError(f"{told}: {action} makes no sense", hint=f"possible now: {possible}")
    if action == "retry" and current is BackfillState.PAUSED:
        return BackfillState.PAUSED
    return _TO[action]


def retried(states: Collection[str]) -> tuple[ItemState, ...]:
    """The states of items that a retry runs again: what failed, and what was stopped."""
    return tuple(state for state in (ItemState.FAILED, ItemState.CANCELLED) if state in states)
