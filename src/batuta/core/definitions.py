"""The neutral model: what a code location defines, whatever style it was written in.

Front ends produce it, every later layer reads it, and user code is never needed to look at it. What there may be
100,000 of is no part of reference cycles and is kept from the garbage collector (`gc=False`), which halves loading.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from batuta.core.asset_triggers import AssetTriggerSpec
from batuta.core.columns import Column, ColumnLineage, SqlSource
from batuta.core.conditions import AnyCondition
from batuta.core.contract import Evolution
from batuta.core.freshness import FreshnessPolicy
from batuta.core.partition_mapping import PartitionMapping
from batuta.core.partitions import Partitions
from batuta.core.place import Place as Place
from batuta.core.plan import JobKind, Plan
from batuta.core.retry import Retry
from batuta.core.run_rules import RunRules as RunRules
from batuta.core.schedule_specs import ScheduleSpec
from batuta.core.sensor_specs import SensorSpec


class AssetDep(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The asset reads `asset`; `mapping` says which partitions of it (None: the default for the two definitions)."""

    asset: str
    mapping: PartitionMapping | None = None
    loads: bool = True  # passed as an argument through its IO manager; False: order and lineage only


class AssetSpec(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A table, file, model or report that should exist. `step` is what makes it; empty for external assets."""

    key: str
    step: str = ""
    deps: tuple[AssetDep, ...] = ()
    layer: str = ""
    group: str = ""
    description: str = ""
    owners: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    metadata: dict[str, Any] = {}
    partitions: Partitions | None = None
    code_version: str = ""
    external: bool = False
    place: Place = Place()
    automation: AnyCondition | None = None  # made without being asked for where it holds
    freshness: FreshnessPolicy | None = None
    columns: tuple[Column, ...] = ()  # what is said of them; there may be others
    sql: SqlSource | None = None  # the query that makes it
    column_lineage: ColumnLineage | None = None  # as declared; of a query it is found out (`batuta.sql.lineage`)
    evolution: Evolution | Literal[""] = ""  # `columns` are a contract that is enforced; "": they are not


class CheckSpec(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An assertion about an asset. A blocking one that fails holds back what is downstream.

    One of `before` is about how the asset would be made: it is evaluated first, and holds back the asset itself. One
    `at_write` is evaluated by the step that makes the asset, before anything is stored. Several may share a step.
    """

    asset: str
    name: str
    step: str
    blocking: bool = False
    description: str = ""
    deps: tuple[AssetDep, ...] = ()  # of what it loads: the asset itself, and others
    place: Place = Place()
    before: bool = False
    at_write: bool = False
    kind: str = ""  # of what is declared as data: not_null, unique, ...; "": a function
    columns: tuple[str, ...] = ()  # that it is about, as far as that is known
    severity: Literal["warn", "error", ""] = ""  # how bad it is at most; "": follows from `blocking`

    @property
    def key(self) -> str:
        return f"{self.asset}:{self.name}"


class AssetStep(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The function that makes one asset, or several together, and how it is run.

    `before` and `after` are other steps that belong to any run that has this one: it waits for the first, the other for
    all that name it, however they end.
    """

    key: str
    task: str = ""
    retry: Retry = Retry()
    timeout_s: float | None = None
    pools: tuple[tuple[str, int], ...] = ()
    priority: int = 0
    instances_max: int | None = None
    isolated: bool = False
    tags: tuple[str, ...] = ()
    location: str = ""  # that has its code, where the definitions are of several
    before: str = ""
    after: str = ""


class JobSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that can be launched. `plan` is whole for a DAG, holds just the body for a flow, and is None for a
    selection of assets, whose plan depends on what is asked for."""

    name: str
    kind: JobKind
    plan: Plan | None = None
    selection: str = ""
    params_schema: dict[str, Any] = {}
    description: str = ""
    tags: dict[str, str] = {}
    owners: tuple[str, ...] = ()
    schedule: str = ""
    timezone: str = "UTC"
    rules: RunRules = RunRules()
    place: Place = Place()


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a file of the location could not be loaded, while the others could."""

    message: str
    place: Place = Place()
    hint: str = ""
    detail: str = ""  # the user's traceback


class Definitions(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that one code location defines."""

    location: str = ""
    jobs: tuple[JobSpec, ...] = ()
    assets: tuple[AssetSpec, ...] = ()
    asset_steps: tuple[AssetStep, ...] = ()
    checks: tuple[CheckSpec, ...] = ()
    schedules: tuple[ScheduleSpec, ...] = ()
    sensors: tuple[SensorSpec, ...] = ()
    asset_triggers: tuple[AssetTriggerSpec, ...] = ()
    layers: tuple[str, ...] = ("bronze", "silver", "gold")
    problems: tuple[Problem, ...] = ()


_encoder = msgspec.json.Encoder(order="deterministic")


def encode(definitions: Definitions) -> bytes:
    """The definitions as JSON, the same bytes for the same definitions."""
    return _encoder.encode(definitions)


def decode(data: bytes) -> Definitions:
    """The inverse of `encode`."""
    return msgspec.json.decode(data, type=Definitions)


def content_hash(data: bytes) -> str:
    """The address of encoded definitions: 32 hex digits of BLAKE2b."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()
