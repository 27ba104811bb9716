"""What became of a run, read from the store: state, counts, assets made, checks, failures, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
import msgspec

from batuta.cli import exits
from batuta.cli.formats import between, plural
from batuta.cli.output import Output, styled_state, table
from batuta.cli.records import (
    check_data,
    error_info,
    materialization_data,
    run_data,
    run_row,
    task_data,
    task_key,
)
from batuta.cli.tracebacks import failure_lines
from batuta.core.environments import CONFIG
from batuta.core.values import Handle

if TYPE_CHECKING:
    from batuta.store.rows import CheckRow, MaterializationRow, RunRow, TaskRunRow
    from batuta.store.store import Store

FAILURES_SHOWN_MAX = 5
ALIKE_NAMED_MAX = 3
ASSETS_SHOWN_MAX = 40
CHECKS_SHOWN_MAX = 20


@dataclass
class RunSummary:
    """A run with what it did."""

    row: RunRow
    counts: dict[str, int]
    failed: list[TaskRunRow]
    made: list[MaterializationRow]
    checks: list[CheckRow]
    paused: list[TaskRunRow] = field(default_factory=list)
    returned: str = ""
    """What a flow returned, as far as it can be shown in a line."""
    command: str = "batuta"
    """How to call it so that it finds this run: `batuta -C folder` where the run is not of the project here."""

    @property
    def checks_failed(self) -> list[CheckRow]:
        return [check for check in self.checks if not check.passed]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def summarize(store: Store, run_id: int) -> RunSummary:
    """All that is worth telling about a run. Raises RequestError where there is none."""
    row = run_row(store, run_id)
    counts = dict(store.task_counts([run_id]).get(run_id, {}))
    body = store.task_run(run_id, 0) if row.kind == "flow" else None
    if body is not None:
        counts[body.state] -= 1  # the flow's own function is no task run to a reader
    failed = store.task_runs(run_id, states="failed", limit=100)
    if body is not None:
        failed = _without_echo(failed)
    return RunSummary(
        row,
        counts,
        failed,
        store.environments.made_by(run_id) if row.config.get(CONFIG) else store.materializations(run_id=run_id),
        _last_results(store.check_results(run_id=run_id)),
        store.task_runs(run_id, states="paused"),
        _preview(body),
    )


def _last_results(checks: list[CheckRow]) -> list[CheckRow]:
    """The last result of each check: a run that was retried has evaluated some again."""
    last = {(check.asset, check.partition, check.check): check for check in sorted(checks, key=lambda check: check.at)}
    return list(last.values())


def _without_echo(failed: list[TaskRunRow]) -> list[TaskRunRow]:
    """Without the failure of a flow's own function where that is just the error of a task that it called."""
    told = {error_info(task).message for task in failed if task.kind != "flow"}

    def echoes(task: TaskRunRow) -> bool:
        return task.kind == "flow" and any(message in error_info(task).message for message in told)

    return [task for task in failed if not echoes(task)]


def _preview(body: TaskRunRow | None) -> str:
    if body is None or body.state != "succeeded" or body.output is None:
        return ""
    return msgspec.json.decode(body.output, type=Handle).preview


# ---- as data ----


def summary_data(summary: RunSummary, home: str) -> dict[str, Any]:
    """A summary as JSON data."""
    return {
        "run": run_data(summary.row),
        "counts": summary.counts,
        "failed": [task_data(task, home) for task in summary.failed],
        "assets": [materialization_data(row) for row in summary.made],
        "checks": [check_data(row) for row in summary.checks],
        "returned": summary.returned,
        "asks": [{"task": task_key(task), "question": task.task} for task in summary.paused],
    }


# ---- as text ----


def print_summary(out: Output, summary: RunSummary, home: str, *, interrupted: str = "") -> None:
    """The end of `batuta run` and the like; with `--quiet` only what went wrong. `interrupted`: by what, if it was."""
    row = summary.row
    if not out.quiet or interrupted:
        out.say(headline(summary, interrupted))
        if summary.returned:
            out.say(f"  returned {summary.returned}")
        _print_assets(out, summary.made)
    _print_checks(out, summary, only_failed=out.quiet)
    _print_failures(out, summary.failed, home)
    if row.state == "failed" and not summary.failed and row.error:
        out.say(f"{click.style('✗', fg='red')} {row.error}")
    if not out.quiet or interrupted or row.state == "paused":
        for hint in next_steps(summary):
            out.say(click.style(hint, fg="cyan"))


def headline(summary: RunSummary, interrupted: str = "") -> str:
    """`run 42 nightly succeeded in 3.2 s: 12 tasks, 11 succeeded, 1 skipped`."""
    row = summary.row
    counts = {state: count for state, count in summary.counts.items() if count}
    took = between(row.started_at, row.finished_at)
    state = click.style(f"interrupted by {interrupted}", fg="yellow") if interrupted else styled_state(row.state)
    name = click.style(f"run {row.id} {row.job}", bold=True)
    text = f"{name} {state}{f' in {took}' if took else ''}"
    total = summary.total
    if total:
        parts = [f"{count:,} {state.replace('_', ' ')}" for state, count in counts.items() if state != "succeeded"]
        text += f"  {plural(total, 'task run')}" + (f": {', '.join(parts)}" if parts else "")
    return text


def _print_assets(out: Output, made: list[MaterializationRow]) -> None:
    if not made:
        return
    by_asset: dict[str, list[MaterializationRow]] = {}
    for row in made:
        by_asset.setdefault(row.asset, []).append(row)
    rows = [(asset, _partitions(parts), _rows(parts), _size(parts)) for asset, parts in by_asset.items()]
    out.say(click.style(f"made {plural(len(by_asset), 'asset')}", bold=True))
    out.say(table(["", "", "", ""], rows[:ASSETS_SHOWN_MAX], indent="  ", right=(2, 3)))
    if len(rows) > ASSETS_SHOWN_MAX:
        out.say(f"  and {len(rows) - ASSETS_SHOWN_MAX:,} more")


def _partitions(rows: list[MaterializationRow]) -> str:
    keys = sorted({row.partition for row in rows if row.partition})
    if not keys:
        return ""
    return keys[0] if len(keys) == 1 else f"{len(keys):,} partitions, {keys[0]} … {keys[-1]}"


def _rows(rows: list[MaterializationRow]) -> str:
    total = _sum(rows, "rows")
    return "" if total is None else plural(total, "row ", "rows")


def _size(rows: list[MaterializationRow]) -> str:
    from batuta.cli.formats import size

    total = _sum(rows, "bytes")
    return "" if total is None else size(total)


def _sum(rows: list[MaterializationRow], name: str) -> int | None:
    found = [msgspec.json.decode(row.metadata or b"{}").get(name) for row in rows]
    numbers = [value for value in found if isinstance(value, int)]
    return sum(numbers) if numbers else None


def _print_checks(out: Output, summary: RunSummary, only_failed: bool) -> None:
    failed = summary.checks_failed
    if summary.checks and not only_failed:
        passed = len(summary.checks) - len(failed)
        text = f"{plural(len(summary.checks), 'check')}: {passed:,} passed"
        out.say(click.style(text + (f", {len(failed):,} failed" if failed else ""), bold=True))
    for check in failed[:CHECKS_SHOWN_MAX]:
        where = f"{check.asset}[{check.partition}]" if check.partition else check.asset
        kind = "blocking" if check.blocking else "warning"
        sign = click.style("✗", fg="red" if check.blocking else "yellow")
        out.say(f"  {sign} {where} {check.check} ({kind}){': ' + check.description if check.description else ''}")
    if len(failed) > CHECKS_SHOWN_MAX:
        out.say(f"  and {len(failed) - CHECKS_SHOWN_MAX:,} more")


def _print_failures(out: Output, failed: list[TaskRunRow], home: str) -> None:
    alike = _alike(failed)
    for group in alike[:FAILURES_SHOWN_MAX]:
        out.say("\n".join(failure_lines(group[0], home)))
        if len(group) > 1:
            names = ", ".join(task_key(task) for task in group[1 : 1 + ALIKE_NAMED_MAX])
            more = len(group) - 1 - ALIKE_NAMED_MAX
            out.say(click.style(f"    so did {names}{f' and {more:,} more' if more > 0 else ''}", dim=True))
    if len(alike) > FAILURES_SHOWN_MAX:
        more = sum(len(group) for group in alike[FAILURES_SHOWN_MAX:])
        out.say(f"and {more:,} more failed; `batuta runs show {failed[0].run_id}` lists them")


def _alike(failed: list[TaskRunRow]) -> list[list[TaskRunRow]]:
    """Failures of one task with one type of error in one line of its code, each group in the order of their numbers."""
    groups: dict[tuple[str, str, str, int], list[TaskRunRow]] = {}
    for task in failed:
        error = error_info(task)
        groups.setdefault((task.task or task.step, error.type, error.file, error.line), []).append(task)
    return list(groups.values())


def next_steps(summary: RunSummary) -> list[str]:
    """What to do now."""
    row = summary.row
    match row.state:
        case "failed" | "cancelled":
            what = "what failed" if row.state == "failed" else "what was not done"
            hints = [f"→ {summary.command} runs retry {row.id}    runs {what}, and what that held back"]
            logged = [task for task in summary.failed if task.logged]
            if logged:
                logged.sort(key=lambda task: task.kind == "flow")
                hints.append(f"→ {summary.command} logs {row.id} {task_key(logged[0])}")
            return hints
        case "paused":
            hints = [f"? {task.task}" for task in summary.paused]
            return hints + [
                f"→ {summary.command} runs resume {row.id} --input {task_key(task)}=…" for task in summary.paused
            ]
        case "succeeded":
            return []
    return [f"→ {summary.command} runs resume {row.id}    goes on where it stopped; what is done is not done again"]


def exit_code_of(state: str) -> int:
    """The exit code for a run in this state."""
    codes = {"succeeded": exits.OK, "cancelled": exits.CANCELLED, "paused": exits.PAUSED}
    return codes.get(state, exits.FAILED)
