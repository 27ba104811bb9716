"""How fast the service is, and what it costs while idle: `python -m bench.service [--store sqlite] [--tiny]`.

`batuta up` runs as people run it, a process with its API, on SQLite and on PostgreSQL (a server of our own, with all
its safety on). Surprising: a body is timed by its own clock, in the worker, against that of whoever triggered it.
Other orchestrators are measured beside it where `--peer NAME=PYTHON` points to an environment that has them.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from batuta.client import Client
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
from batuta.scheduler.launching import RunSpec, plan_of, rows_of
from batuta.store.rows import KeyedRun
from batuta.store.store import Store
from bench import machine, service_peers
from bench.measure import environment, postgres_server
from bench.memory import cpu_s, pss_mb, tree
from bench.report import NONE, Table

STORES = ("sqlite", "postgresql")
RESULTS = machine.ROOT / "bench" / "results"
PAUSE_S = 0.087
"""Between two triggers: no multiple of anything that the service waits for."""
WAIT_S = 120.0

COLD = "empty folder to first task done"
IDLE_CPU, IDLE_MEMORY = "idle CPU", "idle memory (PSS)"
PER_SECOND = "runs of one task a second, through the API"

CODE = """
import time
from pathlib import Path

from batuta import DAG, Schedule, flow, task

TRACE = Path(__file__).with_name("trace")


@task
def note(name: str) -> None:
    with TRACE.open("a") as file:
        file.write(f"{{name}} {{time.time()!r}}\\n")


@task
def nothing() -> None: ...


with DAG("noted", params={{"name": ""}}) as noted:
    note(noted.params["name"])

with DAG("single") as single:
    nothing()


@flow
def noted_flow(name: str) -> None:
    note.fn(name)


for number in range({schedules}):
    Schedule("{cron}", job=single, name=f"s{{number}}")
"""


@dataclass(frozen=True)
class Sizes:
    """How much of everything."""

    triggers: int = 100
    runs: int = 1_000
    schedules: int = 5_000
    idle_s: float = 20.0
    settle_s: float = 5.0
    peer_triggers: int = 10
    peer_runs: int = 20


TINY = Sizes(triggers=3, runs=20, schedules=20, idle_s=1.0, settle_s=0.5, peer_triggers=2, peer_runs=2)


@dataclass(frozen=True)
class Figure:
    """One figure on one store. `goal` is what it should stay below; 0: none."""

    name: str
    unit: str
    store: str
    value: float
    goal: float = 0.0


@dataclass
class Bench:
    """The figures on one store, one after the other, each on a service of its own."""

    store: str
    sizes: Sizes
    new_database: Callable[[], str]
    say: Callable[[str], None]
    figures: list[Figure] = field(default_factory=list)

    def measure(self, only: Sequence[str]) -> None:
        """Those that are asked for, or all."""
        parts: dict[str, Callable[[], None]] = {
            "trigger": self.triggers,
            "runs": self.runs,
            "schedules": self.schedules,
            "idle": self.idle,
            "cold": self.cold,
        }
        for name, part in parts.items():
            if not only or name in only:
                part()

    def add(self, name: str, unit: str, value: float, goal: float = 0.0) -> None:
        self.figures.append(Figure(name, unit, self.store, value, goal))
        self.say(f"{self.store}: {name}: {value:,.3f} {unit}")

    @contextmanager
    def up(self, schedules: int = 0, cron: str = "0 0 1 1 *") -> Iterator[Up]:
        """The service on a project with what is to be run, and so many schedules."""
        with tempfile.TemporaryDirectory(prefix="batuta-bench-", ignore_cleanup_errors=True) as folder:
            root = Path(folder)
            database = self.new_database() or f"sqlite:///{root / '.batuta' / 'batuta.db'}"
            (root / "batuta.toml").write_text(
                f'name = "bench"\ncode = ["jobs.py"]\n[store]\nurl = {json.dumps(database)}\n'
            )
            (root / "jobs.py").write_text(CODE.format(schedules=schedules, cron=cron))
            with Up(root, database) as service:
                yield service

    # ---- what is measured ----

    def triggers(self) -> None:
        """From the wish for a run to its body, with workers that are warm."""
        goal_ms = 50.0 if self.store == "sqlite" else 100.0
        with self.up() as service, Client(service.url) as client, service.launcher() as launch:
            ways: dict[str, Callable[[str], object]] = {
                "a DAG through the API": lambda name: client.launch("noted", {"name": name}),
                "a flow through the API": lambda name: client.launch("noted-flow", {"name": name}),
                "a DAG by another process": lambda name: launch([RunSpec(job="noted", params={"name": name})]),
            }
            for way, start in ways.items():
                for _ in range(3):
                    self._trigger(service, start)
                taken = [self._trigger(service, start) for _ in range(self.sizes.triggers)]
                self.add(f"trigger to body, {way}: median", "ms", median(taken), goal_ms)
                self.add(f"trigger to body, {way}: 95 %", "ms", quantiles(taken, n=20)[-1])

    def _trigger(self, service: Up, start: Callable[[str], object]) -> float:
        time.sleep(PAUSE_S)
        name = uuid.uuid4().hex
        wished = time.time()
        start(name)
        return (service.begun(name) - wished) * 1000

    def runs(self) -> None:
        """Runs of one task each, from the first wish to the last end."""
        count = self.sizes.runs
        with self.up() as service, Client(service.url) as client, service.launcher() as launch:
            launch([RunSpec(job="single")])
            service.wait_for_runs(1)
            began = time.time()
            for _ in range(count):
                client.launch("single")
            took_s = service.wait_for_runs(1 + count) - began
            self.add(f"{count:,} runs of one task through the API", "s", took_s, 5.0)
            self.add(PER_SECOND, "", count / took_s)
            began = time.time()
            launch([RunSpec(job="single") for _ in range(count)])
            self.add(f"{count:,} runs of one task, queued at once", "s", service.wait_for_runs(1 + 2 * count) - began)

    def schedules(self) -> None:
        """Daily schedules that fire in the same second: when the last run was created, and had ended."""
        count = self.sizes.schedules
        due = int(time.time()) + 10 + count // 200
        cron = f"{datetime.fromtimestamp(due, UTC):%-S %-M %-H} * * *"
        with self.up(count, cron) as service:
            if time.time() > due - 2:
                raise RuntimeError(f"{count:,} schedules were not loaded {due - 2} s after the start: leave more time")
            # Rows say when they were due to be made; when they could be seen, only looking tells.
            patient(lambda: sum(service.counts().values()) >= count, each_s=0.01)
            self.add(f"{count:,} schedules at once: the last run created", "s", time.time() - due, 2.0)
            ended = service.wait_for_runs(count)
            self.add(f"{count:,} schedules at once: the last run ended", "s", ended - due)

    def idle(self) -> None:
        """What everything costs that runs while nothing happens; without the database server."""
        with self.up() as service, Client(service.url) as client:
            client.wait(client.launch("single").id, poll_s=0.02)
            time.sleep(self.sizes.settle_s)
            before = service.cpu_s()
            time.sleep(self.sizes.idle_s)
            self.add(IDLE_CPU, "% of a core", 100 * (service.cpu_s() - before) / self.sizes.idle_s, 1.0)
            self.add(IDLE_MEMORY, "MB", pss_mb(tree(service.process.pid)), 250.0)

    def cold(self) -> None:
        """From an empty folder to the first task done: `batuta init`, `batuta up`, a run of what it wrote."""
        with tempfile.TemporaryDirectory(prefix="batuta-bench-", ignore_cleanup_errors=True) as folder:
            database = self.new_database()
            began = time.time()
            subprocess.run([*BATUTA, "init", "shop"], cwd=folder, env=environment(Path(folder)), check=True, stdout=-3)
            with Up(Path(folder, "shop"), database) as service, Client(service.url) as client:
                run = client.launch("nightly")
                patient(lambda: any(task.state == "succeeded" for task in client.tasks(run.id)))
                self.add(COLD, "s", time.time() - began, 3.0)


@dataclass
class PeerBench:
    """The same of another orchestrator, as far as it has it: on one service that is made from an empty folder."""

    peer: service_peers.Service
    python: str
    sizes: Sizes
    say: Callable[[str], None]
    figures: list[Figure] = field(default_factory=list)

    def measure(self, only: Sequence[str]) -> None:
        """Those that are asked for, or all."""
        name = f"{self.peer.title} {service_peers.version_of(self.peer, self.python)}"

        def add(what: str, unit: str, value: float) -> None:
            self.figures.append(Figure(what, unit, name, value))
            self.say(f"{name}: {what}: {value:,.3f} {unit}")

        with tempfile.TemporaryDirectory(prefix="batuta-bench-", ignore_cleanup_errors=True) as folder:
            began = time.time()
            with service_peers.served(self.peer, self.python, Path(folder)) as (running, trigger):
                running.triggered(trigger)
                if not only or "cold" in only:
                    add(COLD, "s", time.time() - began)
                if not only or "trigger" in only:
                    taken = [running.triggered(trigger) * 1000 for _ in range(self.sizes.peer_triggers)]
                    add(f"trigger to body, a {self.peer.kind} through the API: median", "ms", median(taken))
                if not only or "runs" in only:
                    add(PER_SECOND, "", self.sizes.peer_runs / running.took_s(trigger, self.sizes.peer_runs))
                if not only or "idle" in only:
                    time.sleep(self.sizes.settle_s)
                    before = running.cpu_s()
                    time.sleep(self.sizes.idle_s)
                    add(IDLE_CPU, "% of a core", 100 * (running.cpu_s() - before) / self.sizes.idle_s)
                    add(IDLE_MEMORY, "MB", pss_mb(running.processes()))


BATUTA = (sys.executable, "-m", "batuta.cli.main")
Launch = Callable[[list[RunSpec]], None]


class Up:
    """`batuta up` on a project, until the end of the block. `database`: a URL, or empty for SQLite in the project."""

    def __init__(self, root: Path, database: str) -> None:
        self.root = root
        self._log = (root / "log").open("w+")
        self._trace = root / "trace"
        self._begun: dict[str, float] = {}
        self._read_up_to = 0
        more = {"BATUTA_STORE_URL": database} if database else {}
        self.process = subprocess.Popen(
            [*BATUTA, "up", "--port", "0", "--json"],
            cwd=root,
            env=environment(root) | more,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"batuta up ended: {self._log.read()[-2000:]}")
        self.url: str = json.loads(line)["url"]
        # What it goes on to say is nobody's business here, but has to go somewhere.
        self._drain = subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=subprocess.DEVNULL)
        self.store = Store.open(database or f"sqlite:///{root / '.batuta' / 'batuta.db'}")

    def __enter__(self) -> Up:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._drain.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()

    @contextmanager
    def launcher(self) -> Iterator[Launch]:
        """What queues runs as another process does, such as `batuta runs launch`: by the store alone."""
        workspace = Workspace(find_project(str(self.root)), location="bench")
        with workspace:
            project = workspace.project

            def rows(spec: RunSpec) -> KeyedRun:
                spec.key = uuid.uuid4().hex
                job = workspace.job(spec.job)
                plan = plan_of(spec, job, lambda: workspace.assets)
                params, root = dict(spec.params), project.root
                return rows_of(spec, job, plan, params, workspace.location, "", project_root=root, now=time.time())

            def launch(specs: list[RunSpec]) -> None:
                workspace.store.create_keyed("manual", [rows(spec) for spec in specs], now=time.time())

            yield launch

    def begun(self, name: str) -> float:
        """When the body of that name began; waits for it."""
        patient(lambda: name in self._read())
        return self._begun[name]

    def _read(self) -> dict[str, float]:
        if self._trace.exists():
            with self._trace.open() as trace:
                trace.seek(self._read_up_to)
                text = trace.read()
            complete = text[: text.rfind("\n") + 1]
            self._read_up_to += len(complete)
            self._begun |= {line.split()[0]: float(line.split()[1]) for line in complete.splitlines()}
        return self._begun

    def counts(self) -> dict[str, int]:
        """How many runs of one task there are, by state."""
        return self.store.run_counts(["single"]).get("single", {})

    def wait_for_runs(self, count: int) -> float:
        """Wait until so many have succeeded; when the last of them had."""

        def succeeded() -> bool:
            counts = self.counts()
            if counts.get("failed"):
                raise RuntimeError(f"{counts['failed']:,} runs failed")
            return counts.get("succeeded", 0) >= count

        patient(succeeded, each_s=0.1)
        return max(run.finished_at or 0.0 for run in self.store.runs(job="single", limit=count))

    def cpu_s(self) -> float:
        """CPU seconds of all its processes so far."""
        return cpu_s([self.process.pid])


def patient(condition: Callable[[], bool], each_s: float = 0.002) -> None:
    """Wait for it. Raises RuntimeError where it takes too long."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not done after {WAIT_S:.0f} s")
        time.sleep(each_s)


# ---- the command -----------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the figures."""
    options = _parse(arguments)
    busy = machine.wait_until_quiet(options.quiet, options.patience)
    sizes = TINY if options.tiny else Sizes()
    figures: list[Figure] = []

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="batuta-bench-")))
        new_database = stack.enter_context(postgres_server(options.postgres, folder))
        for store in options.store or ([] if options.only_peers else STORES):
            bench = Bench(store, sizes, new_database if store == "postgresql" else str, say)
            bench.measure(options.only)
            figures += bench.figures
    for name, python in options.peer:
        peer = PeerBench(service_peers.SERVICES[name], python, sizes, say)
        peer.measure(options.only)
        figures += peer.figures
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "busy_percent": busy,
        "sizes": asdict(sizes),
        "figures": [asdict(figure) for figure in figures],
    }
    path = options.json or RESULTS / f"service-{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    shown = table(figures, result["machine"], busy)
    print(shown.markdown() if options.markdown else shown.text())
    say(f"\nall figures: {path}")
    return 0


def table(figures: Sequence[Figure], on: Any, busy_percent: float) -> Table:
    """A row a figure, a column a store."""
    stores = list(dict.fromkeys(figure.store for figure in figures))
    found = {(figure.name, figure.store): figure for figure in figures}
    rows = [["", *stores, "goal"]]
    for name in dict.fromkeys(figure.name for figure in figures):
        here = [found.get((name, store)) for store in stores]
        unit = next(figure.unit for figure in here if figure is not None)
        goals = dict.fromkeys(f"{figure.goal:g}" for figure in here if figure is not None and figure.goal)
        values = [NONE if figure is None else f"{figure.value:,.{2 if figure.value < 10 else 1}f}" for figure in here]
        rows.append([f"{name}, {unit}" if unit else name, *values, " / ".join(goals) or NONE])
    told = f"{on['processor']}, {on['cores']} cores, Python {on['python']}, Batuta {on['batuta']}"
    return Table(f"The service on {told}; others used {busy_percent:.0f} % of the cores at the start", rows)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.service", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    peers = f"an environment with another orchestrator: {', '.join(service_peers.SERVICES)}"
    parts = ("trigger", "runs", "schedules", "idle", "cold")
    parser.add_argument("--store", action="append", default=[], choices=STORES, help="default: both")
    parser.add_argument("--only", action="append", default=[], choices=parts, help="measure these (repeatable)")
    parser.add_argument("--peer", action="append", default=[], type=_peer, metavar="NAME=PYTHON", help=peers)
    parser.add_argument("--only-peers", action="store_true", help="measure nothing but these")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes: does the bench itself work?")
    parser.add_argument("--postgres", default="", metavar="URL", help="a server (default: one of our own, with fsync)")
    parser.add_argument("--quiet", type=float, default=20.0, metavar="PERCENT", help="start when others use less CPU")
    parser.add_argument("--patience", type=float, default=60.0, metavar="S", help="how long to wait for that")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go (default: bench/results/)")
    parser.add_argument("--markdown", action="store_true", help="print the table for a page")
    return parser.parse_args(arguments)


def _peer(text: str) -> tuple[str, str]:
    name, _, python = text.partition("=")
    if name not in service_peers.SERVICES or not Path(python).exists():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PYTHON of one of {', '.join(service_peers.SERVICES)}")
    return name, python


if __name__ == "__main__":
    raise SystemExit(main())
