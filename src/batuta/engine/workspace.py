"""A project opened for work: its store, its code, and an engine that runs its jobs. What the command line stands on."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from batuta.core import definitions as model
from batuta.core import events as ev
from batuta.core.clashes import Taken, without_taken
from batuta.core.definitions import Definitions, JobSpec
from batuta.core.environments import CONFIG, TAG, checked_name, environment_of
from batuta.core.errors import BatutaError, DefinitionError, LoadError, RequestError, nearest
from batuta.core.joined import Joined, joined, named
from batuta.core.plan import Plan, locations_of
from batuta.core.run_graph import TaskRun
from batuta.core.run_mark import refuse_mark
from batuta.core.states import RUN_FINAL, RunState, TaskState
from batuta.core.values import Handle
from batuta.engine.active import LOCATIONS, ActiveRun, Assigned
from batuta.engine.code import Code, CodeHere, ExecutorKind, HostedCode, problem_of
from batuta.engine.engine import Engine
from batuta.engine.job_freshness import JobFreshness, job_freshness
from batuta.engine.kept_version import keep_version
from batuta.engine.materialize import Assets
from batuta.engine.owners import Owner
from batuta.runtime.people import person
from batuta.runtime.project import LocationConfig, Project
from batuta.store.rows import NewRun, RunRow
from batuta.store.store import Store

Observer = Callable[[ActiveRun, list[TaskRun]], None]


class Workspace:
    """Use as a context manager. `target` is a file, folder or module; empty: what the project names, or its `location`.

    `location` is one of the project's code locations; its code runs in processes of its own Python. Without either,
    all of them that are here are opened, as one graph of assets.
    """

    def __init__(
        self,
        project: Project,
        target: str = "",
        *,
        location: str = "",
        executor: ExecutorKind | None = None,
        workers: int | None = None,
        store: Store | None = None,
        echo: bool = False,
    ) -> None:
        self.project = project
        self.target = os.path.abspath(target) if target and os.path.exists(target) else target
        self.location = location
        if location:
            project.at_location(location)  # raises for one that is not there
        self.executor: ExecutorKind = executor or project.config.executor.kind
        self.observers: list[Observer] = []
        self._workers = workers
        self._echo = echo
        self._store = store
        self._owns_store = store is None
        self._codes: dict[str, Code] = {}
        """By location; one that was not named is called ""."""
        self.each: list[Definitions] = []
        """What each location defines, once that was asked for."""
        self._joined: Joined | None = None
        self._job_locations: dict[str, str] = {}
        self._owner: Owner | None = None
        self._assets: dict[str, Assets] = {}
        self._engine: Engine | None = None
        self._launched: dict[str, int] = {}
        self._launching = threading.Lock()
        self._kept: dict[str, tuple[Definitions, str]] = {}  # by location: what is kept already, and as which version

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the engine, end the processes, close the store."""
        if self._engine is not None:
            self._engine.stop()
        for code in self._codes.values():
            code.close()
        if self._engine is None and self._owner is not None:
            self._owner.close()
        if self._owns_store and self._store is not None:
            self._store.close()

    # ---- parts, made when first needed ----

    @property
    def store(self) -> Store:
        """The project's store. Raises StoreError."""
        if self._store is None:
            self.project.make_home()
            self._store = Store.open(self.project.store_url, durable=self.project.config.store.durable)
        return self._store

    @property
    def definitions(self) -> Definitions:
        """What the locations define. Raises LoadError, DefinitionError; where there are several, what is wrong with one
        is a problem among those of the definitions."""
        return self.joined.definitions

    @property
    def joined(self) -> Joined:
        """The definitions of all locations as one; raises as `definitions` does."""
        if self._joined is None:
            table = {} if self.target else {each.name: each for each in self.project.config.locations}
            here = [each.name for each in self.project.locations if not each.remote]
            if self.location or not table or len(here) < 2:
                if table and here:
                    self.location = self.location or here[0]
                code = self._codes[""] = self._open(self.location, table.get(self.location))
                self.each = [code.definitions()]
            else:
                self.each = self._load_all(here, table)
            self._joined = joined(self.each)
        return self._joined

    def _open(self, name: str, chosen: LocationConfig | None) -> Code:
        """The code of one location; `chosen` where it is one of the table."""
        own = name if self.project.config.locations else ""
        is_foreign = not self.target and chosen is None and self.project.kind_of(self.project.locations[0]) != "python"
        if chosen is None and self.executor != "processes" and not is_foreign:
            return CodeHere(self.project, self.target, self.executor, self._echo, own)
        if self._owner is None:
            self.project.make_home()
            self._owner = Owner(self.project.home)
        if chosen is None and own:
            chosen = next(each for each in self.project.locations if each.name == own)
        return HostedCode(self.project, self.target, chosen, self._owner)

    def _load_all(self, names: Sequence[str], table: Mapping[str, LocationConfig]) -> list[Definitions]:
        """What each location defines, less what clashes; one that is broken is empty, with a problem."""
        broken: dict[str, BatutaError] = {}
        for name in names:  # all of them are begun before any is waited for
            try:
                self._codes[name] = self._open(name, table.get(name))
            except (LoadError, DefinitionError) as error:
                broken[name] = error
        taken = Taken()
        loaded: list[Definitions] = []
        for name in names:
            try:
                if name in broken:
                    raise broken[name]
                mine, clashes = without_taken(named(self._codes[name].definitions(), name), taken)
            except (LoadError, DefinitionError) as error:
                if name in self._codes:
                    self._codes.pop(name).close()
                loaded.append(Definitions(location=name, problems=(problem_of(error, name),), layers=()))
                continue
            self._job_locations.update((job.name, name) for job in mine.jobs)
            loaded.append(msgspec.structs.replace(mine, problems=(*mine.problems, *clashes)) if clashes else mine)
        return loaded

    @property
    def engine(self) -> Engine:
        """The engine, running."""
        if self._engine is None:
            _ = self.definitions
            self._engine = engine = Engine(
                self.store,
                {self._executor_name(name): code.make_executor(self._workers) for name, code in self._codes.items()},
                home=self.project.home,
                owner=self._owner,
                pools=self.pools,
                project=self.project,
            )
            engine.observers = self.observers
            engine.launcher = self._launch_from_step
            engine.start()
        return self._engine

    def _executor_name(self, location: str) -> str:
        """As the engine calls what runs the code of a location."""
        return location or self.executor

    def _assigned(self, locations: Collection[str]) -> Assigned:
        """The executors of a run over these locations, the first being its own. Raises RequestError."""
        if "" in self._codes:
            return self._executor_name("")
        names = {name: self._executor_name(name or self.project.locations[0].name) for name in locations}
        for name in names.values():
            if name not in self._codes:
                hint = "mend what keeps it from being loaded; `batuta locations list` shows those there are"
                raise RequestError(f"the run has steps of location {name!r}, which is not here", hint=hint)
        return {**names, "": next(iter(names.values()))}

    @property
    def host_pid(self) -> int | None:
        """The process that has the code imported, if it is not this one."""
        first = next(iter(self._codes.values()), None)
        return first.host.pid if isinstance(first, HostedCode) else None

    @property
    def pools(self) -> dict[str, int]:
        """Slots by pool."""
        return dict(self.project.config.pools)

    @property
    def assets(self) -> Assets:
        """The assets of all locations with what the store knows of them."""
        return self.assets_in("")

    def assets_in(self, environment: str) -> Assets:
        """The same as they are in an environment."""
        found = self._assets.get(environment)
        if found is None:
            found = self.assets_in("").within(environment) if environment else Assets(self.joined, self.store)
            self._assets[environment] = found
        return found

    # ---- what can be run ----

    def job(self, name: str) -> JobSpec:
        """A job by name. Raises RequestError with the nearest name."""
        jobs = {job.name: job for job in self.definitions.jobs}
        if name not in jobs:
            known = ", ".join(sorted(jobs)) or "none"
            raise RequestError(
                f"there is no job {name!r}",
                where=self.target or self.project.root,
                hint=nearest(name, jobs) or f"jobs: {known}",
            )
        return jobs[name]

    def validated(self, job: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a run, completed, as JSON data. Raises ParameterError."""
        _ = self.definitions
        return self._codes[self._job_locations.get(job, "")].validated(job, params)

    def freshness(
        self, name: str, params: Mapping[str, Any] | None = None, *, logical_at: float | None = None
    ) -> JobFreshness:
        """Why a flow or DAG should run, or that it would do what its last run did. Raises RequestError."""
        return job_freshness(self.store, self._runnable(name), self.validated(name, params or {}), logical_at)

    def _runnable(self, name: str) -> JobSpec:
        job = self.job(name)
        if job.plan is None:
            raise RequestError(f"{name!r} is a selection of assets", hint="use `batuta materialize`")
        return job

    def start_job(
        self,
        name: str,
        params: Mapping[str, Any] | None = None,
        *,
        logical_at: float | None = None,
        tags: Mapping[str, str] | None = None,
        trigger: str = "manual",
        parent: tuple[int, int] | None = None,
        environment: str = "",
    ) -> RunHandle:
        """Start a run of a flow or DAG, in an environment or in production."""
        job = self._runnable(name)
        assert job.plan is not None
        new = self._new_run(job.name, job.kind, self.validated(name, params or {}), tags or {}, trigger)
        new.logical_at = logical_at
        if job.rules.timeout_s is not None:
            new.config["timeout_s"] = job.rules.timeout_s
        if parent is not None:
            new.parent_run, new.parent_task = parent
        self._put_in(new, environment)
        return self._start(new, job.plan, [self._job_locations.get(name, "")])

    def start_plan(
        self,
        plan: Plan,
        *,
        tags: Mapping[str, str] | None = None,
        trigger: str = "manual",
        partition: str = "",
        params: Mapping[str, Any] | None = None,
        skip_unchanged: bool = False,
        environment: str = "",
        config: Mapping[str, Any] | None = None,
    ) -> RunHandle:
        """Start a run of a plan made for the occasion (assets).

        `params`: what was asked for, to be shown with the run. `skip_unchanged`: an asset whose inputs turn out the
        same as when it was last made is not made again. `config`: what its steps are to know besides.
        """
        new = self._new_run(plan.job, plan.kind, dict(params or {}), tags or {}, trigger)
        new.partition = partition
        if skip_unchanged:
            new.config = {**new.config, "skip_unchanged": True}
        new.config = {**new.config, **(config or {})}
        self._put_in(new, environment)
        return self._start(new, plan, locations_of(plan))

    def _put_in(self, new: NewRun, environment: str) -> None:
        """Let a run be in an environment, which is made if it is not there. Raises RequestError for a bad name."""
        if environment:
            self.store.environments.make(checked_name(environment), by=person(), now=time.time())
            new.config = {**new.config, CONFIG: environment}
            new.tags = {**new.tags, TAG: environment}

    def _new_run(self, job: str, kind: str, params: dict[str, Any], tags: Mapping[str, str], trigger: str) -> NewRun:
        config = {"executor": self.executor, "project": self.project.root}
        return NewRun(
            job=job,
            kind=kind,
            plan_hash="",
            location=self.location or self.target,
            params=params,
            tags=dict(tags),
            trigger=trigger,
            config=config,
            created_at=time.time(),
            by=person() if trigger in ("manual", "backfill") else "",
        )

    def _start(self, new: NewRun, plan: Plan, locations: list[str]) -> RunHandle:
        """Start it, whose steps are of these locations."""
        if locations[0]:
            new.location = locations[0]
        if len(locations) > 1:
            new.config[LOCATIONS] = locations
        new.version = self._version(new.location)
        handle = RunHandle(self)
        executor = self._assigned(locations) if locations[0] else self._executor_name("")
        handle.active = self.engine.start_run(new, plan, executor=executor, waiter=handle.ended)
        return handle

    def _version(self, location: str) -> str:
        """The version of what a location defines, kept for those who look at the run; "" where it defines nothing."""
        own = next((each for each in self.each if each.location == location), self.each[0] if self.each else None)
        if own is None:
            return ""
        known, version = self._kept.get(location, (None, ""))
        if known is not own:
            version = keep_version(self.store, location, own, model.encode(own), self.project.root, now=time.time())
            self._kept[location] = (own, version)
        return version

    def _launch_from_step(self, job: str, params: dict[str, Any], **more: Any) -> int:
        """A step starts a run of another job: at most once for the step and key. Not in the engine's thread."""
        key = f"{more.get('parent')}:{more.get('key', '')}"
        parent: tuple[int, int] = more["parent"]
        tags = {"batuta/launch": key}
        with self._launching:
            if key in self._launched:
                return self._launched[key]
            for row in self.store.runs(parent_run=parent[0], tags=tags, limit=1):
                return row.id
            starter = self.store.run(parent[0])
            environment = "" if starter is None else environment_of(starter.config)
            handle = self.start_job(job, params, tags=tags, trigger="parent", parent=parent, environment=environment)
            self._launched[key] = handle.id
            return handle.id

    # ---- runs that exist ----

    def resume(self, run_id: int, *, force: bool = False, answers: Mapping[str, str] | None = None) -> RunHandle:
        """Go on with a run whose engine has ended, or answer a paused one. Raises RequestError."""
        row = self._row(run_id)
        if RunState(row.state) in RUN_FINAL:
            raise RequestError(
                f"run {run_id} has {row.state}", hint=f"to run what failed again: `batuta runs retry {run_id}`"
            )

        def first(active: ActiveRun) -> list[ev.Event]:
            return _answers(active, answers or {})

        return self._resume(row, force, first)

    def retry(self, run_id: int, *, tasks: Sequence[str] | None = None, by: str = "") -> RunHandle:
        """Run again what failed in a finished run, and what that held back; or just the named task runs."""
        row = self._row(run_id)
        if RunState(row.state) not in RUN_FINAL:
            raise RequestError(f"run {run_id} is {row.state}", hint=f"`batuta runs resume {run_id}` goes on with it")

        def first(active: ActiveRun) -> list[ev.Event]:
            chosen = None if tasks is None else active.numbers_of(tasks)
            return [ev.RestartAsked(at=time.time(), by=by, tasks=chosen)]

        return self._resume(row, False, first)

    def mark(
        self, run_id: int, state: ev.Mark, *, tasks: Sequence[str] | None = None, by: str = "", note: str = ""
    ) -> RunHandle:
        """Say how task runs have ended (then what they held back goes on), or how the run has. Raises RequestError."""
        row = self._row(run_id)
        refuse_mark(row.state, state, tasks, run_id)

        def first(active: ActiveRun) -> list[ev.Event]:
            chosen = None if tasks is None else active.numbers_of(tasks)
            return [ev.MarkAsked(at=time.time(), state=state, by=by, tasks=chosen, note=note)]

        return self._resume(row, False, first)

    def answer(self, run_id: int, key: str, text: str, by: str = "") -> None:
        """Answer a question of a run that is executed here. Raises RequestError."""
        self.engine.give_input(run_id, key, answer_value(text), by)

    def cancel_abandoned(self, run_id: int, by: str = "") -> RunHandle:
        """Take over a run that nobody executes, to end it. Raises RequestError."""
        return self._resume(self._row(run_id), False, lambda _: [ev.CancelAsked(at=time.time(), by=by)])

    def _row(self, run_id: int) -> RunRow:
        row = self.store.run(run_id)
        if row is None:
            raise RequestError(f"there is no run {run_id}", hint="`batuta runs list` shows those there are")
        return row

    def _resume(self, row: RunRow, force: bool, first: Callable[[ActiveRun], list[ev.Event]]) -> RunHandle:
        handle = RunHandle(self)
        engine = self.engine
        executor = self._assigned(row.config.get(LOCATIONS) or [row.location])
        handle.active = engine.resume_run(row.id, executor=executor, force=force, waiter=handle.ended, first=first)
        return handle

    def wait_inline(self, is_over: Callable[[], bool]) -> bool:
        """Run steps in this thread, if that is where they run; says whether it is."""
        for code in self._codes.values():
            if isinstance(code, CodeHere) and code.inline is not None:
                code.inline.pump(is_over)
                return True
        return False


class RunHandle:
    """A run that was started here."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._ended = threading.Event()
        self.active: ActiveRun
        self.state: RunState | None = None

    @property
    def id(self) -> int:
        return self.active.id

    def ended(self, state: RunState) -> None:
        """For the engine: the run is over."""
        self.state = state
        self._ended.set()

    def wait(self, timeout_s: float | None = None) -> RunState | None:
        """Wait for the end; the final state, or None if the time was over first. Raises what ended the engine."""
        engine = self._workspace.engine
        if not self._workspace.wait_inline(self._ended.is_set):
            self._ended.wait(timeout_s)
        if engine.failure is not None:
            raise engine.failure
        return self.state

    def cancel(self, by: str = "", hard: bool = False) -> None:
        """Ask it to stop."""
        if not self._ended.is_set():
            self._workspace.engine.cancel_run(self.id, by, hard)


def _answers(active: ActiveRun, answers: Mapping[str, str]) -> list[ev.Event]:
    given: list[ev.Event] = []
    for key, text in answers.items():
        task = active.run.find(key)
        if task is None or task.state is not TaskState.PAUSED:
            waiting = [run.key for run in active.run.graph.runs if run.state is TaskState.PAUSED]
            raise RequestError(
                f"run {active.id} has no open question {key!r}", hint=f"it asks: {', '.join(waiting) or 'nothing'}"
            )
        given.append(ev.InputGiven(at=time.time(), task=task.no, value=answer_value(text), by=person()))
    return given


def answer_value(text: str) -> Handle:
    """An answer as a task run's output."""
    from batuta.runtime.results import dumps

    payload = dumps(text)
    return Handle(payload.codec, payload.data, "", len(payload.data), None, payload.preview)
