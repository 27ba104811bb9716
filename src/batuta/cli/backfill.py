"""`batuta backfill`: make a range of partitions, in one run."""

from __future__ import annotations

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


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] SELECTION")
@click.option("--partitions", required=True, metavar="KEYS", help="A range a..b, a list a,b, or one key.")
@click.option("--missing", is_flag=True, help="Only partitions that were never made.")
@click.option("--stale", is_flag=True, help="Only partitions that are missing or stale.")
@environment_option
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be made, and stop.")
@click.option("--fail-fast", is_flag=True, help="Start nothing more once something failed.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the run; may be repeated.")
@file_option
@execution_options
@output_options
def backfill(
    words: tuple[str, ...],
    partitions: str,
    missing: bool,
    stale: bool,
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
    """Make a range of partitions of assets.

    All of them in one run: a failed one can be retried, and a killed run goes on with `batuta runs resume`.

    \b
    Examples:
      batuta backfill bronze.rates --partitions 2025-01-01..2025-12-31
      batuta backfill 'bronze.rates+' --partitions 2025-01..2025-03 --missing
      batuta backfill 'layer:bronze' --partitions 2025-01-01..2025-12-31 --dry-run
    """
    from batuta.cli.making import Wanted, make

    target, rest = split_target(words, file)
    if not rest:
        raise RequestError("what is to be backfilled?", hint="name assets: `batuta backfill bronze.rates ...`")
    if missing and stale:
        raise RequestError("--missing and --stale exclude each other", hint="--stale includes what is missing")
    wanted = Wanted(
        selection=" ".join(rest),
        mode="missing" if missing else "stale" if stale else "all",
        partitions=partitions,
        dry_run=dry_run,
        fail_fast=fail_fast,
        job="backfill",
        trigger="backfill",
        tags=parse_pairs(tags, "--tag"),
        plain=plain,
        show_logs=show_logs,
        environment=environment,
    )
    with open_workspace(target, executor=executor, workers=workers) as workspace:
        load(workspace)
        tell_environment(workspace, environment, out)
        return make(workspace, wanted, out)
