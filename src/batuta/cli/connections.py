"""`batuta connections`: how systems are reached. Passwords are read without being shown, and never printed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.formats import ago, iso
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.core.connections import HIDDEN, Connection, checked_name, sounds_secret
from batuta.core.errors import ParameterError

if TYPE_CHECKING:
    from batuta.runtime.lookups import Lookups

CONNECTIONS = {
    "add": Lazy("connections:add", "Add a connection to the store, encrypted, or change one."),
    "list": Lazy("connections:list_connections", "List connections and where they are."),
    "show": Lazy("connections:show", "Show a connection without what is secret."),
    "test": Lazy("connections:test", "Connect, to see whether it works."),
    "delete": Lazy("connections:delete_connection", "Delete a connection from the store."),
}


@click.group(cls=LazyGroup, lazy=CONNECTIONS)
def connections() -> None:
    """Keep how systems are reached, and try it."""


@click.command()
@click.argument("name", metavar="NAME")
@click.argument("words", nargs=-1, metavar="")
@click.option("--url", metavar="URL", help="kind://user@host:port/database?option=value, without a password.")
@click.option("--kind", metavar="KIND", help="postgresql, duckdb, sqlite, http, https, s3, smtp, ...")
@click.option("--host", metavar="HOST", help="The server; of S3 the bucket.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="PORT", help="Where it listens, if not as usual.")
@click.option("--user", metavar="USER", help="Who logs in; of S3 the access key.")
@click.option("--database", metavar="NAME", help="The database, the path of a file, or the path below the host.")
@click.option(
    "--extra", "extras", multiple=True, metavar="KEY=VALUE", help="An option, as JSON or text; may be repeated."
)
@click.option("--password", is_flag=True, help="Ask for a password (or read it from standard input).")
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@output_options
def add(
    name: str,
    words: tuple[str, ...],
    url: str | None,
    extras: tuple[str, ...],
    password: bool,
    description: str,
    out: Output,
    **fields: Any,
) -> None:
    """Add a connection to the store, encrypted, or change one.

    With options it is made from these. Without any, a whole URL or a JSON object is asked for, or read from standard
    input: then it may have a password.

    \b
    Examples:
      batuta connections add warehouse --url postgresql://etl@db/shop --password
      batuta connections add api --kind https --host api.example.com --user bot --password < password.txt
      echo "$WAREHOUSE_URL" | batuta connections add warehouse
    """
    from batuta.cli.vault import open_vault, read_hidden
    from batuta.runtime.people import person

    checked_name(name, "connection")
    if words:  # it is not repeated: it may have a password
        hint = "write --url URL, without a password; with one, give the URL at the prompt or on standard input"
        raise ParameterError("a connection's URL is not given as a word of its own", where=name, hint=hint)
    given = {key: value for key, value in fields.items() if value is not None}
    if url is not None or given or extras:
        made = Connection.from_fields(_visible(name, url, given, extras), name=name)
        if password:
            made = Connection.from_fields({**_fields(made), "password": read_hidden("password")}, name=name)
    else:
        text = read_hidden("connection as a URL", otherwise=", or by --url (without a password), or --kind and --host")
        made = Connection.from_text(text, name=name)
    with open_vault() as vault:
        new = vault.put_connection(
            name,
            made.kind,
            _json(_fields(made)),
            by=person(),
            now=time.time(),
            description=description,
            shown=made.shown,
        )
    out.document({"name": name, "url": made.shown, "new": new})
    out.say(f"connection {name} is {'added' if new else 'changed'}: {made.shown}")


@click.command("list")
@output_options
def list_connections(out: Output) -> None:
    """List connections and where they are.

    \b
    Examples:
      batuta connections list
    """
    from batuta.cli.vault import elsewhere, vault_if_any

    with vault_if_any() as vault:
        kept = [] if vault is None else vault.connections()
    others = elsewhere("connection", {row.name for row in kept})
    over = {name for name, _ in others}
    now = time.time()
    data, rows = [], []
    for row in kept:
        if row.name in over:
            continue
        changed = {"changed_at": iso(row.changed_at), "changed_by": row.changed_by}
        details = {"kind": row.kind, "backend": "store", "description": row.description}
        data.append({"name": row.name, **details, **changed})
        when = f"{ago(row.changed_at, now)} by {row.changed_by}"
        rows.append((Cell(row.name, bold=True), row.kind, "store", when, row.description))
    for name, backend in others:
        data.append({"name": name, "backend": backend})
        rows.append((Cell(name, bold=True), "", backend, "", ""))
    out.document({"connections": data})
    if rows:
        out.say(table(("NAME", "KIND", "FROM", "CHANGED", ""), rows))
    else:
        out.note("there are no connections")


@click.command()
@click.argument("name", metavar="NAME")
@output_options
def show(name: str, out: Output) -> None:
    """Show a connection without what is secret.

    As a step would get it, from wherever it is.

    \b
    Examples:
      batuta connections show warehouse
    """
    from batuta.cli.show import pairs
    from batuta.cli.vault import lookups_here

    found, backend = _found(lookups_here(), name)
    fields = {**_fields(found), "url": found.shown, "extra": found.shown_extra}
    if found.password:
        fields["password"] = HIDDEN
    out.document({"name": name, **fields, "backend": backend})
    extra = ", ".join(f"{key}={value}" for key, value in fields.pop("extra").items())
    out.say(click.style(name, bold=True))
    pairs(out, [(key, str(value or "")) for key, value in fields.items()] + [("extra", extra), ("from", backend)])


@click.command()
@click.argument("name", metavar="NAME")
@output_options
def test(name: str, out: Output) -> None:
    """Connect, to see whether it works.

    Logs in and changes nothing. Exits with 1 where nothing answers, with 2 where the log-in is refused.

    \b
    Examples:
      batuta connections test warehouse
    """
    from batuta.authoring.operators.try_connection import try_connection
    from batuta.cli.vault import lookups_here
    from batuta.core.errors import BatutaError
    from batuta.runtime.masking import mask

    found, backend = _found(lookups_here(), name)
    try:
        told = try_connection(found)
    except BatutaError as error:
        error.what = mask(error.what)  # of a driver, which may repeat what it was given
        raise
    out.document({"name": name, "ok": True, "told": mask(told), "backend": backend})
    out.say(f"{click.style('✓', fg='green')} {name}: {mask(told)}")


@click.command("delete")
@click.argument("name", metavar="NAME")
@output_options
def delete_connection(name: str, out: Output) -> None:
    """Delete a connection from the store.

    \b
    Examples:
      batuta connections delete warehouse
    """
    from batuta.cli.vault import delete

    delete("connection", name, out)


def _found(lookups: Lookups, name: str) -> tuple[Connection, str]:
    text, backend = lookups.find("connection", name)
    return Connection.from_text(text, name=name), backend


def _visible(name: str, url: str | None, given: Mapping[str, Any], extras: tuple[str, ...]) -> dict[str, Any]:
    """The fields that stand on the command line. Raises ParameterError for a secret among them."""
    from batuta.cli.targets import parse_pairs
    from batuta.runtime.lookups import variable_value

    extra = {key: variable_value(text) for key, text in parse_pairs(extras, "--extra").items()}
    fields: dict[str, Any] = {**given, "extra": extra}
    if url is not None:
        fields["url"] = url
    made = Connection.from_fields(fields, name=name)
    if made.password or any(map(sounds_secret, made.extra)):
        raise ParameterError(
            "a secret on the command line can be seen by others",
            where=f"connection {name!r}",
            hint=f"use --password, or give the whole URL on standard input: batuta connections add {name} < FILE",
        )
    return fields


def _fields(connection: Connection) -> dict[str, Any]:
    return {key: value for key in connection.__struct_fields__ if key != "name" and (value := getattr(connection, key))}


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
