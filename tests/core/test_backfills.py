"""What is decided about backfills: their items, how many are submitted, when they are over, what a retry runs again."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core import backfills as core
from batuta.core.backfills import FINAL, Backfill, BackfillState, ItemState
from batuta.core.errors import RequestError

_labels = st.lists(st.text("abc123-", min_size=1, max_size=6), unique=True, max_size=60)


def over(**fields: object) -> Backfill:
    return Backfill(**{"selection": "a", "partitions": "all", **fields})  # type: ignore[arg-type]


@given(_labels, st.integers(0, 20), st.sampled_from(["oldest", "newest"]))
def test_each_partition_is_in_one_item(labels: list[str], batch: int, order: str) -> None:
    items = core.items_of_labels(over(batch=batch, order=order), labels)
    found = items if order == "oldest" else items[::-1]
    assert [label for item in found for label in item.partitions] == labels
    sizes = [len(item.partitions) for item in found]
    assert all(size == (batch or len(labels)) for size in sizes[:-1])
    assert not labels or batch or len(items) == 1


def test_an_item_is_shown_in_a_few_characters() -> None:
    assert core.label_of(["2025-01-01"]) == "2025-01-01"
    assert core.label_of(["a", "b", "c"]) == "a..c (3)"
    assert core.label_of([]) == ""


@pytest.mark.parametrize(
    ("backfill", "said"),
    [
        (Backfill(partitions="all"), "name a job, or a selection"),
        (over(job="j"), "name a job, or a selection"),
        (over(partitions=""), "which partitions"),
        (over(first=1.0, last=2.0), "leave out one"),
        (over(batch=-1), "batch is -1"),
        (over(runs_max=0), "runs_max is 0"),
        (Backfill(job="j", first=1.0, last=2.0), "how often"),
    ],
)
def test_wrong_requests_are_told(backfill: Backfill, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        core.validate(backfill)


class Life:
    """A backfill lived through: items are submitted, end, and people interfere; nothing else keeps count."""

    def __init__(self, seed: int, items: int, runs_max: int) -> None:
        self.random = random.Random(seed)
        self.spec = over(runs_max=runs_max)
        self.state: str = BackfillState.RUNNING
        self.items = [ItemState.WAITING] * items
        self.attempts = [1] * items
        self.begun: Counter[tuple[int, int]] = Counter()

    def counts(self) -> Counter[str]:
        return Counter(self.items)

    def settle(self) -> None:
        self.state = core.next_state(self.state, self.counts())

    def step(self) -> None:
        what = self.random.random()
        open_ = [no for no, state in enumerate(self.items) if state is ItemState.SUBMITTED]
        if what < 0.4:
            room = core.room(self.spec, self.state, len(open_))
            waiting = [no for no, state in enumerate(self.items) if state is ItemState.WAITING]
            for no in waiting[:room]:
                self.begun[no, self.attempts[no]] += 1
                self.items[no] = ItemState.SUBMITTED
        elif what < 0.8 and open_:
            ended = core.end_of(self.random.choice(["succeeded", "succeeded", "failed", "cancelled"]))
            assert ended is not None
            self.items[self.random.choice(open_)] = ended
        else:
            self.act(self.random.choice(["pause", "resume", "cancel", "retry"]))
        self.settle()

    def act(self, action: core.Action) -> None:
        try:
            state = core.after(action, self.state, 1)
        except RequestError:
            return
        if action == "retry":
            again = core.retried(self.counts())
            if not again:
                return
            for no, item in enumerate(self.items):
                if item in again:
                    self.items[no] = ItemState.WAITING
                    self.attempts[no] += 1
        if action == "cancel":
            self.items = [ItemState.CANCELLED if one is ItemState.WAITING else one for one in self.items]
        self.state = state


@given(st.integers(0, 1 << 32), st.integers(1, 8), st.integers(1, 4), st.integers(0, 60))
def test_no_attempt_is_begun_twice_and_it_comes_to_an_end(seed: int, items: int, runs_max: int, steps: int) -> None:
    life = Life(seed, items, runs_max)
    for _ in range(steps):
        life.step()
        assert life.counts()[ItemState.SUBMITTED] <= runs_max
        assert max(life.begun.values(), default=1) == 1
        if life.state in FINAL:
            assert not life.counts()[ItemState.SUBMITTED]
            assert not life.counts()[ItemState.WAITING]
    if life.state == BackfillState.PAUSED:
        life.act("resume")
    while life.state not in FINAL:  # nobody interferes any more
        room = core.room(life.spec, life.state, life.counts()[ItemState.SUBMITTED])
        waiting = [no for no, state in enumerate(life.items) if state is ItemState.WAITING]
        for no in waiting[:room]:
            life.items[no] = ItemState.SUBMITTED
        before = life.counts()
        life.items = [ItemState.SUCCEEDED if one is ItemState.SUBMITTED else one for one in life.items]
        life.settle()
        assert life.state in FINAL or life.counts() != before, "it goes on"
    failed, cancelled = life.counts()[ItemState.FAILED], life.counts()[ItemState.CANCELLED]
    if life.state == BackfillState.SUCCEEDED:
        assert not failed
        assert not cancelled


def test_what_makes_no_sense_says_what_does() -> None:
    with pytest.raises(RequestError) as caught:
        core.after("resume", "running", 7)
    assert "backfill 7 is running" in str(caught.value)
    assert "pause, cancel, retry" in str(caught.value)
    with pytest.raises(RequestError, match="backfill 7 was cancelled"):
        core.after("pause", "cancelled", 7)
