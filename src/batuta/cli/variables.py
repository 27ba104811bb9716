"""`batuta variables`: settings kept outside of the code."""

from __future__ import annotations

import sys
import time

import click

from batuta.cli.formats import ago, iso
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, print_text, table

VARIABLES = {
    "set": Lazy("variables:set_variable", "Set a variable in the store."),
    "get": Lazy("variables:get_variable", "Print the value of a variable."),
    "list": Lazy("variables:list_variables", "List variables and where they are."),
    "delete": Lazy("variables:delete_variable", "Delete a variable from the store."),
}
VALUE_CHARS_SHOWN = 60


@click.group(cls=LazyGroup, lazy=VARIABLES)
def variables() -> None:
    """Set, read and delete settings kept outside of the code."""


@click.command("set")
@click.argument("name", metavar="NAME")
@click.argument("value", metavar="[VALUE]", required=False)
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@output_options
def set_variable(name: str, value: str | None, description: str, out: Output) -> None:
    """Set a variable in the store.

    VALUE is JSON, or text where it is none; without it, it is read from standard input. For what nobody should read
    there is `batuta secrets set`.

    \b
    Examples:
      batuta variables set limit 100
      batuta variables set regions '["eu", "us"]'
      cat settings.json | batuta variables set settings
    """
    from batuta.cli.vault import open_vault
    from batuta.core.connections import checked_name, sounds_secret
    from batuta.runtime.lookups import variable_value
    from batuta.runtime.people import person

    checked_name(name, "variable")
    text = value if value is not None else sys.stdin.read().removesuffix("\n")
    found = variable_value(text)
    with open_vault() as vault:
        new = vault.put_variable(name, _json(found), by=person(), now=time.time(), description=description)
    out.document({"name": name, "value": found, "new": new})
    out.say(f"variable {name} is {'set' if new else 'changed'}")
    if sounds_secret(name):
        out.note(f"  variables are not encrypted; `batuta secrets set {name}` is for what nobody should read")


@click.command("get")
@click.argument("name", metavar="NAME")
@output_options
def get_variable(name: str, out: Output) -> None:
    """Print the value of a variable.

    As a step would get it: from the environment, a file, a plugin's backend, or the store. Text as it is, all else as
    JSON.

    \b
    Examples:
      batuta variables get limit
    """
    from batuta.cli.vault import lookups_here
    from batuta.runtime.lookups import variable_value

    text, backend = lookups_here().find("variable", name)
    found = variable_value(text)
    out.document({"name": name, "value": found, "backend": backend})
    if not out.json:
        print_text(found if isinstance(found, str) else _json(found))


@click.command("list")
@output_options
def list_variables(out: Output) -> None:
    """List variables and where they are.

    \b
    Examples:
      batuta variables list
      batuta variables list --json | jq '.variables[].name'
    """
    from batuta.cli.vault import elsewhere, vault_if_any
    from batuta.core.connections import HIDDEN, sounds_secret
    from batuta.runtime.lookups import variable_value

    with vault_if_any() as vault:
        kept = [] if vault is None else vault.variables(secret=False)
    others = elsewhere("variable", {row.name for row in kept})
    over = {name for name, _ in others}
    now = time.time()
    data, rows = [], []
    for row in kept:
        if row.name in over:
            continue
        shown = HIDDEN if sounds_secret(row.name) else row.value
        value = HIDDEN if sounds_secret(row.name) else variable_value(row.value)
        changed = {"changed_at": iso(row.changed_at), "changed_by": row.changed_by}
        data.append({"name": row.name, "value": value, "backend": "store", "description": row.description, **changed})
        when = f"{ago(row.changed_at, now)} by {row.changed_by}"
        rows.append((Cell(row.name, bold=True), _cut(shown), "store", when, row.description))
    for name, backend in others:
        data.append({"name": name, "backend": backend})
        rows.append((Cell(name, bold=True), "", backend, "", ""))
    out.document({"variables": data})
    if rows:
        out.say(table(("NAME", "VALUE", "FROM", "CHANGED", ""), rows))
    else:
        out.note("there are no variables")


@click.command("delete")
@click.argument("name", metavar="NAME")
@output_options
def delete_variable(name: str, out: Output) -> None:
    """Delete a variable from the store.

    \b
    Examples:
      batuta variables delete limit
    """
    from batuta.cli.vault import delete

    delete("variable", name, out)


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_CHARS_SHOWN else f"{text[: VALUE_CHARS_SHOWN - 1]}…"
