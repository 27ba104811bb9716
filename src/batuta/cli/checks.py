"""`batuta checks`: the last results of checks, those of before, and how they come out over time."""

from __future__ import annotations

import time

import click

from batuta.cli import exits
from batuta.cli.output import Output, output_options
from batuta.cli.targets import file_option, load, open_workspace, split_target
from batuta.core.errors import RequestError

LIMIT = 50


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE] [SELECTION|ASSET:CHECK]")
@click.option("--failed", is_flag=True, help="Only those that failed.")
@click.option("--strict", is_flag=True, help="Exit with 1 for failed warnings too, not just for blocking checks.")
@click.option("--history", is_flag=True, help="All results instead of the last ones, newest first.")
@click.option("--trend", is_flag=True, help="How many came out how, by day (UTC), oldest first.")
@click.option("--by", type=click.Choice(["layer", "asset"]), help="Of a trend: a line per day and layer, or asset.")
@click.option("--since", metavar="AGE", help="Only of the last 30d, 12h; of a trend 30d if nothing is said.")
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), help="Of a history: at most so many, 50 by default.")
@file_option
@output_options
def checks(
    words: tuple[str, ...],
    failed: bool,
    strict: bool,
    history: bool,
    trend: bool,
    by: str | None,
    since: str | None,
    limit: int | None,
    file: str | None,
    out: Output,
) -> int:
    """Show the last results of checks, all of them, or how they come out over time.

    Exits with 1 where a blocking check failed when it was last evaluated. With --history and --trend, which tell of the
    past, it exits with 0.

    \b
    Examples:
      batuta checks
      batuta checks 'layer:gold' --failed
      batuta checks --strict --quiet            for CI: the exit code says it
      batuta checks silver.payments:unique_id --history --since 7d
      batuta checks --trend --by asset --since 90d
    """
    from batuta.cli.catalog import check_spec_data, verdicts_of
    from batuta.cli.checks_history import TREND_AGE, one_check, print_history, print_trend, wanted_of
    from batuta.cli.list import check_table

    options = {"--failed": failed, "--strict": strict, "--by": by, "--since": since, "--limit": limit}
    _refuse_what_does_not_fit(history, trend, [name for name, value in options.items() if value])
    target, rest = split_target(words, file)
    with open_workspace(target) as workspace:
        load(workspace)
        if history:
            wanted = wanted_of(workspace, rest, since)
            print_history(workspace, wanted, out, failed=failed, limit=limit or LIMIT)
            return exits.OK
        if trend:
            print_trend(workspace, wanted_of(workspace, rest, since or TREND_AGE), out, by=by or "layer")
            return exits.OK
        text = " ".join(rest)
        one = one_check(workspace, text)
        chosen = set(workspace.assets.select(text)) if text and one is None else None
        known = workspace.definitions.checks if one is None else (one,)
        specs = [spec for spec in known if chosen is None or spec.asset in chosen]
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


def _refuse_what_does_not_fit(history: bool, trend: bool, given: list[str]) -> None:
    if history and trend:
        raise RequestError("--history and --trend exclude each other", hint="ask for one after the other")
    fits = {"--failed", "--since", "--limit"} if history else {"--by", "--since"} if trend else {"--failed", "--strict"}
    for name in given:
        if name not in fits:
            kind = "--history" if history else "--trend" if trend else "the last results"
            hint = "leave it out, or ask for --history or --trend" if kind.startswith("the") else "leave it out"
            raise RequestError(f"{name} does not go with {kind}", hint=hint)
