"""A duty: one thing that a scheduler does again and again, in a thread of its own, whatever the others do.

All duties have one shape. `run_once` does what is due and says when it wants to be called again; whoever has news for
it wakes it. One that only a single scheduler may do at a time (`leads`) is called under a lead, whose epoch fences all
that it writes. A duty that raises is told of, waits longer each time, and holds up nobody else.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from batuta.core.errors import BatutaError
from batuta.core.tallies import SHORT_S, Histogram
from batuta.engine.owners import is_dead
from batuta.runtime.service_log import fields
from batuta.store.errors import LeadLost
from batuta.store.rows import Leader
from batuta.store.store import Store

LEAD_S = 10.0
"""How long a scheduler that has died keeps others from its duties."""
RENEW_S = LEAD_S / 3
RETRY_S, RETRY_S_MAX = 0.5, 30.0

logger = logging.getLogger("batuta.scheduler")


class Duty(Protocol):
    """See the module."""

    name: str
    leads: bool

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """Do what is due at `now` (seconds since the epoch); when to be called again, None: when woken.

        `lead` is to be given to all writing that must not be done twice.
        """


class DutyThread:
    """Calls one duty when it is due or woken, until `stop`."""

    def __init__(
        self,
        duty: Duty,
        store: Store,
        owner: str,
        *,
        clock: Callable[[], float] = time.time,
        on_error: Callable[[Duty, Exception], None] | None = None,
    ) -> None:
        self.duty = duty
        self.failures = 0
        self.ran_at: float | None = None
        self.took_s = 0.0
        self.calls_s = Histogram(SHORT_S)
        """How long its calls took."""
        self.errors = 0
        """How many of its calls failed, ever."""
        self.lead: Leader | None = None
        self._store = store
        self._owner = owner
        self._clock = clock
        self._on_error = on_error
        self._woken = threading.Condition()
        self._is_woken = False
        self._stopping = False
        self._thread = threading.Thread(target=self._main, name=f"batuta-{duty.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There is news: call it soon. From any thread."""
        with self._woken:
            self._is_woken = True
            self._woken.notify()

    def stop(self) -> None:
        """End once the present call has returned; waits for it."""
        with self._woken:
            self._stopping = True
            self._woken.notify()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _main(self) -> None:
        try:
            with fields(duty=self.duty.name):
                while not self._stopping:
                    self._wait(self._call())
        finally:
            self._give_up()

    def _call(self) -> float | None:
        """One call; when the next one is due."""
        now = self._clock()
        started = time.perf_counter()
        try:
            if self.duty.leads and not self._leads():
                return now + RENEW_S
            due = self.duty.run_once(now, self.lead)
            self.failures = 0
        except LeadLost:
            self.lead = None
            return now + RENEW_S
        except Exception as error:
            self.failures += 1
            self.errors += 1
            self._tell(error)
            due = now + min(RETRY_S * 2 ** (self.failures - 1), RETRY_S_MAX)
        finally:
            self.ran_at, self.took_s = now, time.perf_counter() - started
            self.calls_s.add(self.took_s)
        if self.duty.leads:
            renewal = now + RENEW_S
            return renewal if due is None else min(due, renewal)
        return due

    def _leads(self) -> bool:
        now = self._store.lease_now()
        if self.lead is None or self.lead.until - now < LEAD_S - RENEW_S:
            self.lead = self._store.take_lead(self.duty.name, self._owner, LEAD_S, now)
            if self.lead is None:
                self.lead = self._succeed(now)
        return self.lead is not None

    def _succeed(self, now: float) -> Leader | None:
        """One who is known to be dead need not run out of time first."""
        former = self._store.leader(self.duty.name)
        if former is None or not is_dead(former.owner):
            return None
        return self._store.take_lead(self.duty.name, self._owner, LEAD_S, now, instead_of=former.owner)

    def _tell(self, error: Exception) -> None:
        ours = isinstance(error, BatutaError)
        logger.error("%s failed: %s", self.duty.name, error, exc_info=None if ours else error)
        if self._on_error is not None:
            self._on_error(self.duty, error)

    def _wait(self, due: float | None) -> None:
        with self._woken:
            if not self._is_woken and not self._stopping:
                self._woken.wait(None if due is None else max(due - self._clock(), 0.0))
            self._is_woken = False

    def _give_up(self) -> None:
        if self.lead is not None:
            try:
                self._store.give_up_lead(self.duty.name, self._owner)
            except BatutaError:
                return  # it runs out by itself
