"""What would change if all that is stale, of a selection, were made now: put together from definitions and the store.

Nothing is run and nothing written. What of it is pure is in `core.changes`, what is about columns in `column_changes`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from batuta.authoring.code_text import code_now
from batuta.core.asset_partitions import Asked
from batuta.core.changes import AssetChange, Breaking, Changes, Reached, TextDiff, counted, how_changed
from batuta.core.code_text import CodeText, decode_code
from batuta.core.columns import Column
from batuta.core.definitions import AssetSpec
from batuta.core.staleness import Freshness, Pair, staleness
from batuta.engine.column_changes import ColumnChanges, column_changes, recorded_columns
from batuta.engine.column_lineage import read
from batuta.engine.materialize import Assets
from batuta.engine.reuse import reusable
from batuta.sql.differences import line_difference, sql_difference
from batuta.store.rows import MaterializationRow
from batuta.store.store import Store

NOT_KEPT = "what made it before was not kept"
NOT_HERE = "its file cannot be read here"
SAME_TEXT = "its text is the same: a configured value, or something else that it uses, has changed"
ReadOf = Callable[[str, str], bytes | None]
"""Gives what a file says, by the asset whose code it has, and its path; None where it cannot."""


def changes(
    store: Store,
    assets: Assets,
    selection: str = "*",
    *,
    partitions: Asked = None,
    whole: bool = True,
    read: ReadOf | None = None,
) -> Changes:
    """See the module. `whole`: these are all assets of the project, so that what is recorded of others is of removed
    ones. `read`: files; by default those of this machine. Raises SelectionError, PartitionError, RequestError."""
    return _Planning(store, assets, whole, read).run(selection, partitions)


class _Planning:
    def __init__(self, store: Store, assets: Assets, whole: bool, read: ReadOf | None) -> None:
        self.read = read
        self.store = store
        self.assets = assets
        self.index = assets.index
        self.whole = whole
        self.states = assets.states()
        self.made: dict[str, dict[str, MaterializationRow]] = {}
        for (asset, partition), row in self.states.items():
            self.made.setdefault(asset, {})[partition] = row

    def run(self, selection: str, partitions: Asked) -> Changes:
        now = datetime.fromtimestamp(time.time(), UTC)
        planned = self.assets.plan(selection, mode="stale", partitions=partitions)
        recorded, dynamic = self.assets.recorded(), self.assets.dynamic_keys()
        everything = staleness(self.index, recorded, now=now, dynamic_keys=dynamic)
        why = _by_asset(planned.why)
        there: dict[str, int] = {}
        for asset, _ in everything:
            there[asset] = there.get(asset, 0) + 1
        reuse = reusable(self.store, self.assets, planned.why.keys(), now)
        keys = sorted(why, key=self.index.rank.__getitem__)
        changed = [key for key in keys if self._is_changed(key)]
        kept = self._kept(changed)
        columns = self._columns(changed, kept)
        breaking = [*self._breaking_ends(), *columns.breaking]
        order = [key for key in self.index.step_order if not self.index.assets[key].external]
        chosen = set(planned.keys)
        return Changes(
            self.assets.environment,
            planned.keys,
            tuple(self._change(key, why[key], there.get(key, 1), reuse, kept, columns) for key in keys),
            tuple(self._removed()),
            tuple(sorted(breaking, key=lambda one: self.index.rank.get(one.asset, -1))),
            tuple(key for key in order if key in chosen and key not in why),
            self._afterwards(set(why), chosen, everything),
            planned.count,
        )

    # ---- one asset ----

    def _change(
        self,
        key: str,
        why: Mapping[str, Freshness],
        there: int,
        reuse: Mapping[Pair, str],
        kept: Mapping[str, CodeText],
        columns: ColumnChanges,
    ) -> AssetChange:
        spec = self.index.assets[key]
        own = tuple(why)
        copied: dict[str, int] = {}
        for partition in own:
            if where := reuse.get((key, partition)):
                copied[where] = copied.get(where, 0) + 1
        how = how_changed(self._versions(key), spec.code_version, why.values())
        diff, note = self._diff(spec, kept.get(key)) if how == "changed" else ((), "")
        return AssetChange(
            key,
            how,
            None if spec.partitions is None else own,
            there,
            counted(why, own),
            copied,
            diff,
            note,
            columns.changes.get(key, ()),
        )

    def _versions(self, key: str) -> list[str]:
        """Of the code that made what there is of an asset."""
        return [row.code_version for row in self.made.get(key, {}).values()]

    def _is_changed(self, key: str) -> bool:
        version = self.index.assets[key].code_version
        return any(one and version and one != version for one in self._versions(key))

    def _newest(self, key: str, *, other: str = "") -> MaterializationRow | None:
        """What was made last of an asset; by other code than that of version `other`."""
        rows = [row for row in self.made.get(key, {}).values() if not other or row.code_version not in ("", other)]
        return max(rows, key=lambda row: row.at, default=None)

    def _kept(self, changed: Iterable[str]) -> dict[str, CodeText]:
        """The text of the code that made what there is of these assets."""
        keys = list(changed)
        found = self.store.code.of(keys) if keys else {}
        kept = {}
        for key in keys:
            row = self._newest(key, other=self.index.assets[key].code_version)
            if row is not None and (data := found.get((key, row.code_version))) is not None:
                kept[key] = decode_code(data)
        return kept

    def _diff(self, spec: AssetSpec, kept: CodeText | None) -> tuple[tuple[TextDiff, ...], str]:
        if kept is None:
            return (), NOT_KEPT
        if spec.sql is not None or kept.sql is not None:
            before, after = ("" if one is None else one.text for one in (kept.sql, spec.sql))
            known = spec.sql or kept.sql
            dialect = "" if known is None else known.dialect
            lines = sql_difference(before, after, dialect) if before and after else line_difference(before, after)
            found = [TextDiff("", tuple(lines))] if lines else []
        else:
            read, key = self.read, spec.key
            now = code_now(spec.place, kept, None if read is None else lambda path: read(key, path))
            if now is None:
                return (), NOT_HERE
            pairs = zip(kept.parts, now.parts, strict=True)
            compared = [TextDiff(old.name, tuple(line_difference(old.text, new.text))) for old, new in pairs]
            found = [one for one in compared if one.lines]
        return tuple(found), "" if found else SAME_TEXT

    # ---- columns, and what breaks ----

    def _columns(self, changed: Iterable[str], kept: Mapping[str, CodeText]) -> ColumnChanges:
        made: dict[str, tuple[Column, ...]] = {}
        for key in self.index.assets:
            row = self._newest(key)
            if row is not None and (found := recorded_columns(row.metadata)):
                made[key] = found
        return column_changes(self.index, read(self.store.columns.since()), made, kept, changed)

    def _removed(self) -> list[str]:
        """What was made by code that is gone."""
        if not self.whole:
            return []
        gone = [
            key
            for key, rows in self.made.items()
            if (key not in self.index.assets or self.index.assets[key].external)
            and any(row.code_version for row in rows.values())
        ]
        return sorted(gone)

    def _breaking_ends(self) -> list[Breaking]:
        """Assets that are gone, and that others still read."""
        found = []
        for key in self._removed():
            readers = self.index.graph.downstream(key) if key in self.index.assets else ()
            if readers:
                reached = tuple(Reached(one) for one in readers)
                found.append(Breaking(key, "is not defined any more, and is still read", reached=reached))
        return found

    def _afterwards(self, making: set[str], chosen: set[str], everything: Mapping[Pair, Freshness]) -> tuple[str, ...]:
        """What is not selected, and would be stale once the others are made."""
        stale = {asset for (asset, _), state in everything.items() if asset not in chosen and not state.is_fresh}
        below = set(self.index.graph.descendants(sorted(making))) - chosen
        found = {key for key in below if key in stale and not self.index.assets[key].external}
        return tuple(sorted(found, key=self.index.rank.__getitem__))


def _by_asset(why: Mapping[Pair, Freshness]) -> dict[str, dict[str, Freshness]]:
    found: dict[str, dict[str, Freshness]] = {}
    for (asset, partition), freshness in why.items():
        found.setdefault(asset, {})[partition] = freshness
    return found
