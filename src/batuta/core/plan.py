"""The plan of a run: the steps of one job as the engine needs them, whatever style they were written in.

A plan is immutable and content-addressed; a run is pinned to the plan it was started with. Steps of a flow are not in
its plan: they are requested while it runs, with the same `StepSpec`.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from batuta.core.retry import Retry
from batuta.core.trigger_rules import TriggerRule

Mapping = Literal["every", "aligned"] | tuple[tuple[int, ...], ...]
"""How the task runs of a step meet those of its upstream: all with all, same index, or listed by downstream index."""


class Edge(msgspec.Struct, frozen=True, omit_defaults=True):
    """The step waits for `step`."""

    step: str
    mapping: Mapping = "every"
    data: bool = False  # its output is an argument, not just its end awaited


class MapSource(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one expanded argument ranges over: the output of `step`, or a literal with `length` items."""

    step: str = ""
    length: int = -1


class MapExpansion(msgspec.Struct, frozen=True, omit_defaults=True, tag="map"):
    """The step runs once per item of its sources; how many is known when they are."""

    sources: tuple[MapSource, ...]
    mode: Literal["product", "zip"] = "product"


class LabelExpansion(msgspec.Struct, frozen=True, omit_defaults=True, tag="labels"):
    """The step runs once per label (partition key), known ahead."""

    labels: tuple[str, ...]


Expansion = MapExpansion | LabelExpansion

StepKind = Literal["task", "operator", "asset", "check", "flow", "subflow", "input"]


class StepSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """One node of a job. `task` names the code it runs, so that equal steps are recognised across runs."""

    key: str
    task: str = ""
    kind: StepKind = "task"
    upstream: tuple[Edge, ...] = ()
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    retry: Retry = Retry()
    timeout_s: float | None = None
    pools: tuple[tuple[str, int], ...] = ()  # (pool, slots)
    priority: int = 0  # higher first
    instances_max: int | None = None  # how many task runs of this step at once
    expansion: Expansion | None = None
    group: str = ""
    is_setup: bool = False
    is_teardown: bool = False
    fails_run: bool = True
    isolated: bool = False  # in a process of its own
    reads: tuple[str, ...] = ()  # asset keys
    writes: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()  # "asset:check" that it evaluates
    code_version: str = ""
    tags: tuple[str, ...] = ()
    location: str = ""  # the code location that has its code; "": that of its run


Outcome = Literal["leaves", "any", "body"]
"""Which failures fail the run: those of leaf steps (DAGs), of any step (assets), or of the flow's own body."""

JobKind = Literal["flow", "dag", "assets", "task"]


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The steps of one run of `job`, in an order in which upstreams come first."""

    job: str
    kind: JobKind
    steps: tuple[StepSpec, ...]
    outcome: Outcome = "any"
    fail_fast: bool = False
    parallelism_max: int | None = None


_encoder = msgspec.json.Encoder(order="deterministic")


def encode(plan: Plan) -> bytes:
    """The plan as JSON, the same bytes for the same plan."""
    return _encoder.encode(plan)


def decode(data: bytes) -> Plan:
    """The inverse of `encode`."""
    return msgspec.json.decode(data, type=Plan)


def content_hash(data: bytes) -> str:
    """The address of an encoded plan: 32 hex digits of BLAKE2b."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def locations_of(plan: Plan) -> list[str]:
    """The code locations of its steps, each once, in their order; [""] for those of the run's own."""
    return list(dict.fromkeys(step.location for step in plan.steps)) or [""]
