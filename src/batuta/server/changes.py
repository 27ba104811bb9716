"""What has changed since a listener looked last, by topic: for lists, of which no event of a run tells.

What was there is compared with what is, topic by topic, so nothing is recorded for it, and any server can say it to
anybody who returns: the id of each message carries all that it needs. Surprising: a topic may be named although what
somebody looks at is as it was: it may be another row of the same list.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from batuta.core.events import CancelAsked, InputGiven, MarkAsked, RestartAsked, RunFinished, RunStarted
from batuta.store.rows import EventRow
from batuta.store.store import Store

LOOK_S = 1.0
AUDIT_READ_MAX = 1_000
MARK_PATTERN = r"^([0-9]{1,18})(?:\.([0-9]{1,18})\.([0-9a-f]*))?$"
_STATES = frozenset(
    str(kind.__struct_config__.tag)
    for kind in (RunStarted, RunFinished, CancelAsked, RestartAsked, MarkAsked, InputGiven)
)
_SEEN = (
    "alerts",
    "artifacts",
    "assets",
    "backfills",
    "checks",
    "external",
    "locations",
    "runs",
    "ticks",
)
"""What the store tells by its newest rows; their order is that of the id's digests."""

_OF_OBJECT = {
    "account": "accounts",
    "alert": "alerts",
    "backfill": "backfills",
    "connection": "connections",
    "environment": "environments",
    "pool": "pools",
    "run": "runs",
    "schedule": "tickers",
    "secret": "secrets",
    "secrets": "secrets",
    "sensor": "tickers",
    "automation": "tickers",
    "token": "tokens",
    "variable": "variables",
}
"""What people change is in the audit log: its kinds of objects."""

TOPICS = tuple(sorted({*_SEEN, *_OF_OBJECT.values(), "audit"}))


class Mark(msgspec.Struct, frozen=True):
    """How far a listener has heard."""

    event: int
    audit: int = 0
    digests: str = ""
    """Eight characters for each topic of `_SEEN`; empty where a listener begins with events alone."""

    def __str__(self) -> str:
        return f"{self.event}.{self.audit}.{self.digests}"

    @classmethod
    def read(cls, text: str) -> Self:
        """From the id of a message, or the bare number of an event. Raises ValueError."""
        found = re.fullmatch(MARK_PATTERN, text)
        if found is None:
            raise ValueError(text)
        event, audit, digests = found.groups()
        known = digests is not None and len(digests) == 8 * len(_SEEN)  # else it is another version's
        return cls(int(event), int(audit or 0), digests if known else "")


class Seen(msgspec.Struct, frozen=True):
    """What there was at a moment: of each topic what changes when it does."""

    audit: int
    digests: tuple[str, ...]
    audited: Mapping[str, int] = {}
    """The last entry of the audit log by topic, as far as it has been read."""
    states: int = 0
    """The last event that changed the state of a run, as far as they have been read."""

    def mark(self, event: int) -> Mark:
        """Where a listener is who has heard all of it."""
        return Mark(event, self.audit, "".join(self.digests))

    def since(self, before: Seen) -> set[str]:
        """The topics that have changed since then."""
        pairs = zip(_SEEN, before.digests, self.digests, strict=True)
        found = {topic for topic, then, now in pairs if then != now}
        found |= {topic for topic, entry in self.audited.items() if entry > before.audited.get(topic, 0)}
        return found | ({"runs"} if self.states > before.states else set()) | _log(before.audit, self.audit)

    def after(self, events: Iterable[EventRow]) -> Seen:
        """With these events heard, too."""
        states = max((row.id for row in events if row.kind in _STATES), default=self.states)
        return msgspec.structs.replace(self, states=states)


def look(store: Store, before: Seen | None = None) -> Seen:
    """What there is now."""
    newest = store.reports.newest()
    stamps: dict[str, object] = {
        "alerts": (newest.alert, newest.delivery),
        "artifacts": newest.artifact,
        "assets": newest.materialization,
        "backfills": (newest.backfill, int(newest.open_backfills)),
        "checks": newest.verdict,
        "external": (newest.heard_of_jobs, newest.heard_of_runs, newest.heard_of_datasets),
        "locations": store.reports.definition_heads(),
        "runs": newest.run,
        "ticks": newest.tick,
    }
    digests = tuple(f"{zlib.crc32(repr(stamps[topic]).encode()):08x}" for topic in _SEEN)
    if before is None:
        return Seen(newest.audit, digests)
    audited = {**before.audited, **dict.fromkeys(_audited(store, before.audit, newest.audit), newest.audit)}
    return Seen(newest.audit, digests, audited, before.states)


def missed(store: Store, mark: Mark, now: Seen) -> set[str]:
    """What has changed while a listener was away, who had heard so far."""
    if not mark.digests:
        return set(TOPICS)
    then = [mark.digests[8 * at : 8 * at + 8] for at in range(len(_SEEN))]
    found = {topic for topic, before, after in zip(_SEEN, then, now.digests, strict=True) if before != after}
    if store.last_event_id() > mark.event:
        found.add("runs")
    return found | _audited(store, mark.audit, now.audit) | _log(mark.audit, now.audit)


def _audited(store: Store, after: int, upto: int) -> set[str]:
    """The topics of what people have done since an entry of the audit log."""
    if after >= upto:
        return set()
    entries = store.audit_entries(after=after, limit=AUDIT_READ_MAX)
    if len(entries) == AUDIT_READ_MAX:
        return set(_OF_OBJECT.values())
    return {_OF_OBJECT[entry.kind] for entry in entries if entry.kind in _OF_OBJECT}


def _log(before: int, after: int) -> set[str]:
    return {"audit"} if after > before else set()
