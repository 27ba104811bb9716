"""Versions of tables, for IO managers that keep more than the last one, and what is done so that they are not too many.

A version is text: Delta numbers them, Iceberg gives them ids too large for JSON's numbers.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from batuta.core.errors import RequestError
from batuta.io.base import IOManager, MissingDataError

KEEP_FOR_MIN_S = 3600.0
"""What is younger may be read, or be about to be committed."""

TABLE_VERSION = "table_version"
"""The metadata under which a materialization has the version that it wrote."""


class TableVersion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A version that can be read. `run` is the one that wrote it; "" where it was somebody else, or upkeep."""

    version: str
    at: float
    operation: str = ""
    run: str = ""
    partitions: tuple[str, ...] = ()
    by: str = ""
    """The program, where it is not Batuta."""


class Upkeep(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done to a table. What could be read within `keep_for_s` stays, the last `keep_last`, and `keep`."""

    compact: bool = True
    vacuum: bool = True
    keep_for_s: float = 7 * 24 * 3600.0
    keep_last: int = 1
    keep: tuple[str, ...] = ()


class Tended(msgspec.Struct, kw_only=True):
    """What upkeep found and left: files of data and their bytes, of all versions together and of the one that is read.

    `version` is the one that it found.
    """

    asset: str
    path: str
    version: str = ""
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    files_read_before: int = 0
    files_read_after: int = 0
    versions_before: int = 0
    versions_after: int = 0


class VersionedIO(IOManager):
    """An IO manager that can load an asset as it once was: `InputContext.version`."""

    def versions(self, asset: str, limit: int | None = None) -> list[TableVersion]:
        """Those that can be read, newest first; none where there is no table."""
        raise NotImplementedError(f"{type(self).__name__} does not define versions()")

    def partitions(self, asset: str, version: str) -> set[str]:
        """The partitions that a version has. Raises MissingDataError where it cannot be read."""
        raise NotImplementedError(f"{type(self).__name__} does not define partitions()")

    def tend(self, asset: str, upkeep: Upkeep) -> Tended | None:
        """Write many small files as few, and remove what no version that is to stay needs; None: there is no table."""
        raise NotImplementedError(f"{type(self).__name__} does not define tend()")


def versioned(manager: Any, asset: str) -> VersionedIO:
    """The manager, if it keeps versions. Raises RequestError."""
    if isinstance(manager, VersionedIO):
        return manager
    raise RequestError(
        f"asset {asset!r} is kept by {manager!r}, which has no versions of it but the last",
        hint="keep it in a table that has: io_manager=DeltaIO(...) or IcebergIO(...)",
    )


def written_by(manager: VersionedIO, asset: str, run: int, recorded: Collection[str]) -> str:
    """The last version that a run wrote, of those that it recorded. Raises MissingDataError."""
    if not recorded:
        raise MissingDataError(
            f"run {run} recorded no version of asset '{asset}'",
            hint="the runs that made it, and what they wrote: batuta show ASSET --versions",
        )
    for one in manager.versions(asset):
        if one.version in recorded:
            return one.version
    raise MissingDataError(
        f"asset '{asset}': the version that run {run} wrote ({', '.join(sorted(recorded)[:3])}) can no longer be read",
        hint="those that can: batuta show ASSET --versions",
    )


def needed(found: list[TableVersion], upkeep: Upkeep, now: float) -> set[str]:
    """Of the versions of a table (newest first) those that have to stay.

    Of a time in the past the one that could be read then is needed: the newest that was older, too.
    """
    since = now - max(upkeep.keep_for_s, KEEP_FOR_MIN_S)
    kept = {one.version for one in found[: max(1, upkeep.keep_last)]} | set(upkeep.keep)
    for one in found:
        kept.add(one.version)
        if one.at < since:
            break
    return kept & {one.version for one in found}
