"""Traces as a real receiver gets them: OTLP over HTTP, decoded from protobuf."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.core import trace_ids
from batuta.core.errors import TransientError
from batuta.core.trace_spans import Span
from batuta.runtime.masking import forget_secrets, register_secret
from batuta.runtime.observing_config import TracesConfig, traces_wanted
from batuta.scheduler import tracing
from batuta.scheduler.launching import RunSpec
from batuta.scheduler.tracing import GIVE_UP_S, OtlpExport, TracingDuty, is_sampled, sampled_ratio
from batuta.store import Store
from tests.engine.projects import open_project, until, write_project
from tests.scheduler.conftest import Open, ended
from tests.scheduler.receivers import Web, web_server
from tests.scheduler.recorded_runs import fail, new_run, succeed

NOW = 1_000_000.0
STEPS = """
from batuta.operators import ShellOperator

@task(retries=1)
def load() -> None:
    note(context().traceparent)
    raise ValueError("no rates")

with DAG("nightly"):
    load()

with DAG("shell"):
    ShellOperator("echo $TRACEPARENT >> $BATUTA_TEST_TRACE")
"""


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        server.answer = b""
        yield server


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Store]:
    with Store.open(sqlite_url) as opened:
        yield opened


def received(web: Web) -> list[tuple[dict[str, str], Any]]:
    """(resource, span) of all that has arrived."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = []
    for path, headers, body in list(web.requests):
        assert path == "/v1/traces"
        assert {name.lower(): value for name, value in headers.items()}["content-type"] == "application/x-protobuf"
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for part in request.resource_spans:
            resource = {one.key: one.value.string_value for one in part.resource.attributes}
            found += [(resource, span) for scope in part.scope_spans for span in scope.spans]
    return found


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def export_to(web: Web, **config: Any) -> OtlpExport:
    return OtlpExport(TracesConfig(endpoint=web.url, **config), "shop", fill=lambda text: text)


class Kept:
    """An export that keeps what it gets; `takes` says whether it takes it."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.takes: Callable[[], bool] = lambda: True

    def __call__(self, spans: list[Span]) -> bool:
        if not self.takes():
            return False
        self.spans += spans
        return True


def test_runs_of_the_service_arrive_as_traces(tmp_path: Path, trace: Path, open_service: Open, web: Web) -> None:
    service = open_service(write_project(tmp_path / "shop", STEPS, f'[traces]\nendpoint = "{web.url}"\n'))
    until(lambda: service.store.tickers("traces"))
    run_id = ended(service, service.launch(RunSpec(job="nightly"))[0]).id
    service.wake("traces")
    web.wait(1)
    spans = {span.name: (resource, span) for resource, span in received(web)}
    assert set(spans) == {"RUN nightly", "load", "load attempt 1", "load attempt 2"}
    resource, root = spans["RUN nightly"]
    assert resource["service.name"] == "shop"
    number = trace_ids.trace_id(service.store.identity(), run_id)
    assert {span.trace_id.hex() for _, span in spans.values()} == {number}
    assert attributes(root)["cicd.pipeline.result"] == "failure"
    assert root.status.code == 2
    assert root.end_time_unix_nano > root.start_time_unix_nano > 1.7e18
    attempt = spans["load attempt 1"][1]
    assert attempt.parent_span_id == spans["load"][1].span_id
    [event] = attempt.events
    assert attributes(event)["exception.message"] == "no rates"
    # What the step was told is where its span stands.
    told = trace.read_text().split()
    assert told == [trace_ids.traceparent(number, 0, n) for n in (1, 2)]
    assert told[0].split("-")[2] == attempt.span_id.hex()


def test_commands_hand_it_on_too(tmp_path: Path, trace: Path, web: Web) -> None:
    root = write_project(tmp_path / "shop", STEPS, f'[traces]\nendpoint = "{web.url}"\n')
    with open_project(root, executor="inline") as workspace:
        handle = workspace.start_job("shell")
        handle.wait()
        number = trace_ids.trace_id(workspace.store.identity(), handle.id)
    assert trace.read_text().strip() == trace_ids.traceparent(number, 0, 1)


def test_where_nothing_is_traced_steps_are_told_nothing(tmp_path: Path, trace: Path) -> None:
    with open_project(write_project(tmp_path / "shop", STEPS), executor="inline") as workspace:
        workspace.start_job("shell").wait()
    assert trace.read_text().strip() == ""


def test_links_lead_to_the_run_that_started_it(store: Store, web: Web) -> None:
    duty = TracingDuty(store, export_to(web, headers={"authorization": "Bearer x"}, service_name="etl"))
    duty.run_once(NOW, None)
    succeed(store, new_run(store, at=NOW, parent_run=41, parent_task=3), at=NOW + 1)
    duty.run_once(NOW + 2, None)
    [(resource, load), (_, root)] = received(web)
    assert resource["service.name"] == "etl"
    assert web.requests[0][1]["authorization"] == "Bearer x"
    assert (load.name, root.name) == ("load", "RUN nightly")
    assert root.links[0].trace_id.hex() == trace_ids.trace_id(store.identity(), 41)


def test_a_receiver_that_is_down_gets_them_later_and_a_successor_goes_on(store: Store) -> None:
    kept = Kept()
    duty = TracingDuty(store, kept)
    duty.run_once(NOW, None)
    fail(store, new_run(store, at=NOW), at=NOW + 1)
    kept.takes = lambda: False
    with pytest.raises(TransientError, match="2 spans were not taken"):
        duty.run_once(NOW + 2, None)
    kept.takes = lambda: True
    TracingDuty(store, kept).run_once(NOW + 3, None)
    assert len(kept.spans) == 2
    TracingDuty(store, kept).run_once(NOW + 4, None)
    duty.run_once(NOW + 5, None)
    assert len({span.id for span in kept.spans}) == 2


def test_what_nobody_takes_for_a_day_is_given_up(store: Store) -> None:
    kept = Kept()
    kept.takes = lambda: False
    duty = TracingDuty(store, kept)
    duty.run_once(NOW, None)
    fail(store, new_run(store, at=NOW), at=NOW + 1)
    duty.run_once(NOW + 2 + GIVE_UP_S, None)
    kept.takes = lambda: True
    duty.run_once(NOW + 3 + GIVE_UP_S, None)
    assert kept.spans == []


def test_many_runs_are_sent_a_few_spans_at_a_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "RUNS_AT_A_TIME", 7)
    monkeypatch.setattr(tracing, "SPANS_AT_A_TIME", 5)
    sizes: list[int] = []

    def export(spans: list[Span]) -> bool:
        sizes.append(len(spans))
        return True

    duty = TracingDuty(store, export)
    duty.run_once(NOW, None)
    for n in range(20):
        succeed(store, new_run(store, at=NOW), at=NOW + n)
    duty.run_once(NOW + 30, None)
    assert sum(sizes) == duty.spans == 40
    assert max(sizes) == 5


def test_secrets_are_not_sent(store: Store, web: Web) -> None:
    duty = TracingDuty(store, export_to(web))
    duty.run_once(NOW, None)
    register_secret("no rates for 2026")
    try:
        fail(store, new_run(store, at=NOW), at=NOW + 1)
        duty.run_once(NOW + 2, None)
    finally:
        forget_secrets()
    assert b"no rates for 2026" not in web.requests[0][2]


def test_a_receiver_that_refuses_is_a_failure(web: Web) -> None:
    web.status = 400
    span = Span(trace="0" * 31 + "1", id="0" * 15 + "1", parent="", name="x", started_at=1.0, ended_at=2.0)
    assert not export_to(web)([span])


def test_whether_and_which_traces_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not traces_wanted(TracesConfig())
    assert traces_wanted(TracesConfig(endpoint="http://x"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://x")
    assert traces_wanted(TracesConfig())
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not traces_wanted(TracesConfig(endpoint="http://x"))
    assert sampled_ratio({}) == 1.0
    assert sampled_ratio({"OTEL_TRACES_SAMPLER": "parentbased_always_off"}) == 0.0
    assert sampled_ratio({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}) == 0.25
    traces = [trace_ids.trace_id("store", n) for n in range(2_000)]
    assert 400 < sum(is_sampled(one, 0.25) for one in traces) < 600
    assert all(is_sampled(one, 1.0) for one in traces)
    assert not any(is_sampled(one, 0.0) for one in traces)
