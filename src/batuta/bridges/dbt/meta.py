"""What a node says to Batuta: `meta: {batuta: {...}}` in a dbt project, checked and turned into our model.

Surprising: a mistake in it is a problem of the file it stands in; the node is an asset all the same, as if nothing were
said.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from batuta.core import partitions as parts
from batuta.core.condition_recipes import eager
from batuta.core.conditions import AnyCondition
from batuta.core.durations import Seconds, decode_hook, seconds_of
from batuta.core.errors import BatutaError, DefinitionError
from batuta.core.freshness import FreshnessPolicy, validate_freshness
from batuta.core.partition_mapping import PartitionMapping
from batuta.core.partition_types import TimePartitions
from batuta.core.partitions import Partitions
from batuta.core.retry import Retry

BATCHES = "batches"
"""`partitions: batches`: those of a microbatch model are its partitions."""
_CADENCES: dict[str, Literal["hourly", "daily", "monthly"]] = {"hour": "hourly", "day": "daily", "month": "monthly"}


class NodeMeta(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the module. `asset`: its key. `vars`: dbt's variables from the partition that is made."""

    asset: str = ""
    layer: str = ""
    group: str = ""
    owners: list[str] | str = ""
    kinds: list[str] = []
    tags: dict[str, str] | list[str] = {}
    partitions: Any = None
    mappings: dict[str, PartitionMapping] = {}
    vars: dict[str, str] = {}
    automation: Literal["eager", ""] = ""
    freshness: Any = None
    retries: int = 0
    retry_delay: Seconds = Seconds(0)
    timeout: Seconds | None = None
    pools: dict[str, int] | list[str] | str = {}
    priority: int = 0

    @property
    def retry(self) -> Retry:
        return Retry(attempts_max=self.retries + 1, delay_s=float(self.retry_delay))

    @property
    def pool_slots(self) -> tuple[tuple[str, int], ...]:
        if isinstance(self.pools, dict):
            return tuple(self.pools.items())
        return tuple((name, 1) for name in ([self.pools] if isinstance(self.pools, str) else self.pools))

    @property
    def tag_texts(self) -> dict[str, str]:
        return dict(self.tags) if isinstance(self.tags, dict) else dict.fromkeys(self.tags, "")

    @property
    def owner_names(self) -> tuple[str, ...]:
        return tuple(filter(None, [self.owners] if isinstance(self.owners, str) else self.owners))

    @property
    def condition(self) -> AnyCondition | None:
        return eager() if self.automation else None


NOTHING = NodeMeta()


def said(node: Mapping[str, Any]) -> Any:
    """What stands under `batuta` in the node's meta; None where nothing does."""
    config = node.get("config") or {}
    return ((config.get("meta") or {}).get("batuta")) or ((node.get("meta") or {}).get("batuta"))


def meta_of(node: Mapping[str, Any]) -> NodeMeta:
    """What a node says. Raises DefinitionError."""
    given = said(node)
    if given is None:
        return NOTHING
    try:
        found = msgspec.convert(given, NodeMeta, dec_hook=decode_hook)
        found.retry.validate("meta.batuta")
    except msgspec.ValidationError as error:
        names = ", ".join(NodeMeta.__struct_fields__)
        raise DefinitionError(f"meta.batuta: {error}", hint=f"settings are {names}") from None
    return found


def freshness_of(given: Any) -> FreshnessPolicy | None:
    """A greatest age (`26h`), or `{by: cron, timezone, within}`. Raises DefinitionError."""
    if given is None:
        return None
    try:
        if not isinstance(given, Mapping):
            policy = FreshnessPolicy(max_age_s=float(seconds_of(given)))
        else:
            within = given.get("within")
            policy = FreshnessPolicy(
                cron=str(given["by"]),
                timezone=str(given.get("timezone", "UTC")),
                within_s=None if within is None else float(seconds_of(within)),
            )
    except (ValueError, KeyError) as error:
        hint = "write 26h, or {by: '0 9 * * *', timezone: Europe/Berlin, within: 3h}"
        raise DefinitionError(f"meta.batuta.freshness: {error}", hint=hint) from None
    if policy.max_age_s is not None:
        validate_freshness(policy, "meta.batuta.freshness")
    return policy


def partitions_of(given: Any, node: Mapping[str, Any]) -> Partitions | None:
    """`{daily: 2025-01-01}`, `{daily: {start, timezone, ...}}`, `{static: [...]}`, `{dynamic: name}`,
    `{multi: {day: {...}, region: {...}}}`, or `batches`. Raises DefinitionError."""
    if given is None:
        return None
    try:
        made = _batches(node) if given == BATCHES else _made(given)
        parts.validate(made, "meta.batuta.partitions")
    except BatutaError:
        raise
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        hint = "write {daily: 2025-01-01}, {static: [eu, us]}, {dynamic: customers} or batches"
        raise DefinitionError(f"meta.batuta.partitions: {error}", hint=hint) from None
    config = node.get("config") or {}
    if config.get("materialized") in ("table", "view", "materialized_view", "ephemeral"):
        what = f"it has partitions, but is materialized as {config['materialized']}: each would replace the others"
        raise DefinitionError(what, hint="make it incremental")
    return made


def _made(given: Any) -> Partitions:
    if not isinstance(given, Mapping) or len(given) != 1:
        raise ValueError(f"{given!r} is no definition of partitions")
    ((kind, value),) = given.items()
    match kind:
        case "hourly" | "daily" | "weekly" | "monthly":
            options = dict(value) if isinstance(value, Mapping) else {"start": value}
            options = {name: str(each) if name in ("start", "end") else each for name, each in options.items()}
            made: Partitions = getattr(parts, kind)(**options)
            return made
        case "static":
            return parts.static([str(each) for each in value])
        case "dynamic":
            return parts.dynamic(str(value))
        case "multi":
            return parts.multi({str(name): _made(each) for name, each in value.items()})  # type: ignore[misc]
    raise ValueError(f"there are no {kind!r} partitions")


def _batches(node: Mapping[str, Any]) -> TimePartitions:
    """The batches of a microbatch model."""
    config = node.get("config") or {}
    if config.get("incremental_strategy") != "microbatch" or not config.get("begin"):
        raise DefinitionError("its partitions are to be its batches, but it is no microbatch model with a begin")
    size = str(config.get("batch_size"))
    if size not in _CADENCES:
        raise DefinitionError(f"batches of a {size} cannot be partitions", hint="hour, day and month can")
    return TimePartitions(_CADENCES[size], str(config["begin"])[:10] if size != "hour" else str(config["begin"]))
