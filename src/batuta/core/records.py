"""What a step reports about data beside its output: an asset that it made, read or checked.

Written by code that runs a step, heard by the engine, which turns each into an event. As arrays, because they travel.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from batuta.core.code_text import CodeText
from batuta.core.columns import ColumnLineage

Outcome = Literal["passed", "warned", "failed", "unknown"]
"""How a check came out: `warned` holds nothing back, not even where it could; `unknown` says that it was not able to
tell (too little history), and holds nothing back either."""


class Materialized(msgspec.Struct, array_like=True, tag="materialized"):
    """The step made an asset (partition). `inputs` are the data versions it was made from, by asset[/partition];
    `lineage` is what its columns were made from, `code` what made it, where that is known and was not told before."""

    asset: str
    partition: str = ""
    data_version: str = ""
    code_version: str = ""
    inputs: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    lineage: ColumnLineage | None = None
    code: CodeText | None = None


class Checked(msgspec.Struct, array_like=True, tag="checked"):
    """The step evaluated a check. An empty `outcome` follows from `passed` and `blocking`."""

    asset: str
    check: str
    passed: bool
    partition: str = ""
    blocking: bool = False
    description: str = ""
    metadata: dict[str, Any] = {}
    outcome: Outcome | Literal[""] = ""


class Loaded(msgspec.Struct, array_like=True, tag="loaded"):
    """The step read an asset: so many partitions of it, or all of one that has none."""

    asset: str
    partitions: int = 1


Record = Materialized | Checked | Loaded
