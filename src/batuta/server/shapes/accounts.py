"""Accounts, tokens and logging in, as the API takes and gives them. No hash and no secret is ever given."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Literal

import msgspec

from batuta.server.shapes.base import Given, Shape, doc

RoleName = Literal["viewer", "operator", "editor", "admin", "none"]
Roles = dict[str, RoleName]
AccountKind = Literal["user", "service"]


class Me(Shape):
    """Who is asking, and how one can log in."""

    name: A[str, doc("The account's name; empty where nobody is logged in.", "ada")]
    method: A[
        Literal["local", "session", "token", "backend", "none"],
        doc(
            "How we know: there are no accounts here (local), a browser's session, an API token, an authentication "
            "backend, or not at all."
        ),
    ]
    roles: A[dict[str, str], doc("Roles by code location, `*` for all others.", {"*": "operator"})]
    login: A[list[str], doc("How one can log in: `password`, `oidc`.", ["password"])]


class Login(Given):
    """A name and its password."""

    name: A[str, doc("The account's name.", "ada", min_length=1, max_length=200)]
    password: A[str, doc("Its password.", min_length=1, max_length=1000)]


class NewPassword(Given):
    """A password that is to be changed."""

    old: A[str, doc("The password so far.", max_length=1000)]
    new: A[str, doc("The password from now on: 10 characters or more.", min_length=10, max_length=1000)]


class Account(Shape):
    """Somebody, or something, that may use the API."""

    name: A[str, doc("Its name.", "ada")]
    kind: A[AccountKind, doc("A user, or a service: one that has tokens alone.")]
    title: A[str, doc("Who or what it is.", "Ada Lovelace")]
    roles: A[dict[str, str], doc("Roles by code location, `*` for all others.", {"*": "operator"})]
    disabled: A[bool, doc("Whether it cannot be used for now.")]
    elsewhere: A[bool, doc("Whether it logs in elsewhere (OIDC).")]
    created_at: A[datetime, doc("When it was made.")]
    changed_at: A[datetime, doc("When it was changed last.")]
    changed_by: A[str, doc("By whom.", "ada")]


class AccountPage(Shape):
    """A page of accounts."""

    items: A[list[Account], doc("The accounts of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class AccountGiven(Given):
    """An account as it is to be."""

    kind: A[AccountKind, doc("A user, or a service: one that has tokens alone.")] = "user"
    title: A[str, doc("Who or what it is.", max_length=200)] = ""
    roles: A[Roles, doc("Roles by code location, `*` for all others.", {"*": "viewer"})] = msgspec.field(
        default_factory=dict
    )
    password: A[
        A[str, msgspec.Meta(min_length=10, max_length=1000)] | None,
        doc("The password: 10 characters or more; null: as it is."),
    ] = None
    disabled: A[bool, doc("Whether it cannot be used for now.")] = False


class Token(Shape):
    """An API token, without its text."""

    id: A[int, doc("Its number.", 3)]
    account: A[str, doc("The account that it is of.", "deploy")]
    title: A[str, doc("What it is for.", "CI")]
    roles: A[dict[str, str], doc("At most these roles; empty: all that the account may.", {"shop": "operator"})]
    created_at: A[datetime, doc("When it was made.")]
    created_by: A[str, doc("By whom.", "ada")]
    expires_at: A[datetime | None, doc("When it expires; null: never.")]
    revoked_at: A[datetime | None, doc("When it was revoked.")]
    used_at: A[datetime | None, doc("When it was used last, to the minute.")]


class TokenPage(Shape):
    """A page of tokens."""

    items: A[list[Token], doc("The tokens of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class TokenAsked(Given):
    """A token that is to be made."""

    title: A[str, doc("What it is for.", "CI", min_length=1, max_length=200)]
    account: A[str, doc("Of which account; empty: of whoever asks. Of others only admins.", max_length=200)] = ""
    roles: A[Roles, doc("At most these roles; empty: all that the account may.", {"shop": "operator"})] = msgspec.field(
        default_factory=dict
    )
    days: A[A[int, msgspec.Meta(ge=1, le=3650)] | None, doc("After so many days it expires; null: never.", 90)] = 90


class TokenMade(Shape):
    """A new token, with its text: given this once, and never again."""

    token: A[Token, doc("The token.")]
    text: A[str, doc("What to send as `Authorization: Bearer ...`.")]
