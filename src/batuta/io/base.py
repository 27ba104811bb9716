"""The port through which assets are stored and loaded: `IOManager`, and the contexts it is called with.

A manager subclasses `IOManager` and writes `store` and `load`; the rest is optional. A surprise: one call may be about
several partitions (a backfill in one run, a downstream that reads a month of days), so contexts carry a tuple of keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core.errors import RequestError, ResultError

if TYPE_CHECKING:
    from batuta.io.scan import Scan


class MissingDataError(ResultError):
    """An asset, or partitions of it, are wanted and were never stored (or were deleted)."""


class OutputContext(msgspec.Struct, kw_only=True):
    """What is stored: `asset` is its dotted key, `partitions` is empty for an asset without any.

    `annotation` is the return type of the asset's function, `attempt` the fencing token of the attempt that writes.
    """

    asset: str
    partitions: tuple[str, ...] = ()
    annotation: Any = None
    run_id: str = ""
    attempt: str = ""
    metadata: dict[str, Any] = {}


class InputContext(msgspec.Struct, kw_only=True):
    """What is loaded: partitions of the upstream `asset`, as the type `annotation`, for the asset `downstream`.

    `partitioned` with no `partitions`: the partition mapping gave none (a first day that reads the day before).
    `version`: as the table once was, asked only of a `versions.VersionedIO`.
    """

    asset: str
    partitions: tuple[str, ...] = ()
    partitioned: bool = False
    annotation: Any = None
    downstream: str = ""
    version: str = ""


class Stored(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was written. `bytes` is a size; `columns` are (name, type); `data_version` is a hash of the content.

    Where several partitions were stored at once, `parts` has one `Stored` for each and the numbers here are their sums.
    """

    path: str = ""
    rows: int | None = None
    bytes: int | None = None
    columns: list[tuple[str, str]] | None = None
    data_version: str = ""
    metadata: dict[str, Any] = {}
    parts: dict[str, Stored] = {}


class IOManager:
    """Stores what assets return and loads it for those downstream. Instances must be picklable."""

    def store(self, context: OutputContext, value: Any) -> Stored:
        """Write `value` so that a crash at any instant leaves either the previous or the new version."""
        raise NotImplementedError(f"{type(self).__name__} does not define store()")

    def load(self, context: InputContext) -> Any:
        """Read what `store` wrote, as the type the consumer is annotated with; MissingDataError if it is not there."""
        raise NotImplementedError(f"{type(self).__name__} does not define load()")

    @contextmanager
    def scan(self, context: InputContext) -> Iterator[Scan]:
        """What `load` would give, as a table that is asked in SQL; by default it is loaded for that.

        Raises MissingDataError like `load`, and ResultError for what is no table.
        """
        from batuta.io.scan import scanned

        value = self.load(context)
        if len(context.partitions) > 1 and isinstance(value, Mapping):
            value = together(value, context)
        with scanned(value, describe(context.asset, context.partitions)) as found:
            yield found

    @staticmethod
    def scan_of(manager: Any, context: InputContext) -> AbstractContextManager[Scan]:
        """`scan` of any object that can `load`."""
        if isinstance(manager, IOManager) or hasattr(manager, "scan"):
            found: AbstractContextManager[Scan] = manager.scan(context)
            return found
        return IOManager.scan(manager, context)

    def copy(self, source: OutputContext, target: OutputContext) -> Stored:
        """Store under another key, for the same partitions, what is stored under one; by default it is loaded for that.

        Managers that can keep all partitions, or none, in one go do so. Raises MissingDataError.
        """
        parts = {}
        for key in source.partitions or ("",):
            partitions = (key,) if key else ()
            loaded = InputContext(
                asset=source.asset, partitions=partitions, partitioned=bool(key), downstream=target.asset
            )
            one = msgspec.structs.replace(target, partitions=partitions)
            parts[key] = self.store(one, self.load(loaded))
        return parts[""] if "" in parts else combine("", parts)

    def warm(self) -> None:
        """Import what it needs, where that takes long: processes are forked from the one in which this is called."""

    def exists(self, context: OutputContext) -> bool:
        """Whether all of it is there. A manager that cannot tell trusts what is recorded: True."""
        return True

    def delete(self, context: OutputContext) -> None:
        """Remove it; nothing happens where it is not there."""
        raise RequestError(
            f"{type(self).__name__} cannot delete {describe(context.asset, context.partitions)}",
            hint="remove the data where it is kept, or define delete() in the IO manager",
        )

    def version(self, context: OutputContext) -> str | None:
        """The data version of what is there now; None where it is not there or the manager cannot tell."""
        return None


def describe(asset: str, partitions: Iterable[str] = (), shown_max: int = 3) -> str:
    """The asset and its partitions for a message: `asset 'a.b', partition '2026-01-01'`."""
    keys = list(partitions)
    if not keys:
        return f"asset '{asset}'"
    shown = ", ".join(f"'{key}'" for key in keys[:shown_max])
    more = f" and {len(keys) - shown_max} more" if len(keys) > shown_max else ""
    return f"asset '{asset}', partition{'s' if len(keys) > 1 else ''} {shown}{more}"


def missing(
    asset: str, partitions: Iterable[str], downstream: str, place: str, hint: str | None = None
) -> MissingDataError:
    """The error for data that should have been stored at `place` before."""
    keys = list(partitions)
    wanted = f"{describe(asset, keys)} {'are' if len(keys) > 1 else 'is'} not stored"
    option = f" --partition {keys[0]}" if keys else ""
    return MissingDataError(
        f"{wanted} (looked in {place})" + (f"; '{downstream}' needs it" if downstream else ""),
        hint=hint or f"materialize it first: batuta materialize {asset}{option}",
    )


def split_partitions(context: OutputContext, value: Any) -> dict[str, Any]:
    """The value of each partition where several are stored at once: the asset must have returned a dict of them."""
    wanted = set(context.partitions)
    if isinstance(value, Mapping) and set(value) == wanted:
        return {key: value[key] for key in context.partitions}
    got = f"a {type(value).__name__}"
    if isinstance(value, Mapping):
        got = f"a dict with the keys {sorted(map(str, value))[:5]}"
    raise ResultError(
        f"{describe(context.asset, context.partitions)} were made at once, but the asset returned {got}",
        hint="return a dict with one value for each partition key, or run one partition at a time",
    )


def combine(path: str, parts: dict[str, Stored]) -> Stored:
    """One `Stored` over those of several partitions."""
    digest = hashlib.blake2b(digest_size=16)
    for key in sorted(parts):
        digest.update(f"{len(key)}:{key}={parts[key].data_version};".encode())
    first = next(iter(parts.values()))
    return Stored(
        path=path,
        rows=_total([part.rows for part in parts.values()]),
        bytes=_total([part.bytes for part in parts.values()]),
        columns=first.columns,
        data_version=digest.hexdigest(),
        parts=parts,
    )


def together(values: Mapping[str, Any], context: InputContext) -> Any:
    """One Arrow table of the tables of several partitions. Raises ResultError where one is none."""
    from batuta.io import frames

    tables = []
    for key in context.partitions:
        kind = frames.kind_of(values[key])
        if kind is None:
            what = describe(context.asset, [key])
            raise ResultError(f"{what} is a {type(values[key]).__name__}, not a table")
        tables.append(frames.to_arrow(values[key], kind))
    return frames.pyarrow().concat_tables(tables, promote_options="permissive")


def _total(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
