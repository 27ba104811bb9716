"""A run as OpenLineage tells it: events of the run and of its steps that touched data, with the standard facets.

A run of Batuta is a run of the job of that name; a step is a job `JOB.STEP` below it, one run per task run. Datasets
are assets, by their key, in the namespace of the project; where a file or table is, stands in the facet `symlinks`.
Numbers of runs are made from the identity of the store, so what is told twice is the same. Surprising: steps that
touched no asset are not told of, unless they failed: they are no part of any lineage.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from batuta import __version__
from batuta.core.columns import ColumnLineage
from batuta.core.definitions import AssetSpec, JobSpec
from batuta.core.values import ErrorInfo
from batuta.runtime.masking import mask
from batuta.store.rows import CheckRow, MaterializationRow, RunRow, TaskRunRow

if TYPE_CHECKING:
    from openlineage.client.event_v2 import RunEvent

PRODUCER = f"urn:batuta:{__version__}"
ENDS = {"succeeded": "COMPLETE", "failed": "FAIL", "cancelled": "ABORT", "upstream_failed": "ABORT", "skipped": "ABORT"}


@dataclass(frozen=True)
class Told:
    """What is known of a finished run. `specs` are the assets that it touched, `lineages` their columns', by key;
    `above` is the job of the run that started it."""

    run: RunRow
    job: JobSpec | None
    tasks: list[TaskRunRow]
    made: list[MaterializationRow]
    checked: list[CheckRow]
    specs: Mapping[str, AssetSpec] = field(default_factory=dict)
    lineages: Mapping[str, ColumnLineage] = field(default_factory=dict)
    above: str = ""


class Teller:
    """Makes events. `scope` is the identity of the store, `namespace` that of jobs and datasets."""

    def __init__(self, scope: str, namespace: str) -> None:
        self._scope = scope
        self._namespace = namespace

    # ---- runs ----

    def started(self, run: RunRow, job: JobSpec | None, at: float, above: str = "") -> RunEvent:
        """That a run began; `above` is the job of the run that started it."""
        return self._event("START", at, self._run_of(run, above), self._job_of(run, job))

    def finished(self, told: Told) -> Iterator[RunEvent]:
        """What its steps did to data, and that the run has ended."""
        run = told.run
        for task in told.tasks:
            yield from self._step(told, task)
        error = self._error(run.error, "") if run.state == "failed" else None
        end = run.finished_at or run.created_at
        yield self._event(
            ENDS.get(run.state, "OTHER"),
            end,
            self._run_of(run, told.above, error),
            self._job_of(run, told.job),
            told=(),
            told_in=(),
        )

    def _step(self, told: Told, task: TaskRunRow) -> Iterator[RunEvent]:
        made = [row for row in told.made if row.task == task.no]
        checked = [row for row in told.checked if row.task == task.no]
        if not made and not checked and task.state != "failed":
            return
        run = told.run
        from openlineage.client.event_v2 import Run

        facets = self._facets_of_step(run)
        start = task.started_at or run.started_at or run.created_at
        job = self._step_job(told, task, [row.asset for row in made])
        number = self.run_id(run.id, task.no)
        yield self._event("START", start, Run(number, facets), job)
        if task.state == "failed" and task.error is not None:
            info = msgspec.json.decode(task.error, type=ErrorInfo)
            facets = {**facets, **(self._error(info.headline(), info.traceback) or {})}
        inputs = self._inputs(told, made, checked)
        outputs = [self._output(told, row, [one for one in checked if one.asset == row.asset]) for row in made]
        end = ENDS.get(task.state, "OTHER")
        yield self._event(end, task.finished_at or start, Run(number, facets), job, told=outputs, told_in=inputs)

    def run_id(self, run: int, task: int | None = None) -> str:
        """The number of a run, or of a task run, as a UUID."""
        name = f"batuta/{self._scope}/{run}" + ("" if task is None else f"/{task}")
        return str(uuid.uuid5(uuid.NAMESPACE_URL, name))

    def _event(
        self, kind: str, at: float, run: Any, job: Any, *, told: Iterable[Any] = (), told_in: Iterable[Any] = ()
    ) -> RunEvent:
        from openlineage.client.event_v2 import RunEvent, RunState

        return RunEvent(
            eventTime=iso(at),
            producer=PRODUCER,
            run=run,
            job=job,
            eventType=RunState[kind],
            inputs=list(told_in),
            outputs=list(told),
        )

    def _run_of(self, run: RunRow, above: str, more: dict[str, Any] | None = None) -> Any:
        from openlineage.client.event_v2 import Run
        from openlineage.client.facet_v2 import nominal_time_run, parent_run, processing_engine_run, tags_run

        facets: dict[str, Any] = {
            "processing_engine": processing_engine_run.ProcessingEngineRunFacet(__version__, "Batuta", __version__),
            **(more or {}),
        }
        if run.logical_at is not None:
            begin, end = run.interval_start or run.logical_at, run.interval_end
            facets["nominalTime"] = nominal_time_run.NominalTimeRunFacet(iso(begin), None if end is None else iso(end))
        if run.parent_run is not None and above:
            parent = parent_run.Run(self.run_id(run.parent_run))
            facets["parent"] = parent_run.ParentRunFacet(parent, parent_run.Job(self._namespace, above))
        if run.tags:
            tags = [tags_run.TagsRunFacetFields(key, value, "batuta") for key, value in run.tags.items()]
            facets["tags"] = tags_run.TagsRunFacet(tags)
        return Run(self.run_id(run.id), facets)

    def _facets_of_step(self, run: RunRow) -> dict[str, Any]:
        from openlineage.client.facet_v2 import parent_run

        above, job = parent_run.Run(self.run_id(run.id)), parent_run.Job(self._namespace, run.job)
        return {"parent": parent_run.ParentRunFacet(above, job)}

    def _error(self, message: str, stack: str) -> dict[str, Any]:
        from openlineage.client.facet_v2 import error_message_run

        return {"errorMessage": error_message_run.ErrorMessageRunFacet(mask(message), "python", mask(stack) or None)}

    # ---- jobs ----

    def _job_of(self, run: RunRow, job: JobSpec | None) -> Any:
        from openlineage.client.event_v2 import Job
        from openlineage.client.facet_v2 import documentation_job, job_type_job, ownership_job

        facets: dict[str, Any] = {"jobType": job_type_job.JobTypeJobFacet("BATCH", "BATUTA", run.kind.upper())}
        if job is not None and job.description:
            facets["documentation"] = documentation_job.DocumentationJobFacet(job.description)
        if job is not None and job.owners:
            facets["ownership"] = ownership_job.OwnershipJobFacet([ownership_job.Owner(name) for name in job.owners])
        if job is not None and job.place.file:
            facets["sourceCodeLocation"] = _location(job.place.file)
        return Job(self._namespace, run.job, facets)

    def _step_job(self, told: Told, task: TaskRunRow, assets: list[str]) -> Any:
        from openlineage.client.event_v2 import Job
        from openlineage.client.facet_v2 import job_type_job, ownership_job, sql_job

        facets: dict[str, Any] = {"jobType": job_type_job.JobTypeJobFacet("BATCH", "BATUTA", task.kind.upper())}
        spec = next((told.specs[key] for key in assets if key in told.specs), None)
        if spec is not None and spec.owners:
            facets["ownership"] = ownership_job.OwnershipJobFacet([ownership_job.Owner(name) for name in spec.owners])
        if spec is not None and spec.sql is not None:
            facets["sql"] = sql_job.SQLJobFacet(spec.sql.text, spec.sql.dialect)
        if spec is not None and spec.place.file:
            facets["sourceCodeLocation"] = _location(spec.place.file)
        return Job(self._namespace, f"{told.run.job}.{task.step}", facets)

    # ---- datasets ----

    def _inputs(self, told: Told, made: list[MaterializationRow], checked: list[CheckRow]) -> list[Any]:
        from openlineage.client.event_v2 import InputDataset

        written = {row.asset for row in made}
        read: dict[str, str] = {}
        for row in made:
            for name, version in msgspec.json.decode(row.inputs or b"{}").items():
                key = name if name in told.specs else name.rpartition("/")[0]
                read.setdefault(key or name, version)
        verdicts: dict[str, list[CheckRow]] = {}
        for one in checked:
            if one.asset not in written:
                verdicts.setdefault(one.asset, []).append(one)
        found = []
        for key in dict.fromkeys([*read, *verdicts]):
            facets = self._facets(told.specs.get(key), read.get(key, ""))
            inputs = {"dataQualityAssertions": _assertions(verdicts[key])} if key in verdicts else {}
            found.append(InputDataset(self._namespace, key, inputs, facets=facets))
        return found

    def _output(self, told: Told, row: MaterializationRow, checked: list[CheckRow]) -> Any:
        from openlineage.client.event_v2 import OutputDataset
        from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics
        from openlineage.client.facet_v2 import schema_dataset, symlinks_dataset

        metadata: dict[str, Any] = msgspec.json.decode(row.metadata or b"{}")
        spec = told.specs.get(row.asset)
        facets = self._facets(spec, row.data_version)
        columns = _columns(metadata)
        if columns:
            said = {column.name: column.description for column in spec.columns} if spec is not None else {}
            fields = [
                schema_dataset.SchemaDatasetFacetFields(name, kind, said.get(name) or None) for name, kind in columns
            ]
            facets["schema"] = schema_dataset.SchemaDatasetFacet(fields)
        if row.asset in told.lineages:
            facets["columnLineage"] = self._column_lineage(told.lineages[row.asset])
        if checked:
            facets["dataQualityAssertions"] = _assertions(checked)
        path = _text(metadata.get("path"))
        if path:
            kind, scheme = ("LOCATION", "file") if "://" not in path else ("LOCATION", path.partition("://")[0])
            identifier = symlinks_dataset.Identifier(scheme, path.partition("://")[2] or path, kind)
            facets["symlinks"] = symlinks_dataset.SymlinksDatasetFacet([identifier])
        rows, size = _whole(metadata.get("rows")), _whole(metadata.get("bytes"))
        outputs: dict[str, Any] = {}
        if rows is not None or size is not None:
            outputs["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(rows, size)
        return OutputDataset(self._namespace, row.asset, outputs, facets=facets)

    def _facets(self, spec: AssetSpec | None, version: str) -> dict[str, Any]:
        from openlineage.client.facet_v2 import (
            dataset_version_dataset,
            documentation_dataset,
            ownership_dataset,
            tags_dataset,
        )

        facets: dict[str, Any] = {}
        if version:
            facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(version)
        if spec is None:
            return facets
        if spec.description:
            facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(spec.description)
        if spec.owners:
            owners = [ownership_dataset.Owner(name) for name in spec.owners]
            facets["ownership"] = ownership_dataset.OwnershipDatasetFacet(owners)
        tags = {**spec.tags, **({"layer": spec.layer} if spec.layer else {})}
        if tags:
            made = [tags_dataset.TagsDatasetFacetFields(key, value, "batuta") for key, value in tags.items()]
            facets["tags"] = tags_dataset.TagsDatasetFacet(made)
        return facets

    def _column_lineage(self, lineage: ColumnLineage) -> Any:
        from openlineage.client.facet_v2 import column_lineage_dataset as facet

        def field_of(source: Any, direct: bool) -> Any:
            subtype = {"identity": "IDENTITY", "transformed": "TRANSFORMATION", "aggregated": "AGGREGATION"}
            other = {"filter": "FILTER", "join": "JOIN", "group": "GROUP_BY", "sort": "SORT", "window": "WINDOW"}
            how = facet.Transformation(
                "DIRECT" if direct else "INDIRECT", (subtype if direct else other).get(source.kind, "CONDITIONAL")
            )
            return facet.InputField(self._namespace, source.asset, source.column, [how])

        fields = {
            name: facet.Fields([field_of(source, True) for source in sources])
            for name, sources in lineage.columns.items()
            if name != "*"
        }
        return facet.ColumnLineageDatasetFacet(fields, [field_of(source, False) for source in lineage.rows])


def iso(at: float) -> str:
    """Seconds since 1970 as RFC 3339."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _location(file: str) -> Any:
    from openlineage.client.facet_v2 import source_code_location_job

    return source_code_location_job.SourceCodeLocationJobFacet("file", f"file:{quote(file)}", path=file)


def _assertions(rows: list[CheckRow]) -> Any:
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as facet

    return facet.DataQualityAssertionsDatasetFacet(
        [
            facet.Assertion(
                row.check,
                row.passed,
                severity="error" if row.blocking else "warn",
                description=mask(row.description) or None,
            )
            for row in rows
        ]
    )


def _columns(metadata: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and type of the columns that an IO manager has reported."""
    reported = metadata.get("columns")
    if isinstance(reported, Mapping):
        reported = reported.get("columns") or reported.get("value") or []
    found = []
    for one in reported if isinstance(reported, list) else []:
        if isinstance(one, Mapping) and "name" in one:
            found.append((str(one["name"]), str(one.get("type", ""))))
        elif isinstance(one, (list, tuple)) and len(one) >= 2:
            found.append((str(one[0]), str(one[1])))
    return found


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        value = value.get("path") or value.get("value")
    return value if isinstance(value, str) else ""


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
