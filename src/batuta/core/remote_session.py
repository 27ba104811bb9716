"""A conversation that survives its connection: what one side said and the other has not confirmed is said again.

Pure: bytes are somebody else's business. Each message has a number; each packet carries the number of the last message
that was received. After a reconnect both sides say what they have received and send the rest again, so every message
arrives exactly once and in order, or the session ends. When it ends is a matter of leases: whoever executes must give
up *before* the other side counts the work as lost, see `Lease`.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from batuta.core.errors import InvariantError

M = TypeVar("M")

GIVE_UP_AT = 0.8
"""The part of the lease after which the side that executes stops: the rest allows for clocks of different speed."""

Numbered = tuple[int, M]


class Session(Generic[M]):
    """One side of a conversation."""

    def __init__(self) -> None:
        self.received = 0
        """The number of the last message that was taken up."""
        self._sent = 0
        self._unconfirmed: deque[Numbered[M]] = deque()

    def say(self, message: M) -> Numbered[M]:
        """Number a message, and keep it until it is confirmed."""
        self._sent += 1
        numbered = (self._sent, message)
        self._unconfirmed.append(numbered)
        return numbered

    def hear(self, number: int, message: M) -> M | None:
        """A message has arrived: itself, or None where it was taken up before. Raises InvariantError for a gap."""
        if number <= self.received:
            return None
        if number != self.received + 1:
            raise InvariantError(f"message {number} follows {self.received}: one between them is lost")
        self.received = number
        return message

    def confirm(self, number: int) -> None:
        """The other side has taken up everything up to this number."""
        while self._unconfirmed and self._unconfirmed[0][0] <= number:
            self._unconfirmed.popleft()

    def resume(self, number: int) -> list[Numbered[M]]:
        """A new connection, on which the other side says what it has received last: what to send again, in order."""
        first = self._unconfirmed[0][0] if self._unconfirmed else self._sent + 1
        if number < first - 1 or number > self._sent:
            raise InvariantError(f"the other side has received {number}, but {first} to {self._sent} are kept")
        self.confirm(number)
        return list(self._unconfirmed)

    @property
    def unconfirmed(self) -> int:
        """How many messages are kept."""
        return len(self._unconfirmed)


class Lease:
    """Whether the other side is there, by one's own steady clock (seconds, of any origin).

    The side that executes renews by the time at which it *asked* (sent the beat that was answered), the other by the
    time at which it heard; since hearing comes after asking, the first always runs out before the second.
    """

    def __init__(self, lease_s: float, now: float) -> None:
        self.lease_s = lease_s
        self._renewed = now

    def renew(self, at: float) -> None:
        """The other side was there at that time."""
        self._renewed = max(self._renewed, at)

    def must_stop_at(self) -> float:
        """For the side that executes: when it must have stopped, unless renewed."""
        return self._renewed + self.lease_s * GIVE_UP_AT

    def is_lost_at(self) -> float:
        """For the side that waits: from when on the work counts as lost, unless renewed."""
        return self._renewed + self.lease_s
