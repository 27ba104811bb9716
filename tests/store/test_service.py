"""What runs unattended, in the store: one run per key, ticks all or nothing, one leader, nobody's runs claimed once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import create_engine, text

from batuta.store import Store
from batuta.store.errors import LeadLost
from batuta.store.rows import KeyedRun, NewTick, OpenRow, ProcessRow, RunRow, TickerRow
from batuta.store.schema_service import tickers
from batuta.store.service import Chosen, ticker_values
from tests.store.samples import PLAN, create, new_run

NOW = 1_000.0
BLOCKED = "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"


def keyed(*keys: str) -> list[KeyedRun]:
    return [KeyedRun(new_run(origin="nightly"), PLAN, key) for key in keys]


def ticker(**fields: object) -> TickerRow:
    return TickerRow(kind="schedule", location="shop", name="nightly", **fields)  # type: ignore[arg-type]


def tick(*keys: str, **fields: object) -> NewTick:
    values = {"ticker": ticker(cursor=keys[-1] if keys else ""), "at": NOW, "ended_at": NOW, "outcome": "launched"}
    return NewTick(**{**values, "runs": keyed(*keys), **fields})  # type: ignore[arg-type]


def test_a_key_makes_one_run(store: Store) -> None:
    first = store.create_keyed("api", keyed("a", "b", "a"), now=NOW)
    assert [new for _, new in first] == [True, True, True]
    assert first[0] == first[2]
    again = store.create_keyed("api", keyed("b", "c"), now=NOW)
    assert again[0] == (first[1][0], False)
    assert again[1][1]
    assert store.create_keyed("other", keyed("a"), now=NOW)[0][1]
    assert len(store.runs(limit=100)) == 4


def test_a_key_makes_one_run_whoever_else_asks(store: Store, store_url: str) -> None:
    keys = [f"{i}" for i in range(40)]
    answers: list[list[tuple[int, bool]]] = []
    ready = threading.Barrier(4)

    def ask() -> None:
        with Store.open(store_url) as mine:
            ready.wait()
            answers.append([mine.create_keyed("api", keyed(key), now=NOW)[0] for key in keys])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    for told in zip(*answers, strict=True):
        assert len({run_id for run_id, _ in told}) == 1
        assert sum(new for _, new in told) == 1
    assert len(store.runs(limit=1000)) == len(keys)


def test_a_tick_leaves_its_runs_its_row_and_its_cursor(store: Store) -> None:
    made = store.record_ticks([tick("1", "2", logical_at=NOW, data={"why": "due"})], leader=None, now=NOW)
    assert [run.origin for run in made] == ["nightly"] * 2
    assert all(run.owner == "" and run.state == "queued" for run in made)
    assert store.record_ticks([tick("2", "3")], leader=None, now=NOW)[0].id > made[-1].id
    newest, oldest = store.ticks(kind="schedule")
    assert oldest.runs == [run.id for run in made]
    assert oldest.data == {"why": "due"}
    assert newest.runs[0] == made[1].id  # the run of that key, though it was there
    assert [row.cursor for row in store.tickers()] == ["3"]
    assert store.ticks(name="other") == []
    store.record_ticks([tick(quiet=True, ticker=ticker(cursor="4"))], leader=None, now=NOW)
    assert [row.cursor for row in store.tickers("schedule", "shop")] == ["4"]
    assert len(store.ticks()) == 2


def test_a_switch_is_a_persons_and_stays(store: Store) -> None:
    store.switch("schedule", "shop", "nightly", False, now=NOW)
    store.record_ticks([tick("1")], leader=None, now=NOW)
    assert [(row.enabled, row.cursor) for row in store.tickers()] == [(False, "1")]
    store.switch("schedule", "shop", "nightly", None, now=NOW)
    assert [(row.enabled, row.cursor) for row in store.tickers()] == [(None, "1")]


def test_a_switch_meets_the_first_tick_of_a_scheduler_and_takes_nothing_from_it(store: Store, store_url: str) -> None:
    """The row is made by somebody whose transaction ends only when the switch waits for it."""
    engine = create_engine(store_url)
    person = threading.Thread(target=store.switch, args=("schedule", "shop", "nightly", False), kwargs={"now": NOW})
    with engine.begin() as scheduler:
        scheduler.execute(tickers.insert().values(ticker_values(ticker(cursor="7", next_at=NOW + 60))))
        person.start()
        while store_url.startswith("postgresql") and not scheduler.scalar(text(BLOCKED)):
            assert person.is_alive()
    person.join()
    engine.dispose()
    assert store.tickers() == [ticker(cursor="7", next_at=NOW + 60, enabled=False, changed_at=NOW)]


def test_one_leads_until_its_time_is_over(store: Store) -> None:
    first = store.take_lead("ticks", "a", 10.0, NOW)
    assert first is not None
    assert store.take_lead("ticks", "b", 10.0, NOW + 9) is None
    renewed = store.take_lead("ticks", "a", 10.0, NOW + 9)
    assert renewed is not None
    assert renewed.epoch == first.epoch
    second = store.take_lead("ticks", "b", 10.0, NOW + 20)
    assert second is not None
    assert second.epoch == first.epoch + 1
    with pytest.raises(LeadLost, match="led by b"):
        store.record_ticks([tick("1")], leader=renewed, now=NOW + 20)
    assert store.runs(limit=10) == []
    assert store.tickers() == []
    assert len(store.record_ticks([tick("1")], leader=second, now=NOW + 20)) == 1
    store.give_up_lead("ticks", "a")
    assert store.take_lead("ticks", "a", 10.0, NOW + 21) is None
    store.give_up_lead("ticks", "b")
    assert store.take_lead("ticks", "a", 10.0, NOW + 21) is not None
    assert store.leader("nothing") is None


def test_queued_runs_are_claimed_once(store: Store) -> None:
    running = create(store, owner="somebody")
    ids = [store.create_keyed("api", keyed(f"{i}"), now=NOW)[0][0] for i in range(5)]
    seen: list[tuple[list[int], list[int]]] = []

    def first_two(queued: list[RunRow], opened: list[OpenRow], starts: object) -> Chosen:
        seen.append(([run.id for run in queued], [row.id for row in opened]))
        assert starts == {}
        return Chosen([run.id for run in queued][:2])

    taken = store.claim_queued(first_two, "me", 10.0, NOW, 4)
    assert [run.id for run in taken] == ids[:2]
    assert all(run.owner == "me" and run.lease_until == NOW + 10 and run.epoch == 2 for run in taken)
    assert [run.id for run in store.claim_queued(first_two, "you", 10.0, NOW, 4)] == ids[2:4]
    assert seen == [(ids[:4], [running.id]), (ids[2:5], [running.id, *ids[:2]])]
    assert store.claim_queued(lambda *_: Chosen([]), "you", 10.0, NOW, 4) == []


def test_starts_that_rates_count_are_kept_for_all_schedulers(store_url: str) -> None:
    """What one has started another sees, for as long as the rate looks back, and no longer."""
    seen: list[dict[str, list[float]]] = []

    def one(queued: list[RunRow], _opened: object, starts: dict[str, list[float]]) -> Chosen:
        seen.append(starts)
        return Chosen([queued[0].id], ["all", "job:flow"] if queued[0].id % 2 else ["all"])

    rates = {"all": 10.0, "job:flow": 60.0}
    with Store.open(store_url) as mine, Store.open(store_url) as theirs:
        mine.create_keyed("api", keyed(*"abcd"), now=NOW)
        for at, store in ((NOW, mine), (NOW + 5, theirs), (NOW + 20, mine), (NOW + 70, theirs)):
            assert store.claim_queued(one, "me", 10.0, at, 4, rates=rates)
        assert seen == [
            {},
            {"all": [NOW], "job:flow": [NOW]},
            {"all": [NOW, NOW + 5], "job:flow": [NOW]},  # as long as the longest rate looks back: who chooses knows
            {"all": [NOW + 20], "job:flow": [NOW + 20]},
        ]
        assert mine.starts_of_rates(rates, NOW + 70) == {"all": [NOW + 70], "job:flow": [NOW + 20]}
        assert mine.starts_of_rates({}, NOW) == {}


def test_what_is_chosen_and_undone_has_not_begun(store: Store) -> None:
    def fails(queued: list[RunRow], _opened: object, _starts: object) -> Chosen:
        raise ZeroDivisionError

    store.create_keyed("api", keyed("a"), now=NOW)
    with pytest.raises(ZeroDivisionError):
        store.claim_queued(fails, "me", 10.0, NOW, 4, rates={"all": 1.0})
    assert store.starts_of_rates({"all": 10.0}, NOW) == {}
    assert store.claim_queued(lambda queued, *_: Chosen([queued[0].id], ["all"]), "me", 9.0, NOW, 4, rates={"all": 1.0})
    assert store.starts_of_rates({"all": 10.0}, NOW) == {"all": [NOW]}


def test_many_queued_runs_of_one_job_hide_no_other(store: Store) -> None:
    many = [store.create_keyed("api", keyed(f"{i}"), now=NOW)[0][0] for i in range(5)]
    other = keyed("other")
    other[0].run.job, other[0].run.priority = "other", 3
    ((last, _),) = store.create_keyed("api", other, now=NOW)
    taken = store.claim_queued(lambda queued, *_: Chosen([run.id for run in queued]), "me", 10.0, NOW, 4, each_max=2)
    assert sorted(run.id for run in taken) == sorted([last, *many[:2]])


def test_what_others_write_is_heard(store_url: str) -> None:
    with Store.open(store_url) as mine, Store.open(store_url) as theirs, mine.listen() as listener:
        never = threading.Event()
        while listener.wait(0.0, never):
            pass
        theirs.create_keyed("api", keyed("1"), now=NOW)
        assert listener.wait(30.0 if mine.dialect == "postgresql" else 0.0, never)


def test_what_this_process_writes_is_no_news(store_url: str) -> None:
    with Store.open(store_url) as mine, Store.open(store_url) as theirs, mine.listen() as listener:
        never = threading.Event()
        while listener.wait(0.0, never):
            pass
        mine.send_signal("go", now=NOW)
        assert not listener.wait(0.0, never)
        mine.create_keyed("api", keyed("1"), now=NOW)
        assert not listener.wait(0.0, never)
        theirs.send_signal("go", now=NOW)
        heard: set[str] = set()
        while not heard:  # what is ours may have been on its way
            heard = listener.wait(1.0 if mine.dialect == "postgresql" else 0.0, never)
        assert heard in ({"*"}, {"signals"})


def test_processes_are_seen(store: Store) -> None:
    row = ProcessRow(id="h:1:2", kind="up", host="h", pid=1, started_at=NOW, seen_at=NOW, info={"version": "1"})
    store.put_process(row)
    row.seen_at = NOW + 5
    store.put_process(row)
    assert store.processes(NOW + 5) == [row]
    assert store.processes(NOW + 6) == []
    store.forget_process("h:1:2")
    assert store.processes(0) == []
