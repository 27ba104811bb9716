"""Definitions of assets for tests, written in the neutral model."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from batuta.core.definitions import AssetDep, AssetSpec, AssetStep, CheckSpec, Definitions
from batuta.core.partitions import Partitions

NOW = datetime(2025, 4, 1, tzinfo=UTC)


def spec(
    key: str,
    *deps: str | AssetDep,
    partitions: Partitions | None = None,
    step: str | None = None,
    code_version: str = "1",
    external: bool = False,
) -> AssetSpec:
    """An asset that is made by a step of its own."""
    return AssetSpec(
        key=key,
        step="" if external else step or key,
        deps=tuple(dep if isinstance(dep, AssetDep) else AssetDep(dep) for dep in deps),
        partitions=partitions,
        code_version=code_version,
        external=external,
    )


def check(
    asset: str, name: str, *deps: str, blocking: bool = False, step: str = "", at_write: bool = False
) -> CheckSpec:
    """A check that loads its asset, and others."""
    loaded = tuple(AssetDep(dep) for dep in (asset, *deps))
    return CheckSpec(asset, name, step or f"{asset}:{name}", blocking, deps=loaded, at_write=at_write)


def definitions(assets: Sequence[AssetSpec], checks: Sequence[CheckSpec] = ()) -> Definitions:
    """All of them with their steps."""
    keys = dict.fromkeys([*(one.step for one in assets if one.step), *(one.step for one in checks)])
    steps = tuple(AssetStep(key, f"test:{key}") for key in keys)
    return Definitions(assets=tuple(assets), asset_steps=steps, checks=tuple(checks))
