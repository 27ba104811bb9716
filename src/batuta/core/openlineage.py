"""OpenLineage events as they come from others: read, checked, and in our own words.

Three kinds: of a run, of a job, of a dataset. What the standard demands of them is demanded here, and what is wrong is
said with the place in the event. Facets stay as they are, but for what is too large to keep. Surprising: a facet that
is not known is no error, and one that is broken costs itself only: the rest of the event counts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from batuta.core.errors import RequestError

NAMESPACE_CHARS = 1_000
NAME_CHARS = 2_000
FACET_BYTES_MAX = 64 << 10
"""A facet that is larger is left out, but for columns, which are read from it."""
FACETS_MAX = 100
FUTURE_S = 86_400.0
"""By so much the clock of a producer may be ahead: what is later would be the newest for ever."""
COLUMNS_MAX = 10_000

EventType = Literal["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]
Facets = dict[str, Any]

_SCHEMAS = ("schema", "columnLineage")
_encode = msgspec.json.Encoder(order="deterministic").encode


class EventError(RequestError):
    """An event is not as the standard has it. `pointer` is a JSON pointer to what is wrong."""

    def __init__(self, pointer: str, detail: str, *, is_json: bool = True) -> None:
        where = pointer or "the event"
        super().__init__(f"{where}: {detail}", hint="events are those of the OpenLineage specification, version 1 or 2")
        self.pointer = pointer
        self.detail = detail
        self.is_json = is_json


class Dataset(NamedTuple):
    """A dataset that an event names: its own facets, and those of it as an input or output."""

    namespace: str
    name: str
    facets: Facets
    io_facets: Facets

    @property
    def key(self) -> str:
        """See `key_of`."""
        return key_of(self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `kind`: what it is about; of a run and a job it has a job, of a run also a run's number."""

    kind: Literal["run", "job", "dataset"]
    at: float
    producer: str
    type: EventType = "OTHER"
    run_id: str = ""
    run_facets: Facets = field(default_factory=dict)
    namespace: str = ""
    name: str = ""
    job_facets: Facets = field(default_factory=dict)
    inputs: tuple[Dataset, ...] = ()
    outputs: tuple[Dataset, ...] = ()

    @property
    def job(self) -> str:
        """The key of the job; empty where it is about a dataset."""
        return key_of(self.namespace, self.name) if self.kind != "dataset" else ""


def key_of(namespace: str, name: str) -> str:
    """A short text that tells jobs (or datasets) apart: 32 hex digits."""
    return hashlib.blake2b(f"{namespace}\0{name}".encode(), digest_size=16).hexdigest()


# ---- as it comes ----


class _Dataset(msgspec.Struct):
    namespace: str
    name: str
    facets: dict[str, Any] | None = None
    inputFacets: dict[str, Any] | None = None
    outputFacets: dict[str, Any] | None = None


class _Job(msgspec.Struct):
    namespace: str
    name: str
    facets: dict[str, Any] | None = None


class _Run(msgspec.Struct):
    runId: str
    facets: dict[str, Any] | None = None


class _Event(msgspec.Struct):
    eventTime: datetime
    producer: str = ""
    eventType: EventType | None = None
    run: _Run | None = None
    job: _Job | None = None
    dataset: _Dataset | None = None
    inputs: list[_Dataset] | None = None
    outputs: list[_Dataset] | None = None


Named = TypeVar("Named", _Job, _Dataset)
_decoder = msgspec.json.Decoder(_Event)
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])


def read_event(body: bytes | msgspec.Raw, now: float) -> Event:
    """One event as JSON. Raises EventError."""
    try:
        found = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _not_valid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EventError("", f"it is no JSON: {error}", is_json=False) from None
    return _event(found, now)


def read_batch(body: bytes) -> list[msgspec.Raw]:
    """The events of a list, each still to be read. Raises EventError."""
    try:
        return _list_decoder.decode(body)
    except msgspec.ValidationError:
        raise EventError("", "it is no list of events") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise EventError("", f"it is no JSON: {error}", is_json=False) from None


def _not_valid(error: msgspec.ValidationError) -> EventError:
    """Its words, with the place as a JSON pointer."""
    text, _, place = str(error).partition(" - at `$")
    pointer = re.sub(r"\[(\w+|\.\.\.)\]", r".\1", place.rstrip("`")).replace(".", "/").replace("///", "*")
    missing = re.match(r"Object missing required field `(\w+)`", text)
    if missing:
        return EventError(f"{pointer}/{missing[1]}", "it is missing")
    return EventError(pointer, text[:1].lower() + text[1:])


def _event(found: _Event, now: float) -> Event:
    at = _seconds(found.eventTime)
    if at > now + FUTURE_S:
        raise EventError("/eventTime", "it is more than a day ahead of the clock here")
    producer = found.producer[:NAME_CHARS]
    if found.run is not None:
        if found.job is None:
            raise EventError("/job", "it is missing")
        job = _checked(found.job, "/job")
        return Event(
            "run",
            at,
            producer,
            found.eventType or "OTHER",
            _run_id(found.run.runId),
            kept(found.run.facets),
            job.namespace,
            job.name,
            kept(job.facets),
            _datasets(found.inputs, "/inputs"),
            _datasets(found.outputs, "/outputs"),
        )
    if found.eventType is not None:
        raise EventError("/run", "it is missing")
    if found.job is not None:
        job = _checked(found.job, "/job")
        return Event(
            "job",
            at,
            producer,
            namespace=job.namespace,
            name=job.name,
            job_facets=kept(job.facets),
            inputs=_datasets(found.inputs, "/inputs"),
            outputs=_datasets(found.outputs, "/outputs"),
        )
    if found.dataset is None:
        raise EventError("", "it has neither a run with a job, nor a job, nor a dataset")
    return Event("dataset", at, producer, outputs=_datasets([found.dataset], "/dataset"))


def _seconds(moment: datetime) -> float:
    """Seconds since 1970; a time without a zone is UTC."""
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _run_id(text: str) -> str:
    found = _uuid(text)
    if not found:
        raise EventError("/run/runId", f"{text[:100]!r} is no UUID")
    return found


_UUID = re.compile("-?".join(f"([0-9a-f]{{{digits}}})" for digits in (8, 4, 4, 4, 12)), re.ASCII)


def _uuid(text: str) -> str:
    """A UUID as it is written by all; empty where it is none."""
    found = _UUID.fullmatch(text.strip().lower())
    return "" if found is None else "-".join(found.groups())


def _checked(found: Named, pointer: str) -> Named:
    for part, most in (("namespace", NAMESPACE_CHARS), ("name", NAME_CHARS)):
        text: str = getattr(found, part)
        if not text.strip():
            raise EventError(f"{pointer}/{part}", "it is empty")
        if len(text) > most:
            raise EventError(f"{pointer}/{part}", f"it has {len(text):,} characters, more than {most:,}")
        if "\0" in text:
            raise EventError(f"{pointer}/{part}", "there is a NUL in it")
    return found


def _datasets(found: list[_Dataset] | None, pointer: str) -> tuple[Dataset, ...]:
    """Each dataset once; what is told of it twice counts as one."""
    named: dict[tuple[str, str], Dataset] = {}
    for place, one in enumerate(found or ()):
        _checked(one, f"{pointer}/{place}" if pointer != "/dataset" else pointer)
        io_facets = {**(one.inputFacets or {}), **(one.outputFacets or {})}
        before = named.get((one.namespace, one.name))
        facets = {**(before.facets if before else {}), **(one.facets or {})}
        io_facets = {**(before.io_facets if before else {}), **io_facets}
        named[one.namespace, one.name] = Dataset(one.namespace, one.name, facets, io_facets)
    return tuple(
        one._replace(facets=kept(one.facets, but=_SCHEMAS), io_facets=kept(one.io_facets)) for one in named.values()
    )


def kept(facets: Mapping[str, Any] | None, *, but: Iterable[str] = ()) -> Facets:
    """The facets that are worth keeping: objects, and none that is too large, except for those named in `but`."""
    found: Facets = {}
    for name, facet in (facets or {}).items():
        if not isinstance(facet, dict) or len(name) > 200 or len(found) >= FACETS_MAX:
            continue
        if name not in but and (size := len(_encode(facet))) > FACET_BYTES_MAX:
            facet = {"_left_out": f"it had {size:,} bytes; up to {FACET_BYTES_MAX:,} are kept"}
        found[name] = facet
    return found


# ---- what facets say ----


def text_of(facets: Mapping[str, Any], facet: str, field: str) -> str:
    """A text in a facet; empty where there is none."""
    value = facets.get(facet)
    found = value.get(field) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


def owners_of(facets: Mapping[str, Any]) -> list[str]:
    """The names in the facet `ownership`."""
    value = facets.get("ownership")
    listed = value.get("owners") if isinstance(value, dict) else None
    return [each["name"] for each in listed or () if isinstance(each, dict) and isinstance(each.get("name"), str)]


class Parent(NamedTuple):
    """What the facet `parent` says: the run and job that started this one; parts may be empty."""

    run_id: str
    namespace: str
    name: str


def parent_of(facets: Mapping[str, Any]) -> Parent | None:
    """The parent, where the facet names one as it should."""
    value = facets.get("parent")
    if not isinstance(value, dict):
        return None
    run, job = value.get("run"), value.get("job")
    number = run.get("runId") if isinstance(run, dict) else None
    names = [job.get(part) if isinstance(job, dict) else None for part in ("namespace", "name")]
    run_id = _uuid(number) if isinstance(number, str) else ""
    namespace, name = (each if isinstance(each, str) else "" for each in names)
    return Parent(run_id, namespace[:NAMESPACE_CHARS], name[:NAME_CHARS]) if run_id or name else None


def symlinks_of(facets: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The other names of a dataset: namespace and name of each."""
    value = facets.get("symlinks")
    listed = value.get("identifiers") if isinstance(value, dict) else None
    return [
        (each["namespace"], each["name"])
        for each in (listed if isinstance(listed, list) else ())[:100]
        if isinstance(each, dict) and isinstance(each.get("namespace"), str) and isinstance(each.get("name"), str)
    ]


def columns_of(facet: Any) -> list[tuple[str, str, str]] | None:
    """Name, type and description of each column in the facet `schema`; those within others are named `a.b`."""
    fields = facet.get("fields") if isinstance(facet, dict) else None
    if not isinstance(fields, list):
        return None
    found: list[tuple[str, str, str]] = []

    def add(fields: list[Any], above: str, depth: int) -> None:
        for one in fields:
            if not isinstance(one, dict) or not isinstance(one.get("name"), str) or len(found) >= COLUMNS_MAX:
                continue
            kind, said, within = one.get("type"), one.get("description"), one.get("fields")
            name = f"{above}{one['name']}"
            found.append((name, kind if isinstance(kind, str) else "", said if isinstance(said, str) else ""))
            if isinstance(within, list) and depth:
                add(within, f"{name}.", depth - 1)

    add(fields, "", 20)
    return found


class Source(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A column of a dataset and how it counts, in the words of `core.columns`."""

    namespace: str
    name: str
    column: str
    kind: str


class Lineage(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the facet `columnLineage` says: by column what its values come from; and what decides the rows."""

    columns: dict[str, tuple[Source, ...]] = {}
    rows: tuple[Source, ...] = ()


_DIRECT = {"IDENTITY": "identity", "TRANSFORMATION": "transformed", "AGGREGATION": "aggregated"}
_INDIRECT = {
    "FILTER": "filter",
    "CONDITIONAL": "filter",
    "JOIN": "join",
    "GROUP_BY": "group",
    "SORT": "sort",
    "WINDOW": "window",
}


def lineage_of(facet: Any) -> Lineage | None:
    """The facet `columnLineage` in our own words; None where it is no such facet."""
    fields = facet.get("fields") if isinstance(facet, dict) else None
    if not isinstance(fields, dict):
        return None
    columns: dict[str, tuple[Source, ...]] = {}
    rows: dict[Source, None] = {}
    for name, one in list(fields.items())[:COLUMNS_MAX]:
        direct: dict[Source, None] = {}
        said = one if isinstance(one, dict) else {}
        listed, whole = said.get("inputFields"), str(said.get("transformationType", ""))
        for each in listed if isinstance(listed, list) else ():
            for source, is_direct in _sources(each, whole):
                (direct if is_direct else rows)[source] = None
        columns[name] = tuple(direct)
    of_all = facet.get("dataset")
    for one in of_all if isinstance(of_all, list) else ():
        rows.update(dict.fromkeys(source for source, _ in _sources(one, "INDIRECT")))
    return Lineage(columns, tuple(rows))


def _sources(one: Any, whole: str) -> list[tuple[Source, bool]]:
    """What one entry of `inputFields` says, and whether the value itself comes from it."""
    if not isinstance(one, dict):
        return []
    parts = [one.get(part) for part in ("namespace", "name", "field")]
    if not all(isinstance(part, str) and part for part in parts):
        return []
    namespace, name, column = (str(part) for part in parts)
    listed = one.get("transformations")
    hows = [how for how in (listed if isinstance(listed, list) else ()) if isinstance(how, dict)]
    if not hows:
        kind = {"IDENTITY": "identity", "INDIRECT": "filter"}.get(whole.upper(), "transformed")
        return [(Source(namespace, name, column, kind), whole.upper() != "INDIRECT")]
    found = []
    for how in hows:
        kind, subtype = str(how.get("type", "")).upper(), str(how.get("subtype", "")).upper()
        is_direct = kind != "INDIRECT"
        word = _DIRECT.get(subtype, "transformed") if is_direct else _INDIRECT.get(subtype, "filter")
        found.append((Source(namespace, name, column, word), is_direct))
    return found
