"""Accounts, their API tokens and the sessions of browsers. Every change is in the audit log of the same transaction.

Of tokens and sessions only hashes come here. Surprising: the last account that is an admin everywhere can neither be
deleted nor lose that, since nobody could put it right again over the network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from batuta.core.errors import RequestError
from batuta.store import audit
from batuta.store.database import Database, Row, Transaction
from batuta.store.rows import Audit

ANYWHERE = "*"


@dataclass(slots=True, frozen=True, kw_only=True)
class AccountRow:
    """Somebody, or something (`service`), that may use the API. `roles` by code location, `*` for all others."""

    name: str
    kind: str = "user"
    password: str = ""
    subject: str = ""
    title: str = ""
    roles: Mapping[str, str]
    disabled: bool = False
    created_at: float = 0.0
    changed_at: float = 0.0
    changed_by: str = ""

    @property
    def is_admin(self) -> bool:
        """Whether it is an admin everywhere, and can be used."""
        return not self.disabled and self.roles.get(ANYWHERE) == "admin"


@dataclass(slots=True, frozen=True, kw_only=True)
class TokenRow:
    """An API token of an account, by its hash."""

    id: int = 0
    hash: str
    account: str
    title: str
    roles: Mapping[str, str]  # at most what the account may; empty: all of that
    created_at: float
    created_by: str
    expires_at: float | None = None
    revoked_at: float | None = None
    used_at: float | None = None


@dataclass(slots=True, frozen=True, kw_only=True)
class SessionRow:
    """A browser in which somebody has logged in."""

    hash: str
    account: str
    created_at: float
    expires_at: float
    seen_at: float
    client: str = ""


class AccountBook:
    """See the module. Made by `Store.accounts`; safe to use from many threads."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database
        self.changes = 0
        """How often accounts were set by this process: what was seen before may not hold."""

    # ---- accounts ----

    def count(self) -> int:
        """How many accounts there are."""
        return int(self._database.rows("count_accounts")[0][0])

    def get(self, name: str) -> AccountRow | None:
        """The account of that name."""
        rows = self._database.rows("account", name=name)
        return _account(rows[0]) if rows else None

    def of_subject(self, subject: str) -> AccountRow | None:
        """The account of a user who logs in elsewhere."""
        rows = self._database.rows("account_of_subject", subject=subject) if subject else []
        return _account(rows[0]) if rows else None

    def all(self) -> list[AccountRow]:
        """All accounts, by name."""
        return [_account(row) for row in self._database.rows("all_accounts")]

    def put(self, row: AccountRow, *, by: str, now: float) -> bool:
        """Make an account, or change it; whether it is new. Ends its sessions where its password or roles changed.

        Raises RequestError where it would leave no admin.
        """
        with self._database.transaction() as transaction:
            rows = transaction.rows("account", name=row.name)
            known = _account(rows[0]) if rows else None
            if known is not None and known.is_admin and not row.is_admin:
                _keep_an_admin(transaction, row.name)
            created = now if known is None else known.created_at
            made = replace(row, created_at=created, changed_at=now, changed_by=by)
            transaction.put([("put_accounts", [_account_values(made)])])
            if known is not None and (known.password, known.roles, known.disabled) != (
                row.password,
                row.roles,
                row.disabled,
            ):
                transaction.run("delete_sessions_of", account=row.name)
            details = {"new": known is None, "kind": row.kind, "roles": dict(row.roles), "disabled": row.disabled}
            if known is not None and known.password != row.password:
                details["password"] = "changed"
            audit.append(transaction, [Audit(by, "set", "account", row.name, details)], now)
        self.changes += 1
        return known is None

    def delete(self, name: str, *, by: str, now: float) -> bool:
        """Delete an account with its tokens and sessions; False where there is none. Raises RequestError."""
        with self._database.transaction() as transaction:
            rows = transaction.rows("account", name=name)
            if not rows:
                return False
            if _account(rows[0]).is_admin:
                _keep_an_admin(transaction, name)
            transaction.run("delete_account", name=name)
            audit.append(transaction, [Audit(by, "delete", "account", name)], now)
        return True

    # ---- tokens ----

    def put_token(self, row: TokenRow, *, now: float) -> TokenRow:
        """Keep a token; returned with its number."""
        with self._database.transaction() as transaction:
            transaction.put([("put_api_tokens", [_token_values(row)])])
            made = _token(transaction.rows("api_token", hash=row.hash)[0])
            details = {"account": row.account, "title": row.title, "expires_at": row.expires_at}
            audit.append(transaction, [Audit(row.created_by, "create", "token", str(made.id), details)], now)
        return made

    def token(self, digest: str) -> TokenRow | None:
        """The token with this hash."""
        rows = self._database.rows("api_token", hash=digest)
        return _token(rows[0]) if rows else None

    def tokens(self, account: str | None = None) -> list[TokenRow]:
        """The tokens of an account, or all, oldest first."""
        return [_token(row) for row in self._database.rows("api_tokens_of", account=account)]

    def revoke(self, token_id: int, *, by: str, now: float) -> bool:
        """Let a token be of no more use; False where it was of none."""
        with self._database.transaction() as transaction:
            known = transaction.run("revoke_api_token", of_id=token_id, at=now) > 0
            if known:
                audit.append(transaction, [Audit(by, "revoke", "token", str(token_id))], now)
        return known

    def token_used(self, token_id: int, now: float) -> None:
        """Note when a token was used last."""
        with self._database.transaction() as transaction:
            transaction.run("touch_api_token", of_id=token_id, at=now)

    # ---- sessions ----

    def begin_session(self, row: SessionRow, *, now: float) -> None:
        """Keep a session; those that are over are forgotten."""
        with self._database.transaction() as transaction:
            transaction.run("delete_old_sessions", cutoff=now)
            transaction.put([("put_sessions", [_session_values(row)])])
            audit.append(transaction, [Audit(row.account, "log in", "account", row.account)], now)

    def session(self, digest: str) -> SessionRow | None:
        """The session with this hash."""
        rows = self._database.rows("session", hash=digest)
        if not rows:
            return None
        key, account, created_at, expires_at, seen_at, client = rows[0]
        return SessionRow(
            hash=key,
            account=account,
            created_at=created_at,
            expires_at=expires_at,
            seen_at=seen_at,
            client=client,
        )

    def session_seen(self, digest: str, now: float) -> None:
        """Note when a session was used last."""
        with self._database.transaction() as transaction:
            transaction.run("touch_session", of_hash=digest, at=now)

    def end_session(self, digest: str) -> None:
        """Log a browser out."""
        with self._database.transaction() as transaction:
            transaction.run("delete_session", hash=digest)


def _keep_an_admin(transaction: Transaction, name: str) -> None:
    others = [_account(row) for row in transaction.rows("all_accounts") if row[0] != name]
    if not any(other.is_admin for other in others):
        raise RequestError(
            f"{name!r} is the only admin", hint="make another one first: `batuta accounts add NAME --role admin`"
        )


def _account(row: Row) -> AccountRow:
    name, kind, password, subject, title, roles, disabled, created_at, changed_at, changed_by = row
    return AccountRow(
        name=name,
        kind=kind,
        password=password,
        subject=subject,
        title=title,
        roles=json.loads(roles),
        disabled=bool(disabled),
        created_at=created_at,
        changed_at=changed_at,
        changed_by=changed_by,
    )


def _account_values(row: AccountRow) -> Row:
    return (
        row.name,
        row.kind,
        row.password,
        row.subject,
        row.title,
        json.dumps(dict(row.roles)),
        row.disabled,
        row.created_at,
        row.changed_at,
        row.changed_by,
    )


def _token(row: Row) -> TokenRow:
    number, digest, account, title, roles, created_at, created_by, expires_at, revoked_at, used_at = row
    return TokenRow(
        id=number,
        hash=digest,
        account=account,
        title=title,
        roles=json.loads(roles),
        created_at=created_at,
        created_by=created_by,
        expires_at=expires_at,
        revoked_at=revoked_at,
        used_at=used_at,
    )


def _token_values(row: TokenRow) -> Row:
    return (
        row.hash,
        row.account,
        row.title,
        json.dumps(dict(row.roles)),
        row.created_at,
        row.created_by,
        row.expires_at,
        row.revoked_at,
        row.used_at,
    )


def _session_values(row: SessionRow) -> Row:
    return row.hash, row.account, row.created_at, row.expires_at, row.seen_at, row.client
