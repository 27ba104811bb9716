"""Who is measured: the command that runs each, and with which cases."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from bench.peers.catalog import PEERS, Peer
from bench.workloads import ASSETS, MEMORY, RUN_WORKLOADS, Workload

STORES = ("sqlite", "postgres")
EXECUTORS = ("threads", "processes")
STYLES = ("flow", "dag", "asset")
FULL_TIMEOUT_S = 180.0


@dataclass(frozen=True)
class Case:
    """One workload at one size. `shown` is the workload it is shown under, where that is another (memory)."""

    workload: str
    size: int
    repeats: int
    timeout_s: float
    shown: str = ""

    @property
    def column(self) -> str:
        return self.shown or self.workload


@dataclass(frozen=True)
class Contender:
    """A process to be started with cases. `postgres`: it is given the URL of an empty database."""

    name: str
    variant: str
    command: tuple[str, ...]
    cases: tuple[Case, ...]
    postgres: bool = False
    samples_memory: bool = False

    @property
    def title(self) -> str:
        return f"{self.name} {self.variant.replace('-', ', ')}".strip()


@dataclass(frozen=True)
class Choice:
    """What the command line asks for; empty: all of it."""

    workloads: tuple[str, ...] = ()
    stores: tuple[str, ...] = STORES
    executors: tuple[str, ...] = EXECUTORS
    styles: tuple[str, ...] = STYLES
    repeats: int = 0
    tiny: bool = False

    def wants(self, workload: Workload) -> bool:
        return not self.workloads or workload.name in self.workloads

    def repeats_of(self, workload: Workload) -> int:
        return 1 if self.tiny else self.repeats or workload.repeats

    def cases(self, workloads: tuple[Workload, ...], timeout_s: float = FULL_TIMEOUT_S) -> tuple[Case, ...]:
        """The workloads that are wanted at all their sizes."""
        return tuple(
            Case(workload.name, size, self.repeats_of(workload), timeout_s)
            for workload in workloads
            if self.wants(workload)
            for size in ((workload.tiny,) if self.tiny else workload.sizes)
        )


def batuta(choice: Choice) -> list[Contender]:
    """Every store, executor and style; each once more for its memory."""
    made = []
    for store in choice.stores:
        for executor in choice.executors:
            for style in choice.styles:
                one = Contender(
                    "batuta",
                    f"{store}-{executor}-{style}",
                    (sys.executable, "-m", "bench.subject_batuta"),
                    choice.cases(RUN_WORKLOADS),
                    postgres=store == "postgres",
                )
                made += [one, _for_memory(one, choice)]
    return [contender for contender in made if contender.cases]


def assets(choice: Choice) -> list[Contender]:
    """Assets defined, in a process of their own."""
    cases = choice.cases((ASSETS,))
    one = Contender("batuta", "", (sys.executable, "-m", "bench.subject_assets"), cases, samples_memory=True)
    return [one] if cases else []


def floor(choice: Choice) -> list[Contender]:
    """The bare pools."""
    made = []
    for variant in EXECUTORS:
        command = (sys.executable, "-m", "bench.subject_floor")
        one = Contender("concurrent.futures", variant, command, choice.cases(RUN_WORKLOADS))
        made += [one, _for_memory(one, choice)]
    return [contender for contender in made if contender.cases]


def peers(choice: Choice, pythons: dict[str, str]) -> list[Contender]:
    """Each peer in each of its variants, at sizes that it can do in the time."""
    made = []
    for name, python in pythons.items():
        peer = PEERS[name]
        for variant in peer.variants:
            cases = _peer_cases(peer, variant, choice)
            if cases:
                command = (python, "-P", "-m", f"bench.peers.{name}")
                uses_postgres = "postgres" in variant
                made.append(Contender(name, variant, command, cases, postgres=uses_postgres, samples_memory=True))
    return made


def _peer_cases(peer: Peer, variant: str, choice: Choice) -> tuple[Case, ...]:
    cases = []
    for workload in (*RUN_WORKLOADS, ASSETS):
        sizes = peer.sizes_of(variant, workload)
        if choice.tiny:
            sizes = tuple(min(workload.tiny, size) for size in sizes[:1])
        if choice.wants(workload):
            repeats = min(choice.repeats_of(workload), peer.repeats)
            cases += [Case(workload.name, size, repeats, peer.timeout_s) for size in sizes]
    return tuple(cases)


def _for_memory(contender: Contender, choice: Choice) -> Contender:
    """The largest fan-out in a process of its own, whose memory is looked at meanwhile."""
    asked = choice.cases((MEMORY,))
    cases = tuple(replace(case, workload="fan_out", shown=MEMORY.name) for case in asked)
    return replace(contender, cases=cases, samples_memory=True)
