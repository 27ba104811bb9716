"""Metrics for Prometheus: what this process has done, and how the store stands.

What happens is counted as it happens, for a microsecond each; everything else is looked up when somebody asks, so that
an idle service does nothing for it. Surprising: counters are of this process, gauges named `batuta_store_...`,
`batuta_runs`, `batuta_schedule_lag_seconds` and the like of the whole store: with several schedulers all tell the same.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from batuta.core.errors import DefinitionError, RequestError
from batuta.core.run_graph import TaskRun
from batuta.core.states import RUN_FINAL, TASK_FINAL, TaskState
from batuta.core.tallies import LONG_S, SHORT_S, Counter, Histogram, Histograms, Labels
from batuta.engine.active import ActiveRun
from batuta.store.store import Store

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

logger = logging.getLogger("batuta.metrics")

TICKS_MAX = 20_000
"""How many new ticks one look takes in."""


class Metrics:
    """See the module. With a service, of that one, too; without (a server of its own), of the store alone."""

    def __init__(self, store: Store, service: Service | None = None, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._service = service
        self._clock = clock
        self._job = Labels()
        self._runs = Counter()
        self._runs_s = Histograms(LONG_S)
        self._starts_s = Histograms(SHORT_S)
        self._tasks = Counter()
        self._tasks_s = Histograms(LONG_S)
        self._retries = Counter()
        self._messages = Counter()
        self._ticks = Counter()
        self._ticks_s = Histograms(SHORT_S)
        self._tick_id = store.alerts.last_tick_id()
        self._looking = threading.Lock()
        self._begun: set[int] = set()
        if service is not None:
            service.add_observer(self.changed)

    # ---- what happens ----

    def changed(self, active: ActiveRun, tasks: list[TaskRun]) -> None:
        """Called in the engine's thread with what has just been recorded."""
        job = self._job(active.row.job)
        for task in tasks:
            if task.state in TASK_FINAL:
                self._tasks.add(job, str(task.state))
                ended_at = active.ended_at.get(task.no)
                if ended_at is not None and task.started_at:
                    self._tasks_s.add(max(ended_at - task.started_at, 0.0), job)
                again = task.failures - (task.state is TaskState.FAILED)
                if again > 0:
                    self._retries.add(job, by=again)
        if active.id not in self._begun and active.started_at is not None:
            self._begun.add(active.id)
            self._starts_s.add(max(active.started_at - active.row.created_at, 0.0), active.row.trigger)
        if active.run.state in RUN_FINAL:
            self._begun.discard(active.id)
            self._runs.add(job, str(active.run.state))
            if active.started_at is not None and active.finished_at is not None:
                self._runs_s.add(max(active.finished_at - active.started_at, 0.0), job)

    def message_tried(self, channel: str, state: str) -> None:
        """A message of an alert was tried to be sent."""
        self._messages.add(channel, "sent" if state == "sent" else "failed")

    # ---- what is told ----

    def render(self) -> tuple[bytes, str]:
        """All metrics as text, and its content type. Raises DefinitionError where prometheus-client is not there."""
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self.registry()), CONTENT_TYPE_LATEST

    def serve(self, host: str, port: int) -> Callable[[], None]:
        """Serve them over HTTP in a thread of its own; gives back what ends it. Raises RequestError."""
        registry = self.registry()
        from prometheus_client import start_http_server

        try:
            server, thread = start_http_server(port, addr=host, registry=registry)
        except OSError as error:
            what = f"metrics cannot be served at {host}:{port}: {os.strerror(error.errno or 0).lower()}"
            raise RequestError(what, hint="give metrics.port another number in batuta.toml") from None
        logger.info("metrics at http://%s:%d/metrics", host, server.server_port)

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end

    def registry(self) -> Any:
        """A registry of prometheus-client with these metrics, and those of the process."""
        try:
            from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
        except ModuleNotFoundError:
            hint = 'install the extra: pip install "batuta[metrics]"'
            raise DefinitionError("prometheus-client is not installed", hint=hint) from None
        registry = CollectorRegistry()
        registry.register(self)
        for kind in (ProcessCollector, PlatformCollector, GCCollector):
            kind(registry=registry)
        return registry

    def collect(self) -> Iterator[Any]:
        """For prometheus-client: all families."""
        with self._looking:
            yield gauge("batuta_info", "The version.", [((version("batuta"),), 1)], ["version"])
            yield from self._of_store()
            yield from self._of_ticks()
            if self._service is not None:
                yield from self._of_work()
                yield from self._of_service(self._service)

    def _of_store(self) -> Iterator[Any]:
        store, now = self._store, self._clock()
        states = {"queued": 0, "running": 0, "paused": 0, "cancelling": 0, **store.reports.run_states(None)}
        yield gauge("batuta_runs", "Unfinished runs.", _one_label(states), ["state"])
        waiting = store.oldest_queued()
        age_s = 0.0 if waiting is None else max(now - waiting, 0.0)
        yield gauge("batuta_queue_age_seconds", "How long the oldest queued run has waited.", [((), age_s)])
        yield gauge("batuta_store_bytes", "Size of the store on disk.", [((), store.size())])
        due = [row.next_at for row in store.tickers("schedule") if row.enabled is not False and row.next_at]
        lag_s = max((now - at for at in due), default=0.0)
        yield gauge("batuta_schedule_lag_seconds", "How late the latest schedule is.", [((), max(lag_s, 0.0))])
        yield gauge("batuta_schedules", "Schedules that have a next time.", [((), len(due))])
        yield gauge("batuta_alerts_open", "Alerts that are not over.", [((), store.alerts.open_count())])
        undelivered = store.alerts.counts()
        rows = [((channel, state), count) for (channel, state), count in undelivered.items()]
        yield gauge("batuta_alert_messages_waiting", "Messages not delivered yet.", rows, ["channel", "state"])

    def _of_ticks(self) -> Iterator[Any]:
        """Ticks since this process began, whoever ticked."""
        taken = 0
        while taken < TICKS_MAX and (ticks := self._store.alerts.ticks_after(self._tick_id)):
            self._tick_id = ticks[-1].id
            taken += len(ticks)
            for tick in ticks:
                self._ticks.add(tick.kind, tick.outcome)
                self._ticks_s.add(max(tick.ended_at - tick.at, 0.0), tick.kind)
        yield counter("batuta_ticks", "Ticks by outcome.", self._ticks, ["kind", "outcome"])
        yield histogram("batuta_tick_seconds", "How long ticks took.", self._ticks_s.by, ["kind"])

    def _of_work(self) -> Iterator[Any]:
        yield counter("batuta_runs_finished", "Runs that ended here.", self._runs, ["job", "state"])
        yield histogram("batuta_run_seconds", "How long runs took.", self._runs_s.by, ["job"])
        told = "From the creation of runs to their start."
        yield histogram("batuta_run_start_seconds", told, self._starts_s.by, ["trigger"])
        yield counter("batuta_task_runs_finished", "Task runs that ended here.", self._tasks, ["job", "state"])
        yield histogram("batuta_task_run_seconds", "How long task runs took.", self._tasks_s.by, ["job"])
        yield counter("batuta_task_retries", "Attempts that failed and are tried again.", self._retries, ["job"])
        yield counter("batuta_alert_messages", "Tries to send messages.", self._messages, ["channel", "result"])

    def _of_service(self, service: Service) -> Iterator[Any]:
        engine = service.engine
        yield gauge("batuta_engine_runs", "Runs that this process executes.", [((), len(engine.run_ids))])
        told = "How long turns of the engine took, without waiting."
        yield histogram("batuta_engine_turn_seconds", told, {(): engine.turns_s})
        told = "From when a task run could start to when it was sent to a worker."
        yield histogram("batuta_dispatch_seconds", told, {(): engine.acting.waits_s})
        pools = service.pools.pools
        used = engine.acting.used()
        yield gauge("batuta_pool_slots", "Slots of pools.", _one_label(pools), ["pool"])
        rows = [((name,), used.get(name, 0)) for name in pools]
        yield gauge("batuta_pool_slots_used", "Slots that this process has taken.", rows, ["pool"])
        duties: dict[tuple[str, ...], Histogram] = {
            (name,): thread.calls_s for name, thread in list(service.duties.items())
        }
        yield histogram("batuta_duty_seconds", "How long the calls of duties took.", duties, ["duty"])
        errors = Counter()
        for name, thread in list(service.duties.items()):
            errors.add(name, by=thread.errors)
        yield counter("batuta_duty_errors", "Calls of duties that failed.", errors, ["duty"])
        told = "The longest that a transaction of retention held the write lock."
        yield gauge("batuta_retention_hold_seconds_max", told, [((), service.observing.retention.held_s_max)])
        yield from self._of_locations(service)

    def _of_locations(self, service: Service) -> Iterator[Any]:
        up, trouble, restarts = [], [], []
        for location in service.locations:
            current = location.current
            up.append(((location.name,), int(current is not None)))
            trouble.append(((location.name,), int(location.trouble is not None)))
            host = None if current is None else current.host
            restarts.append(((location.name,), 0 if host is None else host.restarts))
        yield gauge("batuta_location_up", "Whether a version of its code serves.", up, ["location"])
        told = "Whether something is wrong with its newest code."
        yield gauge("batuta_location_trouble", told, trouble, ["location"])
        told = "How often the host of its version has died and was started again."
        yield gauge("batuta_location_host_restarts", told, restarts, ["location"])


# ---- families ----

Rows = Iterable[tuple[tuple[str, ...], float]]


def gauge(name: str, told: str, rows: Rows, labels: list[str] | None = None) -> Any:
    """A gauge of prometheus-client."""
    from prometheus_client.core import GaugeMetricFamily

    family = GaugeMetricFamily(name, told, labels=labels or [])
    for values, value in rows:
        family.add_metric(list(values), value)
    return family


def counter(name: str, told: str, counted: Counter, labels: list[str]) -> Any:
    """A counter of prometheus-client; its name gets `_total`."""
    from prometheus_client.core import CounterMetricFamily

    family = CounterMetricFamily(name, told, labels=labels)
    for values, count in list(counted.counts.items()):
        family.add_metric(list(values), count)
    return family


def histogram(name: str, told: str, by: dict[tuple[str, ...], Histogram], labels: list[str] | None = None) -> Any:
    """A histogram of prometheus-client."""
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, told, labels=labels or [])
    for values, found in list(by.items()):
        buckets = [("+Inf" if bound == float("inf") else repr(bound), count) for bound, count in found.cumulative()]
        family.add_metric(list(values), buckets=buckets, sum_value=found.sum)
    return family


def _one_label(values: dict[str, int]) -> Rows:
    return [((name,), value) for name, value in values.items()]
