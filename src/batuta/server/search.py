"""Finding anything by words: what is defined is looked through in memory, runs by number and by their list.

What has the words in its name comes before what has them in its text; a name that begins with them comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.shapes.operations import Found
from batuta.store.reports import RunFilter

RUNS_SHOWN = 5


def search(backend: Backend, who: Principal, text: str, kinds: Collection[str], limit: int) -> list[Found]:
    """The best first."""
    words = text.lower().split()
    if not words:
        return []
    ranked: list[tuple[int, int, str, Found]] = []
    for found, haystack in _all(backend, who):
        if kinds and found.kind not in kinds:
            continue
        title = found.title.lower()
        if not all(word in haystack for word in words):
            continue
        in_title = all(word in title for word in words)
        rank = 0 if title == text.lower() else 1 if title.startswith(words[0]) else 2 if in_title else 3
        ranked.append((rank, len(title), title, found))
    ranked.sort(key=lambda item: item[:3])
    items = [found for *_, found in ranked[:limit]]
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
    states = backend.asset_states().states
    for key, state in states.items():
        if who.may("viewer", state.location):
            spec = state.spec
            tags = " ".join((*spec.tags, *spec.owners, *spec.kinds, spec.layer, spec.group))
            tags += "".join(f" {column.name} {column.description}" for column in spec.columns)
            yield (
                _found("asset", key, key, spec.description, state.location, state.state),
                f"{key} {spec.description} {tags}".lower(),
            )
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
