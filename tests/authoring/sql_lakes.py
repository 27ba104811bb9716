"""What the tests of SQL assets share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from batuta.authoring.assets import asset
from batuta.authoring.partitions import daily
from batuta.core.errors import BatutaError
from tests.authoring.asset_runs import Lake

DAYS = daily("2025-01-01", end="2025-01-04")


ORDERS = pl.DataFrame({"id": [1, 2, 3], "who": [1, 2, 1], "cents": [100, 250, 400]})


def python(key: str, frame: pl.DataFrame, **more: Any) -> Any:
    @asset(key, **more)
    def made() -> pl.DataFrame:
        return frame

    return made


def lake(tmp_path: Path, *definitions: Any) -> Lake:
    return Lake(tmp_path / "data", definitions)


def rows(lake: Lake, key: str, *partitions: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = lake.value(key, *partitions, annotation=list[dict[str, Any]])
    return sorted(found, key=str)


def failed(lake: Lake, step: str) -> BatutaError:
    error = lake.errors[step]
    assert isinstance(error, BatutaError)
    return error
