"""Passwords (argon2), and how often one may try: a few times, then ever more seldom.

Tries are counted by account and by address, in the memory of this server. Surprising: an account that is not there
takes as long as one that is, so that nobody learns by the clock which names exist.
"""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from batuta.core.errors import RequestError
from batuta.server.problems import Refused

if TYPE_CHECKING:
    from argon2 import PasswordHasher

LENGTH_MIN, LENGTH_MAX = 10, 1_000
FREE_TRIES = 5
WAIT_S, WAIT_S_MAX = 2.0, 900.0
KEPT_MAX = 10_000
_hashing = threading.BoundedSemaphore(2)
"""A hash takes a sixth of a second and 64 MB: many at a time would be a way to stop the server."""


@functools.lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@functools.lru_cache(maxsize=1)
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


def hashed(password: str) -> str:
    """What is kept of a password. Raises RequestError for one that is too short."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise RequestError(
            f"a password has {LENGTH_MIN} characters or more, not {len(password)}",
            hint="three words that have nothing to do with each other are a good one",
        )
    with _hashing:
        return _hasher().hash(password)


def fits(password: str, kept: str) -> bool:
    """Whether it is that password; takes as long where nothing is kept."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    with _hashing:
        try:
            _hasher().verify(kept or _nobody(), password[:LENGTH_MAX])
            return bool(kept)
        except (Argon2Error, InvalidHashError):
            return False


class Tries:
    """Failed tries by name (an account, an address). Safe to use from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, *names: str) -> None:
        """Raise Refused (429) where one of them has to wait."""
        now = self._clock()
        with self._lock:
            wait = max((self._failures.get(name, (0, 0.0))[1] - now for name in names), default=0.0)
        if wait > 0:
            seconds = max(int(wait + 0.999), 1)
            raise Refused(
                "too-many-requests",
                429,
                "there were too many failed tries",
                hint=f"wait {seconds} s",
                headers={"Retry-After": str(seconds)},
            )

    def failed(self, *names: str) -> None:
        """One more has failed."""
        now = self._clock()
        with self._lock:
            for name in names:
                count = self._failures.pop(name, (0, 0.0))[0] + 1
                wait = 0.0 if count < FREE_TRIES else min(WAIT_S * 2.0 ** min(count - FREE_TRIES, 20), WAIT_S_MAX)
                self._failures[name] = (count, now + wait)
            while len(self._failures) > KEPT_MAX:
                self._failures.popitem(last=False)

    def succeeded(self, *names: str) -> None:
        """Begin to count anew."""
        with self._lock:
            for name in names:
                self._failures.pop(name, None)
