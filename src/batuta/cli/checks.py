"""`batuta checks`: the last results of checks."""

from __future__ import annotations

import time

import click

from batuta.cli import exits
from batuta.cli.output import Output, output_options
from batuta.cli.targets import file_option, load, open_workspace, split_target


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [SELECTION]")
@click.option("--failed", is_flag=True, help="Only those that failed.")
@click.option("--strict", is_flag=True, help="Exit with 1 for failed warnings too, not just for blocking checks.")
@file_option
@output_options
def checks(words: tuple[str, ...], failed: bool, strict: bool, file: str | None, out: Output) -> int:
    """Show the last results of checks.

    Exits with 1 where a blocking check failed when it was last evaluated.

    \b
    Examples:
      batuta checks
      batuta checks 'layer:gold' --failed
      batuta checks --strict --quiet            for CI: the exit code says it
    """
    from batuta.cli.catalog import check_spec_data, verdicts_of
    from batuta.cli.list import check_table

    target, rest = split_target(words, file)
    with open_workspace(target) as workspace:
        load(workspace)
        chosen = set(workspace.assets.select(" ".join(rest))) if rest else None
        specs = [spec for spec in workspace.definitions.checks if chosen is None or spec.asset in chosen]
        verdicts = verdicts_of(specs, workspace.store.checks_current())
        found = [(spec, verdicts[spec.key]) for spec in specs]
        bad = [spec for spec, rows in found if any(not row.passed for row in rows)]
        shown = [(spec, rows) for spec, rows in found if spec in bad] if failed else found
        out.document({"checks": [check_spec_data(spec, rows) for spec, rows in shown]})
        if shown:
            out.say(check_table(shown, time.time()))
        else:
            out.note("no check failed" if failed and found else "there are no checks")
        return exits.FAILED if any(spec.blocking or strict for spec in bad) else exits.OK
