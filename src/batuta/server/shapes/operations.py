"""Settings, alerts, the audit log, the store and search results as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any, Literal

import msgspec

from batuta.server.shapes.base import Given, Shape, doc


class Variable(Shape):
    """A named value that code looks up."""

    name: A[str, doc("Its name.", "region")]
    value: A[Any, doc("What it is.", "eu")]
    description: A[str, doc("What it is for.")]
    changed_at: A[datetime, doc("When it was set.")]
    changed_by: A[str, doc("By whom.", "ada")]


class VariablePage(Shape):
    """A page of variables."""

    items: A[list[Variable], doc("The variables of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class Secret(Shape):
    """A named value that nobody is shown."""

    name: A[str, doc("Its name.", "api_token")]
    description: A[str, doc("What it is for.")]
    changed_at: A[datetime, doc("When it was set.")]
    changed_by: A[str, doc("By whom.", "ada")]


class SecretPage(Shape):
    """A page of secrets."""

    items: A[list[Secret], doc("The secrets of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class Connection(Shape):
    """How a system is reached, without what is secret of it."""

    name: A[str, doc("Its name.", "warehouse")]
    kind: A[str, doc("What is reached.", "postgresql")]
    description: A[str, doc("What it is for.")]
    changed_at: A[datetime, doc("When it was set.")]
    changed_by: A[str, doc("By whom.", "ada")]


class ConnectionPage(Shape):
    """A page of connections."""

    items: A[list[Connection], doc("The connections of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class ConnectionTest(Shape):
    """Whether a connection works: it was really connected to, and nothing was changed there."""

    name: A[str, doc("The connection.", "warehouse")]
    location: A[str, doc("The code location in whose environment it was tried.", "shop")]
    ok: A[bool, doc("Whether it answered, and let us in.")]
    told: A[str, doc("What answered; or why nothing did, or refused.", "postgresql answers")]
    hint: A[str, doc("What to do; empty if nothing is known to help.")]
    took_s: A[float, doc("Seconds that it took.", 0.04)]


class VariableGiven(Given):
    """A variable as it is to be."""

    value: A[Any, doc("Any JSON value.", "eu")]
    description: A[str, doc("What it is for.", max_length=1000)] = ""


class SecretGiven(Given):
    """A secret as it is to be."""

    value: A[str, doc("The text; it is encrypted, and never given back.", min_length=1, max_length=100_000)]
    description: A[str, doc("What it is for.", max_length=1000)] = ""


class ConnectionGiven(Given):
    """A connection as it is to be: a URL, or its fields, or both (fields go over the URL)."""

    url: A[str, doc("kind://user:password@host:port/database?option=value", max_length=10_000)] = ""
    kind: A[str, doc("postgresql, duckdb, http, s3, smtp, ...", max_length=100)] = ""
    host: A[str, doc("The server; of S3 the bucket.", max_length=1000)] = ""
    port: A[A[int, msgspec.Meta(ge=1, le=65_535)] | None, doc("Where it listens.")] = None
    user: A[str, doc("Who logs in.", max_length=1000)] = ""
    password: A[str, doc("The password; it is encrypted, and never given back.", max_length=10_000)] = ""
    database: A[str, doc("The database, the path of a file, or the path below the host.", max_length=1000)] = ""
    extra: A[dict[str, Any], doc("Options.")] = msgspec.field(default_factory=dict)
    description: A[str, doc("What it is for.", max_length=1000)] = ""


class Deleted(Shape):
    """Something is gone."""

    deleted: A[bool, doc("False where there was nothing of that name.")]


class Saved(Shape):
    """Something was set."""

    name: A[str, doc("Its name.", "region")]
    new: A[bool, doc("False where it was there and has been changed.")]


class Delivery(Shape):
    """A message of an alert to one channel."""

    channel: A[str, doc("The channel.", "oncall")]
    step: A[int, doc("0: that it was raised; 1 and up: of the escalation; -1: that it is over.", 0)]
    state: A[str, doc("waiting, sending, unsure, sent, failed or dropped.", "sent")]
    attempt: A[int, doc("How often it was tried.", 1)]
    sent_at: A[datetime | None, doc("When it was sent.")]
    error: A[str, doc("Why it could not be.")]


class Alert(Shape):
    """A trouble that somebody was to be told of."""

    id: A[int, doc("Its number.", 3)]
    rule: A[str, doc("The rule that raised it.", "failures")]
    key: A[str, doc("The same trouble has the same key.", "job:nightly")]
    kind: A[str, doc("failure, late, check_failed, ...", "failure")]
    severity: A[str, doc("info, warning, error or critical.", "error")]
    title: A[str, doc("What it is, in one line.")]
    body: A[str, doc("What was told.")]
    count: A[int, doc("How often it happened.", 2)]
    at: A[datetime, doc("When it was raised.")]
    last_at: A[datetime, doc("When it happened last.")]
    resolved_at: A[datetime | None, doc("When it was over.")]
    deliveries: A[list[Delivery], doc("Its messages.")]


class AlertPage(Shape):
    """A page of alerts."""

    items: A[list[Alert], doc("The alerts of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class AuditEntry(Shape):
    """What somebody did."""

    id: A[int, doc("Its number.", 12)]
    at: A[datetime, doc("When.")]
    actor: A[str, doc("Who.", "ada")]
    action: A[str, doc("What: set, delete, launch, cancel, retry, switch, ...", "launch")]
    kind: A[str, doc("To what kind of thing.", "run")]
    name: A[str, doc("To which.", "42")]
    data: A[dict[str, Any], doc("Details; nothing in them is secret.")]


class AuditPage(Shape):
    """A page of the audit log."""

    items: A[list[AuditEntry], doc("The entries of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class StoreFacts(Shape):
    """The store: the database with everything that was defined and happened."""

    dialect: A[str, doc("sqlite or postgresql.", "postgresql")]
    location: A[str, doc("The file, or the URL without its password.")]
    revision: A[str, doc("The revision of its schema.", "0004")]
    newest_revision: A[str, doc("The revision that this version of Batuta makes.", "0004")]
    size: A[int, doc("Bytes on disk.", 1_048_576)]
    facts: A[dict[str, str], doc("Versions and settings.")]


class Settings(Shape):
    """How this installation is set up, without anything secret."""

    version: A[str, doc("The version of Batuta.", "0.2.0")]
    project: A[str, doc("The project's name.", "shop")]
    root: A[str, doc("The project's folder.")]
    profile: A[str, doc("The profile of its configuration; empty: none.")]
    layers: A[list[str], doc("The medallion layers, lowest first.", ["bronze", "silver", "gold"])]
    store: A[StoreFacts, doc("The store.")]
    scheduler: A[bool, doc("Whether a scheduler is part of this process.")]
    queue: A[dict[str, Any], doc("Limits on how many runs are executed at a time.")]
    retention: A[dict[str, Any], doc("How long what is recorded is kept.")]
    accounts: A[bool, doc("Whether one has to log in.")]


class Found(Shape):
    """Something that was searched for."""

    kind: A[Literal["job", "asset", "run", "check", "location", "schedule", "term"], doc("What it is.")]
    id: A[str, doc("What names it in the API: a name, a key, a number.", "gold.revenue")]
    title: A[str, doc("What to show.", "gold.revenue")]
    text: A[str, doc("Something about it.", "What each merchant gets for the day.")]
    location: A[str, doc("Its code location.", "shop")]
    state: A[str, doc("How it is: of a run or an asset.", "fresh")]


class SearchResult(Shape):
    """What was found, the best first."""

    items: A[list[Found], doc("What was found.")]
