"""HTTP, mail and notifications, against real servers on loopback."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta.authoring.context import StepContext
from batuta.authoring.dag import DAG
from batuta.authoring.operators import (
    EmailOperator,
    HTTPOperator,
    HTTPSensor,
    NotifyOperator,
    OperatorError,
)
from batuta.core.errors import TransientError
from tests.authoring.dag_runs import DagRuns
from tests.authoring.servers import Answer, HttpServer, SmtpServer, serving


def context() -> StepContext:
    return StepContext(run_id=1, job="j", step="ask", attempt=1)


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture
def web() -> Iterator[HttpServer]:
    server = HttpServer()
    with serving(server):
        yield server


@pytest.fixture
def mail() -> Iterator[SmtpServer]:
    server = SmtpServer()
    with serving(server):
        yield server


# ---- HTTP


@pytest.mark.parametrize(
    ("answer", "returns", "expected"),
    [
        (Answer(body={"a": 1}, kind="application/json"), "auto", {"a": 1}),
        (Answer(body="text"), "auto", "text"),
        (Answer(body="[1]"), "json", [1]),
        (Answer(body={"a": 1}, kind="application/json"), "text", '{"a": 1}'),
        (Answer(body=b"\x00\xff"), "bytes", b"\x00\xff"),
        (Answer(status=204), "status", 204),
        (Answer(body="x"), "none", None),
    ],
)
def test_what_a_request_gives(web: HttpServer, answer: Answer, returns: Any, expected: Any) -> None:
    web.answers = [answer]
    assert HTTPOperator(web.url, returns=returns).execute(context()) == expected


def test_a_request_says_all_it_is_told_to(web: HttpServer) -> None:
    HTTPOperator(
        f"{web.url}/load?fixed=1",
        method="post",
        query={"day": "2026-01-31"},
        headers={"X-Team": "finance"},
        json={"rows": [1, 2]},
        auth=("user", "pass"),
    ).execute(context())
    HTTPOperator(web.url, method="PUT", data={"a": "b c"}).execute(context())
    HTTPOperator(web.url, method="PUT", data="plain").execute(context())
    first, second, third = web.requests
    assert (first["method"], first["path"]) == ("POST", "/load")
    assert first["query"]["day"] == ["2026-01-31"]
    assert json.loads(first["body"]) == {"rows": [1, 2]}
    assert first["headers"]["X-Team"] == "finance"
    assert first["headers"]["Authorization"] == "Basic " + base64.b64encode(b"user:pass").decode()
    assert (second["body"], third["body"]) == ("a=b+c", "plain")


def test_fields_are_templates(runs: DagRuns, web: HttpServer) -> None:
    with DAG("web") as d:
        HTTPOperator(f"{web.url}/{{{{ ds }}}}", name="ask", query={"job": "{{ job }}"}, json={"d": ["{{ ds_nodash }}"]})
    assert runs.run(d, logical_at=0.0).state == "succeeded"
    (request,) = web.requests
    assert (request["path"], request["query"], request["body"]) == (
        "/1970-01-01",
        {"job": ["web"]},
        '{"d":["19700101"]}',
    )


@pytest.mark.parametrize(
    ("status", "expected", "error"),
    [
        (404, None, OperatorError),
        (404, 404, None),
        (404, [200, 404], None),
        (200, 201, OperatorError),
        (503, None, TransientError),
        (503, 503, None),
    ],
)
def test_statuses(web: HttpServer, status: int, expected: Any, error: type[Exception] | None) -> None:
    web.answers = [Answer(status=status, body="what happened")]
    operator = HTTPOperator(f"{web.url}/x?token=secret", expected_status=expected)
    if error is None:
        assert operator.execute(context()) == "what happened"
        return
    with pytest.raises(error) as caught:
        operator.execute(context())
    assert f"gave status {status}: what happened" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_requests_are_made_again_after_server_errors_only(web: HttpServer) -> None:
    web.answers = [Answer(500), Answer(503), Answer(body="at last")]
    again = HTTPOperator(web.url, request_retries=2, request_retry_delay_s=0.001)
    assert again.execute(context()) == "at last"
    assert len(web.requests) == 3
    web.answers = [Answer(404)]
    with pytest.raises(OperatorError):
        again.execute(context())
    assert len(web.requests) == 4
    web.answers = [Answer(500)]
    with pytest.raises(TransientError):
        again.execute(context())
    assert len(web.requests) == 7


def test_what_cannot_be_reached_is_told() -> None:
    with pytest.raises(TransientError, match="ConnectError") as caught:
        HTTPOperator(f"http://user:secret@127.0.0.1:{closed_port()}/x").execute(context())
    assert "secret" not in str(caught.value)
    with pytest.raises(OperatorError, match="no URL"):
        HTTPOperator("nowhere").execute(context())


def test_what_is_no_json_is_told(web: HttpServer) -> None:
    web.answers = [Answer(body="{", kind="application/json; charset=utf-8")]
    web.answers[0].body = "{"
    web.answers = [Answer(body="<html>")]
    with pytest.raises(OperatorError, match="not JSON"):
        HTTPOperator(web.url, returns="json").execute(context())


def test_redirects(web: HttpServer) -> None:
    web.answers = [Answer(302, headers={"location": f"{web.url}/there"}), Answer(body="there")]
    assert HTTPOperator(web.url).execute(context()) == "there"
    web.answers = [Answer(302, headers={"location": "/there"})]
    assert HTTPOperator(web.url, follow_redirects=False, returns="status").execute(context()) == 302


def test_a_sensor_waits_for_an_answer(runs: DagRuns, web: HttpServer) -> None:
    web.answers = [
        Answer(503),
        Answer(404),
        Answer(body={"state": "busy"}, kind="application/json"),
        Answer(body={"state": "done", "rows": 3}, kind="application/json"),
    ]

    def done(response: Any) -> Any:
        said = response.json()
        return said["rows"] if said["state"] == "done" else None

    with DAG("web") as d:
        HTTPSensor(f"{web.url}/{{{{ job }}}}", name="wait", check=done, poll_s=0.01)
    assert runs.run(d).output("wait") == 3
    assert [request["path"] for request in web.requests] == ["/web"] * 4


def test_a_sensor_takes_a_closed_port_for_not_yet(runs: DagRuns) -> None:
    with DAG("web") as d:
        HTTPSensor(f"http://127.0.0.1:{closed_port()}", name="wait", poll_s=0.01, timeout_s=0.05, soft_fail=True)
    assert runs.run(d).states == {"wait": "skipped"}


# ---- mail


def test_a_mail_with_all_its_parts(runs: DagRuns, mail: SmtpServer, tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("a,b\n1,2\n")
    with DAG("mail", params={"who": "ana@example.org"}) as d:
        EmailOperator(
            name="send",
            to=["{{ params.who }}", "bo@example.org"],
            cc="cy@example.org, di@example.org",
            bcc="eve@example.org",
            sender="batuta@example.org",
            subject="Umsätze {{ ds }}",
            body="Rows: {{ 1 + 1 }}",
            html="<b>{{ ds }}</b>",
            attachments=[tmp_path / "report.csv"],
            url=f"smtp://{mail.address}",
        )
    ran = runs.run(d, logical_at=0.0)
    everyone = [f"{name}@example.org" for name in ("ana", "bo", "cy", "di", "eve")]
    assert ran.output("send") == everyone
    ((sender, recipients, message),) = mail.mails
    assert (sender, recipients) == ("batuta@example.org", everyone)
    from email.header import decode_header, make_header

    assert str(make_header(decode_header(message["Subject"]))) == "Umsätze 1970-01-01"
    assert (message["To"], message["Cc"], message["Bcc"]) == (
        "ana@example.org, bo@example.org",
        "cy@example.org, di@example.org",
        None,
    )
    texts = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    assert [str(text, "utf-8").strip() for text in texts if isinstance(text, bytes)] == [
        "Rows: 2",
        "<b>1970-01-01</b>",
        "a,b\n1,2",
    ]


def test_logging_in(monkeypatch: pytest.MonkeyPatch) -> None:
    server = SmtpServer(password="p@ss")
    with serving(server):
        monkeypatch.setenv("BATUTA_SMTP_URL", f"smtp://us%40er:p%40ss@{server.address}")
        EmailOperator(to="a@example.org", subject="x").execute(context())
        assert (server.users, len(server.mails)) == (["us@er"], 1)
        wrong = EmailOperator(to="a@example.org", subject="x", url=f"smtp://u:wrong@{server.address}")
        with pytest.raises(OperatorError, match="refused"):
            wrong.execute(context())


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"url": ""}, OperatorError, "no mail server"),
        ({"url": "http://x"}, OperatorError, "no mail server"),
        ({"to": []}, OperatorError, "no recipients"),
        ({"to": "nobody@example.org"}, OperatorError, "refused"),
        ({"attachments": ["/no/such/file"]}, OperatorError, "/no/such/file"),
        ({"url": "closed"}, TransientError, "failed"),
    ],
)
def test_what_goes_wrong_with_mail(
    mail: SmtpServer, given: dict[str, Any], error: type[Exception], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BATUTA_SMTP_URL", raising=False)
    mail.refused.add("nobody@example.org")
    if given.get("url") == "closed":
        given = {"url": f"smtp://u:secret@127.0.0.1:{closed_port()}"}
    settings = {"to": "a@example.org", "subject": "x", "url": f"smtp://{mail.address}", **given}
    with pytest.raises(error, match=said) as caught:
        EmailOperator(**settings).execute(context())
    assert "secret" not in str(caught.value)
    assert not mail.mails


# ---- notifications

# apprise looks for a module that newer Pythons do not have
apprise_warns = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@apprise_warns
def test_a_notification_reaches_its_service(runs: DagRuns, web: HttpServer) -> None:
    with DAG("notify") as d:
        NotifyOperator(web.url.replace("http://", "json://"), name="tell", title="{{ job }}", body="day {{ ds }}")
    assert runs.run(d, logical_at=0.0).state == "succeeded"
    (request,) = web.requests
    said = json.loads(request["body"])
    assert (said["title"], said["message"], said["type"]) == ("notify", "day 1970-01-01", "info")


@apprise_warns
def test_a_service_that_does_not_take_it_fails_the_step(web: HttpServer) -> None:
    web.answers = [Answer(500)]
    with pytest.raises(TransientError, match="not every service"):
        NotifyOperator([web.url.replace("http://", "json://")], body="x").execute(context())
    with pytest.raises(OperatorError, match=r"URL 1 \(nosuch://\.\.\.\)"):
        NotifyOperator("nosuch://secret", body="x").execute(context())
