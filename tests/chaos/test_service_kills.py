"""Processes of the service are killed (-9) at random, under load: nothing is lost, doubled, run again or stuck."""

from __future__ import annotations

import contextlib
import random
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from batuta.scheduler.schedules import OFF
from batuta.store.store import Store
from tests.chaos.platform_load import LOCATION, SCHEDULES, write_load
from tests.chaos.platform_processes import Platform, platform, wait_until
from tests.chaos.platform_verdict import Verdict, all_runs, is_quiet, judge

SECONDS = {"ticking": 2.0, "mapping": 3.0, "counting": 1.0}
DRAIN_S = 240.0
COMMANDS = {
    "sqlite": (("up", "--no-server"),),
    "postgres": (("scheduler",), ("scheduler",), ("server", "--port", "0")),
}


@pytest.mark.chaos
@pytest.mark.timeout(0)
@pytest.mark.parametrize("database", sorted(COMMANDS))
def test_nothing_is_lost_or_doubled(database: str, tmp_path: Path, kills: int, request: pytest.FixtureRequest) -> None:
    url: str = request.getfixturevalue(f"{database}_url")
    root = write_load(tmp_path / "project", seconds=SECONDS)
    dice = random.Random(kills)
    told: Counter[str] = Counter()
    with Store.open(url) as store, platform(root, url, *COMMANDS[database]) as service:
        wait_until(lambda: len(all_runs(store)) >= 3, service, "the schedules do not fire")
        launch_backfill(service)
        with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C: enough, look at what has come of it
            while told.total() < kills:
                wait_until(lambda: service.victims().get("worker"), service, "no worker comes back")
                kind = dice.choices(service.kinds, [1 if kind == "host" else 3 for kind in service.kinds])[0]
                time.sleep(dice.uniform(0.0, 0.5))
                told[kind] += service.kill(kind, dice)
        verdict = settle(service, store)
    report(database, told, service, verdict)
    assert verdict.broken == []


def launch_backfill(service: Platform) -> None:
    """Ask for all partitions of the asset, a run each."""
    asked = service.command("backfills", "launch", "days", "--partitions", "all", "--runs", "2")
    assert asked.returncode == 0, asked.stdout + asked.stderr


def is_over(store: Store) -> bool:
    """Whether nothing is open, and no backfill has more to do."""
    return is_quiet(store) and not store.backfills.open()


def are_off(store: Store) -> bool:
    """Whether whoever evaluates the schedules has taken note that they are off: no tick is under way then."""
    return all(row.state == OFF for row in store.tickers("schedule"))


def settle(service: Platform, store: Store, seconds: dict[str, float] = SECONDS) -> Verdict:
    """Let what is due be done, with no more ticks, and look at it."""
    for name in SCHEDULES:
        store.switch("schedule", LOCATION, name, False, now=time.time())
    wait_until(lambda: are_off(store), service, "the schedules are not turned off", DRAIN_S)
    wait_until(lambda: is_over(store), service, "runs are stuck", DRAIN_S)
    service.stop()
    return judge(store, service.trace, seconds)


def report(database: str, told: Mapping[str, int], service: Platform, verdict: Verdict) -> None:
    """The figures, for whoever runs it with -s."""
    killed = ", ".join(f"{count} {kind}" for kind, count in sorted(told.items()))
    counts = ", ".join(f"{count:,} {what}" for what, count in sorted(verdict.counts.items()))
    print(f"\n{database}: {sum(told.values())} kills ({killed}), {service.starts} starts; {counts}")
