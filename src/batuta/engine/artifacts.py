"""Artifacts that steps hand over while they run: recorded with an event, as everything that is seen of a run.

Surprising: one of an attempt that is not its task run's current one is refused, so that what is shown is always of the
attempt that counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core import events as ev
from batuta.core.artifacts import COUNT_MAX, ArtifactGiven
from batuta.core.errors import RequestError
from batuta.engine.active import ActiveRun
from batuta.store.rows import ArtifactRow

if TYPE_CHECKING:
    from batuta.engine.engine import Engine

_json = msgspec.json.Encoder()


class Artifacts:
    """Takes the artifacts of all runs of one engine. All in the engine's thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def made(self, asker: ActiveRun, task: int, data: dict[str, Any]) -> None:
        """Record one. Raises RequestError."""
        try:
            given = msgspec.convert(data, ArtifactGiven)
        except msgspec.ValidationError as error:
            raise RequestError(f"that artifact cannot be recorded: {error}", where=f"run {asker.id}") from None
        active, no = self._owner(asker, task, given)
        names = active.artifact_names.setdefault(no, set())
        if given.name not in names and len(names) >= COUNT_MAX:
            raise RequestError(
                f"task run {active.run.task(no).key!r} has {COUNT_MAX:,} artifacts already",
                hint="use a name again: a later artifact takes the place of the former one of that name",
            )
        names.add(given.name)
        now = self._engine.now()
        self._engine.record(
            active,
            ev.ArtifactMade(
                at=now,
                task=no,
                attempt=given.attempt,
                name=given.name,
                kind=given.kind,
                title=given.title,
                media_type=given.media_type,
                size=given.size,
                progress=given.progress,
            ),
        )
        active.artifacts.append(
            ArtifactRow(
                run_id=active.id,
                task=no,
                name=given.name,
                kind=given.kind,
                title=given.title,
                media_type=given.media_type,
                size=given.size,
                progress=given.progress,
                content=None if given.content is None else _json.encode(given.content),
                attempt=given.attempt,
                job=active.row.job,
                location=active.row.location,
                at=now,
            )
        )

    def _owner(self, asker: ActiveRun, task: int, given: ArtifactGiven) -> tuple[ActiveRun, int]:
        """The run and the task run that it belongs to: the body of a nested flow speaks by its parent's request."""
        if given.run_id != asker.id:
            nested = self._engine.run_of(given.run_id)
            if nested is None or nested.row.parent_run is None or nested.body_host is None:
                raise RequestError(f"run {given.run_id} is not executed here", where=f"run {asker.id}")
            return nested, 0
        if asker.run.task(task).attempt != given.attempt:
            raise RequestError(f"attempt {given.attempt} of task run {asker.run.task(task).key!r} is not the last one")
        return asker, task
