"""Partitions and the mappings between them, for `from batuta.partitions import daily, TimeWindow`."""

from __future__ import annotations

from batuta.authoring.partitions import *  # noqa: F403
from batuta.authoring.partitions import __all__ as __all__
