"""What runs unattended, in the store: ticks with the runs that they launch, keys of runs, leaders, the queue.

Surprising: everything that a tick leads to is one transaction (its row, its ticker's new cursor, its runs and their
keys), written under the epoch of whoever leads. So a crash or a second leader neither loses a run nor makes two.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from batuta.store import audit
from batuta.store.claims import before_runs, insert_after_look
from batuta.store.database import Database, Row, Transaction
from batuta.store.errors import Duplicate, LeadLost
from batuta.store.queries import listed, numbered, run_row
from batuta.store.rows import (
    Audit,
    KeyedRun,
    Leader,
    NewTick,
    OpenRow,
    ProcessRow,
    RunRow,
    TickerRow,
    TickRow,
)

_encode = msgspec.json.Encoder().encode
_TRIES = 5


class Chosen(NamedTuple):
    """The runs that are to be taken; `starts` names the rates that count them, once for each run."""

    ids: Sequence[int]
    starts: Sequence[str] = ()


Choose = Callable[[list[RunRow], list[OpenRow], dict[str, list[float]]], Chosen]
"""What is queued, what is executed, and when runs began lately that a rate counts."""
T = TypeVar("T")


def record_ticks(
    database: Database[Any], ticks: Sequence[NewTick], *, leader: Leader | None, now: float
) -> list[RunRow]:
    """Record ticks with their runs, all or nothing. Returns the runs that are new; those whose key was taken are not.

    Raises LeadLost where `leader` leads no more.
    """
    keyed = [
        (f"{tick.ticker.kind}:{tick.ticker.location}/{tick.ticker.name}", run) for tick in ticks for run in tick.runs
    ]

    def apply(transaction: Transaction) -> list[RunRow]:
        if leader is not None:
            check_lead(transaction, leader, database.location)
        ids, made = _insert_keyed(transaction, keyed, now)
        rows = [_tick(tick, ids) for tick in ticks if not tick.quiet]
        last = {(each.kind, each.location, each.name): each for each in (tick.ticker for tick in ticks)}
        work = [("put_tickers", [ticker_values(ticker) for ticker in last.values()]), ("put_ticks", rows)]
        transaction.put([(name, each) for name, each in work if each])
        return made

    return _again_where_taken(database, apply)


def create_keyed(database: Database[Any], scope: str, new: Sequence[KeyedRun], *, now: float) -> list[tuple[int, bool]]:
    """Queue runs, each at most once for its key in the scope. Returns each one's id and whether it is new."""

    def apply(transaction: Transaction) -> list[tuple[int, bool]]:
        ids, made = _insert_keyed(transaction, [(scope, run) for run in new], now)
        new_ids = {row.id for row in made}
        return [(ids[scope, run.key], ids[scope, run.key] in new_ids) for run in new]

    return _again_where_taken(database, apply)


def _again_where_taken(database: Database[Any], apply: Callable[[Transaction], T]) -> T:
    """Somebody else may take a key between our look and our commit: look again."""
    for left in reversed(range(_TRIES)):
        try:
            with database.transaction() as transaction:
                return apply(transaction)
        except Duplicate:
            if not left:
                raise
    raise AssertionError


def _insert_keyed(
    transaction: Transaction, keyed: Sequence[tuple[str, KeyedRun]], now: float
) -> tuple[dict[tuple[str, str], int], list[RunRow]]:
    """Create the runs whose keys are free. Returns the run's id for every (scope, key), and the new runs."""
    wanted: dict[tuple[str, str], KeyedRun] = {}
    for scope, run in keyed:
        wanted.setdefault((scope, run.key), run)
    every = [(run.run, run.plan) for run in wanted.values()]
    if not every:
        return {}, []
    scopes: dict[str, list[str]] = {}
    for scope, key in wanted:
        scopes.setdefault(scope, []).append(key)
    taken = [("keys_taken", {"scope": scope, "keys": json.dumps(keys)}) for scope, keys in scopes.items()]
    known, reserved, *found = transaction.look(*before_runs(every), *taken)
    ids: dict[tuple[str, str], int] = {}
    for scope, rows in zip(scopes, found, strict=True):
        ids |= {(scope, key): run_id for key, run_id in rows}
    free = [name for name in wanted if name not in ids]
    if not free:
        return ids, []
    new = [(wanted[name].run, wanted[name].plan) for name in free]
    made = insert_after_look(transaction, new, known, reserved, owner="", lease_s=0.0, now=now)
    for name, row in zip(free, made, strict=True):
        ids[name] = row.id
    transaction.put([("put_run_keys", [(scope, key, ids[scope, key], now) for scope, key in free])])
    return ids, made


def _tick(tick: NewTick, ids: dict[tuple[str, str], int]) -> Row:
    ticker = tick.ticker
    scope = f"{ticker.kind}:{ticker.location}/{ticker.name}"
    return (
        ticker.kind,
        ticker.location,
        ticker.name,
        tick.at,
        tick.ended_at,
        tick.logical_at,
        tick.outcome,
        tick.reason,
        json.dumps(_runs(tick, scope, ids)),
        ticker.cursor,
        _encode(tick.data).decode(),
    )


def _runs(tick: NewTick, scope: str, ids: dict[tuple[str, str], int]) -> list[int]:
    launched = [ids[scope, run.key] for run in tick.runs]
    return [*launched, *(ids[name] for name in tick.shares if name in ids), *tick.run_ids]


def ticker_values(row: TickerRow) -> Row:
    """A ticker in the order of its columns."""
    return (
        row.kind,
        row.location,
        row.name,
        row.enabled,
        row.cursor,
        row.state,
        row.failures,
        row.next_at,
        row.ticked_at,
        row.changed_at,
    )


def switch(
    database: Database[Any], kind: str, location: str, name: str, enabled: bool | None, now: float, by: str = ""
) -> None:
    """Turn a ticker on or off; None: as its definition says. `by` is who did it, for the audit log."""
    with database.transaction() as transaction:
        # One statement: between a look and an insert, a tick of another scheduler might make the row.
        row = TickerRow(kind=kind, location=location, name=name, enabled=enabled, changed_at=now)
        transaction.put([("put_switches", [ticker_values(row)])])
        if by:
            action = "reset" if enabled is None else "turn on" if enabled else "turn off"
            audit.append(transaction, [Audit(by, action, kind, name, {"location": location})], now)
        transaction.notify("tickers")


def set_cursor(
    database: Database[Any], kind: str, location: str, name: str, cursor: str, now: float, by: str = ""
) -> bool:
    """Have a ticker begin from a cursor, its failures forgotten; False where it is not known (yet)."""
    with database.transaction() as transaction:
        known = transaction.run(
            "set_ticker_cursor", of_kind=kind, of_location=location, of_name=name, new_cursor=cursor, at=now
        )
        if known and by:
            audit.append(transaction, [Audit(by, "set cursor", kind, name, {"location": location})], now)
        transaction.notify("tickers")
    return bool(known)


def keys_taken(database: Database[Any], scope: str, keys: Iterable[str]) -> dict[str, int]:
    """Those of the keys for which there is, or was, a run in the scope, with its id."""
    wanted = sorted(set(keys))
    return dict(database.rows("keys_taken", scope=scope, keys=json.dumps(wanted))) if wanted else {}


def tickers(database: Database[Any], kind: str | None, location: str | None) -> list[TickerRow]:
    """What tickers remember."""
    return [_ticker_row(row) for row in database.rows("all_tickers", kind=kind, location=location)]


def _ticker_row(row: Row) -> TickerRow:
    kind, location, name, enabled, cursor, state, failures, next_at, ticked_at, changed_at = row
    return TickerRow(
        kind=kind,
        location=location,
        name=name,
        enabled=None if enabled is None else bool(enabled),
        cursor=cursor,
        state=state,
        failures=failures,
        next_at=next_at,
        ticked_at=ticked_at,
        changed_at=changed_at,
    )


def ticks(
    database: Database[Any],
    *,
    kind: Iterable[str] | str | None = None,
    location: Iterable[str] | str | None = None,
    name: str | None = None,
    outcome: Iterable[str] | str | None = None,
    text: str = "",
    limit: int = 100,
    **page: Any,
) -> list[TickRow]:
    """A page of ticks, see `queries.numbered`. `text` is looked for in name and reason."""
    kinds, locations = _texts(kind), _texts(location)
    path = "tick_list"
    one: dict[str, Any] = {}
    if name is not None and kinds is not None and locations is not None and len(kinds) == len(locations) == 1:
        path = "tick_list_of_one"
        one = {"of_kind": kinds[0], "of_location": locations[0], "of_name": name}
    wanted: dict[str, Any] = {
        "kinds": listed(kinds),
        "locations": listed(locations),
        "name": name,
        "outcomes": listed(outcome),
    }
    rows = numbered(database, path, text=text, limit=limit, **page, **wanted, **one)
    return [tick_row(row) for row in rows]


def _texts(given: Iterable[str] | str | None) -> list[str] | None:
    return None if given is None else [given] if isinstance(given, str) else [*given]


def tick_row(row: Row) -> TickRow:
    """A tick as a query gives it."""
    number, kind, location, name, at, ended_at, logical_at, outcome, reason, runs, cursor, data = row
    return TickRow(
        id=number,
        kind=kind,
        location=location,
        name=name,
        at=at,
        ended_at=ended_at,
        logical_at=logical_at,
        outcome=outcome,
        reason=reason,
        runs=json.loads(runs),
        cursor=cursor,
        data=json.loads(data),
    )


# ---- the queue ----


def claim_queued(
    database: Database[Any],
    choose: Choose,
    owner: str,
    *,
    lease_s: float,
    now: float,
    limit: int,
    each_max: int,
    rates: Mapping[str, float],
) -> list[RunRow]:
    """Take queued runs: `choose(queued, open, starts) -> Chosen` decides while nobody else does.

    `queued` are at most `limit`, by priority and age; of one job and concurrency key no more than `each_max`, so that
    many runs that a limit holds back do not hide the others. `open` are those that are executed. Only one scheduler
    chooses at a time, since limits count what the others have taken. `rates`: for how many seconds the starts of each
    are kept; when they were is told by the same clock as `now`.
    """
    if not database.rows("any_queued"):
        return []
    with database.transaction() as transaction:
        transaction.lock("queue")
        queries: list[tuple[str, dict[str, Any]]] = [
            ("queued_runs", {"each_max": each_max, "limit": limit}),
            ("open_runs", {}),
        ]
        if rates:
            queries.append(("starts_of_rates", _lately(rates, now)))
        waiting, running, *begun = transaction.look(*queries)
        queued = [run_row(row) for row in waiting]
        if not queued:
            return []
        ids, counted = choose(queued, open_rows(running), _by_name(begun[0] if begun else []))
        if not ids:
            return []
        if counted:
            for name in sorted(set(counted)):
                transaction.run("delete_rate_starts", of_name=name, upto=now - rates[name])
            transaction.put([("put_rate_starts", [(name, now) for name in counted])])
        claimed = transaction.last("claim_queued", ids=json.dumps(ids), new_owner=owner, until=now + lease_s)
        return [run_row(row) for row in sorted(claimed)]


def starts_of_rates(database: Database[Any], rates: Mapping[str, float], now: float) -> dict[str, list[float]]:
    """When runs began lately that each rate counts."""
    return _by_name(database.rows("starts_of_rates", **_lately(rates, now))) if rates else {}


def _lately(rates: Mapping[str, float], now: float) -> dict[str, Any]:
    return {"names": json.dumps(sorted(rates)), "since": now - max(rates.values())}


def _by_name(rows: Iterable[Row]) -> dict[str, list[float]]:
    starts: dict[str, list[float]] = {}
    for name, at in rows:
        starts.setdefault(name, []).append(at)
    return starts


def open_rows(rows: Iterable[Row]) -> list[OpenRow]:
    """What takes up the limits."""
    found = []
    for row in rows:
        values = list(row)
        values[4], values[10] = json.loads(row[4]), json.loads(row[10])
        found.append(OpenRow(*values))
    return found


# ---- leaders, processes ----


def take_lead(
    database: Database[Any], name: str, owner: str, *, lease_s: float, now: float, instead_of: str = ""
) -> Leader | None:
    """Become or stay the leader of `name`; None where somebody else is, but for one who is known to be dead."""
    with database.transaction() as transaction:
        transaction.run("take_lead", name=name, owner=owner, until=now + lease_s, now=now, instead_of=instead_of)
        found = Leader(*transaction.rows("leader", name=name)[0])
    return found if found.owner == owner else None


def give_up_lead(database: Database[Any], name: str, owner: str) -> None:
    """Let anybody become the leader at once."""
    with database.transaction() as transaction:
        transaction.run("give_up_lead", of_name=name, of_owner=owner)


def current_leader(database: Database[Any], name: str) -> Leader | None:
    """Who leads, or led last."""
    rows = database.rows("leader", name=name)
    return Leader(*rows[0]) if rows else None


def check_lead(transaction: Transaction, leader: Leader, where: str) -> None:
    """Hold the lead until the transaction ends. Raises LeadLost."""
    rows = transaction.rows("leader_held", name=leader.name)
    now = Leader(*rows[0]) if rows else None
    if now is None or now.epoch != leader.epoch or now.owner != leader.owner:
        by = "nobody" if now is None else now.owner
        raise LeadLost(f"{leader.name} is led by {by} now", where=where)


def put_process(database: Database[Any], row: ProcessRow) -> None:
    """Say that a process lives."""
    with database.transaction() as transaction:
        transaction.run(
            "touch_process",
            id=row.id,
            kind=row.kind,
            host=row.host,
            pid=row.pid,
            started_at=row.started_at,
            seen_at=row.seen_at,
            info=_encode(row.info).decode(),
        )


def processes(database: Database[Any], since: float) -> list[ProcessRow]:
    """Processes that were seen since then, oldest first."""
    return [
        ProcessRow(id=i, kind=kind, host=host, pid=pid, started_at=started, seen_at=seen, info=json.loads(info))
        for i, kind, host, pid, started, seen, info in database.rows("all_processes", since=since)
    ]


def forget_process(database: Database[Any], process_id: str) -> None:
    """It has ended as it should."""
    with database.transaction() as transaction:
        transaction.run("delete_process", id=process_id)
