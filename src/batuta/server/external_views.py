"""Jobs, runs and datasets elsewhere as the API gives them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from batuta.core.external_jobs import Dates, ExternalRun, columns_in, shown, values
from batuta.core.external_lineage import External
from batuta.core.openlineage import owners_of, parent_of, text_of
from batuta.engine.external import rules_of
from batuta.runtime.masking import mask
from batuta.server.backend import Backend
from batuta.server.problems import NotFound
from batuta.server.shapes import external as shapes
from batuta.server.shapes.base import at, at_or_none

CHILDREN_MAX = 100
UNKNOWN = "-"
"""In place of the names of a job that is not known (any more)."""


class Views:
    """Makes them, as things are at one time."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._external: External = backend.external()
        self._now = backend.clock()
        self._lost_after_s = rules_of(backend.project).lost_after_s
        self._reads: dict[str, list[str]] = {}
        self._writes: dict[str, list[str]] = {}
        for job, direction, dataset in self._external.world.edges:
            (self._reads if direction == "in" else self._writes).setdefault(job, []).append(dataset)

    # ---- jobs ----

    def jobs(self) -> list[shapes.ExternalJob]:
        """All jobs."""
        return [self.job(key) for key in self._external.world.jobs]

    def job(self, key: str) -> shapes.ExternalJob:
        """A job. Raises NotFound."""
        return shapes.ExternalJob(**self._job(key))

    def job_detail(self, key: str) -> shapes.ExternalJobDetail:
        """A job with its datasets. Raises NotFound."""
        found = self._job(key)
        job = self._external.world.jobs[key]
        return shapes.ExternalJobDetail(
            **found,
            first_at=at(job.first_at),
            states=self._backend.store.external.states(key),
            inputs=self._links({one: {} for one in self._reads.get(key, ())}),
            outputs=self._links({one: {} for one in self._writes.get(key, ())}),
            facets=shown(job.facets),
        )

    def _job(self, key: str) -> dict[str, Any]:
        job = self._external.world.jobs.get(key)
        if job is None:
            raise NotFound(
                f"there is no job elsewhere with the key {key!r}", hint="GET /api/v1/lineage/jobs lists them"
            )
        facets = values(job.facets)
        kind = [text_of(facets, "jobType", part) for part in ("integration", "jobType")]
        return {
            "key": key,
            "namespace": job.namespace,
            "name": job.name,
            "node": self._external.node_of_job[key],
            "type": " ".join(filter(None, kind)),
            "description": text_of(facets, "documentation", "description"),
            "owners": owners_of(facets),
            "producer": job.producer.value,
            "state": job.state_at(self._now, self._lost_after_s),
            "run": "" if job.newest is None else job.newest.run,
            "run_at": None if job.newest is None else at(job.newest.began_at),
            "last_at": at(job.last_at),
            "reads": len(self._reads.get(key, ())),
            "writes": len(self._writes.get(key, ())),
        }

    # ---- runs ----

    def run(self, run: ExternalRun) -> shapes.ExternalRun:
        """A run."""
        return shapes.ExternalRun(**self._run(run))

    def run_detail(self, number: str) -> shapes.ExternalRunDetail:
        """A run with what it read and wrote, and what started it. Raises NotFound."""
        store = self._backend.store.external
        run = store.runs_of([number]).get(number)
        if run is None:
            raise NotFound(f"there is no run elsewhere {number!r}", hint="GET /api/v1/lineage/runs lists them")
        facets = values(run.facets)
        return shapes.ExternalRunDetail(
            **self._run(run),
            nominal_at=text_of(facets, "nominalTime", "nominalStartTime"),
            traceback=mask(text_of(facets, "errorMessage", "stackTrace")),
            parent=self._parent(run),
            children=[self.run(one) for one in store.runs(parent=run.id, limit=CHILDREN_MAX)],
            inputs=self._links(run.inputs),
            outputs=self._links(run.outputs),
            facets=shown(run.facets),
        )

    def _run(self, run: ExternalRun) -> dict[str, Any]:
        job = self._external.world.jobs.get(run.job)
        return {
            "id": run.id,
            "job": run.job,
            "namespace": UNKNOWN if job is None else job.namespace,
            "name": UNKNOWN if job is None else job.name,
            "state": run.state_at(self._now, self._lost_after_s),
            "began_at": at(run.began_at),
            "ended_at": at_or_none(run.ended_at),
            "last_at": at(run.last_at),
            "producer": run.producer.value,
            "error": mask(text_of(values(run.facets), "errorMessage", "message")),
        }

    def _parent(self, run: ExternalRun) -> shapes.ExternalParent | None:
        found = parent_of(values(run.facets))
        if found is None:
            return None
        known = bool(found.run_id and self._backend.store.external.runs_of([found.run_id]))
        return shapes.ExternalParent(run=found.run_id, namespace=found.namespace, name=found.name, is_known=known)

    # ---- datasets ----

    def dataset(self, key: str) -> shapes.ExternalDataset:
        """A dataset. Raises NotFound."""
        dataset = self._external.world.datasets.get(key)
        if dataset is None:
            raise NotFound(f"there is no dataset elsewhere with the key {key!r}", hint="GET /api/v1/lineage names them")
        facets, asset = values(dataset.facets), self._external.assets[key]
        same = {key, *self._external.datasets_of[asset]}
        return shapes.ExternalDataset(
            key=key,
            namespace=dataset.namespace,
            name=dataset.name,
            asset=asset,
            defined=asset in self._backend.catalog.index.assets,
            description=text_of(facets, "documentation", "description"),
            owners=owners_of(facets),
            first_at=at(dataset.first_at),
            last_at=at(dataset.last_at),
            columns=[
                shapes.ExternalColumn(name=name, type=kind, description=said)
                for name, kind, said in columns_in(dataset)
            ],
            writers=self._touching(self._writes, same),
            readers=self._touching(self._reads, same),
            facets=shown(dataset.facets),
        )

    def _touching(self, edges: Mapping[str, Iterable[str]], datasets: set[str]) -> list[shapes.ExternalJob]:
        jobs = self._external.world.jobs
        return [self.job(key) for key, touched in edges.items() if key in jobs and not datasets.isdisjoint(touched)]

    def _links(self, touched: Mapping[str, Dates]) -> list[shapes.ExternalDatasetLink]:
        found = []
        for key, facets in touched.items():
            dataset = self._external.world.datasets.get(key)
            if dataset is not None:
                statistics = values(facets).get("outputStatistics") or {}
                found.append(
                    shapes.ExternalDatasetLink(
                        key=key,
                        namespace=dataset.namespace,
                        name=dataset.name,
                        asset=self._external.assets[key],
                        rows=_whole(statistics.get("rowCount")),
                        bytes=_whole(statistics.get("size")),
                    )
                )
        return found


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None
