"""`batuta catalog history` and `usage`: how the columns of an asset changed, and who reads it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.formats import ago, iso, number, when
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import file_option, load, open_workspace
from batuta.core.errors import RequestError, nearest

if TYPE_CHECKING:
    from batuta.engine.workspace import Workspace
    from batuta.store.rows import MaterializationRow


@click.command()
@click.argument("asset", metavar="ASSET")
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, metavar="N")
@file_option
@output_options
def history(asset: str, limit: int, file: str | None, out: Output) -> None:
    """Show how the columns of an asset changed, and what of it breaks who reads them.

    Its last materializations are looked through, 200 unless --limit says otherwise, newest first.

    \b
    Examples:
      batuta catalog history gold.revenue
      batuta catalog history gold.revenue --json
    """
    with open_workspace(file or "") as workspace:
        load(workspace)
        _must_be(workspace, asset)
        found = _changes(workspace.store.materializations(asset, limit=limit))
    out.document({"asset": asset, "changes": [{**one, "at": iso(one["at"])} for one in found]})
    if not found:
        out.note("its columns did not change, as far as they are known")
        return
    now = time.time()
    rows = [
        (
            when(one["at"], now),
            f"{one['run']}",
            Cell("breaking", "red") if one["breaking"] else Cell("compatible", "green"),
            one["change"],
        )
        for one in found
    ]
    out.say(table(("WHEN", "RUN", "", "COLUMN"), rows, indent="  ", right=(1,)))


@click.command()
@click.argument("asset", metavar="ASSET")
@click.option("--days", type=click.IntRange(1, 400), default=30, show_default=True, help="Of the last so many days.")
@file_option
@output_options
def usage(asset: str, days: int, file: str | None, out: Output) -> None:
    """Show who reads an asset, how often, and when last.

    \b
    Examples:
      batuta catalog usage silver.payments
      batuta catalog usage silver.payments --days 90 --json
    """
    from batuta.store.usage import DAY_S

    now = time.time()
    with open_workspace(file or "") as workspace:
        load(workspace)
        _must_be(workspace, asset)
        readers = workspace.store.usage.readers(asset, int(now // DAY_S) - days + 1)
    told = [
        {"kind": one.kind, "reader": one.reader, "reads": one.reads, "last_at": iso(one.last_at), "run": one.last_run}
        for one in readers
    ]
    out.document({"asset": asset, "days": days, "readers": told})
    if readers:
        rows = [(one.kind, Cell(one.reader, bold=True), number(one.reads), ago(one.last_at, now)) for one in readers]
        out.say(table(("BY", "READER", "READS", "LAST"), rows, indent="  ", right=(2,)))
    else:
        out.note(f"nobody has read it in the last {days} days")


def _must_be(workspace: Workspace, asset: str) -> None:
    known = workspace.assets.index.assets
    if asset not in known:
        hint = nearest(asset, known) or "batuta list assets shows them"
        raise RequestError(f"there is no asset {asset!r}", hint=hint)


def _changes(rows: list[MaterializationRow]) -> list[dict[str, Any]]:
    """`rows` newest first, the answer too."""
    import msgspec

    from batuta.core.columns import Column, described_columns
    from batuta.core.contract import changes

    found: list[dict[str, Any]] = []
    before: list[Column] = []
    for row in reversed(rows):
        columns = described_columns(msgspec.json.decode(row.metadata or b"{}"))
        if before and columns:
            for one in changes(before, columns):
                kind, text = one.kind, one.text
                told = {"column": one.column, "kind": kind, "breaking": one.breaking, "change": text}
                found.append({"at": row.at, "run": row.run_id, **told})
        before = columns or before
    return found[::-1]
