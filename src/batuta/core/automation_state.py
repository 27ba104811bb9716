"""What automation remembers between two ticks, as it is kept in the store.

Subsets are kept as bits where the place of a key never changes, else as keys. The surprising rule: memory that was made
for another condition, or other partitions, is void; its asset is new.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from batuta.core import subsets
from batuta.core.automation_eval import RootMemory
from batuta.core.automation_facts import Targets
from batuta.core.partition_spaces import Space, may_move

Kept = str | list[str]
"""A subset: hexadecimal, or the keys."""


class Requested(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one run is to make. `key` is the same however often the same tick is evaluated: one run for each."""

    key: str
    targets: Targets
    location: str = ""
    run_id: int = 0


class KeptRoot(msgspec.Struct, frozen=True, omit_defaults=True):
    """A `RootMemory`; its nodes by `number:asset`, of the asset itself by `number`."""

    signature: str
    code_version: str = ""
    held: Kept = "0"
    nodes: dict[str, Kept] = {}


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """`at` is the time of the last tick, `ticks` how many there were; `fresh`: requested by the last tick."""

    at: float = 0.0
    ticks: int = 0
    roots: dict[str, KeptRoot] = {}
    fresh: tuple[Requested, ...] = ()
    open: tuple[Requested, ...] = ()
    failed: dict[str, Kept] = {}


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(State)


def encode(state: State) -> bytes:
    """The state as JSON."""
    return _encoder.encode(state)


def decode(data: bytes | str) -> State:
    """The inverse of `encode`."""
    return _decoder.decode(data)


def keep(space: Space, bits: int) -> Kept:
    """A subset as it is kept."""
    return space.keys_of(bits) if may_move(space.definition) else subsets.encoded(bits)


def restore(space: Space, kept: Kept) -> int:
    """The inverse of `keep`; what does not exist any more is left out."""
    return space.bits(kept) if isinstance(kept, list) else subsets.decoded(kept) & space.full


def keep_root(root: str, memory: RootMemory, spaces: Mapping[str, Space]) -> KeptRoot:
    """The memory of one asset as it is kept."""
    return KeptRoot(
        memory.signature,
        memory.code_version,
        keep(spaces[root], memory.held),
        {
            str(number) if asset == root else f"{number}:{asset}": keep(spaces[asset], bits)
            for (number, asset), bits in memory.nodes.items()
        },
    )


def restore_root(root: str, kept: KeptRoot, spaces: Mapping[str, Space]) -> RootMemory:
    """The inverse of `keep_root`."""
    memory = RootMemory(kept.signature, kept.code_version, restore(spaces[root], kept.held))
    for name, subset in kept.nodes.items():
        number, _, asset = name.partition(":")
        memory.nodes[int(number), asset or root] = restore(spaces[asset or root], subset)
    return memory
