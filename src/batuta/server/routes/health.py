"""`/health` (the server lives) and `/ready` (it can do its work), for probes: no login, and nothing worth hiding."""

from __future__ import annotations

from importlib.metadata import version

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from batuta.core.errors import StoreError
from batuta.server.access import PUBLIC
from batuta.server.backend import Backend
from batuta.server.shapes.health import Health, Ready, ReadyCheck

ALIVE_S = 30.0
"""A process that was not seen for so long is taken to be gone."""
SCHEDULES = ("up", "scheduler")


@get(
    "/health",
    operation_id="getHealth",
    summary="Whether the server lives",
    sync_to_thread=False,
    opt={"role": PUBLIC},
    tags=["operations"],
)
def health() -> Health:
    """Answered without looking at anything else."""
    return Health(status="ok", version=version("batuta"))


@get(
    "/ready",
    operation_id="getReady",
    summary="Whether the server can do its work",
    sync_to_thread=True,
    opt={"role": PUBLIC},
    tags=["operations"],
    responses={503: ResponseSpec(Ready, description="It cannot, and why.", generate_examples=False)},
)
def ready(backend: NamedDependency[Backend]) -> Response[Ready]:
    """503 where the store cannot be reached, its schema is not ours, or no scheduler lives."""
    checks = readiness(backend)
    ok = all(check.ok for check in checks)
    return Response(Ready(ready=ok, checks=checks), status_code=200 if ok else 503)


def readiness(backend: Backend) -> list[ReadyCheck]:
    """What the server needs."""
    from batuta.store import revisions

    try:
        found = backend.store.revision()
        alive = [each for each in backend.store.processes(backend.clock() - ALIVE_S) if each.kind in SCHEDULES]
    except StoreError as error:
        return [ReadyCheck(name="store", ok=False, detail=error.what)]
    schema = f"the schema is {found}" + ("" if found == revisions.NEWEST else f", not {revisions.NEWEST}")
    return [
        ReadyCheck(name="store", ok=True, detail=f"{backend.store.dialect} answers"),
        ReadyCheck(name="schema", ok=found == revisions.NEWEST, detail=schema),
        ReadyCheck(
            name="scheduler",
            ok=bool(alive),
            detail=f"{len(alive)} alive" if alive else "none: start one with `batuta scheduler` or `batuta up`",
        ),
    ]
