"""What is defined, joined with what the store knows of it: rows for `list` and `show`, as data and as text."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.cli.formats import iso
from batuta.core.partitions import (
    DynamicPartitions,
    MultiPartitions,
    Partitions,
    StaticPartitions,
    TimePartitions,
    keys,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from batuta.core.definitions import AssetSpec, CheckSpec, JobSpec
    from batuta.core.staleness import Freshness, Pair
    from batuta.engine.workspace import Workspace
    from batuta.store.rows import CheckRow, MaterializationRow, RunRow


@dataclass
class AssetRow:
    """An asset: what is defined, how much of it is made, and when it was made last."""

    spec: AssetSpec
    partitions: int | None = None
    counts: dict[str, int] = field(default_factory=dict)  # fresh, stale, missing
    last: MaterializationRow | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    checks: int = 0
    checks_run: int = 0
    checks_failed: int = 0

    @property
    def state(self) -> str:
        """external, fresh, stale, missing; of partitions the one that asks for most."""
        if self.spec.external:
            return "external"
        if self.counts.get("missing", 0) and not self.counts.get("fresh", 0) and not self.counts.get("stale", 0):
            return "missing"
        return "fresh" if not (self.counts.get("stale", 0) or self.counts.get("missing", 0)) else "stale"

    @property
    def made(self) -> int:
        return self.counts.get("fresh", 0) + self.counts.get("stale", 0)

    @property
    def rows(self) -> int | None:
        if self.last is None:
            return None
        found = msgspec.json.decode(self.last.metadata or b"{}").get("rows")
        return found if isinstance(found, int) else None


def by_layer(assets: Iterable[AssetRow], layers: Iterable[str]) -> list[AssetRow]:
    """By layer, what comes from outside first; those of a layer stay in their order."""
    place = {layer: i for i, layer in enumerate(layers)}
    return sorted(assets, key=lambda row: place.get(row.spec.layer, -1 if row.spec.external else len(place)))


def asset_rows(workspace: Workspace, selected: Iterable[str]) -> list[AssetRow]:
    """The assets with these keys, in the given order."""
    assets = workspace.assets
    states = workspace.store.asset_states()
    freshness = assets.freshness()
    verdicts = workspace.store.checks_current()
    rows = {key: AssetRow(assets.index.assets[key]) for key in selected}
    dynamic = assets.dynamic_keys()
    now = datetime.fromtimestamp(time.time(), UTC)
    counted: dict[int, int] = {}
    for row in rows.values():
        partitions = row.spec.partitions
        if partitions is not None and not row.spec.external:
            if id(partitions) not in counted:
                counted[id(partitions)] = len(keys(partitions, now, dynamic))
            row.partitions = counted[id(partitions)]
        row.checks = len(assets.index.checks_of.get(row.spec.key, ()))
    _add_freshness(rows, freshness)
    for (asset, _), made in states.items():
        found = rows.get(asset)
        if found is not None and (found.last is None or found.last.at < made.at):
            found.last = made
    by_check = {(asset, check): True for asset, check, _ in verdicts}
    for (asset, check, _), verdict in verdicts.items():
        by_check[asset, check] &= verdict.passed
    for (asset, _), passed in by_check.items():
        if asset in rows:
            rows[asset].checks_run += 1
            rows[asset].checks_failed += not passed
    return list(rows.values())


def _add_freshness(rows: Mapping[str, AssetRow], freshness: Mapping[Pair, Freshness]) -> None:
    for (asset, _), one in freshness.items():
        row = rows.get(asset)
        if row is not None:
            row.counts[one.state] = row.counts.get(one.state, 0) + 1
            if not one.is_fresh:
                text = "; ".join(one.reasons)
                row.reasons[text] = row.reasons.get(text, 0) + 1


def partitions_text(partitions: Partitions | None) -> str:
    """`daily from 2025-01-01`, `static: 3 keys`, `day × country`."""
    match partitions:
        case None:
            return ""
        case TimePartitions():
            end = f" to {partitions.end}" if partitions.end else ""
            zone = f" {partitions.timezone}" if partitions.timezone != "UTC" else ""
            return f"{partitions.cadence} from {partitions.start}{end}{zone}"
        case StaticPartitions():
            return f"static: {', '.join(partitions.keys[:5])}{', …' if len(partitions.keys) > 5 else ''}"
        case DynamicPartitions():
            return f"dynamic: {partitions.name}"
        case MultiPartitions():
            return " × ".join(f"{name} ({partitions_text(one)})" for name, one in partitions.dimensions.items())


# ---- as data ----


def asset_data(row: AssetRow) -> dict[str, Any]:
    """An asset as JSON data."""
    spec = row.spec
    return {
        "key": spec.key,
        "layer": spec.layer,
        "group": spec.group,
        "kinds": list(spec.kinds),
        "owners": list(spec.owners),
        "tags": spec.tags,
        "description": spec.description,
        "external": spec.external,
        "deps": [dep.asset for dep in spec.deps],
        "partitions": None if spec.partitions is None else partitions_text(spec.partitions),
        "partitions_total": row.partitions,
        "partitions_made": None if row.partitions is None else row.made,
        "state": row.state,
        "reasons": [{"reason": text, "partitions": count} for text, count in row.reasons.items()],
        "last_materialized_at": None if row.last is None else iso(row.last.at),
        "rows": row.rows,
        "checks": row.checks,
        "checks_run": row.checks_run,
        "checks_failed": row.checks_failed,
        "automation": automation_text(spec) or None,
        "freshness": None if spec.freshness is None else str(spec.freshness),
        "place": str(spec.place),
    }


def automation_text(spec: AssetSpec) -> str:
    """The condition under which an asset is made by itself, in one line."""
    from batuta.core.conditions import text

    return "" if spec.automation is None else text(spec.automation)


def job_data(job: JobSpec, last: RunRow | None) -> dict[str, Any]:
    """A job as JSON data."""
    return {
        "name": job.name,
        "kind": job.kind,
        "description": job.description,
        "tags": job.tags,
        "owners": list(job.owners),
        "schedule": job.schedule,
        "timezone": job.timezone,
        "params": job.params_schema,
        "steps": [] if job.plan is None else [step.key for step in job.plan.steps],
        "selection": job.selection,
        "place": str(job.place),
        "last_run": None if last is None else {"id": last.id, "state": last.state, "at": iso(last.created_at)},
    }


def check_spec_data(check: CheckSpec, verdicts: list[CheckRow]) -> dict[str, Any]:
    """A check with its last results as JSON data."""
    return {
        "check": check.key,
        "asset": check.asset,
        "name": check.name,
        "blocking": check.blocking,
        "description": check.description,
        "passed": None if not verdicts else all(verdict.passed for verdict in verdicts),
        "partitions_failed": [verdict.partition for verdict in verdicts if not verdict.passed and verdict.partition],
        "at": iso(max(verdict.at for verdict in verdicts)) if verdicts else None,
        "place": str(check.place),
    }


def verdicts_of(
    checks: Iterable[CheckSpec], current: Mapping[tuple[str, str, str], CheckRow]
) -> dict[str, list[CheckRow]]:
    """The current results of each check, by its key; one per partition."""
    found: dict[str, list[CheckRow]] = {check.key: [] for check in checks}
    for (asset, check, _), row in current.items():
        key = f"{asset}:{check}"
        if key in found:
            found[key].append(row)
    return found
