"""How fresh an asset has to be, and when it is overdue: a greatest age, or a time of the day by which it is made.

The surprising rule: of an asset with partitions of time only the newest one counts for which the time is up. It is
overdue where it was never made; how long ago it was made does not matter, as a day that is over does not change.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from batuta.core.cron import next_times, times, validate_cron
from batuta.core.errors import DefinitionError

_LOOKBACKS = (timedelta(hours=2), timedelta(days=2), timedelta(days=40), timedelta(days=1500))


class FreshnessPolicy(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Either `max_age_s`, or `cron` on the clock of `timezone`: by each of its times the asset has been made.

    `within_s`: not longer before that time than so many seconds; None: since the time before.
    """

    max_age_s: float | None = None
    cron: str = ""
    timezone: str = "UTC"
    within_s: float | None = None

    def __str__(self) -> str:
        if self.max_age_s is not None:
            return f"not older than {_length(self.max_age_s)}"
        return f"by {self.cron} ({self.timezone})"


def _length(seconds: float) -> str:
    """`3 days`, `26 h`, `90 min`, `45 s`."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length and seconds % length == 0:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:g} s"


def validate_freshness(policy: object, where: str | None = None) -> None:
    """Raise DefinitionError saying what is wrong with a policy."""
    if not isinstance(policy, FreshnessPolicy):
        hint = "write Freshness(max_age=timedelta(hours=26)) or Freshness(by='0 9 * * *')"
        raise DefinitionError(f"freshness= is {policy!r}", where=where, hint=hint)
    if (policy.max_age_s is None) == (not policy.cron):
        what = "a freshness policy needs a greatest age or a time" + (", not both" if policy.cron else "")
        raise DefinitionError(what, where=where, hint="give either max_age= or by=")
    for name, seconds in (("max_age", policy.max_age_s), ("within", policy.within_s)):
        if seconds is not None and not 0 < seconds < 1e10:
            raise DefinitionError(f"{name} is {seconds} s", where=where, hint="give a length of time above zero")
    if policy.cron:
        validate_cron(policy.cron, policy.timezone, where)
    elif policy.within_s is not None:
        raise DefinitionError("within= means nothing without by=", where=where, hint="leave it out")


def last_time(cron: str, timezone: str, now: datetime) -> datetime | None:
    """The last time at or before `now` at which the expression fired, as far as four years back."""
    for back in _LOOKBACKS:
        found = None
        for moment in times(cron, timezone, now - back):
            if moment > now:
                break
            found = moment
        if found is not None:
            return found
    return None


def next_time(cron: str, timezone: str, now: datetime) -> datetime | None:
    """The first time after `now`."""
    return next(iter(next_times(cron, timezone, now)), None)


def oldest_allowed(policy: FreshnessPolicy, now: datetime) -> float:
    """What was made before this moment (seconds since the epoch) is overdue at `now`."""
    if policy.max_age_s is not None:
        return now.timestamp() - policy.max_age_s
    due = last_time(policy.cron, policy.timezone, now)
    if due is None:
        return float("-inf")
    if policy.within_s is not None:
        return due.timestamp() - policy.within_s
    before = last_time(policy.cron, policy.timezone, due - timedelta(seconds=1))
    return float("-inf") if before is None else before.timestamp()


def ended_by(policy: FreshnessPolicy, now: datetime) -> float:
    """A partition of time that had ended by this moment (seconds since the epoch) has to be there at `now`."""
    if policy.max_age_s is not None:
        return now.timestamp() - policy.max_age_s
    due = last_time(policy.cron, policy.timezone, now)
    return float("-inf") if due is None else due.timestamp()
