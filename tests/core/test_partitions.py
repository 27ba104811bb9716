"""Partition definitions: constructors, validation, JSON, and which keys exist."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from batuta.core import partitions as p
from batuta.core.errors import DefinitionError, PartitionError

NOW = datetime(2025, 6, 15, 10, 30, tzinfo=UTC)
DAY = p.daily("2025-06-01")
REGION = p.static(["eu", "us", "asia"])
CUSTOMERS = p.dynamic("customers")
DYNAMIC = {"customers": ["acme", "zeta"]}


@pytest.mark.parametrize(
    ("definition", "now", "expected"),
    [
        (p.hourly("2025-06-15T07:00"), NOW, ["2025-06-15T07", "2025-06-15T08", "2025-06-15T09"]),
        (p.hourly("2025-06-15T07:00", minute=30), NOW, ["2025-06-15T07", "2025-06-15T08", "2025-06-15T09"]),
        (p.daily("2025-06-13"), NOW, ["2025-06-13", "2025-06-14"]),
        (p.daily("2025-06-13", hour=12), NOW, ["2025-06-13"]),
        (p.daily("2025-06-13T01:00"), NOW, ["2025-06-14"]),
        (p.daily("2025-06-13", end="2025-06-14"), NOW, ["2025-06-13"]),
        (p.daily("2025-06-13", end_offset=1), NOW, ["2025-06-13", "2025-06-14", "2025-06-15"]),
        (p.daily("2025-06-13", end_offset=-1), NOW, ["2025-06-13"]),
        (p.daily("2025-06-13", end_offset=-9), NOW, []),
        (p.daily("2025-06-13", end="2025-06-15", end_offset=9), NOW, ["2025-06-13", "2025-06-14"]),
        (p.daily("2026-01-01"), NOW, []),
        (p.weekly("2025-06-01"), NOW, ["2025-06-02"]),
        (p.weekly("2025-06-01", day=7), NOW, ["2025-06-01", "2025-06-08"]),
        (p.monthly("2025-04"), NOW, ["2025-04", "2025-05"]),
        (p.monthly("2025-04", day=15), NOW, ["2025-04", "2025-05"]),
        (p.monthly("2025-04", day=15, hour=11), NOW, ["2025-04"]),
        (p.daily(date(2025, 6, 14)), NOW, ["2025-06-14"]),
        (p.daily(datetime(2025, 6, 14, tzinfo=UTC)), NOW, ["2025-06-14"]),
        (REGION, NOW, ["eu", "us", "asia"]),
        (CUSTOMERS, NOW, ["acme", "zeta"]),
        (p.dynamic("others"), NOW, []),
    ],
)
def test_keys(definition: p.Partitions, now: datetime, expected: list[str]) -> None:
    p.validate(definition)
    assert p.keys(definition, now, DYNAMIC) == expected
    assert p.last_key(definition, now, DYNAMIC) == (expected[-1] if expected else None)


def test_a_day_ends_at_midnight_of_its_zone() -> None:
    madrid = p.daily("2025-06-13", timezone="Europe/Madrid")
    midnight = datetime(2025, 6, 14, 22, 0, tzinfo=UTC)
    assert p.keys(madrid, midnight)[-1] == "2025-06-14"
    assert p.keys(madrid, midnight - timedelta(microseconds=1))[-1] == "2025-06-13"


def test_keys_of_several_dimensions_are_ordered_by_their_names() -> None:
    multi = p.multi(region=REGION, day=p.daily("2025-06-14"), customer=CUSTOMERS)
    keys = p.keys(multi, NOW, DYNAMIC)
    assert len(keys) == 1 * 3 * 2
    assert keys[:2] == ["customer=acme|day=2025-06-14|region=eu", "customer=acme|day=2025-06-14|region=us"]
    assert p.last_key(multi, NOW, DYNAMIC) == keys[-1]
    assert p.last_key(multi, NOW) is None
    assert p.check_key(multi, "region=eu|day=2025-06-14|customer=acme", NOW, DYNAMIC) == keys[0]
    assert p.keys(p.decode(p.encode(multi)), NOW, DYNAMIC) == keys


def test_awkward_values_survive_in_keys_of_several_dimensions() -> None:
    parts = {"a": "x|y=z%7C", "b": "100%"}
    key = p.join_key(parts)
    assert key == "a=x%7Cy%3Dz%257C|b=100%25"
    assert p.split_key(key) == parts
    multi = p.multi(a=p.static([parts["a"]]), b=p.static([parts["b"]]))
    assert p.keys(multi, NOW) == [key]
    assert p.contains(multi, key, NOW)


@pytest.mark.parametrize("definition", [DAY, REGION, CUSTOMERS, p.multi(day=DAY, region=REGION, c=CUSTOMERS)])
def test_definitions_survive_json(definition: p.Partitions) -> None:
    assert p.decode(p.encode(definition)) == definition
    assert p.encode(p.decode(p.encode(definition))) == p.encode(definition)


def test_json_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        p.decode(b'{"type":"fortnightly"}')


def test_windows() -> None:
    window = p.window(p.weekly("2025-01-01", timezone="Europe/Madrid"), "2025-03-24")
    assert [moment.isoformat() for moment in window] == ["2025-03-24T00:00:00+01:00", "2025-03-31T00:00:00+02:00"]
    multi = p.multi(day=DAY, region=REGION)
    assert p.window(multi, "region=eu|day=2025-06-02") == p.window(DAY, "2025-06-02")
    assert p.key_at(p.monthly("2025-01"), NOW) == "2025-06"
    for definition, key in ((REGION, "eu"), (p.multi(a=DAY, b=DAY), "a=2025-06-02|b=2025-06-02")):
        with pytest.raises(PartitionError):
            p.window(definition, key)


@pytest.mark.parametrize(
    ("definition", "key", "what", "hint"),
    [
        (DAY, "2025-05-31", "the first one is '2025-06-01'", "from '2025-06-01' to '2025-06-14'"),
        (DAY, "2025-06-15", "does not exist yet", "end_offset=1"),
        (DAY, "2031-06-15", "does not exist yet", "ends at 2031-06-16T00:00+00:00"),
        (p.daily("2025-06-01", end="2025-06-10"), "2025-06-12", "the last one is '2025-06-09'", "to '2025-06-09'"),
        (p.daily("2026-01-01"), "2026-01-01", "there is none yet", "ends at 2026-01-02T00:00+00:00"),
        (DAY, "2025-6-1", "is not the key of daily", "like '2025-01-31'"),
        (DAY, "2025-02-30", "is not the key of daily", "like '2025-01-31'"),
        (DAY, "٢٠٢٥-06-01", "is not the key of daily", "like '2025-01-31'"),
        (DAY, "", "is not the key of daily", "like '2025-01-31'"),
        (p.hourly("2025-06-01"), "2025-06-01T24", "is not the key of hourly", "like '2025-01-31T05'"),
        (p.weekly("2025-01-01"), "2025-01-08", "not the first day of a week", "'2025-01-06'"),
        (p.monthly("2025-01"), "2025-13", "is not the key of monthly", "like '2025-01'"),
        (REGION, "asai", "does not exist", "'asia'"),
        (REGION, "mars", "does not exist", "there are 'eu', 'us', 'asia'"),
        (CUSTOMERS, "acne", "in dynamic partitions 'customers'", "'acme'"),
        (p.dynamic("others"), "x", "does not exist", "add one first"),
        (p.multi(day=DAY, region=REGION), "day=2025-06-01", "lacks region", "day=...|region=..."),
        (p.multi(day=DAY, region=REGION), "day=2025-06-01|regio=eu", "unknown dimension 'regio'", "'region'"),
        (p.multi(day=DAY, region=REGION), "day=2025-06-01|region=ue", "'ue' does not exist", "'eu'"),
        (p.multi(day=DAY, region=REGION), "2025-06-01", "has no '='", "day=2025-01-31|region=eu"),
        (p.multi(day=DAY), "day=2025-06-01|day=2025-06-02", "names 'day' twice", "day="),
    ],
)
def test_a_partition_that_does_not_exist(definition: p.Partitions, key: str, what: str, hint: str) -> None:
    with pytest.raises(PartitionError) as caught:
        p.check_key(definition, key, NOW, DYNAMIC, where="batuta.toml:3")
    assert what in caught.value.what
    assert hint in (caught.value.hint or "")
    assert str(caught.value).startswith("batuta.toml:3")
    assert not p.contains(definition, key, NOW, DYNAMIC)


@pytest.mark.parametrize(
    ("definition", "what", "hint"),
    [
        (p.daily("2025-13-01"), "start: '2025-13-01' is not an ISO date", "2025-01-31"),
        (p.daily("1066-10-14"), "start: the year of '1066-10-14'", None),
        (p.daily("2025-01-01", end="soon"), "end: 'soon' is not an ISO date", "2025-01-31"),
        (p.daily("2025-01-02", end="2025-01-02"), "is not after the start", "no longer counts"),
        (p.monthly("2025-01-02", end="2025-02-28"), "no monthly window", "2025-02-01T00:00+00:00"),
        (p.daily("2025-01-01", timezone="Europe/Madrit"), "unknown time zone 'Europe/Madrit'", "'Europe/Madrid'"),
        (p.daily("2025-01-01", hour=24), "hour=24 is out of range", "0 to 23"),
        (p.hourly("2025-01-01", minute=60), "minute=60 is out of range", "0 to 59"),
        (p.weekly("2025-01-01", day=0), "day=0 is out of range", "1 to 7"),
        (p.monthly("2025-01-01", day=31), "day=31 is out of range", "1 to 28"),
        (p.daily("2025-01-01", end_offset=10**9), "end_offset=1000000000 is out of range", None),
        (p.TimePartitions("hourly", "2025-01-01", hour=3), "hour=3 means nothing for hourly", "leave it out"),
        (p.TimePartitions("dayly", "2025-01-01"), "unknown cadence 'dayly'", "'daily'"),  # type: ignore[arg-type]
        (p.daily(20250101), "start is 20250101", "2025-01-31"),  # type: ignore[arg-type]
        (p.static([]), "without a key", "at least one"),
        (p.static(["a", "b", "a"]), "'a' is there twice", None),
        (p.static(["a", ""]), "'' is empty", None),
        (p.static([" a"]), "begins or ends with a space", None),
        (p.static(["a\nb"]), "cannot be printed", None),
        (p.static([1]), "1 is not a string", "write '1'"),  # type: ignore[list-item]
        (p.dynamic(" "), "need a name", "dynamic("),
        (p.multi(), "without a dimension", "multi(day="),
        (p.multi({"a b": DAY}), "'a b' cannot be the name", "underscores"),
        (p.multi(day=p.daily("x")), "start: 'x'", None),
        (p.multi(day=p.multi(x=DAY)), "has dimensions itself", "one multi"),  # type: ignore[arg-type]
        ("daily", "'daily' is not a definition", "daily(...)"),
    ],
)
def test_a_wrong_definition(definition: p.Partitions, what: str, hint: str | None) -> None:
    with pytest.raises(DefinitionError) as caught:
        p.validate(definition, "pipeline.py:7")
    assert what in caught.value.what
    assert hint is None or hint in (caught.value.hint or "")
    assert str(caught.value).startswith("pipeline.py:7")


def test_a_string_is_not_a_list_of_keys() -> None:
    with pytest.raises(DefinitionError, match="given as one string"):
        p.static("eu")


def test_a_naive_now_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no time zone"):
        p.keys(DAY, datetime(2025, 6, 15))  # noqa: DTZ001


def test_ten_years_of_hours_are_all_there() -> None:
    definition = p.hourly("2015-01-01", timezone="America/New_York")
    now = datetime(2026, 6, 1, tzinfo=UTC)
    keys = p.keys(definition, now)
    assert len(keys) == (now - p.window(definition, keys[0]).start) // timedelta(hours=1) > 100_000
