"""What automation remembers, in the store: as the cursors of tickers of its own, written with the runs that it starts.

The memory of assets is spread over shards, and only shards in which something changed are written: with 10,000 assets a
tick that is about one of them writes 10 kB. Surprising: it is no state that somebody may lose: without it, all assets
are new, and what is missing is requested once more.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import msgspec

from batuta.core.asset_triggers import Pending
from batuta.core.automation import Automation, Launched, State
from batuta.core.automation_state import KeptRoot
from batuta.scheduler.automation_news import News, dynamic_keys, key_of, recorded
from batuta.scheduler.automation_world import World
from batuta.store.asset_feed import Read
from batuta.store.rows import NewTick, TickerRow
from batuta.store.store import Store

MEMORY = "automation.memory"
HEAD = "head"
SCOPE = f"{MEMORY}:/{HEAD}"
"""The scope of the keys of runs."""
SHARDS = 64


class Head(msgspec.Struct, frozen=True, omit_defaults=True):
    """All but the memory of assets: how far news were read, and what jobs that are started by assets have seen."""

    state: State = State()
    made: int = 0
    judged: int = 0
    running: tuple[int, ...] = ()
    """The runs of others that had not ended."""
    pending: dict[str, dict[str, Pending]] = {}
    """By code location and job."""


_encode = msgspec.json.Encoder(order="deterministic").encode
_head = msgspec.json.Decoder(Head)
_shard = msgspec.json.Decoder(dict[str, KeptRoot])


def shard_of(asset: str) -> str:
    """The name of the ticker that has an asset's memory."""
    return f"{zlib.crc32(asset.encode()) % SHARDS:02x}"


class Loaded:
    """An automation as the store knows it, and what it goes on with."""

    def __init__(self, store: Store, world: World, now: float) -> None:
        self.world = world
        head, roots = _read(store)
        feed = store.asset_feed
        newest = feed.newest()  # before the states: what comes in between is looked at once more
        read = Read(head.made, head.judged) if head.state.ticks else newest
        requested = {request.key: request for request in (*head.state.fresh, *head.state.open)}
        runs = feed.keyed(SCOPE, requested) if requested else {}
        others = feed.runs({*head.running, *feed.unfinished()} - {*runs.values()})
        self.news = News(store, read, {run_id: key_of(run_id) for run_id in others})
        self.news.know(runs)
        for key in requested.keys() - runs.keys():
            self.news.never(key)
        made, judged = recorded(store)
        self.automation = Automation(
            world.index,
            datetime.fromtimestamp(now, UTC),
            state=msgspec.structs.replace(head.state, roots=roots),
            made=made,
            judged=judged,
            launched=[Launched(key_of(run.id), run.id, self.news.targets(run.plan_hash)) for run in others.values()],
            dynamic_keys=dynamic_keys(store, world.dynamic_names),
            locations=world.locations,
            closed=world.closed,
        )
        self.pending: dict[tuple[str, str], Pending] = {
            (location, job): pending for location, jobs in head.pending.items() for job, pending in jobs.items()
        }
        self._shards: dict[str, set[str]] = {}
        for root in roots:
            self._shards.setdefault(shard_of(root), set()).add(root)

    def kept(self, now: float, ended_at: float) -> list[NewTick]:
        """What is to be written after a tick: the head, and the shards that changed."""
        changed: set[str] = set()
        for root in self.automation.take_changed():
            shard = shard_of(root)
            self._shards.setdefault(shard, set()).add(root)
            changed.add(shard)
        ticks = [_quiet(shard, self._shard(self._shards[shard]), now, ended_at) for shard in sorted(changed)]
        return [_quiet(HEAD, self._head(), now, ended_at), *ticks]

    def _head(self) -> bytes:
        pending: dict[str, dict[str, Pending]] = {}
        for (location, job), one in self.pending.items():
            if one.events:
                pending.setdefault(location, {})[job] = one
        state = self.automation.state(())
        running = tuple(run_id for run_id, key in self.news.runs.items() if key == key_of(run_id))
        return _encode(Head(state, *self.news.read, running, pending))

    def _shard(self, roots: Collection[str]) -> bytes:
        return _encode(self.automation.state(roots).roots)


def _read(store: Store) -> tuple[Head, Mapping[str, KeptRoot]]:
    head, roots = Head(), dict[str, KeptRoot]()
    for row in store.tickers(MEMORY):
        if row.name == HEAD:
            head = _head.decode(row.cursor)
        else:
            roots.update(_shard.decode(row.cursor))
    return head, roots


def _quiet(name: str, data: bytes, now: float, ended_at: float) -> NewTick:
    ticker = TickerRow(kind=MEMORY, location="", name=name, cursor=data.decode(), ticked_at=now, changed_at=now)
    return NewTick(ticker=ticker, at=now, ended_at=ended_at, outcome="skipped", quiet=True)
