"""`batuta plan`: what would change if what is stale were made now, told before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from batuta.cli import exits
from batuta.cli.formats import plural
from batuta.cli.output import Output, output_options
from batuta.cli.targets import environment_option, file_option, load, open_workspace, split_target, tell_environment

if TYPE_CHECKING:
    from batuta.core.changes import AssetChange, Breaking, Changes, TextDiff
    from batuta.core.contract import ColumnChange
    from batuta.engine.workspace import Workspace

LISTED_MAX = 8
DIFF_LINES_MAX = 60
_SIGNS = {"added": ("+", "green"), "changed": ("~", "yellow"), "stale": ("~", "cyan")}
_LINES = {"+": "green", "-": "red", "@": "cyan"}


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [SELECTION]")
@click.option(
    "--partition", metavar="KEYS", help="Only of these: a partition, a list a,b, or a range a..b, as for materialize."
)
@click.option("--no-diff", is_flag=True, help="Leave out how code has changed.")
@click.option("--exit-code", is_flag=True, help="End with 1 where a change breaks whoever reads an asset.")
@environment_option
@file_option
@output_options
def plan(
    words: tuple[str, ...],
    partition: str | None,
    no_diff: bool,
    exit_code: bool,
    environment: str,
    file: str | None,
    out: Output,
) -> int:
    """What would change if what is stale were made now.

    Nothing is run. Of each asset is told why it would be made, how many of its partitions, how its code differs from
    that which made it, and what would become of its columns. Changes that break whoever reads it (a column that is
    gone, a type that holds less, a contract that is broken) are told with the columns and assets downstream that they
    come to. What the same code has made of the same data in another environment is not made again, but copied.

    SELECTION as for `batuta materialize`; without one, all assets are meant.

    \b
    Examples:
      batuta plan
      batuta plan 'layer:gold'
      batuta plan --env dev_anna
      batuta plan --exit-code --no-diff      in CI: fail where something breaks
      batuta plan --json | jq '.breaking'
    """
    from batuta.engine.changes import changes

    target, rest = split_target(words, file)
    with open_workspace(target) as workspace:
        load(workspace)
        tell_environment(workspace, environment, out)
        assets = workspace.assets_in(environment)
        whole = _is_whole(workspace, target)
        found = changes(workspace.store, assets, " ".join(rest) or "*", partitions=partition, whole=whole)
    out.document(found)
    if not out.json:
        for line in told(found, diffs=not no_diff):
            out.say(line)
    return exits.FAILED if exit_code and found.breaking else exits.OK


def _is_whole(workspace: Workspace, target: str) -> bool:
    """Whether all assets of the project are here: none is in a file that does not load, or in another place."""
    here = not target and not workspace.definitions.problems
    return here and not any(each.remote for each in workspace.project.locations)


# ---- in words ----


def told(found: Changes, *, diffs: bool = True) -> Iterator[str]:
    """The whole of it, line by line."""
    if not found.assets and not found.removed:
        yield click.style("✓", fg="green") + f" nothing would change: {_fresh(found)}"
        return
    yield click.style(_head(found), bold=True)
    for one in found.assets:
        yield from _asset(one, diffs)
    for key in found.removed:
        yield f"{click.style('-', fg='red')} {click.style(key, bold=True)}  not defined any more; its data stay"
    if found.fresh:
        yield click.style(f"  fresh, left as they are: {_listed(found.fresh)}", dim=True)
    if found.afterwards:
        yield f"  not selected, and stale afterwards: {_listed(found.afterwards)}"
    for broken in found.breaking:
        yield from _breaking(broken)


def _head(found: Changes) -> str:
    made = plural(len(found.assets), "asset")
    where = f" in environment {found.environment}" if found.environment else ""
    text = f"would make {made} in {plural(found.task_runs, 'task run')}{where}"
    spared = sum(count for one in found.assets for count in one.reuse.values())
    if spared:
        text += f", {spared:,} of them copied or left"
    return text + (f"; {plural(len(found.breaking), 'breaking change')}" if found.breaking else "")


def _fresh(found: Changes) -> str:
    return plural(len(found.fresh), "asset is", "assets are") + " fresh"


UNCHANGED = "unchanged"


def _asset(one: AssetChange, diffs: bool) -> Iterator[str]:
    sign, colour = _SIGNS.get(one.how, ("·", "white"))
    parts = [f"{click.style(sign, fg=colour)} {click.style(one.key, bold=True)}", click.style(one.how, fg=colour)]
    if one.partitions is not None:
        parts.append(_partitions(one.partitions, one.of))
    yield "  ".join(part for part in (*parts, _reasons(one)) if part)
    for where, count in one.reuse.items():
        what = "" if one.partitions is None else f"{plural(count, 'partition')}: "
        how = f"the same was made in {where}, and is copied"
        how = "made of the same as before then, and left as it is" if where == UNCHANGED else how
        yield click.style(f"    {what}{how}", fg="green")
    if diffs:
        for text in one.diff:
            yield from _diff(text)
    if one.note and diffs:
        yield click.style(f"    {one.note}", dim=True)
    for column in one.columns:
        yield f"    {_column(column)}"


def _partitions(own: Sequence[str], of: int) -> str:
    shown = own[0] if len(own) == 1 else f"{own[0]} … {own[-1]}"
    return f"{len(own):,} of {plural(of, 'partition')}, {shown}"


def _reasons(one: AssetChange) -> str:
    """Why, but for what `how` says already."""
    shown = [(text, count) for text, count in one.reasons if (one.how, text) not in _SAID]
    if not shown:
        return ""
    text, count = shown[0]
    more = f", and {plural(len(shown) - 1, 'other reason')}" if len(shown) > 1 else ""
    return click.style((text if count == one.count else f"{text} ({count:,})") + more, dim=True)


_SAID = {("added", "never made"), ("missing", "never made"), ("changed", "code changed")}


def _diff(text: TextDiff) -> Iterator[str]:
    if text.name:
        yield f"    {click.style(text.name, fg='cyan')}"
    for line in text.lines[:DIFF_LINES_MAX]:
        colour = _LINES.get(line[:1])
        yield "    " + (click.style(line, fg=colour) if colour else line)
    if len(text.lines) > DIFF_LINES_MAX:
        yield click.style(f"    ... {len(text.lines) - DIFF_LINES_MAX} more lines; --json has them all", dim=True)


def _column(change: ColumnChange) -> str:
    match change.kind:
        case "added":
            return click.style(f"+ {change.column}  {change.after}".rstrip(), fg="green")
        case "removed":
            return click.style(f"- {change.column}  {change.before}".rstrip(), fg="red")
    return click.style(f"~ {change.text}", fg="red" if change.breaking else "yellow")


def _breaking(one: Breaking) -> Iterator[str]:
    yield click.style("✗ breaking", fg="red") + f"  {click.style(one.asset, bold=True)}  {one.text}"
    for reached in one.reached[:LISTED_MAX]:
        names = ", ".join(reached.columns) if reached.columns else "its rows" if reached.certain else "may read it"
        yield f"    → {reached.asset}  {click.style(names, dim=True)}"
    if len(one.reached) > LISTED_MAX:
        yield f"    → {len(one.reached) - LISTED_MAX} more"
    if not one.reached:
        yield click.style("    nothing here is known to read it", dim=True)


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys[:LISTED_MAX]) + (f" and {len(keys) - LISTED_MAX} more" if len(keys) > LISTED_MAX else "")
