"""What looks at the work rather than doing it, and what cleans up after it: put into a service as duties and observers.

Surprising: a part that is not configured has no duty, and so costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from batuta.core.alert_specs import Alerts, Channel
from batuta.core.run_graph import TaskRun
from batuta.core.states import RUN_FINAL, TaskState
from batuta.engine.active import ActiveRun
from batuta.runtime.observing_config import traces_wanted
from batuta.runtime.vault import lookups
from batuta.scheduler.alert_channels import filled
from batuta.scheduler.alert_delivery import NAME as DELIVERY
from batuta.scheduler.alert_delivery import DeliveryDuty
from batuta.scheduler.alerting import NAME as ALERTS
from batuta.scheduler.alerting import AlertingDuty
from batuta.scheduler.metrics import Metrics
from batuta.scheduler.openlineage import Client, OpenLineageDuty, is_wanted
from batuta.scheduler.retention import RetentionDuty
from batuta.scheduler.tracing import OtlpExport, TracingDuty

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

logger = logging.getLogger("batuta.runs")


def log_run(active: ActiveRun, tasks: list[TaskRun]) -> None:
    """A line for the end of each run and of each task run that failed. People are told of runs otherwise."""
    row = active.row
    known = {"run": row.id, "job": row.job, "location": row.location}
    for task in tasks:
        if task.state is TaskState.FAILED and task.error is not None:
            told = {**known, "task": task.key, "attempt": task.attempt}
            logger.warning("%s failed: %s", task.key, task.error.headline(), extra={"fields": told})
    if active.run.state in RUN_FINAL:
        state = str(active.run.state)
        level = logging.WARNING if state == "failed" else logging.INFO
        logger.log(level, "run %d of %s %s", row.id, row.job, state, extra={"fields": {**known, "state": state}})


class Observing:
    """See the module. Made before the service starts; `close` after its duties have stopped."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._config = service.project.config
        self._lookups = lookups(service.project, service.store)
        self._end_metrics: Callable[[], None] | None = None
        self.metrics = Metrics(service.store, service, clock=service.clock)
        self._alerts: tuple[DeliveryDuty, AlertingDuty] | None = None
        self.configure_alerts(service.project.config.alerts)
        self._export: OtlpExport | None = None
        if traces_wanted(self._config.traces):
            self._export = OtlpExport(self._config.traces, service.project.name, fill=self._filled)
            service.add_duty(TracingDuty(service.store, self._export))
        self._openlineage: Client | None = None
        if is_wanted(self._config.openlineage):
            config = self._config.openlineage
            self._openlineage = Client(config, fill=self._filled)
            namespace = config.namespace or service.project.name
            service.add_duty(OpenLineageDuty(service.store, self._openlineage, namespace))
        self.retention = RetentionDuty(service.store, service.project.home, service.project.config.retention)
        service.add_duty(self.retention)
        if service.project.config.log.format == "json":
            service.add_observer(log_run)

    def configure_alerts(self, alerts: Alerts) -> None:
        """These are the rules and channels from now on."""
        service = self._service
        if self._alerts is not None:
            for duty in self._alerts:
                duty.configure(alerts)
        elif alerts.channels:
            store, sent = service.store, self.metrics.message_tried
            delivery = DeliveryDuty(alerts, store, self._secret, on_sent=sent, clock=service.clock)
            alerting = AlertingDuty(alerts, store, on_told=lambda: service.wake(DELIVERY))
            self._alerts = delivery, alerting
            delivery.wake = lambda: service.wake(DELIVERY)
            service.add_duty(delivery)
            service.add_duty(alerting)
        service.wake(DELIVERY, ALERTS)

    def _secret(self, name: str) -> str:
        return self._lookups.text("secret", name)

    def _filled(self, text: str) -> str:
        """A text of the configuration with its references filled in."""
        return filled("traces", Channel(url=text), self._secret).url

    def start(self) -> None:
        """Serve metrics, where they are to be served. Raises RequestError, DefinitionError."""
        config = self._config.metrics
        if config.port is not None:
            self._end_metrics = self.metrics.serve(config.host, config.port)

    def stop(self) -> None:
        """Its duties are about to be stopped: rest no more, wait for no receiver."""
        self.retention.close()
        if self._export is not None:
            self._export.close()
        if self._openlineage is not None:
            self._openlineage.close()

    def close(self) -> None:
        """Let what is being sent end."""
        if self._end_metrics is not None:
            self._end_metrics()
        if self._alerts is not None:
            self._alerts[0].close()
