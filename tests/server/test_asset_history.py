"""What changed of an asset's columns, and which of it breaks those who read."""

from __future__ import annotations

import msgspec

from batuta.authoring import metadata
from batuta.server.asset_history import schema_changes
from batuta.store.rows import MaterializationRow


def made(run: int, columns: dict[str, str], not_null: tuple[str, ...] = ()) -> MaterializationRow:
    told = {"columns": metadata.schema(columns.items(), not_null)} if columns else {}
    return MaterializationRow("a", "", run, 0, float(run), "", "", b"{}", msgspec.json.encode(told))


def test_breaking_changes_are_flagged() -> None:
    rows = [
        made(1, {"id": "int64", "net": "int32", "old": "string"}, ("id",)),
        made(2, {"id": "int64", "net": "int64", "new": "date"}, ("id",)),
        made(3, {}),
        made(4, {"id": "int64", "net": "int64", "new": "date"}, ()),
        made(5, {"id": "int64", "net": "int16", "new": "date"}, ()),
    ]
    last, middle, first = schema_changes(rows[::-1])
    assert (first.run, first.added, first.removed) == (2, [["new", "date"]], [["old", "string"]])
    assert first.changed == [["net", "int32", "int64"]]
    assert first.breaking == ["old: removed, it was string"]
    assert (middle.run, middle.changed, middle.breaking) == (4, [], ["id: may be null now"])
    assert (last.run, last.breaking) == (5, ["net: int16, it was int64"])
    assert schema_changes(rows[:1]) == []
