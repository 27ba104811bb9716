"""The lineage of many queries at once, each with the columns that those before it give; only what changed is read.

A query is looked at again when its hash differs: of its text and dialect, of the columns of what it reads, and of the
version of what reads it. `python -m batuta.sql.deriving` does the same in a process of its own, from standard input to
standard output, so that a thousand queries do not hold up whoever asked.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence

import msgspec

from batuta.core.columns import ANY_COLUMN, ColumnLineage, SqlSource
from batuta.core.errors import BatutaError
from batuta.sql.lineage import derive
from batuta.sql.parse import sqlglot

VERSION = 1
"""Counts up when queries are read in another way, so that all are read again."""


class Derived(msgspec.Struct, frozen=True, array_like=True):
    """The lineage of a query, and the hash of all that it was found in."""

    hash: str
    lineage: ColumnLineage


class Query(msgspec.Struct, frozen=True, array_like=True):
    """A query that makes an asset."""

    asset: str
    source: SqlSource


class Work(msgspec.Struct, frozen=True, array_like=True):
    """Queries, those first that others read; the columns of what else they read; what was found before."""

    queries: tuple[Query, ...]
    known: dict[str, tuple[str, ...]] = {}
    before: dict[str, Derived] = {}


def derive_all(work: Work) -> dict[str, Derived]:
    """The lineage of every query; what cannot be read has one that says why. Raises DefinitionError: no sqlglot."""
    version = f"{VERSION} {sqlglot().__version__}"
    known: dict[str, Sequence[str]] = dict(work.known)
    found: dict[str, Derived] = {}
    for query in work.queries:
        read = {key: known[key] for key in query.source.tables.values() if key in known}
        digest = _hash(query, read, version)
        one = work.before.get(query.asset)
        if one is None or one.hash != digest:
            one = Derived(digest, _derived(query, read))
        found[query.asset] = one
        names = columns_of(one.lineage)
        if names is not None:
            known[query.asset] = names
    return found


def columns_of(lineage: ColumnLineage) -> tuple[str, ...] | None:
    """The columns that a lineage names; None where there may be others."""
    return None if ANY_COLUMN in lineage.columns or not lineage.columns else tuple(lineage.columns)


def _derived(query: Query, read: Mapping[str, Sequence[str]]) -> ColumnLineage:
    try:
        return derive(query.source, read)
    except BatutaError as error:
        return ColumnLineage({ANY_COLUMN: ()}, gaps=(f"its SQL cannot be read: {error.what}",))
    except RecursionError:
        return ColumnLineage({ANY_COLUMN: ()}, gaps=("its SQL cannot be read: it is nested too deeply",))


def _hash(query: Query, read: Mapping[str, Sequence[str]], version: str) -> str:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(msgspec.msgpack.encode((version, query.source, sorted(read.items())), order="sorted"))
    return digest.hexdigest()


def main() -> None:
    """Read `Work`, write what was found."""
    work = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Work)
    sys.stdout.buffer.write(msgspec.msgpack.encode(derive_all(work)))


if __name__ == "__main__":
    main()
