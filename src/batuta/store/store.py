"""The store: one database with everything that was defined and everything that happened.

Safe to use from many threads. Surprising: `commit` may be called
again with the same batch when it failed, whether it was applied or not.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from batuta.store import audit, catalog, claims, pools, requests, retention, revisions, service, signals
from batuta.store.accounts import AccountBook
from batuta.store.alert_box import AlertBox
from batuta.store.artifact_box import ArtifactBox
from batuta.store.asset_feed import AssetFeed
from batuta.store.backfill_box import BackfillBox
from batuta.store.code import CodeBook
from batuta.store.columns import ColumnsBook
from batuta.store.commit import commit
from batuta.store.database import Database, Listener
from batuta.store.encryption import KeySource
from batuta.store.engines import open_database
from batuta.store.environments import EnvironmentBook
from batuta.store.evaluation_box import EvaluationBox
from batuta.store.external import ExternalBook
from batuta.store.lease_clock import LeaseClock
from batuta.store.pools import Wanted
from batuta.store.queries import Queries, run_row
from batuta.store.reports import Reports
from batuta.store.retention import Ages, Forgetting, OnRuns
from batuta.store.rows import (
    Audit,
    AuditRow,
    Batch,
    KeyedRun,
    Leader,
    NewRun,
    NewTick,
    OpenRow,
    PoolRow,
    ProcessRow,
    Pruned,
    RunRequestRow,
    RunRow,
    SignalRow,
    StoreInfo,
    TickerRow,
    TickRow,
)
from batuta.store.sources import Sources
from batuta.store.usage import UsageBook
from batuta.store.vault import Vault

_COUNTED = (
    "runs",
    "task_runs",
    "events",
    "materializations",
    "asset_partitions",
    "check_results",
    "artifacts",
    "task_cache",
    "plans",
)


class Store(Queries):
    """An open database. Made by `Store.open`; closed by `close` or at the end of a `with` block."""

    def __init__(self, database: Database[Any], opened: revisions.Opened) -> None:
        super().__init__(database)
        self._lease_clock = LeaseClock(database)
        self.opened = opened
        self._identity = ""
        """Whether the schema was there already, was made anew, or was brought up to date."""
        self.accounts = AccountBook(database)
        """Who may use the API, with tokens and sessions."""
        self.usage = UsageBook(database)
        """How often assets are read and by whom, and what was recorded of them before."""
        self.environments = EnvironmentBook(database)
        """Which environments there are, and what was made in them."""
        self.columns = ColumnsBook(database)
        """What the columns of assets are, and are made from."""
        self.sources = Sources(database)
        """The files that versions of code locations were loaded from."""
        self.code = CodeBook(database)
        """The text of the code that made assets, by version."""
        self.external = ExternalBook(database)
        """What runs elsewhere, as events of OpenLineage tell."""
        self.reports = Reports(database)
        """What people look at: lists under many filters, counts, grids, series."""

    @classmethod
    def open(
        cls,
        target: str | os.PathLike[str],
        *,
        upgrade: bool = True,
        durable: Literal["normal", "full"] = "normal",
        read_only: bool = False,
        busy_s: float = 10.0,
    ) -> Self:
        """Open a file (a path or `sqlite:///...`) or `postgresql://...`; make it, or bring it up to date, if `upgrade`.

        `durable`: `normal` survives the end of any process, `full` also the loss of power (SQLite; PostgreSQL does as
        its server says, which by default is `full`). `busy_s`: how long to wait for another process that writes.
        """
        database = open_database(target, durable=durable, read_only=read_only, busy_s=busy_s)
        try:
            opened = revisions.prepare(database, may_change=upgrade and not read_only)
        except BaseException:
            database.close()
            raise
        return cls(database, opened)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def lease_now(self) -> float:
        """The time by which leases run, see `LeaseClock`: what all methods with a lease want as `now`."""
        return self._lease_clock()

    @property
    def location(self) -> str:
        """The file's path, or the URL without its password."""
        return self._database.location

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._database.dialect

    # ---- runs ----

    def create_run(self, new: NewRun, plan: bytes, *, owner: str, lease_s: float, now: float) -> RunRow:
        """Queue a run under epoch 1; with an owner it is leased to it, without one it is there to be claimed."""
        return self.create_runs([(new, plan)], owner=owner, lease_s=lease_s, now=now)[0]

    def create_runs(
        self, new: Sequence[tuple[NewRun, bytes]], *, owner: str, lease_s: float, now: float
    ) -> list[RunRow]:
        """`create_run` for many, all or none."""
        return claims.create_runs(self._database, new, owner=owner, lease_s=lease_s, now=now)

    def claim(self, run_id: int, owner: str, lease_s: float, now: float, force: bool = False) -> RunRow:
        """Become the one who executes a run. Every claim has a new epoch, which ends the writing of the one before.

        Raises `RequestError` where another still holds its lease, unless the run has ended or `force`.
        """
        return claims.claim(self._database, run_id, owner, lease_s=lease_s, now=now, force=force)

    def renew(self, owner: str, run_ids: Iterable[int], lease_s: float, now: float) -> list[int]:
        """Prolong leases. Returns the runs that another has claimed since."""
        return claims.renew(self._database, owner, run_ids, lease_s=lease_s, now=now)

    def release(self, owner: str, run_ids: Iterable[int]) -> None:
        """Give runs up, so that anybody may claim them at once."""
        claims.release(self._database, owner, run_ids)

    def request(self, run_id: int, kind: str, data: dict[str, Any] | None = None, *, by: str, now: float) -> None:
        """Leave a message for the engine that executes a run, see `RunRequestRow`; it looks about once a second."""
        requests.put(self._database, run_id, kind, data or {}, by=by, now=now)

    def requests(self, run_ids: Iterable[int]) -> list[RunRequestRow]:
        """The messages to these runs, oldest first."""
        return requests.waiting(self._database, run_ids)

    def requests_to_idle(self, now: float) -> list[RunRequestRow]:
        """The messages to runs that no engine executes, oldest first: what is left to whoever schedules."""
        return requests.to_idle(self._database, now)

    def requests_done(self, ids: Iterable[int]) -> None:
        """Delete messages, once what they ask for is recorded."""
        requests.done(self._database, ids)

    def commit(self, batch: Batch) -> None:
        """Record a batch, all or nothing, under the epochs that its `runs` name; every run with events must be there.

        Raises `LeaseLost` (drop those runs, commit the rest), `StoreUnavailable` (commit the same batch again: it is
        known what was applied), `StoreFull` (the same, once there is room).
        """
        if batch:
            commit(self._database, batch)

    def listen(self) -> Listener:
        """Begin to hear of what other processes write: in a `with` block, by one thread."""
        return self._database.listen()

    # ---- what runs unattended, see `service` ----

    def queued_runs(self, limit: int, each_max: int) -> list[RunRow]:
        """What waits to be executed, by priority and age: see `claim_queued`."""
        return [run_row(row) for row in self._database.rows("queued_runs", each_max=each_max, limit=limit)]

    def open_runs(self) -> list[OpenRow]:
        """The runs that are executed, or were and will be again: what takes up limits."""
        return service.open_rows(self._database.rows("open_runs"))

    def unfinished_of(self, trigger: str) -> dict[tuple[str, str], list[int]]:
        """Runs that are queued or executed, by the (location, name) of the schedule, sensor, ... that started them."""
        found: dict[tuple[str, str], list[int]] = {}
        for run_id, location, origin in self._database.rows("unfinished_of", of_trigger=trigger):
            found.setdefault((location, origin), []).append(run_id)
        return found

    def create_keyed(self, scope: str, new: Sequence[KeyedRun], *, now: float) -> list[tuple[int, bool]]:
        """Queue runs, each at most once for its key in the scope. Returns each one's id and whether it is new."""
        return service.create_keyed(self._database, scope, new, now=now)

    def claim_queued(
        self,
        choose: service.Choose,
        owner: str,
        lease_s: float,
        now: float,
        limit: int,
        each_max: int | None = None,
        rates: Mapping[str, float] | None = None,
    ) -> list[RunRow]:
        """Take those queued runs that `choose` names, while no other scheduler chooses; see `service.claim_queued`."""
        return service.claim_queued(
            self._database,
            choose,
            owner,
            lease_s=lease_s,
            now=now,
            limit=limit,
            each_max=limit if each_max is None else each_max,
            rates=rates or {},
        )

    def starts_of_rates(self, rates: Mapping[str, float], now: float) -> dict[str, list[float]]:
        """When runs began lately that each rate counts, by the clock of leases."""
        return service.starts_of_rates(self._database, rates, now)

    def record_ticks(self, ticks: Sequence[NewTick], *, leader: Leader | None, now: float) -> list[RunRow]:
        """Record ticks with their runs, all or nothing; the runs that are new. Raises `LeadLost`."""
        return service.record_ticks(self._database, ticks, leader=leader, now=now)

    def switch(self, kind: str, location: str, name: str, enabled: bool | None, *, now: float, by: str = "") -> None:
        """Turn a schedule, sensor or automation on or off; None: as its definition says. `by`: for the audit log."""
        service.switch(self._database, kind, location, name, enabled, now, by)

    def set_cursor(self, kind: str, location: str, name: str, cursor: str, *, now: float, by: str = "") -> bool:
        """Have a sensor (or the like) begin from a cursor; False where it is not known (yet)."""
        return service.set_cursor(self._database, kind, location, name, cursor, now, by)

    def keys_taken(self, scope: str, keys: Iterable[str]) -> dict[str, int]:
        """Those of the keys that have, or had, a run in the scope, with its id."""
        return service.keys_taken(self._database, scope, keys)

    def tickers(self, kind: str | None = None, location: str | None = None) -> list[TickerRow]:
        """What schedules, sensors and automations remember."""
        return service.tickers(self._database, kind, location)

    def tickers_switched(self, kind: str) -> set[tuple[object, ...]]:
        """Which of a kind people have turned on or off, and when: something to compare with what it was before."""
        return set(self._database.rows("tickers_switched", of_kind=kind))

    def ticks(self, **wanted: Any) -> list[TickRow]:
        """A page of ticks, newest first. Filters: kind, location, name, outcome, text; see `service.ticks`."""
        return service.ticks(self._database, **wanted)

    def take_lead(self, name: str, owner: str, lease_s: float, now: float, *, instead_of: str = "") -> Leader | None:
        """Become or stay the leader of `name`; None where somebody else is, but for one who is known to be dead."""
        return service.take_lead(self._database, name, owner, lease_s=lease_s, now=now, instead_of=instead_of)

    def give_up_lead(self, name: str, owner: str) -> None:
        """Let anybody become the leader at once."""
        service.give_up_lead(self._database, name, owner)

    def leader(self, name: str) -> Leader | None:
        """Who leads, or led last."""
        return service.current_leader(self._database, name)

    def put_process(self, row: ProcessRow) -> None:
        """Say that a process of the service lives."""
        service.put_process(self._database, row)

    def processes(self, since: float) -> list[ProcessRow]:
        """Processes of the service that were seen since then."""
        return service.processes(self._database, since)

    def forget_process(self, process_id: str) -> None:
        """It has ended as it should."""
        service.forget_process(self._database, process_id)

    @property
    def asset_feed(self) -> AssetFeed:
        """What happens to assets, in order."""
        return AssetFeed(self._database)

    @property
    def backfills(self) -> BackfillBox:
        """Requests to run many partitions or logical times."""
        return BackfillBox(self._database)

    @property
    def artifacts(self) -> ArtifactBox:
        """What task runs have left to be looked at."""
        return ArtifactBox(self._database)

    @property
    def evaluations(self) -> EvaluationBox:
        """Questions to code that another process has."""
        return EvaluationBox(self._database)

    @property
    def alerts(self) -> AlertBox:
        """Alerts and the messages that tell of them."""
        return AlertBox(self._database)

    # ---- variables, connections, secrets; who did what ----

    def vault(self, keys: KeySource) -> Vault:
        """Variables, connections and secrets, encrypted with these keys."""
        return Vault(self._database, keys)

    def audit(self, entry: Audit, *, now: float) -> None:
        """Record what somebody did, where it is recorded nowhere else; see `Audit`."""
        with self._database.transaction() as transaction:
            audit.append(transaction, [entry], now)

    def audit_entries(self, **wanted: Any) -> list[AuditRow]:
        """A page of the audit log, newest first. Filters: actor, action, object_kind, object_name, since, text; see
        `audit.entries`."""
        return audit.entries(self._database, **wanted)

    def last_number(self, table: str) -> int:
        """The largest number in a table that is listed by number, 0 where it is empty: see `sql.build.numbered`."""
        return int(self._database.rows(f"last_number_of_{table}")[0][0])

    # ---- pools, see `pools` ----

    def pools(self) -> list[PoolRow]:
        """The pools that people have set; they go over those of the configuration."""
        return pools.all_pools(self._database)

    def put_pool(self, name: str, slots: int, description: str = "", *, by: str = "", now: float) -> None:
        """Set a pool. Raises RequestError."""
        pools.put(self._database, name, slots, description, by=by, now=now)

    def delete_pool(self, name: str, *, by: str = "", now: float) -> bool:
        """Let the configuration say how many slots a pool has; False where nobody had set it."""
        return pools.delete(self._database, name, by=by, now=now)

    def pool_use(self) -> dict[str, int]:
        """Slots in use by pool, where several schedulers share them."""
        return pools.use(self._database)

    def take_slots(self, owner: str, wanted: Sequence[Wanted], limits: Mapping[str, int]) -> set[tuple[int, int]]:
        """Take slots of shared pools, in this order; the (run, task) that have theirs."""
        return pools.take(self._database, owner, wanted, limits)

    def release_slots(self, owner: str, ended: Iterable[tuple[int, int]]) -> None:
        """Give the slots of these (run, task) back."""
        pools.release(self._database, owner, ended)

    def forget_left_slots(self) -> int:
        """Give back the slots of runs that have ended or been taken over."""
        return pools.forget_left(self._database)

    # ---- signals, see `signals` ----

    def send_signal(self, name: str, data: Any = None, *, by: str = "", now: float) -> int:
        """Tell all who wait for `name`, or will; the signal's id. Raises RequestError."""
        return signals.send(self._database, name, data, by=by, now=now)

    def signals(self, name: str, *, after_id: int = 0, limit: int = 1000) -> list[SignalRow]:
        """Signals of a name after the one with that id, oldest first: none is missed."""
        return signals.after(self._database, name, after_id, limit)

    def signals_among(self, names: Iterable[str], sent_after: float) -> list[SignalRow]:
        """Signals of these names that were sent later than that, oldest first."""
        return signals.among(self._database, names, sent_after)

    def last_signal_id(self) -> int:
        """The id of the newest signal, 0 if there is none."""
        return int(self._database.rows("last_signal_id")[0][0])

    def cache_forget(self, key: str) -> None:
        """Delete a cached result, for example one whose file is gone."""
        with self._database.transaction() as transaction:
            transaction.run("forget_cached", key=key)

    # ---- definitions, partitions, settings ----

    def save_definitions(
        self, location: str, content_hash: str, data: bytes, assets: Iterable[tuple[str, bytes]], *, now: float
    ) -> bool:
        """Replace what a code location defines, with (key, JSON) of its assets; False where the hash is the same."""
        return catalog.save_definitions(self._database, location, content_hash, data, assets, now)

    def keep_definitions(self, location: str, content_hash: str, data: bytes, *, now: float) -> None:
        """Keep this version of what a code location defines for as long as there are runs of it."""
        with self._database.transaction() as transaction:
            transaction.run("keep_definition_version", location=location, hash=content_hash, data=data, loaded_at=now)

    def fail_definitions(self, location: str, error: str, problems: bytes = b"[]", *, now: float) -> None:
        """Record that a code location cannot be loaded; what it defined before stays. See `DefinitionsRow`."""
        catalog.fail_definitions(self._database, location, error, problems.decode(), now)

    def delete_definitions(self, location: str) -> bool:
        """Forget a code location; False where it was not known. What its jobs did stays."""
        return catalog.delete_definitions(self._database, location)

    def add_dynamic_partitions(self, name: str, keys: Iterable[str], *, now: float) -> int:
        """Add keys; how many of them are new."""
        return catalog.add_dynamic_partitions(self._database, name, keys, now)

    def delete_dynamic_partitions(self, name: str, keys: Iterable[str]) -> int:
        """Delete keys; how many there were. Materializations of those partitions stay."""
        return catalog.delete_dynamic_partitions(self._database, name, keys)

    def set_meta(self, key: str, value: str) -> None:
        """Keep a setting of this store."""
        with self._database.transaction() as transaction:
            transaction.run("put_meta", key=key, value=value)

    def identity(self) -> str:
        """A name that no other store has, given when somebody first asks."""
        if not self._identity:
            with self._database.transaction() as transaction:
                transaction.run("keep_meta", key="identity", value=uuid.uuid4().hex)
            self._identity = self.meta("identity") or ""
        return self._identity

    # ---- care ----

    def prune(
        self, older_than_s: float, now: float, *, keep: int = 0, by: str = "", on_runs: OnRuns | None = None
    ) -> Pruned:
        """Delete runs that finished more than `older_than_s` ago, but never the newest `keep` of each job.

        Runs that a run started go with it, never before it. Current states of assets and checks stay. `by`: the person
        who wants it, for the audit log. `on_runs` is told of runs that are gone, to delete their files.
        """
        return retention.prune(self._database, older_than_s, now, keep=keep, by=by, on_runs=on_runs)

    def forgetting(self, ages: Ages, now: float, *, on_runs: OnRuns | None = None) -> Forgetting:
        """Delete what is older than it may become, step by step, see `Forgetting`."""
        return Forgetting(self._database, ages, now, on_runs=on_runs)

    def vacuum(self) -> None:
        """Give the room of deleted rows back. Others wait meanwhile on SQLite."""
        self._database.vacuum()

    def revision(self) -> str:
        """The revision of the schema; "" where the tables are gone."""
        return revisions.current(self._database) or ""

    def size(self) -> int:
        """Bytes on disk."""
        return self._database.size()

    def facts(self) -> dict[str, str]:
        """Versions and settings of the database, for people."""
        return self._database.facts()

    def info(self) -> StoreInfo:
        """What a person wants to know. Counts rows, which takes a moment in a large store."""
        return StoreInfo(
            dialect=self.dialect,
            location=self.location,
            revision=revisions.current(self._database) or "",
            newest_revision=revisions.NEWEST,
            size=self.size(),
            counts={table: int(self._database.rows(f"count_{table}")[0][0]) for table in _COUNTED},
            facts=self._database.facts(),
        )
