"""What runs unattended, as the API shows it: home, locations, tickers and ticks, pools and the queue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Any, Literal

import msgspec

from batuta.server.shapes.base import Given, Shape, doc
from batuta.server.shapes.health import Process, ReadyCheck
from batuta.server.shapes.jobs import NextTime
from batuta.server.shapes.runs import Run

TickerKind = Literal["schedule", "sensor", "automation"]
TickOutcome = Literal["launched", "skipped", "failed"]


class LateRun(Shape):
    """A run that takes longer than it should."""

    run: A[Run, doc("The run.")]
    usual_s: A[float | None, doc("The median of how long its job took lately.", 12.0)]
    why: A[str, doc("Why it counts as late.", "it takes 4 times as long as usual")]


class LocationHealth(Shape):
    """A code location in a few words."""

    name: A[str, doc("Its name.", "shop")]
    error: A[str, doc("Why its newest version does not serve; empty if it does.")]
    problems: A[int, doc("How many of its files could not be loaded.", 0)]
    loaded_at: A[datetime, doc("When it was loaded, or tried to be, last.")]


class Home(Shape):
    """What somebody wants to see first."""

    now: A[datetime, doc("The server's time.")]
    counts: A[dict[str, int], doc("Unfinished runs in each state.", {"running": 3, "queued": 1})]
    last_day: A[dict[str, int], doc("Runs of the last 24 hours in each state.", {"succeeded": 120, "failed": 2})]
    running: A[list[Run], doc("What runs, the newest first.")]
    failed: A[list[Run], doc("What failed in the last 24 hours, the newest first.")]
    paused: A[list[Run], doc("What waits for a person's answer.")]
    late: A[list[LateRun], doc("What takes longer than it should.")]
    next: A[list[NextTime], doc("What the clock starts next: of each schedule the next three times.")]
    assets: A[dict[str, int], doc("Assets in each state.", {"fresh": 12, "stale": 2})]
    checks_failed: A[int, doc("Checks whose last verdict is not good.", 0)]
    alerts_open: A[int, doc("Alerts that are not over.", 0)]
    locations: A[list[LocationHealth], doc("The code locations.")]
    processes: A[list[Process], doc("The processes of the service.")]
    health: A[list[ReadyCheck], doc("What the server needs to do its work.")]


class TimelineRun(Shape):
    """A run on the time line."""

    id: A[int, doc("Its number.", 42)]
    job: A[str, doc("Its job.", "nightly")]
    location: A[str, doc("Its location.", "shop")]
    kind: A[str, doc("What the job is.", "dag")]
    state: A[str, doc("Where it stands.", "running")]
    created_at: A[datetime, doc("When it was asked for.")]
    started_at: A[datetime | None, doc("When it began.")]
    finished_at: A[datetime | None, doc("When it ended.")]


class Timeline(Shape):
    """Runs over time across jobs, and what the clock starts next."""

    since: A[datetime, doc("From when on.")]
    until: A[datetime, doc("Until when: also future times.")]
    runs: A[list[TimelineRun], doc("The runs created in between, the newest first.")]
    more: A[bool, doc("Whether there were more runs than fit.")]
    next: A[list[NextTime], doc("Future times of schedules.")]


class LocationProblem(Shape):
    """Why a file of a location could not be loaded."""

    message: A[str, doc("What is wrong.", "SyntaxError: invalid syntax")]
    place: A[str, doc("Where.", "pipelines/shop.py:12")]
    hint: A[str, doc("What to do.")]
    detail: A[str, doc("The traceback.")]


class Location(Shape):
    """A code location: a Python environment plus the modules in it that define jobs and assets."""

    name: A[str, doc("Its name.", "shop")]
    version: A[str, doc("Content hash of what it defines.")]
    loaded_at: A[datetime, doc("When it was loaded, or tried to be, last.")]
    error: A[str, doc("Why its newest version does not serve; the last good one goes on.")]
    problems: A[list[LocationProblem], doc("What is wrong with single files.")]
    jobs: A[int, doc("How many jobs it defines.", 12)]
    assets: A[int, doc("How many assets it makes.", 140)]
    checks: A[int, doc("How many checks it has.", 30)]
    schedules: A[int, doc("How many schedules it has.", 5)]
    python: A[str, doc("The Python that it runs in, as configured; empty: the server's own.")]
    code: A[list[str], doc("Its files, folders and modules, as configured.")]


class LocationPage(Shape):
    """A page of code locations."""

    items: A[list[Location], doc("The code locations of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class Tick(Shape):
    """One evaluation of a schedule, sensor or automation, with its outcome and why."""

    id: A[int, doc("Its number.", 7)]
    kind: A[str, doc("schedule, sensor or automation.", "schedule")]
    location: A[str, doc("The code location.", "shop")]
    name: A[str, doc("Of which one.", "every-night")]
    at: A[datetime, doc("When it began.")]
    ended_at: A[datetime, doc("When it ended.")]
    logical_at: A[datetime | None, doc("The time that it was about.")]
    outcome: A[str, doc("launched, skipped or failed.", "launched")]
    reason: A[str, doc("Why.")]
    runs: A[list[int], doc("The runs that it launched.", [42])]
    cursor: A[str, doc("What it remembered from then on.")]
    data: A[dict[str, Any], doc("Details: for an automation which part of its condition was true of what.")]


class Ticker(Shape):
    """A schedule, sensor or automation: what starts runs."""

    kind: A[TickerKind, doc("Which of them.")]
    name: A[str, doc("Its name.", "every-night")]
    location: A[str, doc("Its code location.", "shop")]
    description: A[str, doc("What it is for.")]
    job: A[str, doc("The job that it starts; empty for a selection of assets.", "nightly")]
    selection: A[str, doc("The assets that it makes, where no job is named.")]
    timing: A[str, doc("When it fires or is evaluated.", "0 3 * * *")]
    timezone: A[str, doc("On whose clock.", "Europe/Berlin")]
    enabled: A[bool, doc("Whether it is on.")]
    defined: A[bool, doc("What its definition says, until a person says otherwise.")]
    switched: A[bool, doc("Whether a person has said otherwise.")]
    next_at: A[datetime | None, doc("When it is due next, where that is known.")]
    ticked_at: A[datetime | None, doc("When it was evaluated last.")]
    failures: A[int, doc("How many evaluations in a row have failed.", 0)]
    cursor: A[str, doc("What it remembers between ticks.")]
    last: A[Tick | None, doc("Its last tick.")]
    place: A[str, doc("Where it is defined.", "shop.py:12")]


class TickerPage(Shape):
    """A page of schedules, sensors and automations."""

    items: A[list[Ticker], doc("Those of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class TickPage(Shape):
    """A page of ticks."""

    items: A[list[Tick], doc("The ticks of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class SensorTrial(Given):
    """How a sensor is to be tried."""

    cursor: A[
        A[str, msgspec.Meta(max_length=100_000)] | None, doc("From where on; null: from where it is now.", "1200")
    ] = None


class AskedRun(Shape):
    """A run that a sensor asks for."""

    key: A[str, doc("At most one run is started for it; empty: always one.", "file-17")]
    job: A[str, doc("The job; empty for a selection of assets.", "nightly")]
    selection: A[str, doc("The assets to make, where no job is named.")]
    params: A[dict[str, Any], doc("Its parameters.")]
    tags: A[dict[str, str], doc("Its tags.")]
    partition: A[str, doc("Its partition.")]


class TriedSensor(Shape):
    """What came of trying a sensor; nothing was started, nothing recorded."""

    asked: A[list[AskedRun], doc("The runs that it would start.")]
    reason: A[str, doc("Why it would start none, where it says so.", "nothing new")]
    cursor: A[str, doc("What it would remember from then on.", "1201")]
    more: A[bool, doc("Whether there is more to be asked for after that.")]
    error: A[str, doc("What its code raised, or that it took too long; empty if neither.")]
    place: A[str, doc("Where that was raised.", "shop.py:12")]
    traceback: A[str, doc("The traceback, the user's frames alone.")]
    took_s: A[float, doc("Seconds that it took.", 0.2)]


class Switch(Given):
    """Whether something is to be on."""

    enabled: A[bool | None, doc("On, off, or null: as its definition says.", True)]


class Pool(Shape):
    """A named limit on how many task runs hold it at once."""

    name: A[str, doc("Its name.", "warehouse")]
    slots: A[int, doc("How many slots there are.", 4)]
    used: A[int, doc("How many are taken.", 3)]
    configured: A[int | None, doc("What the configuration says; null where it says nothing.", 4)]
    description: A[str, doc("What it is for.")]
    set_by: A[str, doc("Who has set it over the configuration; empty if nobody.")]
    set_at: A[datetime | None, doc("When.")]


class PoolPage(Shape):
    """A page of pools."""

    items: A[list[Pool], doc("The pools of this page.")]
    next: A[str | None, doc("The `cursor` of the next page; null on the last.")]


class PoolGiven(Given):
    """A pool as it is to be."""

    slots: A[int, doc("How many slots there are; 0 closes it.", 4, ge=0, le=1_000_000)]
    description: A[str, doc("What it is for.", max_length=1000)] = ""


class QueuedRun(Shape):
    """A run that waits for its start."""

    run: A[Run, doc("The run.")]
    position: A[int, doc("Its place in the order of creation.", 1)]
    waits_s: A[float, doc("Seconds that it has waited.", 0.4)]
    why: A[str, doc("Why it waits, where the scheduler has said so.", "job nightly: 1 of 1 running")]


class Queue(Shape):
    """Runs that wait for their start."""

    items: A[list[QueuedRun], doc("The first of them, oldest first.")]
    total: A[int, doc("How many there are.", 1)]
    limits: A[dict[str, Any], doc("The limits that the configuration sets.")]
