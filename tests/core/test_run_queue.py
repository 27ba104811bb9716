"""The choice of queued runs: never over a limit, in order, fair, and with a reason for each that waits."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.errors import DefinitionError
from batuta.core.run_queue import Choice, Limits, OpenRun, QueuedRun, Rate, choose, parse_rate, rate_names

NOW = 10_000.0
names = st.sampled_from(["a", "b", "c"])
tags = st.dictionaries(st.sampled_from(["team", "size"]), names, max_size=2)


def queued(number: int, job: str = "a", **more: object) -> QueuedRun:
    return QueuedRun(number, "shop", job, NOW, **more)  # type: ignore[arg-type]


@st.composite
def many_queued(draw: st.DrawFn) -> list[QueuedRun]:
    count = draw(st.integers(0, 25))
    return [
        QueuedRun(
            id=number,
            location=draw(st.sampled_from(["shop", "bank"])),
            job=draw(names),
            created_at=NOW - draw(st.integers(0, 900)),
            priority=draw(st.integers(-2, 2)),
            tags=draw(tags),
            concurrency_key=draw(st.sampled_from(["", "", "k1", "k2"])),
            serial=draw(st.sampled_from(["", "", "s1"])),
        )
        for number in range(count)
    ]


running = st.lists(
    st.builds(
        OpenRun,
        location=st.sampled_from(["shop", "bank"]),
        job=names,
        tags=tags,
        concurrency_key=st.sampled_from(["", "k1"]),
        serial=st.sampled_from(["", "s1"]),
    ),
    max_size=6,
)
few = st.integers(0, 4)
limits = st.builds(
    Limits,
    total=st.none() | st.integers(0, 10),
    jobs=st.dictionaries(st.sampled_from(["a", "shop/a", "b"]), few, max_size=2),
    locations=st.dictionaries(st.just("shop"), few, max_size=1),
    tags=st.dictionaries(st.sampled_from(["team", "team=a", "size=b"]), few, max_size=2),
    keys=st.dictionaries(st.just("k1"), few, max_size=1),
    rates=st.dictionaries(
        st.sampled_from(["all", "job:a", "tag:team"]),
        st.builds(Rate, st.integers(1, 4), st.just(60.0)),
        max_size=2,
    ),
)


def counts(runs: list[QueuedRun | OpenRun]) -> Counter[str]:
    """How many runs count for each name that a limit may have."""
    found: Counter[str] = Counter()
    for run in runs:
        found.update(name for name in rate_names(run))
        if run.serial:
            found[f"serial:{run.serial}"] += 1
    return found


@given(many_queued(), running, limits, st.none() | st.integers(0, 8))
def test_no_limit_is_passed_and_each_run_is_answered(
    waiting: list[QueuedRun], under_way: list[OpenRun], given_limits: Limits, room: int | None
) -> None:
    choice = choose(waiting, under_way, given_limits, NOW, room=room)
    assert sorted([*choice.start, *choice.held]) == [run.id for run in waiting]
    started = [run for run in waiting if run.id in set(choice.start)]
    before, after = counts([*under_way]), counts([*under_way, *started])
    new = counts([*started])

    def kept(name: str, most: int) -> bool:
        return not new[name] or after[name] <= most

    if given_limits.total is not None:
        assert kept("all", given_limits.total)
    for location in ("shop", "bank"):
        for job in "abc":
            most = given_limits.jobs.get(f"{location}/{job}", given_limits.jobs.get(job))
            assert most is None or kept(f"job:{location}/{job}", most)
        assert kept(f"location:{location}", given_limits.locations.get(location, 10**9))
    for key in ("team", "size"):
        for value in "abc":
            most = given_limits.tags.get(f"{key}={value}", given_limits.tags.get(key))
            assert most is None or kept(f"tag:{key}={value}", most)
    for key in ("k1", "k2"):
        assert kept(f"key:{key}", given_limits.keys.get(key, 1))
    assert kept("serial:s1", 1)
    for name, rate in given_limits.rates.items():
        assert new[name] <= rate.runs
    if room is not None:
        assert len(choice.start) <= room
    assert before <= after


@given(many_queued(), running, limits)
def test_nothing_waits_without_need(waiting: list[QueuedRun], under_way: list[OpenRun], given_limits: Limits) -> None:
    choice = choose(waiting, under_way, given_limits, NOW)
    started = {run.id: run for run in waiting if run.id in set(choice.start)}
    now_open = [
        *under_way,
        *(OpenRun(run.location, run.job, run.tags, run.concurrency_key, run.serial) for run in started.values()),
    ]
    starts = {name: [NOW] * counts([*started.values()])[name] for name in given_limits.rates}
    again = choose([run for run in waiting if run.id not in started], now_open, given_limits, NOW, started=starts)
    assert again.start == []
    assert again.held.keys() == choice.held.keys()


@given(many_queued())
def test_of_one_job_the_more_urgent_and_then_the_older_go_first(waiting: list[QueuedRun]) -> None:
    alike = [QueuedRun(run.id, "shop", "a", NOW, run.priority) for run in waiting]
    choice = choose(alike, [], Limits(), NOW)
    by_id = {run.id: run for run in alike}
    order = [(-by_id[number].priority, number) for number in choice.start]
    assert order == sorted(order)


def test_jobs_take_turns() -> None:
    waiting = [queued(number, "a") for number in range(6)] + [queued(10, "b"), queued(11, "b"), queued(20, "c")]
    assert choose(waiting, [], Limits(), NOW).start[:5] == [0, 10, 20, 1, 11]
    busy = [OpenRun("shop", "a")] * 3
    assert choose(waiting, busy, Limits(total=5), NOW).start == [10, 20]


def test_waiting_makes_urgent() -> None:
    old = QueuedRun(1, "shop", "patient", NOW - 1_000, priority=0)
    urgent = [queued(number, "pushy", priority=3) for number in range(2, 9)]
    assert choose([old, *urgent], [], Limits(total=1, ageing_s=600), NOW).start == [2]
    assert choose([old, *urgent], [], Limits(total=1, ageing_s=200), NOW).start == [1]
    assert choose([old, *urgent], [], Limits(total=1, ageing_s=0), NOW).start == [2]


def test_rates_say_when_there_is_room_again() -> None:
    limits = Limits(rates={"job:a": Rate(2, 60.0)})
    choice = choose([queued(1), queued(2)], [], limits, NOW, started={"job:a": [NOW - 100, NOW - 50]})
    assert (choice.start, choice.again_at) == ([1], NOW + 10)
    assert choice.held == {2: "rate of job:a: 2 in 60 s"}
    assert choose([queued(2)], [], limits, NOW + 10, started={"job:a": [NOW - 50, NOW]}) == Choice(start=[2])


def test_runs_of_a_schedule_keep_their_order() -> None:
    waiting = [queued(1, serial="s", tags={"t": "full"}), queued(2, serial="s"), queued(3)]
    choice = choose(waiting, [OpenRun("shop", "x", {"t": "full"})], Limits(tags={"t": 1}), NOW)
    assert choice.start == [3]
    assert choice.held[2] == "an earlier run of the same schedule is not finished"


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("10/minute", Rate(10, 60.0)),
        ("1/5s", Rate(1, 5.0)),
        ("100/2 hours", Rate(100, 7200.0)),
        ("3/d", Rate(3, 86400)),
    ],
)
def test_rates_are_read(text: str, rate: Rate) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "10", "0/minute", "10/week", "x/s", "1/0s"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="is not a rate"):
        parse_rate(text)
