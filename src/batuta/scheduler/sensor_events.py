"""What the store has for sensors: runs that have ended, assets that were made, requests that were signed.

Read in the order of their ids from the one that the cursor names, so that each is given once, whatever crashes. What
happens in an environment is not production's, and is left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from batuta.core import events as ev
from batuta.core.environments import environment_of
from batuta.core.errors import RequestError
from batuta.core.sensor_specs import Assets, Runs, SensorSpec, Webhook
from batuta.core.sensors import EVENTS_MAX
from batuta.scheduler.webhooks import signal_name
from batuta.store.store import Store


class Seen(NamedTuple):
    """Events as data, and the cursor after them. `more`: there is more."""

    events: list[dict[str, Any]]
    cursor: str
    more: bool


class Events:
    """See the module. Safe to use from many threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def after(self, location: str, spec: SensorSpec, cursor: str) -> Seen:
        """What its source has seen since. Raises RequestError for a cursor that is none."""
        if not cursor.isdecimal() or len(cursor) > 18:
            raise RequestError(
                f"the cursor {cursor[:40]!r} is not the number of an event",
                where=str(spec.place),
                hint="`batuta sensors reset NAME` begins anew",
            )
        after_id = int(cursor)
        match spec.source:
            case Runs():
                return self._runs(spec, spec.source, after_id)
            case Assets():
                return self._assets(spec.source, after_id)
            case Webhook():
                return self._requests(location, spec, after_id)
        raise RequestError(f"{spec.name!r} looks at nothing in the store", where=str(spec.place))

    def _of_kind(self, kind: str, after_id: int) -> tuple[list[tuple[int, int, ev.Event]], str, bool]:
        """(event id, run, event), the cursor after them, and whether there is more."""
        upto = self._store.last_event_id()
        rows = self._store.events_of_kinds([kind], after_id, upto, EVENTS_MAX)
        more = len(rows) >= EVENTS_MAX
        cursor = rows[-1].id if more else max(upto, after_id)
        return [(row.id, row.run_id, ev.decode(row.data)) for row in rows], str(cursor), more

    def _runs(self, spec: SensorSpec, source: Runs, after_id: int) -> Seen:
        found, cursor, more = self._of_kind("run_finished", after_id)
        rows = {row.id: row for row in self._store.runs_numbered({run_id for _, run_id, _ in found})} if found else {}
        events: list[dict[str, Any]] = []
        for number, run_id, event in found:
            row = rows.get(run_id)
            if row is None or not isinstance(event, ev.RunFinished) or str(event.state) not in source.states:
                continue
            if environment_of(row.config):
                continue
            own = row.trigger == "sensor" and row.origin == spec.name
            if (source.jobs and row.job not in source.jobs) or (not source.jobs and own):
                continue
            if source.location and row.location != source.location:
                continue
            events.append(
                {
                    "key": str(number),
                    "run_id": run_id,
                    "job": row.job,
                    "location": row.location,
                    "state": str(event.state),
                    "partition": row.partition,
                    "logical_at": row.logical_at,
                    "finished_at": event.at,
                    "params": row.params,
                    "error": row.error,
                }
            )
        return Seen(events, cursor, more)

    def _assets(self, source: Assets, after_id: int) -> Seen:
        found, cursor, more = self._of_kind("asset_materialized", after_id)
        wanted = set(source.assets)
        events = [
            {
                "key": str(number),
                "asset": event.asset,
                "partition": event.partition,
                "run_id": run_id,
                "at": event.at,
                "data_version": event.data_version,
            }
            for number, run_id, event in found
            if isinstance(event, ev.AssetMaterialized) and event.asset in wanted and not event.environment
        ]
        return Seen(events, cursor, more)

    def _requests(self, location: str, spec: SensorSpec, after_id: int) -> Seen:
        name = signal_name(location, spec.name)
        rows = self._store.signals(name, after_id=after_id, limit=EVENTS_MAX)
        events = [{**row.data, "at": row.at} for row in rows]
        return Seen(events, str(rows[-1].id if rows else after_id), len(rows) >= EVENTS_MAX)


def beginning(store: Store, spec: SensorSpec) -> str:
    """The cursor of a sensor that is new: what happens from now on counts."""
    match spec.source:
        case Runs() | Assets():
            return str(store.last_event_id())
        case Webhook():
            return "0"  # what was sent to it counts, however late its scheduler saw it
    return ""
