"""The one graph of all locations, as the API gives it: whole and compact, or around something."""

from __future__ import annotations

from batuta.core.external_lineage import LOCATION
from batuta.core.lineage import LineageNode as Node
from batuta.engine.external import rules_of
from batuta.server.backend import Backend
from batuta.server.catalog import Catalog
from batuta.server.shapes.lineage import LineageGraph, LineageNode


def jobs_of_assets(backend: Backend) -> dict[str, list[str]]:
    """The jobs that read or write each asset, or whose selection has it."""
    catalog = backend.catalog
    known: dict[str, list[str]] | None = getattr(catalog, "jobs_of_assets", None)
    if known is not None:
        return known
    found: dict[str, dict[str, None]] = {}
    for (_, name), job in catalog.jobs.items():
        keys = [key for step in (job.plan.steps if job.plan else ()) for key in (*step.reads, *step.writes)]
        if job.plan is None and job.selection:
            keys += _selected(catalog, job.selection)
        for key in keys:
            found.setdefault(key, {})[name] = None
    made = {key: list(names) for key, names in found.items()}
    catalog.jobs_of_assets = made  # type: ignore[attr-defined]
    return made


def _selected(catalog: Catalog, selection: str) -> list[str]:
    from batuta.core.errors import SelectionError

    try:
        return list(catalog.index.select(selection, lambda state: []))
    except SelectionError:
        return []


def graph_of(backend: Backend, keys: list[str] | None, locations: tuple[str, ...] | None) -> LineageGraph:
    """The graph, or these nodes of it, with how assets are, and how jobs elsewhere are."""
    catalog, external = backend.catalog, backend.external()
    lineage = backend.lineage() if keys is None else backend.lineage().only(keys)
    states = backend.asset_states().states
    now, lost_after_s = backend.clock(), rules_of(backend.project).lost_after_s
    nodes: list[LineageNode] = []
    places: dict[str, int] = {}
    for key, node in lineage.nodes.items():
        state = states.get(key)
        location = _location(catalog, node)
        if locations is not None and location not in locations:
            continue
        places[key] = len(nodes)
        last = None if state is None or state.last is None else state.last
        job = external.world.jobs[external.job_at[key]] if node.kind == "job" else None
        newest = None if job is None else job.newest
        nodes.append(
            LineageNode(
                id=key,
                kind=node.kind,
                label=node.label,
                layer=node.layer,
                group=node.group,
                job=node.job,
                location=location,
                external=node.external,
                state=job.state_at(now, lost_after_s) if job is not None else "" if state is None else state.state,
                kinds=[] if state is None else list(state.spec.kinds),
                partitions=None if state is None else state.partitions,
                counts={} if state is None else state.counts,
                checks_failed=0 if state is None else state.checks_failed,
                checks=0 if state is None else state.checks,
                materialized_at=newest.began_at if newest is not None else None if last is None else last.at,
                run=None if last is None else last.run_id,
                elsewhere=external.job_at.get(key) or next(iter(external.datasets_of.get(key, ())), ""),
            )
        )
    edges = [(places[up], places[down]) for up, down in lineage.edges if up in places and down in places]
    return LineageGraph(
        nodes=nodes,
        sources=[up for up, _ in edges],
        targets=[down for _, down in edges],
        layers=list(catalog.definitions.layers),
        version=_version(catalog),
    )


def _location(catalog: Catalog, node: Node) -> str:
    if node.kind in ("job", "dataset"):
        return LOCATION
    return catalog.location_of.get(node.id, "") or _job_location(catalog, node.job)


def _job_location(catalog: Catalog, job: str) -> str:
    locations = catalog.job_locations.get(job, [])
    return locations[0] if locations else ""


def _version(catalog: Catalog) -> str:
    return ",".join(f"{name}:{digest[:12]}" for name, digest in catalog.version)
