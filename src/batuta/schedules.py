"""Timings and calendars of schedules, for `from batuta.schedules import every, business_days`."""

from __future__ import annotations

from batuta.authoring.timings import *  # noqa: F403
from batuta.authoring.timings import __all__ as __all__
