"""From a request for a backfill to its items: which partitions there are, which are left out, which follow from others.

Nothing is run or written here, so the preview is the same as what is launched. Needs the definitions of a location and
the store, no code of the user's. Surprising: where the selected assets have partitions of several kinds, the items are
those of the coarsest kind, and the others follow over the partition mappings, so that nothing is made twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from batuta.core import backfills as core
from batuta.core import schedules
from batuta.core.asset_partitions import choose_partitions
from batuta.core.backfills import Backfill, Item
from batuta.core.definitions import Definitions, JobSpec
from batuta.core.environments import environment_of
from batuta.core.errors import RequestError, nearest
from batuta.core.joined import Joined
from batuta.core.schedule_specs import Cron, Custom, Fire, ScheduleSpec, Timing
from batuta.core.staleness import to_make
from batuta.engine.materialize import Assets
from batuta.store.store import Store

FAILED_LOOKED_AT_MAX = 10_000
_EVERY = {"hourly": "0 * * * *", "daily": "0 0 * * *", "weekly": "0 0 * * 1", "monthly": "0 0 1 * *"}


@dataclass(slots=True)
class Preview:
    """What a backfill would do: its items, and the partitions that it leaves out because of its mode."""

    spec: Backfill
    items: list[Item]
    assets: tuple[str, ...] = ()
    chosen: int = 0
    left_out: int = 0
    made: int = 0
    """How many of the chosen partitions are made already, all their assets."""
    follow: dict[str, int] = field(default_factory=dict)
    """Of assets whose partitions follow from those of the items: how many."""

    @property
    def data(self) -> dict[str, Any]:
        """As JSON data, without the items."""
        return {
            "runs": len(self.items),
            "assets": list(self.assets),
            "partitions": self.chosen,
            "left_out": self.left_out,
            "already_made": self.made,
            "follow": self.follow,
        }


def planned(
    definitions: Definitions, store: Store, spec: Backfill, now: float, whole: Definitions | Joined | None = None
) -> Preview:
    """The items of a backfill. Raises RequestError, SelectionError, PartitionError.

    `definitions` are those that have the job; `whole`, where they are not all, those that selections are over.
    """
    if spec.first is not None:
        return _over_times(definitions, spec, now)
    core.validate(spec)
    selection = spec.selection
    if spec.job:
        job = _job(definitions, spec.job)
        if job.plan is not None:
            hint = "give logical times instead: --from, --to and --every"
            raise RequestError(f"{spec.job!r} is a {job.kind}, which has no partitions", hint=hint)
        selection = job.selection
    return _Over(Assets(whole or definitions, store, spec.environment), store, spec, selection, now).preview()


def _job(definitions: Definitions, name: str) -> JobSpec:
    jobs = {job.name: job for job in definitions.jobs}
    if name not in jobs:
        hint = nearest(name, jobs) or f"jobs: {', '.join(sorted(jobs)[:20]) or 'none'}"
        raise RequestError(f"there is no job {name!r}", hint=hint)
    return jobs[name]


# ---- logical times ----


def timing_for(definitions: Definitions, job: str, every: str, timezone: str = "") -> ScheduleSpec:
    """When a job's logical times are: as `every` says (hourly, daily, weekly, monthly, a cron expression, the name of a
    schedule of the job), or as its own schedule does. Raises RequestError."""
    own = [one for one in definitions.schedules if one.job == job]
    if not every:
        if len(own) != 1:
            what = f"{job!r} has no schedule" if not own else f"{job!r} has several schedules"
            names = ", ".join(one.name for one in own)
            hint = f"say every: the name of one ({names})" if own else "say every: daily, or a cron expression"
            raise RequestError(what, hint=hint)
        return own[0]
    named = next((one for one in definitions.schedules if one.name == every and one.job == job), None)
    if named is not None:
        return named
    timing: Timing = Cron((_EVERY.get(every, every),), timezone or "UTC")
    spec = ScheduleSpec("backfill", timing, job=job)
    schedules.validate(spec, f"every={every!r}")
    return spec


def _over_times(definitions: Definitions, spec: Backfill, now: float) -> Preview:
    job = _job(definitions, spec.job) if spec.job else None
    if job is None or (job.plan is None and not job.selection):
        raise RequestError("logical times are those of a job", hint="name a flow or a DAG; of assets, say partitions")
    core.validate(spec)
    assert spec.timing is not None
    assert spec.first is not None
    assert spec.last is not None
    if isinstance(spec.timing.timing, Custom):
        hint = "say every: a cron expression"
        raise RequestError(f"the times of {spec.timing.name!r} are told by a function of yours", hint=hint)
    fires: list[Fire] = []
    left_out = 0
    for each in schedules.fires(spec.timing, spec.first - 1):
        at = each.logical_at if isinstance(each, Fire) else each.logical_from
        if at > spec.last or len(fires) > core.ITEMS_MAX:
            break
        if isinstance(each, Fire):
            if each.logical_at >= spec.first:
                fires.append(each)
        else:
            left_out += each.count or 1
    texts = [datetime.fromtimestamp(fire.logical_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for fire in fires]
    items = core.items_of_times(spec, fires, texts)
    return Preview(spec, items, chosen=len(fires) + left_out, left_out=left_out)


# ---- partitions ----


class _Over:
    """The items over partitions of one selection."""

    def __init__(self, assets: Assets, store: Store, spec: Backfill, selection: str, now: float) -> None:
        self.assets = assets
        self.store = store
        self.spec = spec
        self.keys = assets.select(selection)
        self.now = datetime.fromtimestamp(now, UTC)
        self.dynamic = assets.dynamic_keys()

    def preview(self) -> Preview:
        index = self.assets.index
        made = [key for key in self.keys if not index.assets[key].external]
        if not made:
            raise RequestError("nothing of what is selected is made here", hint="select assets that have a function")
        partitioned = [key for key in made if index.assets[key].partitions is not None]
        if not partitioned:
            raise RequestError(
                "nothing of what is selected has partitions", hint="materialize it: one run makes all of it"
            )
        chosen = choose_partitions(index, made, self.spec.partitions, self.now, self.dynamic)
        leading = self._leading(chosen, partitioned)
        of = leading[0] if len(leading) < len(partitioned) else ""
        if of:
            self._check_connected(leading, partitioned)
        labels = chosen[leading[0]]
        wanted = self._wanted(leading, labels)
        kept = [label for label in labels if label in wanted] if wanted is not None else labels
        items = core.items_of_labels(self.spec, kept, of)
        follow = {key: len(chosen[key]) for key in partitioned if key not in leading}
        done = self._made(leading, labels)
        return Preview(self.spec, items, self.keys, len(labels), len(labels) - len(kept), len(done), follow)

    def _leading(self, chosen: dict[str, list[str]], partitioned: Sequence[str]) -> list[str]:
        """The assets whose partitions are the items': of the kind of which the fewest are chosen."""
        index = self.assets.index
        first = min(partitioned, key=lambda key: len(chosen[key]) or 1 << 60)
        kind = index.assets[first].partitions
        return [key for key in partitioned if index.assets[key].partitions == kind and chosen[key] == chosen[first]]

    def _check_connected(self, leading: Sequence[str], partitioned: Sequence[str]) -> None:
        """What does not hang together with the leading assets would be made in full by every run."""
        index = self.assets.index
        reached = set(leading)
        grown = True
        while grown:
            grown = False
            for key in partitioned:
                for dep in index.assets[key].deps:
                    if dep.asset in partitioned and (key in reached) != (dep.asset in reached):
                        reached |= {key, dep.asset}
                        grown = True
        loose = [key for key in partitioned if key not in reached]
        if loose:
            what = f"the partitions of {loose[0]!r} have nothing to do with those of {leading[0]!r}"
            raise RequestError(what, hint="backfill them one after the other")

    def _wanted(self, leading: Sequence[str], labels: Sequence[str]) -> set[str] | None:
        """The partitions that the mode keeps; None: all."""
        index = self.assets.index
        match self.spec.mode:
            case "all":
                return None
            case "missing":
                return set(labels) - self._made(leading, labels)
            case "failed":
                return self._failed(leading)
        why = to_make(
            index,
            self.assets.recorded(),
            self.keys,
            now=self.now,
            dynamic_keys=self.dynamic,
            partitions=self.spec.partitions,
        )
        return {partition for asset, partition in why if asset in set(leading)}

    def _made(self, leading: Sequence[str], labels: Iterable[str]) -> set[str]:
        """The partitions of which every leading asset is made."""
        states = self.assets.states(leading)
        return {label for label in labels if all((key, label) in states for key in leading)}

    def _failed(self, leading: Sequence[str]) -> set[str]:
        """The partitions that failed later than they were last made, as far as that is still known."""
        steps = {self.assets.index.assets[key].step: key for key in leading}
        states = self.assets.states(leading)
        noteworthy = self.store.noteworthy_task_runs("failed", limit=FAILED_LOOKED_AT_MAX)
        rows = [row for row in noteworthy if row.step in steps]
        here = {
            run.id
            for run in self.store.runs_numbered({row.run_id for row in rows})
            if environment_of(run.config) == self.spec.environment
        }
        found: set[str] = set()
        for row in rows:
            key = steps[row.step]
            if row.run_id in here and row.label:
                made = states.get((key, row.label))
                if made is None or made.run_id < row.run_id:
                    found.add(row.label)
        return found
