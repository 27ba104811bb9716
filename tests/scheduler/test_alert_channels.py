"""Messages over real connections to mail and web servers, and what is told when those refuse, hang or are not there."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta import plugins
from batuta.core.alert_specs import Channel
from batuta.core.durations import Seconds
from batuta.core.errors import DefinitionError, RequestError
from batuta.runtime.masking import forget_secrets, register_secret
from batuta.scheduler import alert_channels
from batuta.scheduler.alert_channels import REPEAT_NOTE, ChannelError, Message, send
from tests.scheduler.receivers import Post, Web, closed_port, mail_server, web_server

TOKEN = "s3cret-t0ken"
MESSAGE = Message(
    title="nightly failed",
    body="ValueError: 1 < 2 & so on\n  at pipelines/nightly.py:17",
    key="batuta-1-7",
    link="https://batuta.example.com/runs/42",
    data={"job": "nightly", "run": 42, "rule": "failures"},
)


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def post() -> Iterator[Post]:
    with mail_server() as server:
        yield server


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    yield
    forget_secrets()


def secret(name: str) -> str:
    if name != "token":
        raise RequestError(f"there is no secret {name!r}", hint="batuta secrets set")
    register_secret(TOKEN)
    return TOKEN


def deliver(message: Message = MESSAGE, **fields: Any) -> None:
    send("ops", Channel(**fields), message, secret)


def test_mail(post: Post) -> None:
    deliver(type="email", url=post.url, to=("ann@example.com", "bob@example.com"), sender="batuta@example.com")
    [mail] = post.mails
    assert (mail["Subject"], mail["To"]) == ("nightly failed", "ann@example.com, bob@example.com")
    assert (post.senders, post.recipients) == (["batuta@example.com"], [["ann@example.com", "bob@example.com"]])
    text = mail.get_content().replace("\r\n", "\n")
    assert "at pipelines/nightly.py:17" in text
    assert text.endswith("https://batuta.example.com/runs/42\n")
    assert mail["X-Batuta-Alert"] == "batuta-1-7"


def test_a_title_of_several_lines_makes_no_headers(post: Post) -> None:
    deliver(Message(title="failed\r\nBcc: eve@example.com", body="x"), type="email", url=post.url, to="ann@example.com")
    assert post.mails[0]["Bcc"] is None
    assert post.recipients == [["ann@example.com"]]


def test_what_the_mail_server_says_is_told(post: Post) -> None:
    post.answer = "452 disk full"
    with pytest.raises(
        ChannelError, match=r"channel 'ops' \(email\): the mail server answered 452 disk full"
    ) as failed:
        deliver(type="email", url=post.url, to="ann@example.com")
    assert not failed.value.unsure
    post.answer, post.refused = "250 ok", "bob@example.com"
    with pytest.raises(ChannelError, match=r"refused bob@example\.com(.|\n)*the others have it"):
        deliver(type="email", url=post.url, to=("ann@example.com", "bob@example.com"))
    with pytest.raises(ChannelError, match=r"refused bob@example\.com"):
        deliver(type="email", url=post.url, to="bob@example.com")


def test_webhook(web: Web) -> None:
    deliver(type="webhook", url=f"{web.url}/hook", headers={"Authorization": "Bearer {{ secret('token') }}"})
    [(path, headers, _)] = web.requests
    assert (path, headers["Authorization"]) == ("/hook", f"Bearer {TOKEN}")
    [document] = web.documents
    assert document["title"] == "nightly failed"
    assert (document["severity"], document["state"], document["job"], document["run"]) == (
        "error",
        "raised",
        "nightly",
        42,
    )


def test_slack_teams_and_pagerduty(web: Web) -> None:
    deliver(type="slack", url=web.url)
    deliver(type="teams", url=web.url)
    deliver(type="pagerduty", url=web.url, key="k1")
    slack, teams, pager = web.documents
    assert "*nightly failed*\nValueError: 1 &lt; 2 &amp; so on" in slack["text"]
    assert "<https://batuta.example.com/runs/42|Open in Batuta>" in slack["text"]
    card = teams["attachments"][0]["content"]
    assert card["body"][0]["text"].endswith("nightly failed")
    assert card["actions"][0]["url"] == MESSAGE.link
    assert (pager["routing_key"], pager["event_action"], pager["dedup_key"]) == ("k1", "trigger", "batuta-1-7")
    assert pager["payload"]["severity"] == "error"
    deliver(Message(title="over", body="", state="resolved", key="batuta-1-7"), type="pagerduty", url=web.url, key="k1")
    assert web.documents[-1]["event_action"] == "resolve"


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a library that apprise imports
def test_any_other_service_through_apprise(web: Web) -> None:
    deliver(url=web.url.replace("http://", "json://") + "/any")
    [document] = web.documents
    assert (document["title"], document["type"]) == ("nightly failed", "failure")
    web.status = 500
    with pytest.raises(ChannelError, match=r"channel 'ops' \(apprise\): the service did not take it: .*500") as failed:
        deliver(url=web.url.replace("http://", "json://"))
    assert failed.value.unsure
    with pytest.raises(DefinitionError, match=r"apprise does not understand its url \(nosuch://"):
        deliver(url="nosuch://x")


def test_a_repeat_says_so(web: Web) -> None:
    deliver(Message(title="t", body="b", repeat=True), type="webhook", url=web.url)
    assert web.documents[0]["body"] == f"b\n\n{REPEAT_NOTE}"


@pytest.mark.parametrize("kind", ["webhook", "slack", "email"])
def test_a_server_that_is_not_there(kind: str) -> None:
    scheme = "smtp" if kind == "email" else "http"
    with pytest.raises(ChannelError, match=r"cannot be reached: .*refused(.|\n)*is it up") as failed:
        deliver(type=kind, url=f"{scheme}://127.0.0.1:{closed_port()}", to="ann@example.com")
    assert not failed.value.unsure


def test_an_answer_that_is_an_error_or_leads_elsewhere(web: Web) -> None:
    web.status, web.answer = 403, b"go away"
    with pytest.raises(ChannelError, match="it answered 403 Forbidden: go away"):
        deliver(type="webhook", url=web.url)
    web.status = 302
    with pytest.raises(ChannelError, match="it answered 302"):
        deliver(type="webhook", url=web.url)
    assert len(web.requests) == 2


def test_without_an_answer_nobody_knows(web: Web) -> None:
    web.status = None
    with pytest.raises(ChannelError) as failed:
        deliver(type="webhook", url=web.url)
    assert failed.value.unsure
    web.hold = threading.Event()
    with pytest.raises(ChannelError, match="timed out") as failed:
        deliver(type="webhook", url=web.url, timeout_s=Seconds(0.2))
    assert failed.value.unsure


def test_secrets_are_nowhere_in_errors(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_PASSWORD", "pass-w0rd")
    web.status, web.answer = 401, f"bad token {TOKEN} or pass-w0rd".encode()
    with pytest.raises(ChannelError) as failed:
        deliver(type="webhook", url=f"{web.url}/{{{{ env('HOOK_PASSWORD') }}}}", headers={"X": "{{ secret('token') }}"})
    assert web.requests[0][0] == "/pass-w0rd"
    assert "bad token *** or ***" in str(failed.value)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ secret('other') }}", "there is no secret 'other'"),
        ("{{ env('NO_SUCH_VARIABLE') }}", "the environment has no NO_SUCH_VARIABLE"),
        ("{{ sekret('x') }}", "'sekret' is undefined"),
        ("{{ secret('x' }}", "the template is malformed"),
    ],
)
def test_a_reference_that_leads_nowhere(text: str, what: str) -> None:
    with pytest.raises((ChannelError, DefinitionError), match="channel 'ops'") as failed:
        deliver(type="webhook", url=text)
    assert what in failed.value.what


def test_a_channel_of_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme_pager.py").write_text(
        "heard = []\n"
        "class Pager:\n"
        "    def __init__(self, room): self.room = room\n"
        "    def send(self, message):\n"
        "        if self.room == 'closed': raise OSError('the room is closed')\n"
        "        heard.append((self.room, message['title']))\n"
    )
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[batuta.alert_channels]\nacme = acme_pager:Pager\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert plugins.names("batuta.alert_channels") == ["acme"]
    deliver(type="acme", options={"room": "7"})
    assert importlib.import_module("acme_pager").heard == [("7", "nightly failed")]
    with pytest.raises(ChannelError, match=r"channel 'ops' \(acme\): OSError: the room is closed"):
        deliver(type="acme", options={"room": "closed"})


def test_where_pagerduty_is_by_default() -> None:
    assert alert_channels.PAGERDUTY_URL.startswith("https://events.pagerduty.com/")
