"""What happened to assets since automation looked last, out of the store: made, judged, runs begun and ended.

Surprising: what is being made is read before what was made. So a run that is found to have ended has nothing left to
tell, and one that begins and ends in between is found by what it made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from batuta.core.automation import Changes, Ended, Judged, Launched, Made, Targets
from batuta.core.errors import InvariantError
from batuta.core.states import RUN_FINAL, RunState
from batuta.scheduler.automation_world import targets_of
from batuta.scheduler.queueing import Plans
from batuta.store.asset_feed import CHUNK, AssetFeed, Read
from batuta.store.rows import CheckRow, MaterializationRow
from batuta.store.store import Store

_inputs = msgspec.json.Decoder(dict[str, str])


class News:
    """See the module. `runs`: the keys of the runs that are known and have not ended, by id."""

    def __init__(self, store: Store, read: Read, runs: Mapping[int, str]) -> None:
        self.read = read
        self.runs = dict(runs)
        self.made: list[tuple[int, MaterializationRow]] = []
        """The materializations of the last look, with their ids."""
        self._store = store
        self._feed: AssetFeed = store.asset_feed
        self._plans = Plans(store)
        self._ended: list[Ended] = []
        self._unnumbered: list[int] = []  # of ours: not told yet which number they have
        self._dynamic: dict[str, list[str]] | None = None

    def know(self, runs: Mapping[str, int]) -> None:
        """Runs of ours are there, by key."""
        self.runs.update({run_id: key for key, run_id in runs.items()})
        self._unnumbered += runs.values()

    def never(self, key: str) -> None:
        """What was requested under that key will not be run."""
        self._ended.append(Ended(key))

    def look(self, dynamic_names: Iterable[str]) -> Changes:
        """What happened since the last look."""
        unfinished = self._feed.unfinished()
        self.made = self._made()
        judged = self._judged()
        launched = self._launched(unfinished)
        known = set(self.runs)
        ended = [*self._ended, *self._finished(unfinished)]
        launched += self._short_lived(known)
        self._ended = []
        return Changes(
            launched=launched,
            made=[made_of(row) for _, row in self.made],
            judged=[judged_of(row) for row in judged],
            ended=ended,
            dynamic_keys=self._dynamic_keys(dynamic_names),
        )

    def _made(self) -> list[tuple[int, MaterializationRow]]:
        found: list[tuple[int, MaterializationRow]] = []
        while True:
            rows = self._feed.made_since(self.read.made)
            found += rows
            if rows:
                self.read = self.read._replace(made=rows[-1][0])
            if len(rows) < CHUNK:
                return found

    def _judged(self) -> list[CheckRow]:
        found: list[CheckRow] = []
        while True:
            rows = self._feed.judged_since(self.read.judged)
            found += [row for _, row in rows]
            if rows:
                self.read = self.read._replace(judged=rows[-1][0])
            if len(rows) < CHUNK:
                return found

    def _launched(self, unfinished: Mapping[int, str]) -> list[Launched]:
        """Runs that are new to us; of ours, that they have a number."""
        found = [Launched(self.runs[run_id], run_id) for run_id in self._unnumbered]
        self._unnumbered = []
        for run_id, plan_hash in unfinished.items():
            if run_id not in self.runs:
                self.runs[run_id] = key_of(run_id)
                found.append(Launched(self.runs[run_id], run_id, self.targets(plan_hash)))
        return found

    def targets(self, plan_hash: str) -> Targets:
        """What a run of that plan is to make; nothing where it was pruned just now."""
        try:
            return targets_of(self._plans.get(plan_hash))
        except InvariantError:
            return {}

    def _finished(self, unfinished: Mapping[int, str]) -> list[Ended]:
        over = [run_id for run_id in self.runs if run_id not in unfinished]
        if not over:
            return []
        rows = self._feed.runs(over)
        found: list[Ended] = []
        for run_id in over:
            state = RunState(rows[run_id].state) if run_id in rows else RunState.CANCELLED
            if state in RUN_FINAL:  # else it was begun again just now
                found.append(Ended(self.runs.pop(run_id), failed=state is not RunState.SUCCEEDED))
        return found

    def _short_lived(self, known: Collection[int]) -> list[Launched]:
        """Runs of which we know only what they made; that they have ended is found at the next look."""
        unknown = {row.run_id for _, row in self.made if row.run_id and row.run_id not in known}
        if not unknown:
            return []
        found: list[Launched] = []
        for run_id, row in self._feed.runs(unknown).items():
            if row.kind == "assets":
                self.runs[run_id] = key_of(run_id)
                found.append(Launched(self.runs[run_id], run_id, self.targets(row.plan_hash)))
        return found

    def _dynamic_keys(self, names: Iterable[str]) -> dict[str, list[str]] | None:
        """The keys of dynamic partitions, where they are other ones than before."""
        keys = dynamic_keys(self._store, names)
        if keys == self._dynamic:
            return None
        self._dynamic = keys
        return keys


def key_of(run_id: int) -> str:
    """The key of a run that is not ours."""
    return f"run-{run_id}"


def dynamic_keys(store: Store, names: Iterable[str]) -> dict[str, list[str]]:
    """The keys of dynamic partitions by name."""
    return {name: store.dynamic_partitions(name) for name in names}


def made_of(row: MaterializationRow) -> Made:
    """A materialization as automation sees it."""
    inputs = _inputs.decode(row.inputs)
    return Made(row.asset, row.partition, row.at, row.run_id, row.data_version, row.code_version, inputs)


def judged_of(row: CheckRow) -> Judged:
    """A verdict as automation sees it: what could hold back but only warned is as good as passed."""
    return Judged(row.asset, row.check, row.passed or (row.blocking and row.outcome == "warned"), row.partition)


def recorded(store: Store) -> tuple[Sequence[Made], Sequence[Judged]]:
    """The current state of all assets and checks."""
    made = [made_of(row) for row in store.asset_states().values()]
    return made, [judged_of(row) for row in store.checks_current().values()]
