"""Finding out who sends a request: by an API token, by a browser's session, or because nobody has to log in here.

Without any account whoever reaches the loopback interface is this machine's user. From the first account on everybody
has to log in, and it stays so while the server runs, even if all accounts were deleted meanwhile. An account that
another process makes is noticed within a quarter of a second.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Protocol

from batuta.core.errors import RequestError
from batuta.server.access import ANYWHERE, NO_ROLE, ROLES, Principal, local_principal
from batuta.server.passwords import Tries, fits
from batuta.server.problems import Refused
from batuta.store.accounts import AccountRow, SessionRow, TokenRow
from batuta.store.store import Store

COOKIE = "batuta_session"
TOKEN_PREFIX = "bat_"
SESSION_S = 12 * 3600.0
NOTED_S = 60.0
"""How exactly it is noted when a token or session was used last."""
LOOK_S = 0.25
"""For how long it is taken for true that there is no account."""
CLIENT_CHARS = 200


class Authenticator(Protocol):
    """Finds out who sends a request."""

    def authenticate(self, headers: Mapping[str, str], client: str = "") -> Principal | None:
        """Who it is; None where the request does not say. Raises Refused for what is wrong or over.

        `client`: the address that it comes from.
        """


class OpenToLocal:
    """Nobody has to log in: whoever reaches the loopback interface is this machine's user."""

    def __init__(self, name: str) -> None:
        self._principal = local_principal(name)

    def authenticate(self, headers: Mapping[str, str], client: str = "") -> Principal | None:
        """See the port."""
        return self._principal


class Accounts:
    """See the module. `local`: this machine's user, where nobody has to log in yet; None: one always has to."""

    def __init__(self, store: Store, clock: Callable[[], float], *, local: str | None = None) -> None:
        self.tries = Tries(clock)
        self._store = store
        self._clock = clock
        self._local = None if local is None else local_principal(local)
        self._looked = (-math.inf, 0)

    # ---- who it is ----

    def at_once(self, headers: Mapping[str, str]) -> Principal | None:
        """Who it is, where that can be said without the store: nobody logs in here, as of a moment ago."""
        if "authorization" in headers or "cookie" in headers:
            return None
        seen_at, changes = self._looked
        return self._local if changes == self._store.accounts.changes and time.monotonic() < seen_at + LOOK_S else None

    def authenticate(self, headers: Mapping[str, str], client: str = "") -> Principal | None:
        """See the port."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._of_token(value.strip())
        if scheme:
            raise _unauthenticated("log in, or send an API token as `Authorization: Bearer ...`")
        session = cookie_of(headers)
        who = self._of_session(session) if session else None
        return who if who is not None else self._of_nobody()

    def _of_nobody(self) -> Principal | None:
        if self._local is not None:
            looked = time.monotonic(), self._store.accounts.changes
            if self._store.accounts.count():
                self._local = None
            self._looked = looked
        return self._local

    @property
    def is_open(self) -> bool:
        """Whether nobody has to log in."""
        return self._of_nobody() is not None

    def _of_token(self, token: str) -> Principal:
        row = self._store.accounts.token(digest(token)) if token.startswith(TOKEN_PREFIX) else None
        now = self._clock()
        if row is None or row.revoked_at is not None:
            raise _unauthenticated("the API token is none, or was revoked")
        if row.expires_at is not None and row.expires_at <= now:
            raise _unauthenticated("the API token has expired")
        account = self._store.accounts.get(row.account)
        if account is None or account.disabled:
            raise _unauthenticated("the account of the API token cannot be used")
        if row.used_at is None or row.used_at < now - NOTED_S:
            self._store.accounts.token_used(row.id, now)
        return Principal(name=account.name, roles=both_roles(account.roles, row.roles), method="token", token=row.id)

    def _of_session(self, session: str) -> Principal | None:
        row = self._store.accounts.session(digest(session))
        now = self._clock()
        if row is None or row.expires_at <= now:
            return None
        account = self._store.accounts.get(row.account)
        if account is None or account.disabled:
            return None
        if row.seen_at < now - NOTED_S:
            self._store.accounts.session_seen(row.hash, now)
        return Principal(name=account.name, roles=dict(account.roles), method="session")

    def is_disabled(self, name: str) -> bool:
        """Whether there is an account of that name, and it cannot be used."""
        account = self._store.accounts.get(name)
        return account is not None and account.disabled

    # ---- logging in and out ----

    def log_in(self, name: str, password: str, address: str, client: str) -> tuple[AccountRow, str]:
        """The account, and the session to be kept in a cookie. Raises Refused: 401, or 429 after too many tries."""
        counted = (f"account {name}", f"address {address}")
        self.tries.check(*counted)
        account = self._store.accounts.get(name)
        usable = account is not None and not account.disabled and account.kind == "user"
        kept = account.password if account is not None and usable else ""
        if not fits(password, kept) or account is None:
            self.tries.failed(*counted)
            raise _unauthenticated("the name or the password is wrong")
        self.tries.succeeded(*counted)
        return account, self.begin_session(account.name, client)

    def begin_session(self, account: str, client: str) -> str:
        """A new session of an account."""
        session = secrets.token_urlsafe(32)
        now = self._clock()
        row = SessionRow(
            hash=digest(session),
            account=account,
            created_at=now,
            expires_at=now + SESSION_S,
            seen_at=now,
            client=client[:CLIENT_CHARS],
        )
        self._store.accounts.begin_session(row, now=now)
        return session

    def log_out(self, headers: Mapping[str, str]) -> None:
        """End the session that the request came with, if any."""
        session = cookie_of(headers)
        if session:
            self._store.accounts.end_session(digest(session))

    # ---- tokens ----

    def make_token(
        self, account: AccountRow, title: str, roles: Mapping[str, str], lasts_s: float | None, by: str
    ) -> tuple[TokenRow, str]:
        """A new token of an account; its text is given this once. Raises RequestError for roles that there are not."""
        check_roles(roles)
        text = TOKEN_PREFIX + secrets.token_urlsafe(32)
        now = self._clock()
        row = TokenRow(
            hash=digest(text),
            account=account.name,
            title=title,
            roles=dict(roles),
            created_at=now,
            created_by=by,
            expires_at=None if lasts_s is None else now + lasts_s,
        )
        return self._store.accounts.put_token(row, now=now), text


def digest(secret: str) -> str:
    """What is kept of a token or session: they have 256 random bits, so that a plain hash will do."""
    return hashlib.sha256(secret.encode()).hexdigest()


def cookie_of(headers: Mapping[str, str]) -> str:
    """The session that a browser sends."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def check_roles(roles: Mapping[str, str]) -> None:
    """Raise RequestError for a role that there is not."""
    for location, role in roles.items():
        if role not in (*ROLES, NO_ROLE):
            hint = f"roles are {', '.join((*ROLES, NO_ROLE))}"
            raise RequestError(f"there is no role {role!r}", where=f"location {location}", hint=hint)


def both_roles(account: Mapping[str, str], token: Mapping[str, str]) -> dict[str, str]:
    """What a token may: at each location the lesser of the account's role and its own; without its own, all of it."""
    if not token:
        return dict(account)
    found: dict[str, str] = {}
    for location in {*account, *token}:
        own = account.get(location) or account.get(ANYWHERE)
        asked = token.get(location) or token.get(ANYWHERE)
        if own in ROLES and asked in ROLES:
            found[location] = ROLES[min(ROLES.index(own), ROLES.index(asked))]
        else:
            found[location] = NO_ROLE
    return found


def _unauthenticated(what: str) -> Refused:
    return Refused("unauthenticated", 401, what, headers={"WWW-Authenticate": "Bearer"})
