"""Which queued runs are started now: by priority, fairly between jobs, within limits and rates.

Pure: what waits, what runs and `now` come in, what to start comes out, with the reason for what is not. Among equal
priorities the job with the fewest runs under way goes first, then the run that has waited longest. Surprising: waiting
raises a run's priority by one every `ageing_s`, so that a steady stream of urgent runs starves nobody.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from batuta.core.errors import DefinitionError

PERIODS_S = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


@dataclass(slots=True, frozen=True)
class Rate:
    """At most `runs` starts in any `per_s` seconds."""

    runs: int
    per_s: float


@dataclass(slots=True, frozen=True)
class Limits:
    """How many runs are executed at a time.

    In all, by job (`location/job` or `job`), by location, by tag (`key=value`, or `key` for each of its values),
    by concurrency key (1 where nothing is said). `rates` have the same names with their kind before: `job:nightly`,
    `location:shop`, `tag:team=risk`, `key:acme`, or `all`.
    """

    total: int | None = None
    jobs: Mapping[str, int] = field(default_factory=dict)
    locations: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    ageing_s: float = 300.0


@dataclass(slots=True, frozen=True)
class QueuedRun:
    """A run that waits. `serial`: only one run of that name at a time, in the order of their creation."""

    id: int
    location: str
    job: str
    created_at: float
    priority: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    concurrency_key: str = ""
    serial: str = ""


@dataclass(slots=True, frozen=True)
class OpenRun:
    """A run that is executed (or was, and will be again), which takes up limits."""

    location: str
    job: str
    tags: Mapping[str, str] = field(default_factory=dict)
    concurrency_key: str = ""
    serial: str = ""


@dataclass(slots=True)
class Choice:
    """`start` in this order. `held`: why the others wait. `again_at`: when a rate has room again."""

    start: list[int] = field(default_factory=list)
    held: dict[int, str] = field(default_factory=dict)
    again_at: float | None = None


def parse_rate(text: str, where: str | None = None) -> Rate:
    """`10/minute`, `1/5s`, `100/2 hours`. Raises DefinitionError."""
    found = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)?\s*([a-z]+)\s*", text)
    unit = found[3] if found else ""
    names = [name for name in PERIODS_S if unit in (name, f"{name}s", name[0], name[:3])]
    if not found or not names or int(found[1]) < 1 or float(found[2] or 1) <= 0:
        raise DefinitionError(f"{text!r} is not a rate", where=where, hint="write for example 10/minute or 1/5s")
    return Rate(int(found[1]), float(found[2] or 1) * PERIODS_S[names[0]])


def choose(
    queued: Iterable[QueuedRun],
    running: Iterable[OpenRun],
    limits: Limits,
    now: float,
    *,
    started: Mapping[str, Sequence[float]] | None = None,
    room: int | None = None,
) -> Choice:
    """What to start. `started`: when runs of each rate's name began lately. `room`: how many more at most."""
    return _Chooser(limits, running, now, started or {}).choose(queued, room)


def rate_names(run: QueuedRun | OpenRun) -> list[str]:
    """The names of rates that a run counts for."""
    names = ["all", f"job:{run.job}", f"job:{run.location}/{run.job}", f"location:{run.location}"]
    for key, value in run.tags.items():
        names += [f"tag:{key}", f"tag:{key}={value}"]
    if run.concurrency_key:
        names.append(f"key:{run.concurrency_key}")
    return names


class _Chooser:
    def __init__(
        self, limits: Limits, running: Iterable[OpenRun], now: float, started: Mapping[str, Sequence[float]]
    ) -> None:
        self.limits = limits
        self.now = now
        self.counts: dict[str, int] = {}
        self.of_job: dict[tuple[str, str], int] = {}
        self.starts = {
            name: sorted(at for at in started.get(name, ()) if at > now - rate.per_s)
            for name, rate in limits.rates.items()
        }
        self.choice = Choice()
        for run in running:
            self._count(run)

    def choose(self, queued: Iterable[QueuedRun], room: int | None) -> Choice:
        waiting: dict[tuple[str, str], list[tuple[int, int, QueuedRun]]] = {}
        for run in queued:
            waiting.setdefault((run.location, run.job), []).append((-self._weight(run), run.id, run))
        heads: list[tuple[int, int, int, tuple[str, str]]] = []
        for job, runs in waiting.items():
            runs.sort(reverse=True)
            self._push(heads, job, runs)
        blocked: set[str] = set()
        while heads:
            _weight, _count, _id, job = heapq.heappop(heads)
            runs = waiting[job]
            run = runs.pop()[2]
            why = "as many runs as this scheduler takes at a time" if room == 0 else self._held(run, blocked)
            if why:
                self.choice.held[run.id] = why
                if run.serial:
                    blocked.add(run.serial)
            else:
                room = None if room is None else room - 1
                self._start(run)
            if runs:
                self._push(heads, job, runs)
        return self.choice

    def _weight(self, run: QueuedRun) -> int:
        waited_s = max(self.now - run.created_at, 0.0)
        return run.priority + int(waited_s // self.limits.ageing_s if self.limits.ageing_s > 0 else 0)

    def _push(
        self,
        heads: list[tuple[int, int, int, tuple[str, str]]],
        job: tuple[str, str],
        runs: list[tuple[int, int, QueuedRun]],
    ) -> None:
        weight, number, _run = runs[-1]
        heapq.heappush(heads, (weight, self.of_job.get(job, 0), number, job))

    def _held(self, run: QueuedRun, blocked: set[str]) -> str:
        """Why it may not start, or ""."""
        if run.serial and (run.serial in blocked or self.counts.get(f"serial:{run.serial}")):
            return "an earlier run of the same schedule is not finished"
        for name, most, told in self._limits_of(run):
            if self.counts.get(name, 0) >= most:
                return f"{told}: {most} at a time"
        for name in self._rates_of(run):
            rate, starts = self.limits.rates[name], self.starts[name]
            if len(starts) >= rate.runs:
                again = starts[-rate.runs] + rate.per_s
                self.choice.again_at = min(again, self.choice.again_at or again)
                return f"rate of {name}: {rate.runs} in {rate.per_s:g} s"
        return ""

    def _limits_of(self, run: QueuedRun | OpenRun) -> list[tuple[str, int, str]]:
        limits = self.limits
        found: list[tuple[str, int, str]] = []
        if limits.total is not None:
            found.append(("all", limits.total, "limit of all runs"))
        for name in (f"{run.location}/{run.job}", run.job):
            if name in limits.jobs:
                found.append((f"job:{run.location}/{run.job}", limits.jobs[name], f"limit of job {run.job}"))
                break
        if run.location in limits.locations:
            most = limits.locations[run.location]
            found.append((f"location:{run.location}", most, f"limit of location {run.location}"))
        for key, value in run.tags.items():
            for name in (f"{key}={value}", key):
                if name in limits.tags:
                    found.append((f"tag:{key}={value}", limits.tags[name], f"limit of tag {key}={value}"))
                    break
        if run.concurrency_key:
            most = limits.keys.get(run.concurrency_key, 1)
            found.append((f"key:{run.concurrency_key}", most, f"limit of concurrency key {run.concurrency_key}"))
        return found

    def _rates_of(self, run: QueuedRun) -> list[str]:
        return [name for name in rate_names(run) if name in self.limits.rates] if self.limits.rates else []

    def _start(self, run: QueuedRun) -> None:
        self.choice.start.append(run.id)
        self._count(run)
        for name in self._rates_of(run):
            self.starts[name].append(self.now)

    def _count(self, run: QueuedRun | OpenRun) -> None:
        names = [name for name, _most, _told in self._limits_of(run)]
        if run.serial:
            names.append(f"serial:{run.serial}")
        for name in names:
            self.counts[name] = self.counts.get(name, 0) + 1
        job = (run.location, run.job)
        self.of_job[job] = self.of_job.get(job, 0) + 1
