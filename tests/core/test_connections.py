"""Connections as fields and as URLs: each gives the other back, and what is secret is never shown."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batuta.core.connections import Connection, checked_name, sounds_secret
from batuta.core.errors import ParameterError, RequestError

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=5,
)
CONNECTIONS = st.builds(
    Connection,
    kind=st.sampled_from(["postgresql", "duckdb", "sqlite", "http", "s3", "smtp", "mysql+pymysql"]),
    host=st.sampled_from(["", "db", "db.example.com", "127.0.0.1", "::1", "a,b"]),
    port=st.none() | st.integers(1, 65535),
    user=TEXTS,
    password=TEXTS,
    database=TEXTS,
    extra=st.dictionaries(TEXTS, JSON, max_size=3),
)


@given(CONNECTIONS)
def test_a_url_gives_the_connection_back(connection: Connection) -> None:
    assert Connection.from_url(connection.url) == connection


@given(CONNECTIONS, st.text("pqxz", min_size=8, max_size=12))
def test_the_password_is_in_no_repr(connection: Connection, password: str) -> None:
    assume(password not in f"{connection!r}")
    secret = Connection.from_fields({"url": connection.url, "password": password, "extra": {"api_key": password + "k"}})
    assert password not in f"{secret!r} {secret} {secret.shown}"
    assert password in secret.url
    assert {password, password + "k"} <= set(secret.secrets)


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        (
            "postgres://etl:p%40ss@db:5433/shop?sslmode=require",
            {
                "kind": "postgresql",
                "host": "db",
                "port": 5433,
                "user": "etl",
                "password": "p@ss",
                "database": "shop",
                "extra": {"sslmode": "require"},
            },
        ),
        ("duckdb:///lake.db", {"kind": "duckdb", "database": "lake.db"}),
        ("sqlite:////data/x.db", {"kind": "sqlite", "database": "/data/x.db"}),
        ("duckdb:///", {"kind": "duckdb"}),
        ("https://api.example.com/v1", {"kind": "https", "host": "api.example.com", "database": "v1"}),
        (
            "s3://AKIA:abc%2Fdef@bucket/raw?region=eu-west-1",
            {
                "kind": "s3",
                "host": "bucket",
                "user": "AKIA",
                "password": "abc/def",
                "database": "raw",
                "extra": {"region": "eu-west-1"},
            },
        ),
        ("smtp://[::1]:2525?timeout=5", {"kind": "smtp", "host": "::1", "port": 2525, "extra": {"timeout": 5}}),
    ],
)
def test_urls_as_people_write_them(url: str, fields: dict[str, Any]) -> None:
    assert Connection.from_url(url) == Connection(**fields)
    assert Connection.from_fields(fields) == Connection(**fields)


def test_fields_go_over_a_url() -> None:
    made = Connection.from_fields({"url": "postgresql://a:b@h/d?x=1", "user": "c", "extra": {"y": 2}}, name="w")
    assert made == Connection(
        kind="postgresql", host="h", user="c", password="b", database="d", extra={"x": 1, "y": 2}, name="w"
    )
    assert Connection.from_text('{"kind": "postgres", "host": "h"}').kind == "postgresql"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("db:s3cret-word", "no URL"),
        ("postgresql://u:s3cret-word@host:notaport/db", "no port"),
        ("postgresql://u:s3cret-word/x@host/db", "no port"),
        ("postgresql://u:s3cret-word@h:99999/db", "no port"),
        ("://u:s3cret-word@h/db", "no kind"),
        ("h://u:s3cret-word@h/db?a=1&a=2", "twice"),
        ('{"kind": "postgresql", "pasword": "s3cret-word"}', "no field 'pasword'"),
        ('{"kind": "postgresql", "port": "s3cret-word"}', "wrong type"),
        ('{"password": "s3cret-word"}', "no kind"),
        ('{"kind": "http", "host": "u:s3cret-word@h"}', "no host has"),
        ('{"kind": "postgresql", "password": "s3cret-word"', "neither"),
    ],
)
def test_what_is_no_connection_is_told_without_its_secret(text: str, told: str) -> None:
    with pytest.raises(ParameterError, match=told) as caught:
        Connection.from_text(text, name="warehouse")
    assert "s3cret-word" not in str(caught.value)
    assert "connection 'warehouse'" in str(caught.value)


def test_what_http_needs() -> None:
    api = Connection.from_url("https://bob:pw@api.example.com:8443/v1?token=t0ken")
    assert (api.base_url, api.auth) == ("https://api.example.com:8443/v1", ("bob", "pw"))
    assert api.headers == {"Authorization": "Bearer t0ken"}
    assert "t0ken" in api.secrets
    with pytest.raises(RequestError, match="'https'; a database is needed"):
        _ = api.database_url


def test_what_databases_need() -> None:
    db = Connection.from_url("postgresql://u:p%2Fw@h/d?connect_timeout=5&application_name=%225%22")
    assert db.database_url == "postgresql://u:p%2Fw@h/d?connect_timeout=5&application_name=5"
    with pytest.raises(RequestError, match="http or https is needed"):
        _ = db.base_url


def test_what_fsspec_needs() -> None:
    lake = Connection.from_url("s3://key:word@bucket/raw?region=eu&endpoint_url=http://m:9000")
    assert lake.path == "s3://bucket/raw"
    assert lake.storage_options == {
        "key": "key",
        "secret": "word",
        "endpoint_url": "http://m:9000",
        "client_kwargs": {"region_name": "eu"},
    }
    assert Connection.from_url("sftp://u:p@h/in").storage_options == {"username": "u", "password": "p"}


@pytest.mark.parametrize("name", ["", "a b", "../x", ".x", "a/b", "x" * 201])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ParameterError):
        checked_name(name, "secret")


@pytest.mark.parametrize("name", ["password", "API_KEY", "accessToken", "aws_secret_access_key", "db_passwd"])
def test_names_that_sound_secret(name: str) -> None:
    assert sounds_secret(name)
    assert not sounds_secret("region")
