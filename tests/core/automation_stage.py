"""A stage for tests of automation: a few assets, things that happen, and what a tick then asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from batuta.core import conditions as c
from batuta.core.asset_index import AssetIndex
from batuta.core.automation import Automation, Changes, Decision, Ended, Judged, Launched, Made
from batuta.core.definitions import AssetSpec, CheckSpec
from batuta.core.freshness import FreshnessPolicy
from tests.core.asset_definitions import definitions

NOW = datetime(2025, 4, 1, 8, 0, tzinfo=UTC)
Wanted = dict[str, list[str]]
"""What a tick asks for, by asset."""


def automated(one: AssetSpec, condition: c.AnyCondition, freshness: FreshnessPolicy | None = None) -> AssetSpec:
    """The asset with a condition."""
    return replace(one, automation=condition, freshness=freshness)


class Stage:
    """Ticks over some assets; every tick is a minute after the one before unless a time is given."""

    def __init__(self, *assets: AssetSpec, checks: Sequence[CheckSpec] = (), **dynamic: list[str]) -> None:
        self.now = NOW
        self.checks = checks
        self.automation = Automation(AssetIndex(definitions(assets, checks)), NOW, dynamic_keys=dynamic)
        self.last: Decision | None = None

    def tick(
        self, *happened: Made | Judged | Launched | Ended, at: datetime | None = None, **dynamic: list[str]
    ) -> Wanted:
        """Let these happen, and tick."""
        self.now = at or self.now + timedelta(minutes=1)
        changes = Changes(
            made=[one for one in happened if isinstance(one, Made)],
            judged=[one for one in happened if isinstance(one, Judged)],
            launched=[one for one in happened if isinstance(one, Launched)],
            ended=[one for one in happened if isinstance(one, Ended)],
            dynamic_keys=dynamic or None,
        )
        self.last = self.automation.tick(changes, self.now)
        return {asset: list(keys) for request in self.last.requests for asset, keys in request.targets.items()}

    def made(self, asset: str, partition: str = "", *, run: int = 0, version: str = "", **inputs: str) -> Made:
        """The asset was made just now."""
        version = version or f"v{self.now.timestamp()}"
        code = self.automation.index.assets[asset].code_version
        named = {name.replace("__", "."): one for name, one in inputs.items()}
        return Made(asset, partition, self.now.timestamp(), run, version, code, named)

    def redefine(self, *assets: AssetSpec) -> None:
        """The project is another."""
        self.automation.redefine(AssetIndex(definitions(assets, self.checks)))

    @property
    def key(self) -> str:
        """The key of what was asked for last."""
        assert self.last is not None
        return self.last.requests[-1].key
