"""The plans of a backfill's runs, made for many items together.

What the store knows is read once for all of them. Where no partition of a run waits for another one of it, the plans of
all items are alike but for the names of their partitions: then one is made, and the others are copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from batuta.core.asset_plan import plan_assets
from batuta.core.backfills import Backfill, Item
from batuta.core.plan import LabelExpansion, Plan
from batuta.core.staleness import Pair, to_make
from batuta.engine.materialize import Assets


class Plans:
    """See the module."""

    def __init__(self, assets: Assets, spec: Backfill, selection: str, items: Sequence[Item], now: float) -> None:
        self._index = assets.index
        self._now = datetime.fromtimestamp(now, UTC)
        self._dynamic = assets.dynamic_keys()
        self._unproven = assets.unproven()
        self._name = spec.job or "backfill"
        self._keys = [key for key in assets.select(selection) if not assets.index.assets[key].external]
        self._only: set[Pair] | None = None
        self._model: Plan | None = None
        if spec.mode in ("missing", "stale"):
            labels = [label for item in items for label in item.partitions]
            why = to_make(
                self._index,
                assets.recorded(),
                self._keys,
                now=self._now,
                dynamic_keys=self._dynamic,
                partitions=_asked(labels, items[0].of),
            )
            self._only = {pair for pair, one in why.items() if spec.mode == "stale" or one.state == "missing"}

    def plan(self, item: Item) -> Plan:
        """The plan of one item; it may have no steps. Raises RequestError, PartitionError."""
        if self._model is not None and len(item.partitions) == 1:
            return relabelled(self._model, item.partitions)
        plan = plan_assets(
            self._index,
            self._keys,
            now=self._now,
            partitions=_asked(item.partitions, item.of),
            only=self._only,
            unproven=self._unproven,
            dynamic_keys=self._dynamic,
            job=self._name,
        )
        if not item.of and self._only is None and not self._unproven and is_model(plan, item.partitions):
            self._model = plan
        return plan


def _asked(labels: Sequence[str], of: str) -> list[str] | dict[str, list[str]]:
    return {of: list(labels)} if of else list(labels)


def is_model(plan: Plan, labels: tuple[str, ...]) -> bool:
    """Whether the plan for any other single partition is the same but for its name."""
    expansions = (step.expansion for step in plan.steps if step.expansion is not None)
    mappings = (edge.mapping for step in plan.steps for edge in step.upstream)
    alike = all(expansion == LabelExpansion(labels) for expansion in expansions)
    return len(labels) == 1 and alike and all(mapping in ("every", "aligned") for mapping in mappings)


def relabelled(plan: Plan, labels: tuple[str, ...]) -> Plan:
    """The plan for another partition."""
    expansion = LabelExpansion(labels)
    steps = tuple([replace(step, expansion=expansion) if step.expansion is not None else step for step in plan.steps])
    return replace(plan, steps=steps)
