"""Logging in elsewhere, by OpenID Connect: the authorization code flow with PKCE.

What is between leaving and coming back (state, nonce, verifier) is in a short-lived cookie of the browser, so that any
server may finish what another began, and nobody can finish what somebody else began. Surprising: an account is found by
issuer and subject alone; a name that a local account has already is refused, as anybody could call themselves so.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from batuta.core.errors import BatutaError
from batuta.runtime.project import OidcConfig
from batuta.server.access import NO_ROLE, ROLES
from batuta.server.problems import Conflict, Forbidden, Refused
from batuta.server.serving import is_loopback
from batuta.store.accounts import AccountRow
from batuta.store.store import Store

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
COOKIE = "batuta_login"
LASTS_S = 600
TIMEOUT_S = 10.0
KNOWN_S = 3600.0
LEEWAY_S = 60


class Begun(msgspec.Struct, array_like=True):
    """What a browser keeps while somebody logs in elsewhere."""

    state: str
    nonce: str
    verifier: str
    then: str


class Oidc:
    """See the module. `secret` gives the client's secret."""

    def __init__(self, config: OidcConfig, secret: Callable[[], str], clock: Callable[[], float] = time.time) -> None:
        self.config = config
        self._secret = secret
        self._clock = clock
        self._lock = threading.Lock()
        self._provider: tuple[float, dict[str, Any], Any] | None = None

    # ---- leaving ----

    def begin(self, back: str, then: str) -> tuple[str, str]:
        """Where to send the browser, and the cookie that it has to bring back."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(state, nonce, verifier, local_path(then))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(begun.verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self.config.client_id,
            "redirect_uri": back,
            "scope": " ".join(self.config.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        place = str(self._found()[0]["authorization_endpoint"])
        cookie = base64.urlsafe_b64encode(msgspec.json.encode(begun)).decode()
        return f"{place}{'&' if '?' in place else '?'}{urlencode(query)}", cookie

    # ---- coming back ----

    def finish(self, cookie: str, state: str, code: str, back: str, store: Store) -> tuple[AccountRow, str]:
        """The account of who has logged in, made or brought up to date, and where to go. Raises Refused."""
        try:
            begun = msgspec.json.decode(base64.urlsafe_b64decode(cookie), type=Begun)
        except (ValueError, msgspec.DecodeError):
            raise _refused("it was not begun in this browser, or too long ago") from None
        if not secrets.compare_digest(begun.state.encode(), state.encode()):
            raise _refused("it was begun by another page")
        claims = self._claims(code, back, begun)
        return self._account(claims, store), local_path(begun.then)

    def _claims(self, code: str, back: str, begun: Begun) -> dict[str, Any]:
        import httpx
        from joserfc import jwt
        from joserfc.errors import JoseError

        provider, keys = self._found()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": self.config.client_id,
            "code_verifier": begun.verifier,
        }
        secret = self._secret() if self.config.client_secret else ""
        auth = (self.config.client_id, secret) if secret else None
        try:
            answer = httpx.post(str(provider["token_endpoint"]), data=form, auth=auth, timeout=TIMEOUT_S)
            answer.raise_for_status()
            token = jwt.decode(str(answer.json()["id_token"]), keys, algorithms=list(ALGORITHMS))
            registry = jwt.JWTClaimsRegistry(
                now=int(self._clock()),
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self.config.issuer},
                aud={"essential": True, "value": self.config.client_id},
                sub={"essential": True},
                exp={"essential": True},
                nonce={"essential": True, "value": begun.nonce},
            )
            registry.validate(token.claims)
        except (httpx.HTTPError, JoseError, ValueError, KeyError) as error:
            raise _refused(f"the provider's answer is not good: {type(error).__name__}") from None
        return dict(token.claims)

    def _account(self, claims: dict[str, Any], store: Store) -> AccountRow:
        subject = f"{self.config.issuer}|{claims['sub']}"
        known = store.accounts.of_subject(subject)
        roles = self._roles(claims)
        if known is not None:
            if known.disabled:
                raise Forbidden("the account cannot be used for now")
            if roles is None or dict(known.roles) == roles:
                return known
            changed = _with_roles(known, roles)
            store.accounts.put(changed, by="oidc", now=self._clock())
            return changed
        name = str(claims.get(self.config.name_claim) or claims["sub"])[:200]
        if not roles:
            raise Forbidden(f"{name!r} has no role here", hint="[server.oidc] roles and groups say who has which")
        if store.accounts.get(name) is not None:
            raise Conflict(f"there is another account {name!r} already", hint="an admin has to delete or rename one")
        made = AccountRow(name=name, subject=subject, title=str(claims.get("name", ""))[:200], roles=roles)
        store.accounts.put(made, by="oidc", now=self._clock())
        return made

    def _roles(self, claims: dict[str, Any]) -> dict[str, str] | None:
        """The highest of what everybody and each group has, by location; None where the configuration gives none."""
        if not self.config.roles and not self.config.groups:
            return None
        given = claims.get(self.config.groups_claim, [])
        groups = [given] if isinstance(given, str) else [str(one) for one in given]
        found: dict[str, str] = {}
        for roles in (self.config.roles, *(self.config.groups.get(group, {}) for group in groups)):
            for location, role in roles.items():
                if role in ROLES and (location not in found or _rank(role) > _rank(found[location])):
                    found[location] = role
        return found

    # ---- the provider ----

    def _found(self) -> tuple[dict[str, Any], Any]:
        """What the provider says of itself, and its keys; asked once an hour. Raises Refused."""
        import httpx
        from joserfc.jwk import KeySet

        with self._lock:
            now = self._clock()
            if self._provider is not None and self._provider[0] > now:
                return self._provider[1], self._provider[2]
            try:
                base = self.config.issuer.rstrip("/")
                told = (
                    httpx.get(f"{base}/.well-known/openid-configuration", timeout=TIMEOUT_S).raise_for_status().json()
                )
                if told["issuer"] != self.config.issuer:
                    raise ValueError("it calls itself otherwise")
                for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                    _check_place(str(told[name]))
                keys = KeySet.import_key_set(httpx.get(told["jwks_uri"], timeout=TIMEOUT_S).raise_for_status().json())
            except (httpx.HTTPError, ValueError, KeyError, BatutaError) as error:
                raise Refused("unavailable", 503, f"the log-in provider cannot be used: {error}") from None
            self._provider = (now + KNOWN_S, dict(told), keys)
            return self._provider[1], keys


def _with_roles(row: AccountRow, roles: dict[str, str]) -> AccountRow:
    """The account with other roles."""
    from dataclasses import replace

    return replace(row, roles=roles)


def local_path(path: str) -> str:
    """A path of ours; "/" for whatever would lead elsewhere."""
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if plain and "\\" not in path and path.isprintable() else "/"


def _check_place(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError(f"{url} is not https")


def _rank(role: str) -> int:
    return -1 if role == NO_ROLE else ROLES.index(role)


def _refused(why: str) -> Refused:
    return Refused("unauthenticated", 401, f"the log-in did not work: {why}", hint="try again from the log-in page")
