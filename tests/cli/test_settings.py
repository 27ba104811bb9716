"""`variables`, `connections`, `secrets`, `audit`, `plugins`: kept, read, tried, rotated, and told of to nobody."""

from __future__ import annotations

import getpass
import stat
from pathlib import Path
from typing import Any

import pytest

from batuta.cli import exits
from tests.authoring.servers import HttpServer, SmtpServer, serving
from tests.cli.conftest import Cli

TOKEN = "s3cret-token-x"


def names(said: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(row["name"], row["backend"]) for row in said]


def test_variables(bare: Cli) -> None:
    assert bare("variables", "set", "limit", "100", "--description", "rows").out == "variable limit is set\n"
    bare("variables", "set", "regions", '["eu"]')
    bare("variables", "set", "text", given="several\nwords\n")
    assert bare("variables", "set", "limit", "7", "--json").json == {"name": "limit", "value": 7, "new": False}
    assert bare("variables", "get", "limit").out == "7\n"
    assert bare("variables", "get", "text").out == "several\nwords\n"
    assert bare("variables", "get", "limit", "--json", BATUTA_VAR_LIMIT="8").json["backend"] == "environment"
    listed = bare("variables", "list", "--json", BATUTA_VAR_LIMIT="8", BATUTA_VAR_OTHER="1").json["variables"]
    assert names(listed) == [
        ("regions", "store"),
        ("text", "store"),
        ("limit", "environment"),
        ("other", "environment"),
    ]
    assert "rows" in bare("variables", "list").out
    assert "variable limit is deleted" in bare("variables", "delete", "limit").out
    said = bare("variables", "delete", "txt", code=exits.USAGE)
    assert "the store has no variable 'txt'" in said.err
    assert "did you mean 'text'?" in said.err


def test_a_variable_that_sounds_secret_is_not_shown(bare: Cli) -> None:
    said = bare("variables", "set", "api_key", TOKEN)
    assert "`batuta secrets set api_key`" in said.err
    assert TOKEN not in bare("variables", "list").text + bare("variables", "list", "--json").text


@pytest.mark.parametrize("name", ["a b", "../x", "x/y"])
def test_names_that_are_none(bare: Cli, name: str) -> None:
    for command in (["variables", "set", name, "1"], ["secrets", "set", name], ["connections", "add", name]):
        assert "cannot be the name" in bare(*command, code=exits.USAGE, given="x").err
    assert not (bare.folder / ".batuta").exists()


def test_secrets_are_read_from_standard_input_and_shown_nowhere(bare: Cli, batuta_home: Path) -> None:
    said = bare("secrets", "set", "token", "--description", "of the API", given=f"{TOKEN}\n")
    assert said.out == "secret token is set\n"
    (bare.folder / "key.pem").write_text("-----BEGIN\nline-of-the-key\n-----END\n")
    bare("secrets", "set", "key", "--from-file", "key.pem")
    listed = bare("secrets", "list", "--json", BATUTA_SECRET_OTHER="x").json["secrets"]
    assert names(listed) == [("key", "store"), ("token", "store"), ("other", "environment")]
    told = bare("secrets", "list").text + bare("audit", "list").text + said.text
    assert TOKEN not in told
    assert "of the API" in told
    home = batuta_home
    assert stat.S_IMODE((home / "secret.key").stat().st_mode) == 0o600
    assert not [path for path in home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
    assert "secret token is deleted" in bare("secrets", "delete", "token").out


def test_a_secret_needs_a_value_and_one_too_short_is_warned_of(bare: Cli) -> None:
    assert "the secret is empty" in bare("secrets", "set", "x", code=exits.USAGE, given="\n").err
    assert "cannot be read" in bare("secrets", "set", "x", "--from-file", "none", code=exits.USAGE).err
    assert "it is not masked in logs" in bare("secrets", "set", "x", given="abc").err
    assert "x" in bare("secrets", "set", "x", TOKEN, code=exits.USAGE).err


def test_rotation_and_a_wrong_key(bare: Cli, batuta_home: Path) -> None:
    bare("variables", "set", "plain", "1")
    bare("connections", "add", "db", given=f"postgresql://u:{TOKEN}@h/d")
    key_file = batuta_home / "secret.key"
    old = key_file.read_text()
    rotated = bare("secrets", "rotate", "--json").json
    assert (rotated["texts"], rotated["where"]) == (1, str(key_file))
    assert key_file.read_text() != old
    assert "postgresql://u:***@h/d" in bare("connections", "show", "db").out
    wrong = bare("secrets", "new-key").out.strip()
    for command in (["connections", "show", "db"], ["connections", "test", "db"]):
        said = bare(*command, code=exits.STORE, BATUTA_SECRET_KEY=wrong)
        assert f"the connection 'db' was encrypted with key {rotated['key']}" in said.err
        assert "the environment variable BATUTA_SECRET_KEY" in said.err
        assert wrong not in said.text
    assert bare("variables", "get", "plain", BATUTA_SECRET_KEY=wrong).out == "1\n"
    doctor = bare("doctor", code=exits.FAILED, BATUTA_SECRET_KEY=wrong).out
    assert "the connection 'db' was encrypted with key" in doctor
    key_file.chmod(0o644)
    assert "others may read" in bare("doctor", "--json").out
    assert "no key" in bare("connections", "show", "db", code=exits.STORE, BATUTA_SECRET_KEY="nonsense").err


def test_connections_from_options_and_urls(bare: Cli) -> None:
    added = bare("connections", "add", "db", "--url", "postgresql://etl@h:5433/d?x=1", "--password", given=f"{TOKEN}\n")
    assert added.out == "connection db is added: postgresql://etl:***@h:5433/d?x=1\n"
    bare("connections", "add", "api", "--kind", "https", "--host", "api.example.com", "--extra", "verify=true")
    bare("connections", "add", "lake", given=f'{{"kind": "s3", "host": "bucket", "user": "k", "password": "{TOKEN}"}}')
    shown = bare("connections", "show", "db", "--json").json
    assert shown == {
        "name": "db",
        "kind": "postgresql",
        "host": "h",
        "port": 5433,
        "user": "etl",
        "password": "***",
        "database": "d",
        "extra": {"x": 1},
        "url": "postgresql://etl:***@h:5433/d?x=1",
        "backend": "store",
    }
    listed = bare("connections", "list", "--json").json["connections"]
    assert [(row["name"], row["kind"]) for row in listed] == [("api", "https"), ("db", "postgresql"), ("lake", "s3")]
    assert TOKEN not in bare("connections", "show", "lake").text + added.text
    assert bare("connections", "show", "x", "--json", BATUTA_CONN_X="smtp://m").json["backend"] == "environment"
    bare("connections", "delete", "db")
    assert "there is no connection 'db'" in bare("connections", "show", "db", code=exits.USAGE).err


@pytest.mark.parametrize(
    "given",
    [
        ["--url", f"postgresql://u:{TOKEN}@h/d"],
        ["--kind", "https", "--host", "h", "--extra", f"token={TOKEN}"],
    ],
)
def test_a_secret_on_the_command_line_is_refused(bare: Cli, given: list[str]) -> None:
    said = bare("connections", "add", "db", *given, code=exits.USAGE)
    assert "a secret on the command line can be seen by others" in said.err
    assert TOKEN not in said.text


def test_connections_are_really_tried(bare: Cli, postgres_url: str) -> None:
    mail, web = SmtpServer(password="p@ss-word"), HttpServer()
    plain = postgres_url.replace("+psycopg", "")
    with serving(mail), serving(web):
        urls: dict[str, Any] = {
            "BATUTA_CONN_PG": plain,
            "BATUTA_CONN_MAIL": f"smtp://us%40er:p%40ss-word@{mail.address}",
            "BATUTA_CONN_WRONG": f"smtp://us%40er:{TOKEN}@{mail.address}",
            "BATUTA_CONN_WEB": web.url,
            "BATUTA_CONN_FOLDER": f"file:///{bare.folder}",
            "BATUTA_CONN_NOFILE": "duckdb:///none.db",
            "BATUTA_CONN_MEMORY": "sqlite:///",
        }
        answers = {name: bare("connections", "test", name, **urls).out for name in ("pg", "mail", "web", "memory")}
        assert "postgresql answers" in answers["pg"]
        assert "the mail server answers" in answers["mail"]
        assert "status 200" in answers["web"]
        assert "entries at" in bare("connections", "test", "folder", **urls).out
        refused = bare("connections", "test", "wrong", code=exits.USAGE, **urls)
        assert "the log-in is refused" in refused.err
        assert "there is no file none.db" in bare("connections", "test", "nofile", code=exits.USAGE, **urls).err
    assert not (bare.folder / "none.db").exists()
    dead = bare("connections", "test", "web", "--json", code=exits.FAILED, **urls)
    assert dead.json["error"]["what"].startswith("no answer: ConnectError")
    nobody = "postgresql://u:" + TOKEN + "@127.0.0.1:1/d"
    said = bare("connections", "test", "pg", code=exits.FAILED, BATUTA_CONN_PG=nobody)
    assert TOKEN not in said.text


def test_who_did_what(bare: Cli) -> None:
    (bare.folder / "jobs.py").write_text("from batuta import flow\n\n@flow\ndef hello() -> None:\n    1 / 0\n")
    bare("run", "jobs.py", code=exits.FAILED)
    bare("runs", "retry", "1", code=exits.FAILED)
    bare("secrets", "set", "token", given=TOKEN)
    bare("db", "prune", "--older-than", "30d")
    entries = bare("audit", "list", "--json").json["entries"]
    assert [(entry["action"], entry["kind"], entry["name"]) for entry in entries] == [
        ("prune", "store", ""),
        ("set", "secret", "token"),
        ("retry", "run", "1"),
        ("launch", "run", "1"),
    ]
    assert {entry["actor"] for entry in entries} == {getpass.getuser()}
    only = bare("audit", "list", "--kind", "run", "--action", "retry", "--since", "1h", "-n", "1").out
    assert "retry" in only
    assert "launch" not in only
    assert "nothing was done" in bare("audit", "list", "--actor", "nobody").err


def test_looking_makes_nothing(bare: Cli, batuta_home: Path) -> None:
    for command in ("variables", "secrets", "connections"):
        assert "there are no" in bare(command, "list").err
    assert not batuta_home.exists()


def test_no_plugins(bare: Cli) -> None:
    assert bare("plugins", "list", "--json").json["plugins"] == []


def test_a_connection_that_is_given_as_it_cannot_be(cli: Cli) -> None:
    said = cli("connections", "add", "warehouse", "postgresql://etl:hunter2@db/shop", code=exits.USAGE)
    assert "write --url URL, without a password" in said.err
    assert "hunter2" not in said.text
    said = cli("connections", "add", "warehouse", code=exits.USAGE)
    assert "on standard input, or by --url (without a password), or --kind and --host" in said.err
