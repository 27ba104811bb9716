"""A scheduler that is killed while it sends a message: the next one sends it again and says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from batuta.scheduler.alert_channels import REPEAT_NOTE
from tests.engine.projects import open_project, until, write_project
from tests.scheduler.receivers import web_server

STEPS = """
@task
def load() -> None:
    raise ValueError("no rates today")

with DAG("nightly"):
    load()
"""


def scheduler(root: Path) -> subprocess.Popen[bytes]:
    """The real thing, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "batuta.cli.main", "scheduler", "--quiet"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.chaos
def test_a_message_that_was_being_sent_is_sent_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATUTA_TEST_TRACE", str(tmp_path / "trace"))
    processes: list[subprocess.Popen[bytes]] = []
    with web_server() as web:
        channel = f'[alerts.channels.ops]\ntype = "webhook"\nurl = "{web.url}"\n'
        rule = '[[alerts.rules]]\non = "failure"\nchannels = "ops"\n'
        root = write_project(tmp_path / "shop", STEPS, channel + rule)
        try:
            with open_project(root, executor="inline") as workspace:
                store = workspace.store
                processes.append(scheduler(root))
                until(lambda: store.tickers("alerts"), "no scheduler evaluates the rules")
                web.hold = threading.Event()
                workspace.start_job("nightly").wait()
                web.wait(1, 60.0)
                processes[0].send_signal(signal.SIGKILL)
                processes[0].wait()
                web.hold.set()
                web.hold = None
                processes.append(scheduler(root))
                web.wait(2, 60.0)
                [alert] = store.alerts.page()
                until(lambda: [one.state for one in store.alerts.deliveries([alert.id])[alert.id]] == ["sent"])
        finally:
            for process in processes:
                process.kill()
                process.wait()
    assert [document["title"] for document in web.documents] == ["nightly failed"] * 2
    assert [document["body"].endswith(REPEAT_NOTE) for document in web.documents] == [False, True]
