"""`batuta checks --history` and `--trend`: the verdicts of before, one by one and counted by day.

A trend counts in the database; the rows that failed are added up from the verdicts that are not good, whose numbers
nobody but their reader looks into.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.cli.formats import day as day_of
from batuta.cli.formats import number, parse_age, when
from batuta.cli.output import Cell, Output, table
from batuta.core.errors import RequestError, nearest
from batuta.store.rows import CheckRow, VerdictCounts

if TYPE_CHECKING:
    from batuta.core.definitions import CheckSpec
    from batuta.engine.workspace import Workspace
    from batuta.store.store import Store

DAY_S = 86_400
TREND_AGE = "30d"
PAGE = 1_000


@dataclass(frozen=True)
class Wanted:
    """Which verdicts: on these assets (None: all), of checks of this name, since then."""

    assets: list[str] | None = None
    check: str | None = None
    since: float = 0.0


def wanted_of(workspace: Workspace, words: Iterable[str], since: str | None) -> Wanted:
    """A selection of assets, or one check by its key. Raises RequestError."""
    text = " ".join(words)
    age = 0.0 if since is None else time.time() - parse_age(since)
    if not text:
        return Wanted(since=age)
    if (check := one_check(workspace, text)) is not None:
        return Wanted([check.asset], check.name, age)
    return Wanted(sorted(workspace.assets.select(text)), since=age)


def one_check(workspace: Workspace, text: str) -> CheckSpec | None:
    """The check whose key this is; None where it is not of that form. Raises RequestError for one there is not."""
    asset, _, _ = text.rpartition(":")
    if asset not in workspace.assets.index.assets:
        return None
    checks = {check.key: check for check in workspace.assets.index.checks_of.get(asset, ())}
    if text not in checks:
        hint = nearest(text, checks) or (f"it has {', '.join(sorted(checks))}" if checks else f"{asset} has no checks")
        raise RequestError(f"there is no check {text!r}", hint=hint)
    return checks[text]


def print_history(workspace: Workspace, wanted: Wanted, out: Output, *, failed: bool, limit: int) -> None:
    """The verdicts one by one, newest first."""
    from batuta.cli.list import verdict_cell
    from batuta.cli.records import check_data

    found = _verdicts(workspace.store, wanted, passed=False if failed else None)
    rows = list(islice(found, limit + 1))
    more, rows = len(rows) > limit, rows[:limit]
    out.document({"results": [check_data(row) for row in rows]})
    if not rows:
        out.note("no such verdicts")
        return
    now = time.time()
    head = ("WHEN", "RUN", "ASSET", "CHECK", "PARTITION", "RESULT", "")
    cells = [
        (
            when(row.at, now),
            f"{row.run_id}",
            row.asset,
            Cell(row.check, bold=True),
            row.partition,
            verdict_cell(row.level),
            row.description,
        )
        for row in rows
    ]
    out.say(table(head, cells, indent="  ", right=(1,)))
    if more:
        out.note("  there are older ones: give a larger --limit")


def print_trend(workspace: Workspace, wanted: Wanted, out: Output, *, by: str) -> None:
    """How the verdicts came out by day (UTC) and layer, asset or check, oldest first."""
    layers = {spec.key: spec.layer for spec in workspace.definitions.assets}
    name_of = (lambda asset: asset) if by == "asset" else lambda asset: layers.get(asset, "")
    counts: dict[tuple[int, str], VerdictCounts] = defaultdict(VerdictCounts)
    store = workspace.store
    for asset, day, one in store.reports.check_days(wanted.since, assets=wanted.assets, check=wanted.check):
        counts[day, name_of(asset)] = counts[day, name_of(asset)].plus(one)
    rows_failed: dict[tuple[int, str], int] = defaultdict(int)
    for row in _verdicts(store, wanted, passed=False):
        rows_failed[int(row.at // DAY_S), name_of(row.asset)] += _failing(row)
    found = [_trend_data(by, key, counts[key], rows_failed[key]) for key in sorted(counts)]
    out.document({"trend": found})
    if found:
        out.say(_trend_table(by, found))
    else:
        out.note("no such verdicts")


def _verdicts(store: Store, wanted: Wanted, *, passed: bool | None) -> Iterator[CheckRow]:
    """Newest first, back to `since`."""
    before = None
    while True:
        page = store.reports.checks(
            wanted.assets, check=wanted.check, passed=passed, before=before, after=0, newest_first=True, limit=PAGE
        )
        for row in page:
            if row.at < wanted.since:
                return
            yield row
        if len(page) < PAGE:
            return
        before = page[-1].id


def _failing(row: CheckRow) -> int:
    found = msgspec.json.decode(row.metadata or b"{}").get("failing")
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _trend_data(by: str, key: tuple[int, str], counts: VerdictCounts, rows_failed: int) -> dict[str, Any]:
    day, name = key
    return {
        "day": day_of(day * DAY_S).isoformat(),
        by: name,
        "evaluated": counts.evaluated,
        **counts._asdict(),
        "share_good": counts.share_good,
        "rows_failed": rows_failed,
    }


def _trend_table(by: str, found: list[dict[str, Any]]) -> str:
    rows = []
    for one in found:
        share = one["share_good"]
        rows.append(
            (
                one["day"],
                Cell(one[by] or f"no {by}", bold=True, dim=not one[by]),
                number(one["evaluated"]),
                Cell("" if share is None else f"{100 * share:.{0 if share == 1 else 1}f}%", _tone(one)),
                *(number(one[name]) if one[name] else "" for name in ("warned", "failed", "unknown", "rows_failed")),
            )
        )
    head = ("DAY", by.upper(), "VERDICTS", "GOOD", "WARNED", "FAILED", "UNKNOWN", "ROWS FAILED")
    return table(head, rows, indent="  ", right=(2, 3, 4, 5, 6, 7))


def _tone(one: dict[str, Any]) -> str | None:
    return "red" if one["failed"] else "yellow" if one["warned"] else "green" if one["passed"] else None
