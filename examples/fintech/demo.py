"""`make demo`: builds the fintech's lakehouse end to end, three styles and dbt on one engine, and says what was built.

What is fresh is skipped, so a second run takes seconds; `--force` makes everything again, `--full` builds a million
payments, in a store and folders of their own. Nothing here cannot be done with the `batuta` command: this script calls
what stands behind it, three times, and sums up.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from batuta import find_project
from batuta.cli import exits
from batuta.cli.catalog import AssetRow, asset_rows, by_layer
from batuta.cli.failures import problem_text, report
from batuta.cli.following import Follower
from batuta.cli.formats import duration, number, plural, short_path, size
from batuta.cli.lineage import write_page
from batuta.cli.output import Cell, Output, table
from batuta.cli.summary import print_summary, summarize
from batuta.engine.materialize import Mode
from batuta.engine.workspace import RunHandle, Workspace
from batuta.store.rows import CheckRow

HERE = Path(__file__).parent
FLOW, DAG = "currency-movers", "settlement-export"
INTENDED = {
    "few_are_rejected": "as intended: a feed has bad days, and somebody should ask the sender",
    "no_merchant_is_watched": "as intended: some merchants sell what buyers dispute",
    "nobody_is_watched_for_long": "as intended: so somebody should talk to that merchant",
}
"""Warnings that fail on this data, and why they should."""


class Failed(Exception):
    """A run did not succeed; what went wrong has been printed."""


@dataclass
class Demo:
    """The three styles, one after the other, in one workspace."""

    workspace: Workspace
    force: bool
    plain: bool

    def run(self) -> bool:
        """All of it; whether anything had to be run. Raises Failed."""
        self.load()
        ran = [
            self.assets("payments and rates, from bronze to silver to gold; on top of that, marts by dbt"),
            self.job("Flow", FLOW, "which currencies moved? A study of each, and a report"),
            self.job("DAG", DAG, "the legacy batch: a settlement file per merchant, reconciled with gold"),
        ]
        self.tell_tables()
        self.tell_checks()
        return any(ran)

    def load(self) -> None:
        """Imports the pipelines. Raises Failed where a file of theirs is broken."""
        problems = self.workspace.definitions.problems
        for problem in problems:
            click.echo(problem_text(problem.message, str(problem.place), problem.hint, problem.detail))
        if problems:
            raise Failed

    # ---- the three styles ----

    def assets(self, what: str) -> bool:
        """Makes what is missing or stale of the lakehouse; whether anything was."""
        headline("Assets", what, "materialize --stale")
        is_gone = not Path(self.workspace.project.data_path).exists()
        mode: Mode = "all" if self.force or is_gone else "stale"
        made = self.workspace.assets.plan("*", mode=mode)
        if not made.plan.steps:
            done("all tables are fresh: neither their code nor what they are made from has changed")
            return False
        self.follow(lambda: self.workspace.start_plan(made.plan, skip_unchanged=mode == "stale"))
        return True

    def job(self, style: str, name: str, what: str) -> bool:
        """Runs a flow or DAG, if anything that it read has changed; whether it did."""
        headline(style, what, f"run {name} --if-changed")
        found = self.workspace.freshness(name)
        if not self.force and found.run is not None and found.is_fresh:
            done(f"fresh: nothing that run {found.run.id} read has changed")
            return False
        self.follow(lambda: self.workspace.start_job(name))
        return True

    def follow(self, start: Callable[[], RunHandle]) -> None:
        """Runs something with live progress. Raises Failed."""
        follower = Follower(self.workspace, Output(), plain=self.plain)
        handle = start()
        ended = follower.follow(handle)
        summary = summarize(self.workspace.store, handle.id)
        if ended.exit_code != exits.OK:
            print_summary(Output(), summary, self.workspace.project.home, interrupted=ended.interrupted_by)
            raise Failed
        took = duration((summary.row.finished_at or 0) - (summary.row.started_at or 0))
        done(f"run {handle.id}: {plural(follower.progress.done, 'task run')} in {took}")

    # ---- what came of it ----

    def tell_tables(self) -> None:
        """Every asset: who makes it, and how much there is of it."""
        headline("What there is", "", "list")
        makers = {
            key: job.kind.replace("dag", "DAG")
            for job in self.workspace.definitions.jobs
            for step in (job.plan.steps if job.plan else ())
            for key in step.writes
        }
        sums = self.sums()
        rows = by_layer(asset_rows(self.workspace, self.workspace.assets.index.keys), self.workspace.definitions.layers)
        lines = [line(row, makers.get(row.spec.key, ""), sums.get(row.spec.key, (0, 0, 0))) for row in rows]
        head = ["layer", "asset", "made by", "partitions", "rows", "size"]
        click.echo(table(head, lines, indent="  ", right=(3, 4, 5)))

    def sums(self) -> dict[str, tuple[int, int, int]]:
        """How many partitions, rows and bytes there are of each asset that was made."""
        found: dict[str, tuple[int, int, int]] = {}
        for (asset, _), made in self.workspace.store.asset_states().items():
            told = msgspec.json.decode(made.metadata)
            count, rows, bytes_ = found.get(asset, (0, 0, 0))
            found[asset] = count + 1, rows + (told.get("rows") or 0), bytes_ + (told.get("bytes") or 0)
        return found

    def tell_checks(self) -> None:
        """How many checks passed, and those that did not with the reason why that is right."""
        headline("Checks", "", "checks")
        verdicts = list(self.workspace.store.checks_current().values())
        failed = [verdict for verdict in verdicts if not verdict.passed]
        blocking = sum(verdict.blocking for verdict in failed)
        passed = click.style(f"{len(verdicts) - len(failed):,} passed", fg="green")
        click.echo(f"  {passed}, {plural(len(failed) - blocking, 'warning')}, {blocking} blocking ones failed")
        for name in dict.fromkeys(verdict.check for verdict in failed):
            tell_failed([verdict for verdict in failed if verdict.check == name])


def line(row: AssetRow, job: str, sums: tuple[int, int, int]) -> tuple[str | Cell, ...]:
    """One asset in the table of all."""
    spec, (count, rows, bytes_) = row.spec, sums
    maker = job or ("outside" if spec.external else "dbt" if "dbt" in spec.kinds else "asset")
    counts = (f"{count}" if spec.partitions is not None and count else "", number(rows) if rows else "")
    return (Cell(spec.layer, dim=True), spec.key, Cell(maker, dim=True), *counts, size(bytes_) if bytes_ else "")


def tell_failed(verdicts: list[CheckRow]) -> None:
    """One check that failed, on however many partitions, and why that is as it should be."""
    first = verdicts[0]
    sign = click.style("✗", fg="red" if first.blocking else "yellow")
    where = f"{first.asset}[{first.partition}]" if first.partition else first.asset
    more = f" (and {len(verdicts) - 1} more days)" if len(verdicts) > 1 else ""
    click.echo(f"  {sign} {where} {first.check}: {first.description}{more}")
    if first.check in INTENDED:
        click.echo(f"    {click.style(INTENDED[first.check], dim=True)}")


def tell_end(workspace: Workspace, anything_ran: bool, took_s: float) -> None:
    """The time it took, and what to look at next."""
    if anything_ran:
        text = f"Done in {duration(took_s)}. Do it again: what is fresh is skipped (unless --force)."
    else:
        text = f"Done in {duration(took_s)}: nothing has changed, so nothing was made (unless --force)."
    click.echo("\n" + click.style(text, bold=True))
    batuta = os.path.relpath(Path(sys.executable).with_name("batuta"), HERE)
    looks = [
        ("batuta lineage gold.settlement", "from where, and to where"),
        ("batuta lineage gold.board_kpis.take_basis_points", "a column, from dbt down to Python"),
        ("batuta show gold.monthly_revenue", "one asset in full"),
        ("batuta runs list", "and runs show ID, logs ID"),
        ("batuta materialize --stale -n", "after a change in the code"),
    ]
    out = Path(workspace.project.root, "out", workspace.project.profile)
    for page in sorted(out.glob("currency-movers/365-days/*.html"))[-1:]:
        looks.append((short_path(str(page)), "the flow's report"))
    write_page(workspace, str(out / "lineage.html"))
    looks.append((short_path(str(out / "lineage.html")), "all of it, in a browser"))
    looks.append(("batuta up", "the web UI on it, at http://127.0.0.1:8421; Ctrl-C ends it"))
    profile = f"export BATUTA_PROFILE={workspace.project.profile}; " if workspace.project.profile else ""
    click.echo(f"Look next (cd {os.path.relpath(HERE, HERE.parents[1])}; {profile}alias batuta={batuta}):")
    click.echo(table(["", ""], [(command, Cell(what, dim=True)) for command, what in looks], indent="  "))


def headline(title: str, what: str, command: str) -> None:
    """A section, with the command that does the same."""
    shown = click.style(f"batuta {command}", dim=True)
    title = click.style(title, bold=True, fg="cyan")
    click.echo(f"\n{title}  {what}\n  {shown}" if what else f"\n{title}  {shown}")


def done(text: str) -> None:
    """Says that something is as it should be."""
    click.echo(f"  {click.style('✓', fg='green')} {text}")


def main() -> int:
    """The exit code of the command line."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(description="Build the fintech's lakehouse, in three styles on one engine.")
    parser.add_argument("--force", action="store_true", help="make everything, also what is fresh")
    parser.add_argument("--full", action="store_true", help="a million payments instead of 50,000")
    parser.add_argument("--plain", action="store_true", help="lines instead of a live picture")
    given = parser.parse_args()
    if given.full:
        os.environ["BATUTA_PROFILE"] = "full"
    try:
        with Workspace(find_project(str(HERE))) as workspace:
            ran = Demo(workspace, given.force, given.plain).run()
            tell_end(workspace, ran, time.monotonic() - began)
    except Failed:
        return exits.FAILED
    except Exception as error:
        return report(error, as_json=False)
    return exits.OK


if __name__ == "__main__":
    sys.exit(main())
