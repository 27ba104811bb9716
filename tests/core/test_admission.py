"""What may start, by priority, pools, limits and lanes: nothing waits for room that is there, no limit is overrun."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from batuta.core.admission import Admission, Entry


def always(_entry: Entry) -> bool:
    return True


def entry(task: int, *limits: tuple[str, int, int | None], priority: int = 0, lane: str = "") -> Entry:
    return Entry(1, task, 1, priority, tuple(limits), lane)


def taken(admission: Admission) -> list[int]:
    return [found.task for found in admission.take(always)]


def test_by_priority_then_in_order_of_arrival() -> None:
    admission = Admission()
    for task, priority in enumerate([0, 5, 0, 5, -1]):
        admission.add(entry(task, priority=priority))
    assert taken(admission) == [1, 3, 0, 2, 4]


def test_no_room_stops_a_lane_and_not_the_others() -> None:
    admission = Admission()
    admission.add(entry(0, lane="bodies", priority=9))
    admission.add(entry(1, lane="tasks"))
    assert [found.task for found in admission.take(lambda waiting: waiting.lane == "tasks")] == [1]
    assert taken(admission) == [0]


def test_a_pool_lets_in_as_many_as_it_has_slots_and_the_next_when_one_is_done() -> None:
    admission = Admission({"db": 2})
    entries = [entry(task, ("db", 1, None)) for task in range(4)]
    for waiting in entries:
        admission.add(waiting)
    assert taken(admission) == [0, 1]
    assert admission.used() == {"db": 2}
    admission.release(entries[1])
    assert taken(admission) == [2]


def test_those_parked_go_on_by_priority() -> None:
    admission = Admission({"db": 1})
    first = entry(0, ("db", 1, None))
    admission.add(first)
    assert taken(admission) == [0]
    admission.add(entry(1, ("db", 1, None)))
    admission.add(entry(2, ("db", 1, None), priority=3))
    assert taken(admission) == []
    admission.release(first)
    assert taken(admission) == [2]


def test_what_is_wider_than_its_pool_runs_alone() -> None:
    admission = Admission({"db": 2})
    wide, narrow = entry(0, ("db", 5, None)), entry(1, ("db", 1, None))
    admission.add(wide)
    admission.add(narrow)
    assert taken(admission) == [0]
    admission.release(wide)
    assert taken(admission) == [1]


def test_an_entry_that_is_gone_leaves_its_room_to_the_next() -> None:
    admission = Admission({"db": 1})
    first, second = entry(0, ("db", 1, None)), entry(1, ("db", 1, None))
    for waiting in (first, second, entry(2, ("db", 1, None), lane="other")):
        admission.add(waiting)
    assert taken(admission) == [0]
    second.gone = True
    admission.release(first)
    assert taken(admission) == [2]


def test_limits_of_a_run_are_forgotten_when_nothing_is_under_them() -> None:
    admission = Admission()
    for task in range(100):
        admission.add(entry(task, (f"{task}/", 1, 1)))
    for found in list(admission.take(always)):
        admission.release(found)
    assert admission._limits == {}


def test_a_full_pool_costs_nothing_for_each_that_waits() -> None:
    """How often the queue is looked at grows with the entries, not with their square."""
    admission = Admission({"db": 1})
    count = 2_000
    for task in range(count):
        admission.add(entry(task, ("db", 1, None)))
    looks = Counter[str]()

    def look(_entry: Entry) -> bool:
        looks["room"] += 1
        return True

    full = admission._full

    def counted(waiting: Entry) -> object:
        looks["limits"] += 1
        return full(waiting)

    admission._full = counted  # type: ignore[assignment, method-assign]
    order = []
    while found := list(admission.take(look)):
        order += [item.task for item in found]
        for item in found:
            admission.release(item)
    assert order == list(range(count))
    assert looks["room"] == count
    assert looks["limits"] <= 3 * count


POOLS = {"a": 1, "b": 3, "c": 2}
slots = st.tuples(st.sampled_from(sorted(POOLS)), st.integers(1, 4), st.none())
waiting_entries = st.lists(
    st.tuples(st.lists(slots, max_size=3, unique_by=lambda limit: limit[0]), st.integers(0, 2), st.sampled_from("xy")),
    max_size=30,
)


@given(waiting_entries, st.data())
def test_all_get_in_within_the_limits_whatever_ends_first(
    wanted: list[tuple[list[tuple[str, int, None]], int, str]], data: st.DataObject
) -> None:
    admission = Admission(POOLS)
    for task, (limits, priority, lane) in enumerate(wanted):
        admission.add(entry(task, *limits, priority=priority, lane=lane))
    running: list[Entry] = []
    started: list[int] = []
    while len(started) < len(wanted) or running:
        for found in admission.take(always):
            running.append(found)
            started.append(found.task)
        assert running, "nothing runs, and what waits does not start"
        for pool, maximum in POOLS.items():
            inside = [limit[1] for item in running for limit in item.limits if limit[0] == pool]
            assert sum(inside) <= maximum or len(inside) == 1
        ended = data.draw(st.integers(0, len(running) - 1))
        admission.release(running.pop(ended))
    assert sorted(started) == list(range(len(wanted)))
    assert admission.used() == {}
