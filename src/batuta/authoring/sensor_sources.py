"""What sensors can look at without code of the user's: files, rows, answers of HTTP, runs, assets, signed requests.

Each is a sensor by itself (`rates = file_sensor("in/*.csv", name="rates", job=load, params={"path": "{path}"})`), or
stands above a function that is called for each thing seen, and says what to start.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from batuta.authoring.asset_definitions import key_of
from batuta.authoring.sensor import RunRequest as RunRequest
from batuta.authoring.sensor import SensorCode, job_name
from batuta.authoring.sensor import SensorContext as SensorContext
from batuta.authoring.sensor import Skip as Skip
from batuta.authoring.sensor import sensor as sensor
from batuta.core.sensor_specs import Answers, Assets, Files, Rows, Runs, Webhook

__all__ = [
    "RunRequest",
    "SensorContext",
    "Skip",
    "asset_sensor",
    "file_sensor",
    "http_sensor",
    "run_sensor",
    "sensor",
    "sql_sensor",
    "webhook_sensor",
]


def file_sensor(
    path: str | os.PathLike[str],
    *,
    changes: bool = True,
    bytes_min: int = 0,
    settled_s: float = 0.0,
    **options: Any,
) -> SensorCode:
    """New files, and with `changes` those that have changed: a path, a pattern (`in/*.csv`), a URL that fsspec reads.

    Each is `{"key", "path", "name", "size", "modified_at"}`. Relative paths are below the project's folder. A file that
    was written to less than `settled_s` seconds ago is left for later.
    """
    return SensorCode(source=Files(os.fspath(path), changes, bytes_min, settled_s), **options)


def sql_sensor(sql: str, *, connection: str, key: str, start: int | float | str = 0, **options: Any) -> SensorCode:
    """Rows of a query after those seen before: `:cursor` in it stands for the greatest `key` so far, `start` at first,
    as in `SELECT * FROM orders WHERE id > :cursor ORDER BY id`.

    Each is the row, with its `key`. `connection`: the name or URL of one.
    """
    return SensorCode(source=Rows(connection, sql, key, start), **options)


def http_sensor(
    url: str,
    *,
    method: str = "GET",
    statuses: Sequence[int] = (),
    headers: Mapping[str, str] | None = None,
    request_timeout_s: float = 30.0,
    **options: Any,
) -> SensorCode:
    """An answer that is good and another than before. It is `{"key", "url", "status", "body"}`, JSON as data.

    A header may be a secret: `{"Authorization": "Bearer {secret:api-token}"}`.
    """
    source = Answers(url, method.upper(), tuple(statuses), dict(headers or {}), request_timeout_s)
    return SensorCode(source=source, **options)


def run_sensor(
    jobs: Any = (), *, states: str | Sequence[str] = ("succeeded",), location: str = "", **options: Any
) -> SensorCode:
    """Runs of `jobs` (none: of any), of this or other locations, that end in one of `states`.

    Each is `{"key", "run_id", "job", "location", "state", "partition", "logical_at", "finished_at", "params"}`.
    """
    several = jobs if isinstance(jobs, (list, tuple)) else [jobs]
    names = tuple(job_name(job, "run_sensor") for job in several)
    wanted = (states,) if isinstance(states, str) else tuple(states)
    return SensorCode(source=Runs(names, wanted, location), **{"every_s": 1.0, **options})


def asset_sensor(on: Any, **options: Any) -> SensorCode:
    """Materializations of `on`: assets, or their keys, of this or other locations.

    Each is `{"key", "asset", "partition", "run_id", "at", "data_version"}`.
    """
    items = on if isinstance(on, (list, tuple)) else [on]
    keys = tuple(item if isinstance(item, str) else key_of(item, "asset_sensor") for item in items)
    return SensorCode(source=Assets(keys), **{"every_s": 1.0, **options})


def webhook_sensor(*, secret: str, **options: Any) -> SensorCode:
    """Requests to `/api/v1/webhooks/LOCATION/NAME` that are signed with the secret of that name.

    Each is `{"key", "body", "headers", "at"}`, `body` being JSON as data, or text.
    """
    return SensorCode(source=Webhook(secret), **{"every_s": 1.0, **options})
