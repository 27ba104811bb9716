"""Trying things without starting any: connections, sensors and rows of assets, in an evaluator of their code location.

What is wrong with what is tried is part of the answer, not an error of the request. Surprising: what a driver says of a
failed log-in may repeat what it was given, so it is masked where it was raised, and once more here.
"""

from __future__ import annotations

import time
from typing import Any

from batuta.core.definitions import AssetSpec
from batuta.core.errors import BatutaError, RequestError
from batuta.engine.environments import require
from batuta.engine.table_versions import versions_written
from batuta.executors.evaluators import EvaluationFailed
from batuta.runtime.masking import mask
from batuta.scheduler.sensor_trial import try_sensor
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.problems import Conflict, NotFound, Refused
from batuta.server.shapes.assets import AssetRows, TableVersions, TableVersionShown
from batuta.server.shapes.base import at
from batuta.server.shapes.operations import ConnectionTest
from batuta.server.shapes.service import AskedRun, TriedSensor

CONNECT_S = 30.0
READ_S = 30.0


def try_connection(backend: Backend, who: Principal, name: str, location: str) -> ConnectionTest:
    """Connect, at a location or the first that there is. Raises NotFound, Forbidden, Refused where nobody can do it."""
    known = list(backend.catalog.locations)
    place = location or next(iter(known), "")
    if not place:
        raise Refused("conflict", 409, "there is no code location to try it from", hint="start one: batuta up")
    backend.catalog.location(place)
    who.need("editor", place, "try connections there")
    began = time.perf_counter()
    ok, told, hint = True, "", ""
    try:
        told = str(backend.asking.ask(place, "connection", {"name": name}, CONNECT_S, who.name)["told"])
    except Refused:
        raise
    except BatutaError as error:
        ok, told, hint = False, error.what, error.hint or ""
    took_s = round(time.perf_counter() - began, 3)
    return ConnectionTest(name=name, location=place, ok=ok, told=mask(told), hint=mask(hint), took_s=took_s)


def read_rows(
    backend: Backend,
    who: Principal,
    spec: AssetSpec,
    partition: str | None,
    limit: int,
    *,
    version: str = "",
    run: int | None = None,
    environment: str = "",
) -> AssetRows:
    """Rows of an asset, of the partition made last by default. Raises Forbidden, Conflict where they cannot be read.

    `version`, `run`: as its table was then. Raises NotFound for a run or an environment that is not there.
    """
    asked: dict[str, Any] = {"asset": spec.key, "limit": limit, "version": version}
    asked["environment"] = _made_in(backend, spec, environment)
    if run is not None:
        if backend.store.run(run) is None:
            raise NotFound(f"there is no run {run}")
        asked["run"] = run
        asked["environment"], asked["versions"] = versions_written(backend.store, spec.key, run)
    if partition is None and spec.partitions is not None and not version and run is None:
        partition = _last_partition(backend, spec, asked["environment"])
    asked["partition"] = partition or ""
    said = _asked_of(backend, who, spec, "rows", asked)
    return AssetRows(
        partition=partition or "",
        columns=said["columns"],
        types=said["types"],
        rows=said["rows"],
        total=said["rows_total"],
        version=said["version"],
    )


def list_versions(
    backend: Backend, who: Principal, spec: AssetSpec, limit: int, environment: str = ""
) -> TableVersions:
    """The versions of an asset's table. Raises Forbidden, Conflict where it has none or they cannot be read."""
    asked = {"asset": spec.key, "limit": limit, "environment": _made_in(backend, spec, environment)}
    said = _asked_of(backend, who, spec, "versions", asked)
    return TableVersions(
        items=[
            TableVersionShown(
                version=one["version"],
                at=at(one["at"]),
                operation=one.get("operation", ""),
                run=int(one["run"]) if one.get("run", "").isdecimal() else None,
                partitions=list(one.get("partitions", ())),
                by=one.get("by", ""),
            )
            for one in said["versions"]
        ]
    )


def _made_in(backend: Backend, spec: AssetSpec, environment: str) -> str:
    """The environment, if the asset was made there; else production, whose data are read in it. Raises NotFound."""
    if not environment:
        return ""
    try:
        require(backend.store, environment)
    except RequestError as error:
        raise NotFound(error.what, hint=error.hint) from None
    return environment if backend.store.environments.states(environment, [spec.key]) else ""


def _last_partition(backend: Backend, spec: AssetSpec, environment: str) -> str:
    """The partition that was made last. Raises Conflict where none was."""
    if environment:
        made = list(backend.store.environments.states(environment, [spec.key]).values())
    else:
        made = backend.store.materializations(spec.key, limit=1)
    if not made:
        raise Conflict(f"no partition of {spec.key!r} was made yet", hint="materialize one")
    return max(made, key=lambda row: row.at).partition


def _asked_of(backend: Backend, who: Principal, spec: AssetSpec, what: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What a process of the asset's location says. Raises Forbidden, Conflict."""
    location = backend.catalog.location_of[spec.key]
    who.need("operator", location, f"read {what} of {spec.key!r}")
    try:
        return backend.asking.ask(location, what, asked, READ_S, who.name)
    except Refused:
        raise
    except BatutaError as error:
        hint = None if error.hint is None else mask(error.hint)
        told = mask(error.what).strip().partition("\n")[0]  # of a driver's story the first line
        raise Conflict(f"{what} of {spec.key!r} cannot be read: {told}", hint=hint) from None


def tried_sensor(backend: Backend, who: Principal, location: str, name: str, cursor: str | None) -> TriedSensor:
    """Evaluate a sensor once. Raises NotFound, Forbidden, Refused where nobody can do it."""
    who.need("operator", location, f"try {name!r}")
    spec = backend.catalog.sensors.get((location, name))
    if spec is None:
        raise NotFound(f"there is no sensor {name!r} at location {location!r}", hint="GET /api/v1/tickers lists them")
    began = time.perf_counter()
    found = TriedSensor(
        asked=[], reason="", cursor=cursor or "", more=False, error="", place="", traceback="", took_s=0.0
    )

    def ask(what: str, data: dict[str, object], timeout_s: float) -> dict[str, object]:
        return backend.asking.ask(location, what, data, timeout_s, who.name)

    try:
        said = try_sensor(backend.store, location, spec, cursor, backend.clock(), ask)
    except Refused:
        raise
    except BatutaError as error:
        found.error, found.place = error.what, error.where or ""
        found.traceback = error.traceback if isinstance(error, EvaluationFailed) else ""
    else:
        found.reason, found.cursor, found.more = said.reason, said.cursor, said.more
        found.asked = [
            AskedRun(
                key=one.key,
                job=one.job or ("" if one.selection else spec.job),
                selection=one.selection or ("" if one.job else spec.selection),
                params=one.params,
                tags=one.tags,
                partition=one.partition,
            )
            for one in said.asked
        ]
    found.took_s = round(time.perf_counter() - began, 3)
    return found
