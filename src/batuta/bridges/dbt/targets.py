"""What each step of a dbt project is to do, beside its definition: kept with that, and read by workers."""

from __future__ import annotations

import msgspec

from batuta.core.definitions import AssetDep, Definitions
from batuta.core.partitions import Partitions


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """The dbt node of a step; what it makes (`asset`) or says of that (`check`).

    `vars`: variables from the partition. `batches`: its partitions are the batches of a microbatch model. `upstream`:
    the partitions of what the project itself makes.
    """

    node: str
    asset: str = ""
    check: str = ""
    vars: dict[str, str] = {}
    batches: bool = False
    partitions: Partitions | None = None
    code_version: str = ""
    deps: tuple[AssetDep, ...] = ()
    upstream: dict[str, Partitions | None] = {}
    blocking: bool = False


class Described(msgspec.Struct, frozen=True):
    """Definitions, and the target of each step."""

    definitions: Definitions
    targets: dict[str, Target]
