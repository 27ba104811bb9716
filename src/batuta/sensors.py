"""Sensors, for `from batuta.sensors import sensor, RunRequest, file_sensor`."""

from __future__ import annotations

from typing import Any

from batuta.authoring.sensor_sources import *  # noqa: F403
from batuta.authoring.sensor_sources import __all__ as __all__


def __getattr__(name: str) -> Any:
    """What plugins bring. Raises PluginError for one that is broken."""
    from batuta import plugins

    return plugins.attribute("batuta.sensors", name, __name__)
