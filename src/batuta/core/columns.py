"""Columns of assets, and what each of them is made from: what is declared, found in SQL, or reported by a run.

Two things are kept apart: what a column's *values* come from, and what decides which *rows* there are (filters, joins,
groups), which is the same for all columns of an asset. The surprising rule: a column called `*` stands for all that are
not named, of an asset whose columns are not known; `gaps` says in words what is not known, and why.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

ANY_COLUMN = "*"

ColumnKind = Literal["identity", "transformed", "aggregated"]
"""How values come from a column: as they are, computed of the row, computed of many rows."""

RowKind = Literal["filter", "join", "group", "sort", "window", "distinct"]
"""How a column decides which rows there are, or in which order."""


class Column(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A column as its asset's definition tells it; `type` in the words of whoever does."""

    name: str
    type: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    nullable: bool = True


def reported_columns(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The (name, type) pairs of a schema among the metadata of a materialization."""
    for value in metadata.values():
        if isinstance(value, dict) and value.get("type") == "schema":
            return [(str(name), str(kind)) for name, kind in value.get("columns", [])]
    return []


def described_columns(metadata: Mapping[str, Any]) -> list[Column]:
    """The same as `reported_columns`, with whether each may be null as far as a contract told it."""
    for value in metadata.values():
        if isinstance(value, dict) and value.get("type") == "schema":
            never = {str(name) for name in value.get("not_null", [])}
            pairs = value.get("columns", [])
            return [Column(str(name), str(kind), nullable=str(name) not in never) for name, kind in pairs]
    return []


class ColumnSource(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A column of an upstream asset, and how it counts."""

    asset: str
    column: str
    kind: ColumnKind | RowKind = "identity"


class ColumnLineage(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the columns of one asset are made from. A column without sources is made of nothing: a constant, a clock."""

    columns: dict[str, tuple[ColumnSource, ...]] = {}
    rows: tuple[ColumnSource, ...] = ()
    gaps: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether there are columns that it cannot name."""
        return ANY_COLUMN in self.columns


class SqlSource(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The query that makes an asset.

    `tables`: the asset that each table of the query is, by its name as the query writes it, without quotes, in lower
    case, parts joined by dots. A table that is not there is no asset.
    """

    text: str
    dialect: str
    tables: dict[str, str] = {}


_encoder = msgspec.json.Encoder()  # in the order of the columns, which is theirs
_decoder = msgspec.json.Decoder(ColumnLineage)


def encode_lineage(lineage: ColumnLineage) -> bytes:
    """As JSON, the same bytes for the same lineage."""
    return _encoder.encode(lineage)


def decode_lineage(data: bytes | str) -> ColumnLineage:
    """The inverse of `encode_lineage`."""
    return _decoder.decode(data)


def lineage_hash(lineage: ColumnLineage) -> str:
    """16 hex digits that tell two lineages apart."""
    return hashlib.blake2b(encode_lineage(lineage), digest_size=8).hexdigest()
