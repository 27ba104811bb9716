"""What is known of assets between two ticks of automation: what was made, judged, started; as subsets of partitions.

Loaded from the store and then kept up by `apply`, which says what it touched. The surprising rule: a partition that is
recorded but does not exist (yet) is remembered by its key and counts from when it exists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from batuta.core import subsets
from batuta.core.asset_index import AssetIndex
from batuta.core.partition_spaces import Moved, Space, Spaces
from batuta.core.partition_types import DynamicKeys

Targets = Mapping[str, Sequence[str]]
"""The partitions of each asset; of one without partitions `("",)`."""


class Made(msgspec.Struct, frozen=True):
    """An asset (partition) was made; `inputs` are the data versions that it was made from, by asset[/partition]."""

    asset: str
    partition: str
    at: float
    run_id: int = 0
    data_version: str = ""
    code_version: str = ""
    inputs: Mapping[str, str] = {}


class Judged(msgspec.Struct, frozen=True):
    """A check was evaluated."""

    asset: str
    check: str
    passed: bool
    partition: str = ""


class Launched(msgspec.Struct, frozen=True):
    """A run was created. `key` is that of a request of ours, or anything that no other run has."""

    key: str
    run_id: int
    targets: Targets = {}


class Ended(msgspec.Struct, frozen=True):
    """The run of that key has ended, or will never be. What it was to make and did not has failed, if it `failed`."""

    key: str
    failed: bool = True


class Changes(msgspec.Struct, frozen=True):
    """All that happened since the tick before, each list in its order. `dynamic_keys` None: as before."""

    launched: Sequence[Launched] = ()
    made: Sequence[Made] = ()
    judged: Sequence[Judged] = ()
    ended: Sequence[Ended] = ()
    dynamic_keys: DynamicKeys | None = None


class OpenRun(msgspec.Struct):
    """A run that has not ended, or has since the tick before. `left`: what it has not made yet; `done`: what it has."""

    key: str
    run_id: int
    targets: Targets
    bits: dict[str, int]
    left: dict[str, int]
    done: set[tuple[str, str]]
    ended: bool = False


class Facts:
    """See the module. Reading an asset that nothing is known of gives nothing."""

    def __init__(self, index: AssetIndex, now: datetime, dynamic_keys: DynamicKeys) -> None:
        self.index = index
        self.spaces = Spaces(now, dynamic_keys)
        self.space: dict[str, Space] = {}
        self.made: dict[str, dict[str, Made]] = {}
        self.made_bits: dict[str, int] = {}
        self.failing: dict[str, dict[str, set[str]]] = {}
        self.failed: dict[str, int] = {}
        self.runs: dict[str, OpenRun] = {}
        self._run_of: dict[int, str] = {}
        self._runs_of: dict[str, dict[str, OpenRun]] = {}
        # since the tick before:
        self.updated: dict[str, int] = {}
        self.updated_by: dict[str, dict[str, int]] = {}
        self.started: dict[str, int] = {}
        self.redefine(index)

    def redefine(self, index: AssetIndex) -> None:
        """Take other definitions."""
        self.index = index
        self._guarded = {check.asset for check in index.checks.values() if check.blocking}
        before = self.space
        self.space = {key: self.spaces.of(spec.partitions) for key, spec in index.assets.items()}
        for key, space in self.space.items():
            if before.get(key) is not space:
                self.failed.pop(key, None)
                self._renumber(key)

    def load(self, made: Iterable[Made], judged: Iterable[Judged], failed: Mapping[str, int]) -> None:
        """Take what is recorded when one begins: it is not news."""
        for one in made:
            self.made.setdefault(one.asset, {})[one.partition] = one
        for verdict in judged:
            self._judge(verdict)
        for key in self.made:
            self._renumber(key)
        self.failed.update(failed)

    # ---- what happens ----

    def forget_news(self) -> None:
        """A tick begins: what was new at the one before is not any more."""
        self.updated, self.updated_by, self.started = {}, {}, {}
        for key in [key for key, run in self.runs.items() if run.ended]:
            self._drop(key)

    def go_on(self, now: datetime, dynamic_keys: DynamicKeys | None) -> dict[bytes, Moved]:
        """Let time pass; the spaces that changed."""
        moved = self.spaces.refresh(now, dynamic_keys)
        if moved:
            for key, space in self.space.items():
                if space.name in moved:
                    if key in self.failed:
                        self.failed[key] = moved[space.name](self.failed[key])
                    self._renumber(key)
        return moved

    def apply(self, changes: Changes) -> set[str]:
        """Take what happened; the assets that it is about."""
        touched: set[str] = set()
        for run in changes.launched:
            touched |= self.launch(run.key, run.run_id, run.targets)
        for made in changes.made:
            self._make(made)
            touched.add(made.asset)
        for verdict in changes.judged:
            self._judge(verdict)
            touched.add(verdict.asset)
        for end in changes.ended:
            touched |= self._end(end)
        return touched

    def launch(self, key: str, run_id: int, targets: Targets) -> set[str]:
        """A run is there, or its number is known now; the assets for which that is news."""
        run = self.runs.get(key)
        if run is not None:
            if run_id:
                run.run_id = run_id
                self._run_of[run_id] = key
            return set()
        run = OpenRun(key, run_id, targets, {}, {}, set())
        self.runs[key] = run
        if run_id:
            self._run_of[run_id] = key
        for asset, wanted in targets.items():
            self._runs_of.setdefault(asset, {})[key] = run
            space = self.space.get(asset)
            bits = 0 if space is None else space.bits(wanted)
            run.bits[asset] = run.left[asset] = bits
            self.started[asset] = self.started.get(asset, 0) | bits
            if run_id:
                self._find_done(run, asset)
        return set(targets)

    def _find_done(self, run: OpenRun, asset: str) -> None:
        """What a run has made that is there when we hear of it."""
        made = self.made.get(asset, {})
        done = [key for key in run.targets[asset] if key in made and made[key].run_id == run.run_id]
        if done and asset in self.space:
            run.done.update((asset, key) for key in done)
            run.left[asset] &= ~self.space[asset].bits(done)

    def _make(self, made: Made) -> None:
        self.made.setdefault(made.asset, {})[made.partition] = made
        key = self._run_of.get(made.run_id, "")
        if key:
            self.runs[key].done.add((made.asset, made.partition))
        space = self.space.get(made.asset)
        bit = 0 if space is None else space.bits([made.partition])
        if not bit:
            return
        asset = made.asset
        self.made_bits[asset] = self.made_bits.get(asset, 0) | bit
        self.updated[asset] = self.updated.get(asset, 0) | bit
        by = self.updated_by.setdefault(asset, {})
        by[key] = by.get(key, 0) | bit
        if key:
            left = self.runs[key].left
            left[asset] = left.get(asset, 0) & ~bit
        if failed := self.failed.get(asset, 0):
            self.failed[asset] = failed & ~bit

    def _judge(self, verdict: Judged) -> None:
        failing = self.failing.setdefault(verdict.asset, {}).setdefault(verdict.check, set())
        (failing.discard if verdict.passed else failing.add)(verdict.partition)

    def _end(self, end: Ended) -> set[str]:
        run = self.runs.get(end.key)
        if run is None or run.ended:
            return set()
        run.ended = True
        if end.failed:
            for asset, bits in run.left.items():
                if bits:
                    self.failed[asset] = self.failed.get(asset, 0) | bits
        return set(run.targets)

    def _drop(self, key: str) -> None:
        run = self.runs.pop(key)
        self._run_of.pop(run.run_id, None)
        for asset in run.targets:
            of = self._runs_of[asset]
            of.pop(key, None)
            if not of:
                del self._runs_of[asset]

    def _renumber(self, asset: str) -> None:
        """The bits of an asset whose space is another."""
        space = self.space.get(asset)
        if space is None:
            return
        self.made_bits[asset] = space.bits(list(self.made.get(asset, ())))
        for run in self._runs_of.get(asset, {}).values():
            run.bits[asset] = space.bits(run.targets[asset])
            run.left[asset] = space.bits([key for key in run.targets[asset] if (asset, key) not in run.done])

    # ---- what is known ----

    def missing(self, asset: str) -> int:
        """What was never made; nothing of an external asset."""
        if self.index.assets[asset].external:
            return subsets.NOTHING
        return self.space[asset].full & ~self.made_bits.get(asset, 0)

    def in_progress(self, asset: str) -> int:
        """What runs that have not ended are to make and have not made; with blocking checks until their end."""
        bits = 0
        for run in self._runs_of.get(asset, {}).values():
            if not run.ended:
                bits |= run.bits[asset] if asset in self._guarded else run.left[asset]
        return bits

    def check_failed(self, asset: str, check: str, blocking: bool) -> int:
        """What a check, or any check, has found bad."""
        space = self.space[asset]
        bits = 0
        for name, failing in self.failing.get(asset, {}).items():
            if not failing or (check and name != check):
                continue
            spec = self.index.checks.get(f"{asset}:{name}")
            if spec is None or (blocking and not spec.blocking):
                continue
            bits |= space.full if "" in failing else space.bits(sorted(failing))
        return bits

    def code_changed(self, asset: str) -> int:
        """What was made with other code than the asset has now."""
        version = self.index.assets[asset].code_version
        if not version:
            return subsets.NOTHING
        made = self.made.get(asset, {})
        return self.space[asset].bits([key for key, one in made.items() if one.code_version not in ("", version)])

    def updated_since(self, asset: str, moment: float) -> int:
        """What was made at that moment (seconds since the epoch) or later."""
        made = self.made.get(asset, {})
        if not made and self.index.assets[asset].external:
            return self.space[asset].full
        return self.space[asset].bits([key for key, one in made.items() if one.at >= moment])
