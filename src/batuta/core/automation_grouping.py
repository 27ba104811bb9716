"""Which requests of one tick become one run: those that depend on each other, in one code location.

The surprising rule: partitions do not separate. A run makes any number of partitions of each of its assets, in the
order that their mappings ask for.
"""

from __future__ import annotations

from collections.abc import Mapping

from batuta.core.automation_facts import Facts
from batuta.core.automation_state import Requested
from batuta.core.automation_watch import Watch


def grouped(requested: Mapping[str, int], facts: Facts, watch: Watch, key: str) -> tuple[Requested, ...]:
    """The requests as runs, upstreams first within and between them; `key` and a number is the key of each."""
    if not requested:
        return ()
    head: dict[str, str] = {asset: asset for asset in requested}

    def find(asset: str) -> str:
        while head[asset] != asset:
            head[asset] = head[head[asset]]
            asset = head[asset]
        return asset

    steps: dict[str, str] = {}
    for asset in requested:
        first = steps.setdefault(facts.index.assets[asset].step, asset)
        head[find(asset)] = find(first)
        for dep in watch.deps(asset):
            if dep.asset in requested and watch.together(dep.asset, asset):
                head[find(dep.asset)] = find(asset)
    groups: dict[str, list[str]] = {}
    for asset in sorted(requested, key=facts.index.step_rank.__getitem__):
        groups.setdefault(find(asset), []).append(asset)
    return tuple(
        [
            Requested(
                key=f"{key}-{number}",
                targets={asset: tuple(facts.space[asset].keys_of(requested[asset])) for asset in assets},
                location=watch.location(assets[0]),
            )
            for number, assets in enumerate(groups.values(), 1)
        ]
    )
