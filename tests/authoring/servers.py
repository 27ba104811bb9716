"""Small real servers on loopback: HTTP with scripted answers, SMTP that keeps what it is sent."""

from __future__ import annotations

import base64
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    """One answer of the HTTP server."""

    status: int = 200
    body: Any = ""
    kind: str = "text/plain"
    headers: dict[str, str] = field(default_factory=dict)


class HttpServer(ThreadingHTTPServer):
    """Gives `answers` in turn, the last one again and again, and keeps the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HttpHandler)
        self.answers: list[Answer] = [Answer()]
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _HttpHandler(BaseHTTPRequestHandler):
    server: HttpServer

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request = {"method": self.command, "path": parts.path, "query": parse_qs(parts.query), "body": body.decode()}
        self.server.requests.append({**request, "headers": dict(self.headers.items())})
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        data = json.dumps(answer.body) if answer.kind == "application/json" else answer.body
        payload = data if isinstance(data, bytes) else data.encode()
        self.send_response(answer.status)
        for name, value in {"content-type": answer.kind, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the terminal."""


class SmtpServer(socketserver.ThreadingTCPServer):
    """Speaks enough SMTP for a client, with AUTH PLAIN where it has a `password`."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, password: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _SmtpHandler)
        self.password = password
        self.refused: set[str] = set()
        self.mails: list[tuple[str, list[str], Message]] = []
        self.users: list[str] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _SmtpHandler(socketserver.StreamRequestHandler):
    server: SmtpServer

    def handle(self) -> None:
        self._say("220 loopback ESMTP")
        sender, recipients = "", list[str]()
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            word = line.split(":")[0].upper()
            if word.startswith("EHLO"):
                self._say("250-loopback", *(["250-AUTH PLAIN"] if self.server.password else []), "250 8BITMIME")
            elif word.startswith("AUTH PLAIN"):
                self._authenticate(line.split()[2])
            elif word == "MAIL FROM":
                sender = line.partition("<")[2].partition(">")[0]
                self._say("250 ok")
            elif word == "RCPT TO":
                recipients.append(line.partition("<")[2].partition(">")[0])
                self._say("550 no such user" if recipients[-1] in self.server.refused else "250 ok")
            elif word == "DATA":
                self._say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.server.mails.append((sender, recipients, message_from_string("".join(lines))))
                self._say("250 taken")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _authenticate(self, token: str) -> None:
        _, user, password = base64.b64decode(token).decode().split("\0")
        self.server.users.append(user)
        self._say("235 welcome" if password == self.server.password else "535 wrong")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve on a thread."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
