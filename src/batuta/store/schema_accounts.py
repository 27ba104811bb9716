"""The tables of who may do what over the network: accounts, their API tokens, and the sessions of browsers.

Part of the one description of the schema, see `schema`. Of tokens and sessions only a hash is kept: whoever reads the
database cannot use them.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, Text

from batuta.store.schema import Json, id_column, metadata, text_column, time_column

accounts = sa.Table(
    "accounts",
    metadata,
    Column("name", Text, primary_key=True),
    text_column("kind"),  # user, or service: one that has tokens alone
    text_column("password"),  # an argon2 hash; empty where nobody can log in with one
    text_column("subject"),  # `issuer|subject` of a user who logs in elsewhere
    text_column("title"),
    Column("roles", Json, nullable=False),  # role by code location; `*` for all others
    Column("disabled", Boolean, nullable=False),
    time_column("created_at"),
    time_column("changed_at"),
    text_column("changed_by"),
    Index(None, "subject"),
)

api_tokens = sa.Table(
    "api_tokens",
    metadata,
    id_column(),
    Column("hash", Text, nullable=False),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    text_column("title"),
    Column("roles", Json, nullable=False),  # at most what the account may
    time_column("created_at"),
    text_column("created_by"),
    time_column("expires_at", nullable=True),
    time_column("revoked_at", nullable=True),
    time_column("used_at", nullable=True),
    Index(None, "account"),
    sa.UniqueConstraint("hash"),
    sqlite_autoincrement=True,
)

sessions = sa.Table(
    "sessions",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    time_column("created_at"),
    time_column("expires_at"),
    time_column("seen_at"),
    text_column("client"),  # the browser as it calls itself, for the list of sessions
    Index(None, "account"),
    Index(None, "expires_at"),
)
