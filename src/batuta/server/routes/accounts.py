"""`/login`, `/me`, `/tokens` and `/accounts`: who may do what."""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated as A
from typing import Any, Literal

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import JSONBody

from batuta.core.connections import checked_name
from batuta.server.access import ANYWHERE, PUBLIC, Principal
from batuta.server.accounts import COOKIE, SESSION_S, Accounts, check_roles
from batuta.server.backend import Backend
from batuta.server.paging import Cursor, Limit, has_text, page_of
from batuta.server.passwords import fits, hashed
from batuta.server.problems import Conflict, Forbidden, NotFound, Refused
from batuta.server.routes.base import Text, admin, named, path, query, viewer
from batuta.server.serving import is_loopback
from batuta.server.shapes.accounts import (
    Account,
    AccountGiven,
    AccountKind,
    AccountPage,
    Login,
    Me,
    NewPassword,
    Token,
    TokenAsked,
    TokenMade,
    TokenPage,
)
from batuta.server.shapes.base import at, at_or_none
from batuta.server.shapes.operations import Deleted, Saved
from batuta.store.accounts import AccountRow, TokenRow

DAY_S = 86_400.0
Name = A[str, path("The account's name.", max_length=200)]


class Access(Controller):
    """See the module."""

    tags = ("access",)

    @get("/me", operation_id="getMe", summary="Who is asking", sync_to_thread=True, opt={"role": PUBLIC})
    def me(self, request: Request[Any, Any, Any], backend: NamedDependency[Backend]) -> Me:
        """Who is asking and what they may; of nobody, how one can log in."""
        who = request.scope.get("user")
        if not isinstance(who, Principal):
            return Me(name="", method="none", roles={}, login=backend.logins)
        method = who.method if who.method in ("local", "session", "token", "backend") else "none"
        return Me(name=who.name, method=method, roles=who.roles, login=backend.logins)  # type: ignore[arg-type]

    @post("/login", operation_id="logIn", summary="Log in", status_code=200, sync_to_thread=True, opt={"role": PUBLIC})
    def log_in(
        self,
        request: Request[Any, Any, Any],
        backend: NamedDependency[Backend],
        accounts: NamedDependency[Accounts],
        data: JSONBody[Login],
    ) -> Response[Me]:
        """Begin a session of a browser, kept in a cookie. After some failed tries one has to wait (429)."""
        address = request.client.host if request.client is not None else ""
        client = request.headers.get("user-agent", "")
        account, session = accounts.log_in(data.name, data.password, address, client)
        me = Me(name=account.name, method="session", roles=dict(account.roles), login=backend.logins)
        return Response(me, cookies=[session_cookie(request, session)])

    @post(
        "/logout", operation_id="logOut", summary="Log out", status_code=200, sync_to_thread=True, opt={"role": PUBLIC}
    )
    def log_out(
        self,
        request: Request[Any, Any, Any],
        backend: NamedDependency[Backend],
        accounts: NamedDependency[Accounts],
    ) -> Response[Me]:
        """End the session of a browser."""
        accounts.log_out(dict(request.headers.items()))
        gone = session_cookie(request, "", max_age=0)
        return Response(Me(name="", method="none", roles={}, login=backend.logins), cookies=[gone])

    @put(
        "/me/password", operation_id="changePassword", summary="Change the password", sync_to_thread=True, opt=viewer()
    )
    def change_password(
        self,
        request: Request[Any, Any, Any],
        backend: NamedDependency[Backend],
        accounts: NamedDependency[Accounts],
        who: NamedDependency[Principal],
        data: JSONBody[NewPassword],
    ) -> Response[Saved]:
        """Change one's own password; all sessions end but for this browser's, which gets a new one."""
        account = backend.store.accounts.get(who.name)
        if who.method != "session" or account is None or not account.password:
            raise Forbidden("only who has logged in with a password can change it")
        accounts.tries.check(f"account {who.name}")
        if not fits(data.old, account.password):
            accounts.tries.failed(f"account {who.name}")
            raise Refused("unauthenticated", 401, "the old password is wrong")
        changed = _changed(account, password=hashed(data.new))
        backend.store.accounts.put(changed, by=who.name, now=backend.clock())
        session = accounts.begin_session(who.name, request.headers.get("user-agent", ""))
        return Response(Saved(name=who.name, new=False), cookies=[session_cookie(request, session)])

    # ---- tokens ----

    @get("/tokens", operation_id="listTokens", summary="List API tokens", sync_to_thread=True, opt=viewer())
    def tokens(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        account: A[
            str | None, query("Of this account; admins may name others, or `*` for all.", max_length=200)
        ] = None,
        text: Text = "",
        sort: A[
            Literal["created", "-created", "title", "-title", "account", "-account"],
            query("By when it was made, by what it is for, or by whose it is."),
        ] = "-created",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> TokenPage:
        """A page of the API tokens of whoever asks, or, for admins, of others. `text` is looked for in title and
        account."""
        wanted = who.name if account is None else account
        if wanted != who.name:
            who.need("admin", ANYWHERE, "look at the tokens of others")
        rows = backend.store.accounts.tokens(None if wanted == ANYWHERE else wanted)
        found = [row for row in rows if has_text(text, row.title, row.account)]
        key = attrgetter("created_at" if sort.endswith("created") else sort.removeprefix("-"))
        page, following = page_of(found, key, lambda row: f"{row.id:020}", sort, cursor, limit)
        return TokenPage(items=[_token(row) for row in page], next=following)

    @post("/tokens", operation_id="makeToken", summary="Make an API token", sync_to_thread=True, opt=viewer())
    def make_token(
        self,
        backend: NamedDependency[Backend],
        accounts: NamedDependency[Accounts],
        who: NamedDependency[Principal],
        data: JSONBody[TokenAsked],
    ) -> TokenMade:
        """Make an API token; its text is given this once. A token cannot make tokens."""
        if who.method == "token":
            raise Forbidden("a token cannot make tokens", hint="log in with a password")
        name = data.account or who.name
        if who.method == "backend":  # an account that only happens to have their name may do more than they
            who.need("admin", ANYWHERE, "make tokens, as they do not log in here")
        if name != who.name:
            who.need("admin", ANYWHERE, "make tokens for others")
        account = backend.store.accounts.get(name)
        if account is None:
            raise NotFound(f"there is no account {name!r}", hint="PUT /api/v1/accounts/NAME makes one")
        lasts_s = None if data.days is None else data.days * DAY_S
        row, text = accounts.make_token(account, data.title, data.roles, lasts_s, who.name)
        return TokenMade(token=_token(row), text=text)

    @delete(
        "/tokens/{token_id:int}",
        operation_id="revokeToken",
        summary="Revoke an API token",
        status_code=200,
        sync_to_thread=True,
        opt=viewer(),
    )
    def revoke(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        token_id: A[int, path("The token's number.", ge=1, le=2**63 - 1)],
    ) -> Deleted:
        """Let a token be of no more use: one's own, or, for admins, that of another."""
        row = next((one for one in backend.store.accounts.tokens() if one.id == token_id), None)
        if row is None or (row.account != who.name and not who.may("admin")):
            raise NotFound(f"there is no token {token_id}")
        return Deleted(deleted=backend.store.accounts.revoke(token_id, by=who.name, now=backend.clock()))

    # ---- accounts ----

    @get("/accounts", operation_id="listAccounts", summary="List accounts", sync_to_thread=True, opt=admin())
    def accounts(
        self,
        backend: NamedDependency[Backend],
        kinds: A[list[AccountKind] | None, query("Only users, or services.", "kind")] = None,
        text: Text = "",
        sort: A[
            Literal["name", "-name", "kind", "-kind", "changed", "-changed"],
            query("By name, by what it is, or by when it was changed last."),
        ] = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> AccountPage:
        """A page of accounts. `text` is looked for in name and title."""
        rows = backend.store.accounts.all()
        found = [row for row in rows if (not kinds or row.kind in kinds) and has_text(text, row.name, row.title)]
        key = attrgetter("changed_at" if sort.endswith("changed") else sort.removeprefix("-"))
        page, following = page_of(found, key, attrgetter("name"), sort, cursor, limit)
        return AccountPage(items=[_account(row) for row in page], next=following)

    @put("/accounts/{name:str}", operation_id="setAccount", summary="Set an account", sync_to_thread=True, opt=admin())
    def set_account(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        name: Name,
        data: JSONBody[AccountGiven],
    ) -> Saved:
        """Make an account, or change it. From the first one on everybody has to log in: it has to be an admin."""
        checked = checked_name(named(name), "account")
        check_roles(data.roles)
        book = backend.store.accounts
        known = book.get(checked)
        first_admin = data.roles.get(ANYWHERE) == "admin" and data.kind == "user" and not data.disabled
        if not book.count() and not (first_admin and data.password):
            raise Conflict(
                "the first account has to be a user with a password who is an admin everywhere",
                hint='send {"roles": {"*": "admin"}, "password": "..."}; else nobody could make the next one',
            )
        if data.kind == "service" and data.password is not None:
            raise Conflict("a service has tokens, and no password", hint="leave the password out")
        password = hashed(data.password) if data.password is not None else "" if known is None else known.password
        row = AccountRow(
            name=checked,
            kind=data.kind,
            password="" if data.kind == "service" else password,
            subject="" if known is None else known.subject,
            title=data.title,
            roles=dict(data.roles),
            disabled=data.disabled,
        )
        return Saved(name=checked, new=book.put(row, by=who.name, now=backend.clock()))

    @delete(
        "/accounts/{name:str}",
        operation_id="deleteAccount",
        summary="Delete an account",
        status_code=200,
        sync_to_thread=True,
        opt=admin(),
    )
    def delete_account(self, backend: NamedDependency[Backend], who: NamedDependency[Principal], name: Name) -> Deleted:
        """Delete an account with its tokens and sessions; what it did stays in the audit log."""
        return Deleted(deleted=backend.store.accounts.delete(named(name), by=who.name, now=backend.clock()))


def session_cookie(request: Request[Any, Any, Any], value: str, max_age: int = int(SESSION_S)) -> Cookie:
    """The cookie of a session: not to be read by scripts, not sent from other sites, and, but for loopback, only over
    TLS."""
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    secure = request.url.scheme == "https" or not is_loopback(host.strip("[]"))
    return Cookie(key=COOKIE, value=value, max_age=max_age, path="/", httponly=True, samesite="strict", secure=secure)


def _changed(row: AccountRow, *, password: str) -> AccountRow:
    from dataclasses import replace

    return replace(row, password=password)


def _account(row: AccountRow) -> Account:
    return Account(
        name=row.name,
        kind="service" if row.kind == "service" else "user",
        title=row.title,
        roles=dict(row.roles),
        disabled=row.disabled,
        elsewhere=bool(row.subject),
        created_at=at(row.created_at),
        changed_at=at(row.changed_at),
        changed_by=row.changed_by,
    )


def _token(row: TokenRow) -> Token:
    return Token(
        id=row.id,
        account=row.account,
        title=row.title,
        roles=dict(row.roles),
        created_at=at(row.created_at),
        created_by=row.created_by,
        expires_at=at_or_none(row.expires_at),
        revoked_at=at_or_none(row.revoked_at),
        used_at=at_or_none(row.used_at),
    )
