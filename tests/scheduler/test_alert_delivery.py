"""Messages get to real servers at least once, through crashes and dead channels, and none waits for another channel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batuta.core.alert_specs import Alerts, Channel, Rule
from batuta.core.durations import Seconds
from batuta.core.errors import RequestError
from batuta.scheduler.alert_channels import REPEAT_NOTE
from batuta.scheduler.alert_delivery import SEND_S, DeliveryDuty
from batuta.scheduler.alerting import AlertingDuty
from batuta.scheduler.duty import DutyThread
from batuta.store import Store
from batuta.store.alert_box import AlertBox, AlertRow, DeliveryRow, Told
from batuta.store.rows import TickerRow
from tests.engine.projects import until
from tests.scheduler.receivers import Web, closed_port, mail_server, web_server
from tests.scheduler.recorded_runs import fail, new_run, succeed

NOW = 1_000_000.0
MEMORY = TickerRow(kind="alerts", location="", name="", changed_at=NOW)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


def no_secret(name: str) -> str:
    raise RequestError(f"there is no secret {name!r}")


class Sender:
    """A delivery duty under a clock of the test's own; `round` waits until nothing is being sent any more."""

    def __init__(self, store: Store, **channels: Channel) -> None:
        self.now = NOW
        self.tries: list[tuple[str, str]] = []
        self.duty = DeliveryDuty(
            Alerts(channels=channels),
            store,
            no_secret,
            on_sent=lambda *told: self.tries.append(told),
            clock=lambda: self.now,
        )

    def round(self, now: float | None = None) -> float | None:
        self.now = self.now if now is None else now
        due = self.duty.run_once(self.now, None)
        until(lambda: not self.duty._busy, "it goes on sending")
        return due


def raised(store: Store, *channels: str, title: str = "nightly failed") -> int:
    """An alert with a message to each channel."""
    row = AlertRow(
        rule="failures", key=title, kind="failure", severity="error", title=title, body="why", data={"fact": {}},
        count=1, at=NOW, last_at=NOW,
    )  # fmt: skip
    deliveries = [DeliveryRow(alert_id=0, channel=name, next_at=NOW) for name in channels]
    store.alerts.record([Told(row, deliveries)], MEMORY, lead=None)
    return row.id


def states(store: Store, alert: int = 1) -> list[str]:
    return [one.state for one in store.alerts.deliveries([alert])[alert]]


def test_messages_are_sent_once_and_marked(store: Store, web: Web) -> None:
    sender = Sender(store, ops=Channel(type="webhook", url=web.url))
    raised(store, "ops")
    sender.round()
    sender.round()
    assert [document["title"] for document in web.documents] == ["nightly failed"]
    assert web.documents[0]["key"] == "batuta-1"
    assert (states(store), sender.tries) == (["sent"], [("ops", "sent")])
    assert sender.duty.run_once(NOW, None) is None


def test_a_channel_that_is_down_is_tried_again_less_and_less_often(store: Store, web: Web) -> None:
    web.status, web.answer = 503, b"not now"
    sender = Sender(store, ops=Channel(type="webhook", url=web.url, give_up_s=Seconds(3_600)))
    raised(store, "ops")
    raised(store, "ops", title="another")
    sender.round()
    assert len(web.requests) == 1  # the second message waits for the channel, too
    [first] = store.alerts.deliveries([1])[1]
    assert (first.state, first.attempt, first.next_at) == ("waiting", 1, NOW + 5)
    assert first.error == "channel 'ops' (webhook): it answered 503 Service Unavailable: not now"
    sender.round(NOW + 4)
    assert len(web.requests) == 1
    for _ in range(20):
        due = sender.duty.run_once(sender.now, None)
        if due is None:
            break
        sender.round(max(due, sender.now))
    assert states(store, 1) == states(store, 2) == ["failed"]
    assert len(web.requests) < 20
    assert sender.tries[-1] == ("ops", "failed")


def test_it_works_again_when_the_channel_does(store: Store, web: Web) -> None:
    web.status = 500
    sender = Sender(store, ops=Channel(type="webhook", url=web.url))
    for title in ("one", "two", "three"):
        raised(store, "ops", title=title)
    sender.round()
    web.status = 200
    sender.round(NOW + 5)
    assert [document["title"] for document in web.documents] == ["one", "one", "two", "three"]
    assert REPEAT_NOTE not in web.documents[1]["body"]  # the server had said that it did not take it


def test_a_dead_and_a_hanging_channel_hold_up_no_other(store: Store, web: Web) -> None:
    with web_server() as hanging, mail_server() as post:
        hanging.hold = threading.Event()
        sender = Sender(
            store,
            a_dead=Channel(type="webhook", url=f"http://127.0.0.1:{closed_port()}"),
            b_hanging=Channel(type="webhook", url=hanging.url),
            c_web=Channel(type="webhook", url=web.url),
            d_mail=Channel(type="email", url=post.url, to="ann@example.com"),
        )
        for n in range(60):
            raised(store, "a_dead", "b_hanging", "c_web", "d_mail", title=f"alert {n}")
        sender.duty.run_once(NOW, None)
        until(lambda: set(sender.duty._busy) == {"b_hanging"}, "others wait for a channel that hangs")
        sender.duty.run_once(NOW, None)  # as it is called when a channel is done
        until(lambda: set(sender.duty._busy) == {"b_hanging"}, "others wait for a channel that hangs")
        assert (len(web.requests), len(post.mails), len(hanging.requests)) == (60, 60, 1)
        assert sender.tries.count(("a_dead", "waiting")) == 1
        hanging.hold.set()
        until(lambda: not sender.duty._busy)
        sender.duty.close()


class Died(BaseException):
    """Not an Exception: nothing may catch it."""


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_who_dies_between_sending_and_marking_sends_again_and_says_so(
    store: Store, web: Web, monkeypatch: pytest.MonkeyPatch, sent: bool
) -> None:
    channel = Channel(type="webhook", url=web.url, timeout_s=Seconds(5))
    raised(store, "ops")

    def die(*args: Any, **more: Any) -> None:
        raise Died

    with monkeypatch.context() as patched:
        if sent:
            patched.setattr(AlertBox, "end", die)
        else:
            patched.setattr("batuta.scheduler.alert_delivery.send", die)
        Sender(store, ops=channel).round()
    assert len(web.requests) == int(sent)
    assert states(store) == ["sending"]
    successor = Sender(store, ops=channel)
    successor.round(NOW + 5 + SEND_S - 1)
    assert len(web.requests) == int(sent)  # it might be on its way still
    successor.round(NOW + 5 + SEND_S)
    assert len(web.requests) == int(sent) + 1
    assert web.documents[-1]["body"].endswith(REPEAT_NOTE)
    assert states(store) == ["sent"]


def test_whoever_leads_next_sends_again_what_was_being_sent(store: Store, web: Web) -> None:
    raised(store, "ops")
    [being_sent] = store.alerts.due("ops", NOW)
    assert store.alerts.begin(being_sent, until=NOW + 1_000)
    successor = Sender(store, ops=Channel(type="webhook", url=web.url))
    lead = store.take_lead("alert-delivery", "successor", 10.0, NOW)
    successor.duty.run_once(NOW, lead)
    until(lambda: not successor.duty._busy)
    assert web.documents[0]["body"].endswith(REPEAT_NOTE)
    store.alerts.end(being_sent, 1, "waiting", at=NOW, again_at=NOW, error="too late to tell")
    assert states(store) == ["sent"]


def test_a_try_without_an_answer_is_repeated_and_says_so(store: Store, web: Web) -> None:
    web.status = None
    sender = Sender(store, ops=Channel(type="webhook", url=web.url))
    raised(store, "ops")
    sender.round()
    assert states(store) == ["unsure"]
    web.status = 503
    sender.round(NOW + 5)
    assert states(store) == ["unsure"]
    web.status = 200
    sender.round(NOW + 100)
    assert [REPEAT_NOTE in document["body"] for document in web.documents] == [False, True, True]


def test_two_schedulers_send_a_message_once(store: Store, store_url: str, web: Web) -> None:
    channel = Channel(type="webhook", url=web.url)
    for n in range(20):
        raised(store, "ops", title=f"{n}")
    with Store.open(store_url) as second:
        senders = [Sender(store, ops=channel), Sender(second, ops=channel)]
        for sender in senders:
            sender.duty.run_once(NOW, None)
        for sender in senders:
            until(lambda one=sender: not one.duty._busy)  # type: ignore[misc]
    assert sorted(int(document["title"]) for document in web.documents) == list(range(20))


def test_a_channel_that_is_gone_fails_its_messages(store: Store) -> None:
    raised(store, "old")
    Sender(store).round()
    [one] = store.alerts.deliveries([1])[1]
    assert (one.state, one.error) == ("failed", "there is no channel 'old' any more")


def test_the_end_of_an_alert_says_so(store: Store, web: Web) -> None:
    raised(store, "ops")
    end = DeliveryRow(alert_id=1, channel="ops", step=-1, next_at=NOW)
    step = DeliveryRow(alert_id=1, channel="ops", step=2, next_at=NOW)
    store.alerts.record([Told(store.alerts.open()[0], [step, end])], MEMORY, lead=None)
    Sender(store, ops=Channel(type="webhook", url=web.url)).round()
    assert [(document["title"], document["state"]) for document in web.documents] == [
        ("nightly failed", "raised"),
        ("Still open: nightly failed", "escalated"),
        ("Resolved: nightly failed", "resolved"),
    ]


def test_from_a_recorded_failure_to_the_server(store: Store, web: Web) -> None:
    """Both duties in their threads, as the service runs them."""
    configured = Alerts(
        channels={"ops": Channel(type="webhook", url=web.url)},
        rules=(Rule(on="failure", channels="ops", tell_resolved=True),),
    )
    delivery = DeliveryDuty(configured, store, no_secret)
    sending = DutyThread(delivery, store, "me")
    delivery.wake = sending.wake
    evaluating = DutyThread(AlertingDuty(configured, store, on_told=sending.wake), store, "me")
    wake: list[Callable[[], None]] = [evaluating.wake]
    evaluating.start()
    sending.start()
    try:
        until(lambda: store.tickers("alerts"))
        fail(store, new_run(store, at=NOW), at=NOW)
        wake[0]()
        web.wait(1)
        succeed(store, new_run(store, at=NOW), at=NOW + 1)
        wake[0]()
        web.wait(2)
    finally:
        evaluating.stop()
        sending.stop()
        delivery.close()
    assert [document["title"] for document in web.documents] == ["nightly failed", "Resolved: nightly failed"]
