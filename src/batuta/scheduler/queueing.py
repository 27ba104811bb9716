"""The duty that starts queued runs: chosen by `core.run_queue`, claimed in one transaction, handed to the engine.

Only one scheduler chooses at a time, since limits count what all of them execute. What is claimed here runs here.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace

from batuta.core import plan as plans
from batuta.core import run_queue
from batuta.core.definitions import Definitions
from batuta.core.errors import InvariantError
from batuta.core.events import CancelAsked
from batuta.core.plan import Plan
from batuta.core.run_queue import Choice, Limits, OpenRun, QueuedRun
from batuta.engine.active import LOCATIONS, Assigned
from batuta.engine.children import NESTED
from batuta.engine.engine import Engine
from batuta.engine.runs import LEASE_S
from batuta.runtime.project import Project, QueueConfig
from batuta.scheduler.location import Version
from batuta.scheduler.locations import Locations
from batuta.store.rows import Leader, OpenRow, RunRow
from batuta.store.service import Chosen
from batuta.store.store import Store

LOOKED_AT_MAX = 5_000
EACH_LOOKED_AT_MAX = 500
"""How many queued runs one choice looks at, and how many of them of one job."""
AGAIN_S = 30.0
"""How long until it looks without having been woken."""
GATHER_S = 0.01
"""Runs that are queued within so short a time after a look are taken together: a look costs as much for one as for
many, and the first of a stream of them is not held up."""
_PLANS_MAX = 500


def limits_of(project: Project) -> Limits:
    """What the configuration says. Raises DefinitionError."""
    config: QueueConfig = project.config.queue
    where = project.file or None
    return Limits(
        total=config.runs_max,
        jobs=config.jobs,
        locations=config.locations,
        tags=config.tags,
        keys=config.keys,
        rates={name: run_queue.parse_rate(text, where) for name, text in config.rates.items()},
        ageing_s=config.ageing_s,
    )


def with_rules(limits: Limits, defined: Mapping[str, Definitions]) -> Limits:
    """The limits of the configuration, and below them those that jobs have by their definition."""
    rules = {
        f"{location}/{job.name}": job.rules.runs_max
        for location, definitions in defined.items()
        for job in definitions.jobs
        if job.rules.runs_max is not None and job.name not in limits.jobs
    }
    return replace(limits, jobs={**rules, **limits.jobs})


def serial_of(trigger: str, location: str, origin: str, config: Mapping[str, object]) -> str:
    """The name under which only one run at a time is executed: that of its schedule, unless that says otherwise."""
    return f"{trigger}:{location}/{origin}" if origin and config.get("overlap") else ""


class Plans:
    """Plans by their hash, decoded once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, Plan] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, plan_hash: str) -> Plan:
        """The plan. Raises InvariantError where it is not in the store."""
        with self._lock:
            if plan_hash in self._known:
                self._known.move_to_end(plan_hash)
                return self._known[plan_hash]
        data = self._store.plan(plan_hash)
        if data is None:
            raise InvariantError(f"the plan {plan_hash} is not in the store")
        plan = plans.decode(data)
        with self._lock:
            self._known[plan_hash] = plan
            if len(self._known) > _PLANS_MAX:
                self._known.popitem(last=False)
        return plan


class QueueDuty:
    """See the module."""

    name = "queue"
    leads = False

    def __init__(self, project: Project, store: Store, engine: Engine, locations: Locations, known: Plans) -> None:
        self.choice = Choice()
        """The last one: why the runs that it left wait."""
        self.some_wait = True
        """Whether the last choice left runs that may start when another ends."""
        self.draining: bool = False
        self._store = store
        self._engine = engine
        self._locations = locations
        self._plans = known
        self._deadline_at: float | None = None
        self._looked_at = -GATHER_S
        self.configure(project)

    def configure(self, project: Project) -> None:
        """The limits are these from now on. Raises DefinitionError, and leaves them as they were."""
        self.limits = limits_of(project)
        self._runs_max = project.config.service.runs_max
        self._merged: tuple[tuple[str, ...], Limits] | None = None

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        if self.draining:
            return None
        began = time.perf_counter()
        if began < self._looked_at + GATHER_S:
            return now + self._looked_at + GATHER_S - began
        self._looked_at = began
        self.choice, self.some_wait = Choice(), False
        lease_now = self._store.lease_now()
        claimed = self._store.claim_queued(
            # Starts are recorded by the clock of leases, which all schedulers share.
            lambda queued, running, starts: self._choose(queued, running, _moved(starts, now - lease_now), now),
            self._engine.owner,
            LEASE_S,
            lease_now,
            LOOKED_AT_MAX,
            EACH_LOOKED_AT_MAX,
            _seconds(self.limits),
        )
        if claimed:
            self._execute(claimed, now)
        took_s = time.perf_counter() - began
        wanted = [at for at in (self.choice.again_at, self._deadline_at, now + AGAIN_S) if at is not None]
        return max(min(wanted), now + 2 * took_s)

    def _choose(
        self, queued: list[RunRow], running: list[OpenRow], started: dict[str, list[float]], now: float
    ) -> Chosen:
        versions = self._locations.ready()
        ready = {each.location for each in versions}
        mine = [
            row
            for row in queued
            if ready.issuperset(row.config.get(LOCATIONS) or (row.location,)) and not row.config.get(NESTED)
        ]
        overdue = [row.id for row in mine if row.deadline_at is not None and row.deadline_at <= now]
        waiting = [_queued(row) for row in mine if row.deadline_at is None or row.deadline_at > now]
        room = max(self._runs_max - len(self._engine.run_ids), 0)
        choice = self.choice = run_queue.choose(
            waiting,
            [_open(row) for row in running],
            self._limits_with(versions),
            now,
            started=started,
            room=room,
        )
        self.some_wait = bool(choice.held) or len(queued) >= EACH_LOOKED_AT_MAX
        deadlines = [row.deadline_at for row in mine if row.deadline_at is not None and row.deadline_at > now]
        self._deadline_at = min(deadlines, default=None)
        return Chosen([*overdue, *choice.start], self._starts_of(waiting, set(choice.start)))

    def _limits_with(self, versions: list[Version]) -> Limits:
        """The limits, those of jobs among them."""
        loaded = tuple(version.executor_name for version in versions)
        if self._merged is None or self._merged[0] != loaded:
            defined = {version.location: version.definitions for version in versions}
            self._merged = (loaded, with_rules(self.limits, defined))
        return self._merged[1]

    def _starts_of(self, waiting: list[QueuedRun], chosen: set[int]) -> list[str]:
        """The rates that count each of the chosen."""
        rates = self.limits.rates
        if not rates:
            return []
        return [
            name
            for run in waiting
            if run.id in chosen
            for name in dict.fromkeys(run_queue.rate_names(run))
            if name in rates
        ]

    def _execute(self, claimed: list[RunRow], now: float) -> None:
        """Hand them to the engine; those whose deadline has passed end without having begun."""
        ready: list[tuple[RunRow, Plan, Assigned]] = []
        overdue: list[tuple[RunRow, Plan, Assigned]] = []
        for row in claimed:
            assigned = self._locations.assigned(row)
            if assigned is None:  # a location of its has just gone: somebody else may have it
                self._store.release(self._engine.owner, [row.id])
                continue
            found = (row, self._plans.get(row.plan_hash), assigned)
            late = row.deadline_at is not None and row.deadline_at <= now
            (overdue if late else ready).append(found)
        if ready:
            self._engine.adopt(ready)
        if overdue:
            self._engine.adopt(overdue, then=[CancelAsked(at=now, failed_for="its deadline passed before it began")])


def _seconds(limits: Limits) -> dict[str, float]:
    """For how long the starts that each rate counts are looked at."""
    return {name: rate.per_s for name, rate in limits.rates.items()}


def _moved(starts: dict[str, list[float]], by_s: float) -> dict[str, list[float]]:
    return {name: [at + by_s for at in times] for name, times in starts.items()}


def preview(store: Store, limits: Limits, now: float, count: int) -> list[tuple[RunRow, str]]:
    """The first queued runs in the order in which they would be started, and why not now ("": it would be)."""
    rows = {row.id: row for row in store.queued_runs(LOOKED_AT_MAX, EACH_LOOKED_AT_MAX)}
    lease_now = store.lease_now()
    started = _moved(store.starts_of_rates(_seconds(limits), lease_now), now - lease_now)
    waiting = [_queued(row) for row in rows.values()]
    choice = run_queue.choose(waiting, map(_open, store.open_runs()), limits, now, started=started)
    ordered = [*((number, "") for number in choice.start), *choice.held.items()]
    return [(rows[number], why) for number, why in ordered[:count]]


def _queued(row: RunRow) -> QueuedRun:
    return QueuedRun(
        id=row.id,
        location=row.location,
        job=row.job,
        created_at=row.created_at,
        priority=row.priority,
        tags=row.tags,
        concurrency_key=row.concurrency_key,
        serial=serial_of(row.trigger, row.location, row.origin, row.config),
    )


def _open(row: OpenRow) -> OpenRun:
    serial = serial_of(row.trigger, row.location, row.origin, row.config)
    return OpenRun(row.location, row.job, row.tags, row.concurrency_key, serial)
