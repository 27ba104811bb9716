"""What has happened, as facts for the rules: read from recorded events, so that nobody who ran anything has to help.

A run made by a command counts as much as one of the service. Surprising: what is told of a run is looked up only for
bad news and only once a rule may want it; good news cost one look at a page of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from batuta.core import events as ev
from batuta.core import plan as plans
from batuta.core.alert_rules import Fact
from batuta.core.alert_specs import KINDS, Rule
from batuta.core.environments import environment_of
from batuta.core.plan import Plan
from batuta.core.states import TaskState
from batuta.core.values import ErrorInfo
from batuta.runtime.masking import mask, masked
from batuta.store.rows import EventRow, RunRow, TaskRunRow
from batuta.store.store import Store

EVENT_KINDS = ("run_finished", "attempt_failed", "check_evaluated")
"""The events that rules may want to hear of."""
ERROR_LINES_MAX, ERROR_CHARS_MAX = 8, 1_200

_decode_error = msgspec.json.Decoder(ErrorInfo).decode


def wanted_kinds(rules: Iterable[Rule]) -> frozenset[str]:
    """The troubles that any rule is on."""
    return frozenset(kind for rule in rules if rule.enabled for kind in rule.kinds if kind in KINDS)


def event_kinds(wanted: frozenset[str]) -> tuple[str, ...]:
    """The kinds of events that have to be read for them."""
    needs = {
        "run_finished": {"failure", "success_after_failure"},
        "attempt_failed": {"retry"},
        "check_evaluated": {"check_failed"},
    }
    return tuple(kind for kind in EVENT_KINDS if needs[kind] & wanted)


class Facts:
    """Reads events as facts. One page at a time, in the thread of one duty."""

    def __init__(self, store: Store, wanted: frozenset[str]) -> None:
        self._store = store
        self._wanted = wanted
        self._plans: dict[str, Plan | None] = {}

    def of(self, events: Sequence[EventRow]) -> list[Fact]:
        """The facts in a page of events, in their order; none of runs that are gone by now, or in an environment."""
        runs = {row.id: row for row in self._store.runs_numbered({event.run_id for event in events})}
        self._plans.clear()
        found: list[Fact] = []
        for row in events:
            run = runs.get(row.run_id)
            if run is not None and not environment_of(run.config):
                found += self._of_event(run, row)
        return found

    def of_run(self, run: RunRow) -> list[Fact]:
        """All facts of one run, for explaining what rules make of it; none of one in an environment."""
        if environment_of(run.config):
            return []
        return [
            fact for row in self._store.events(run.id) if row.kind in EVENT_KINDS for fact in self._of_event(run, row)
        ]

    def _of_event(self, run: RunRow, row: EventRow) -> list[Fact]:
        event = ev.decode(row.data)
        match event:
            case ev.RunFinished():
                return self._finished(run, row, event)
            case ev.AttemptFailed() if "retry" in self._wanted:
                return self._retried(run, event)
            case ev.CheckEvaluated() if "check_failed" in self._wanted:
                return [self._checked(run, event)]
        return []

    # ---- runs ----

    def _finished(self, run: RunRow, row: EventRow, event: ev.RunFinished) -> list[Fact]:
        if event.state == "failed":
            return [self._failure(run, event.at)] if "failure" in self._wanted else []
        if event.state != "succeeded":
            return []
        facts = []
        if "failure" in self._wanted:
            facts.append(self._fact("failure", run, event.at, good=True))
        if "success_after_failure" in self._wanted and (before := self._failed_before(run, row.seq)) is not None:
            whole = self._fact("success_after_failure", run, event.at, **self._reach(run))
            facts.append(msgspec.structs.replace(whole, since=before))
        return facts

    def _failed_before(self, run: RunRow, seq: int) -> float | None:
        """When the job, or an earlier part of this run, failed, if that is what it did last."""
        for row in self._store.run_ends(run.id, before_seq=seq):
            finished = ev.decode(row.data)
            if isinstance(finished, ev.RunFinished):
                return finished.at if finished.state == "failed" else None
        earlier = self._store.runs(
            job=run.job, partition=run.partition, states=("failed", "succeeded"), before=run.id, limit=1
        )
        return earlier[0].finished_at if earlier and earlier[0].state == "failed" else None

    def _failure(self, run: RunRow, at: float) -> Fact:
        task = self._culprit(run)
        fact = self._fact("failure", run, at, since=at, message=mask(run.error), **self._reach(run))
        if task is None:
            return fact
        step = _key_of(task)
        told = error_of(task)
        return msgspec.structs.replace(
            fact, step=step, task=task.no, data={**fact.data, **told, "attempt": task.attempt}
        )

    def _culprit(self, run: RunRow) -> TaskRunRow | None:
        """The task run whose failure is the story: not the body of a flow where a call of it failed."""
        failed = self._store.task_runs(run.id, states=str(TaskState.FAILED), limit=2)
        if not failed:
            return None
        return failed[1] if failed[0].no == 0 and run.kind == "flow" and len(failed) > 1 else failed[0]

    def _retried(self, run: RunRow, event: ev.AttemptFailed) -> list[Fact]:
        """Where it failed for good, the run tells of it; where it will be tried again, or was, this does."""
        task = self._store.task_run(run.id, event.task)
        if task is None or (task.state != TaskState.RETRYING and task.attempt <= event.attempt):
            return []
        step = _key_of(task)
        told = told_of(event.error)
        fact = self._fact("retry", run, event.at, message=mask(event.error.headline()), step=step, task=task.no)
        subject = f"{fact.subject}/{step}"
        return [msgspec.structs.replace(fact, subject=subject, data={**fact.data, **told, "attempt": event.attempt})]

    # ---- checks ----

    def _checked(self, run: RunRow, event: ev.CheckEvaluated) -> Fact:
        subject = f"{event.asset}:{event.check}" + (f"[{event.partition}]" if event.partition else "")
        fact = self._fact(
            "check_failed", run, event.at, good=event.passed, task=event.task, message=mask(event.description)
        )
        return msgspec.structs.replace(
            fact,
            subject=subject,
            asset=event.asset,
            assets=(),
            layers=layers_of(self._store, (event.asset,)),
            check=event.check,
            partition=event.partition,
            severity="error" if event.blocking else "warning",
            data={**fact.data, "blocking": event.blocking, "metadata": masked(_short(event.metadata))},
        )

    # ---- a fact of a run ----

    def _fact(self, kind: str, run: RunRow, at: float, **fields: Any) -> Fact:
        subject = f"{run.job}[{run.partition}]" if run.partition else run.job
        return Fact(
            kind=kind,
            subject=subject,
            at=at,
            job=run.job,
            location=run.location,
            tags=run.tags,
            partition=run.partition,
            run_id=run.id,
            data=data_of(run),
            **fields,
        )

    def _reach(self, run: RunRow) -> dict[str, Any]:
        """The assets that the run is about, and their layers."""
        if run.plan_hash not in self._plans:
            data = self._store.plan(run.plan_hash)
            self._plans[run.plan_hash] = None if data is None else plans.decode(data)
        plan = self._plans[run.plan_hash]
        assets = tuple(dict.fromkeys(asset for step in plan.steps for asset in step.writes)) if plan else ()
        return {"assets": assets, "layers": layers_of(self._store, assets)}


def data_of(run: RunRow) -> dict[str, Any]:
    """What messages say of a run."""
    return {"trigger": run.trigger, "origin": run.origin, "logical_at": run.logical_at, "started_at": run.started_at}


def layers_of(store: Store, assets: Sequence[str]) -> tuple[str, ...]:
    """The layers of assets, as they are defined now."""
    found = (
        (msgspec.json.decode(row.data).get("layer", "") for row in store.asset_definitions(assets)) if assets else ()
    )
    return tuple(dict.fromkeys(layer for layer in found if layer))


def error_of(task: TaskRunRow) -> dict[str, Any]:
    """The error of a task run, as messages tell it."""
    return told_of(_decode_error(task.error)) if task.error else {}


def told_of(error: ErrorInfo) -> dict[str, Any]:
    """An error's type, its place in the user's code, and its first lines."""
    lines = [line for line in error.message.strip().splitlines() if line.strip()]
    shown = "\n".join(lines[:ERROR_LINES_MAX])
    if len(lines) > ERROR_LINES_MAX or len(shown) > ERROR_CHARS_MAX:
        shown = shown[:ERROR_CHARS_MAX] + "\n..."
    place = f"{error.file}:{error.line}" if error.file else ""
    told: dict[str, Any] = masked({"type": error.type, "message": shown, "place": place, "hint": error.hint})
    return {"error": told}


def _short(metadata: dict[str, Any]) -> dict[str, Any]:
    """What of a check's metadata fits into a message."""
    return {key: value for key, value in list(metadata.items())[:10] if isinstance(value, str | int | float | bool)}


def _key_of(task: TaskRunRow) -> str:
    if task.label:
        return f"{task.step}[{task.label}]"
    return f"{task.step}[{task.index}]" if task.index >= 0 else task.step
