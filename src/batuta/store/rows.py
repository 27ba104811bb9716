"""The rows that the engine hands to the store and the queries hand out. Times are seconds since the epoch, UTC.

JSON columns travel as encoded bytes: the store never looks into them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(slots=True, kw_only=True)
class NewRun:
    """A run to be created. `params` and `tags` are plain JSON data."""

    job: str
    kind: str  # flow | dag | assets | task
    plan_hash: str
    location: str = ""  # what to load to get its code, for example a file
    params: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    trigger: str = "manual"  # manual | script | parent | backfill | schedule | sensor | automation
    logical_at: float | None = None
    interval_start: float | None = None
    interval_end: float | None = None
    partition: str = ""
    parent_run: int | None = None
    parent_task: int | None = None
    priority: int = 0
    seed: int = 0
    config: dict[str, Any] = field(default_factory=dict)  # executor and other choices needed to resume it
    by: str = ""  # the person who launched it, for the audit log; no column
    created_at: float = 0.0
    version: str = ""  # content hash of the definitions that it is started from
    origin: str = ""  # the name of the schedule, sensor, ... that triggered it
    concurrency_key: str = ""
    deadline_at: float | None = None
    backfill_id: int | None = None


@dataclass(slots=True, kw_only=True)
class RunRow:
    """A run as stored."""

    id: int
    job: str
    kind: str
    plan_hash: str
    location: str
    state: str
    params: dict[str, Any]
    tags: dict[str, str]
    config: dict[str, Any]
    trigger: str
    logical_at: float | None
    interval_start: float | None
    interval_end: float | None
    partition: str
    parent_run: int | None
    parent_task: int | None
    priority: int
    seed: int
    created_at: float
    started_at: float | None
    finished_at: float | None
    error: str
    epoch: int  # fencing number: grows with every claim
    owner: str  # who executes it: "host:pid:start"
    lease_until: float
    seq: int  # number of its last event
    version: str = ""
    origin: str = ""
    concurrency_key: str = ""
    deadline_at: float | None = None
    backfill_id: int | None = None


@dataclass(slots=True)
class RunUpdate:
    """The projection of a run after some events. Applied only where `epoch` is still the run's."""

    id: int
    epoch: int
    seq: int
    state: str
    started_at: float | None
    finished_at: float | None
    error: str


@dataclass(slots=True)
class RunRequestRow:
    """A message to the engine that executes a run: `cancel` with {"hard"}, `input` with {"key", "value"}; or, of a run
    that nobody executes, to the schedulers: `retry` with {"tasks"}, `resume`, `cancel`."""

    run_id: int
    kind: str
    data: dict[str, Any]
    by: str
    at: float
    id: int = 0  # given by the database


@dataclass(slots=True)
class EventRow:
    """One recorded event: (run_id, seq) is unique. `data` is JSON."""

    run_id: int
    seq: int
    kind: str
    at: float
    task: int | None
    data: bytes
    id: int = 0  # its place among the events of all runs; given by the database


@dataclass(slots=True)
class TaskRunRow:
    """The projection of a task run: inserted or replaced by (run_id, no)."""

    run_id: int
    no: int
    step: str
    task: str
    kind: str
    index: int  # -1 where not mapped
    label: str  # partition key
    state: str
    attempt: int
    started_at: float | None
    finished_at: float | None
    worker: str
    reason: str
    error: bytes | None  # ErrorInfo as JSON
    output: bytes | None  # Handle as JSON
    logged: bool


@dataclass(slots=True)
class MaterializationRow:
    """An asset (partition) that was made; also becomes the current state of (asset, partition)."""

    asset: str
    partition: str
    run_id: int
    task: int
    at: float
    data_version: str
    code_version: str
    inputs: bytes  # JSON object: asset or asset/partition -> data version
    metadata: bytes  # JSON object
    id: int = 0  # given by the database; 0 in current states


class VerdictCounts(NamedTuple):
    """How many verdicts came out how."""

    passed: int = 0
    warned: int = 0
    failed: int = 0
    unknown: int = 0

    @property
    def evaluated(self) -> int:
        """All of them."""
        return sum(self)

    @property
    def share_good(self) -> float | None:
        """The share that passed of those that were able to tell; None where none was."""
        told = self.evaluated - self.unknown
        return self.passed / told if told else None

    def plus(self, other: VerdictCounts) -> VerdictCounts:
        """Both together."""
        return VerdictCounts(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(slots=True)
class CheckRow:
    """One evaluation of a check; also becomes the current state of (asset, check, partition)."""

    asset: str
    check: str
    partition: str
    run_id: int
    task: int
    at: float
    passed: bool
    blocking: bool
    description: str
    metadata: bytes
    outcome: str = ""  # see `core.records.Outcome`; empty where only `passed` was recorded
    id: int = 0  # given by the database; 0 in current states

    @property
    def level(self) -> str:
        """passed, warned, failed or unknown, whatever was recorded."""
        return self.outcome or ("passed" if self.passed else "failed" if self.blocking else "warned")


@dataclass(slots=True)
class UsageRow:
    """How often an asset was read on a day by one reader.

    `kind` is asset, task or preview; `reader` the asset's key, `job/step`, or who looked. `day` counts from 1970, UTC.
    """

    asset: str
    kind: str
    reader: str
    day: int
    reads: int
    last_at: float
    last_run: int = 0


@dataclass(slots=True)
class CacheRow:
    """A cached task result; `expires_at` None for never."""

    key: str
    output: bytes  # Handle as JSON
    run_id: int
    created_at: float
    expires_at: float | None


@dataclass(slots=True)
class EnvironmentRow:
    """An environment, with how many assets and partitions were made in it, and when last (0: never)."""

    name: str
    description: str
    created_at: float
    created_by: str
    assets: int
    partitions: int
    made_at: float


@dataclass(slots=True)
class ColumnsRow:
    """The columns of an asset and what they are made from, as `source` tells it (see `store.columns`).

    `columns` is JSON, a list of [name, type]; `lineage` a `core.columns.ColumnLineage`, or "{}" where nothing was told.
    `hash` tells one such row from another of the same asset and source; of a definition it is that of what it was
    found in, so that what has not changed need not be looked at again.
    """

    asset: str
    source: str
    hash: str
    columns: bytes
    lineage: bytes
    run_id: int  # 0: no run
    at: float


@dataclass(slots=True)
class CodeRow:
    """The code that makes an asset in one version of it; `code` is JSON of `core.code_text.CodeText`."""

    asset: str
    code_version: str
    code: bytes
    run_id: int  # that first told it
    at: float


@dataclass(slots=True)
class Audit:
    """What somebody did: `action` (set, delete, launch, ...) to an object, with details in which nothing is secret."""

    actor: str
    action: str
    kind: str  # of the object: run, variable, connection, schedule, ...
    name: str
    data: dict[str, Any] = field(default_factory=dict)
    at: float = 0.0  # 0: when it is recorded


@dataclass(slots=True)
class AuditRow(Audit):
    """An entry of the audit log."""

    id: int = 0


@dataclass(slots=True)
class VariableRow:
    """A variable, or a secret without its value. `value` is JSON."""

    name: str
    value: str
    secret: bool
    description: str
    changed_at: float
    changed_by: str


@dataclass(slots=True)
class ConnectionRow:
    """A connection without what is encrypted of it."""

    name: str
    kind: str
    description: str
    changed_at: float
    changed_by: str


@dataclass(slots=True, kw_only=True)
class ArtifactRow:
    """An artifact as stored. `content` is a handle as JSON, None where it is progress alone."""

    run_id: int
    task: int
    name: str
    kind: str
    title: str
    media_type: str
    size: int
    progress: float | None
    content: bytes | None
    attempt: int
    job: str
    location: str
    at: float
    id: int = 0  # given by the database


@dataclass(slots=True)
class EnvironmentDropped:
    """A run has deleted the data of an environment, which is forgotten with that."""

    run_id: int
    name: str
    by: str
    at: float


@dataclass(slots=True)
class Batch:
    """All that one turn of the engine wants recorded, in one transaction."""

    runs: list[RunUpdate] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    task_runs: list[TaskRunRow] = field(default_factory=list)
    materializations: list[MaterializationRow] = field(default_factory=list)
    checks: list[CheckRow] = field(default_factory=list)
    cache: list[CacheRow] = field(default_factory=list)
    artifacts: list[ArtifactRow] = field(default_factory=list)
    audit: list[Audit] = field(default_factory=list)  # of what the events record
    usage: list[UsageRow] = field(default_factory=list)  # of what the events record
    columns: list[ColumnsRow] = field(default_factory=list)  # the same
    code: list[CodeRow] = field(default_factory=list)  # the same
    environment_made: list[tuple[str, MaterializationRow]] = field(default_factory=list)  # not in production
    environment_checks: list[tuple[str, CheckRow]] = field(default_factory=list)
    environments_dropped: list[EnvironmentDropped] = field(default_factory=list)

    def __bool__(self) -> bool:
        said = self.runs or self.events or self.task_runs or self.materializations or self.checks
        return bool(said or self.cache or self.artifacts)


@dataclass(slots=True)
class DefinitionsRow:
    """What a code location defines. `error` tells why it cannot be loaded now; `data` is then the last good version.

    `problems`: all that is wrong in its files, as JSON of `core.definitions.Problem`; the error is the first of them.
    """

    location: str
    hash: str
    data: bytes
    loaded_at: float
    error: str
    problems: str = "[]"


@dataclass(slots=True)
class AssetDefinitionRow:
    """One asset as a code location defines it; `data` is JSON."""

    key: str
    location: str
    data: bytes


@dataclass(slots=True)
class Pruned:
    """What `Store.prune` deleted. Logs and results of `runs` are for the caller to delete."""

    runs: list[int] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)  # by table


@dataclass(slots=True, kw_only=True)
class StoreInfo:
    """What a person wants to know about a store. `size` is in bytes."""

    dialect: str
    location: str
    revision: str
    newest_revision: str
    size: int
    counts: dict[str, int]  # rows by table
    facts: dict[str, str]  # versions and settings


@dataclass(slots=True)
class PoolRow:
    """A pool that a person has set; it goes over the one of that name in the configuration."""

    name: str
    slots: int
    description: str
    changed_at: float
    changed_by: str


@dataclass(slots=True)
class OpenRow:
    """A run that is executed, or was and will be again: what limits look at."""

    id: int
    job: str
    location: str
    state: str
    tags: dict[str, str]
    concurrency_key: str
    owner: str
    lease_until: float
    origin: str
    trigger: str
    config: dict[str, Any]
    backfill_id: int | None
    started_at: float | None
    deadline_at: float | None


@dataclass(slots=True)
class KeyedRun:
    """A run to be created unless its key was taken before, in the scope of whoever asks; `plan` is encoded."""

    run: NewRun
    plan: bytes
    key: str


@dataclass(slots=True, kw_only=True)
class TickerRow:
    """What a schedule, sensor or automation remembers between ticks."""

    kind: str  # schedule | sensor | automation
    location: str
    name: str
    enabled: bool | None = None  # None: as its definition says
    cursor: str = ""
    state: str = ""
    failures: int = 0  # in a row
    next_at: float | None = None
    ticked_at: float | None = None
    changed_at: float = 0.0


@dataclass(slots=True, kw_only=True)
class NewTick:
    """One evaluation: what it found, what it launches, and what its ticker remembers from now on.

    A `quiet` one leaves no row behind, only the ticker's new state.
    """

    ticker: TickerRow
    at: float
    ended_at: float
    outcome: str  # launched | skipped | failed
    reason: str = ""
    logical_at: float | None = None
    data: dict[str, Any] = field(default_factory=dict)
    runs: list[KeyedRun] = field(default_factory=list)
    quiet: bool = False
    shares: list[tuple[str, str]] = field(default_factory=list)
    """Scope and key of runs that another tick, recorded together with this one, launches for both."""
    run_ids: list[int] = field(default_factory=list)
    """Runs that were launched for it before."""


@dataclass(slots=True, kw_only=True)
class TickRow:
    """A tick as stored. `runs` are the ids of those that it launched."""

    id: int
    kind: str
    location: str
    name: str
    at: float
    ended_at: float
    logical_at: float | None
    outcome: str
    reason: str
    runs: list[int]
    cursor: str
    data: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class SignalRow:
    """Something that was sent by name; `data` is JSON data."""

    id: int
    name: str
    at: float
    data: Any
    sent_by: str


@dataclass(slots=True, frozen=True)
class Leader:
    """Who does what only one may do at a time. What is written under a former epoch is refused."""

    name: str
    owner: str
    until: float
    epoch: int


@dataclass(slots=True, kw_only=True)
class ProcessRow:
    """A process of the service. `id` is its owner's name, `host:pid:start`."""

    id: str
    kind: str  # up | scheduler | server | worker
    host: str
    pid: int
    started_at: float
    seen_at: float
    info: dict[str, Any]
