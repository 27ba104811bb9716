"""Launching over HTTP: from what was asked for to a queued run, at most one for an `Idempotency-Key`.

Parameters are checked against the job's schema here, without any of the user's code; where a scheduler is part of this
process, the code itself validates them, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec.structs import replace

from batuta.core.definitions import JobSpec
from batuta.core.environments import checked_name
from batuta.core.errors import BatutaError
from batuta.core.params_schema import completed, wrong
from batuta.core.plan import LabelExpansion, MapExpansion, Plan, locations_of
from batuta.engine.materialize import Assets
from batuta.scheduler.launching import RunSpec, location_of, plan_of, rows_of, takes_params
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.problems import Conflict, FieldProblem, Forbidden, Invalid, NotFound
from batuta.server.shapes.base import seconds_of
from batuta.server.shapes.runs import Launch, LaunchCheck
from batuta.store.claims import as_queued
from batuta.store.rows import RunRow

Validate = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""(location, job, parameters) to the parameters, completed by the user's code. Raises ParameterError."""


class Launcher:
    """See the module."""

    def __init__(self, backend: Backend, validate: Validate | None = None) -> None:
        self._backend = backend
        self._validate = validate

    def launch(self, wanted: Launch, who: Principal, key: str | None) -> tuple[RunRow, bool]:
        """Queue a run; the run, and whether it is new. Raises NotFound, Forbidden, Invalid, Conflict, RequestError."""
        backend = self._backend
        location, job, params = self._found(wanted, who)
        catalog = backend.catalog
        spec = _spec_of(wanted, location, job, who, key or "")
        plan = self._plan(spec, wanted, job, who)
        selection = spec.selection
        if plan.kind == "assets":
            location = location_of(plan, location)
        shown = {"selection": selection, "mode": wanted.mode} if plan.kind == "assets" else params
        now = backend.clock()
        version = catalog.location(location).hash
        keyed = rows_of(spec, job, plan, shown, location, version, project_root=backend.project.root, now=now)
        if wanted.environment:
            backend.store.environments.make(wanted.environment, by=who.name, now=now)
        ((run_id, is_new),) = backend.store.create_keyed(f"api:{who.name}", [keyed], now=now)
        new = keyed.run
        if is_new:
            backend.wake("queue")
            return as_queued(run_id, new, now), True
        row = backend.run(run_id)
        if (row.job, row.location, row.params, row.partition) != (new.job, location, new.params, new.partition):
            raise Conflict(
                f"the Idempotency-Key was used before, for run {run_id} of {row.job!r}",
                hint="a new request takes a new key",
            )
        return row, False

    def check(self, wanted: Launch, who: Principal) -> LaunchCheck:
        """Whether it can be launched, and all that is wrong with its parameters. Raises NotFound, Forbidden."""
        errors: dict[str, str] = {}
        if wanted.environment:
            checked_name(wanted.environment)
        if wanted.job:
            _, named = self._backend.catalog.job(wanted.job, wanted.location)
            if named.plan is not None:
                errors = wrong(named.params_schema, wanted.params)
        by: Literal["code", "schema"] = "schema" if self._validate is None or errors else "code"
        found = LaunchCheck(ok=False, params={}, errors=errors, problem="", hint="", checked_by=by, task_runs=None)
        if errors:
            return found
        try:
            location, job, params = self._found(wanted, who)
            plan = self._plan(_spec_of(wanted, location, job, who, ""), wanted, job, who)
        except (NotFound, Forbidden):
            raise
        except BatutaError as error:
            return replace(found, problem=error.what, hint=error.hint or "")
        return replace(found, ok=True, params=params, task_runs=_task_runs_of(plan))

    def _plan(self, spec: RunSpec, wanted: Launch, job: JobSpec | None, who: Principal) -> Plan:
        """Of what is made at several locations whoever asks may operate all of them. Raises Forbidden, RequestError."""
        plan = plan_of(spec, job, lambda: self._assets("" if job is not None else wanted.location))
        if plan.kind == "assets":
            for name in filter(None, locations_of(plan)):
                who.need("operator", name, f"make {spec.selection!r}")
        return plan

    def _found(self, wanted: Launch, who: Principal) -> tuple[str, JobSpec | None, dict[str, Any]]:
        """The location, the job if one is named, and its parameters."""
        if bool(wanted.job) == bool(wanted.selection):
            raise Invalid("either a job or a selection of assets is to be named", hint="give one of the two")
        if not wanted.job:
            location = self._location_of(wanted)
            who.need("operator", location, f"make {wanted.selection!r}")
            _refuse(wanted, "params", "assets take no parameters")
            return location, None, {}
        location, job = self._backend.catalog.job(wanted.job, wanted.location)
        who.need("operator", location, f"launch {job.name!r}")
        if job.plan is None:
            _refuse(wanted, "params", "assets take no parameters")
            return location, job, {}
        _refuse(wanted, "partitions", f"{job.name!r} has no partitions")
        params = completed(job.params_schema, wanted.params, f"job {job.name!r}")
        if self._validate is None or not takes_params(job, params):
            return location, job, params
        return location, job, self._validate(location, job.name, params)

    def _location_of(self, wanted: Launch) -> str:
        """The location that was named, or the first that makes something of what is selected."""
        catalog = self._backend.catalog
        if wanted.location:
            return catalog.location(wanted.location).name
        keys = self._backend.asset_states().assets.select(wanted.selection)
        made = [key for key in keys if not catalog.index.assets[key].external]
        return catalog.location_of[(made or list(keys))[0]]

    def _assets(self, location: str) -> Assets:
        """The assets of one location; "": of all, as one graph."""
        catalog = self._backend.catalog
        return Assets(catalog.location(location).definitions if location else catalog.joined, self._backend.store)


def _spec_of(wanted: Launch, location: str, job: JobSpec | None, who: Principal, key: str) -> RunSpec:
    return RunSpec(
        job=wanted.job,
        location=location,
        selection=wanted.selection or (job.selection if job is not None else ""),
        key=key,
        tags=wanted.tags,
        config={"mode": wanted.mode} if job is None or job.plan is None else {},
        partition=wanted.partitions or None,
        trigger="api" if who.method == "token" else "manual",
        origin=who.name,
        priority=wanted.priority,
        logical_at=seconds_of(wanted.logical_at),
        by=who.name,
        environment=wanted.environment,
    )


def _task_runs_of(plan: Plan) -> int | None:
    """How many task runs there will be, where that can be known ahead."""
    if plan.kind == "flow" or any(isinstance(step.expansion, MapExpansion) for step in plan.steps):
        return None
    return sum(len(step.expansion.labels) if isinstance(step.expansion, LabelExpansion) else 1 for step in plan.steps)


def _refuse(wanted: Launch, field: str, why: str) -> None:
    if getattr(wanted, field):
        errors = (FieldProblem(pointer=f"/{field}", detail=why),)
        raise Invalid(why, hint=f"leave `{field}` out", errors=errors)
