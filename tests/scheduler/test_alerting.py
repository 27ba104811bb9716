"""Rules over what is recorded: what is raised, by what text, once only, whoever evaluates and whenever it dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from batuta.core import events as ev
from batuta.core.alert_rules import LAPSE_S
from batuta.core.alert_specs import Alerts, Channel, Escalation, Rule, Throttle
from batuta.core.definitions import AssetSpec, Definitions, encode
from batuta.core.durations import Seconds
from batuta.core.errors import RequestError
from batuta.core.freshness import FreshnessPolicy
from batuta.core.partition_types import TimePartitions
from batuta.core.states import RunState
from batuta.runtime.masking import forget_secrets, register_secret
from batuta.scheduler.alerting import LOOK_S, AlertingDuty, settle
from batuta.store import Store
from batuta.store.alert_box import AlertBox, AlertRow
from batuta.store.errors import LeadLost
from batuta.store.rows import Batch, NewTick, TickerRow
from tests.scheduler.recorded_runs import ERROR, fail, new_run, record, succeed
from tests.store.samples import materialization, progress

NOW = 1_000_000.0


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with Store.open(sqlite_url) as opened:
        yield opened


def alerts(*rules: Rule, **fields: Any) -> Alerts:
    channels = {"ops": Channel(url="json://x"), "phone": Channel(type="pagerduty", key="k")}
    return Alerts(channels=channels, rules=rules, **fields)


def on(kind: str | tuple[str, ...] = "failure", **fields: Any) -> Rule:
    return Rule(on=kind, channels=fields.pop("channels", "ops"), **fields)


def duty_of(store: Store, *rules: Rule, **fields: Any) -> AlertingDuty:
    """A duty that has begun: what happens from now on counts."""
    duty = AlertingDuty(alerts(*rules, **fields), store)
    duty.run_once(NOW, None)
    return duty


def messages(store: Store) -> list[tuple[str, int, str]]:
    """Channel, step and state of each message."""
    found = store.alerts.deliveries(row.id for row in store.alerts.page(limit=1_000))
    flat = sorted((one.id, one) for each in found.values() for one in each)
    return [(one.channel, one.step, one.state) for _, one in flat]


def only(store: Store) -> AlertRow:
    [row] = store.alerts.page()
    return row


def test_a_failure_says_what_where_and_what_to_do(store: Store) -> None:
    duty = duty_of(store, on(), base_url="https://batuta.example.com/")
    fail(store, new_run(store, at=NOW, trigger="schedule", origin="every_night", logical_at=NOW), at=NOW + 3)
    duty.run_once(NOW + 4, None)
    row = only(store)
    assert (row.title, row.severity, row.count, row.resolved_at) == ("nightly failed", "error", 1, None)
    assert row.body == (
        "Run 1 of nightly failed in load (attempt 1).\n"
        "It was started by schedule every_night for 1970-01-12 13:46:40 UTC.\n\n"
        "ValueError: no rates for 2026-01-31\nsecond line\n"
        "  at pipelines/nightly.py:17\n"
        "  hint: ask ann\n\n"
        "Since 1970-01-12 13:46:43 UTC.\n\n"
        "What to do:\n"
        "  batuta runs show 1\n"
        "  batuta logs 1 load\n"
        "  batuta runs retry 1"
    )
    assert row.data["link"] == "https://batuta.example.com/runs/1"
    assert messages(store) == [("ops", 0, "waiting")]


def test_what_happened_before_the_first_start_is_not_told(store: Store) -> None:
    fail(store, new_run(store, at=1.0), at=2.0)
    duty_of(store, on()).run_once(NOW, None)
    assert store.alerts.page() == []


def test_one_alert_until_it_is_over_and_those_told_hear_of_the_end(store: Store) -> None:
    duty = duty_of(store, on(channels=("ops", "phone")), on("success_after_failure", name="good"))
    for n in range(3):
        fail(store, new_run(store, at=NOW), at=NOW + n)
        duty.run_once(NOW + n, None)
    assert (only(store).count, only(store).title) == (3, "nightly failed (3 times)")
    assert messages(store) == [("ops", 0, "waiting"), ("phone", 0, "waiting")]
    succeed(store, new_run(store, at=NOW + 9), at=NOW + 10)
    duty.run_once(NOW + 10, None)
    good, bad = store.alerts.page()
    assert bad.resolved_at == NOW + 10
    assert (good.kind, good.title, good.severity) == ("success_after_failure", "nightly succeeded again", "info")
    assert "after a failure 8 s ago" in good.body
    # A pager's incident is ended; people hear of an end only where the rule says so.
    assert ("phone", -1, "waiting") in messages(store)
    assert ("ops", -1, "waiting") not in messages(store)
    succeed(store, new_run(store, at=NOW + 11), at=NOW + 12)
    duty.run_once(NOW + 12, None)
    assert len(store.alerts.page()) == 2


def test_a_run_that_succeeds_when_retried_is_good_news(store: Store) -> None:
    duty = duty_of(store, on("success_after_failure"))
    run = fail(store, new_run(store, at=NOW), at=NOW + 1)
    events = (ev.RestartAsked(at=NOW + 2), ev.RunFinished(at=NOW + 3, state=RunState.SUCCEEDED))
    record(store, run, *events, state="succeeded")
    duty.run_once(NOW + 4, None)
    assert only(store).kind == "success_after_failure"


def test_partitions_are_told_apart(store: Store) -> None:
    duty = duty_of(store, on())
    for day in ("2026-01-30", "2026-01-31"):
        fail(store, new_run(store, at=NOW, partition=day), at=NOW)
    succeed(store, new_run(store, at=NOW, partition="2026-01-30"), at=NOW + 1)
    duty.run_once(NOW + 1, None)
    assert [(row.title, row.resolved_at is None) for row in store.alerts.page()] == [
        ("nightly[2026-01-31] failed", True),
        ("nightly[2026-01-30] failed", False),
    ]


def test_a_retry_is_told_where_a_rule_wants_it(store: Store) -> None:
    duty = duty_of(store, on("retry"))
    run = new_run(store, at=NOW)
    failed = ev.AttemptFailed(at=NOW + 1, task=0, attempt=1, error=ERROR, started_at=NOW)
    record(store, run, ev.RunStarted(at=NOW), failed, state="running", error=ERROR)
    duty.run_once(NOW + 1, None)
    assert store.alerts.page() == []  # it failed for good: that is the run's story
    again = msgspec.structs.replace(failed, attempt=2)
    record(store, run, again, state="retrying", error=ERROR, attempt=2)
    duty.run_once(NOW + 2, None)
    assert (only(store).title, only(store).severity) == ("nightly/load failed and is tried again", "warning")
    assert "failed in attempt 2 and is tried again" in only(store).body
    duty.run_once(NOW + 2 + 3_600, None)
    assert only(store).resolved_at is not None
    assert messages(store) == [("ops", 0, "waiting")]


def checked(passed: bool, at: float, blocking: bool = True) -> ev.CheckEvaluated:
    return ev.CheckEvaluated(
        at=at, task=0, asset="gold/revenue", check="no_gaps", passed=passed, blocking=blocking,
        description="3 days are missing", metadata={"missing": 3, "rows": [1]},
    )  # fmt: skip


def test_a_check_that_failed_and_passes_again(store: Store) -> None:
    store.save_definitions("shop", "h", b"{}", [("gold/revenue", b'{"key":"gold/revenue","layer":"gold"}')], now=NOW)
    duty = duty_of(
        store,
        on("check_failed", name="gold", layer="gold", asset="gold/*"),
        on("check_failed", name="others", layer="silver"),
        on("check_failed", name="bad", severity_min="error"),
    )
    record(store, new_run(store, at=NOW), checked(False, NOW + 1), state="running")
    record(store, new_run(store, at=NOW), checked(False, NOW + 1, blocking=False), state="running")
    duty.run_once(NOW + 2, None)
    found = {row.rule: row for row in store.alerts.page()}
    assert set(found) == {"gold", "bad"}
    assert (found["gold"].count, found["bad"].count) == (2, 1)
    assert found["bad"].title == "check no_gaps of gold/revenue failed"
    assert "The blocking check no_gaps of gold/revenue failed in run 1 (nightly)." in found["bad"].body
    assert "3 days are missing" in found["bad"].body
    record(store, new_run(store, at=NOW), checked(True, NOW + 3), state="running")
    duty.run_once(NOW + 4, None)
    assert store.alerts.open() == []


def test_late_runs_by_their_logical_time_and_others_by_when_they_were_asked_for(store: Store) -> None:
    duty = duty_of(store, on("late", start_within_s=Seconds(60), finish_within_s=Seconds(600)))
    scheduled = new_run(store, "scheduled", at=NOW, trigger="schedule", logical_at=NOW - 50)
    new_run(store, "manual", at=NOW, logical_at=0.0)
    duty.run_once(NOW + LOOK_S, None)
    assert only(store).title == "scheduled is late"
    assert "run 1 of scheduled has not started" in only(store).body
    succeed(store, scheduled, at=NOW + 16)
    duty.run_once(NOW + 2 * LOOK_S, None)
    assert only(store).resolved_at == NOW + 2 * LOOK_S
    slow = new_run(store, "slow", at=NOW + 40)
    record(store, slow, ev.RunStarted(at=NOW + 41), state="running")
    duty.run_once(NOW + 641, None)
    assert {row.title for row in store.alerts.open()} == {"manual is late", "slow is late"}


def test_a_run_that_takes_long_by_its_own_history(store: Store) -> None:
    for n in range(5):
        succeed(store, new_run(store, at=NOW - 900 + n), at=NOW - 800 + n, took_s=100.0)
    duty = duty_of(store, on("long_running", factor=3.0))
    record(store, new_run(store, at=NOW), ev.RunStarted(at=NOW), state="running")
    record(store, new_run(store, "another", at=NOW), ev.RunStarted(at=NOW), state="running")
    duty.run_once(NOW + 299, None)
    assert store.alerts.page() == []
    duty.run_once(NOW + 299 + LOOK_S, None)
    assert only(store).title == "nightly takes long"
    assert "5 min is long for it" in only(store).body


def test_a_schedule_that_nobody_looks_at(store: Store) -> None:
    duty = duty_of(store, on("schedule_missed"))
    for name, enabled, next_at in (("a", None, NOW), ("b", False, NOW), ("c", True, NOW + 500)):
        row = TickerRow(kind="schedule", location="shop", name=name, enabled=enabled, next_at=next_at, changed_at=NOW)
        store.alerts.record([], row, lead=None)
        if enabled is not None:
            store.switch("schedule", "shop", name, enabled, now=NOW)
    duty.run_once(NOW + 61, None)
    assert (only(store).title, only(store).severity) == ("schedule shop/a was missed", "error")


def test_a_schedule_whose_ticks_fail_or_come_too_late(store: Store) -> None:
    duty = duty_of(store, on("schedule_missed", location="shop"))

    def tick(name: str, outcome: str, **fields: Any) -> None:
        row = TickerRow(kind="schedule", location="shop", name=name, changed_at=NOW)
        new = NewTick(ticker=row, at=NOW, ended_at=NOW, outcome=outcome, logical_at=NOW - 60, **fields)
        store.record_ticks([new], leader=None, now=NOW)

    tick("a", "failed", reason="there is no job 'nightly'")
    tick("b", "skipped", reason="3 times are too long ago", data={"cause": "catch_up"})
    tick("c", "skipped", reason="a holiday", data={"cause": "excluded"})
    duty.run_once(NOW + LOOK_S, None)
    assert [row.title for row in store.alerts.open()] == ["schedule shop/a was missed", "schedule shop/b was missed"]
    assert "there is no job 'nightly'" in store.alerts.open()[0].body
    tick("a", "launched")
    duty.run_once(NOW + 2 * LOOK_S, None)
    assert [row.title for row in store.alerts.open()] == ["schedule shop/b was missed"]


def test_a_sensor_that_fails_again_and_again_until_it_does_not(store: Store) -> None:
    duty = duty_of(store, on("evaluation_failed"), on("evaluation_failed", name="strict", failures_min=1))

    def tick(at: float, failures: int, reason: str = "") -> None:
        row = TickerRow(kind="sensor", location="shop", name="new files", failures=failures, ticked_at=at, changed_at=1)
        outcome = "failed" if failures else "skipped"
        store.record_ticks(
            [NewTick(ticker=row, at=at, ended_at=at, outcome=outcome, reason=reason)], leader=None, now=at
        )

    tick(NOW + 1, 1, "TimeoutError: the share hangs")
    tick(NOW + 2, 2, "TimeoutError: the share hangs")
    duty.run_once(NOW + LOOK_S, None)
    assert [row.rule for row in store.alerts.open()] == ["strict"]
    tick(NOW + 20, 3, "ConnectionError: no route")
    duty.run_once(NOW + 2 * LOOK_S, None)
    raised = next(row for row in store.alerts.open() if row.rule != "strict")
    assert (raised.title, raised.severity) == ("sensor shop/new files cannot be evaluated", "error")
    assert "the sensor new files failed 3 times in a row: ConnectionError: no route" in raised.body
    assert "batuta sensors ticks 'shop/new files' --outcome failed" in raised.body
    assert raised.data["fact"]["since"] == NOW + 1
    tick(NOW + 40, 0)
    duty.run_once(NOW + 3 * LOOK_S, None)
    assert store.alerts.open() == []


@pytest.mark.parametrize("gone", ["turned off", "not defined any more"])
def test_what_is_not_evaluated_any_more_is_no_trouble(store: Store, gone: str) -> None:
    duty = duty_of(store, on(("evaluation_failed", "schedule_missed")))
    row = TickerRow(kind="schedule", location="shop", name="daily", failures=9, next_at=NOW, changed_at=NOW)
    store.record_ticks([NewTick(ticker=row, at=NOW, ended_at=NOW, outcome="skipped")], leader=None, now=NOW)
    duty.run_once(NOW + 100, None)
    assert len(store.alerts.open()) == 2
    if gone == "turned off":
        store.switch("schedule", "shop", "daily", False, now=NOW)
    else:
        store.save_definitions("shop", "h", encode(Definitions()), [], now=NOW)
    duty.run_once(NOW + 200, None)
    assert store.alerts.open() == []


def test_a_location_that_does_not_load_until_it_does(store: Store) -> None:
    store.save_definitions("shop", "h", b"{}", [], now=NOW)
    duty = duty_of(store, on("location_broken"))
    store.fail_definitions("shop", "jobs.py:3: invalid syntax", now=NOW + 1)
    duty.run_once(NOW + LOOK_S, None)
    assert only(store).title == "code location shop does not load"
    assert "jobs.py:3: invalid syntax" in only(store).body
    store.save_definitions("shop", "h2", b"{}", [], now=NOW + 20)
    duty.run_once(NOW + 2 * LOOK_S, None)
    assert store.alerts.open() == []


def test_assets_that_are_not_fresh(store: Store) -> None:
    days = TimePartitions("daily", start="1970-01-01")
    specs = [
        AssetSpec(key="gold/age", layer="gold", freshness=FreshnessPolicy(max_age_s=3_600)),
        AssetSpec(key="gold/days", layer="gold", freshness=FreshnessPolicy(cron="0 9 * * *"), partitions=days),
        AssetSpec(key="gold/any", layer="gold"),
    ]
    assets = [(spec.key, msgspec.json.encode(spec)) for spec in specs]
    store.save_definitions("shop", "h", b"{}", assets, now=NOW)
    run = new_run(store, at=NOW)
    rows = [materialization(run, "gold/age", at=NOW - 3_500), materialization(run, "gold/days", "1970-01-10", at=1.0)]
    store.commit(Batch(runs=[progress(run, 0)], materializations=rows))
    duty = duty_of(store, on("freshness_overdue", layer="gold"))
    duty.run_once(NOW + 60, None)
    assert [row.title for row in store.alerts.open()] == ["gold/days is not fresh"]  # the 11th was over by nine
    assert "gold/days (1970-01-11) is to be by 0 9 * * * (UTC); it was made last" in only(store).body
    assert "batuta materialize gold/days" in only(store).body
    duty.run_once(NOW + 200, None)
    assert [row.title for row in store.alerts.open()] == ["gold/days is not fresh", "gold/age is not fresh"]
    rows = [materialization(run, "gold/days", "1970-01-11", at=2.0), materialization(run, "gold/age", at=NOW + 201)]
    store.commit(Batch(runs=[progress(run, 0)], materializations=rows))
    duty.run_once(NOW + 300, None)
    assert store.alerts.open() == []


def test_escalation_goes_on_after_a_restart_and_stops_when_somebody_settles_it(store: Store) -> None:
    steps = (Escalation(Seconds(60), "phone"), Escalation(Seconds(600), ("ops", "phone")))
    rule = on(escalate=steps)
    fail(store, new_run(store, at=NOW), at=NOW)
    duty_of(store, rule)
    duty = duty_of(store, rule)
    fail(store, new_run(store, "other", at=NOW), at=NOW)
    fail(store, new_run(store, at=NOW), at=NOW)
    duty.run_once(NOW, None)
    assert duty_of(store, rule).run_once(NOW + 61, None) is not None
    assert [step for channel, step, _ in messages(store) if channel == "phone"] == [1, 1]
    store.alerts.settle(store.alerts.open()[0].id, "ann", NOW + 70)
    duty_of(store, rule).run_once(NOW + 601, None)
    assert [step for channel, step, _ in messages(store) if channel == "phone"].count(2) == 1


def test_those_who_were_told_of_it_hear_that_a_person_settled_it(store: Store) -> None:
    rule = on(tell_resolved=True, throttle=Throttle(max=1), channels=("ops", "phone"))
    duty = duty_of(store, rule)
    fail(store, new_run(store, at=NOW), at=NOW)
    fail(store, new_run(store, "other", at=NOW), at=NOW)
    duty.run_once(NOW + 1, None)
    for number in (1, 2):
        assert settle(store, alerts(rule), number, "ann", NOW + 2).resolved_at == NOW + 2
    duty.run_once(NOW + 3, None)
    told = [(channel, state) for channel, step, state in messages(store) if step == -1]
    assert told == [("ops", "waiting"), ("phone", "waiting")]  # of the other nobody had heard
    assert settle(store, alerts(rule), 1, "bob", NOW + 4).data["settled_by"] == "ann"
    with pytest.raises(RequestError, match="there is no alert 99"):
        settle(store, alerts(rule), 99, "ann", NOW)
    fail(store, new_run(store, at=NOW), at=NOW + 5)
    duty.run_once(NOW + 5, None)
    assert len(store.alerts.open()) == 1


def test_a_storm_is_held_back_and_counted(store: Store) -> None:
    duty = duty_of(store, on(throttle=Throttle(max=2)))
    for n in range(300):
        fail(store, new_run(store, f"job{n}", at=NOW), at=NOW)
    duty.run_once(NOW + 1, None)
    states = [state for _, _, state in messages(store)]
    assert (states.count("waiting"), states.count("dropped")) == (2, 298)
    fail(store, new_run(store, "later", at=NOW), at=NOW)
    duty.run_once(NOW + 3_602, None)
    assert "298 other messages of this rule were held back" in store.alerts.page()[0].body


def test_own_templates_and_what_is_told_when_they_fail(store: Store) -> None:
    duty = duty_of(
        store,
        on(name="own", title="[{{ tags.team }}] {{ job }}: {{ error.type }}", body="{{ default_body }}\nCall Ann."),
        on(name="wrong", title="{{ jobb }}", body="x"),
    )
    fail(store, new_run(store, at=NOW, tags={"team": "data"}), at=NOW)
    duty.run_once(NOW + 1, None)
    wrong, own = store.alerts.page()
    assert own.title == "[data] nightly: ValueError"
    assert own.body.endswith("batuta runs retry 1\nCall Ann.")
    assert wrong.title == "nightly failed"
    assert "not the rule's own text: rule wrong, field 'title'" in wrong.body.replace("step 'rule wrong'", "rule wrong")
    assert "did you mean 'job'" in wrong.body


def test_secrets_are_in_no_message(store: Store) -> None:
    register_secret("hunter2-hunter2")
    try:
        duty = duty_of(store, on())
        error = msgspec.structs.replace(ERROR, message="cannot log in with hunter2-hunter2")
        fail(store, new_run(store, at=NOW), at=NOW, error=error)
        duty.run_once(NOW + 1, None)
    finally:
        forget_secrets()
    row = only(store)
    assert "cannot log in with ***" in row.body
    assert "hunter2" not in f"{row.title}{row.body}{row.data}"


def test_only_who_leads_evaluates(store: Store) -> None:
    mine = AlertingDuty(alerts(on()), store)
    lead = store.take_lead("alerts", "me", 10.0, NOW)
    assert lead is not None
    mine.run_once(NOW, lead)
    fail(store, new_run(store, at=NOW), at=NOW)
    other = store.take_lead("alerts", "other", 10.0, NOW + 11)
    assert other is not None
    with pytest.raises(LeadLost):
        mine.run_once(NOW + 11, lead)
    AlertingDuty(alerts(on()), store).run_once(NOW + 12, other)
    assert messages(store) == [("ops", 0, "waiting")]


class Died(BaseException):
    """Not an Exception: nothing may catch it."""


@pytest.mark.parametrize("after", [True, False])
def test_who_dies_while_recording_neither_loses_nor_doubles(
    store: Store, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    duty = duty_of(store, on())
    fail(store, new_run(store, at=NOW), at=NOW)
    record_all: Callable[..., None] = AlertBox.record

    def die(*args: Any, **more: Any) -> None:
        if after:
            record_all(*args, **more)
        raise Died

    with monkeypatch.context() as patched:
        patched.setattr(AlertBox, "record", die)
        with pytest.raises(Died):
            duty.run_once(NOW + 1, None)
    for again in (duty, AlertingDuty(alerts(on()), store)):
        again.run_once(NOW + 2, None)
    assert messages(store) == [("ops", 0, "waiting")]


def test_a_rule_that_is_gone_leaves_nothing_open(store: Store) -> None:
    duty = duty_of(store, on())
    fail(store, new_run(store, at=NOW), at=NOW)
    duty.run_once(NOW + 1, None)
    duty_of(store).run_once(NOW + 2, None)
    assert store.alerts.open() == []


def test_what_nobody_ends_lapses(store: Store) -> None:
    duty = duty_of(store, on())
    fail(store, new_run(store, at=NOW), at=NOW)
    duty.run_once(NOW + 1, None)
    duty.run_once(NOW + LAPSE_S + 1, None)
    assert store.alerts.open() == []


def test_without_rules_it_is_never_called_again(store: Store) -> None:
    assert AlertingDuty(Alerts(), store).run_once(NOW, None) is None
