"""Edges for all keys at once agree with the mapping key by key, in both directions and with plain clock comparison."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, assert_never

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batuta.core import partition_mapping as m
from batuta.core import partitions as p
from batuta.core.errors import DefinitionError
from batuta.core.partition_types import Cadence

NOW = datetime(2025, 11, 20, 10, 30, tzinfo=UTC)
ZONES = ["UTC", "America/New_York", "Australia/Lord_Howe", "Europe/Dublin"]
STARTS = {"hourly": "2025-11-02T00:00", "daily": "2025-11-05", "weekly": "2025-10-01", "monthly": "2025-07-01"}
ENDS = {"hourly": "2025-11-02T12:00", "daily": None, "weekly": None, "monthly": None}
LETTERS = ["a", "b", "c", "d"]
DYNAMIC = {"letters": ["d", "a"], "none": []}


@st.composite
def times(draw: st.DrawFn) -> p.TimePartitions:
    cadence: Cadence = draw(st.sampled_from(["hourly", "daily", "weekly", "monthly"]))
    start, end, zone = STARTS[cadence], ENDS[cadence], draw(st.sampled_from(ZONES))
    hour = 0 if cadence == "hourly" else draw(st.sampled_from([0, 0, 5]))
    return p.TimePartitions(cadence, start, end, zone, hour, end_offset=draw(st.sampled_from([0, 0, 1])))


letters = st.lists(st.sampled_from(LETTERS), min_size=1, unique=True).map(p.static)
dynamics = st.sampled_from(["letters", "none"]).map(p.dynamic)
singles = st.one_of(times(), letters, dynamics)
multis = st.dictionaries(st.sampled_from(["x", "y", "z"]), singles, min_size=1, max_size=3).map(p.multi)
definitions = st.one_of(singles, multis)
windows = st.tuples(st.integers(-3, 3), st.integers(0, 3)).map(lambda pair: m.TimeWindow(pair[0], pair[0] + pair[1]))


def keys_of(definition: p.SinglePartitions | None) -> list[str]:
    """Letters that may be keys of the definition."""
    if isinstance(definition, p.StaticPartitions):
        return list(definition.keys)
    return LETTERS if isinstance(definition, p.DynamicPartitions) else []


@st.composite
def fitting(draw: st.DrawFn, upstream: p.SinglePartitions, downstream: p.SinglePartitions | None) -> m.SingleMapping:
    """A mapping that can hold between the two."""
    choices: list[st.SearchStrategy[Any]] = [st.just(m.AllPartitions()), st.just(m.LastPartition())]
    ups, downs = keys_of(upstream), keys_of(downstream)
    if isinstance(upstream, p.TimePartitions) and isinstance(downstream, p.TimePartitions):
        choices += [windows, windows, windows]
    if ups:
        choices.append(st.lists(st.sampled_from(ups), min_size=1).map(m.SpecificPartitions))
    if ups and downs:
        listed = st.dictionaries(st.sampled_from(downs), st.lists(st.sampled_from(ups), max_size=3))
        choices += [st.just(m.Identity()), listed.map(m.StaticMapping)]
    mapping: m.SingleMapping = draw(st.one_of(choices))
    return mapping


@st.composite
def multi_mappings(draw: st.DrawFn, upstream: p.MultiPartitions, downstream: p.MultiPartitions) -> m.MultiMapping:
    dimensions: dict[str, m.SingleMapping] = {}
    renamed: dict[str, str] = {}
    for name, each in upstream.dimensions.items():
        source = draw(st.sampled_from(sorted(downstream.dimensions)))
        if source != name or draw(st.booleans()):
            renamed[name] = source
        if source != name or draw(st.booleans()):
            dimensions[name] = draw(fitting(each, downstream.dimensions[source]))
    return m.MultiMapping(dimensions, renamed)


@st.composite
def cases(draw: st.DrawFn) -> tuple[m.PartitionMapping | None, p.Partitions, p.Partitions | None]:
    """Any two definitions and a mapping between them that fits."""
    upstream: p.Partitions = draw(definitions)
    downstream: p.Partitions | None = draw(st.one_of(definitions, definitions, st.just(upstream), st.none()))
    mapping: m.PartitionMapping | None = None
    if draw(st.integers(0, 3)):  # else the default
        if isinstance(upstream, p.MultiPartitions) and isinstance(downstream, p.MultiPartitions):
            mapping = draw(multi_mappings(upstream, downstream))
        elif isinstance(upstream, p.MultiPartitions):
            name = draw(st.sampled_from(sorted(upstream.dimensions)))
            if not isinstance(downstream, p.MultiPartitions | None):
                mapping = m.MultiToSingle(name, draw(fitting(upstream.dimensions[name], downstream)))
        elif isinstance(downstream, p.MultiPartitions):
            name = draw(st.sampled_from(sorted(downstream.dimensions)))
            mapping = m.MultiToSingle(name, draw(fitting(upstream, downstream.dimensions[name])))
        else:
            single: m.SingleMapping = draw(fitting(upstream, downstream))
            mapping = single
    try:
        m.validate_mapping(mapping, upstream, downstream)
    except DefinitionError:  # no default between these two, or a dimension left to it
        mapping = m.AllPartitions() if draw(st.booleans()) else m.LastPartition()
    return mapping, upstream, downstream


def rows(edges: m.Edges, upstream: int, downstream: int) -> list[list[int]]:
    """The edges written out: for each downstream index the upstream indices."""
    match edges:
        case m.Aligned():
            assert upstream == downstream
            return [[i] for i in range(downstream)]
        case m.Every():
            return [list(range(upstream)) for _ in range(downstream)]
        case m.Explicit():
            return [list(row) for row in edges.indices]
        case _:
            assert_never(edges)


def some(data: st.DataObject, keys: list[str], count_max: int) -> list[str]:
    """Some of the keys, in order or not."""
    if len(keys) <= count_max and data.draw(st.booleans()):
        return keys
    chosen = data.draw(st.lists(st.sampled_from(keys), unique=True, max_size=count_max)) if keys else []
    return chosen if data.draw(st.booleans()) else [key for key in keys if key in chosen]


@settings(max_examples=300)
@given(cases(), st.data())
def test_edges_agree_with_the_mapping_of_each_key(
    case: tuple[m.PartitionMapping | None, p.Partitions, p.Partitions | None], data: st.DataObject
) -> None:
    mapping, upstream_def, downstream_def = case
    upstream = some(data, p.keys(upstream_def, NOW, DYNAMIC), 300)
    downstream = [] if downstream_def is None else some(data, p.keys(downstream_def, NOW, DYNAMIC), 60)
    edges = m.edges(mapping, upstream_def, upstream, downstream_def, downstream, NOW, DYNAMIC)
    keys = [None] if downstream_def is None else downstream
    place = {key: i for i, key in enumerate(upstream)}
    expected = []
    for key in keys:
        found = m.upstream_keys(mapping, upstream_def, downstream_def, key, NOW, DYNAMIC)
        assert len(set(found)) == len(found)
        expected.append(sorted(place[each] for each in found if each in place))
    assert rows(edges, len(upstream), len(keys)) == expected


@settings(max_examples=300)
@given(cases(), st.data())
def test_both_directions_agree(
    case: tuple[m.PartitionMapping | None, p.Partitions, p.Partitions | None], data: st.DataObject
) -> None:
    mapping, upstream_def, downstream_def = case
    upstream = p.keys(upstream_def, NOW, DYNAMIC)
    if downstream_def is None or not upstream:
        return
    downstream = p.keys(downstream_def, NOW, DYNAMIC)
    one = data.draw(st.sampled_from(upstream))
    needing = m.downstream_keys(mapping, upstream_def, downstream_def, one, NOW, DYNAMIC)
    assert [key for key in downstream if key in set(needing)] == needing
    for key in downstream[:6] + downstream[-6:] + needing[:6] + needing[-6:]:
        needs = m.upstream_keys(mapping, upstream_def, downstream_def, key, NOW, DYNAMIC)
        assert (one in needs) == (key in needing)


@given(times(), times(), st.data())
def test_windows_map_by_what_they_share(
    upstream_def: p.TimePartitions, downstream_def: p.TimePartitions, data: st.DataObject
) -> None:
    downstream = p.keys(downstream_def, NOW)
    i = data.draw(st.integers(0, len(downstream) - 1))
    first = data.draw(st.integers(-min(i, 3), 0))
    last = data.draw(st.integers(first, min(len(downstream) - 1 - i, 3)))
    start = p.window(downstream_def, downstream[i + first]).start.astimezone(UTC)
    end = p.window(downstream_def, downstream[i + last]).end.astimezone(UTC)
    expected = [
        key
        for key in p.keys(upstream_def, NOW)
        if p.window(upstream_def, key).start.astimezone(UTC) < end
        and p.window(upstream_def, key).end.astimezone(UTC) > start
    ]
    assert m.upstream_keys(m.TimeWindow(first, last), upstream_def, downstream_def, downstream[i], NOW) == expected


DAY = p.daily("2025-11-01")
MULTI = p.multi(day=DAY, letter=p.static(["a", "b"]))
DAYS = p.keys(DAY, NOW)
PAIRS = p.multi(one=p.static(["a", "b"]), two=p.static(["a", "b"]))
PAIR_KEYS = p.keys(PAIRS, NOW)
SWAPPED = m.MultiMapping(renamed={"one": "two", "two": "one"})


@pytest.mark.parametrize(
    ("mapping", "upstream_def", "upstream", "downstream_def", "downstream", "expected"),
    [
        (None, DAY, DAYS, DAY, DAYS, m.Aligned()),
        (None, p.daily("2025-10-01"), DAYS, DAY, DAYS, m.Aligned()),
        (m.TimeWindow(), DAY, DAYS, DAY, DAYS, m.Aligned()),
        (m.TimeWindow(-1, -1), DAY, DAYS[:3], DAY, DAYS[1:4], m.Aligned()),
        (None, MULTI, p.keys(MULTI, NOW), MULTI, p.keys(MULTI, NOW), m.Aligned()),
        (None, DAY, DAYS[:1], DAY, DAYS[:1], m.Aligned()),
        (None, DAY, DAYS[:2], DAY, DAYS[1::-1], m.Explicit(((1,), (0,)))),
        (None, DAY, DAYS[:2], DAY, DAYS[1:3], m.Explicit(((1,), ()))),
        (m.AllPartitions(), DAY, DAYS, DAY, DAYS, m.Every()),
        (m.TimeWindow(-99, 99), DAY, DAYS, DAY, DAYS, m.Every()),
        (None, DAY, DAYS[:5], p.monthly("2025-11"), ["2025-11"], m.Every()),
        (None, DAY, DAYS, None, [], m.Every()),
        (None, None, [], DAY, DAYS, m.Every()),
        (None, None, [], None, [], m.Every()),
        (m.LastPartition(), DAY, DAYS, None, [], m.Explicit(((len(DAYS) - 1,),))),
        (m.LastPartition(), DAY, DAYS[:3], DAY, DAYS[:2], m.Explicit(((), ()))),
        (m.LastPartition(), DAY, DAYS[-1:], None, [], m.Every()),
        (m.SpecificPartitions(DAYS[1:2]), DAY, DAYS[:3], None, [], m.Explicit(((1,),))),
        (SWAPPED, PAIRS, PAIR_KEYS, PAIRS, PAIR_KEYS, m.Explicit(((0,), (2,), (1,), (3,)))),
        (None, MULTI, p.keys(MULTI, NOW)[:4], DAY, DAYS[:2], m.Explicit(((0, 1), (2, 3)))),
    ],
)
def test_small_results_are_recognised(
    mapping: m.PartitionMapping | None,
    upstream_def: p.Partitions | None,
    upstream: list[str],
    downstream_def: p.Partitions | None,
    downstream: list[str],
    expected: m.Edges,
) -> None:
    assert m.edges(mapping, upstream_def, upstream, downstream_def, downstream, NOW) == expected


def _edges(mapping: m.PartitionMapping | None, upstream: p.Partitions, downstream: p.Partitions) -> m.Edges:
    return m.edges(mapping, upstream, p.keys(upstream, NOW), downstream, p.keys(downstream, NOW), NOW)


def test_ten_years_are_mapped_at_once() -> None:
    """Quadratic code would run into the time limit of tests here; the figures are in the module's benchmark."""
    ten_years = (NOW - timedelta(days=3650)).date()
    zone = "America/New_York"
    day, month = p.daily(ten_years, timezone=zone), p.monthly(ten_years, timezone=zone)
    hour = p.hourly(ten_years, timezone=zone)
    assert len(_explicit(_edges(None, day, month))) == len(p.keys(month, NOW))
    assert len(_explicit(_edges(m.TimeWindow(-6), day, day))) == len(p.keys(day, NOW))
    assert len(_explicit(_edges(None, hour, day))) == len(p.keys(day, NOW))
    twenty = p.static([str(i) for i in range(20)])
    assert len(_explicit(_edges(None, p.multi(day=day, part=twenty), day))) == len(p.keys(day, NOW))


def _explicit(edges: m.Edges) -> tuple[tuple[int, ...], ...]:
    assert isinstance(edges, m.Explicit)
    return edges.indices
