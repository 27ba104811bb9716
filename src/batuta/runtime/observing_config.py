"""What batuta.toml says about looking at what runs unattended: logs of the service, traces, and what is forgotten."""

from __future__ import annotations

import os
from typing import Any, Literal

import msgspec

from batuta.core.durations import Seconds

DAY_S = 86_400
OTLP_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class LogConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the processes of the service log, on standard error. `json`: an object a line."""

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"


class TracesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where traces go, by OTLP over HTTP. Empty: where the OTEL_ variables of the environment say, or nowhere."""

    endpoint: str = ""
    headers: dict[str, str] = {}
    service_name: str = ""
    timeout_s: Seconds = Seconds(10)


def traces_wanted(config: TracesConfig) -> bool:
    """Whether traces are exported: where the configuration or the environment names a receiver, and none forbids it."""
    named = config.endpoint or any(os.environ.get(name) for name in OTLP_ENDPOINTS)
    off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return bool(named) and not off and os.environ.get("OTEL_TRACES_EXPORTER", "otlp") == "otlp"


class DatasetRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which asset datasets of others are.

    `*` in `namespace` and `name` is any text; in `asset` it is what that of `name` was.
    """

    namespace: str
    name: str
    asset: str


class OpenLineageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where lineage events go. Empty: where the OPENLINEAGE_ variables of the environment say, or nowhere.

    `transport` is that of the standard client (kafka, file, composite, ...), in place of `url`, `endpoint`, `api_key`.
    `namespace`: of jobs and datasets; the project's name if empty.

    Of what others send to us: `datasets` says which assets their datasets are, and a run elsewhere that does not end
    and of which nothing was heard for `lost_after` counts as lost.
    """

    url: str = ""
    endpoint: str = ""
    api_key: str = ""
    namespace: str = ""
    timeout_s: Seconds = Seconds(10)
    transport: dict[str, Any] = {}
    datasets: tuple[DatasetRule, ...] = ()
    lost_after: Seconds = Seconds(DAY_S)


class MetricsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a scheduler serves its metrics, beside the API's own /metrics. `port` None: nowhere."""

    port: int | None = None
    host: str = "127.0.0.1"


class RetentionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long what is kept; None: for ever. `logs` and `results` are the files of runs, which go with the run at last.

    `keep_runs`: never the newest so many of each job. `external`: runs elsewhere, and then their jobs and datasets.
    """

    runs: Seconds | None = None
    keep_runs: int = 0
    logs: Seconds | None = None
    results: Seconds | None = None
    ticks: Seconds | None = Seconds(30 * DAY_S)
    run_keys: Seconds | None = Seconds(365 * DAY_S)
    alerts: Seconds | None = Seconds(90 * DAY_S)
    audit: Seconds | None = None
    external: Seconds | None = Seconds(90 * DAY_S)
