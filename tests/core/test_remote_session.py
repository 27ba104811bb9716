"""Sessions over connections that break anywhere: each message arrives once, in order; leases end in the right order."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.core.errors import InvariantError
from batuta.core.remote_session import Lease, Session

ACTIONS = st.lists(st.sampled_from(["say a", "say b", "deliver a", "deliver b", "cut"]), max_size=200)


class Wire:
    """Two sessions and what is under way between them: packets of (number, message, confirmed)."""

    def __init__(self) -> None:
        self.sides: dict[str, Session[int]] = {"a": Session(), "b": Session()}
        self.to: dict[str, deque[tuple[int, int, int]]] = {"a": deque(), "b": deque()}
        self.said: dict[str, list[int]] = {"a": [], "b": []}
        self.heard: dict[str, list[int]] = {"a": [], "b": []}

    def do(self, action: str) -> None:
        verb, _, side = action.partition(" ")
        if verb == "cut":
            self.reconnect()
        elif verb == "say":
            message = len(self.said[side])
            self.said[side].append(message)
            self.send(side, self.sides[side].say(message))
        elif self.to[side]:
            self.deliver(side)

    def send(self, side: str, numbered: tuple[int, int]) -> None:
        other = "b" if side == "a" else "a"
        self.to[other].append((*numbered, self.sides[side].received))

    def deliver(self, side: str) -> None:
        number, message, confirmed = self.to[side].popleft()
        self.sides[side].confirm(confirmed)
        heard = self.sides[side].hear(number, message)
        if heard is not None:
            self.heard[side].append(heard)

    def reconnect(self) -> None:
        """What was under way is gone; both say what they have, and send the rest."""
        for lost in self.to.values():
            lost.clear()
        received = {side: session.received for side, session in self.sides.items()}
        for side, other in (("a", "b"), ("b", "a")):
            for numbered in self.sides[side].resume(received[other]):
                self.send(side, numbered)


@given(ACTIONS)
def test_every_message_arrives_once_and_in_order(actions: list[str]) -> None:
    wire = Wire()
    for action in actions:
        wire.do(action)
        for side, other in (("a", "b"), ("b", "a")):
            assert wire.heard[other] == wire.said[side][: len(wire.heard[other])]
    wire.reconnect()
    while wire.to["a"] or wire.to["b"]:
        for side in ("a", "b"):
            if wire.to[side]:
                wire.deliver(side)
    assert wire.heard == {"a": wire.said["b"], "b": wire.said["a"]}


def test_what_is_confirmed_is_not_kept() -> None:
    session: Session[str] = Session()
    for text in "abc":
        session.say(text)
    session.confirm(2)
    assert session.unconfirmed == 1
    assert session.resume(2) == [(3, "c")]
    with pytest.raises(InvariantError, match="has received 1, but 3 to 3 are kept"):
        session.resume(1)
    with pytest.raises(InvariantError):
        session.resume(4)


def test_a_gap_is_no_conversation() -> None:
    session: Session[str] = Session()
    assert session.hear(1, "a") == "a"
    assert session.hear(1, "a") is None
    with pytest.raises(InvariantError, match="message 3 follows 1"):
        session.hear(3, "c")


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 5)), max_size=20), st.floats(1, 60))
def test_who_executes_stops_before_the_work_counts_as_lost(beats: list[tuple[float, float]], lease_s: float) -> None:
    """Beats are asked some time after the one before, and heard some time after they were asked."""
    worker, scheduler, now = Lease(lease_s, 0.0), Lease(lease_s, 0.0), 0.0
    for after_s, delay_s in beats:
        asked = now + after_s
        heard = asked + delay_s
        scheduler.renew(heard)  # answered, but the answer may be lost: then only the scheduler's lease is renewed
        assert worker.must_stop_at() < scheduler.is_lost_at()
        worker.renew(asked)
        assert worker.must_stop_at() < scheduler.is_lost_at()
        now = heard
