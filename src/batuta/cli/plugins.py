"""`batuta plugins`: what installed packages add."""

from __future__ import annotations

import click

from batuta.cli import exits
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table

PLUGINS = {"list": Lazy("plugins:list_plugins", "List plugins and the packages that they are from.")}


@click.group(cls=LazyGroup, lazy=PLUGINS)
def plugins() -> None:
    """Look at what installed packages add."""


@click.command("list")
@click.option("--check", is_flag=True, help="Import each one, and exit with 1 where one is broken.")
@output_options
def list_plugins(check: bool, out: Output) -> int:
    """List plugins and the packages that they are from.

    \b
    Examples:
      batuta plugins list
      batuta plugins list --check
    """
    from batuta import plugins
    from batuta.core.errors import BatutaError

    data, rows, broken = [], [], 0
    for plugin in plugins.plugins():
        told = ""
        if check:
            try:
                plugin.load()
            except BatutaError as error:
                told = error.what
                broken += 1
        data.append({**plugin._asdict(), **({"error": told} if check else {})})
        state = Cell(told, "red") if told else Cell("ok", "green") if check else Cell("")
        package = f"{plugin.package} {plugin.version}"
        rows.append((Cell(plugin.name, bold=True), plugin.group, package, plugin.target, state))
    out.document({"plugins": data})
    if rows:
        out.say(table(("NAME", "GROUP", "PACKAGE", "FROM", ""), rows))
    else:
        out.note("no installed package has a plugin")
    return exits.FAILED if broken else exits.OK
