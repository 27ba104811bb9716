"""Finding anything by words (`core.finding`): what is defined is looked through in memory, runs by number and by their
list.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from batuta.core.finding import best
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.glossary import asset_texts, glossary_of
from batuta.server.shapes.operations import Found
from batuta.store.reports import RunFilter

RUNS_SHOWN = 5


def search(backend: Backend, who: Principal, text: str, kinds: Collection[str], limit: int) -> list[Found]:
    """The best first."""
    if not text.split():
        return []
    fit = ((found, found.title, about) for found, about in _all(backend, who) if not kinds or found.kind in kinds)
    items = best(fit, text, limit)
    if not kinds or "run" in kinds:
        items = _runs(backend, who, text.strip()) + items
    return items[:limit]


def _all(backend: Backend, who: Principal) -> Iterator[tuple[Found, str]]:
    """Everything that is defined, each with the text that is looked through."""
    catalog = backend.catalog
    for name, entry in catalog.locations.items():
        if who.may("viewer", name):
            yield _found("location", name, name, entry.error, name), name.lower()
    for (location, name), job in catalog.jobs.items():
        if who.may("viewer", location):
            about = f"{name} {job.description} {' '.join(job.tags)} {' '.join(job.owners)}".lower()
            yield _found("job", name, name, job.description, location, job.kind), about
    for (location, name), schedule in catalog.schedules.items():
        if who.may("viewer", location):
            yield _found("schedule", name, name, schedule.description, location), f"{name} {schedule.job}".lower()
    texts = asset_texts(backend)
    for key, state in backend.asset_states().states.items():
        if who.may("viewer", state.location):
            yield _found("asset", key, key, state.spec.description, state.location, state.state), texts[key]
    for name, term in glossary_of(backend).terms.items():
        yield _found("term", name, name, term.meaning, ""), f"{name} {term.meaning} {' '.join(term.names)}".lower()
    for check in catalog.definitions.checks:
        location = catalog.location_of.get(check.asset, "")
        if who.may("viewer", location):
            yield _found("check", check.key, check.key, check.description, location), check.key.lower()


def _found(kind: str, key: str, title: str, text: str, location: str, state: str = "") -> Found:
    first = text.strip().partition("\n")[0][:200]
    return Found(kind=kind, id=key, title=title, text=first, location=location, state=state)  # type: ignore[arg-type]


def _runs(backend: Backend, who: Principal, text: str) -> list[Found]:
    rows = []
    if text.lstrip("#").isdecimal() and len(text) < 18:
        row = backend.store.run(int(text.lstrip("#")))
        rows = [row] if row is not None else []
    elif text in backend.catalog.job_locations:
        rows = backend.store.reports.runs(RunFilter(jobs=(text,)), limit=RUNS_SHOWN)
    return [
        _found("run", str(row.id), f"{row.job} #{row.id}", row.error, row.location, row.state)
        for row in rows
        if who.may("viewer", row.location)
    ]
