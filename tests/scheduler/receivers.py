"""Servers on loopback that take what the service sends: mail, and requests over HTTP."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Web:
    """What arrived at a web server, and what it is to answer: a status, or None to hang up without an answer."""

    url: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    status: int | None = 200
    answer: bytes = b"ok"
    hold: threading.Event | None = None
    """Answers only once this is set."""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def documents(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.requests]

    def wait(self, count: int, timeout_s: float = 20.0) -> None:
        """Until so many requests have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, timeout_s), self.requests


@contextlib.contextmanager
def web_server() -> Iterator[Web]:
    """A web server that takes everything."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with web.arrived:
                web.requests.append((self.path, dict(self.headers), body))
                web.arrived.notify_all()
            if web.hold is not None:
                web.hold.wait(30)
            if web.status is None:
                self.close_connection = True
                return
            self.send_response(web.status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(web.answer)))
            self.end_headers()
            self.wfile.write(web.answer)

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        if web.hold is not None:
            web.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Post:
    """What arrived at a mail server, and what it answers to a mail."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answer: str = "250 taken"
    refused: str = ""
    """A recipient that it does not know."""
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextlib.contextmanager
def mail_server() -> Iterator[Post]:
    """A mail server that takes everything."""
    from email import message_from_bytes, policy

    from aiosmtpd.controller import Controller

    post = Post()

    class Handler:
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
            if address == post.refused:
                return "550 no such person"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            if post.answer.startswith("2"):
                mail = message_from_bytes(envelope.content, policy=policy.default)
                assert isinstance(mail, EmailMessage)
                with post.arrived:
                    post.mails.append(mail)
                    post.senders.append(envelope.mail_from)
                    post.recipients.append(envelope.rcpt_tos)
                    post.arrived.notify_all()
            return post.answer

    controller = Controller(Handler(), hostname="127.0.0.1", port=_free_port())
    controller.start()
    post.port = controller.port
    try:
        yield post
    finally:
        controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def closed_port() -> int:
    """A port on which nobody listens."""
    return _free_port()


def lineage_events(web: Web) -> list[dict[str, Any]]:
    """The OpenLineage events that arrived so far."""
    found = []
    for path, headers, body in list(web.requests):
        assert path == "/api/v1/lineage"
        zipped = {name.lower(): value for name, value in headers.items()}.get("content-encoding") == "gzip"
        found.append(json.loads(gzip.decompress(body) if zipped else body))
    return found
