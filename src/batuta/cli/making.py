"""Making assets: from what was asked for to a plan, the plan in words, and its run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import exits
from batuta.cli.formats import plural
from batuta.cli.output import Cell, Output, print_json, table
from batuta.core.errors import LoadError, SelectionError

if TYPE_CHECKING:
    from batuta.core.asset_plan import Asked
    from batuta.core.staleness import Freshness, Pair
    from batuta.engine.materialize import Materialization, Mode
    from batuta.engine.workspace import Workspace

ROWS_SHOWN_MAX = 60
FRESH_SHOWN_MAX = 8


@dataclass
class Wanted:
    """What a person asked to be made, and how."""

    selection: str
    mode: Mode = "all"
    partitions: Asked = None
    dry_run: bool = False
    fail_fast: bool = False
    job: str = "materialize"
    trigger: str = "manual"
    tags: dict[str, str] = field(default_factory=dict)
    plain: bool = False
    show_logs: bool = False
    environment: str = ""
    full_refresh: bool = False


def make(workspace: Workspace, wanted: Wanted, out: Output) -> int:
    """Plan it, tell the plan, and, unless that was all, run it. The exit code."""
    from batuta.cli.attending import attend

    try:
        made = workspace.assets_in(wanted.environment).plan(
            wanted.selection,
            mode=wanted.mode,
            partitions=wanted.partitions,
            fail_fast=wanted.fail_fast,
            job=wanted.job,
        )
    except SelectionError as error:
        if workspace.definitions.problems:
            what, hint = error.what, "mend the problems above: it may be in those files"
            raise LoadError(what, where=error.where, hint=hint) from None
        raise
    fresh = _fresh(workspace, made) if wanted.mode != "all" else []
    if out.json:
        print_json({"event": "plan", **_plan_data(made, fresh)})
    else:
        _tell(made, fresh, wanted, out)
    if wanted.dry_run or not made.plan.steps:
        return exits.OK
    partition = wanted.partitions if isinstance(wanted.partitions, str) else ""
    return attend(
        workspace,
        lambda: workspace.start_plan(
            made.plan,
            tags=wanted.tags,
            trigger=wanted.trigger,
            partition=partition,
            params={"selection": wanted.selection, "mode": wanted.mode},
            skip_unchanged=wanted.mode == "stale",
            environment=wanted.environment,
            config={"full_refresh": True} if wanted.full_refresh else None,
        ),
        out,
        plain=wanted.plain,
        show_logs=wanted.show_logs,
    )


def _fresh(workspace: Workspace, made: Materialization) -> list[str]:
    """The selected assets of which nothing has to be made, external ones left out."""
    assets = workspace.assets.index.assets
    busy = {asset for asset, _ in made.why} | {asset for step in made.plan.steps for asset in step.writes}
    return [key for key in made.keys if key not in busy and not assets[key].external]


# ---- the plan in words ----


@dataclass
class Row:
    """A step of the plan: how many of its partitions, and why."""

    key: str
    partitions: tuple[str, ...] | None
    why: list[tuple[str, int]]
    checks: int = 0


def plan_rows(made: Materialization) -> list[Row]:
    """One row per asset that is made, and per asset that is only checked."""
    from batuta.core.plan import LabelExpansion

    rows: dict[str, Row] = {}
    for step in made.plan.steps:
        labels = step.expansion.labels if isinstance(step.expansion, LabelExpansion) else None
        if step.kind == "check":
            for check in step.checks:
                asset = check.partition(":")[0]
                rows.setdefault(asset, Row(asset, labels, [])).checks += 1
            continue
        for asset in step.writes:
            rows[asset] = Row(asset, labels, reasons(asset, labels, made.why))
    return list(rows.values())


def reasons(asset: str, labels: tuple[str, ...] | None, why: Mapping[Pair, Freshness]) -> list[tuple[str, int]]:
    """Why an asset has to be made, each reason with the number of partitions it is about; most frequent first."""
    counts: dict[str, int] = {}
    for label in labels or ("",):
        freshness = why.get((asset, label))
        if freshness is not None:
            text = "; ".join(freshness.reasons)
            counts[text] = counts.get(text, 0) + 1
    return sorted(counts.items(), key=lambda item: -item[1])


def _tell(made: Materialization, fresh: list[str], wanted: Wanted, out: Output) -> None:
    rows = plan_rows(made)
    if not rows:
        if not out.quiet:
            _tell_fresh(fresh, out, nothing_else=True)
        return
    if wanted.mode == "all" and not wanted.dry_run:
        return
    if out.quiet and not wanted.dry_run:
        return
    verb = "would make" if wanted.dry_run else "making"
    head = f"{verb} {plural(len({row.key for row in rows}), 'asset')} in {plural(made.count, 'task run')}"
    out.say(click.style(head, bold=True))
    cells = [
        (row.key, _partitions(row.partitions), _why(row), plural(row.checks, "check") if row.checks else "")
        for row in rows[:ROWS_SHOWN_MAX]
    ]
    out.say(table(["", "", "", ""], cells, indent="  "))
    if len(rows) > ROWS_SHOWN_MAX:
        out.say(f"  and {len(rows) - ROWS_SHOWN_MAX:,} more")
    if fresh:
        _tell_fresh(fresh, out, nothing_else=False)


def _tell_fresh(fresh: list[str], out: Output, *, nothing_else: bool) -> None:
    listed = ", ".join(fresh[:FRESH_SHOWN_MAX]) + (
        f" and {len(fresh) - FRESH_SHOWN_MAX:,} more" if len(fresh) > FRESH_SHOWN_MAX else ""
    )
    if nothing_else:
        text = f"nothing to make: {plural(len(fresh), 'asset is', 'assets are')} fresh"
        out.say(click.style("✓", fg="green") + f" {text}" + (f" ({listed})" if fresh else ""))
        out.note("  --force makes them all the same")
    else:
        out.say(click.style(f"  fresh, left as they are: {listed}", dim=True))


def _partitions(labels: tuple[str, ...] | None) -> str:
    if labels is None:
        return ""
    return labels[0] if len(labels) == 1 else f"{len(labels):,} partitions, {labels[0]} … {labels[-1]}"


def _why(row: Row) -> Cell:
    if not row.why:
        return Cell("")
    text, count = row.why[0]
    total = sum(number for _, number in row.why)
    shown = text if count == total else f"{text} ({count:,})"
    more = f", and {plural(len(row.why) - 1, 'other reason')}" if len(row.why) > 1 else ""
    return Cell(shown + more, fg="yellow")


def _plan_data(made: Materialization, fresh: Iterable[str]) -> dict[str, Any]:
    steps = []
    for row in plan_rows(made):
        steps.append(
            {
                "asset": row.key,
                "partitions": None if row.partitions is None else list(row.partitions),
                "reasons": [{"reason": text, "partitions": count} for text, count in row.why],
                "checks": row.checks,
            }
        )
    return {"selected": list(made.keys), "make": steps, "fresh": list(fresh), "task_runs": made.count}
