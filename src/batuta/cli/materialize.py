"""`batuta materialize`: make assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from batuta.cli.output import Output, output_options
from batuta.cli.targets import (
    environment_option,
    execution_options,
    file_option,
    load,
    open_workspace,
    parse_pairs,
    split_target,
    tell_environment,
)
from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.engine.materialize import Mode


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [SELECTION]")
@click.option("--stale", is_flag=True, help="Only what changed: missing, code, or what it is made from.")
@click.option("--missing", is_flag=True, help="Only what was never made.")
@click.option("--all", "everything", is_flag=True, help="Everything, whether it changed or not.")
@click.option("--force", is_flag=True, help="Make what is fresh too.")
@click.option(
    "--partition", metavar="KEYS", help="A partition, a list a,b, or a range a..b; what it implies elsewhere follows."
)
@click.option("--full-refresh", is_flag=True, help="Make incremental tables anew.")
@environment_option
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be made and why, and stop.")
@click.option("--fail-fast", is_flag=True, help="Start nothing more once something failed.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the run; may be repeated.")
@file_option
@execution_options
@output_options
def materialize(
    words: tuple[str, ...],
    stale: bool,
    missing: bool,
    everything: bool,
    force: bool,
    partition: str | None,
    full_refresh: bool,
    environment: str,
    dry_run: bool,
    fail_fast: bool,
    tags: tuple[str, ...],
    file: str | None,
    executor: str | None,
    workers: int | None,
    show_logs: bool,
    plain: bool,
    out: Output,
) -> int:
    """Make assets: all, selected, or just what changed.

    SELECTION names assets: keys with * in them, layer: group: tag: kind: owner: path:, and states (stale, missing,
    failed). A space means or, a comma means and; +x is with all upstream of x, x+ with all downstream, 2+x two levels.
    With --stale or --missing and no selection, all assets are meant.

    \b
    Examples:
      batuta materialize --stale                    make what changed, say what is fresh
      batuta materialize --stale --dry-run          just say it
      batuta materialize 'layer:gold' --missing
      batuta materialize '+gold.revenue'            gold.revenue and all that it is made from
      batuta materialize lake.py --all --force
      batuta materialize bronze.rates --partition 2026-01-01..2026-01-31
      batuta materialize --stale --env dev_anna     over production's data, into your own
    """
    from batuta.cli.making import Wanted, make

    target, rest = split_target(words, file)
    selection = " ".join(rest)
    mode = _mode(selection, stale, missing, everything, force)
    wanted = Wanted(
        selection=selection or "*",
        mode=mode,
        partitions=partition,
        dry_run=dry_run,
        fail_fast=fail_fast,
        tags=parse_pairs(tags, "--tag"),
        plain=plain,
        show_logs=show_logs,
        environment=environment,
        full_refresh=full_refresh,
    )
    with open_workspace(target, executor=executor, workers=workers) as workspace:
        load(workspace)
        tell_environment(workspace, environment, out)
        return make(workspace, wanted, out)


def _mode(selection: str, stale: bool, missing: bool, everything: bool, force: bool) -> Mode:
    if stale + missing + everything > 1:
        raise RequestError("--stale, --missing and --all exclude each other", hint="give one of them")
    if everything and selection:
        raise RequestError(f"--all and a selection ({selection}) exclude each other", hint="leave one of them out")
    if not (selection or stale or missing or everything or force):
        hint = "`batuta materialize --stale` makes what changed, `--all` everything, or select: `'layer:gold'`"
        raise RequestError("what is to be made?", hint=hint)
    if force:
        return "all"
    return "stale" if stale else "missing" if missing else "all"
