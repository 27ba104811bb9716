"""What would be copied, or left as it is, rather than made: the same code has made it of the same data somewhere.

Answers for a plan what steps find out as they run (`authoring.asset_environments.made_elsewhere`). What was made
elsewhere counts as if it were here: where it is fresh then, with all that it is made of, it would be taken.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from batuta.core.asset_index import AssetIndex
from batuta.core.staleness import Freshness, Pair, Recorded, staleness
from batuta.engine.materialize import Assets
from batuta.store.rows import MaterializationRow
from batuta.store.store import Store

PRODUCTION = "production"
UNCHANGED = "unchanged"
"""Said of what is made of others that turn out the same as those that it was made from."""
_inputs = msgspec.json.Decoder(dict[str, str])
_metadata = msgspec.json.Decoder(dict[str, Any])


def reusable(store: Store, assets: Assets, wanted: Collection[Pair], now: datetime) -> dict[Pair, str]:
    """Where each of these pairs would be copied from, or UNCHANGED; only those of which that is known."""
    found = _elsewhere(store, assets, wanted)
    if not found:
        return {}
    recorded, dynamic = assets.recorded(), assets.dynamic_keys()
    keys = {asset for asset, _ in wanted}
    states: Mapping[Pair, Freshness] = {}
    while found:
        tried = {**recorded, **{pair: one.made for pair, one in found.items()}}
        states = staleness(assets.index, tried, now=now, dynamic_keys=dynamic, assets=keys)
        wrong = [pair for pair in found if pair not in states or not states[pair].is_fresh]
        if not wrong:
            break
        for pair in wrong:
            del found[pair]
    if not found:
        return {}
    same = {pair: UNCHANGED for pair in wanted if pair not in found and pair in states and states[pair].is_fresh}
    return same | {pair: one.where for pair, one in found.items() if one.is_copied}


class _Elsewhere(NamedTuple):
    where: str
    made: Recorded
    is_copied: bool
    """A view is made anew, as the same."""


def _elsewhere(store: Store, assets: Assets, wanted: Collection[Pair]) -> dict[Pair, _Elsewhere]:
    """What others have of these pairs, made by the code that is here; the newest of each."""
    found, at = dict[Pair, _Elsewhere](), dict[Pair, float]()
    places: list[tuple[str, Mapping[Pair, MaterializationRow]]] = [
        (row.name, store.environments.states(row.name))
        for row in store.environments.all()
        if row.name != assets.environment
    ]
    if assets.environment:
        places.append((PRODUCTION, store.asset_states()))
    for where, states in places:
        for pair in wanted:
            row = states.get(pair)
            if row is None or row.at <= at.get(pair, 0.0) or not _is_same_code(assets.index, pair[0], row):
                continue
            metadata = _metadata.decode(row.metadata)
            if "path" in metadata or metadata.get("kept_as") == "view":
                made = Recorded(row.data_version, row.code_version, _inputs.decode(row.inputs))
                found[pair] = _Elsewhere(where, made, "path" in metadata)
                at[pair] = row.at
    return found


def _is_same_code(index: AssetIndex, asset: str, row: MaterializationRow) -> bool:
    spec = index.assets.get(asset)
    if spec is None or spec.step != asset or not spec.code_version:
        return False
    return row.code_version == spec.code_version and bool(row.data_version)
