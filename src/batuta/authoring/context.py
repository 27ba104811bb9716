"""What a running step can know and say: run, params, partition, logical date, metadata, outputs of other steps.

`current()` (exported as `batuta.context`) gives it inside any task, operator, asset, check or flow.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol

import msgspec

from batuta.core.asset_triggers import TriggeringEvent, triggering_events
from batuta.core.environments import CONFIG
from batuta.core.errors import BatutaError, RequestError
from batuta.core.partitions import MultiPartitions, Partitions, Window, split_key, window
from batuta.core.records import Checked, Materialized, Outcome
from batuta.core.triggers import FileArrives, RowArrives, Trigger, Wait, wrong

if TYPE_CHECKING:
    from batuta.authoring.asset_access import AssetAccess
    from batuta.core.code_text import CodeText


class SkipTask(BatutaError):
    """Raise it in a task to end it as skipped, with the reason as its text."""


class CancelledByRequest(BaseException):
    """Raised inside a task that was asked to stop; like KeyboardInterrupt it passes `except Exception`."""


class Defer(BaseException):
    """Raised to give the worker back while waiting: called again at `until` (seconds since the epoch), or when
    `trigger` has fired, at the latest at `until` (0: without end).

    The call that goes on finds `state` as `context().state`, and what the trigger found as `context().fired`, None
    where the time was over first. With `finish` it is not called again: what was found is the step's output.
    """

    def __init__(
        self, until: float = 0.0, state: Any = None, *, trigger: Trigger | None = None, finish: bool = False
    ) -> None:
        super().__init__(until)
        if trigger is None and not until:
            raise RequestError("there is nothing to wait for", hint="give a time (until=) or a trigger=")
        self.until = until
        self.state = state
        self.wait = None if trigger is None else Wait(_checked(trigger), finish)


def _checked(trigger: Trigger) -> Trigger:
    """The trigger, if it can be waited for; local paths made absolute, as the engine may run in another folder."""
    if isinstance(trigger, FileArrives) and "://" not in trigger.path:
        trigger = msgspec.structs.replace(trigger, path=os.path.abspath(trigger.path))
    if isinstance(trigger, RowArrives):
        trigger = msgspec.structs.replace(trigger, connection=_absolute(trigger.connection))
    if message := wrong(trigger):
        raise RequestError(message, where=type(trigger).__name__)
    return trigger


def _absolute(connection: str) -> str:
    """The URL of a database file, absolute; any other connection as it is."""
    kind, found, path = connection.partition(":///")
    return f"{kind}:///{os.path.abspath(path)}" if found and kind.startswith("sqlite") and path else connection


class Talk(Protocol):
    """How a step reaches the engine that runs it."""

    def ask(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        """Ask a question and wait for the answer. Raises RequestError when it is refused."""


@dataclass(slots=True)
class StepContext:
    """One attempt of one step."""

    run_id: int
    job: str
    step: str
    attempt: int
    index: int = -1
    items: tuple[int, ...] = ()  # of a mapped step: which item of each source its index stands for; (): not told
    partition: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    logical_at: float | None = None
    interval: tuple[float, float] | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    trigger: str = "manual"
    failures: int = 0
    tries: int = 0  # counts attempts but those that go on after a wait or take the place of a lost one; 0: not told
    talk: Talk | None = None
    load_input: Any = None  # (step key) -> value of that upstream's output
    save_content: Callable[[bytes, str], dict[str, Any]] | None = None
    """Records bytes of this run under a name: a handle, as plain data."""
    artifacts: dict[tuple[int, str], float] = field(default_factory=dict)
    """The artifacts that it has left, by run and name, and when progress was told last."""
    state: Any = None  # what a deferred attempt remembered
    fired: Any = None  # what the trigger found that it waited for
    metadata: dict[str, Any] = field(default_factory=dict)
    records: list[Any] = field(default_factory=list)
    follow: tuple[str, ...] | None = None
    cut: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    cancel_asked: bool = False
    uninterrupted: Callable[[], AbstractContextManager[None]] = nullcontext
    """A `with` block of it is not interrupted, by no timeout and no cancelling: those fall where it is left."""
    partitions: Partitions | None = None
    """The partitions definition of the asset that is being made or checked."""
    assets: Callable[[StepContext], AssetAccess] | None = None
    traceparent: str = ""
    """Its place in a trace, for what it calls: the header `traceparent` of W3C; "" where nothing is traced."""
    reads: dict[str, str] = field(default_factory=dict)
    """The data versions of what was loaded by `load_asset`, by asset[/partition]."""

    @property
    def environment(self) -> str:
        """The environment in which this run is; "": production."""
        return str(self.config.get(CONFIG, ""))

    @property
    def log(self) -> logging.Logger:
        """A logger whose lines end up with this attempt."""
        return logging.getLogger(f"batuta.{self.job}")

    @property
    def logical_date(self) -> datetime:
        """The time that the run stands for, aware, UTC; when the run was started by hand, that moment."""
        return datetime.fromtimestamp(self.logical_at or 0.0, UTC)

    @property
    def data_interval(self) -> tuple[datetime, datetime]:
        """Start and end of the data that the run is about, aware, UTC."""
        start, end = self.interval or (self.logical_at or 0.0, self.logical_at or 0.0)
        return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)

    @property
    def partition_key(self) -> str:
        """The partition that is being made. Raises RequestError where the asset has no partitions."""
        if self.partitions is None:
            raise RequestError(f"{self.step!r} has no partitions", hint="declare them: @asset(partitions=...)")
        return self.partition

    @property
    def partition_keys(self) -> tuple[str, ...]:
        """All partitions that this step makes: one, or none where the asset has no partitions."""
        return () if self.partitions is None else (self.partition,)

    @property
    def partition_dimensions(self) -> dict[str, str]:
        """The partition by dimension, like `{"day": "2025-01-31", "region": "eu"}`. Raises RequestError without any."""
        key = self.partition_key
        if not isinstance(self.partitions, MultiPartitions):
            raise RequestError(f"the partitions of {self.step!r} have no dimensions", hint="use context.partition_key")
        return split_key(key)

    @property
    def partition_window(self) -> Window:
        """Start (included) and end (not included) of the partition's time, aware, in its time zone.

        Raises PartitionError where the partition is not one of time.
        """
        key = self.partition_key
        assert self.partitions is not None
        return window(self.partitions, key, self.step)

    @property
    def triggering_events(self) -> tuple[TriggeringEvent, ...]:
        """What was made that started this run, oldest first; nothing where it was started otherwise.

        Each has `asset`, `partition`, `run_id`, `at` (seconds since the epoch), `data_version` and `metadata`.
        """
        return triggering_events(self.config)

    @property
    def key(self) -> str:
        """`step`, `step[3]` or `step[partition]`."""
        if self.partition:
            return f"{self.step}[{self.partition}]"
        return f"{self.step}[{self.index}]" if self.index >= 0 else self.step

    def add_metadata(self, values: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Attach numbers, texts, links, tables or plots (see `batuta.metadata`) to what this step makes."""
        self.metadata.update(values or {}, **more)

    def materialized(
        self,
        asset: Any,
        *,
        metadata: Mapping[str, Any] | None = None,
        data_version: str = "",
        partition: str | None = None,
        inputs: Mapping[str, str] | None = None,
        code_version: str = "",
        column_lineage: Any = None,
        code: CodeText | None = None,
    ) -> None:
        """Report that this step made `asset` (a key, or an object with one).

        Without a `data_version` (best: a hash of the content) the data count as new each time. `inputs` are the data
        versions it was made from, by asset[/partition]; by default those that this step loaded. `column_lineage` is
        what its columns were made from: see `asset`. `code`: the text of what made it, of that `code_version`.
        """
        if column_lineage is not None:
            from batuta.authoring.column_lineage import declared

            column_lineage = declared(column_lineage, None, self.key)
        self.records.append(
            Materialized(
                asset=getattr(asset, "key", asset),
                partition=self.partition if partition is None else partition,
                data_version=data_version or f"{self.run_id}.{self.key}.{self.attempt}",
                code_version=code_version,
                inputs=dict(self.reads if inputs is None else inputs),
                metadata=dict(self.metadata if metadata is None else metadata),
                lineage=column_lineage,
                code=code,
            )
        )

    def checked(
        self,
        asset: Any,
        check: str,
        passed: bool,
        *,
        blocking: bool = False,
        description: str = "",
        metadata: Mapping[str, Any] | None = None,
        partition: str | None = None,
        outcome: Outcome | Literal[""] = "",
    ) -> None:
        """Report the verdict of a check of `asset` (a key, or an object with one).

        `outcome` says more than `passed`; without it a failed check has warned, or, if `blocking`, failed.
        """
        self.records.append(
            Checked(
                asset=getattr(asset, "key", asset),
                check=check,
                passed=passed,
                partition=self.partition if partition is None else partition,
                blocking=blocking,
                description=description,
                metadata=dict(self.metadata if metadata is None else metadata),
                outcome=outcome,
            )
        )

    def load_asset(
        self,
        asset: Any,
        as_: Any = None,
        *,
        partitions: str | Sequence[str] | None = None,
        version: int | str | None = None,
        run: int | None = None,
    ) -> Any:
        """The data of an asset (a key, or the asset itself), as the type `as_` (Polars for tables if nothing is said).

        `partitions`: a key, a range like "2025-01-01..2025-01-31" or a list of either; by default all that were made.
        What is loaded counts as input of what this step makes. `version`: as the table was in that version (of
        `DeltaIO`, `IcebergIO`), `run`: as that run left it; either counts as used, but not as an input, which newer
        data would make stale. Raises RequestError outside a run, PartitionError, MissingDataError.
        """
        if self.assets is None:
            raise RequestError("assets can only be loaded inside a run", hint="call it in a task, operator or flow")
        return self.assets(self).load(asset, as_, partitions, version=version, run=run)

    def output_of(self, step: str, index: int | None = None) -> Any:
        """The output of an earlier step of this run (a list where that step was mapped and no index is given)."""
        if self.load_input is None:
            raise RequestError(f"outputs of other steps cannot be read here ({self.key})")
        return self.load_input(step, index)

    def defer(
        self, trigger: Trigger, *, state: Any = None, timeout_s: float | None = None, finish: bool = False
    ) -> NoReturn:
        """Give the worker back until `trigger` (see `batuta.triggers`) has fired, at most for `timeout_s`.

        Then the step is called again, with `state` and what was found (`fired`, None when the time was over); or, with
        `finish`, what was found is its output. Raises Defer.
        """
        until = 0.0 if timeout_s is None else time.time() + timeout_s
        raise Defer(until, state, trigger=trigger, finish=finish)

    def check_cancelled(self) -> None:
        """Raise where the run was asked to stop; call it in long loops to stop at a good place."""
        if self.cancel_asked:
            raise CancelledByRequest

    def ask(self, what: str, **data: Any) -> dict[str, Any]:
        """Ask the engine; see `batuta.engine.questions` for what can be asked."""
        if self.talk is None:
            raise RequestError(f"{what!r} can only be asked inside a run")
        return self.talk.ask(what, data)

    def dynamic_partitions(self, name: str) -> list[str]:
        """The keys of a dynamic partitions definition."""
        return list(self.ask("dynamic_partitions", name=name)["keys"])

    def add_dynamic_partitions(self, name: str, keys: Sequence[str]) -> None:
        """Add keys to a dynamic partitions definition."""
        self.ask("add_dynamic_partitions", name=name, keys=list(keys))


_current: ContextVar[StepContext | None] = ContextVar("batuta_context", default=None)


def current() -> StepContext:
    """The context of the step that is running. Raises RequestError outside one."""
    context = _current.get()
    if context is None:
        raise RequestError(
            "there is no running step here", hint="call batuta.context() inside a task, operator, asset, check or flow"
        )
    return context


def current_or_none() -> StepContext | None:
    """The context of the running step, or None."""
    return _current.get()


def set_current(context: StepContext | None) -> Any:
    """For the runtime: make `context` current; returns the token for `reset_current`."""
    return _current.set(context)


def reset_current(token: Any) -> None:
    """For the runtime: undo `set_current`."""
    _current.reset(token)
