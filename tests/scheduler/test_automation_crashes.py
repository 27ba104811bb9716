"""Automation under crashes at random moments of its own transaction: no update is lost, no event comes twice."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from batuta.core import plan as plans
from batuta.core.errors import StoreError
from batuta.scheduler.automation_world import targets_of
from batuta.store.rows import Batch, MaterializationRow, RunUpdate
from tests.scheduler.conftest import Open
from tests.scheduler.test_automation import Stepped, root, runs_of

__all__ = ["root"]

STEPS = 40


class Crash(StoreError):
    """The process ends here."""


def crash_at(stepped: Stepped, moment: str, patch: pytest.MonkeyPatch) -> None:
    """Let the next transaction of a decision be the last thing that the process does, or just not happen any more."""
    store = stepped.service.store
    real = store.record_ticks

    def record(*args: Any, **more: Any) -> Any:
        if moment == "after":
            real(*args, **more)
        raise Crash("killed")

    patch.setattr(store, "record_ticks", record)


def work(stepped: Stepped, dice: random.Random | None) -> None:
    """Some runs that wait are done: they make what they were to make, or fail. Without dice all, and none fails."""
    store = stepped.service.store
    for run in runs_of(stepped.service):
        if run.state == "queued" and (dice is None or dice.random() < 0.7):
            claimed = store.claim(run.id, "me", 10.0, stepped.now, force=True)
            data = store.plan(run.plan_hash)
            assert data is not None
            failed = dice is not None and dice.random() < 0.2
            made = [
                MaterializationRow(asset, "", run.id, 0, stepped.now, f"{run.id}", "", b"{}", b"{}")
                for asset in ([] if failed else targets_of(plans.decode(data)))
            ]
            state = "failed" if failed else "succeeded"
            update = RunUpdate(run.id, claimed.epoch, 1, state, stepped.now, stepped.now, "")
            store.commit(Batch(runs=[update], materializations=made))


@pytest.mark.parametrize("seed", range(3))
def test_crashes_lose_and_double_nothing(seed: int, on_store: str, open_service: Open) -> None:
    dice = random.Random(seed)
    stepped = Stepped(open_service())
    stepped.tick()
    crashes = 0
    for _ in range(STEPS):
        what = dice.choice(["made", "made", "work", "tick", "before", "after", "restart"])
        if what == "made":
            stepped.made("raw")
        elif what == "work":
            work(stepped, dice)
        elif what == "restart":
            stepped.restart()
        elif what == "tick":
            stepped.tick()
        else:
            with pytest.MonkeyPatch.context() as patch:
                crash_at(stepped, what, patch)
                try:
                    stepped.tick()
                except Crash:
                    crashes += 1
                    if dice.random() < 0.5:  # else it was just the connection
                        stepped.restart()
    stepped.made("raw")
    for _ in range(10):
        stepped.tick()
        work(stepped, None)
    assert crashes > 3
    _check_nothing_is_lost(stepped)
    _check_every_event_came_once(stepped)


def _check_nothing_is_lost(stepped: Stepped) -> None:
    """What reads an asset was made, or tried, after the asset was."""
    news = stepped.service.store.asset_feed.made_since(0)
    last_raw = max(number for number, row in news if row.asset == "raw")
    after = [row.asset for number, row in news if number > last_raw]
    assert {"clean", "gold"} <= set(after)


def _check_every_event_came_once(stepped: Stepped) -> None:
    made = Counter(row.run_id for _, row in stepped.service.store.asset_feed.made_since(0) if row.asset == "gold")
    reports = [run for run in runs_of(stepped.service) if run.job == "report"]
    heard = Counter(event["run_id"] for run in reports for event in run.config["triggering_events"])
    assert heard == made
    assert made
