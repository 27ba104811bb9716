"""From what somebody wants run to the rows of a run: code found, parameters validated by it, plan made.

Everything that starts runs goes through here: people, schedules, sensors, automations, backfills, steps. Nothing is
executed here; the queue does that. Surprising: parameters are validated by the location's own code, in its own
process, so a plain thread may wait for it, the engine's never.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batuta.core import plan as plans
from batuta.core.asset_partitions import Asked
from batuta.core.definitions import JobSpec
from batuta.core.environments import CONFIG, TAG, checked_name
from batuta.core.errors import BatutaError, ParameterError, RequestError
from batuta.core.plan import Plan, locations_of
from batuta.core.run_limits import oversized
from batuta.core.run_rules import RunRules, concurrency_key
from batuta.engine.active import LOCATIONS
from batuta.engine.materialize import Assets
from batuta.scheduler.location import Version
from batuta.scheduler.locations import Locations
from batuta.store.rows import KeyedRun, NewRun

VALIDATE_S = 30.0


@dataclass(slots=True, kw_only=True)
class RunSpec:
    """A run that is wanted: of a job, or (without one) of a selection of assets. At most one for its `key` in the scope
    of whoever asks; without a key always one. `partition` is text as on the command line, or keys by asset.
    """

    job: str = ""
    location: str = ""
    selection: str = ""
    key: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    partition: Asked = None
    trigger: str = "manual"
    origin: str = ""
    priority: int = 0
    concurrency_key: str = ""
    logical_at: float | None = None
    interval: tuple[float, float] | None = None
    deadline_at: float | None = None
    backfill_id: int | None = None
    parent: tuple[int, int] | None = None
    environment: str = ""  # in which one; "": in production
    by: str = ""  # the person who asks for it


class Launching:
    """See the module. Safe to use from many threads."""

    def __init__(self, locations: Locations, project_root: str) -> None:
        self._locations = locations
        self._root = project_root

    def run_from(self, spec: RunSpec, now: float) -> KeyedRun:
        """The rows of one run. Raises RequestError, or why its location is not loaded."""
        (made,) = self.runs_from([spec], now)
        if isinstance(made, BatutaError):
            raise made
        return made

    def runs_from(self, specs: Sequence[RunSpec], now: float) -> list[KeyedRun | BatutaError]:
        """The rows of many runs, or what is wrong with each; parameters of one location are validated in one go."""
        found = [self._found(spec) for spec in specs]
        wanted: dict[str, tuple[Version, dict[str, tuple[str, Mapping[str, Any]]]]] = {}
        for spec, each in zip(specs, found, strict=True):
            if not isinstance(each, BatutaError) and each[0] is not None and takes_params(each[1], spec.params):
                version = each[0]
                asked = wanted.setdefault(version.executor_name, (version, {}))[1]
                asked[_ask_key(spec)] = (spec.job, spec.params)
        valid: dict[str, dict[str, dict[str, Any] | BatutaError]] = {}
        for name, (version, asked) in wanted.items():
            valid[name] = _validated(version, asked)
        return [
            each if isinstance(each, BatutaError) else self._made(spec, *each, valid, now)
            for spec, each in zip(specs, found, strict=True)
        ]

    def _found(self, spec: RunSpec) -> tuple[Version | None, JobSpec | None] | BatutaError:
        """The location's version and the job; no version for a selection of assets of no particular location."""
        try:
            if spec.job:
                version = self._locations.with_job(spec.job, spec.location)
                return version, version.job(spec.job)
            if not spec.location and len(self._locations) > 1:
                return None, None
            return self._locations.get(spec.location).version(), None
        except BatutaError as error:
            return error

    def _made(
        self,
        spec: RunSpec,
        version: Version | None,
        job: JobSpec | None,
        valid: dict[str, dict[str, dict[str, Any] | BatutaError]],
        now: float,
    ) -> KeyedRun | BatutaError:
        params: dict[str, Any] | BatutaError = dict(spec.params)
        if version is not None and takes_params(job, spec.params):
            params = valid[version.executor_name][_ask_key(spec)]
        if isinstance(params, BatutaError):
            return params
        try:
            # a job's selection is one over all locations; what else names a location means that one alone
            plan = plan_of(spec, job, lambda: self._locations.assets_for("" if job is not None else spec.location))
            if version is None or plan.kind == "assets":
                version = self._locations.get(
                    location_of(plan, version.location if version is not None else "")
                ).version()
            return rows_of(spec, job, plan, params, version.location, version.hash, project_root=self._root, now=now)
        except BatutaError as error:
            return error


def rows_of(
    spec: RunSpec,
    job: JobSpec | None,
    plan: Plan,
    params: dict[str, Any],
    location: str,
    version: str,
    *,
    project_root: str,
    now: float,
) -> KeyedRun:
    """The rows of a run whose plan is made and whose parameters are valid. Raises RequestError."""
    data = plans.encode(plan)
    own: dict[str, Any] = {"skip_unchanged": True} if spec.config.get("mode") == "stale" else {}
    tags = {**(job.tags if job is not None else {}), **spec.tags}
    if spec.environment:
        own[CONFIG] = tags[TAG] = checked_name(spec.environment)
    if plan.kind != "assets" and (message := oversized(params, tags)):
        raise RequestError(message, where=plan.job)
    run = NewRun(
        job=plan.job,
        kind=plan.kind,
        plan_hash=plans.content_hash(data),
        location=location,
        params=params,
        tags=tags,
        trigger=spec.trigger,
        logical_at=now if spec.logical_at is None else spec.logical_at,
        interval_start=spec.interval[0] if spec.interval else None,
        interval_end=spec.interval[1] if spec.interval else None,
        partition=_shown(spec.partition),
        parent_run=spec.parent[0] if spec.parent else None,
        parent_task=spec.parent[1] if spec.parent else None,
        priority=spec.priority,
        config={"executor": "processes", "project": project_root, **several(plan), **spec.config, **own},
        created_at=now,
        version=version,
        origin=spec.origin,
        concurrency_key=spec.concurrency_key,
        deadline_at=spec.deadline_at,
        backfill_id=spec.backfill_id,
        by=spec.by,
    )
    if job is not None:
        apply_rules(run, job.rules)
    return KeyedRun(run, data, spec.key or uuid.uuid4().hex)


def location_of(plan: Plan, otherwise: str) -> str:
    """The location that a run of the plan is said to be of: that of its first step."""
    return locations_of(plan)[0] or otherwise


def several(plan: Plan) -> dict[str, Any]:
    """What the configuration of a run says where its steps are of several locations."""
    names = locations_of(plan)
    return {LOCATIONS: names} if len(names) > 1 else {}


def apply_rules(run: NewRun, rules: RunRules) -> None:
    """What the job says of its runs. Raises RequestError where its concurrency key lacks a parameter."""
    run.priority += rules.priority
    run.concurrency_key = run.concurrency_key or concurrency_key(rules, run.params, run.job)
    if rules.timeout_s is not None:
        run.config.setdefault("timeout_s", rules.timeout_s)


def takes_params(job: JobSpec | None, params: Mapping[str, Any]) -> bool:
    """Whether there is anything to validate: most jobs take nothing, and are given nothing."""
    if job is None or job.plan is None:
        return False
    return bool(params) or bool(job.params_schema.get("properties"))


def _ask_key(spec: RunSpec) -> str:
    return json.dumps([spec.job, spec.params], sort_keys=True, default=str)


def _validated(
    version: Version, asked: dict[str, tuple[str, Mapping[str, Any]]]
) -> dict[str, dict[str, Any] | BatutaError]:
    runs = [[job, dict(params)] for job, params in asked.values()]
    try:
        answers = version.evaluate("validate", {"runs": runs}, VALIDATE_S)["runs"]
    except BatutaError as error:
        return dict.fromkeys(asked, error)
    return {
        key: answer["params"]
        if "params" in answer
        else ParameterError(answer["what"], where=answer["where"], hint=answer["hint"])
        for key, answer in zip(asked, answers, strict=True)
    }


def plan_of(spec: RunSpec, job: JobSpec | None, assets: Callable[[], Assets]) -> Plan:
    """The plan of a run: the job's, or one made for the assets that are wanted. Raises RequestError."""
    if job is not None and job.plan is not None:
        return job.plan
    selection = spec.selection or (job.selection if job is not None else "")
    if not selection:
        raise RequestError("neither a job nor a selection of assets was named")
    name = job.name if job is not None else "materialize"
    mode = spec.config.get("mode", "all")
    plan = assets().within(spec.environment).plan(selection, mode=mode, partitions=spec.partition, job=name).plan
    if not plan.steps:
        raise RequestError(f"nothing to make of {selection!r}", hint="all of it is fresh")
    return plan


def _shown(partition: Asked) -> str:
    """As one text, for the run's row."""
    if partition is None or isinstance(partition, str):
        return partition or ""
    if isinstance(partition, Mapping):
        return ", ".join(dict.fromkeys(_shown(choice) for choice in partition.values()))
    return ",".join(partition)
