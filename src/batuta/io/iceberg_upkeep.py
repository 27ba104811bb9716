"""Upkeep of an Iceberg table: small files are written as few, snapshots expire, and files that none names are removed.

The library has no words for the first and the last. Surprising: what is removed are only files of the kinds that a
table writes, older than what stays, in folders that are its own; a branch or tag keeps its snapshot whatever its age.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from batuta.io.lake import NOTE
from batuta.io.versions import KEEP_FOR_MIN_S, Tended, Upkeep, needed

if TYPE_CHECKING:
    from batuta.io.iceberg import IcebergIO

SMALL_BYTES = 64 * 1024 * 1024
"""Where the files of a partition are on average smaller, they are written as one."""
_KINDS = (".parquet", ".avro", ".metadata.json")


def tend(manager: IcebergIO, asset: str, upkeep: Upkeep) -> Tended | None:
    """See `VersionedIO.tend`."""
    opened = manager._open(asset)
    if opened is None or opened.table.current_snapshot() is None:
        return None
    table = opened.table
    done = Tended(asset=asset, path=manager.place_of(asset), version=str(table.current_snapshot().snapshot_id))
    done.files_before, done.bytes_before = _on_disk(table)
    done.files_read_before = len(list(table.scan().plan_files()))
    done.versions_before = len(manager.versions(asset))
    if upkeep.compact:
        _compact(table)
    if upkeep.vacuum:
        table.refresh()
        kept = needed(manager.versions(asset), upkeep, time.time())
        _expire(table, {int(one) for one in kept})
        table.refresh()
        _remove_orphans(table, time.time() - max(upkeep.keep_for_s, KEEP_FOR_MIN_S))
    table.refresh()
    done.files_after, done.bytes_after = _on_disk(table)
    done.files_read_after = len(list(table.scan().plan_files()))
    done.versions_after = len(manager.versions(asset))
    return done


def _compact(table: Any) -> None:
    """Write the files of each partition that has many small ones as one; all of it in one commit."""
    from pyiceberg.expressions import And

    from batuta.io.iceberg import among, everything

    groups: dict[tuple[Any, ...], list[int]] = {}
    for task in table.scan().plan_files():
        place = (task.file.spec_id, *(task.file.partition[index] for index in range(len(task.file.partition))))
        groups.setdefault(place, []).append(task.file.file_size_in_bytes)
    small = [place for place, sizes in groups.items() if len(sizes) > 1 and sum(sizes) / len(sizes) < SMALL_BYTES]
    spec = table.spec()
    if not all(str(field.transform) == "identity" for field in spec.fields):
        return
    names = [table.schema().find_column_name(field.source_id) for field in spec.fields]
    notes = {NOTE + "upkeep": "compact", NOTE + "commit": secrets.token_hex(8)}
    with table.transaction() as transaction:
        for spec_id, *values in small:
            if spec_id != spec.spec_id:
                continue
            where = everything()
            for name, value in zip(names, values, strict=True):
                where = And(where, among(name, [value]))
            rows = table.scan(where).to_arrow()
            transaction.overwrite(rows, overwrite_filter=where, snapshot_properties=notes)


def _expire(table: Any, kept: set[int]) -> None:
    named = {ref.snapshot_id for ref in table.metadata.refs.values()}
    gone = [one.snapshot_id for one in table.snapshots() if one.snapshot_id not in kept | named]
    if gone:
        table.maintenance.expire_snapshots().by_ids(gone).commit()


def _remove_orphans(table: Any, before: float) -> None:
    files = _file_system(table)
    known = set(_named_files(table))
    for one in _listed(table):
        if one.path not in known and one.mtime is not None and one.mtime.timestamp() < before:
            files.delete_file(one.path)


def _named_files(table: Any) -> Iterator[str]:
    """The paths of all files that any snapshot, or the catalog, names."""
    yield _path(table.metadata_location)
    for entry in table.metadata.metadata_log:
        yield _path(entry.metadata_file)
    for statistics in table.metadata.statistics:
        yield _path(statistics.statistics_path)
    seen = set()
    for snapshot in table.snapshots():
        yield _path(snapshot.manifest_list)
        for manifest in snapshot.manifests(table.io):
            if manifest.manifest_path in seen:
                continue
            seen.add(manifest.manifest_path)
            yield _path(manifest.manifest_path)
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                yield _path(entry.data_file.file_path)


def _path(location: str) -> str:
    from pyiceberg.io.pyarrow import PyArrowFileIO

    return str(PyArrowFileIO.parse_location(location)[2])


def _file_system(table: Any) -> Any:
    from pyiceberg.io.pyarrow import PyArrowFileIO

    scheme, netloc, _ = PyArrowFileIO.parse_location(table.location())
    return PyArrowFileIO(table.io.properties).fs_by_scheme(scheme, netloc)


def _listed(table: Any) -> list[Any]:
    """The files of a table's folders, of the kinds that it writes."""
    import pyarrow.fs as fs

    selector = fs.FileSelector(_path(table.location()), recursive=True, allow_not_found=True)
    found = _file_system(table).get_file_info(selector)
    return [one for one in found if one.is_file and one.path.endswith(_KINDS)]


def _on_disk(table: Any) -> tuple[int, int]:
    """Files of data and their bytes, whether a snapshot names them or not."""
    found = [one for one in _listed(table) if one.path.endswith(".parquet")]
    return len(found), sum(one.size or 0 for one in found)
