"""Automation over assets: one tick turns what has happened into requests for runs, with the reasons.

Only assets are evaluated whose conditions look at something that changed, at a clock that has passed, or at something
that held for the one tick before. The surprising rule: a partition for which a condition goes on to hold is requested
once. It is requested again when it was made meanwhile, when something that it reads was made (by another run), when its
code has changed, or when the condition has not held in between; so what fails is not tried for ever.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from batuta.core import subsets
from batuta.core.asset_index import AssetIndex
from batuta.core.automation_clocks import Clocks
from batuta.core.automation_eval import Evaluation, RootMemory, View
from batuta.core.automation_facts import Changes, Ended, Facts, Judged, Launched, Made, Targets
from batuta.core.automation_grouping import grouped
from batuta.core.automation_pass import Pass
from batuta.core.automation_stale import StaleSets
from batuta.core.automation_state import Requested, State, keep, keep_root, restore, restore_root
from batuta.core.automation_watch import NO_LOCATIONS, Watch
from batuta.core.errors import PartitionError
from batuta.core.explanations import Explanation, explanation
from batuta.core.partition_keys import check_key
from batuta.core.partition_spaces import NEVER, Moved
from batuta.core.partition_types import DynamicKeys

__all__ = [
    "Automation",
    "Changes",
    "Decision",
    "Ended",
    "Judged",
    "Launched",
    "Made",
    "Requested",
    "State",
    "Targets",
]

NO_KEYS: DynamicKeys = {}
NEW = State()


class Decision(msgspec.Struct, frozen=True):
    """What a tick came to. `changed`: there is something new to be kept."""

    requests: tuple[Requested, ...]
    explanations: tuple[Explanation, ...]
    evaluated: int
    changed: bool


class Automation:
    """The conditions of all assets, with what is known and remembered. Owned by one thread, deterministic.

    `state` is what `state()` gave after the last tick; `made`, `judged` and `launched` are what is recorded by now: the
    last materialization of each partition, the last verdict of each check, the runs that have not ended.
    """

    def __init__(
        self,
        index: AssetIndex,
        now: datetime,
        *,
        state: State = NEW,
        made: Iterable[Made] = (),
        judged: Iterable[Judged] = (),
        launched: Iterable[Launched] = (),
        dynamic_keys: DynamicKeys = NO_KEYS,
        locations: Mapping[str, str] = NO_LOCATIONS,
        closed: Collection[str] = (),
    ) -> None:
        self._now = datetime.fromtimestamp(state.at, UTC) if state.ticks else now
        self._ticks = state.ticks
        self._facts = Facts(index, self._now, dynamic_keys)
        self._watch = Watch(index, self._facts.spaces, locations, closed)
        self._facts.load(made, judged, self._restored(state.failed))
        for request in state.open:
            self._facts.launch(request.key, request.run_id, request.targets)
        for run in launched:
            self._facts.launch(run.key, run.run_id, run.targets)
        self._own = {request.key: request for request in state.open}
        self._fresh = state.fresh
        self._clocks = Clocks(self._now)
        self._clocks.watch(self._watch.by_cron)
        self._stale = StaleSets(self._facts, self._watch)
        if self._watch.uses_stale:
            self._stale.start()
        self._memory: dict[str, RootMemory] = {
            key: restore_root(key, kept, self._facts.space)
            for key, kept in state.roots.items()
            if self._watch.signatures.get(key) == kept.signature
        }
        self._dirty: set[str] = set(self._watch.roots)
        self._told: dict[str, tuple[int, ...]] = {}
        self._due: list[tuple[float, str]] = []
        self._due_at: dict[str, float] = {}
        self._changed = state.roots.keys() - self._memory.keys()

    def _restored(self, kept: Mapping[str, str | list[str]]) -> dict[str, int]:
        space = self._facts.space
        return {key: restore(space[key], subset) for key, subset in kept.items() if key in space}

    @property
    def index(self) -> AssetIndex:
        """The definitions in use."""
        return self._facts.index

    @property
    def roots(self) -> Collection[str]:
        """The assets that have conditions."""
        return self._watch.roots.keys()

    @property
    def wake_at(self) -> float | None:
        """When a tick may find something by itself (seconds since the epoch); None: only when something happens."""
        if self._dirty:
            return self._now.timestamp()
        due = self._due[0][0] if self._due else NEVER
        soonest = min(due, self._clocks.next_at, self._facts.spaces.changes_at)
        return None if soonest == NEVER else soonest

    def take_changed(self) -> set[str]:
        """The assets whose memory has changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def state(self, roots: Collection[str] | None = None) -> State:
        """What is to be kept, for another `Automation` to go on with; of all assets, or of these."""
        space, runs = self._facts.space, self._facts.runs
        wanted = self._memory if roots is None else [key for key in roots if key in self._memory]
        return State(
            at=self._now.timestamp(),
            ticks=self._ticks,
            roots={key: keep_root(key, self._memory[key], space) for key in wanted},
            fresh=self._fresh,
            open=tuple(
                [
                    msgspec.structs.replace(request, run_id=runs[key].run_id)
                    for key, request in self._own.items()
                    if key in runs and not runs[key].ended
                ]
            ),
            failed={key: keep(space[key], bits) for key, bits in self._facts.failed.items() if bits and key in space},
        )

    def redefine(
        self, index: AssetIndex, locations: Mapping[str, str] = NO_LOCATIONS, closed: Collection[str] = ()
    ) -> None:
        """Take other definitions, from the next tick on; see `automation_watch.Watch` for the rest."""
        self._facts.redefine(index)
        self._watch = Watch(index, self._facts.spaces, locations, closed)
        self._clocks.watch(self._watch.by_cron)
        self._stale = StaleSets(self._facts, self._watch)
        if self._watch.uses_stale:
            self._stale.start()
        signatures = self._watch.signatures
        kept = {key: memory for key, memory in self._memory.items() if signatures.get(key) == memory.signature}
        self._changed |= self._memory.keys() - kept.keys()
        self._memory = kept
        self._told = {key: digest for key, digest in self._told.items() if key in self._memory}
        self._dirty = set(self._watch.roots)

    # ---- a tick ----

    def tick(self, changes: Changes, now: datetime) -> Decision:
        """Take what happened since the tick before and say what is to be made."""
        facts = self._facts
        facts.forget_news()
        moved = self._go_on(now, changes)
        touched = self._due_by(now) | moved.keys()
        for request in self._fresh:
            touched |= facts.launch(request.key, request.run_id, request.targets)
            self._own[request.key] = request
        requested_before = _by_asset(self._fresh, facts)
        touched |= facts.apply(changes)
        if self._watch.uses_stale:
            touched |= self._stale.follow(facts.updated, moved)
        self._own = {key: request for key, request in self._own.items() if not facts.runs[key].ended}
        view = View(facts, self._watch, self._stale, self._clocks, requested_before, now)
        dirty, self._dirty = self._dirty, set()
        for asset in touched:
            dirty.update(self._watch.watchers.get(asset, ()))
        had_news = bool(self._fresh or touched)
        evaluations = Pass(view, dirty, self._memory, self._told)
        evaluations.run()
        self._dirty |= evaluations.restless
        self._schedule(view)
        self._ticks += 1
        self._fresh = grouped(view.requested, facts, self._watch, f"{self._ticks}-{int(now.timestamp())}")
        self._changed |= evaluations.changed
        changed = had_news or bool(evaluations.changed) or bool(self._fresh)
        return Decision(self._fresh, tuple(evaluations.explanations), evaluations.evaluated, changed)

    def _go_on(self, now: datetime, changes: Changes) -> dict[str, None]:
        """Let time pass; the assets of which other partitions exist now."""
        self._now = now
        for cron in self._clocks.go_on(now):
            self._dirty.update(self._watch.by_cron[cron])
        moved = self._facts.go_on(now, changes.dynamic_keys)
        if not moved:
            return {}
        self._move(moved)
        return {key: None for key, space in self._facts.space.items() if space.name in moved}

    def _due_by(self, now: datetime) -> set[str]:
        """The assets whose freshness may have turned overdue."""
        touched: set[str] = set()
        seconds = now.timestamp()
        while self._due and self._due[0][0] <= seconds:
            at, asset = heapq.heappop(self._due)
            if self._due_at.get(asset) == at:
                del self._due_at[asset]
                touched.add(asset)
        return touched

    def _move(self, moved: Mapping[bytes, Moved]) -> None:
        """Let what is remembered follow the partitions to their new places."""
        space = self._facts.space
        for key, memory in self._memory.items():
            if space[key].name in moved:
                memory.held = moved[space[key].name](memory.held)
            for node, bits in memory.nodes.items():
                name = space[node[1]].name
                if name in moved:
                    memory.nodes[node] = moved[name](bits)

    def _schedule(self, view: View) -> None:
        for asset, at in view.due_at.items():
            if self._due_at.get(asset) != at:
                self._due_at[asset] = at
                heapq.heappush(self._due, (at, asset))

    # ---- for people ----

    def explain(self, asset: str, partition: str | None = None) -> Explanation | None:
        """How an asset's condition would be evaluated now, were nothing new; None where it has none.

        `partition`: what it says of this one only. Raises PartitionError where there is none of that key.
        """
        compiled = self._watch.roots.get(asset)
        if compiled is None:
            return None
        view = View(self._facts, self._watch, self._stale, self._clocks, {}, self._now)
        memory = self._memory.get(asset)
        evaluation = Evaluation(view, asset, compiled, memory or RootMemory(""), is_new=memory is None)
        holds = evaluation.run()
        held = holds & (memory.held if memory else 0)
        return explanation(evaluation, subsets.NOTHING, held, self._within(asset, partition))

    def _within(self, asset: str, partition: str | None) -> int | None:
        if partition is None:
            return None
        space = self._facts.space[asset]
        if space.definition is None:
            raise PartitionError(f"asset {asset!r} has no partitions", hint="leave the partition out")
        return space.bits([check_key(space.definition, partition, self._now, self._facts.spaces.dynamic_keys)])

    def waiting(self) -> tuple[Requested, ...]:
        """What was requested and has no run yet, or none that has ended."""
        return (*self._fresh, *self._own.values())


def _by_asset(requests: Iterable[Requested], facts: Facts) -> dict[str, int]:
    found: dict[str, int] = {}
    for request in requests:
        for asset, keys in request.targets.items():
            if asset in facts.space:
                found[asset] = found.get(asset, 0) | facts.space[asset].bits(keys)
    return found
