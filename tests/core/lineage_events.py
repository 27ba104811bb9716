"""OpenLineage events for tests, as a producer writes them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from batuta.core.openlineage import Event, read_event

NOW = 1_800_000_000.0
RUN = str(uuid.UUID(int=7))
PRODUCER = "https://spark.example/1.0"


def moment(at: float) -> str:
    """A time as the standard writes it."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def facet(**fields: Any) -> dict[str, Any]:
    """A facet with what every facet has."""
    return {"_producer": PRODUCER, "_schemaURL": "https://openlineage.io/spec/facets/1-0-0/Facet.json", **fields}


def dataset(name: str, namespace: str = "s3://lake", **facets: Any) -> dict[str, Any]:
    """A dataset with facets."""
    return {"namespace": namespace, "name": name, "facets": facets}


def schema(*names: str) -> dict[str, Any]:
    """The facet `schema`."""
    return facet(fields=[{"name": name, "type": "bigint"} for name in names])


def made_from(**columns: list[tuple[str, str, str]]) -> dict[str, Any]:
    """The facet `columnLineage`: by column the namespace, name and column of what it comes from."""
    fields = {
        name: {
            "inputFields": [
                {
                    "namespace": namespace,
                    "name": of,
                    "field": column,
                    "transformations": [{"type": "DIRECT", "subtype": "AGGREGATION"}],
                }
                for namespace, of, column in sources
            ]
        }
        for name, sources in columns.items()
    }
    return facet(fields=fields)


def run_event(
    kind: str | None = "START",
    at: float = NOW,
    *,
    run: str = RUN,
    name: str = "etl.daily",
    namespace: str = "spark",
    inputs: Sequence[dict[str, Any]] = (),
    outputs: Sequence[dict[str, Any]] = (),
    run_facets: dict[str, Any] | None = None,
    job_facets: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A RunEvent."""
    event: dict[str, Any] = {
        "eventTime": moment(at),
        "producer": PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run, "facets": run_facets or {}},
        "job": {"namespace": namespace, "name": name, "facets": job_facets or {}},
        "inputs": list(inputs),
        "outputs": list(outputs),
    }
    return event if kind is None else {**event, "eventType": kind}


def read(event: dict[str, Any], now: float = NOW) -> Event:
    """An event as it is read."""
    return read_event(json.dumps(event).encode(), now)
