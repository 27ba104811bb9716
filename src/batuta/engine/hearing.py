"""What executors tell: the ends of attempts and what they made, as events of runs; what flows and steps ask for."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from batuta.core import events as ev
from batuta.core.code_text import encode_code
from batuta.core.columns import encode_lineage
from batuta.core.errors import InvariantError
from batuta.core.states import TaskState
from batuta.core.values import ErrorInfo
from batuta.engine.acting import InFlight
from batuta.engine.active import ActiveRun
from batuta.executors.port import Begun, Executor, HasRoom, Heard
from batuta.runtime.protocol import Ask, Checked, Loaded, Materialized, Record, StepDone, Submit
from batuta.store.columns import RUN
from batuta.store.rows import CheckRow, CodeRow, ColumnsRow, MaterializationRow, UsageRow
from batuta.store.usage import DAY_S

if TYPE_CHECKING:
    from batuta.engine.engine import Engine


class Hearing:
    """See the module. All in the engine's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def heard(self, executor: Executor, message: Heard) -> None:
        """Whatever an executor tells."""
        engine = self._engine
        match message:
            case StepDone():
                self.done(message)
            case Submit():
                engine.calls.submitted(message)
            case Begun():
                engine.calls.begun(executor, message)
            case Ask():
                self._asked(executor, message)
            case HasRoom():
                engine.acting.dispatch()

    def _asked(self, executor: Executor, ask: Ask) -> None:
        engine = self._engine
        flight = engine.acting.flight(ask.request)
        if flight is not None:
            engine.questions.ask(
                flight.active, flight.task, ask, lambda reply: engine.turns.reply(executor, ask.request, reply)
            )

    def done(self, done: StepDone) -> None:
        """An attempt has ended, or was given back."""
        engine = self._engine
        flight = engine.acting.landed(done.id)
        if flight is None or engine.run_of(flight.active.id) is not flight.active:
            return
        active = flight.active
        if done.status == "returned":
            self._given_back(flight)
            return
        if flight.task == 0 and active.is_flow:
            engine.calls.body_ended(active, done)
        for record in done.records:
            self.made(active, flight.task, record)
        engine.record(active, self._event_of(flight, done))
        if flight.task == 0 and active.is_flow and active.run.task(0).final:
            engine.children.body_gone(active)

    def _given_back(self, flight: InFlight) -> None:
        """Back into the queue, as the same attempt; as another where it seemed to run already, or is to be stopped."""
        engine, active = self._engine, flight.active
        task = active.run.task(flight.task)
        if task.state is TaskState.QUEUED and task.stop is None:
            engine.acting.again(flight)
            engine.journal.touch(active)
            return
        reason = "its worker gave it back before it had begun"
        lost = ev.AttemptLost(at=engine.now(), task=flight.task, attempt=flight.attempt, reason=reason, counted=False)
        engine.record(active, lost)

    def _event_of(self, flight: InFlight, done: StepDone) -> ev.Event:
        at = done.finished_at or self._engine.now()
        task, attempt, since = flight.task, flight.attempt, done.started_at
        match done.status:
            case "succeeded":
                if done.cache_key and not done.cached and done.output is not None:
                    self._engine.journal.keep_result(flight.active.id, done, self._engine.now())
                return ev.AttemptSucceeded(
                    at=at,
                    task=task,
                    attempt=attempt,
                    started_at=since,
                    output=done.output,
                    follow=done.follow,
                    cut=done.cut,
                    cached=done.cached,
                    logged=done.logged,
                )
            case "failed":
                return ev.AttemptFailed(
                    at=at,
                    task=task,
                    attempt=attempt,
                    error=done.error or ErrorInfo(),
                    started_at=since,
                    retryable=done.retryable,
                    logged=done.logged,
                )
            case "skipped":
                return ev.AttemptSkipped(
                    at=at, task=task, attempt=attempt, reason=done.reason, started_at=since, logged=done.logged
                )
            case "deferred":
                return ev.AttemptDeferred(
                    at=at,
                    task=task,
                    attempt=attempt,
                    until=done.until,
                    started_at=since,
                    state=done.output,
                    logged=done.logged,
                    wait=done.wait,
                )
            case "cancelled":
                return ev.AttemptCancelled(at=at, task=task, attempt=attempt, started_at=since, logged=done.logged)
            case "lost":
                return ev.AttemptLost(
                    at=at,
                    task=task,
                    attempt=attempt,
                    reason=done.reason,
                    counted=done.counted,
                    started_at=since,
                    logged=done.logged,
                )
        raise InvariantError(f"an executor said {done.status!r} of an attempt")

    def made(self, active: ActiveRun, task: int, record: Record) -> None:
        """A task run reports what it did to an asset."""
        match record:
            case Materialized():
                self._materialized(active, task, record)
            case Checked():
                self._checked(active, task, record)
            case Loaded():
                self._loaded(active, task, record)

    def _materialized(self, active: ActiveRun, task: int, record: Materialized) -> None:
        now = self._engine.now()
        active.record(
            ev.AssetMaterialized(
                at=now,
                task=task,
                asset=record.asset,
                partition=record.partition,
                data_version=record.data_version,
                code_version=record.code_version,
                inputs=record.inputs,
                metadata=record.metadata,
                environment=active.environment,
            )
        )
        if not active.environment:
            self._engine.waits.asset_made(record.asset)
        active.versions[(record.asset, record.partition)] = record.data_version
        active.places[(record.asset, record.partition)] = active.environment
        active.materializations.append(
            MaterializationRow(
                record.asset,
                record.partition,
                active.id,
                task,
                now,
                record.data_version,
                record.code_version,
                msgspec.json.encode(record.inputs),
                msgspec.json.encode(record.metadata),
            )
        )
        self._told_columns(active, record, now)
        if record.code is not None and record.code_version:
            code = encode_code(record.code)
            active.code.append(CodeRow(record.asset, record.code_version, code, active.id, now))

    def _told_columns(self, active: ActiveRun, record: Materialized, now: float) -> None:
        """Keep what the columns of an asset are, and are made from; once a run, as its partitions say the same."""
        schema = record.metadata.get("columns")
        columns = schema.get("columns") if isinstance(schema, dict) and schema.get("type") == "schema" else None
        if not columns and record.lineage is None:
            return
        lineage = b"{}" if record.lineage is None else encode_lineage(record.lineage)
        told = msgspec.json.encode(columns or [])
        digest = hashlib.blake2b(b"\0".join((told, lineage)), digest_size=8).hexdigest()
        if active.columns_told.get(record.asset) != digest:
            active.columns_told[record.asset] = digest
            active.columns.append(ColumnsRow(record.asset, RUN, digest, told, lineage, active.id, now))

    def _checked(self, active: ActiveRun, task: int, record: Checked) -> None:
        now = self._engine.now()
        active.record(
            ev.CheckEvaluated(
                at=now,
                task=task,
                asset=record.asset,
                check=record.check,
                passed=record.passed,
                partition=record.partition,
                blocking=record.blocking,
                description=record.description,
                metadata=record.metadata,
                outcome=record.outcome,
            )
        )
        active.checks.append(
            CheckRow(
                record.asset,
                record.check,
                record.partition,
                active.id,
                task,
                now,
                record.passed,
                record.blocking,
                record.description,
                msgspec.json.encode(record.metadata),
                record.outcome,
            )
        )

    def _loaded(self, active: ActiveRun, task: int, record: Loaded) -> None:
        """Counted, not told in an event: what was read to make an asset stands with that asset."""
        now = self._engine.now()
        spec = active.run.task(task).node.spec
        kind, reader = ("asset", spec.key) if spec.kind == "asset" else ("task", f"{active.row.job}/{spec.key}")
        active.usage.append(UsageRow(record.asset, kind, reader, int(now // DAY_S), 1, now, active.id))
