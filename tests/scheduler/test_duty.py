"""Duties: called when due or woken, under a lead where only one may do it, and never stopped by an error."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

from batuta.scheduler.duty import LEAD_S, DutyThread
from batuta.store import Store
from batuta.store.rows import Leader

PATIENCE_S = 30.0


class Counting:
    """Tells each call; wants to be called again as `again` says."""

    def __init__(self, name: str, leads: bool, again: Callable[[int, float], float | None]) -> None:
        self.name, self.leads = name, leads
        self.calls: queue.Queue[Leader | None] = queue.Queue()
        self._again = again
        self._count = 0

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        self._count += 1
        self.calls.put(lead)
        return self._again(self._count, now)


def test_it_is_called_when_due_and_when_woken(sqlite_url: str) -> None:
    with Store.open(sqlite_url) as store:
        duty = Counting("count", False, lambda count, now: now if count < 3 else None)
        thread = DutyThread(duty, store, "me")
        thread.start()
        for _ in range(3):
            assert duty.calls.get(timeout=PATIENCE_S) is None
        thread.wake()
        duty.calls.get(timeout=PATIENCE_S)
        thread.stop()
        assert duty.calls.empty()


def test_an_error_is_told_and_does_not_end_it(sqlite_url: str) -> None:
    def fail_once(count: int, now: float) -> float | None:
        if count == 1:
            raise ValueError("not today")
        return None

    told: queue.Queue[str] = queue.Queue()
    with Store.open(sqlite_url) as store:
        duty = Counting("count", False, fail_once)
        thread = DutyThread(duty, store, "me", on_error=lambda duty, error: told.put(f"{duty.name}: {error}"))
        thread.start()
        assert told.get(timeout=PATIENCE_S) == "count: not today"
        assert thread.failures == 1
        duty.calls.get(timeout=PATIENCE_S)
        duty.calls.get(timeout=PATIENCE_S)  # again, after a while
        thread.stop()
        assert thread.failures == 0


def test_one_of_two_schedulers_does_it(store_url: str) -> None:
    with Store.open(store_url) as store:
        duties = [Counting("ticks", True, lambda count, now: None) for _ in range(2)]
        threads = [DutyThread(duty, store, f"scheduler-{i}") for i, duty in enumerate(duties)]
        threads[0].start()
        lead = duties[0].calls.get(timeout=PATIENCE_S)
        assert lead is not None
        assert lead.owner == "scheduler-0"
        assert lead.until <= time.time() + LEAD_S
        threads[1].start()
        threads[1].wake()
        threads[0].stop()  # gives the lead up
        threads[1].wake()
        taken = duties[1].calls.get(timeout=PATIENCE_S)
        assert taken is not None
        assert taken.epoch == lead.epoch + 1
        threads[1].stop()
