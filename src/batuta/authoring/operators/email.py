"""Mail, by the standard library's SMTP client."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from batuta.authoring.context import StepContext
from batuta.authoring.lookups import connection_of
from batuta.authoring.operators.base import Operator, OperatorError
from batuta.core.errors import TransientError


class EmailOperator(Operator):
    """Sends a mail through `url`: `smtp://user:password@host:587` (STARTTLS where the server offers it), or `smtps://`.

    `?starttls=always` insists on encryption, `?starttls=never` does without. `body` is plain text, `html` another form
    of it; `attachments` are paths. The output is the list of those it was sent to. `connection` is the name of an SMTP
    connection instead of a `url`; where neither is given, the environment variable BATUTA_SMTP_URL counts.
    """

    template_fields = ("to", "subject", "body", "html", "attachments", "cc", "bcc", "sender")
    template_ext = (".html", ".txt")

    def __init__(
        self,
        *,
        to: str | Sequence[str],
        subject: str,
        body: str = "",
        html: str = "",
        sender: str = "",
        cc: str | Sequence[str] = (),
        bcc: str | Sequence[str] = (),
        attachments: Sequence[str | os.PathLike[str]] = (),
        url: str = "",
        connection: Any = None,
        server_timeout_s: float = 30.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.to = to
        self.subject = subject
        self.body = body
        self.html = html
        self.sender = sender
        self.cc = cc
        self.bcc = bcc
        self.attachments = list(attachments)
        self.url = url
        self.connection = connection
        self.server_timeout_s = server_timeout_s

    def execute(self, context: StepContext) -> list[str]:
        """Send it. Raises TransientError where the server cannot be reached, OperatorError where it refuses."""
        import smtplib

        message = self._message(context)
        recipients = [*_addresses(self.to), *_addresses(self.cc), *_addresses(self.bcc)]
        if not recipients:
            raise OperatorError("the mail has no recipients", where=context.key, hint="give to=")
        url = urlsplit(self._server())
        if url.scheme not in ("smtp", "smtps") or not url.hostname:
            raise OperatorError(
                "there is no mail server", where=context.key, hint="give url=, or set BATUTA_SMTP_URL: smtp://host:25"
            )
        try:
            with server_at(self._server(), self.server_timeout_s) as server:
                log_in(server, self._server())
                refused = server.send_message(message, to_addrs=recipients)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused) as error:
            raise OperatorError(f"the mail server refused: {error}", where=context.key) from None
        except (smtplib.SMTPException, OSError) as error:
            place = f"{url.hostname}:{url.port or 25}"
            raise TransientError(f"the mail server {place} failed: {error}", where=context.key) from None
        if refused:
            raise OperatorError(f"the mail server refused {', '.join(refused)}", where=context.key)
        return recipients

    def _server(self) -> str:
        if self.connection is None:
            return self.url or os.environ.get("BATUTA_SMTP_URL", "")
        known = connection_of(self.connection)
        known.must_be("smtp", "smtps")
        url: str = known.url
        return url

    def _message(self, context: StepContext) -> EmailMessage:
        message = EmailMessage()
        message["Subject"] = self.subject
        message["From"] = self.sender or "batuta@localhost"
        message["To"] = ", ".join(_addresses(self.to))
        if self.cc:
            message["Cc"] = ", ".join(_addresses(self.cc))
        message.set_content(self.body)
        if self.html:
            message.add_alternative(self.html, subtype="html")
        for name in self.attachments:
            path = Path(name)
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            try:
                data = path.read_bytes()
            except OSError as error:
                raise OperatorError(f"{name}: {error.strerror}", where=context.key, hint="check attachments=") from None
            main, _, sub = kind.partition("/")
            message.add_attachment(data, maintype=main, subtype=sub, filename=path.name)
        return message


def server_at(url: str, timeout_s: float) -> Any:
    """The SMTP client of a URL, connected."""
    import smtplib

    parts = urlsplit(url)
    client = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    return client(parts.hostname or "", parts.port or 0, timeout=timeout_s)


def log_in(server: Any, address: str) -> None:
    """Encrypt as the URL wishes, and log in where it has a user."""
    url = urlsplit(address)
    wish = parse_qs(url.query).get("starttls", ["auto"])[0]
    server.ehlo_or_helo_if_needed()
    if url.scheme == "smtp" and (wish == "always" or (wish == "auto" and server.has_extn("starttls"))):
        import ssl

        server.starttls(context=ssl.create_default_context())
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))


def _addresses(value: str | Sequence[str]) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return list(value)
