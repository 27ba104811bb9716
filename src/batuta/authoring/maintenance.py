"""A job that looks after the tables of assets: few files instead of many small ones, and no versions that nobody needs.

It is a DAG like any other: one step finds the tables, one mapped over them tends each, one tells of all. Surprising: a
table that is tended is not made: its data stay the same, and so nothing downstream becomes stale.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.authoring import artifacts
from batuta.authoring.asset_definitions import key_of
from batuta.authoring.context import SkipTask, current
from batuta.authoring.dag import DAG
from batuta.authoring.task import task
from batuta.core.errors import DefinitionError, RequestError
from batuta.io.versions import KEEP_FOR_MIN_S, Upkeep

if TYPE_CHECKING:
    from batuta.authoring.asset_access import AssetAccess

COUNTS = ("files", "bytes", "versions")


def maintenance_job(
    name: str = "table_maintenance",
    assets: Any = "*",
    *,
    compact: bool = True,
    vacuum: bool = True,
    keep_for: timedelta = timedelta(days=7),
    keep_last: int = 1,
    keep: Mapping[Any, Sequence[int | str]] | None = None,
    **options: Any,
) -> DAG:
    """A DAG that tends the tables of assets that are kept by `DeltaIO` or `IcebergIO`.

    `assets`: a key, a pattern (`silver.*`) or a list of them. `compact`: write small files as few. `vacuum`: remove
    what no version needs that stays: those that could be read within `keep_for` (at least an hour), the last
    `keep_last`, and those of `keep` (asset -> versions). `options` are those of `DAG`: `schedule="0 3 * * *"`, ...
    Raises DefinitionError.
    """
    where = f"maintenance_job {name!r}"
    if keep_for.total_seconds() < KEEP_FOR_MIN_S:
        hint = "give an hour or more: what is younger may be being read"
        raise DefinitionError(f"keep_for is {keep_for}", where=where, hint=hint)
    if keep_last < 1:
        raise DefinitionError(f"keep_last is {keep_last}", where=where, hint="give 1 or more")
    if not (compact or vacuum):
        raise DefinitionError("nothing is to be done", where=where, hint="leave compact or vacuum true")
    patterns = [key_of(one) for one in (assets if isinstance(assets, list | tuple) else [assets])]
    kept = {key_of(asset): tuple(map(str, versions)) for asset, versions in (keep or {}).items()}
    upkeep = Upkeep(compact=compact, vacuum=vacuum, keep_for_s=keep_for.total_seconds(), keep_last=keep_last)

    @task(name="find")
    def find() -> list[str]:
        return _access().tables(patterns)

    @task(name="tend")
    def tend(table: str) -> dict[str, Any]:
        done = _access().tend(table, msgspec.structs.replace(upkeep, keep=kept.get(table, ())))
        if done is None:
            raise SkipTask(f"{table} has no table yet")
        found: dict[str, Any] = msgspec.to_builtins(done)
        _log(found)
        return found

    @task(name="report", trigger_rule="none_failed")
    def report(tables: list[dict[str, Any]]) -> dict[str, int]:
        artifacts.table(tables, "tables", title="what was found, and left")
        removed = {f"{what}_removed": sum(_removed(one, what) for one in tables) for what in COUNTS}
        return {"tables": len(tables), **removed}

    options.setdefault("description", "Compacts the tables of assets, and removes versions that nobody needs.")
    with DAG(name, **options) as dag:
        report(tend.expand(table=find()))
    return dag


def _access() -> AssetAccess:
    context = current()
    if context.assets is None:
        raise RequestError("tables can only be tended inside a run")
    access: AssetAccess = context.assets(context)
    return access


def _removed(done: Mapping[str, Any], what: str) -> int:
    return int(done[f"{what}_before"]) - int(done[f"{what}_after"])


def _log(done: Mapping[str, Any]) -> None:
    told = ", ".join(f"{what} {done[f'{what}_before']:,} → {done[f'{what}_after']:,}" for what in COUNTS)
    current().log.info("%s: %s", done["asset"], told)
