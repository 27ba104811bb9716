"""The duty that exports traces: finished runs, read from what is recorded, sent as OTLP over HTTP.

Surprising: nothing is traced while it runs. A run is exported when it is recorded as finished, whoever ran it, and how
far that has come is recorded, too: a crash or a receiver that is down for an hour loses no span. What was sent may be
sent again; it has the same numbers then.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from batuta.core import events as ev
from batuta.core.errors import DefinitionError, TransientError
from batuta.core.trace_spans import Span, Told, spans_of
from batuta.runtime.masking import mask, masked
from batuta.runtime.observing_config import TracesConfig
from batuta.store.rows import Leader, RunRow, TickerRow
from batuta.store.store import Store

NAME = "traces"
READ_S = 2.0
RUNS_AT_A_TIME = 200
SPANS_AT_A_TIME = 512
GIVE_UP_S = 86_400.0
"""For how long spans are kept for a receiver that does not take them."""

logger = logging.getLogger("batuta.traces")

Export = Callable[[list[Span]], bool]
"""Sends spans; whether they were taken."""


class TracingDuty:
    """See the module."""

    name = NAME
    leads = True

    def __init__(self, store: Store, export: Export) -> None:
        self._store = store
        self._export = export
        self._cursor: int | None = None
        self._epoch = -1
        self.spans = 0
        """How many were exported."""

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`. Raises TransientError where the receiver does not take them: they are sent again later."""
        epoch = 0 if lead is None else lead.epoch
        if self._cursor is None or epoch != self._epoch:
            self._cursor, self._epoch = self._load(now, lead), epoch
        upto = self._store.last_event_id()
        while self._cursor < upto:
            events = self._store.events_of_kinds(("run_finished",), self._cursor, upto, RUNS_AT_A_TIME)
            if events:
                self._send({event.run_id: event.at for event in events}, now)
            self._cursor = events[-1].id if len(events) >= RUNS_AT_A_TIME else upto
            if events:
                self._record(self._cursor, now, lead)
        return now + READ_S

    def _load(self, now: float, lead: Leader | None) -> int:
        rows = self._store.tickers(NAME)
        if rows:
            return int(json.loads(rows[0].cursor)["event"])
        cursor = self._store.last_event_id()
        self._record(cursor, now, lead)
        return cursor

    def _record(self, cursor: int, now: float, lead: Leader | None) -> None:
        row = TickerRow(kind=NAME, location="", name="", cursor=json.dumps({"event": cursor}), changed_at=now)
        self._store.alerts.record([], row, lead=lead)

    def _send(self, ended_at: Mapping[int, float], now: float) -> None:
        scope = self._store.identity()
        spans = (span for run in self._store.runs_numbered(ended_at) for span in self._spans(scope, run))
        for some in iter(lambda: list(islice(spans, SPANS_AT_A_TIME)), []):
            if self._export(some):
                self.spans += len(some)
            elif now - min(ended_at.values()) < GIVE_UP_S:
                raise TransientError(f"{len(some)} spans were not taken", hint="they are sent again; see [traces]")
            else:
                logger.error("%d spans were not taken for a day, and are given up", len(some))

    def _spans(self, scope: str, run: RunRow) -> Iterator[Span]:
        steps = {task.no: _key(task) for task in self._store.task_runs(run.id)}
        return spans_of(scope, told(run, steps), (ev.decode(row.data) for row in self._store.events(run.id)))


def told(run: RunRow, steps: Mapping[int, str]) -> Told:
    """What spans say of a run."""
    parent = None
    if run.parent_run is not None and run.parent_task is not None:
        parent = (run.parent_run, run.parent_task)
    return Told(
        run_id=run.id,
        job=run.job,
        kind=run.kind,
        state=run.state,
        created_at=run.created_at,
        trigger=run.trigger,
        origin=run.origin,
        location=run.location,
        partition=run.partition,
        logical_at=run.logical_at,
        tags=run.tags,
        parent=parent,
        steps=steps,
        error=run.error,
    )


def _key(task: Any) -> str:
    if task.label:
        return f"{task.step}[{task.label}]"
    return f"{task.step}[{task.index}]" if task.index >= 0 else str(task.step)


# ---- OpenTelemetry ----


class OtlpExport:
    """Sends spans as OTLP over HTTP. Raises DefinitionError where the library is not there.

    What the configuration does not say, the standard variables of the environment do: OTEL_EXPORTER_OTLP_ENDPOINT, ...
    """

    def __init__(self, config: TracesConfig, service_name: str, *, fill: Callable[[str], str]) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
        except ModuleNotFoundError:
            hint = 'install the extra: pip install "batuta[traces]"'
            raise DefinitionError("opentelemetry is not installed", hint=hint) from None
        given: dict[str, Any] = {"timeout": float(config.timeout_s)}
        if config.endpoint:
            base = config.endpoint.rstrip("/")
            given["endpoint"] = base if base.endswith("/v1/traces") else f"{base}/v1/traces"
        if config.headers:
            given["headers"] = {name: fill(value) for name, value in config.headers.items()}
        self._exporter: Any = OTLPSpanExporter(**given)
        name = config.service_name or os.environ.get("OTEL_SERVICE_NAME") or service_name
        self._resource = Resource.create({"service.name": name})
        self._ratio = sampled_ratio()

    def __call__(self, spans: list[Span]) -> bool:
        """Send them; whether they were taken. Traces that are not sampled count as taken."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        wanted = [span for span in spans if is_sampled(span.trace, self._ratio)]
        if not wanted:
            return True
        result = self._exporter.export([self._made(span) for span in wanted])
        return result is SpanExportResult.SUCCESS

    def close(self) -> None:
        """End what it is waiting for."""
        self._exporter.shutdown()

    def _made(self, span: Span) -> Any:
        from opentelemetry.sdk.trace import Event, ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import Link, SpanKind, Status, StatusCode

        status = Status(StatusCode.ERROR, mask(span.message)) if span.failed else Status(StatusCode.UNSET)
        return ReadableSpan(
            name=span.name,
            context=_context(span.trace, span.id),
            parent=_context(span.trace, span.parent) if span.parent else None,
            resource=self._resource,
            attributes=masked(span.attributes),
            events=[Event(one.name, masked(one.attributes), _ns(one.at)) for one in span.events],
            links=[Link(_context(*link)) for link in span.links],
            kind=SpanKind.SERVER if not span.parent else SpanKind.INTERNAL,
            status=status,
            start_time=_ns(span.started_at),
            end_time=_ns(span.ended_at),
            instrumentation_scope=InstrumentationScope("batuta"),
        )


def _context(trace: str, span: str) -> Any:
    from opentelemetry.trace import SpanContext, TraceFlags

    return SpanContext(int(trace, 16), int(span, 16), is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _ns(at: float) -> int:
    return int(at * 1_000_000_000)


def sampled_ratio(environment: Mapping[str, str] = os.environ) -> float:
    """Which part of the traces is wanted, by OTEL_TRACES_SAMPLER."""
    sampler = environment.get("OTEL_TRACES_SAMPLER", "")
    if sampler.endswith("always_off"):
        return 0.0
    if not sampler.endswith("traceidratio"):
        return 1.0
    try:
        return min(max(float(environment.get("OTEL_TRACES_SAMPLER_ARG", "1")), 0.0), 1.0)
    except ValueError:
        return 1.0


def is_sampled(trace: str, ratio: float) -> bool:
    """By the trace's number, as OpenTelemetry's own sampler does, so that all agree."""
    return int(trace[16:], 16) < round(ratio * (1 << 64))
