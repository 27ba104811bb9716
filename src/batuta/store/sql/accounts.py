"""The statements about accounts, API tokens and sessions."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement

from batuta.store.schema import RowId
from batuta.store.schema_accounts import accounts, api_tokens, sessions
from batuta.store.sql.build import Dialect, if_given, insert_each, p, plain

insert_each("put_accounts", accounts, replace_by=("name",))
insert_each("put_api_tokens", api_tokens)
insert_each("put_sessions", sessions)


@plain
def account(dialect: Dialect) -> ClauseElement:
    return sa.select(accounts).where(accounts.c.name == p("name"))


@plain
def account_of_subject(dialect: Dialect) -> ClauseElement:
    return sa.select(accounts).where(accounts.c.subject == p("subject"))


@plain
def all_accounts(dialect: Dialect) -> ClauseElement:
    return sa.select(accounts).order_by(accounts.c.name)


@plain
def count_accounts(dialect: Dialect) -> ClauseElement:
    return sa.select(sa.func.count()).select_from(accounts)


@plain
def delete_account(dialect: Dialect) -> ClauseElement:
    return sa.delete(accounts).where(accounts.c.name == p("name"))


@plain
def api_token(dialect: Dialect) -> ClauseElement:
    return sa.select(api_tokens).where(api_tokens.c.hash == p("hash"))


@plain
def api_tokens_of(dialect: Dialect) -> ClauseElement:
    """Of an account, or all."""
    return sa.select(api_tokens).where(if_given(api_tokens.c.account, "account")).order_by(api_tokens.c.id)


@plain
def revoke_api_token(dialect: Dialect) -> ClauseElement:
    live = sa.and_(api_tokens.c.id == p("of_id", RowId), api_tokens.c.revoked_at.is_(None))
    return sa.update(api_tokens).where(live).values(revoked_at=p("at", sa.Double))


@plain
def touch_api_token(dialect: Dialect) -> ClauseElement:
    return sa.update(api_tokens).where(api_tokens.c.id == p("of_id", RowId)).values(used_at=p("at", sa.Double))


@plain
def session(dialect: Dialect) -> ClauseElement:
    return sa.select(sessions).where(sessions.c.hash == p("hash"))


@plain
def touch_session(dialect: Dialect) -> ClauseElement:
    return sa.update(sessions).where(sessions.c.hash == p("of_hash")).values(seen_at=p("at", sa.Double))


@plain
def delete_session(dialect: Dialect) -> ClauseElement:
    return sa.delete(sessions).where(sessions.c.hash == p("hash"))


@plain
def delete_sessions_of(dialect: Dialect) -> ClauseElement:
    return sa.delete(sessions).where(sessions.c.account == p("account"))


@plain
def delete_old_sessions(dialect: Dialect) -> ClauseElement:
    return sa.delete(sessions).where(sessions.c.expires_at < p("cutoff", sa.Double))
