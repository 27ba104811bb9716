"""`batuta secrets`: what nobody should read. Values come from a prompt, a file or standard input; none is shown."""

from __future__ import annotations

import time

import click

from batuta.cli.formats import ago, iso, plural
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, print_text, table

SECRETS = {
    "set": Lazy("secrets:set_secret", "Set a secret in the store, encrypted."),
    "list": Lazy("secrets:list_secrets", "List the names of secrets and where they are."),
    "delete": Lazy("secrets:delete_secret", "Delete a secret from the store."),
    "rotate": Lazy("secrets:rotate", "Encrypt everything in the store with a new key."),
    "new-key": Lazy("secrets:print_new_key", "Print a new key."),
}


@click.group(cls=LazyGroup, lazy=SECRETS)
def secrets() -> None:
    """Keep passwords, tokens and keys, encrypted at rest."""


@click.command("set")
@click.argument("name", metavar="NAME")
@click.option("--from-file", metavar="FILE", help="Read the value from a file, instead of a prompt or standard input.")
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@output_options
def set_secret(name: str, from_file: str | None, description: str, out: Output) -> None:
    """Set a secret in the store, encrypted.

    The value is asked for without being shown, or read from standard input: never given on the command line, where
    others could see it.

    \b
    Examples:
      batuta secrets set api-token
      batuta secrets set api-token < token.txt
      batuta secrets set tls-key --from-file key.pem
    """
    from batuta.cli.vault import open_vault, read_hidden
    from batuta.core.connections import checked_name
    from batuta.runtime.masking import SECRET_CHARS_MIN
    from batuta.runtime.people import person

    checked_name(name, "secret")
    value = read_hidden("secret", from_file, otherwise=", or by --from-file")
    with open_vault() as vault:
        new = vault.put_secret(name, value, by=person(), now=time.time(), description=description)
    out.document({"name": name, "new": new})
    out.say(f"secret {name} is {'set' if new else 'changed'}")
    if len(value) < SECRET_CHARS_MIN:
        out.warn(f"warning: it has fewer than {SECRET_CHARS_MIN} characters, so it is not masked in logs")


@click.command("list")
@output_options
def list_secrets(out: Output) -> None:
    """List the names of secrets and where they are.

    \b
    Examples:
      batuta secrets list
    """
    from batuta.cli.vault import elsewhere, vault_if_any

    with vault_if_any() as vault:
        kept = [] if vault is None else vault.variables(secret=True)
    others = elsewhere("secret", {row.name for row in kept})
    over = {name for name, _ in others}
    now = time.time()
    data, rows = [], []
    for row in kept:
        if row.name in over:
            continue
        changed = {"changed_at": iso(row.changed_at), "changed_by": row.changed_by}
        data.append({"name": row.name, "backend": "store", "description": row.description, **changed})
        when = f"{ago(row.changed_at, now)} by {row.changed_by}"
        rows.append((Cell(row.name, bold=True), "store", when, row.description))
    for name, backend in others:
        data.append({"name": name, "backend": backend})
        rows.append((Cell(name, bold=True), backend, "", ""))
    out.document({"secrets": data})
    if rows:
        out.say(table(("NAME", "FROM", "CHANGED", ""), rows))
    else:
        out.note("there are no secrets")


@click.command("delete")
@click.argument("name", metavar="NAME")
@output_options
def delete_secret(name: str, out: Output) -> None:
    """Delete a secret from the store.

    \b
    Examples:
      batuta secrets delete api-token
    """
    from batuta.cli.vault import delete

    delete("secret", name, out)


@click.command()
@output_options
def rotate(out: Output) -> None:
    """Encrypt everything in the store with a new key.

    Where the key is in a file, a new one is made, and the old one is removed once all is done. Where it is given by the
    environment or a command, give the new one before the old one (`new,old`), rotate, and take the old one away.

    \b
    Examples:
      batuta secrets rotate
      BATUTA_SECRET_KEY="$NEW,$OLD" batuta secrets rotate
    """
    from batuta.cli.vault import open_vault
    from batuta.runtime.people import person

    with open_vault() as vault:
        count, named = vault.rotate(by=person())
        where = vault.keys.where
        is_file = vault.keys.is_file
    out.document({"texts": count, "key": named, "where": where})
    out.say(f"{plural(count, 'text')} encrypted with key {named} of {where}")
    if not is_file:
        out.note("  the other keys are not needed any more: take them away")


@click.command("new-key")
@output_options
def print_new_key(out: Output) -> None:
    """Print a new key.

    For the environment variable BATUTA_SECRET_KEY, a key file, or whatever the key's command reads from.

    \b
    Examples:
      batuta secrets new-key
    """
    from batuta.store.encryption import new_key

    key = new_key()
    out.document({"key": key})
    if not out.json:
        print_text(key)
