"""`batuta accounts`: who may use the API, made where nobody can yet log in. Passwords are read without being shown."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from batuta.cli.formats import iso, when
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.store.accounts import AccountBook, AccountRow

ACCOUNTS = {
    "add": Lazy("accounts:add", "Make an account, or change one."),
    "list": Lazy("accounts:list_accounts", "List accounts and what they may."),
    "delete": Lazy("accounts:delete_account", "Delete an account with its tokens."),
    "token": Lazy("accounts:token", "Make an API token, shown this once."),
}
ROLES = ("viewer", "operator", "editor", "admin", "none")
DAY_S = 86_400.0


@click.group(cls=LazyGroup, lazy=ACCOUNTS)
def accounts() -> None:
    """Say who may use the API and the UI."""


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--role", type=click.Choice(ROLES), help="What they may, everywhere that --at says nothing about.")
@click.option("--at", "places", multiple=True, metavar="LOCATION=ROLE", help="What they may there; may be repeated.")
@click.option("--service", is_flag=True, help="A service: it has tokens, and no password.")
@click.option("--title", default="", metavar="TEXT", help="Who or what it is.")
@click.option("--disable/--enable", "disabled", default=None, help="Let it be of no use for now, or of use again.")
@click.option("--password", is_flag=True, help="Ask for a new password (or read it from standard input).")
@output_options
def add(
    name: str,
    role: str | None,
    places: tuple[str, ...],
    service: bool,
    title: str,
    disabled: bool | None,
    password: bool,
    out: Output,
) -> None:
    """Make an account, or change one.

    Of a new user the password is asked for. From the first account on everybody has to log in; the first has to be an
    admin. Roles build on each other: viewer, operator (launches), editor (pools, variables, secrets), admin.

    \b
    Examples:
      batuta accounts add ada --role admin
      batuta accounts add bob --role viewer --at shop=operator
      batuta accounts add deploy --service --role operator
      batuta accounts add bob --disable
    """
    from batuta.cli.targets import parse_pairs
    from batuta.core.connections import checked_name
    from batuta.runtime.people import person
    from batuta.server.accounts import check_roles

    checked_name(name, "account")
    given = {**({"*": role} if role is not None else {}), **parse_pairs(places, "--at")}
    check_roles(given)
    with _book() as book:
        known = book.get(name)
        row = _row(name, known, given, service=service, title=title, disabled=disabled)
        if not book.count() and not row.is_admin:
            hint = "give it --role admin: nobody else could make the next one over the network"
            raise RequestError("the first account has to be an admin", hint=hint)
        if row.kind == "user" and (password or not (row.password or row.subject)):
            row = _with_password(row)
        new = book.put(row, by=person(), now=time.time())
    out.document({"name": name, "kind": row.kind, "roles": dict(row.roles), "disabled": row.disabled, "new": new})
    out.say(f"{row.kind} {name} is {'added' if new else 'changed'}: {_told(row)}")


@click.command("list")
@output_options
def list_accounts(out: Output) -> None:
    """List accounts and what they may.

    \b
    Examples:
      batuta accounts list
    """
    with _book() as book:
        rows = book.all()
    fields = [
        {
            "name": row.name,
            "kind": row.kind,
            "title": row.title,
            "roles": dict(row.roles),
            "disabled": row.disabled,
            "changed_at": iso(row.changed_at),
            "changed_by": row.changed_by,
        }
        for row in rows
    ]
    out.document({"accounts": fields})
    if not rows:
        out.note("there are no accounts: on this machine everybody may do everything, elsewhere nobody anything")
        return
    now = time.time()
    cells = [(Cell(row.name, bold=True), row.kind, _told(row), when(row.changed_at, now), row.title) for row in rows]
    out.say(table(("NAME", "KIND", "ROLES", "CHANGED", ""), cells))


@click.command("delete")
@click.argument("name", metavar="NAME")
@output_options
def delete_account(name: str, out: Output) -> None:
    """Delete an account with its tokens.

    What it did stays in the audit log. The only admin cannot be deleted.

    \b
    Examples:
      batuta accounts delete bob
    """
    from batuta.core.errors import nearest
    from batuta.runtime.people import person

    with _book() as book:
        if not book.delete(name, by=person(), now=time.time()):
            hint = nearest(name, [row.name for row in book.all()]) or "`batuta accounts list` shows them"
            raise RequestError(f"there is no account {name!r}", hint=hint)
    out.document({"name": name, "deleted": True})
    out.say(f"account {name} is deleted")


@click.command()
@click.argument("name", metavar="NAME")
@click.option("--title", default="command line", metavar="TEXT", help="What it is for.")
@click.option("--at", "places", multiple=True, metavar="LOCATION=ROLE", help="At most this there; may be repeated.")
@click.option("--days", type=click.IntRange(1, 3650), default=90, show_default=True, help="After so many it expires.")
@output_options
def token(name: str, title: str, places: tuple[str, ...], days: int, out: Output) -> None:
    """Make an API token, shown this once.

    It may what its account may, or less. `DELETE /api/v1/tokens/ID` revokes it.

    \b
    Examples:
      batuta accounts token deploy --title CI
      batuta accounts token deploy --at shop=operator --days 7
    """
    from batuta.cli.targets import open_store, parse_pairs
    from batuta.core.errors import nearest
    from batuta.runtime.people import person
    from batuta.server.accounts import Accounts

    roles = parse_pairs(places, "--at")
    with open_store(must_exist=False) as store:
        account = store.accounts.get(name)
        if account is None:
            hint = nearest(name, [row.name for row in store.accounts.all()]) or "`batuta accounts add` makes one"
            raise RequestError(f"there is no account {name!r}", hint=hint)
        row, text = Accounts(store, time.time).make_token(account, title, roles, days * DAY_S, person())
    out.document({"id": row.id, "account": name, "token": text, "expires_at": iso(row.expires_at)})
    out.say(text)
    out.note(f"it is shown this once, and expires in {days} days")


@contextlib.contextmanager
def _book() -> Iterator[AccountBook]:
    from batuta.cli.targets import open_store

    with open_store(must_exist=False) as store:
        yield store.accounts


def _row(
    name: str,
    known: AccountRow | None,
    roles: dict[str, str],
    *,
    service: bool,
    title: str,
    disabled: bool | None,
) -> AccountRow:
    """The account as it is to be: what is not said stays as it was."""
    from dataclasses import replace

    from batuta.store.accounts import AccountRow

    if known is None:
        kind = "service" if service else "user"
        return AccountRow(name=name, kind=kind, title=title, roles=roles or {"*": "viewer"}, disabled=bool(disabled))
    return replace(
        known,
        roles={**known.roles, **roles},
        title=title or known.title,
        disabled=known.disabled if disabled is None else disabled,
    )


def _with_password(row: AccountRow) -> AccountRow:
    from dataclasses import replace

    from batuta.cli.vault import read_hidden
    from batuta.server.passwords import hashed

    return replace(row, password=hashed(read_hidden("password")))


def _told(row: AccountRow) -> str:
    roles = ", ".join(f"{role}{'' if place == '*' else f' at {place}'}" for place, role in row.roles.items())
    return f"{roles}{' (disabled)' if row.disabled else ''}"
