"""Whether a flow or DAG would do the same again: from what its last run read and made, without looking at data.

It would not where its code or parameters have changed, where something that it read has another data version by now,
or where somebody else made what it made. The surprising rule: a run that recorded nothing is never the same, because
nothing is known of what it read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from batuta.core.staleness import Pair


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing that a run made, with the data versions that it was made from, by asset[/partition]."""

    asset: str
    partition: str
    data_version: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Current:
    """An asset (partition) as it is now."""

    data_version: str
    at: float


def why_again(
    *, same_plan: bool, started_at: float, made: Sequence[Doing], current: Mapping[Pair, Current]
) -> tuple[str, ...]:
    """The reasons to run a job again that succeeded before with the same parameters; none: it would do the same.

    `same_plan`: its code is as it was then. `current`: the state of what it made and of all partitions of what it read.
    """
    if not same_plan:
        return ("its code has changed",)
    if not made:
        return ("its last run recorded nothing that it read or made",)
    read = {label: version for doing in made for label, version in doing.inputs.items()}
    if not read:
        return ("its last run recorded nothing that it read",)
    changed = [label for label, version in read.items() if _version(current, label) != version]
    assets = {label.partition("/")[0] for label in read}
    new = [
        _label(pair)
        for pair, one in current.items()
        if pair[0] in assets and one.at > started_at and _label(pair) not in read
    ]
    own = {(doing.asset, doing.partition): doing.data_version for doing in made}
    other = [_label(pair) for pair, version in own.items() if _version(current, _label(pair)) != version]
    told = ((changed, "has changed"), (new, "is new"), (other, "is no longer what it made"))
    return tuple(f"{_told(labels)} {what}" for labels, what in told if labels)


def _version(current: Mapping[Pair, Current], label: str) -> str:
    asset, _, partition = label.partition("/")
    found = current.get((asset, partition))
    return "" if found is None else found.data_version


def _label(pair: Pair) -> str:
    return f"{pair[0]}/{pair[1]}" if pair[1] else pair[0]


def _told(labels: Sequence[str]) -> str:
    """`silver.rates`, `gold.settlement[2025-12-31] (and 3 more)`."""
    asset, _, partition = labels[0].partition("/")
    first = f"{asset}[{partition}]" if partition else asset
    return first if len(labels) == 1 else f"{first} (and {len(labels) - 1} more)"
