"""The duty that makes assets, and starts jobs, because of what happened to assets: `core.automation` at work.

What it decides and the runs that it starts are one transaction, under the lead: a crash between decision and run
neither loses a run nor makes two. Surprising: what it has in memory is ahead of the store until then, so whenever that
transaction fails all of it is forgotten and read anew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core import asset_triggers, definitions
from batuta.core.asset_triggers import AssetTriggerSpec, Pending, TriggeringEvent
from batuta.core.automation import Decision, Requested
from batuta.core.definitions import Definitions
from batuta.core.errors import BatutaError
from batuta.core.explanations import Explanation
from batuta.scheduler.automation_memory import MEMORY, SCOPE, Loaded
from batuta.scheduler.automation_world import Name, World, trigger_name, world_of
from batuta.scheduler.launching import RunSpec
from batuta.store.rows import KeyedRun, Leader, MaterializationRow, NewTick, TickerRow

if TYPE_CHECKING:
    from batuta.scheduler.service import Service

KIND = "automation"
SETTLE_S = 0.1
"""What happens within so short a time is looked at together."""
TOLD_MAX = 500
"""So many explanations are written in one transaction; the rest follows it, not to hold up others."""
METADATA_MAX = 4_096
"""So many bytes of metadata come with a triggering event; of more, nothing does."""
_metadata = msgspec.json.Decoder(dict[str, Any])


class AutomationDuty:
    """See the module."""

    name = "automation"
    leads = True

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loaded: Loaded | None = None
        self._changed = threading.Event()
        self._changed.set()
        self._switched: dict[Name, bool] = {}
        self._world: World | None = None
        self._rests_until = 0.0
        self._epoch = -1

    def definitions_changed(self) -> None:
        """Definitions may have changed: look anew at the next call."""
        self._changed.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is automated, as far as is known."""
        return self._world is not None and not self._world.is_automated

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`."""
        if lead is not None and lead.epoch != self._epoch:
            self._epoch, self._loaded = lead.epoch, None
        if now < self._rests_until:
            return self._rests_until
        self._rests_until = now + SETTLE_S
        try:
            return self._tick(now, lead)
        except BaseException:
            self._loaded = self._world = None
            raise

    def _tick(self, now: float, lead: Leader | None) -> float | None:
        world = self._look_at_definitions()
        if not world.is_automated:
            self._loaded = None
            return None
        loaded = self._loaded
        if loaded is None:
            loaded = self._loaded = Loaded(self._service.store, world, now)
        elif loaded.world is not world:
            loaded.world = world
            loaded.automation.redefine(world.index, world.locations, world.closed)
        changes = loaded.news.look(world.dynamic_names)
        decision = loaded.automation.tick(changes, datetime.fromtimestamp(now, UTC))
        jobs = _Jobs(self._service, loaded).hear(now) if world.triggers else []
        if decision.changed or jobs:
            self._record(loaded, decision, jobs, now, lead)
        wake_at = loaded.automation.wake_at
        return None if wake_at is None else max(wake_at, self._rests_until)

    def _look_at_definitions(self) -> World:
        """The definitions that serve, and what is turned on; the same object while they stay the same."""
        switched = self._service.store.asset_feed.switched(KIND)
        if self._world is None or self._changed.is_set() or switched != self._switched:
            self._changed.clear()
            known: list[tuple[str, Definitions]] = []
            closed: list[str] = []
            for location in self._service.locations:
                if location.current is not None:
                    known.append((location.name, location.current.definitions))
                elif (row := self._service.store.definitions_at(location.name)) is not None and row.data:
                    known.append((location.name, definitions.decode(row.data)))
                    closed.append(location.name)
            self._world, self._switched = world_of(known, switched, closed), switched
        return self._world

    # ---- what a tick leads to ----

    def _record(self, loaded: Loaded, decision: Decision, jobs: list[NewTick], now: float, lead: Leader | None) -> None:
        """Write what was decided, with its runs."""
        service = self._service
        specs = [_run_spec(request, loaded.world) for request in decision.requests]
        made = service.launching.runs_from(specs, now) if specs else []
        refused: dict[str, BatutaError] = {}
        runs: list[KeyedRun] = []
        for request, run in zip(decision.requests, made, strict=True):
            if isinstance(run, BatutaError):
                refused[request.key] = run
                loaded.news.never(request.key)
            else:
                runs.append(run)
        ended_at = service.clock()
        head, *shards = loaded.kept(now, ended_at)
        head.runs = runs
        told = _ticks(decision, loaded.world, refused, now, ended_at)
        first, rest = told[:TOLD_MAX], told[TOLD_MAX:]
        service.store.record_ticks([head, *shards, *first, *jobs], leader=lead, now=now)
        if runs:
            ids = service.store.asset_feed.keyed(SCOPE, [run.key for run in runs])
            loaded.news.know(ids)
            for tick in rest:
                tick.run_ids = [ids[key] for _, key in tick.shares if key in ids]
        if runs or any(job.runs for job in jobs):
            service.wake("queue")
        for start in range(0, len(rest), TOLD_MAX):
            service.store.record_ticks(rest[start : start + TOLD_MAX], leader=lead, now=now)


def _run_spec(request: Requested, world: World) -> RunSpec:
    """The run that makes what was requested, and nothing else."""
    assets = world.index.assets
    partitions = {key: list(keys) for key, keys in request.targets.items() if assets[key].partitions is not None}
    return RunSpec(
        location=request.location,
        selection=" ".join(f'"{key}"' for key in request.targets),
        key=request.key,
        partition=partitions or None,
        trigger=KIND,
        origin=next(iter(request.targets)),
    )


def _ticks(
    decision: Decision, world: World, refused: Mapping[str, BatutaError], now: float, ended_at: float
) -> list[NewTick]:
    """A tick for each asset whose evaluation came to something else than before."""
    wanted = {asset: request.key for request in decision.requests for asset in request.targets}
    found: list[NewTick] = []
    for why in decision.explanations:
        key = wanted.get(why.asset) if why.requested.count else None
        error = refused.get(key) if key is not None else None
        outcome = "skipped" if key is None else "launched" if error is None else "failed"
        tick = NewTick(
            ticker=TickerRow(kind=KIND, location=world.locations[why.asset], name=why.asset, ticked_at=now),
            at=now,
            ended_at=ended_at,
            outcome=outcome,
            reason=str(error) if error is not None else reason(why),
            data=msgspec.to_builtins(why),
        )
        if outcome == "launched" and key is not None:
            tick.shares = [(SCOPE, key)]
        found.append(tick)
    return found


def reason(why: Explanation) -> str:
    """An explanation in one line."""
    if why.requested.count:
        return f"requested {why.requested}" if why.requested.total else "requested"
    if why.in_progress.count:
        return "it is being made"
    if why.requested_before.count:
        return "it was requested before, and nothing has changed since"
    return "its condition does not hold" if not why.condition.holds.count else "nothing to request"


class _Jobs:
    """The jobs that are started by what was just made."""

    def __init__(self, service: Service, loaded: Loaded) -> None:
        self._service = service
        self._loaded = loaded

    def hear(self, now: float) -> list[NewTick]:
        """Let each job hear the news; the ticks of those that start."""
        loaded = self._loaded
        triggers = loaded.world.triggers
        for gone in loaded.pending.keys() - triggers.keys():
            del loaded.pending[gone]
        awaited = {leaf.asset for trigger in triggers.values() for leaf in asset_triggers.leaves(trigger.on)}
        rows = [row for _, row in loaded.news.made if row.asset in awaited]
        if not rows and not any(pending.events for pending in loaded.pending.values()):
            return []
        makers = self._service.store.asset_feed.runs({row.run_id for row in rows}) if rows else {}
        jobs = {run_id: (run.location, run.job) for run_id, run in makers.items()}
        fired: list[tuple[Name, AssetTriggerSpec, tuple[TriggeringEvent, ...]]] = []
        for name, trigger in triggers.items():
            news = [event_of(row) for row in rows if jobs.get(row.run_id) != name]
            pending = loaded.pending.get(name, Pending())
            is_open = name[0] not in loaded.world.closed
            loaded.pending[name], events = asset_triggers.hear(trigger.on, pending, news, may_start=is_open)
            if events is not None:
                fired.append((name, trigger, events))
        return self._ticks(fired, now)

    def _ticks(
        self, fired: list[tuple[Name, AssetTriggerSpec, tuple[TriggeringEvent, ...]]], now: float
    ) -> list[NewTick]:
        key = str(self._loaded.news.read.made)
        specs = [_job_spec(name, trigger, events, key) for name, trigger, events in fired]
        ticks: list[NewTick] = []
        for (name, trigger, events), run in zip(fired, self._service.launching.runs_from(specs, now), strict=True):
            tick = NewTick(
                ticker=TickerRow(kind=KIND, location=name[0], name=trigger_name(name[1]), ticked_at=now),
                at=now,
                ended_at=self._service.clock(),
                outcome="launched",
                reason=f"{asset_triggers.text(trigger.on)} was made",
                data={"events": _shown(events)},
            )
            if isinstance(run, BatutaError):
                tick.outcome, tick.reason = "failed", str(run)
            else:
                tick.runs = [run]
            ticks.append(tick)
        return ticks


def _job_spec(name: Name, trigger: AssetTriggerSpec, events: Iterable[TriggeringEvent], key: str) -> RunSpec:
    return RunSpec(
        job=trigger.job,
        location=name[0],
        key=key,
        params=trigger.params,
        tags=trigger.tags,
        config={asset_triggers.CONFIG_KEY: msgspec.to_builtins(list(events))},
        trigger=KIND,
        origin=trigger_name(trigger.job),
    )


def event_of(row: MaterializationRow) -> TriggeringEvent:
    """A materialization as the job sees it that it starts."""
    metadata = _metadata.decode(row.metadata) if len(row.metadata) <= METADATA_MAX else {}
    return TriggeringEvent(row.asset, row.partition, row.run_id, row.at, row.data_version, metadata)


def _shown(events: tuple[TriggeringEvent, ...]) -> dict[str, int]:
    """How many events of each asset."""
    counts: dict[str, int] = {}
    for event in events:
        counts[event.asset] = counts.get(event.asset, 0) + 1
    return counts


__all__ = ["KIND", "MEMORY", "AutomationDuty", "reason"]
