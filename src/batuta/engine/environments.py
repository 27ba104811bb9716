"""What an environment has that production has not, and the runs that take it there, or clear it away.

To promote is to copy data and what is recorded of them, asset by asset: all partitions of an asset in one step, whose
records are committed at once. A run that was killed on the way is resumed, or made again: what is there is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.environments import CLEAR, PROMOTE, TAG, unknown_environment
from batuta.core.errors import RequestError
from batuta.core.plan import Edge, Plan, StepSpec
from batuta.core.states import RUN_FINAL, RunState
from batuta.engine.materialize import Assets
from batuta.store.rows import MaterializationRow
from batuta.store.store import Store

How = Literal["new", "changed", "same"]
_metadata = msgspec.json.Decoder(dict[str, Any])
PARTITIONS_TOLD_MAX = 20
_OPEN = [str(state) for state in RunState if state not in RUN_FINAL]


class AssetDifference(msgspec.Struct, frozen=True):
    """How an asset of an environment differs from production's.

    `new`: production has none of it; `changed`: other data; `same`. `code_changed`: it was made by other code.
    `partitions` are those that differ ("" where it has none), `rows` and columns are those of the newest; `to_promote`
    are those of which something else is recorded, be it only that the same was made of other data.
    """

    key: str
    how: How
    partitions: tuple[str, ...] = ()
    code_changed: bool = False
    rows: int | None = None
    rows_in_production: int | None = None
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    types_changed: tuple[str, ...] = ()
    checks_failed: tuple[str, ...] = ()
    to_promote: tuple[str, ...] = ()
    known: bool = True
    """Whether it is defined here; what is not can neither be promoted nor cleared."""


def require(store: Store, name: str) -> None:
    """Raise RequestError, with the nearest name, where an environment is not there."""
    known = [row.name for row in store.environments.all()]
    if name not in known:
        raise unknown_environment(name, known)


def require_idle(store: Store, name: str) -> None:
    """Raise RequestError where something is still being made in an environment: it would be there again."""
    if going := store.runs(states=_OPEN, tags={TAG: name}, limit=1):
        raise RequestError(
            f"run {going[0].id} in environment {name!r} has not ended",
            hint=f"wait for it, or stop it: batuta runs cancel {going[0].id}",
        )


def differences(store: Store, index: AssetIndex, name: str) -> list[AssetDifference]:
    """Every asset that was made in an environment, in the order of the graph. Raises RequestError."""
    require(store, name)
    own: dict[str, dict[str, MaterializationRow]] = {}
    for (asset, partition), row in store.environments.states(name).items():
        own.setdefault(asset, {})[partition] = row
    there = store.asset_states(own)
    failed: dict[str, list[str]] = {}
    for (asset, check, _), verdict in store.environments.verdicts(name).items():
        if not verdict.passed and verdict.blocking:
            failed.setdefault(asset, []).append(check)
    order = sorted(own, key=lambda key: index.rank.get(key, len(index.rank)))
    return [
        _difference(key, own[key], there, tuple(dict.fromkeys(failed.get(key, ()))), key in index.assets)
        for key in order
    ]


def _difference(
    key: str,
    own: dict[str, MaterializationRow],
    there: dict[tuple[str, str], MaterializationRow],
    failed: tuple[str, ...],
    known: bool,
) -> AssetDifference:
    differing = [one for one, row in own.items() if not _is_same(row, there.get((key, one)))]
    newest = max((own[one] for one in differing or own), key=lambda row: row.at)
    before = there.get((key, newest.partition))
    columns, were = _columns(newest), _columns(before)
    both = columns.keys() & were.keys()
    return AssetDifference(
        key,
        "same" if not differing else "changed" if any((key, one) in there for one in own) else "new",
        tuple(sorted(differing)),
        any(
            (row := there.get((key, one))) is not None and row.code_version != own[one].code_version
            for one in differing
        ),
        _rows(newest),
        _rows(before),
        tuple(name for name in columns if name not in were) if were else (),
        tuple(name for name in were if name not in columns) if columns else (),
        tuple(
            f"{name} {were[name]} → {columns[name]}" for name in columns if name in both and were[name] != columns[name]
        ),
        failed,
        tuple(sorted(one for one, row in own.items() if not _is_recorded(row, there.get((key, one))))),
        known,
    )


def _is_same(row: MaterializationRow, there: MaterializationRow | None) -> bool:
    return there is not None and (row.data_version, row.code_version) == (there.data_version, there.code_version)


def _is_recorded(row: MaterializationRow, there: MaterializationRow | None) -> bool:
    """Whether production has it, made of the same."""
    return there is not None and _is_same(row, there) and row.inputs == there.inputs


def _rows(row: MaterializationRow | None) -> int | None:
    rows = None if row is None else _metadata.decode(row.metadata).get("rows")
    return rows if isinstance(rows, int) else None


def _columns(row: MaterializationRow | None) -> dict[str, str]:
    told = {} if row is None else _metadata.decode(row.metadata)
    schema = told.get("columns") or told.get("schema")
    if not isinstance(schema, dict) or not isinstance(schema.get("columns"), list):
        return {}
    return {str(name): str(kind) for name, kind in schema["columns"]}


def promotion(store: Store, assets: Assets, name: str, selection: str = "*") -> tuple[Plan, dict[str, Any]]:
    """The plan that takes to production what an environment has, and what its run is to be told; it may have no steps.

    Raises RequestError where there is no such environment, or a blocking check has failed there.
    """
    found = differences(store, assets.index, name)
    chosen = set(assets.select(selection)) if selection != "*" else {one.key for one in found}
    wanted = [one for one in found if one.to_promote and one.key in chosen and one.known]
    if failed := [one for one in wanted if one.checks_failed]:
        told = ", ".join(f"{one.key}:{check}" for one in failed for check in one.checks_failed)
        raise RequestError(
            f"blocking checks have failed in environment {name!r}: {told}",
            hint=f"mend it there first: batuta materialize {failed[0].key} --env {name}",
        )
    partitions = {one.key: list(one.to_promote) for one in wanted}
    plan = _plan(assets.index, partitions, "promote")
    return plan, {PROMOTE: {"environment": name, "partitions": partitions}}


def clearing(store: Store, assets: Assets, name: str, by: str = "") -> tuple[Plan, dict[str, Any], list[str]]:
    """The plan that deletes the data of an environment, what its run is to be told, and assets unknown here.

    `by`: who drops it; it is forgotten in the commit in which that run succeeds. Raises RequestError.
    """
    require(store, name)
    partitions: dict[str, list[str]] = {}
    for asset, partition in store.environments.states(name):
        partitions.setdefault(asset, []).append(partition)
    unknown = sorted(key for key in partitions if key not in assets.index.assets)
    for key in unknown:
        del partitions[key]
    plan = _plan(assets.index, partitions, "clear", backwards=True)
    return plan, {CLEAR: {"environment": name, "partitions": partitions, "by": by}}, unknown


def _plan(index: AssetIndex, keys: Iterable[str], job: str, *, backwards: bool = False) -> Plan:
    """One step for each asset's function, upstreams first; or last, as a view holds the tables that it reads."""
    chosen = sorted((key for key in keys if index.assets[key].step), key=index.rank.__getitem__, reverse=backwards)
    steps: dict[str, dict[str, None]] = {}
    writes: dict[str, list[str]] = {}
    for key in chosen:
        steps.setdefault(index.assets[key].step, {})
        writes.setdefault(index.assets[key].step, []).append(key)
    for key in chosen:
        for dep in index.assets[key].deps:
            up, down = index.assets[dep.asset].step, index.assets[key].step
            if dep.asset in chosen and up != down:
                first, then = (down, up) if backwards else (up, down)
                steps[then][first] = None
    made = tuple(
        StepSpec(
            step,
            task=index.steps[step].task,
            kind="asset",
            upstream=tuple(Edge(one) for one in above),
            writes=tuple(writes[step]),
            location=index.steps[step].location,
        )
        for step, above in steps.items()
    )
    return Plan(job=job, kind="assets", steps=made, outcome="any")
