"""`batuta env`: environments, in which one makes over production's data what one may then promote or drop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from batuta.cli import exits
from batuta.cli.formats import between, plural
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import execution_options, file_option, load, open_store, open_workspace

if TYPE_CHECKING:
    from batuta.engine.environments import AssetDifference

PARTITIONS_SHOWN = 3


ENV = {
    "list": Lazy("env:list_environments", "List environments, with what was made in them."),
    "diff": Lazy("env:diff", "What an environment has that production has not."),
    "promote": Lazy("env:promote", "Take to production what an environment has."),
    "drop": Lazy("env:drop", "Delete what was made in an environment, and forget it."),
}


@click.group(cls=LazyGroup, lazy=ENV)
def env() -> None:
    """Work over production's data, into tables of your own.

    `batuta materialize --env NAME` and `batuta run --env NAME` make an environment when it is first named.
    """


@click.command("list")
@output_options
def list_environments(out: Output) -> None:
    """List environments, with what was made in them.

    \b
    Examples:
      batuta env list
      batuta env list --json | jq '.[].name'
    """
    with open_store() as store:
        rows = store.environments.all()
    if out.json:
        out.document(rows)
        return
    if not rows:
        out.note("there are no environments: batuta materialize ... --env NAME makes one")
        return
    now = time.time()
    out.say(
        table(
            ("ENVIRONMENT", "ASSETS", "PARTITIONS", "LAST MADE", "CREATED BY"),
            [
                (
                    Cell(row.name, bold=True),
                    Cell(str(row.assets)),
                    Cell(str(row.partitions)),
                    Cell(f"{between(row.made_at, now)} ago" if row.made_at else "never"),
                    Cell(row.created_by),
                )
                for row in rows
            ],
            right=(1, 2),
        )
    )


@click.command("diff")
@click.argument("name")
@file_option
@output_options
def diff(name: str, file: str | None, out: Output) -> None:
    """What an environment has that production has not.

    Of each asset: which partitions differ, how many rows and which columns it has here and there, whether other code
    made it, and which of its blocking checks have failed.

    \b
    Examples:
      batuta env diff dev_anna
    """
    from batuta.engine.environments import differences

    with open_workspace(file or "") as workspace:
        load(workspace)
        found = differences(workspace.store, workspace.assets.index, name)
    if out.json:
        out.document(found)
        return
    changed = [one for one in found if one.how != "same"]
    for one in changed:
        out.say(_difference(one))
    same = len(found) - len(changed)
    out.say(
        f"{plural(len(changed), 'asset')} differ{'s' if len(changed) == 1 else ''} from production, {same} the same"
    )


def _difference(one: AssetDifference) -> str:
    told = []
    if one.partitions != ("",):
        shown = ", ".join(one.partitions[:PARTITIONS_SHOWN]) + (
            ", ..." if len(one.partitions) > PARTITIONS_SHOWN else ""
        )
        told.append(f"{plural(len(one.partitions), 'partition')} ({shown})")
    if one.rows is not None and one.rows != one.rows_in_production:
        before = "" if one.rows_in_production is None else f"{one.rows_in_production:,} → "
        told.append(f"{before}{one.rows:,} rows")
    if one.code_changed:
        told.append("other code")
    told += [click.style(f"+{name}", fg="green") for name in one.columns_added]
    told += [click.style(f"-{name}", fg="red") for name in one.columns_removed]
    told += [click.style(f"~{text}", fg="yellow") for text in one.types_changed]
    told += [click.style(f"✗ {check} failed", fg="red") for check in one.checks_failed]
    if not one.known:
        told.append("not defined here")
    return f"  {click.style(one.key, bold=True)}  {one.how}  {'  '.join(told)}".rstrip()


@click.command("promote")
@click.argument("name")
@click.argument("selection", nargs=-1)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be promoted, and stop.")
@file_option
@execution_options
@output_options
def promote(
    name: str,
    selection: tuple[str, ...],
    dry_run: bool,
    file: str | None,
    executor: str | None,
    workers: int | None,
    show_logs: bool,
    plain: bool,
    out: Output,
) -> int:
    """Take to production what an environment has: data are copied, not made again.

    All partitions of an asset are promoted at once. What production has already is left as it is, so a promotion that
    was broken off is simply made again.

    \b
    Examples:
      batuta env promote dev_anna --dry-run
      batuta env promote dev_anna
      batuta env promote dev_anna 'layer:gold'      just what is selected
    """
    from batuta.cli.attending import attend
    from batuta.engine.environments import differences, promotion

    with open_workspace(file or "", executor=executor, workers=workers) as workspace:
        load(workspace)
        store, assets = workspace.store, workspace.assets
        plan, config = promotion(store, assets, name, " ".join(selection) or "*")
        chosen = {key for step in plan.steps for key in step.writes}
        if not out.json:
            for one in differences(store, assets.index, name):
                if one.key in chosen:
                    out.say(_difference(one))
                elif not one.known:
                    out.warn(f"{one.key} is not defined here, and is left out")
        if not plan.steps:
            out.say(click.style("✓", fg="green") + f" nothing to promote: production has all that {name} has")
            return exits.OK
        if dry_run:
            return exits.OK
        params = {"environment": name, "selection": " ".join(selection) or "*"}
        return attend(
            workspace,
            lambda: workspace.start_plan(plan, params=params, config=config),
            out,
            plain=plain,
            show_logs=show_logs,
        )


@click.command("drop")
@click.argument("name")
@click.option("--keep-data", is_flag=True, help="Forget it, and leave its data where they are.")
@file_option
@execution_options
@output_options
def drop(
    name: str,
    keep_data: bool,
    file: str | None,
    executor: str | None,
    workers: int | None,
    show_logs: bool,
    plain: bool,
    out: Output,
) -> int:
    """Delete what was made in an environment, and forget it.

    Production is not touched.

    \b
    Examples:
      batuta env drop dev_anna
      batuta env drop dev_anna --keep-data      forget it, and leave its tables and files
    """
    from batuta.cli.attending import attend
    from batuta.engine.environments import clearing, require
    from batuta.runtime.people import person

    with open_workspace(file or "", executor=executor, workers=workers) as workspace:
        require(workspace.store, name)
        if not keep_data:
            load(workspace)
            plan, config, unknown = clearing(workspace.store, workspace.assets, name, person())
            for key in unknown:
                out.warn(f"{key} is not defined here: its data stay where they are")
            if plan.steps:
                code = attend(
                    workspace,
                    lambda: workspace.start_plan(plan, params={"environment": name}, config=config),
                    out,
                    plain=plain,
                    show_logs=show_logs,
                )
                if code != exits.OK:
                    return code
        # Forgotten by the run, where there was something for it to delete.
        workspace.store.environments.drop(name, by=person(), now=time.time())
        out.say(click.style("✓", fg="green") + f" environment {name} is dropped")
    return exits.OK
