"""Upkeep of a Delta table: small files are written as few, and what no version that is to stay needs is removed.

Files that a killed writer left, which no version names, go too once they are older than what stays. The library is told
by name which versions stay, rather than trusted to derive it from the age of files.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.io.lake import NOTE
from batuta.io.versions import KEEP_FOR_MIN_S, Tended, Upkeep, needed

if TYPE_CHECKING:
    from batuta.io.delta import DeltaIO


def tend(manager: DeltaIO, asset: str, upkeep: Upkeep) -> Tended | None:
    """See `VersionedIO.tend`."""
    from batuta.io.delta import KEPT

    table = manager._open(asset)
    if table is None:
        return None
    done = Tended(asset=asset, path=manager.place_of(asset), version=str(table.version()))
    done.files_before, done.bytes_before = _on_disk(manager, table)
    done.files_read_before = len(table.file_uris())
    done.versions_before = len(manager.versions(asset))
    if upkeep.compact:
        table.optimize.compact(commit_properties=manager._properties({NOTE + "upkeep": "compact"}))
    if upkeep.vacuum:
        kept = needed(manager.versions(asset), upkeep, time.time())
        notes = {NOTE + "upkeep": "vacuum", NOTE + KEPT: msgspec.json.encode(sorted(kept, key=int)).decode()}
        table.vacuum(
            retention_hours=math.ceil(max(upkeep.keep_for_s, KEEP_FOR_MIN_S) / 3600),
            dry_run=False,
            enforce_retention_duration=False,
            full=True,
            keep_versions=sorted(map(int, kept)),
            commit_properties=manager._properties(notes),
        )
    done.files_after, done.bytes_after = _on_disk(manager, table)
    done.files_read_after = len(table.file_uris())
    done.versions_after = len(manager.versions(asset))
    return done


def _is_log(path: str) -> bool:
    from batuta.io.delta import LOG

    return path.startswith(LOG)


def _on_disk(manager: DeltaIO, table: Any) -> tuple[int, int]:
    """Files of data and their bytes, whether a version names them or not."""
    found = [one for one in manager.files_of(table)[1] if one.path.endswith(".parquet") and not _is_log(one.path)]
    return len(found), sum(one.size or 0 for one in found)
