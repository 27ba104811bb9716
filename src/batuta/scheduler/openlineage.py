"""The duty that sends OpenLineage events: runs that began and runs that ended, read from what is recorded.

Surprising: nothing is sent by what runs. Who ran it does not matter, and how far this has come is recorded, too: a
crash or a receiver that is down for an hour loses no event. What was sent may be sent again, with the same numbers.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core import definitions as model
from batuta.core.columns import ColumnLineage, decode_lineage
from batuta.core.definitions import AssetSpec, JobSpec
from batuta.core.errors import DefinitionError, TransientError
from batuta.runtime.observing_config import OpenLineageConfig
from batuta.scheduler.openlineage_events import Teller, Told
from batuta.store.rows import Leader, MaterializationRow, RunRow, TickerRow
from batuta.store.store import Store

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

NAME = "openlineage"
READ_S = 2.0
EVENTS_AT_A_TIME = 200
GIVE_UP_S = 86_400.0
"""For how long events are kept for a receiver that does not take them."""

logger = logging.getLogger("batuta.openlineage")

Emit = Callable[["RunEvent"], None]
"""Sends one event. Raises whatever says that it was not taken."""


class OpenLineageDuty:
    """See the module."""

    name = NAME
    leads = True

    def __init__(self, store: Store, emit: Emit, namespace: str) -> None:
        self._store = store
        self._emit = emit
        self._teller = Teller(store.identity(), namespace)
        self._cursor: int | None = None
        self._epoch = -1
        self._definitions: dict[str, tuple[str, dict[str, JobSpec]]] = {}
        self.sent = 0
        """How many events were sent."""

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`. Raises TransientError where the receiver does not take them: they are sent again later."""
        epoch = 0 if lead is None else lead.epoch
        if self._cursor is None or epoch != self._epoch:
            self._cursor, self._epoch = self._load(now, lead), epoch
        upto = self._store.last_event_id()
        while self._cursor < upto:
            kinds = ("run_started", "run_finished")
            events = self._store.events_of_kinds(kinds, self._cursor, upto, EVENTS_AT_A_TIME)
            for event in events:
                self._tell(event.run_id, event.kind, event.at, now)
                self._record(event.id, now, lead)
            if len(events) < EVENTS_AT_A_TIME:
                self._cursor = upto
        return now + READ_S

    def _load(self, now: float, lead: Leader | None) -> int:
        rows = self._store.tickers(NAME)
        if rows:
            return int(json.loads(rows[0].cursor)["event"])
        cursor = self._store.last_event_id()
        self._record(cursor, now, lead)
        return cursor

    def _record(self, cursor: int, now: float, lead: Leader | None) -> None:
        row = TickerRow(kind=NAME, location="", name="", cursor=json.dumps({"event": cursor}), changed_at=now)
        self._store.alerts.record([], row, lead=lead)
        self._cursor = cursor

    # ---- telling ----

    def _tell(self, run_id: int, kind: str, at: float, now: float) -> None:
        run = self._store.run(run_id)
        if run is None:  # pruned
            return
        job = self._job(run)
        begins = kind == "run_started"
        events: Iterable[RunEvent] = (
            [self._teller.started(run, job, at, self._above(run))] if begins else self._ended(run, job)
        )
        try:
            for event in events:
                self._emit(event)
                self.sent += 1
        except Exception as error:
            if now - at < GIVE_UP_S:
                message = f"events of run {run_id} were not taken: {error}"
                raise TransientError(message, hint="they are sent again; see [openlineage]") from error
            logger.exception("events of run %d were not taken for a day, and are given up", run_id)

    def _ended(self, run: RunRow, job: JobSpec | None) -> Iterable[RunEvent]:
        return self._teller.finished(self._told(run, job))

    def _told(self, run: RunRow, job: JobSpec | None) -> Told:
        made = self._store.materializations(run_id=run.id)
        checked = self._store.check_results(run_id=run.id)
        keys = {row.asset for row in made} | {row.asset for row in checked} | set(_read(made))
        defined = self._store.asset_definitions(sorted(keys))
        specs = {row.key: msgspec.json.decode(row.data, type=AssetSpec) for row in defined}
        tasks = list(self._store.task_runs(run.id))
        lineages = self._lineages(sorted(keys), specs)
        return Told(run, job, tasks, made, checked, specs, lineages, self._above(run))

    def _above(self, run: RunRow) -> str:
        """The job of the run that started it; empty where none did, or where it is pruned."""
        parent = None if run.parent_run is None else self._store.run(run.parent_run)
        return "" if parent is None else parent.job

    def _lineages(self, keys: list[str], specs: dict[str, AssetSpec]) -> dict[str, ColumnLineage]:
        """What columns are made from, as declared, or else as last found or reported."""
        found = {row.asset: decode_lineage(row.lineage) for row in self._store.columns.of(keys)}
        declared = {key: spec.column_lineage for key, spec in specs.items() if spec.column_lineage is not None}
        return {key: one for key, one in {**found, **declared}.items() if one.columns or one.rows}

    def _job(self, run: RunRow) -> JobSpec | None:
        row = self._store.definitions_at(run.location)
        if row is None or not row.data:
            return None
        version, jobs = self._definitions.get(run.location, ("", {}))
        if version != row.hash:
            jobs = {job.name: job for job in model.decode(row.data).jobs}
            self._definitions[run.location] = (row.hash, jobs)
        return jobs.get(run.job)


def _read(made: list[MaterializationRow]) -> set[str]:
    """What may be keys of assets that were read; of a partition, its key with and without the partition."""
    names = {name for row in made for name in msgspec.json.decode(row.inputs or b"{}")}
    return names | {name.rpartition("/")[0] for name in names if "/" in name}


# ---- the client ----


class Client:
    """The standard client, with the transport that [openlineage] or the environment names.

    Raises DefinitionError where the library is not there, or the transport cannot be made.
    """

    def __init__(self, config: OpenLineageConfig, *, fill: Callable[[str], str]) -> None:
        try:
            from openlineage.client import OpenLineageClient
        except ModuleNotFoundError:
            hint = 'install the extra: pip install "batuta[openlineage]"'
            raise DefinitionError("openlineage-python is not installed", hint=hint) from None
        transport = transport_of(config, fill)
        try:
            self._client: Any = OpenLineageClient(config={"transport": transport}) if transport else OpenLineageClient()
        except Exception as error:
            hint = "see [openlineage] in batuta.toml, and the OPENLINEAGE_ variables of the environment"
            raise DefinitionError(f"the transport for OpenLineage cannot be made: {error}", hint=hint) from error

    def __call__(self, event: RunEvent) -> None:
        self._client.emit(event)

    def close(self) -> None:
        """End what it is waiting for."""
        self._client.close()


def transport_of(config: OpenLineageConfig, fill: Callable[[str], str]) -> dict[str, Any]:
    """The transport as the client wants it; empty: as the environment says."""
    if config.transport:
        return {key: _filled(value, fill) for key, value in config.transport.items()}
    if not config.url:
        return {}
    transport: dict[str, Any] = {"type": "http", "url": config.url, "timeout": float(config.timeout_s)}
    if config.endpoint:
        transport["endpoint"] = config.endpoint
    if config.api_key:
        transport["auth"] = {"type": "api_key", "apiKey": fill(config.api_key)}
    return transport


def _filled(value: Any, fill: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {key: _filled(each, fill) for key, each in value.items()}
    return [_filled(each, fill) for each in value] if isinstance(value, list) else value


def is_wanted(config: OpenLineageConfig, environment: dict[str, str] | None = None) -> bool:
    """Whether events are sent: where the configuration or the environment names a receiver, and none forbids it."""
    env = dict(os.environ) if environment is None else environment
    named = any(name.startswith(("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG", "OPENLINEAGE__TRANSPORT")) for name in env)
    return bool(config.url or config.transport or named) and env.get("OPENLINEAGE_DISABLED", "").lower() != "true"
