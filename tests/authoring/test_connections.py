"""Operators, sensors and IO managers with a connection by name: real databases, HTTP and mail servers, files."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.authoring.context import StepContext
from batuta.authoring.dag import DAG
from batuta.authoring.lookups import Connection, connection_of
from batuta.authoring.operators import (
    EmailOperator,
    FileSensor,
    HTTPOperator,
    HTTPSensor,
    OperatorError,
    SQLOperator,
    SQLSensor,
)
from batuta.core.errors import DefinitionError, RequestError
from batuta.io import JSONIO, DuckDBIO, InputContext, OutputContext, ParquetIO
from batuta.runtime import attempts  # noqa: F401 - sets the port that sensors ask
from batuta.runtime.masking import forget_secrets, mask, register_secret
from tests.authoring.servers import Answer, HttpServer, SmtpServer, serving


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


def context() -> StepContext:
    return StepContext(run_id=1, job="j", step="ask", attempt=1)


def known(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(f"BATUTA_CONN_{name.upper()}", url)


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_sql_on_files(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, "warehouse", f"{kind}:///{tmp_path / 'w.db'}")
    make = SQLOperator("CREATE TABLE t AS SELECT 1 AS a", connection="warehouse", returns="none")
    assert make.execute(context()) is None
    assert SQLOperator("SELECT a FROM t", connection="warehouse").execute(context()) == [{"a": 1}]
    assert SQLSensor("SELECT a FROM t", connection=Connection.get("warehouse")).poke(context()) == 1


def test_sql_on_postgresql(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, "warehouse", postgres_url)
    assert SQLOperator("SELECT 1 AS a", connection="warehouse").execute(context()) == [{"a": 1}]


def test_a_connection_is_named_in_a_template() -> None:
    with DAG("d"):
        step = SQLOperator("SELECT 1", connection="{{ params.place }}")
    assert "connection" in step.template_fields


@pytest.mark.parametrize("given", [{}, {"database": "sqlite:///x.db", "connection": "w"}])
def test_one_of_database_and_connection_is_needed(given: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="give connection="):
        SQLOperator("SELECT 1", **given).execute(context())


def test_a_connection_of_the_wrong_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, "api", "https://api.example.com")
    with pytest.raises(RequestError, match="connection 'api' is of kind 'https'; a database is needed"):
        SQLOperator("SELECT 1", connection="api").execute(context())


def test_http_requests_go_below_the_connection_with_its_log_in(monkeypatch: pytest.MonkeyPatch) -> None:
    server = HttpServer()
    with serving(server):
        server.answers = [Answer(body="ok")] * 3
        known(
            monkeypatch,
            "api",
            f"http://bob:pass-word@{server.url.removeprefix('http://')}/v1?headers=%7B%22X-A%22%3A1%7D",
        )
        assert HTTPOperator("users", connection="api", query={"a": 1}).execute(context()) == "ok"
        assert HTTPSensor("/ready", connection="api", headers={"X-A": "2"}).poke(context())
        assert HTTPOperator(connection="api").execute(context()) == "ok"
        assert [seen["path"] for seen in server.requests] == ["/v1/users", "/v1/ready", "/v1"]
        first, second = (seen["headers"] for seen in server.requests[:2])
        assert (first["X-A"], second["X-A"]) == ("1", "2")
        assert first["Authorization"].startswith("Basic ")
        assert mask(first["Authorization"]) == "Basic ***"
        with pytest.raises(DefinitionError, match="is not below"):
            HTTPOperator("http://elsewhere.example.com/x", connection="api").execute(context())


def test_mail_through_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    server = SmtpServer(password="p@ss-word")
    with serving(server):
        known(monkeypatch, "mail", f"smtp://us%40er:p%40ss-word@{server.address}")
        assert EmailOperator(to="a@example.org", subject="x", connection="mail").execute(context()) == ["a@example.org"]
        known(monkeypatch, "mail", f"smtp://us%40er:wrong-word@{server.address}")
        with pytest.raises(OperatorError, match="refused"):
            EmailOperator(to="a@example.org", subject="x", connection="mail").execute(context())


def test_files_through_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    known(monkeypatch, "lake", "memory://bucket/raw")
    sensor = FileSensor("in/a.csv", connection="lake")
    assert sensor.poke(context()) is False
    fsspec.filesystem("memory").pipe("/bucket/raw/in/a.csv", b"1")
    assert sensor.poke(context()) == "memory://bucket/raw/in/a.csv"


def test_io_managers_look_their_connection_up_when_they_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, tables = JSONIO("silver", connection="lake"), DuckDBIO(connection="warehouse")
    assert repr(files) == "JSONIO('silver', connection='lake')"
    with pytest.raises(RequestError, match="there is no connection 'lake'"):
        files.store(OutputContext(asset="a"), [1])
    known(monkeypatch, "lake", "memory://bucket/lake")
    known(monkeypatch, "warehouse", f"duckdb:///{tmp_path / 'w.db'}")
    assert files.store(OutputContext(asset="a"), [1]).path.endswith("bucket/lake/silver/a.json")
    again = pickle.loads(pickle.dumps(files))
    assert "files" not in vars(again)
    assert again.load(InputContext(asset="a")) == [1]
    tables.store(OutputContext(asset="gold.t"), [{"x": 1}])
    assert tables.database == str(tmp_path / "w.db")
    assert pickle.loads(pickle.dumps(ParquetIO(str(tmp_path)))).files.base == str(tmp_path)


@pytest.mark.parametrize("kind", [JSONIO, ParquetIO, DuckDBIO])
def test_an_io_manager_is_told_a_place(kind: Any) -> None:
    with pytest.raises(DefinitionError, match="connection="):
        kind()


def test_a_connection_by_url_or_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, "db", "postgresql://h/d")
    assert connection_of("db").host == "h"
    assert connection_of("smtp://m").kind == "smtp"
    made = Connection(kind="s3")
    assert connection_of(made) is made


def test_sensors_with_a_log_in_or_a_secret_look_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine waits for is recorded, and it has no log-in of theirs."""
    known(monkeypatch, "api", "https://api.example.com")
    known(monkeypatch, "lake", "memory://bucket")
    assert HTTPSensor("ready", connection="api").trigger(context()) is None
    assert FileSensor("a.csv", connection="lake").trigger(context()) is None
    url = "https://hooks.example.com/hunter22-token"
    assert HTTPSensor(url).trigger(context()) is not None
    register_secret("hunter22-token")
    assert HTTPSensor(url).trigger(context()) is None
    assert FileSensor("/in/hunter22-token").trigger(context()) is None
