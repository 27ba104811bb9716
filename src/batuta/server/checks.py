"""Checks with their last verdicts."""

from __future__ import annotations

from collections.abc import Iterable

from batuta.core.definitions import CheckSpec
from batuta.server.asset_states import AssetStates
from batuta.server.backend import Backend
from batuta.server.shapes.assets import Check
from batuta.server.shapes.base import at
from batuta.server.source_code import short_place
from batuta.store.rows import CheckRow

PARTITIONS_SHOWN = 100


def checks_of_assets(backend: Backend, found: AssetStates, checks: Iterable[CheckSpec]) -> list[Check]:
    """The checks as they are shown."""
    return [_check(backend, found, check, found.verdicts_of.get((check.asset, check.name), [])) for check in checks]


def all_checks(backend: Backend, found: AssetStates) -> list[Check]:
    """All checks, made once for a state of the assets."""
    shown: list[Check] | None = found.shown.get("checks")
    if shown is None:
        shown = found.shown["checks"] = checks_of_assets(backend, found, found.assets.index.checks.values())
    return shown


def _check(backend: Backend, found: AssetStates, spec: CheckSpec, verdicts: list[CheckRow]) -> Check:
    state = found.states.get(spec.asset)
    last = max(verdicts, key=lambda row: row.at, default=None)
    failed = [row for row in verdicts if not row.passed]
    told = max(failed, key=lambda row: row.at, default=last)
    return Check(
        asset=spec.asset,
        name=spec.name,
        blocking=spec.blocking,
        description=spec.description,
        place=short_place(spec.place, backend.project.root),
        layer="" if state is None else state.spec.layer,
        location="" if state is None else state.location,
        passed=None if last is None else not failed,
        partitions_failed=sorted(row.partition for row in failed if row.partition)[:PARTITIONS_SHOWN],
        at=None if last is None else at(last.at),
        run=None if last is None else last.run_id,
        said="" if told is None else told.description,
    )
