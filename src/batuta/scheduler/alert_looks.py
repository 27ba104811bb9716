"""What is the case, as facts for the rules: runs that are late or take long, schedules nobody sees to, broken code.

Each look gives all trouble of its kind that there is; what it no longer gives is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from batuta.core.alert_rules import Fact, longest_usual
from batuta.core.alert_specs import Rule, texts
from batuta.core.definitions import AssetSpec, decode
from batuta.core.durations import spoken
from batuta.core.environments import environment_of
from batuta.core.freshness_overdue import overdue
from batuta.core.partition_types import DynamicPartitions, MultiPartitions, Partitions
from batuta.runtime.masking import mask
from batuta.scheduler.alert_facts import data_of
from batuta.store.rows import DefinitionsRow, RunRow, TickerRow
from batuta.store.store import Store

OPEN_STATES = ("queued", "running", "paused", "cancelling")
OPEN_MAX = 20_000
HISTORY_KEPT_S = 300.0
FRESHNESS_S = 60.0
TICKS_BEFORE = 5_000
"""How many ticks of the past the first look reads."""
FAILED_READ_MAX = 1_000
"""How far back the first of several failed evaluations is looked for."""
MISSED_S = 60.0
"""How long after its time a schedule has to be looked at before that is trouble."""


class Looks:
    """Looks at the store for lasting trouble. In the thread of one duty."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._usual: dict[tuple[str, str], tuple[float, float | None]] = {}
        self._open: list[RunRow] | None = None
        self._tick_id: int | None = None
        self._bad_ticks: dict[tuple[str, str], Fact] = {}
        self._versions: tuple[tuple[str, str], ...] = ()
        self._policies: dict[str, tuple[AssetSpec, str]] = {}
        self._names: dict[str, tuple[str, set[tuple[str, str]]]] = {}
        self._defined: dict[str, set[tuple[str, str]]] | None = None
        self._overdue_at = 0.0
        self._overdue_found: list[Fact] = []

    def begin(self) -> None:
        """Another round: look at the runs and definitions anew."""
        self._open = self._defined = None

    def at(self, kind: str, rule: Rule, now: float) -> list[Fact]:
        """All trouble of a lasting kind that there is under a rule."""
        match kind:
            case "late":
                return self._late(rule, now)
            case "long_running":
                return self._long(rule, now)
            case "schedule_missed":
                return self._missed(now)
            case "evaluation_failed":
                return self._failing(rule)
            case "location_broken":
                return self._broken()
            case "freshness_overdue":
                return self._overdue(now)
        return []

    def _runs(self) -> list[RunRow]:
        if self._open is None:
            rows = self._store.runs(states=OPEN_STATES, limit=OPEN_MAX)
            self._open = [row for row in rows if not environment_of(row.config)]
        return self._open

    # ---- runs ----

    def _late(self, rule: Rule, now: float) -> list[Fact]:
        """Runs of schedules count from their logical time, all others from when somebody asked for them."""
        found = []
        for run in self._runs():
            due = run.logical_at if run.trigger == "schedule" and run.logical_at is not None else run.created_at
            start_s, finish_s = rule.start_within_s, rule.finish_within_s
            if run.started_at is None and start_s is not None and now > due + start_s:
                what = f"has not started {spoken(now - due)} after it was due"
                found.append(_fact("late", run, due + start_s, what, due))
            elif finish_s is not None and now > due + finish_s:
                what = f"has not finished {spoken(now - due)} after it was due"
                found.append(_fact("late", run, due + finish_s, what, due))
        return found

    def _long(self, rule: Rule, now: float) -> list[Fact]:
        found = []
        for run in self._runs():
            if run.started_at is None or run.state == "paused":
                continue
            usual = self._usual_of(run.job, rule, now)
            if usual is not None and now - run.started_at > usual:
                what = f"has been running for {spoken(now - run.started_at)}; {spoken(usual)} is long for it"
                found.append(_fact("long_running", run, run.started_at + usual, what, run.started_at))
        return found

    def _usual_of(self, job: str, rule: Rule, now: float) -> float | None:
        """From when on a run of a job is long, by its history; looked up again every few minutes."""
        known = self._usual.get((rule.called, job))
        if known is not None and now - known[0] < HISTORY_KEPT_S:
            return known[1]
        rows = self._store.runs(job=job, states="succeeded", limit=rule.history)
        lengths = [row.finished_at - row.started_at for row in rows if row.finished_at and row.started_at]
        usual = longest_usual(lengths, rule)
        self._usual = {key: value for key, value in self._usual.items() if now - value[0] < HISTORY_KEPT_S}
        self._usual[rule.called, job] = now, usual
        return usual

    # ---- schedules, locations ----

    def _missed(self, now: float) -> list[Fact]:
        """Schedules whose time has come and nobody looks; whose last tick failed, or came too late to catch up."""
        self._read_ticks()
        rows = {(row.location, row.name): row for row in self._store.tickers("schedule")}
        found = [fact for name, fact in self._bad_ticks.items() if name in rows and rows[name].enabled is not False]
        for (location, name), row in rows.items():
            if row.enabled is False or row.next_at is None or row.next_at + MISSED_S > now or not self._is_defined(row):
                continue
            due = datetime.fromtimestamp(row.next_at, UTC).isoformat(" ", "seconds")
            told = f"the schedule {name} was due at {due} and was not looked at"
            found.append(_missed(location, name, row.next_at, told))
        return found

    def _read_ticks(self) -> None:
        box = self._store.alerts
        if self._tick_id is None:
            self._tick_id = max(box.last_tick_id() - TICKS_BEFORE, 0)
        while ticks := box.ticks_after(self._tick_id, "schedule"):
            self._tick_id = ticks[-1].id
            for tick in ticks:
                name = (tick.location, tick.name)
                if tick.outcome == "failed" or tick.data.get("cause") == "catch_up":
                    due = tick.at if tick.logical_at is None else tick.logical_at
                    self._bad_ticks[name] = _missed(*name, due, mask(tick.reason))
                elif tick.outcome == "launched":
                    self._bad_ticks.pop(name, None)

    def _failing(self, rule: Rule) -> list[Fact]:
        """Schedules and sensors that are on, and whose last evaluations failed."""
        return [
            self._failed(row)
            for kind in ("schedule", "sensor")
            for row in self._store.tickers(kind)
            if row.failures >= rule.failures_min and row.enabled is not False and self._is_defined(row)
        ]

    def _failed(self, row: TickerRow) -> Fact:
        count = min(row.failures, FAILED_READ_MAX)
        ticks = self._store.ticks(kind=row.kind, location=row.location, name=row.name, outcome="failed", limit=count)
        since = ticks[-1].at if ticks else row.ticked_at
        told = f"the {row.kind} {row.name} failed {row.failures} times in a row"
        return Fact(
            kind="evaluation_failed",
            subject=f"{row.kind} {row.location}/{row.name}",
            at=row.ticked_at or 0.0,
            since=since,
            location=row.location,
            message=mask(f"{told}: {ticks[0].reason}" if ticks else told),
        )

    def _is_defined(self, row: TickerRow) -> bool:
        """Whether its location still defines it, as far as that is known."""
        if self._defined is None:
            rows = [each for each in self._store.definitions() if each.data]
            self._names = {each.location: (each.hash, self._names_in(each)) for each in rows}
            self._defined = {location: names for location, (_, names) in self._names.items()}
        known = self._defined.get(row.location)
        return known is None or (row.kind, row.name) in known

    def _names_in(self, row: DefinitionsRow) -> set[tuple[str, str]]:
        """The schedules and sensors that a location defines, decoded only where that has changed."""
        known = self._names.get(row.location)
        if known is not None and known[0] == row.hash:
            return known[1]
        found = decode(row.data)
        return {("schedule", spec.name) for spec in found.schedules} | {("sensor", spec.name) for spec in found.sensors}

    def _broken(self) -> list[Fact]:
        return [
            Fact(
                kind="location_broken",
                subject=row.location,
                at=row.loaded_at,
                since=row.loaded_at,
                location=row.location,
                message=mask(row.error),
            )
            for row in self._store.definitions()
            if row.error
        ]

    # ---- assets ----

    def _overdue(self, now: float) -> list[Fact]:
        """Assets that are not as fresh as they are to be; looked at once a minute."""
        if self._overdue_at + FRESHNESS_S > now:
            return self._overdue_found
        moment = datetime.fromtimestamp(now, UTC)
        assets = self._assets_with_policy()
        made: dict[str, dict[str, float]] = {}
        for (asset, partition), row in (self._store.asset_states(list(assets)) if assets else {}).items():
            made.setdefault(asset, {})[partition] = row.at
        found = []
        for key, (spec, location) in assets.items():
            assert spec.freshness is not None
            dynamic_keys = self._dynamic_keys(spec.partitions)
            late = overdue(spec.freshness, spec.partitions, made.get(key, {}), moment, dynamic_keys)
            if late:
                found.append(_not_fresh(spec, location, late, made.get(key, {}), now))
        self._overdue_at, self._overdue_found = now, found
        return found

    def _dynamic_keys(self, definition: Partitions | None) -> dict[str, list[str]]:
        parts = definition.dimensions.values() if isinstance(definition, MultiPartitions) else (definition,)
        names = [part.name for part in parts if isinstance(part, DynamicPartitions)]
        return {name: self._store.dynamic_partitions(name) for name in names}

    def _assets_with_policy(self) -> dict[str, tuple[AssetSpec, str]]:
        """They are decoded anew only where definitions have changed."""
        versions = tuple((row.location, row.hash) for row in self._store.definitions())
        if versions != self._versions:
            rows = self._store.asset_definitions()
            specs = [(msgspec.json.decode(row.data, type=AssetSpec), row.location) for row in rows]
            self._policies = {spec.key: (spec, location) for spec, location in specs if spec.freshness is not None}
            self._versions = versions
        return self._policies


def _not_fresh(spec: AssetSpec, location: str, late: list[str], made: dict[str, float], now: float) -> Fact:
    last = max(made.values(), default=None)
    told = "it was never made" if last is None else f"it was made last {spoken(now - last)} ago"
    which = f" ({', '.join(late[:5])}{' ...' if len(late) > 5 else ''})" if any(late) else ""
    return Fact(
        kind="freshness_overdue",
        subject=spec.key,
        at=now,
        location=location,
        tags=spec.tags,
        asset=spec.key,
        layers=(spec.layer,) if spec.layer else (),
        partition=late[0] if len(late) == 1 else "",
        message=f"{spec.key}{which} is to be {spec.freshness}; {told}",
        data={"overdue": late[:100]},
    )


def _missed(location: str, name: str, due: float, message: str) -> Fact:
    subject = f"{location}/{name}"
    return Fact(kind="schedule_missed", subject=subject, at=due, since=due, location=location, message=message)


def looked_at(rules: Sequence[Rule], kinds: Sequence[str]) -> list[tuple[str, Rule]]:
    """Which rules want which lasting kinds to be looked at."""
    return [(kind, rule) for rule in rules if rule.enabled for kind in kinds if kind in texts(rule.on)]


def _fact(kind: str, run: RunRow, at: float, what: str, since: float) -> Fact:
    return Fact(
        kind=kind,
        subject=f"run {run.id}",
        at=at,
        since=since,
        job=run.job,
        location=run.location,
        tags=run.tags,
        partition=run.partition,
        run_id=run.id,
        message=f"run {run.id} of {run.job} {what}",
        data=data_of(run),
    )
