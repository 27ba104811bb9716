"""Connections: where a system is and how to log in there, as fields or as one URL, each made from the other.

The surprising rule: values behind `?` are read as JSON where they are JSON (`?timeout=5` is a number), and as text
otherwise, so that `extra` comes back from a URL as it was. The password is never in a repr or a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote

import msgspec

from batuta.core.errors import ParameterError, RequestError, nearest

HIDDEN = "***"
ALIASES = {"postgres": "postgresql", "s3a": "s3"}
FILES = ("duckdb", "sqlite")
"""Kinds whose database is a file: no host, and a path that may be absolute (`sqlite:////data/x.db`)."""

PORTS = {"postgresql": 5432, "mysql": 3306, "http": 80, "https": 443, "smtp": 25, "smtps": 465}
"""Where a server of a kind listens if nothing is said."""

_is_kind = re.compile(r"[a-z][a-z0-9+.\-]*", re.ASCII).fullmatch
_is_name = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII).fullmatch
_sounds_secret = re.compile(
    r"pass(word|wd|phrase)?$|pwd|secret|token|api_?-?key|access_?-?key|private_?-?key|credential|authorization", re.I
).search


def checked_name(name: str, what: str) -> str:
    """The name of a variable, connection or secret. Raises ParameterError where it cannot be one."""
    if not _is_name(name):
        hint = "letters, digits, and . _ - after the first of them"
        raise ParameterError(f"{name!r} cannot be the name of a {what}", hint=hint)
    return name


def sounds_secret(name: str) -> bool:
    """Whether a value of this name is one to hide, as `password`, `api_key`, `access_token`."""
    return _sounds_secret(name) is not None


class Connection(msgspec.Struct, frozen=True, kw_only=True, repr_omit_defaults=True):
    """How to reach one system. What the fields mean for a kind:

    | kind | host | user, password | database |
    | --- | --- | --- | --- |
    | postgresql, mysql, ... | server | log-in | name of the database |
    | sqlite, duckdb | | | path of the file |
    | http, https | server | basic authentication | path below which requests go |
    | s3, gs, az, ... (fsspec) | bucket | access key and its secret | path in the bucket |
    | smtp, smtps | mail server | log-in | |
    """

    kind: str
    host: str = ""
    port: int | None = None
    user: str = ""
    password: str = ""
    database: str = ""
    extra: dict[str, Any] = {}
    name: str = ""
    """What it was looked up by; no part of the URL."""

    def __repr__(self) -> str:
        return f"<connection {self.name or '?'}: {self.shown}>"

    def __rich_repr__(self) -> Any:
        yield self.shown

    @classmethod
    def from_url(cls, url: str, *, name: str = "") -> Self:
        """The inverse of `url`. Raises ParameterError without repeating the URL, which may hold a password."""
        return cls(**_parsed(url, name), name=name)

    @classmethod
    def from_text(cls, text: str, *, name: str = "") -> Self:
        """From a URL, or a JSON object of the fields. Raises ParameterError."""
        text = text.strip()
        if not text.startswith("{"):
            return cls.from_url(text, name=name)
        try:
            fields = msgspec.json.decode(text, type=dict[str, Any])
            return cls.from_fields(fields, name=name)
        except msgspec.MsgspecError:
            raise _bad("it is neither a URL nor a JSON object", name, "write kind://user:password@host/name") from None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any], *, name: str = "") -> Self:
        """From its fields; a `url` among them fills those that are not given. Raises ParameterError."""
        given = {key: value for key, value in fields.items() if value is not None and key != "name"}
        url = given.pop("url", "")
        known = [field.name for field in msgspec.structs.fields(cls) if field.name != "name"]
        for key in given:
            if key not in known:
                raise _bad(f"it has no field {key!r}", name, nearest(key, known) or f"fields are {', '.join(known)}")
        if url:
            parsed = _parsed(url, name)
            given = {**parsed, **given, "extra": {**parsed["extra"], **given.get("extra", {})}}
        if not given.get("kind"):
            raise _bad("it has no kind", name, "give kind=postgresql, or a URL")
        given["kind"] = _kind(str(given["kind"]), name)
        try:
            made = msgspec.convert({**given, "name": name}, cls)
        except msgspec.ValidationError as error:
            path = str(error).partition(" - at `$.")[2].rstrip("`")
            raise _bad(f"{path or 'a field'} is of the wrong type", name, _TYPES) from None
        if made.port is not None and not 0 < made.port < 65536:
            raise _bad(f"there is no port {made.port}", name, "ports are 1 to 65535")
        if set(made.host) & set("/?#@[] "):
            raise _bad("its host has characters that no host has", name, "give the host alone, or a url=")
        return made

    # ---- as text ----

    @property
    def url(self) -> str:
        """As a URL, with the password. `shown` is without."""
        return self._written(quote(self.password, safe=""), _query(self.extra))

    @property
    def shown(self) -> str:
        """As a URL in which what is secret is `***`."""
        return self._written(HIDDEN if self.password else "", _query(_hidden(self.extra)))

    @property
    def shown_extra(self) -> dict[str, Any]:
        """`extra`, in which what is secret is `***`."""
        hidden: dict[str, Any] = _hidden(self.extra)
        return hidden

    def _written(self, password: str, query: str) -> str:
        user = quote(self.user, safe="")
        if password:
            user = f"{user}:{password}"
        host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe=",")
        port = "" if self.port is None else f":{self.port}"
        path = f"/{quote(self.database, safe='/')}" if self.database else ""
        if not path and not host and not user and not port and self.kind in FILES:
            path = "/"
        return f"{self.kind}://{user}{'@' if user else ''}{host}{port}{path}{'?' if query else ''}{query}"

    # ---- what is asked of it ----

    @property
    def family(self) -> str:
        """The kind without a driver: `mysql` of `mysql+pymysql`."""
        return self.kind.partition("+")[0]

    @property
    def secrets(self) -> list[str]:
        """What is to be masked: the password, and what sounds secret in `extra`."""
        found = [self.password, *_secret_texts(self.extra)]
        if self.user and self.password:
            found.append(f"{self.user}:{self.password}")  # as basic authentication encodes it
        return [text for text in found if text]

    @property
    def base_url(self) -> str:
        """For HTTP: the URL below which requests go, without log-in and query. Raises RequestError for other kinds."""
        self.must_be("http", "https")
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.kind}://{host}{port}{'/' if self.database else ''}{quote(self.database, safe='/')}"

    @property
    def auth(self) -> tuple[str, str] | None:
        """User and password, where there are any."""
        return (self.user, self.password) if self.user or self.password else None

    @property
    def headers(self) -> dict[str, str]:
        """For HTTP: the headers of every request: `extra["headers"]`, and `extra["token"]` as a bearer token."""
        self.must_be("http", "https")
        headers = {str(key): str(value) for key, value in dict(self.extra.get("headers") or {}).items()}
        if self.extra.get("token"):
            headers.setdefault("Authorization", f"Bearer {self.extra['token']}")
        return headers

    @property
    def database_url(self) -> str:
        """For databases: the URL for drivers and SQLAlchemy, whose query has texts. Raises RequestError."""
        if self.family in ("http", "https", "smtp", "smtps", "s3"):
            raise self._other_kind("a database")
        query = "&".join(f"{quote(key, safe='')}={quote(_plain(value), safe='')}" for key, value in self.extra.items())
        return self._written(quote(self.password, safe=""), query)

    @property
    def path(self) -> str:
        """For files and buckets: `s3://bucket/folder`, or the path of a local file."""
        if self.kind in FILES or self.kind == "file":
            return self.database
        return f"{self.kind}://{self.host}{'/' if self.database else ''}{self.database}"

    @property
    def storage_options(self) -> dict[str, Any]:
        """For fsspec: its options. S3 takes user and password as key and secret, `endpoint_url` and `region` too."""
        options = dict(self.extra)
        if self.kind != "s3":
            named = {"username": self.user, "password": self.password} if self.kind not in ("gs", "gcs", "file") else {}
            return {**{key: value for key, value in named.items() if value}, **options}
        client = {"region_name": options.pop("region", None)}
        made: dict[str, Any] = {"key": self.user, "secret": self.password, **options}
        if client["region_name"]:
            made["client_kwargs"] = {**client, **made.get("client_kwargs", {})}
        return {key: value for key, value in made.items() if value}

    def must_be(self, *kinds: str) -> None:
        """Raise RequestError where it is of another kind."""
        if self.family not in kinds:
            raise self._other_kind(" or ".join(kinds))

    def _other_kind(self, wanted: str) -> RequestError:
        what = f"connection {self.name!r} is of kind {self.kind!r}; {wanted} is needed"
        return RequestError(what, hint="name another connection, or change its kind")


_TYPES = "port is a number, extra a JSON object, all others are texts"


def _parsed(url: str, name: str) -> dict[str, Any]:
    scheme, mark, rest = url.strip().partition("://")
    if not mark:
        raise _bad("it is no URL", name, "write kind://user:password@host:port/database?option=value")
    rest, _, query = rest.partition("?")
    place, slash, path = rest.partition("/")
    login, at, address = place.rpartition("@")
    user, _, password = login.partition(":") if at else ("", "", "")
    host, port = _address(address, name)
    return {
        "kind": _kind(scheme, name),
        "host": host,
        "port": port,
        "user": unquote(user),
        "password": unquote(password),
        "database": unquote(path) if slash else "",
        "extra": _extra(query, name),
    }


def _kind(text: str, name: str) -> str:
    kind = text.lower()
    if not _is_kind(kind):
        raise _bad("what stands before :// is no kind", name, "kinds are like postgresql, duckdb, http, s3, smtp")
    return ALIASES.get(kind, kind)


def _address(address: str, name: str) -> tuple[str, int | None]:
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = address.partition(":")
        host = unquote(host)
    if not port:
        return host, None
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        hint = "write %3A for a colon, %40 for an @ and %2F for a / in a user or password"
        raise _bad("what stands behind the host's colon is no port", name, hint)
    return host, int(port)


def _extra(query: str, name: str) -> dict[str, Any]:
    extra: dict[str, Any] = {}
    for key, text in parse_qsl(query, keep_blank_values=True):
        if key in extra:
            raise _bad(f"it gives {key!r} twice", name, "give a JSON list as its value")
        try:
            extra[key] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            extra[key] = text
    return extra


def _query(extra: Mapping[str, Any]) -> str:
    return "&".join(f"{quote(key, safe='')}={_query_text(value)}" for key, value in extra.items())


def _query_text(value: Any) -> str:
    """The value as it stands behind `=`: a text that would be read as JSON is written as a JSON string."""
    text = _plain(value)
    if isinstance(value, str):
        try:
            msgspec.json.decode(value)
            text = msgspec.json.encode(value).decode()
        except msgspec.DecodeError:
            pass
    return quote(text, safe="*")


def _plain(value: Any) -> str:
    """For drivers, which know texts only."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _hidden(extra: Any, name: str = "") -> Any:
    if isinstance(extra, Mapping):
        return {key: _hidden(value, str(key)) for key, value in extra.items()}
    if isinstance(extra, list):
        return [_hidden(value, name) for value in extra]
    return HIDDEN if sounds_secret(name) and extra not in (None, "", False, True) else extra


def _secret_texts(value: Any, hidden: bool = False) -> list[str]:
    if isinstance(value, Mapping):
        return [text for key, item in value.items() for text in _secret_texts(item, hidden or sounds_secret(str(key)))]
    if isinstance(value, list):
        return [text for item in value for text in _secret_texts(item, hidden)]
    return [str(value)] if hidden and not isinstance(value, bool) and value not in (None, "") else []


def _bad(what: str, name: str, hint: str) -> ParameterError:
    return ParameterError(f"it is no connection: {what}", where=f"connection {name!r}" if name else None, hint=hint)
