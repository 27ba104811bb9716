"""`/variables`, `/connections`, `/secrets`, `/audit`, `/alerts` and `/settings`: what runs depend on, and who did what.

Of secrets and connections nothing is ever given back but names: what has been encrypted stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from operator import attrgetter
from typing import Annotated as A
from typing import Literal, TypeVar

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import JSONBody

from batuta.core import connections as model
from batuta.core.connections import HIDDEN, checked_name, sounds_secret
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.paging import ByNumber, Cursor, Limit, by_number, has_text, page_of
from batuta.server.problems import Conflict, NotFound
from batuta.server.routes.base import Text, admin, editor, moment, named, operator, path, query, seconds_at, viewer
from batuta.server.shapes.base import at, at_or_none
from batuta.server.shapes.operations import (
    Alert,
    AlertPage,
    AuditEntry,
    AuditPage,
    Connection,
    ConnectionGiven,
    ConnectionPage,
    ConnectionTest,
    Deleted,
    Delivery,
    Saved,
    Secret,
    SecretGiven,
    SecretPage,
    Settings,
    StoreFacts,
    Variable,
    VariableGiven,
    VariablePage,
)
from batuta.server.trials import try_connection
from batuta.store import revisions
from batuta.store.alert_box import AlertRow, DeliveryRow
from batuta.store.rows import ConnectionRow, VariableRow
from batuta.store.vault import Vault

Name = A[str, path("The name.", max_length=200)]
ByName = A[Literal["name", "-name", "at", "-at"], query("By name, or by when it was set last.")]
Kept = TypeVar("Kept", VariableRow, ConnectionRow)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Values(Controller):
    """Variables, connections and secrets of the store."""

    tags = ("settings",)

    @get("/variables", operation_id="listVariables", summary="List variables", sync_to_thread=True, opt=viewer())
    def variables(
        self,
        backend: NamedDependency[Backend],
        text: Text = "",
        sort: ByName = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> VariablePage:
        """A page of the store's variables; the values of those whose name sounds secret are hidden. `text` is looked
        for in name and description."""
        rows = _vault(backend).variables(secret=False)
        page, following = _page(rows, text, sort, cursor, limit)
        items = [
            Variable(
                name=row.name,
                value=HIDDEN if sounds_secret(row.name) else _decode(row.value),
                description=row.description,
                changed_at=at(row.changed_at),
                changed_by=row.changed_by,
            )
            for row in page
        ]
        return VariablePage(items=items, next=following)

    @put(
        "/variables/{name:str}", operation_id="setVariable", summary="Set a variable", sync_to_thread=True, opt=editor()
    )
    def set_variable(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        name: Name,
        data: JSONBody[VariableGiven],
    ) -> Saved:
        """Set a variable to a JSON value."""
        checked = checked_name(named(name), "variable")
        new = _vault(backend).put_variable(
            checked, _encode(data.value).decode(), by=who.name, now=backend.clock(), description=data.description
        )
        return Saved(name=checked, new=new)

    @delete(
        "/variables/{name:str}",
        operation_id="deleteVariable",
        summary="Delete a variable",
        status_code=200,
        sync_to_thread=True,
        opt=editor(),
    )
    def delete_variable(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], name: Name
    ) -> Deleted:
        """Delete a variable."""
        return _delete(backend, who, "variable", named(name))

    @get("/secrets", operation_id="listSecrets", summary="List secrets", sync_to_thread=True, opt=viewer())
    def secrets(
        self,
        backend: NamedDependency[Backend],
        text: Text = "",
        sort: ByName = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> SecretPage:
        """A page of the names of the store's secrets; what they are is never given. `text` is looked for in name and
        description."""
        rows = _vault(backend).variables(secret=True)
        page, following = _page(rows, text, sort, cursor, limit)
        items = [
            Secret(
                name=row.name,
                description=row.description,
                changed_at=at(row.changed_at),
                changed_by=row.changed_by,
            )
            for row in page
        ]
        return SecretPage(items=items, next=following)

    @put("/secrets/{name:str}", operation_id="setSecret", summary="Set a secret", sync_to_thread=True, opt=editor())
    def set_secret(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        name: Name,
        data: JSONBody[SecretGiven],
    ) -> Saved:
        """Set a secret; it is encrypted, and never given back."""
        checked = checked_name(named(name), "secret")
        new = _vault(backend).put_secret(
            checked, data.value, by=who.name, now=backend.clock(), description=data.description
        )
        return Saved(name=checked, new=new)

    @delete(
        "/secrets/{name:str}",
        operation_id="deleteSecret",
        summary="Delete a secret",
        status_code=200,
        sync_to_thread=True,
        opt=editor(),
    )
    def delete_secret(self, backend: NamedDependency[Backend], who: NamedDependency[Principal], name: Name) -> Deleted:
        """Delete a secret."""
        return _delete(backend, who, "secret", named(name))

    @get("/connections", operation_id="listConnections", summary="List connections", sync_to_thread=True, opt=viewer())
    def connections(
        self,
        backend: NamedDependency[Backend],
        kinds: A[list[str] | None, query("Only to systems of these kinds.", "kind")] = None,
        text: Text = "",
        sort: ByName = "name",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ConnectionPage:
        """A page of the store's connections, without what is encrypted of them. `text` is looked for in name and
        description."""
        rows = [row for row in _vault(backend).connections() if not kinds or row.kind in kinds]
        page, following = _page(rows, text, sort, cursor, limit)
        items = [
            Connection(
                name=row.name,
                kind=row.kind,
                description=row.description,
                changed_at=at(row.changed_at),
                changed_by=row.changed_by,
            )
            for row in page
        ]
        return ConnectionPage(items=items, next=following)

    @put(
        "/connections/{name:str}",
        operation_id="setConnection",
        summary="Set a connection",
        sync_to_thread=True,
        opt=editor(),
    )
    def set_connection(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        name: Name,
        data: JSONBody[ConnectionGiven],
    ) -> Saved:
        """Set how a system is reached; it is encrypted, and never given back."""
        checked = checked_name(named(name), "connection")
        given = {key: value for key, value in msgspec.structs.asdict(data).items() if value and key != "description"}
        made = model.Connection.from_fields(given, name=checked)
        fields = {
            field.name: getattr(made, field.name) for field in msgspec.structs.fields(made) if field.name != "name"
        }
        new = _vault(backend).put_connection(
            checked,
            made.kind,
            _encode(fields).decode(),
            by=who.name,
            now=backend.clock(),
            description=data.description,
            shown=made.shown,
        )
        return Saved(name=checked, new=new)

    @post(
        "/connections/{name:str}/test",
        operation_id="testConnection",
        summary="Test a connection",
        status_code=200,
        sync_to_thread=True,
        opt=editor(),
    )
    def test_connection(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        name: Name,
        location: A[
            str, query("In the environment of this code location; by default of the first.", max_length=500)
        ] = "",
    ) -> ConnectionTest:
        """Connect and log in, in an evaluator of a code location, as a step would; nothing is changed there."""
        return try_connection(backend, who, checked_name(named(name), "connection"), location)

    @delete(
        "/connections/{name:str}",
        operation_id="deleteConnection",
        summary="Delete a connection",
        status_code=200,
        sync_to_thread=True,
        opt=editor(),
    )
    def delete_connection(
        self, backend: NamedDependency[Backend], who: NamedDependency[Principal], name: Name
    ) -> Deleted:
        """Delete a connection."""
        return _delete(backend, who, "connection", named(name))


class Records(Controller):
    """Alerts, the audit log, how this installation is set up."""

    tags = ("operations",)

    @get("/alerts", operation_id="listAlerts", summary="List alerts", sync_to_thread=True, opt=viewer())
    def alerts(
        self,
        backend: NamedDependency[Backend],
        is_open: A[bool | None, query("Only those that are not over, or are.", "open")] = None,
        rules: A[list[str] | None, query("Only of these rules.", "rule")] = None,
        kinds: A[list[str] | None, query("Only of these kinds of trouble.", "kind")] = None,
        severities: A[list[str] | None, query("Only of these severities.", "severity")] = None,
        text: Text = "",
        sort: ByNumber = "-id",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> AlertPage:
        """A page of alerts with their messages. `text` is looked for in rule, title and body."""
        box = backend.store.alerts
        listed = partial(box.page, is_open=is_open, rule=rules, kind=kinds, severity=severities, text=text)
        page, following = by_number(backend.store, "alerts", sort, cursor, limit, listed)
        deliveries = box.deliveries([row.id for row in page]) if page else {}
        return AlertPage(items=[_alert(row, deliveries.get(row.id, [])) for row in page], next=following)

    @post(
        "/alerts/{alert_id:int}/settle",
        operation_id="settleAlert",
        summary="Say that an alert is done with",
        status_code=200,
        sync_to_thread=True,
        opt=operator(),
    )
    def settle(
        self,
        backend: NamedDependency[Backend],
        who: NamedDependency[Principal],
        alert_id: A[int, path("The alert's number.", ge=1, le=2**63 - 1)],
    ) -> Alert:
        """Say that a trouble is done with: nothing more is told of it unless it happens again."""
        box = backend.store.alerts
        row = box.alert(alert_id)
        if row is None:
            raise NotFound(f"there is no alert {alert_id}")
        who.need("operator", str(row.data.get("location") or "*"), "settle alerts")
        if not box.settle(alert_id, who.name, backend.clock()):
            raise Conflict(f"alert {alert_id} is over already")
        backend.note(who.name, "settle", "alert", str(alert_id), rule=row.rule)
        backend.wake()
        row = box.alert(alert_id) or row
        return _alert(row, box.deliveries([alert_id]).get(alert_id, []))

    @get("/audit", operation_id="listAudit", summary="Who did what", sync_to_thread=True, opt=admin())
    def audit(
        self,
        backend: NamedDependency[Backend],
        actor: A[str | None, query("Only what this one did.", max_length=200)] = None,
        action: A[str | None, query("Only this: launch, set, delete, ...", max_length=200)] = None,
        kind: A[str | None, query("Only to this kind of thing: run, secret, ...", max_length=200)] = None,
        name: A[str | None, query("Only to the thing of this name.", max_length=500)] = None,
        since: A[str | None, moment("Only since then.")] = None,
        text: Text = "",
        sort: ByNumber = "-id",
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> AuditPage:
        """A page of the audit log. `text` is looked for in all that an entry says."""
        listed = partial(
            backend.store.audit_entries,
            since=seconds_at(since, "since") or 0.0,
            actor=actor,
            action=action,
            object_kind=kind,
            object_name=name,
            text=text,
        )
        page, following = by_number(backend.store, "audit", sort, cursor, limit, listed)
        items = [
            AuditEntry(
                id=row.id,
                at=at(row.at),
                actor=row.actor,
                action=row.action,
                kind=row.kind,
                name=row.name,
                data=row.data,
            )
            for row in page
        ]
        return AuditPage(items=items, next=following)

    @get("/settings", operation_id="getSettings", summary="How this is set up", sync_to_thread=True, opt=viewer())
    def settings(self, backend: NamedDependency[Backend], who: NamedDependency[Principal]) -> Settings:
        """Versions, the project, the store, limits; nothing secret."""
        store, project = backend.store, backend.project
        return Settings(
            version=version("batuta"),
            project=project.name,
            root=project.root,
            profile=project.profile,
            layers=list(backend.catalog.definitions.layers),
            store=StoreFacts(
                dialect=store.dialect,
                location=store.location,
                revision=store.revision(),
                newest_revision=revisions.NEWEST,
                size=store.size(),
                facts=store.facts(),
            ),
            scheduler=backend.service is not None,
            queue=msgspec.to_builtins(project.config.queue, enc_hook=float),
            retention=msgspec.to_builtins(project.config.retention, enc_hook=float),
            accounts=who.method != "local",
        )


def _page(rows: Sequence[Kept], text: str, sort: str, cursor: str | None, limit: int) -> tuple[list[Kept], str | None]:
    """A page of what is kept under names."""
    found = [row for row in rows if has_text(text, row.name, row.description)]
    key = attrgetter("name" if sort.endswith("name") else "changed_at")
    return page_of(found, key, attrgetter("name"), sort, cursor, limit)


def _vault(backend: Backend) -> Vault:
    from batuta.runtime.vault import keys_of

    return backend.store.vault(keys_of(backend.project))


def _delete(backend: Backend, who: Principal, kind: Literal["variable", "connection", "secret"], name: str) -> Deleted:
    return Deleted(deleted=_vault(backend).delete(kind, name, by=who.name, now=backend.clock()))


def _alert(row: AlertRow, deliveries: list[DeliveryRow]) -> Alert:
    return Alert(
        id=row.id,
        rule=row.rule,
        key=row.key,
        kind=row.kind,
        severity=row.severity,
        title=row.title,
        body=row.body,
        count=row.count,
        at=at(row.at),
        last_at=at(row.last_at),
        resolved_at=at_or_none(row.resolved_at),
        deliveries=[_delivery(one) for one in deliveries],
    )


def _delivery(row: DeliveryRow) -> Delivery:
    return Delivery(
        channel=row.channel,
        step=row.step,
        state=row.state,
        attempt=row.attempt,
        sent_at=at_or_none(row.sent_at),
        error=row.error,
    )


__all__ = ["Records", "Values"]
