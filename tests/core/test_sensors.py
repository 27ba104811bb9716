"""What is decided about sensors: limits, templates, when next; and signatures of webhooks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import sensors, webhooks
from batuta.core.errors import DefinitionError, RequestError
from batuta.core.sensor_specs import Answers, Asked, Assets, Evaluated, Files, Rows, Runs, SensorSpec, Webhook

_text = st.text(max_size=20)
_fields = st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.integers() | _text, min_size=1, max_size=4)


@given(_fields, st.data())
def test_a_template_gets_the_fields_of_the_event(event: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(event)))
    assert sensors.filled(f"{{{name}}}", event) == event[name]
    assert sensors.filled({"a": [f"x{{{name}}}y", 7]}, event) == {"a": [f"x{event[name]}y", 7]}


def test_a_field_that_is_not_there_is_told() -> None:
    with pytest.raises(RequestError, match=r"no \{pth\}") as caught:
        sensors.filled("{pth}", {"path": "x", "size": 1})
    assert "path, size" in str(caught.value)


@given(st.floats(0.1, 1e5), st.floats(0, 1e9), st.integers(0, 200))
def test_it_is_evaluated_again_later_the_more_it_has_failed(interval_s: float, now: float, failures: int) -> None:
    spec = SensorSpec("x", interval_s=interval_s)
    at, later = sensors.next_at(spec, now, failures), sensors.next_at(spec, now, failures + 1)
    assert now + interval_s <= at + 1e-6
    assert at <= later <= now + max(interval_s, sensors.BACKOFF_S_MAX) + 1e-6
    assert sensors.next_at(spec, now, 0, more=True) == now


@given(st.lists(st.text(max_size=3), max_size=30))
def test_each_run_has_a_key(keys: list[str]) -> None:
    found = sensors.keys_of(Evaluated(tuple(Asked(key) for key in keys)), "tick")
    assert len(found) == len(keys)
    assert [key for key in found if key.startswith("tick#")] == [f"tick#{i}" for i, key in enumerate(keys) if not key]


@pytest.mark.parametrize("cursor", [None, 7, {"a": 1}, b"x", "x" * 70_000])
def test_a_bad_cursor_is_refused(cursor: object) -> None:
    with pytest.raises(RequestError, match="the cursor"):
        sensors.checked_cursor(cursor)


def test_what_is_too_large_is_refused() -> None:
    assert sensors.wrong(Asked("k", params={"a": 1})) == ""
    assert "at most 262,144" in sensors.wrong(Asked("k", params={"a": "x" * 300_000}))
    assert "at most 500" in sensors.wrong(Asked("k" * 501))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (SensorSpec("a b"), "cannot be called"),
        (SensorSpec("a", interval_s=0.0), "every_s"),
        (SensorSpec("a", timeout_s=0.0), "timeout_s"),
        (SensorSpec("a", timeout_s=float("nan")), "timeout_s"),
        (SensorSpec("a", has_function=False), "starts nothing"),
        (SensorSpec("a", source=Files("")), "not said what is looked at"),
        (SensorSpec("a", source=Rows("c", "SELECT 1", "")), "key is empty"),
        (SensorSpec("a", source=Assets(())), "no asset"),
        (SensorSpec("a", source=Answers("ftp://x")), "no URL"),
        (SensorSpec("a", source=Runs((), ("done",))), "no final state"),
        (SensorSpec("a", source=Webhook("")), "not said"),
    ],
)
def test_wrong_sensors_are_told(spec: SensorSpec, said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        sensors.validate(spec, "here")


# ---- webhooks


def sent(body: bytes, at: float, secret: str = "s") -> dict[str, str]:
    return {"x-batuta-TIMESTAMP": str(at), "X-Batuta-Signature": webhooks.signature(secret, str(at), body)}


@given(st.binary(max_size=100), st.text(min_size=1, max_size=10), st.floats(0, 1e9), st.floats(-290, 290))
def test_what_is_signed_is_taken_for_a_while(body: bytes, secret: str, at: float, late_s: float) -> None:
    headers = sent(body, at, secret)
    key = webhooks.verify(secret, headers, body, at + late_s)
    assert key == webhooks.verify(secret, headers, body, at), "its key is the same when it comes again"
    for now in (at + 301, at - 301):
        with pytest.raises(webhooks.Refused, match="more than 300 s"):
            webhooks.verify(secret, headers, body, now)
    with pytest.raises(webhooks.Refused, match="signature is wrong"):
        webhooks.verify(secret, headers, body + b"!", at)
    with pytest.raises(webhooks.Refused, match="signature is wrong"):
        webhooks.verify(f"{secret}!", headers, body, at)


@pytest.mark.parametrize(
    ("headers", "secret", "said"),
    [
        ({}, "s", "X-Batuta-Signature is missing"),
        ({"X-Batuta-Signature": "x"}, "s", "X-Batuta-Timestamp is missing"),
        (sent(b"", 1.0), "", "no secret"),
        ({"X-Batuta-Signature": webhooks.signature("s", "nan", b""), "X-Batuta-Timestamp": "nan"}, "s", "more than"),
        ({"X-Batuta-Signature": webhooks.signature("s", "x", b""), "X-Batuta-Timestamp": "x"}, "s", "no number"),
        ({"X-Batuta-Signature": "ü", "X-Batuta-Timestamp": "1"}, "s", "signature is wrong"),
    ],
)
def test_what_is_not_signed_is_refused(headers: dict[str, str], secret: str, said: str) -> None:
    with pytest.raises(webhooks.Refused, match=said):
        webhooks.verify(secret, headers, b"", 1.0)


def test_a_large_body_is_refused() -> None:
    with pytest.raises(webhooks.Refused, match="at most 1,048,576"):
        webhooks.verify("s", {}, b"x" * (1 << 21), 1.0)
