"""The state that the reference has of a run, and what can start in it: looked at from scratch every time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from batuta.core import events as ev
from batuta.core.plan import Edge, MapExpansion, Plan, StepSpec
from batuta.core.states import RunState, TaskState
from batuta.core.triggers import Wait
from batuta.core.values import Handle
from tests.simulation.reference_rules import (
    BAD,
    CANCELLED,
    ENDS,
    FAILED,
    OK,
    PAUSED,
    SKIPPED,
    UP_FAILED,
    Q,
    W,
    scopes_of,
    verdict,
)

At = tuple[str, int]
"""A task run: its step, and its position among the step's task runs."""


@dataclass
class One:
    """One task run."""

    state: TaskState = W
    attempt: int = 0
    tries: int = 0
    failures: int = 0
    losses: int = 0
    stop: bool | None = None
    output: Handle | None = None
    until: float = 0.0
    wait: Wait | None = None
    fired: Handle | None = None
    follow: tuple[str, ...] | None = None
    cut: bool = False
    halted: bool = False
    mark: TaskState | None = None
    asked: int = 0

    @property
    def over(self) -> bool:
        return self.state in ENDS

    def renew(self) -> None:
        self.state, self.failures, self.losses, self.output, self.until = W, 0, 0, None, 0.0
        self.follow, self.cut, self.halted = None, False, False
        self.wait = self.fired = None


@dataclass(frozen=True)
class Wish:
    """A command, with the place of its task run instead of the number."""

    what: str
    at: At
    attempt: int


class State:
    """What is, and what follows from it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.steps: dict[str, StepSpec] = {spec.key: spec for spec in plan.steps}
        self.slots: dict[str, list[One]] = {key: [] for key in self.steps}
        self.width: dict[str, int | None] = dict.fromkeys(self.steps)  # None: not expanded
        self.standin: set[str] = set()  # steps with a placeholder
        self.left_out: dict[str, set[int]] = {}
        self.lengths: dict[str, list[int]] = {}
        self.state = RunState.QUEUED
        self.verdict: RunState | None = None
        self.stopping = self.failed_fast = self.halt_wanted = False
        self.halt_state = CANCELLED
        self.commands: list[Wish | ev.Finish] = []
        self.again: set[At] = set()  # what the last restart made wait anew
        self.at = 0.0
        self._scopes = scopes_of(plan)

    # ---- looking ----

    def live(self, key: str) -> list[One]:
        return self.slots[key][: self.width[key] or 0]

    def settled(self, key: str) -> bool:
        return self.width[key] is not None and all(one.over for one in self.live(key))

    def everyone(self) -> Iterator[tuple[At, One]]:
        for key in self.steps:
            for slot, one in enumerate(self.live(key)):
                yield (key, slot), one

    def along(self, edge: Edge, slot: int) -> list[One | None]:
        """The task runs upstream along an edge; None stands for a step that is not expanded yet."""
        if self.width[edge.step] is None:
            return [None]
        ups = self.live(edge.step)
        if edge.mapping == "every":
            return list(ups)
        if edge.mapping == "aligned":
            return [ups[0] if edge.step in self.standin else ups[slot]]
        return [ups[int(i)] for i in edge.mapping[slot]]

    def upstreams(self, key: str, slot: int) -> list[tuple[StepSpec, One | None]]:
        edges = self.steps[key].upstream
        return [(self.steps[edge.step], one) for edge in edges for one in self.along(edge, slot)]

    def gated(self, key: str) -> bool:
        expansion = self.steps[key].expansion
        sources = expansion.sources if isinstance(expansion, MapExpansion) else ()
        waits = [source.step for source in sources if source.step] + sorted(self._scopes.get(key, ()))
        return not all(self.settled(step) for step in waits)

    def settle(self) -> None:
        moved = True
        while moved:
            moved = False
            for key in list(self.steps):
                if self.width[key] is None:
                    moved |= self.state is not RunState.QUEUED and self.try_expand(key)
                else:
                    for slot, one in enumerate(self.live(key)):
                        moved |= one.state is W and self.try_start(key, slot, one)

    # ---- readiness ----

    def try_start(self, key: str, slot: int, one: One) -> bool:
        spec = self.steps[key]
        if self.gated(key):
            return False
        ups = self.upstreams(key, slot)
        states = [up.state if up and up.over else None for _, up in ups]
        setups = [up.state for above, up in ups if up and above.is_setup]
        say = verdict(spec.trigger_rule, states, setups)
        if say == "wait":
            return False
        if say == "run":
            say = self.lack(key, slot)
        if say == "upstream_failed":
            self.end(one, UP_FAILED)
        elif say == "skip":
            self.end(one, SKIPPED)
        elif self.stopping and not spec.is_teardown:
            one.halted = True
            self.end(one, self.halt_state)
        elif spec.kind == "input":
            one.state = PAUSED
        else:
            self.dispatch(key, slot, one)
        return True

    def lack(self, key: str, slot: int) -> str:
        spec = self.steps[key]
        setups: list[TaskState] = []
        for setup in self._scopes.get(key, ()):
            above = self.live(setup)
            if slot < len(above) and self.steps[setup].expansion == spec.expansion:
                above = above[slot : slot + 1]
            setups += [one.state for one in above]
        if set(setups) & BAD:
            return "upstream_failed"
        if SKIPPED in setups:
            return "skip"
        if isinstance(spec.expansion, MapExpansion):
            return self.lack_of_item(spec.expansion, self.lengths[key], slot)
        return "run"

    def lack_of_item(self, expansion: MapExpansion, lengths: list[int], slot: int) -> str:
        if expansion.mode == "zip":
            items = [slot] * len(lengths)
        else:
            items = list(list(itertools.product(*map(range, lengths)))[slot])
        for source, item in zip(expansion.sources, items, strict=True):
            if not source.step:
                continue
            ups = self.live(source.step)
            if self.steps[source.step].expansion is None:
                if ups[0].output is None or item >= (ups[0].output.length or 0):
                    return "skip"
            else:
                up = ups[item] if item < len(ups) else ups[0]
                if up.state is not OK:
                    return "skip" if up.state is SKIPPED else "upstream_failed"
        return "run"

    def try_expand(self, key: str) -> bool:
        spec = self.steps[key]
        every = [edge for edge in spec.upstream if edge.mapping == "every"]
        ups = [(self.steps[edge.step], one) for edge in every for one in self.along(edge, 0)]
        states: list[TaskState | None] = [up.state if up and up.over else None for _, up in ups]
        waits = None in states
        if len(every) < len(spec.upstream):
            states.append(None)
        setups = [up.state for above, up in ups if up and above.is_setup]
        say = verdict(spec.trigger_rule, states, setups)
        if say == "upstream_failed":
            self.place(key, UP_FAILED)
        elif say == "skip":
            self.place(key, SKIPPED)
        elif self.gated(key) or (say == "wait" and waits):
            return False
        elif self.stopping and not spec.is_teardown:
            self.place(key, self.halt_state).halted = True
        else:
            self.expand(key)
        return True

    def beside(self, key: str) -> set[str]:
        """The steps that aligned edges join with `key`, itself included."""
        found = {key}
        grown = True
        while grown:
            pairs = [(edge.step, k) for k in self.steps for edge in self.steps[k].upstream if edge.mapping == "aligned"]
            more = {k for pair in pairs if found & set(pair) for k in pair} - found
            found |= more
            grown = bool(more)
        return found

    def expand(self, key: str) -> None:
        for other in self.beside(key) - self.standin:
            if self.width[other] is not None:
                self.fill(key, self.lengths[other], self.width[other] or 0)
                return
        expansion = self.steps[key].expansion
        assert isinstance(expansion, MapExpansion)
        lengths = []
        for source in expansion.sources:
            if not source.step:
                lengths.append(source.length)
                continue
            ups = self.live(source.step)
            if not any(up.state is OK for up in ups):
                self.place(key, UP_FAILED if any(up.state in BAD for up in ups) else SKIPPED)
                return
            single = self.steps[source.step].expansion is None
            output = ups[0].output
            lengths.append(len(ups) if not single else -1 if output is None or output.length is None else output.length)
        if min(lengths) < 0 or (expansion.mode == "zip" and len(set(lengths)) > 1):
            self.place(key, FAILED)
            spec = self.steps[key]
            if self.plan.fail_fast and spec.fails_run and not spec.is_teardown and not self.stopping:
                self.halt_wanted, self.halt_state = True, SKIPPED
            return
        total = lengths[0]
        for length in lengths[1:]:
            total = total * length if expansion.mode == "product" else total
        if total == 0:
            self.place(key, SKIPPED)
            return
        self.fill(key, lengths, total)

    def fill(self, key: str, lengths: list[int], total: int) -> None:
        self.fit(key, total, SKIPPED)
        self.lengths[key] = lengths
        for slot in self.left_out.get(key, ()):
            if slot < total:
                self.end(self.slots[key][slot], SKIPPED)

    def place(self, key: str, state: TaskState) -> One:
        self.fit(key, 1, state)
        self.standin.add(key)
        one = self.slots[key][0]
        self.end(one, state)
        return one

    def fit(self, key: str, count: int, rest: TaskState) -> None:
        slots = self.slots[key]
        while len(slots) < count:
            slots.append(One())
        for one in slots[:count]:
            if one.over:
                one.renew()
        for one in slots[count:]:
            if not one.over:
                one.state = rest
        self.width[key] = count
        self.standin.discard(key)

    # ---- moves ----

    def end(self, one: One, state: TaskState) -> None:
        if one.mark is not None:
            state, one.mark, one.halted = one.mark, None, False
        one.state, one.stop, one.wait, one.fired = state, None, None, None
        if state is not OK:
            one.output = None

    def dispatch(self, key: str, slot: int, one: One, anew: bool = True) -> None:
        one.state, one.wait = Q, None
        if anew:
            one.fired = None
        one.attempt += 1
        one.tries += anew
        self.commands.append(Wish("dispatch", (key, slot), one.attempt))

    def wait(self, at: At, one: One, state: TaskState, until: float) -> None:
        one.state, one.until = state, until
        if one.wait is not None:
            self.commands.append(Wish("watch", at, one.attempt))
        if one.wait is None or until > 0:
            self.commands.append(Wish("timer", at, one.attempt))

    def ask_stop(self, at: At, one: One, hard: bool) -> None:
        if one.stop is None or (hard and not one.stop):
            one.stop = hard
            self.commands.append(Wish("hard stop" if hard else "stop", at, one.attempt))

    def stop_now(self, state: TaskState) -> None:
        if not self.stopping:
            self.stopping = self.halt_wanted = True
            self.halt_state = state
