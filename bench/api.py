"""How long the API takes over a store with a million task runs: `python -m bench.api [--url postgresql://...]`.

The store is filled with a year of runs of 50 jobs, rows as the engine writes them, and served on loopback; then every
list is asked for, first and later pages, with and without filters. Prints the median and the 95th percentile of each.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import msgspec

from batuta.core import definitions as model
from batuta.core import plan as plans
from batuta.core.backfills import Backfill, Item
from batuta.core.definitions import AssetDep, AssetSpec, AssetStep, CheckSpec, Definitions, JobSpec
from batuta.core.partitions import daily
from batuta.core.plan import Edge, Plan, StepSpec
from batuta.runtime.project import Config, Project
from batuta.server.accounts import OpenToLocal
from batuta.server.app import create_app
from batuta.server.backend import Backend
from batuta.server.gate import Gate
from batuta.server.serving import ServerThread, bind
from batuta.store import Store

JOBS, STEPS, ASSETS = 50, 20, 200
DAYS = 365
YEAR_S = DAYS * 86_400.0
BATCH = 500
LIMIT_S = 0.050


def definitions() -> Definitions:
    """50 DAGs of 20 steps, and 200 assets with daily partitions in layers."""
    jobs = [
        JobSpec(name=f"job-{n}", kind="dag", plan=job_plan(f"job-{n}"), description=f"Does {n}.") for n in range(JOBS)
    ]
    assets = []
    for n in range(ASSETS):
        layer = ("bronze", "silver", "gold")[n * 3 // ASSETS]
        deps = (AssetDep(f"a{n - 67}"),) if n >= 67 else ()
        days = daily("2025-12-01", end="2026-11-01")
        assets.append(AssetSpec(key=f"a{n}", step=f"a{n}", layer=layer, deps=deps, partitions=days))
    steps = tuple(AssetStep(key=f"a{n}", task=f"code:a{n}") for n in range(ASSETS))
    checks = tuple(CheckSpec(asset=f"a{n}", name="good", step=f"a{n}:good") for n in range(ASSETS))
    return Definitions(location="bench", jobs=tuple(jobs), assets=tuple(assets), asset_steps=steps, checks=checks)


def job_plan(job: str) -> Plan:
    """A chain with side steps."""
    steps = tuple(
        StepSpec(key=f"step-{n}", task=f"code:step_{n}", upstream=(Edge(f"step-{n // 2}"),) if n else ())
        for n in range(STEPS)
    )
    return Plan(job=job, kind="dag", steps=steps)


def fill(store: Store, task_runs: int, now: float) -> None:
    """Rows as the engine writes them: runs of all jobs over a year, one in fifty failed, and assets made daily."""
    chance = random.Random(7)
    data = model.encode(definitions())
    store.save_definitions("bench", model.content_hash(data), data, [], now=now)
    encoded = {n: plans.encode(job_plan(f"job-{n}")) for n in range(JOBS)}
    database = store._database
    with database.transaction() as transaction:
        for plan in encoded.values():
            transaction.run("put_plan", hash=plans.content_hash(plan), data=plan)
    hashes = {n: plans.content_hash(plan) for n, plan in encoded.items()}
    count = task_runs // STEPS
    for begin in range(0, count, BATCH):
        rows: dict[str, list[Any]] = {"put_runs": [], "put_run_tags": [], "put_task_runs": [], "put_events": []}
        with database.transaction() as transaction:
            numbers = [row[0] for row in transaction.rows("reserve_run_ids", count=min(BATCH, count - begin))]
            for place, number in enumerate(numbers, begin):
                _add_run(rows, number, place, count, hashes, chance, now)
            transaction.each([(name, each) for name, each in rows.items() if each])
    _fill_assets(store, count, now)
    _fill_service(store, count, now)


def _add_run(
    rows: dict[str, list[Any]],
    number: int,
    place: int,
    count: int,
    hashes: dict[int, str],
    chance: random.Random,
    now: float,
) -> None:
    job = place % JOBS
    created = now - YEAR_S * (1 - place / count)
    failed = chance.random() < 0.02
    running = place >= count - 20
    state = "running" if running else "failed" if failed else "succeeded"
    trigger = ("schedule", "schedule", "schedule", "manual", "sensor")[place % 5]
    team = f"team-{place % 7}"
    rows["put_runs"].append(
        (
            *(number, f"job-{job}", "dag", hashes[job], "bench", state, '{"day": "2026-01-31"}'),
            *(json.dumps({"team": team}), '{"executor": "processes"}', trigger, created, None, None, ""),
            *(None, None, 0, 0, created, created + 0.1, None if running else created + 30),
            *("ValueError: no rates" if failed else "", 1, "", 0.0, STEPS + 2, "v", "nightly", "", None, None),
        )
    )
    rows["put_run_tags"].append(("team", team, number))
    for no in range(STEPS):
        bad = failed and no == STEPS - 1
        rows["put_task_runs"].append(
            (
                *(number, no, f"step-{no}", f"code:step_{no}", "task", -1, ""),
                *("failed" if bad else "succeeded", 1, created + no, created + no + 1, "", ""),
                *('{"type":"ValueError","message":"no rates"}' if bad else None, None, False),
            )
        )
    rows["put_events"].append(
        (number, 1, "run_started", created, None, json.dumps({"type": "run_started", "at": created}))
    )


def _fill_assets(store: Store, runs: int, now: float) -> None:
    """Every partition of every asset made once, with a verdict of its check."""
    day = [time.strftime("%Y-%m-%d", time.gmtime(1_764_547_200 + n * 86_400)) for n in range(300)]
    for n in range(ASSETS):
        made = [
            (f"a{n}", one, 1 + place % runs, 0, now - YEAR_S + place * 86_400, f"d{place}", "", "{}", '{"rows": 100}')
            for place, one in enumerate(day)
        ]
        verdicts = [(f"a{n}", "good", one[1], one[2], 0, one[4], True, False, "", "{}", "") for one in made]
        with store._database.transaction() as transaction:
            transaction.each(
                [
                    ("put_materializations", made),
                    ("put_asset_partitions", made),
                    ("put_check_results", verdicts),
                    ("put_checks_current", verdicts),
                ]
            )


def _fill_service(store: Store, runs: int, now: float) -> None:
    """What goes with a year of runs: four ticks for each, an entry of the audit log and an artifact, some alerts, and
    backfills; more variables, connections and pools than people keep."""
    for begin in range(0, runs, BATCH):
        rows: dict[str, list[Any]] = {"put_ticks": [], "put_audit": [], "put_alerts": [], "put_artifacts": []}
        for n in range(begin, min(begin + BATCH, runs)):
            at = now - YEAR_S * (1 - n / runs)
            job = f"job-{n % JOBS}"
            for kind in ("schedule", "sensor", "sensor", "automation"):
                outcome = "launched" if kind == "schedule" else "skipped"
                rows["put_ticks"].append(
                    (kind, "bench", f"{kind}-{n % JOBS}", at, at + 0.1, None, outcome, "nothing new", "[]", "", "{}")
                )
            rows["put_audit"].append((at, "ada", "launch", "run", str(n), json.dumps({"job": job})))
            rows["put_artifacts"].append(
                (n + 1, 0, "report", "markdown", f"Report {n}", "text/markdown", 100, None, None, 1, job, "bench", at)
            )
            if n % 50 == 0:
                rows["put_alerts"].append((n, job, at))
        alerts = rows.pop("put_alerts")
        with store._database.transaction() as transaction:
            transaction.each(list(rows.items()))
            for n, job, at in alerts:
                over = None if n > runs - 1_000 else at + 600
                transaction.rows(
                    "put_alert",
                    rule="failures",
                    key=f"job:{job}",
                    kind="failure",
                    severity="error",
                    data="{}",
                    title=f"{job} failed",
                    body="ValueError: no rates",
                    count=1,
                    at=at,
                    last_at=at,
                    resolved_at=over,
                )
    for n in range(1_000):
        spec = Backfill(selection=f"a{n % ASSETS}", location="bench", partitions="all")
        store.backfills.create(spec, [Item(f"p{i}", (f"p{i}",)) for i in range(20)], by="ada", now=now)
    for n in range(200):
        store.put_pool(f"pool-{n}", 4, by="ada", now=now)


# ---- asking ----


def requests(runs: int) -> dict[str, Callable[[int], tuple[str, dict[str, Any]]]]:
    """What is asked, by name: from the number of the try to path and query."""
    return {
        "runs": lambda n: ("runs", {}),
        "runs, a later page": lambda n: ("runs", {"cursor": cursor("runs -id", runs - 7_919 * n % runs), "limit": 100}),
        "runs, oldest first": lambda n: ("runs", {"sort": "id"}),
        "runs of a job": lambda n: ("runs", {"job": f"job-{n % JOBS}"}),
        "failed runs": lambda n: ("runs", {"state": "failed", "limit": 100}),
        "failed runs of a job": lambda n: ("runs", {"state": "failed", "job": f"job-{n % JOBS}"}),
        "runs that run": lambda n: ("runs", {"state": ["running", "queued"]}),
        "runs with a tag": lambda n: ("runs", {"tag": f"team=team-{n % 7}"}),
        "runs of sensors": lambda n: ("runs", {"trigger": "sensor"}),
        "runs of the last day": lambda n: ("runs", {"since": iso(time.time() - 86_400)}),
        "runs of a partition": lambda n: ("runs", {"partition": "2026-01-31"}),
        "a run": lambda n: (f"runs/{1 + 104_729 * n % runs}", {}),
        "task runs of a run": lambda n: (f"runs/{1 + 104_729 * n % runs}/tasks", {}),
        "the Gantt of a run": lambda n: (f"runs/{1 + 104_729 * n % runs}/gantt", {}),
        "events of a run": lambda n: (f"runs/{1 + 104_729 * n % runs}/events", {}),
        "jobs": lambda n: ("jobs", {}),
        "jobs by last run": lambda n: ("jobs", {"sort": "-last"}),
        "a job": lambda n: (f"jobs/job-{n % JOBS}", {}),
        "grid of a job": lambda n: (f"jobs/job-{n % JOBS}/grid", {}),
        "durations of a job": lambda n: (f"jobs/job-{n % JOBS}/durations", {}),
        "assets": lambda n: ("assets", {"layer": "gold"}),
        "partitions of an asset": lambda n: (f"assets/a{n % ASSETS}/partitions", {}),
        "history of an asset": lambda n: (f"assets/a{n % ASSETS}/materializations", {}),
        "checks": lambda n: ("checks", {}),
        "verdicts": lambda n: ("checks/results", {}),
        "lineage": lambda n: ("lineage", {}),
        "home": lambda n: ("home", {}),
        "time line": lambda n: ("timeline", {}),
        "search": lambda n: ("search", {"q": f"job-{n % JOBS}"}),
        "queue": lambda n: ("queue", {}),
        "calendar of a job": lambda n: (f"jobs/job-{n % JOBS}/calendar", {}),
        "quality over time": lambda n: ("checks/quality", {}),
        "audit": lambda n: ("audit", {}),
        "ticks": lambda n: ("ticks", {}),
        "ticks of one": lambda n: ("ticks", {"kind": "sensor", "location": "bench", "name": f"sensor-{n % JOBS}"}),
        "backfills": lambda n: ("backfills", {}),
        "items of a backfill": lambda n: (f"backfills/{1 + n}/items", {}),
        "alerts": lambda n: ("alerts", {}),
        "open alerts": lambda n: ("alerts", {"open": True}),
        "artifacts": lambda n: ("artifacts", {}),
        "tickers": lambda n: ("tickers", {}),
        "locations": lambda n: ("locations", {}),
        "pools": lambda n: ("pools", {}),
        "variables": lambda n: ("variables", {}),
        "processes": lambda n: ("processes", {}),
        # What is rare, or not there at all, has to be looked for in every row.
        "runs with a text": lambda n: ("runs", {"text": f"JOB-{n % JOBS}"}),
        "runs with no such text": lambda n: ("runs", {"text": f"nowhere {n}"}),
        "runs of no such kind": lambda n: ("runs", {"kind": "flow"}),
        "runs of no such origin": lambda n: ("runs", {"origin": f"nobody-{n}"}),
        "verdicts that are bad": lambda n: ("checks/results", {"passed": False}),
        "ticks that failed": lambda n: ("ticks", {"outcome": "failed"}),
        "ticks with no such text": lambda n: ("ticks", {"text": f"nowhere {n}"}),
        "audit with no such text": lambda n: ("audit", {"text": f"nowhere {n}"}),
        "audit of nobody": lambda n: ("audit", {"actor": f"nobody-{n}"}),
        "alerts with no such text": lambda n: ("alerts", {"text": f"nowhere {n}"}),
        "backfills with no such text": lambda n: ("backfills", {"text": f"nowhere {n}"}),
        "artifacts with no such text": lambda n: ("artifacts", {"text": f"nowhere {n}"}),
        "search for nothing": lambda n: ("search", {"q": f"nowhere {n}"}),
    }


def cursor(order: str, key: int) -> str:
    from batuta.server.paging import cursor_of

    return cursor_of(order, key)


def iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def measure(api: httpx.Client, path: str, ask: Callable[[int], tuple[str, dict[str, Any]]], tries: int) -> list[float]:
    """Seconds of each try, sorted; the first ones, which fill caches, are left out."""
    times = []
    for n in itertools.islice(_numbers(), tries + 3):
        where, params = ask(n)
        began = time.perf_counter()
        answer = api.get(f"/api/v1/{where}", params=params)
        times.append(time.perf_counter() - began)
        answer.raise_for_status()
    return sorted(times[3:])


def _numbers() -> Iterator[int]:
    return itertools.count(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task-runs", type=int, default=1_000_000)
    parser.add_argument("--tries", type=int, default=40)
    parser.add_argument("--url", help="a database for it; by default a file of its own")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL server of its own")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = given.url or f"{folder}/store.db"
        if given.postgres:
            from tests.postgres import own_server

            url = stack.enter_context(own_server(lock=Path(folder, "lock"), durable=True))
        project = Project(root=folder, config=Config())
        with Store.open(url) as store:
            began = time.perf_counter()
            if not store.runs(limit=1):
                fill(store, given.task_runs, time.time())
                store.vacuum()  # statistics for the planner, which the server itself makes by and by
            print(f"{given.task_runs:,} task runs written in {time.perf_counter() - began:.0f} s on {store.dialect}")
            app = create_app(Backend(store, project))
            thread = ServerThread(Gate(app, OpenToLocal("bench")), bind("127.0.0.1", 0), feeds=[app.state.feed])
            thread.start()
            try:
                figures = _ask_all(thread.url, given.task_runs // STEPS, given.tries)
            finally:
                thread.stop()
    if given.json:
        given.json.write_bytes(msgspec.json.encode(figures))


def _ask_all(url: str, runs: int, tries: int) -> dict[str, dict[str, float]]:
    figures = {}
    print(f"{'':30}{'median':>10}{'p95':>10}")
    with httpx.Client(base_url=url, timeout=60) as api:
        for name, ask in requests(runs).items():
            times = measure(api, url, ask, tries)
            median, p95 = times[len(times) // 2], times[min(int(len(times) * 0.95), len(times) - 1)]
            figures[name] = {"median_s": median, "p95_s": p95}
            mark = "" if p95 <= LIMIT_S else "  <- above 50 ms"
            print(f"{name:30}{median * 1e3:8.1f} ms{p95 * 1e3:7.1f} ms{mark}")
    return figures


if __name__ == "__main__":
    main()
