"""The duty that delivers messages of alerts: each channel in a thread of its own, tried again until it works.

Every message arrives at least once. It is marked as being sent before it is sent; one whose outcome nobody knows (no
answer came, or this process died) is sent again, and says that it may be a repeat. Surprising: messages of one channel
are sent one after the other, so that a channel that hangs costs its own messages time, and nobody else's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from batuta.core.alert_rules import RETRY_S, next_try_at
from batuta.core.alert_specs import Alerts, Channel
from batuta.core.errors import BatutaError
from batuta.scheduler.alert_channels import ChannelError, Message, Secret, send
from batuta.store.alert_box import RESOLVED, AlertBox, AlertRow, DeliveryRow
from batuta.store.rows import Leader
from batuta.store.store import Store

NAME = "alert-delivery"
IDLE_S = 30.0
SEND_S = 30.0
"""How long beyond its channel's own time limit a try may take before another may be made."""

logger = logging.getLogger("batuta.alerts")

OnSent = Callable[[str, str], None]
"""Told of each try: the channel, and how it went (sent, waiting, unsure, failed)."""


class DeliveryDuty:
    """See the module."""

    name = NAME
    leads = True

    def __init__(
        self,
        alerts: Alerts,
        store: Store,
        secret: Secret,
        *,
        on_sent: OnSent | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._channels = alerts.channels
        self._store = store
        self._secret = secret
        self._on_sent = on_sent
        self._clock = clock
        self._busy: dict[str, threading.Thread] = {}
        self._rests: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._epoch = -1
        self.wake: Callable[[], None] = lambda: None
        """Called when a channel is free again; set by whoever runs this duty."""

    def configure(self, alerts: Alerts) -> None:
        """These are the channels from now on."""
        self._channels = alerts.channels

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`. Begins to send what is due, and does not wait for it."""
        box = self._store.alerts
        if lead is not None and lead.epoch != self._epoch:
            self._epoch = lead.epoch
            box.reopen(now)
        times = []
        for channel, due in box.next_due().items():
            at = max(due, self._rests.get(channel, 0.0))
            if at > now:
                times.append(at)
            else:
                self._begin(box, channel, now)
                times.append(now + IDLE_S)  # it wakes this duty when it is done
        return min(times, default=None)

    def _begin(self, box: AlertBox, name: str, now: float) -> None:
        with self._lock:
            if name in self._busy or self._stopping:
                return
            thread = threading.Thread(target=self._work, args=(box, name, now), name=f"batuta-alert-{name}")
            thread.daemon = True
            self._busy[name] = thread
        thread.start()

    def _work(self, box: AlertBox, name: str, now: float) -> None:
        """Send what is due on one channel, until its first failure: then it rests until that message's next try."""
        try:
            for delivery in box.due(name, now):
                if self._stopping or not self._send(box, delivery):
                    break
        except BatutaError as error:  # the store: what was not marked is sent again
            logger.error("channel %s: %s", name, error, extra={"fields": {"channel": name}})
            self._rests[name] = self._clock() + RETRY_S
        finally:
            with self._lock:
                self._busy.pop(name, None)
            self.wake()

    def _send(self, box: AlertBox, delivery: DeliveryRow) -> bool:
        """One try; whether the channel works."""
        alert = box.alert(delivery.alert_id)
        channel = self._channels.get(delivery.channel)
        until = self._clock() + (0.0 if channel is None else channel.timeout_s) + SEND_S
        if alert is None or not box.begin(delivery, until):
            return True
        repeat = delivery.state in ("sending", "unsure")
        state, again_at, error = self._try(alert, delivery, channel, repeat)
        box.end(delivery, delivery.attempt + 1, state, at=self._clock(), again_at=again_at, error=error)
        self._rests[delivery.channel] = again_at or 0.0
        fields = {"alert": alert.id, "channel": delivery.channel, "attempt": delivery.attempt + 1}
        if state == "sent":
            logger.info("alert %d sent to %s", alert.id, delivery.channel, extra={"fields": fields})
        else:
            logger.error("alert %d not sent: %s", alert.id, error, extra={"fields": fields})
        if self._on_sent is not None:
            self._on_sent(delivery.channel, state)
        return again_at is None

    def _try(
        self, alert: AlertRow, delivery: DeliveryRow, channel: Channel | None, repeat: bool
    ) -> tuple[str, float | None, str]:
        """The delivery's state after a try, when it is tried again, and the error."""
        if channel is None:
            return "failed", None, f"there is no channel {delivery.channel!r} any more"
        try:
            send(delivery.channel, channel, message_of(alert, delivery.step, repeat=repeat), self._secret)
        except BatutaError as error:
            now = self._clock()
            again_at = next_try_at(delivery.attempt + 1, max(alert.at, alert.last_at), channel.give_up_s, now)
            unsure = isinstance(error, ChannelError) and error.unsure
            if again_at is None:
                return "failed", None, str(error)
            return "unsure" if unsure or repeat else "waiting", again_at, str(error)
        return "sent", None, ""

    def close(self, patience_s: float = 5.0) -> None:
        """Begin nothing any more; what is being sent may end within so long. The rest is left to whoever follows."""
        self._stopping = True
        ends_at = time.monotonic() + patience_s
        with self._lock:
            threads = list(self._busy.values())
        for thread in threads:
            thread.join(max(ends_at - time.monotonic(), 0.0))


def message_of(alert: AlertRow, step: int, *, repeat: bool = False) -> Message:
    """What a channel is to say of an alert."""
    state = "resolved" if step == RESOLVED else "escalated" if step else "raised"
    prefix = {"resolved": "Resolved: ", "escalated": "Still open: ", "raised": ""}[state]
    fact = alert.data.get("fact", {})
    return Message(
        title=prefix + alert.title,
        body=alert.body,
        severity=alert.severity,
        state=state,
        key=f"batuta-{alert.id}",
        link=alert.data.get("link", ""),
        repeat=repeat,
        data={
            "alert": alert.id,
            "rule": alert.rule,
            "kind": alert.kind,
            "count": alert.count,
            "at": alert.at,
            **{name: fact.get(name) for name in ("subject", "job", "run_id", "step", "asset", "check", "location")},
        },
    )
