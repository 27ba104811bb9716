"""One scheduler process: the engine, the code locations, and the duties that run unattended, started and stopped.

What it does is in its parts; here is how they are put together. Surprising: nothing here waits for user code, and no
thread waits for another's: each duty has its own, and whoever has news for it wakes it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from batuta.core.environments import environment_of
from batuta.core.errors import BatutaError, RequestError
from batuta.core.events import CancelAsked
from batuta.core.plan import Plan
from batuta.core.run_graph import TaskRun
from batuta.core.states import RUN_FINAL, RunState
from batuta.engine.active import ActiveRun
from batuta.engine.engine import Engine
from batuta.engine.owners import Owner
from batuta.engine.runs import LEASE_S
from batuta.runtime.project import Project
from batuta.scheduler.adoption import AdoptionDuty
from batuta.scheduler.answering import AnsweringDuty
from batuta.scheduler.asking import AskingDuty
from batuta.scheduler.automation import AutomationDuty
from batuta.scheduler.backfills import BackfillDuty
from batuta.scheduler.column_lineage import ColumnDuty
from batuta.scheduler.configuration import ConfigurationDuty
from batuta.scheduler.duty import Duty, DutyThread
from batuta.scheduler.exclusive import Exclusive
from batuta.scheduler.heartbeat import HeartbeatDuty
from batuta.scheduler.launching import Launching, RunSpec
from batuta.scheduler.location import CodeLocation, Trouble
from batuta.scheduler.locations import Locations
from batuta.scheduler.news import News
from batuta.scheduler.observing import Observing
from batuta.scheduler.pools import PoolDuty
from batuta.scheduler.queueing import Plans, QueueDuty
from batuta.scheduler.reloading import LocationDuty
from batuta.scheduler.remote_workers import gateway_of
from batuta.scheduler.schedules import ScheduleDuty
from batuta.scheduler.sensors import SensorDuty
from batuta.scheduler.watching import Watcher
from batuta.store.rows import KeyedRun, RunRow
from batuta.store.store import Store

logger = logging.getLogger("batuta.scheduler")

Observer = Callable[[ActiveRun, list[TaskRun]], None]
"""Called in the engine's thread, after the commit, with a run and its task runs that changed: it must not wait."""


ALIVE_S = 30.0
"""A process that was not seen for so long is gone."""
HEARD_EACH_S = 0.25
"""Duties other than the queue hear at most so often of what other processes write."""


class Service:
    """See the module. `start`, then `stop`; everything else may be called from any thread in between."""

    def __init__(
        self,
        project: Project,
        *,
        store: Store | None = None,
        kind: str = "scheduler",
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises RequestError where another scheduler has the SQLite file, and what `Store.open` does."""
        self.project = project
        self.clock = clock
        self.started_at = clock()
        self.url = ""
        """Where the API is served by this process, if it is."""
        project.make_home()
        self._owns_store = store is None
        self.store = store or Store.open(project.store_url, durable=project.config.store.durable)
        try:
            self.gateway = gateway_of(self)
            self._exclusive = Exclusive(self.store.location) if self.store.dialect == "sqlite" else None
        except RequestError:
            self._close_store()
            raise
        owner = Owner(project.home)
        pools = dict(project.config.pools)
        self.engine = Engine(self.store, {}, home=project.home, owner=owner, pools=pools, project=project)
        self.engine.journal.waits = True
        self.engine.observers.append(self._run_changed)
        self.engine.launcher = self._launch_from_step
        self.locations = Locations(project, self.engine, self.store, clock=clock)
        self._troubles: dict[str, Trouble | None] = {}
        """Of each location the one that was last told."""
        self.locations.observers.append(self._location_changed)
        self.launching = Launching(self.locations, project.root)
        plans = self._plans = Plans(self.store)
        self.queue = QueueDuty(project, self.store, self.engine, self.locations, plans)
        self.adoption = AdoptionDuty(self.store, self.engine, self.locations, plans, project.home)
        self.duties: dict[str, DutyThread] = {}
        self.process_id = owner.name
        self._news = News(self.store, self._heard)
        self.configuration = ConfigurationDuty(self, kind)
        self.watcher = None
        if project.config.service.watch:
            self.watcher = Watcher(self.locations, self._configuration_may_differ)
        self._others_to_hear, self._others_heard_at = False, 0.0
        self._loaded = self._started = False
        self._stopping = threading.Event()
        self.add_duty(self.queue)
        self.add_duty(self.adoption)
        self._heartbeat = HeartbeatDuty(self, kind)
        self.add_duty(self._heartbeat)
        self.add_duty(AskingDuty(self))
        self.answering = AnsweringDuty(self)
        self.add_duty(self.answering)
        self.schedules = ScheduleDuty(self)
        self._timetables = ScheduleDuty(self, custom=True)
        self.automation = AutomationDuty(self)
        self.add_duty(self.automation)
        self.add_duty(self.schedules)
        self.add_duty(self._timetables)
        self.sensors = SensorDuty(self)
        self.add_duty(self.sensors)
        self.backfills = BackfillDuty(self)
        self.add_duty(self.backfills)
        self.add_duty(LocationDuty(self))
        self.add_duty(self.configuration)
        self.add_duty(ColumnDuty(self))
        self.pools = PoolDuty(self)
        self.add_duty(self.pools)
        if self.store.dialect == "postgresql":
            self.engine.share_pools(self.pools.pools)
        self.observing = Observing(self)

    # ---- life ----

    def load(self) -> None:
        """Start the engine and load the code locations; nothing is begun yet."""
        self.engine.start()
        self.locations.load_all()
        self._forget_left_locations()
        if self.gateway is not None:
            self.gateway.start()
        self._loaded = True

    def _forget_left_locations(self) -> None:
        """What is not configured any more defines nothing; another scheduler may know better."""
        alive = self.store.processes(self.clock() - ALIVE_S)
        if any(row.kind in ("up", "scheduler") and row.id != self.process_id for row in alive):
            return
        for row in self.store.definitions():
            if row.location not in self.locations:
                self.store.delete_definitions(row.location)

    def start(self) -> None:
        """Begin with the duties, having loaded the code locations."""
        if not self._loaded:
            self.load()
        self.observing.start()
        self._news.start()
        if self.watcher is not None:
            self.watcher.start()
        self.announce()
        threads, self._started = list(self.duties.values()), True
        for thread in threads:
            thread.start()

    def announce(self) -> None:
        """Say in the store that this process is there: whoever is told that it is up finds it."""
        self._heartbeat.run_once(self.clock(), None)

    def stop(self, patience_s: float | None = None) -> None:
        """Claim nothing any more, give running tasks so long to end (`service.stop_s`), hand over what is left."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._news.stop()
        if self.watcher is not None:
            self.watcher.stop()
        self.queue.draining = self.adoption.draining = True
        self.observing.stop()
        for thread in self.duties.values():
            thread.stop()
        self.sensors.close()
        self.answering.close()
        self.observing.close()
        self.engine.drain(self.project.config.service.stop_s if patience_s is None else patience_s)
        if self.gateway is not None:
            self.gateway.stop()
        self.engine.stop()
        self.locations.close()
        with contextlib.suppress(BatutaError):  # its row is forgotten in time
            self.store.forget_process(self.process_id)
        if self._exclusive is not None:
            self._exclusive.close()
        self._close_store()

    def _close_store(self) -> None:
        if self._owns_store:
            self.store.close()

    @property
    def failure(self) -> BaseException | None:
        """Why the engine has ended, if it did by itself: the process is of no use then."""
        return self.engine.failure

    # ---- duties ----

    def add_duty(self, duty: Duty) -> DutyThread:
        """Have one more duty done, from now on or from `start`."""
        if duty.name in self.duties:
            raise RequestError(f"there is a duty {duty.name!r} already")
        thread = DutyThread(duty, self.store, self.process_id, clock=self.clock)
        self.duties[duty.name] = thread
        if self._started:
            thread.start()
        return thread

    def reconfigure(self, project: Project, changed: Collection[str]) -> None:
        """What is configured is this from now on; `changed` are the settings that are others. Raises BatutaError."""
        self.queue.configure(project)
        self.observing.retention.configure(project.config.retention)
        if self.project.config.alerts != project.config.alerts:
            self.observing.configure_alerts(project.config.alerts)
        self.project = project
        self.locations.reconfigure(project, changed)
        self.wake()

    def _configuration_may_differ(self) -> None:
        if self.configuration.file.has_changed:
            self.wake(self.configuration.name)

    def wake(self, *names: str) -> None:
        """There is news for these duties; without names, for all."""
        for name in names or list(self.duties):
            thread = self.duties.get(name)
            if thread is not None:
                thread.wake()

    def _heard(self, topics: Iterable[str]) -> None:
        """Another process has written: the queue looks at once, the others at most so often.

        That runs were queued or asked for something is nothing to the others.
        """
        topics = set(topics)
        if topics:
            self.wake("queue")
        if not {"*", "evaluations"}.isdisjoint(topics):
            self.wake("answering")  # somebody waits for it
        if topics - {"runs", "requests"}:
            self._others_to_hear = True
        if not {"*", "requests"}.isdisjoint(topics):
            self.engine.requests_left()
        now = time.monotonic()
        if self._others_to_hear and now >= self._others_heard_at + HEARD_EACH_S:
            self._others_to_hear, self._others_heard_at = False, now
            self.schedules.store_changed()
            self._timetables.store_changed()
            self.sensors.store_changed()
            self.wake(*(name for name in self.duties if name not in ("queue", "heartbeat")))

    def add_observer(self, observer: Observer) -> None:
        """Be told of what the engine of this process has recorded, see `Observer`."""
        self.engine.observers.append(observer)

    def _run_changed(self, active: ActiveRun, tasks: list[TaskRun]) -> None:
        if active.run.state in RUN_FINAL:
            if self.queue.some_wait:
                self.wake("queue")
            if self.sensors.reads_events:
                self.wake("sensors")
            if not self.backfills.is_idle:
                self.wake("backfills")
        if not self.automation.is_idle:
            self.wake("automation")

    def _location_changed(self, location: CodeLocation) -> None:
        told = self._troubles.get(location.name)
        trouble, self._troubles[location.name] = location.trouble, location.trouble
        if trouble is not None and trouble is not told:
            fields = {"location": location.name}
            logger.error("location %s: %s", location.name, trouble, extra={"fields": fields})
        self.schedules.definitions_changed()
        self._timetables.definitions_changed()
        self.automation.definitions_changed()
        self.sensors.definitions_changed()
        self.wake()

    # ---- starting runs ----

    def run_from(self, spec: RunSpec) -> KeyedRun:
        """The rows of a run, for whoever creates it in a transaction of its own (a tick). See `Launching.run_from`."""
        return self.launching.run_from(spec, self.clock())

    def launch(self, spec: RunSpec, *, scope: str = "") -> tuple[int, bool]:
        """Queue a run. Returns its id, and whether it is new: its key may have been taken. Raises RequestError."""
        keyed = self.run_from(spec)
        ((run_id, is_new),) = self.store.create_keyed(scope or "manual", [keyed], now=self.clock())
        self.wake("queue")
        return run_id, is_new

    def _launch_from_step(self, job: str, params: Mapping[str, Any], **more: Any) -> int:
        """A step starts a run of another job: at most once for the step and key. Called in a thread that may wait."""
        parent: tuple[int, int] = more["parent"]
        row = self.store.run(parent[0])
        spec = RunSpec(
            job=job,
            params=params,
            environment="" if row is None else environment_of(row.config),
            key=f"{parent[0]}:{parent[1]}:{more.get('key', '')}",
            trigger="parent",
            parent=parent,
        )
        return self.launch(spec, scope="step")[0]

    def switch(self, kind: str, location: str, name: str, enabled: bool | None, *, by: str = "") -> None:
        """Turn a schedule, sensor or automation on or off; None: as its definition says."""
        self.store.switch(kind, location, name, enabled, now=self.clock(), by=by)
        self.schedules.definitions_changed()
        self._timetables.definitions_changed()
        self.sensors.definitions_changed()
        self.wake()

    # ---- requests to runs ----

    def plan(self, plan_hash: str) -> Plan:
        """A plan that is in the store."""
        return self._plans.get(plan_hash)

    def cancel(self, run_id: int, by: str, *, hard: bool = False) -> None:
        """Ask a run to stop, wherever it is executed; one that nobody executes is ended here. Raises RequestError."""
        if self.engine.run_of(run_id) is not None:
            self.engine.cancel_run(run_id, by, hard)
            return
        row = self.store.run(run_id)
        if row is None:
            raise RequestError(f"there is no run {run_id}", hint="`batuta runs list` shows those there are")
        if RunState(row.state) in RUN_FINAL:
            raise RequestError(f"run {run_id} has {row.state} already")
        now = self.clock()
        if row.state == RunState.QUEUED and not row.owner:
            with contextlib.suppress(RequestError):  # somebody has just begun with it
                claimed = self.store.claim(run_id, self.engine.owner, LEASE_S, self.store.lease_now())
                event = CancelAsked(at=now, by=by, hard=hard)
                self.engine.adopt(
                    [(claimed, self._plans.get(claimed.plan_hash), self._any_executor(claimed))], then=[event]
                )
                return
        self.store.request(run_id, "cancel", {"hard": hard}, by=by, now=now)

    def _any_executor(self, row: RunRow) -> str:
        """An executor for a run of which nothing will be executed: that of its location, if it is loaded."""
        versions = self.locations.versions()
        if not versions:
            raise RequestError(f"run {row.id} cannot be ended here: no code location is loaded")
        return next((each for each in versions if each.location == row.location), versions[0]).executor_name
