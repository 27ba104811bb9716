"""Rows of an asset, and the versions of its table, for people: read where they are kept, by the asset's IO manager.

Questions to user code that are no steps, see `runtime.evaluations`. Nothing is recorded of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from batuta.authoring import lookups  # noqa: F401 - IO managers look connections up through it
from batuta.authoring.metadata import table_of
from batuta.core.environments import stored_key
from batuta.io.base import InputContext, IOManager, describe
from batuta.io.versions import versioned, written_by
from batuta.runtime.masking import masked_json

if TYPE_CHECKING:
    from batuta.runtime.load import Location

ROWS_MAX = 1000


def rows(location: Location, data: dict[str, Any]) -> dict[str, Any]:
    """`{"columns", "types", "rows", "rows_total", "version"}` of `{"asset", "environment", "partition", "limit"}`.

    With `version`, or `run` and the `versions` that it recorded, as they were then. Raises MissingDataError,
    RequestError for a manager without versions, ResultError for what is no table.
    """
    graph = location.found.assets
    key, partition = str(data["asset"]), str(data.get("partition") or "")
    graph.out_of(key)
    manager = graph.io_of(key)
    stored = stored_key(key, str(data.get("environment") or ""))
    version = str(data.get("version") or "")
    if data.get("run") is not None:
        version = written_by(versioned(manager, key), stored, int(data["run"]), data["versions"])
    if version:
        versioned(manager, key)
    context = InputContext(
        asset=stored,
        partitions=(partition,) if partition else (),
        partitioned=bool(partition),
        version=version,
        downstream="batuta show",
    )
    limit = min(int(data.get("limit", 10)), ROWS_MAX)
    with IOManager.scan_of(manager, context) as found:
        ((total,),) = found.rows("SELECT count(*) FROM this")
        shown = table_of(found.table(f"SELECT * FROM this LIMIT {limit}"), None, ROWS_MAX)
        types = dict(found.plain_columns)
    answer = {
        "asset": key,
        "columns": shown["columns"],
        "types": [types.get(name, "") for name in shown["columns"]],
        "rows": shown["rows"],
        "rows_total": total,
        "version": version,
        "what": describe(key, context.partitions),
    }
    return dict(msgspec.json.decode(masked_json(msgspec.json.encode(answer))))


def versions(location: Location, data: dict[str, Any]) -> dict[str, Any]:
    """`{"versions": [...]}` of `{"asset", "environment", "limit"}`, newest first. Raises RequestError."""
    graph = location.found.assets
    key = str(data["asset"])
    graph.out_of(key)
    manager = versioned(graph.io_of(key), key)
    found = manager.versions(stored_key(key, str(data.get("environment") or "")), data.get("limit"))
    return {"versions": [msgspec.to_builtins(one) for one in found]}
