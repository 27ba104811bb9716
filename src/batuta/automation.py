"""When assets and jobs are run by themselves, for `from batuta.automation import Automation, Freshness, on_assets`."""

from __future__ import annotations

from batuta.authoring.asset_triggers import OnAssets, on_assets
from batuta.authoring.automation import Automation, Condition, Freshness
from batuta.core.asset_triggers import TriggeringEvent

__all__ = ["Automation", "Condition", "Freshness", "OnAssets", "TriggeringEvent", "on_assets"]
