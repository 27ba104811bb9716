"""Channels: how a message gets to people, and what is told when it does not.

Mail, JSON to a web address, Slack, Teams and PagerDuty are spoken by ourselves, so that an incident can be ended and an
error says what the other side said; every other service through the library apprise. Surprising: an error says whether
the message may have arrived all the same (`unsure`), since then the next try may be a repeat and has to say so.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import msgspec

from batuta import plugins
from batuta.authoring.templating import render
from batuta.core.alert_specs import BUILT_IN, Channel, texts
from batuta.core.errors import BatutaError, DefinitionError, TransientError
from batuta.runtime.masking import mask, register_secret

PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
REPEAT_NOTE = "(You may have had this message before: of an earlier try no answer came.)"
ANSWER_CHARS_MAX = 300

Secret = Callable[[str], str]
"""The text of a secret by its name; raises what a look-up raises."""


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is told. `state`: raised, escalated or resolved. `key` is the same for one alert from first to last."""

    title: str
    body: str
    severity: str = "error"
    state: str = "raised"
    key: str = ""
    link: str = ""
    repeat: bool = False
    data: dict[str, Any] = {}

    @property
    def text(self) -> str:
        """The body, with a word of warning where it may be a repeat."""
        return f"{self.body}\n\n{REPEAT_NOTE}" if self.repeat else self.body


class ChannelError(TransientError):
    """A message could not be delivered. `unsure`: it may have arrived, though."""

    unsure = False


def send(name: str, channel: Channel, message: Message, secret: Secret) -> None:
    """Deliver a message. Raises ChannelError, and DefinitionError for a channel that cannot work as it is described.

    Whatever goes wrong, nothing of what is secret in the channel's settings stands in the error.
    """
    where = f"channel {name!r} ({channel.type})"
    try:
        ready = filled(name, channel, secret)
        if channel.type in BUILT_IN:
            _SENDERS[channel.type](ready, message, where)
        else:
            _by_plugin(ready, message, where)
    except ChannelError as error:
        raise _told(error, where) from None
    except BatutaError as error:
        kind = DefinitionError if isinstance(error, DefinitionError) else ChannelError
        raise kind(mask(error.what), where=where, hint=error.hint) from None
    except Exception as error:  # a plugin's, or a library's that we did not foresee
        failed = ChannelError(mask(f"{type(error).__name__}: {error}"), where=where)
        failed.unsure = True
        raise failed from None


def _told(error: ChannelError, where: str) -> ChannelError:
    told = ChannelError(mask(error.what), where=where, hint=error.hint)
    told.unsure = error.unsure
    return told


def filled(name: str, channel: Channel, secret: Secret) -> Channel:
    """The channel with `{{ secret('x') }}` and `{{ env('X') }}` filled in; what they give is masked from then on."""

    def env(variable: str) -> str:
        value = os.environ.get(variable)
        if value is None:
            raise DefinitionError(f"the environment has no {variable}", hint="set it where the service is started")
        register_secret(value)
        return value

    def fill(value: Any, field: str) -> Any:
        if isinstance(value, str):
            if "{{" not in value:
                return value
            return render(value, {"secret": secret, "env": env}, step=name, field=field)
        if isinstance(value, dict):
            return {key: fill(item, f"{field}.{key}") for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(fill(item, field) for item in value)
        return value

    changed = {field: fill(getattr(channel, field), field) for field in ("url", "to", "sender", "key", "headers")}
    return msgspec.structs.replace(channel, **changed, options=fill(channel.options, "options"))


# ---- mail ----


def _email(channel: Channel, message: Message, where: str) -> None:
    import smtplib
    import ssl
    from email.message import EmailMessage
    from email.utils import make_msgid
    from urllib.parse import parse_qs, unquote, urlsplit

    url = urlsplit(channel.url)
    if url.scheme not in ("smtp", "smtps") or not url.hostname:
        raise DefinitionError("its url is no mail server", hint="write smtp://user:password@host:587")
    mail = EmailMessage()
    mail["Subject"] = " ".join(message.title.split())
    mail["From"] = channel.sender or "batuta@localhost"
    mail["To"] = ", ".join(texts(channel.to))
    mail["X-Batuta-Alert"] = message.key
    mail["Message-ID"] = make_msgid(domain=url.hostname)
    mail.set_content(f"{message.text}\n\n{message.link}".rstrip() + "\n")
    client = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    begun = False
    try:
        with client(url.hostname, url.port or 0, timeout=channel.timeout_s) as server:
            wish = parse_qs(url.query).get("starttls", ["auto"])[0]
            server.ehlo_or_helo_if_needed()
            if url.scheme == "smtp" and (wish == "always" or (wish == "auto" and server.has_extn("starttls"))):
                server.starttls(context=ssl.create_default_context())
            if url.username:
                server.login(unquote(url.username), unquote(url.password or ""))
            begun = True
            refused = server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        raise ChannelError(f"the mail server answered {error.smtp_code} {said}") from None
    except smtplib.SMTPRecipientsRefused as error:
        raise ChannelError(f"the mail server refused {', '.join(error.recipients)}", hint="see `to`") from None
    except (smtplib.SMTPException, OSError) as error:
        _unreachable(f"the mail server {url.hostname}:{url.port or 25}", error, begun)
    if refused:
        raise ChannelError(f"the mail server refused {', '.join(refused)}", hint="see `to`; the others have it")


def _unreachable(what: str, error: Exception, begun: bool) -> NoReturn:
    why = str(error) or type(error).__name__
    failed = ChannelError(f"{what} cannot be reached: {why}", hint="is it up, and the url right?")
    failed.unsure = begun
    raise failed from None


# ---- JSON to a web address ----


def _post(channel: Channel, url: str, document: dict[str, Any]) -> None:
    """POST it. An answer of 2xx is a delivery; a redirection is none, as it would turn the message into a question."""
    import http.client
    import urllib.error
    import urllib.request

    if not url.startswith(("http://", "https://")):
        raise DefinitionError("its url is not an address on the web", hint="write https://...")
    body = msgspec.json.encode(document, enc_hook=str)
    headers = {"Content-Type": "application/json", "User-Agent": "batuta", **channel.headers}
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with _opener().open(request, timeout=channel.timeout_s) as answer:
            answer.read(ANSWER_CHARS_MAX)
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(ANSWER_CHARS_MAX).decode(errors="replace").strip()
        raise ChannelError(f"it answered {error.code} {error.reason}" + (f": {said}" if said else "")) from None
    except urllib.error.URLError as error:
        reason = error.reason if isinstance(error.reason, Exception) else error
        _unreachable(_host(url), reason, isinstance(reason, TimeoutError))
    except (OSError, http.client.HTTPException) as error:
        _unreachable(_host(url), error, True)


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or "it"


def _opener() -> Any:
    import urllib.request

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any) -> None:
            return None

    return urllib.request.build_opener(NoRedirect)


def _webhook(channel: Channel, message: Message, where: str) -> None:
    _post(channel, channel.url, document(message))


def document(message: Message) -> dict[str, Any]:
    """A message as JSON, as webhooks and plugins get it."""
    whole: dict[str, Any] = msgspec.to_builtins(message)
    return {
        **whole.pop("data", {}),
        "severity": message.severity,
        "state": message.state,
        **whole,
        "body": message.text,
    }


_SIGNS = {"info": "ℹ️", "warning": "⚠️", "error": "🔴", "critical": "🚨"}


def _sign(message: Message) -> str:
    return "✅" if message.state == "resolved" else _SIGNS.get(message.severity, "🔴")


def _slack(channel: Channel, message: Message, where: str) -> None:
    def escaped(text: str) -> str:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    text = f"{_sign(message)} *{escaped(message.title)}*\n{escaped(message.text)}"
    if message.link:
        text += f"\n<{message.link}|Open in Batuta>"
    _post(channel, channel.url, {"text": text})


def _teams(channel: Channel, message: Message, where: str) -> None:
    head = {"type": "TextBlock", "size": "Medium", "weight": "Bolder", "wrap": True}
    body = [{"type": "TextBlock", "wrap": True, "text": line} for line in message.text.split("\n") if line.strip()]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{**head, "text": f"{_sign(message)} {message.title}"}, *body],
    }
    if message.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open in Batuta", "url": message.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    _post(channel, channel.url, {"type": "message", "attachments": [attachment]})


def _pagerduty(channel: Channel, message: Message, where: str) -> None:
    event: dict[str, Any] = {
        "routing_key": channel.key,
        "event_action": "resolve" if message.state == "resolved" else "trigger",
        "dedup_key": message.key,
        "payload": {
            "summary": message.title[:1024],
            "source": str(message.data.get("job") or message.data.get("subject") or "batuta"),
            "severity": message.severity,
            "custom_details": {"text": message.text, **message.data},
        },
    }
    if message.link:
        event["links"] = [{"href": message.link, "text": "Open in Batuta"}]
    _post(channel, channel.url or PAGERDUTY_URL, event)


# ---- others ----


def _apprise(channel: Channel, message: Message, where: str) -> None:
    try:
        import apprise
    except ModuleNotFoundError:
        hint = 'install the extra: pip install "batuta[notify]"'
        raise DefinitionError("apprise is not installed", hint=hint) from None
    kinds = {"info": "info", "warning": "warning", "error": "failure", "critical": "failure"}
    kind = "success" if message.state == "resolved" else kinds.get(message.severity, "failure")
    services = apprise.Apprise()
    with _heard_of("apprise") as said:
        if not services.add(channel.url):
            scheme = channel.url.partition(":")[0]
            hint = "see the list of services of apprise"
            raise DefinitionError(f"apprise does not understand its url ({scheme}://...)", hint=hint)
        for service in services:
            service.socket_connect_timeout = service.socket_read_timeout = float(channel.timeout_s)
        body = f"{message.text}\n\n{message.link}".rstrip()
        sent = services.notify(title=message.title, body=body, notify_type=kind)
    if not sent:
        told = " ".join(said)[-ANSWER_CHARS_MAX:]
        failed = ChannelError("the service did not take it" + (f": {told}" if told else ""))
        failed.unsure = True
        raise failed


@contextlib.contextmanager
def _heard_of(logger: str) -> Iterator[list[str]]:
    """What a library logs in this thread: all that it tells of a failure."""
    import logging

    thread, said = threading.get_ident(), []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                said.append(record.getMessage().strip())

    listener, told = Listener(logging.WARNING), logging.getLogger(logger)
    was = told.disabled, told.level  # by whoever has configured logging
    told.disabled = False
    told.setLevel(logging.WARNING)
    told.addHandler(listener)
    try:
        yield said
    finally:
        told.removeHandler(listener)
        told.disabled = was[0]
        told.setLevel(was[1])


def _by_plugin(channel: Channel, message: Message, where: str) -> None:
    kind = plugins.load("batuta.alert_channels", channel.type, builtin=BUILT_IN, where=where)
    kind(**channel.options).send(document(message))


_SENDERS: dict[str, Callable[[Channel, Message, str], None]] = {
    "apprise": _apprise,
    "email": _email,
    "webhook": _webhook,
    "slack": _slack,
    "teams": _teams,
    "pagerduty": _pagerduty,
}
