"""Running the API in the foreground, until a signal says to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from typing import Any

import click

from batuta.cli import exits
from batuta.cli.output import Output, print_json
from batuta.cli.targets import open_store, project_at

BEAT_S = 5.0


def serve_api(host: str | None, port: int | None, out: Output) -> int:
    """Serve until SIGTERM or Ctrl-C. The exit code."""
    from batuta.runtime.config_changes import Change, ConfigFile
    from batuta.runtime.service_log import set_up
    from batuta.server.backend import Backend
    from batuta.server.embedded import accounts_for, served
    from batuta.server.serving import bind

    project = project_at("")
    set_up(project.config.log)
    config = project.config.server
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with open_store(must_exist=False) as store:
        backend = Backend(store, project)
        address = config.host if host is None else host
        accounts = accounts_for(address, backend)
        serving = served(backend, accounts, bind(address, config.port if port is None else port))

        def configure(change: Change) -> None:
            backend.own_project = change.project

        configured = ConfigFile(project, "server", configure)
        started = time.time()
        _beat(store, started, serving.url, configured.info())
        _tell(serving.url, accounts.is_open, out)
        try:
            while serving.failure is None:
                configured.read()
                _beat(store, started, serving.url, configured.info())
                if stopping.wait(BEAT_S):
                    break
        finally:
            serving.stop()
            store.forget_process(_process_id(started))
    if serving.failure is not None:
        raise serving.failure
    out.note("stopped")
    return exits.OK


def _tell(url: str, is_open: bool, out: Output) -> None:
    if out.json:
        print_json({"event": "started", "pid": os.getpid(), "url": url, "accounts": not is_open})
        return
    out.say(click.style("the API is served at ", bold=True) + url)
    if is_open:
        out.say("  there are no accounts: whoever uses this machine may do everything")
    out.say("  Ctrl-C stops it")


def _process_id(started: float) -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{int(started)}"


def _beat(store: Any, started: float, url: str, configuration: dict[str, Any]) -> None:
    """Say in the store that this process lives."""
    from batuta.core.errors import StoreError
    from batuta.store.rows import ProcessRow

    row = ProcessRow(
        id=_process_id(started),
        kind="server",
        host=socket.gethostname(),
        pid=os.getpid(),
        started_at=started,
        seen_at=time.time(),
        info={"url": url, "configuration": configuration},
    )
    try:
        store.put_process(row)
    except StoreError as error:
        logging.getLogger("batuta.server").warning("%s", error)
