"""`batuta alerts`: channels are really tried, rules explained, alerts listed and settled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from batuta.runtime.project import find_project
from batuta.scheduler.alerting import AlertingDuty
from batuta.store import Store
from tests.cli.conftest import Cli
from tests.scheduler.receivers import Post, Web, closed_port, mail_server, web_server

JOBS = """
from batuta import DAG, task

@task
def load() -> None:
    raise ValueError("no rates today")

with DAG("nightly"):
    load()
"""


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.fixture
def post() -> Iterator[Post]:
    with mail_server() as server:
        yield server


@pytest.fixture
def alerting(bare: Cli, web: Web, post: Post) -> Cli:
    """A project with a job that fails, and channels of which one is dead."""
    (bare.folder / "jobs.py").write_text(JOBS)
    (bare.folder / "batuta.toml").write_text(f"""
name = "shop"
code = ["jobs.py"]

[alerts.channels.hook]
type = "webhook"
url = "{web.url}"
headers = {{ X-Token = "{{{{ secret('token') }}}}" }}

[alerts.channels.mail]
type = "email"
url = "{post.url}"
to = "ann@example.com"

[alerts.channels.dead]
type = "slack"
url = "http://127.0.0.1:{closed_port()}/{{{{ env('HOOK') }}}}"

[[alerts.rules]]
name = "failures"
on = "failure"
job = "night*"
channels = ["hook", "mail"]

[[alerts.rules]]
name = "gold"
on = ["failure", "check_failed"]
layer = "gold"
channels = "mail"
escalate = [{{ after_s = "15m", channels = "dead" }}]
""")
    return bare


def test_channels_are_really_tried(alerting: Cli, web: Web, post: Post) -> None:
    environment: dict[str, Any] = {"HOOK": "h00k-path", "BATUTA_SECRET_TOKEN": "t0ken-value"}
    said = alerting("alerts", "test", "hook", "mail", **environment)
    assert said.out == "✓ hook\n✓ mail\n"
    assert web.requests[0][1]["X-Token"] == "t0ken-value"
    assert web.documents[0]["title"] == post.mails[0]["Subject"] == "Test of alerts of shop"
    said = alerting("alerts", "test", code=1, **environment)
    assert "✗ dead: channel 'dead' (slack): 127.0.0.1 cannot be reached" in said.out
    assert "h00k" not in said.text
    assert len(web.requests) == len(post.mails) == 2
    said = alerting("alerts", "test", "--json", code=1)
    assert "there is no secret 'token'" in said.json["channels"]["hook"]
    assert said.json["channels"]["mail"] is None


def test_a_channel_that_is_not_there(alerting: Cli, bare: Cli) -> None:
    assert "did you mean 'mail'" in alerting("alerts", "test", "mial", code=2).err
    (bare.folder / "batuta.toml").write_text("")
    assert "there are no channels" in bare("alerts", "test", code=2).err
    assert "there are no rules" in bare("alerts", "rules").err


def test_rules_are_shown_and_explained(alerting: Cli) -> None:
    said = alerting("alerts", "rules")
    assert "failures  failure" in said.out
    assert "mail; dead after 900 s" in said.out
    alerting("run", "nightly", "--executor", "inline", code=1)
    said = alerting("alerts", "rules", "1")
    assert "nightly: failure: ValueError: no rates today" in said.out
    assert "✓ failures: tells hook, mail" in said.out
    assert "- gold: layer is none, the rule wants gold" in said.out
    [fact] = alerting("alerts", "rules", "1", "--json").json["facts"]
    assert [rule["fits"] for rule in fact["rules"]] == [True, False]
    assert "there is no run 7" in alerting("alerts", "rules", "7", code=2).err


def test_alerts_are_listed_shown_and_settled(alerting: Cli) -> None:
    alerting("db", "upgrade")
    assert "nothing is wrong" in alerting("alerts", "list", "--open").err
    project = find_project(str(alerting.folder))
    with Store.open(project.store_url) as store:
        duty = AlertingDuty(project.config.alerts, store)
        duty.run_once(time.time(), None)
        alerting("run", "nightly", "--executor", "inline", code=1)
        duty.run_once(time.time(), None)
    said = alerting("alerts", "list")
    assert "nightly failed" in said.out
    assert "open  hook (waiting), mail (waiting)" in said.out
    with Store.open(project.store_url) as store:
        [one, _] = store.alerts.deliveries([1])[1]
        assert store.alerts.begin(one, until=0.0)
        store.alerts.end(one, 1, "waiting", at=1.0, again_at=2.0, error="channel 'hook' (webhook): it answered 503")
    assert "open  hook (waiting, 1 try), mail (waiting)" in alerting("alerts", "list").out
    assert "1 message to 'hook' could not be delivered: channel 'hook'" in alerting("doctor", code=None).out
    [alert] = alerting("alerts", "list", "--json").json["alerts"]
    assert (alert["kind"], alert["job"], alert["run_id"], alert["resolved_at"]) == ("failure", "nightly", 1, None)
    said = alerting("alerts", "show", "1")
    assert "ValueError: no rates today\n  at " in said.out
    assert "batuta runs show 1" in said.out
    assert "hook     raised   waiting" in said.out
    assert alerting("alerts", "settle", "1").out == "alert 1 is settled: nightly failed\n"
    assert "nothing is wrong" in alerting("alerts", "list", "--open").err
    assert alerting("alerts", "show", "1", "--json").json["settled_by"]
    assert "settle" in alerting("audit", "list").out
    assert "there is no alert 9" in alerting("alerts", "settle", "9", code=2).err
    assert "there is no alert 9" in alerting("alerts", "show", "9", code=2).err
