"""Partition mappings: what each kind means, the defaults, and errors."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from batuta.core import partition_mapping as m
from batuta.core import partitions as p
from batuta.core.errors import DefinitionError, PartitionError

NOW = datetime(2025, 6, 15, 10, 30, tzinfo=UTC)
DAY = p.daily("2025-01-01")
MADRID = p.daily("2025-01-01", timezone="Europe/Madrid")
HOUR = p.hourly("2025-01-01", timezone="Europe/Madrid")
WEEK = p.weekly("2025-01-01")
MONTH = p.monthly("2025-01-01")
REGION = p.static(["eu", "us", "asia"])
COUNTRY = p.static(["es", "fr", "jp"])
CUSTOMERS = p.dynamic("customers")
MULTI = p.multi(day=DAY, region=REGION)
DYNAMIC = {"customers": ["acme", "zeta"]}
LEGS = p.multi({"from": DAY, "to": DAY})
ROUND_TRIP = m.MultiMapping(renamed={"to": "day", "from": "day"})
LANDS = m.StaticMapping({"eu": ["es", "fr"], "asia": "jp"})


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream", "key", "expected"),
    [
        (None, DAY, DAY, "2025-01-05", ["2025-01-05"]),
        (None, DAY, p.daily("2024-01-01"), "2025-01-05", ["2025-01-05"]),
        (None, MADRID, DAY, "2025-01-05", ["2025-01-05", "2025-01-06"]),
        (None, MADRID, DAY, "2025-01-01", ["2025-01-01", "2025-01-02"]),
        (None, DAY, WEEK, "2025-01-06", [f"2025-01-{day:02d}" for day in range(6, 13)]),
        (None, DAY, MONTH, "2025-02", [f"2025-02-{day:02d}" for day in range(1, 29)]),
        (None, MONTH, DAY, "2025-02-03", ["2025-02"]),
        (None, MONTH, WEEK, "2025-01-27", ["2025-01", "2025-02"]),
        (None, REGION, REGION, "us", ["us"]),
        (None, REGION, p.static(["us"]), "us", ["us"]),
        (None, CUSTOMERS, CUSTOMERS, "acme", ["acme"]),
        (None, DAY, None, None, p.keys(DAY, NOW)),
        (None, None, DAY, "2025-01-05", []),
        (None, None, None, None, []),
        (None, MULTI, DAY, "2025-01-05", [f"day=2025-01-05|region={region}" for region in REGION.keys]),
        (None, DAY, MULTI, "day=2025-01-05|region=us", ["2025-01-05"]),
        (None, MONTH, MULTI, "region=us|day=2025-01-05", ["2025-01"]),
        (None, MULTI, REGION, "us", [f"day={day}|region=us" for day in p.keys(DAY, NOW)]),
        (None, MULTI, MULTI, "region=us|day=2025-01-05", ["day=2025-01-05|region=us"]),
        (None, MULTI, p.multi(day=MADRID, c=CUSTOMERS), "c=acme|day=2025-06-14", [f"day={day}|region={r}" for day in ("2025-06-13", "2025-06-14") for r in REGION.keys]),  # noqa: E501
        (None, p.multi(a=DAY, b=DAY), p.multi(a=DAY), "a=2025-06-14", [f"a=2025-06-14|b={day}" for day in p.keys(DAY, NOW)]),  # noqa: E501
        (m.Identity(), REGION, p.static(["eu", "mars"]), "eu", ["eu"]),
        (m.AllPartitions(), REGION, DAY, "2025-01-05", ["eu", "us", "asia"]),
        (m.LastPartition(), DAY, DAY, "2025-01-05", ["2025-06-14"]),
        (m.LastPartition(), DAY, None, None, ["2025-06-14"]),
        (m.LastPartition(), CUSTOMERS, DAY, "2025-01-05", ["zeta"]),
        (m.LastPartition(), MULTI, None, None, ["day=2025-06-14|region=asia"]),
        (m.LastPartition(), p.daily("2026-01-01"), None, None, []),
        (m.SpecificPartitions(["us", "eu"]), REGION, DAY, "2025-01-05", ["us", "eu"]),
        (m.SpecificPartitions("us"), REGION, None, None, ["us"]),
        (m.SpecificPartitions(["region=us|day=2025-01-05"]), MULTI, None, None, ["day=2025-01-05|region=us"]),
        (m.TimeWindow(-1, -1), DAY, DAY, "2025-01-05", ["2025-01-04"]),
        (m.TimeWindow(-2), DAY, DAY, "2025-01-05", ["2025-01-03", "2025-01-04", "2025-01-05"]),
        (m.TimeWindow(-1, -1), DAY, MONTH, "2025-03", [f"2025-02-{day:02d}" for day in range(1, 29)]),
        (m.TimeWindow(end_offset=1), WEEK, WEEK, "2025-01-06", ["2025-01-06", "2025-01-13"]),
        (m.TimeWindow(-1, -1), HOUR, HOUR, "2025-03-30T03", ["2025-03-30T01"]),
        (LANDS, COUNTRY, REGION, "eu", ["es", "fr"]),
        (LANDS, COUNTRY, REGION, "asia", ["jp"]),
        (LANDS, COUNTRY, REGION, "us", []),
        (m.StaticMapping({"region=eu|day=2025-01-05": "es"}), COUNTRY, MULTI, "day=2025-01-05|region=eu", ["es"]),
        (m.MultiToSingle("day"), MULTI, DAY, "2025-01-05", [f"day=2025-01-05|region={r}" for r in REGION.keys]),
        (m.MultiToSingle("day", m.TimeWindow(-1, -1)), DAY, MULTI, "day=2025-01-05|region=eu", ["2025-01-04"]),
        (m.MultiToSingle("region", LANDS), p.multi(region=COUNTRY), REGION, "eu", ["region=es", "region=fr"]),
        (m.MultiToSingle("b"), p.multi(a=DAY, b=DAY), DAY, "2025-06-14", [f"a={day}|b=2025-06-14" for day in p.keys(DAY, NOW)]),  # noqa: E501
        (m.MultiMapping({"day": m.TimeWindow(-1, -1)}), MULTI, MULTI, "day=2025-01-05|region=us", ["day=2025-01-04|region=us"]),  # noqa: E501
        (m.MultiMapping({"region": m.AllPartitions()}), MULTI, MULTI, "day=2025-01-05|region=us", [f"day=2025-01-05|region={r}" for r in REGION.keys]),  # noqa: E501
        (m.MultiMapping({"day": m.LastPartition()}), MULTI, MULTI, "day=2025-01-05|region=us", ["day=2025-06-14|region=us"]),  # noqa: E501
        (m.MultiMapping(renamed={"day": "date"}), p.multi(day=DAY), p.multi(date=DAY), "date=2025-01-05", ["day=2025-01-05"]),  # noqa: E501
        (ROUND_TRIP, LEGS, p.multi(day=DAY), "day=2025-01-05", ["from=2025-01-05|to=2025-01-05"]),
    ],
)  # fmt: skip
def test_upstream_keys(
    mapping: m.PartitionMapping | None,
    upstream: p.Partitions | None,
    downstream: p.Partitions | None,
    key: str | None,
    expected: list[str],
) -> None:
    m.validate_mapping(mapping, upstream, downstream)
    assert m.upstream_keys(mapping, upstream, downstream, key, NOW, DYNAMIC) == expected


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream", "key", "keys", "missing"),
    [
        (m.TimeWindow(-2), DAY, DAY, "2025-01-02", ["2025-01-01", "2025-01-02"], ["2024-12-31"]),
        (
            None,
            DAY,
            MONTH,
            "2025-06",
            [f"2025-06-{d:02d}" for d in range(1, 15)],
            [f"2025-06-{d}" for d in range(15, 31)],
        ),
        (None, DAY, p.daily("2024-01-01"), "2024-06-01", [], ["2024-06-01"]),
        (m.Identity(), REGION, p.static(["mars"]), "mars", [], ["mars"]),
        (m.SpecificPartitions(["zeta", "gone", "gone"]), CUSTOMERS, None, None, ["zeta"], ["gone"]),
        (
            m.MultiMapping({"day": m.TimeWindow(-1)}),
            MULTI,
            MULTI,
            "day=2025-01-01|region=us",
            ["day=2025-01-01|region=us"],
            ["day=2024-12-31|region=us"],
        ),
    ],
)
def test_what_is_missing_is_told(
    mapping: m.PartitionMapping | None,
    upstream: p.Partitions,
    downstream: p.Partitions | None,
    key: str | None,
    keys: list[str],
    missing: list[str],
) -> None:
    assert m.needed(mapping, upstream, downstream, key, NOW, DYNAMIC) == m.Needed(keys, missing)


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream", "key", "expected"),
    [
        (None, DAY, MONTH, "2025-02-03", ["2025-02"]),
        (None, DAY, MONTH, "2025-06-03", []),
        (None, MONTH, DAY, "2025-02", [f"2025-02-{day:02d}" for day in range(1, 29)]),
        (None, HOUR, MADRID, "2025-03-30T03", ["2025-03-30"]),
        (None, DAY, None, "2025-02-03", []),
        (None, None, REGION, None, ["eu", "us", "asia"]),
        (None, DAY, MULTI, "2025-02-03", [f"day=2025-02-03|region={region}" for region in REGION.keys]),
        (None, MULTI, DAY, "region=us|day=2025-02-03", ["2025-02-03"]),
        (m.TimeWindow(-1, -1), DAY, DAY, "2025-02-03", ["2025-02-04"]),
        (m.TimeWindow(-1, -1), DAY, DAY, "2025-06-14", []),
        (m.LastPartition(), DAY, REGION, "2025-06-14", ["eu", "us", "asia"]),
        (m.LastPartition(), DAY, REGION, "2025-06-13", []),
        (m.AllPartitions(), REGION, CUSTOMERS, "eu", ["acme", "zeta"]),
        (m.SpecificPartitions(["eu"]), REGION, CUSTOMERS, "eu", ["acme", "zeta"]),
        (m.SpecificPartitions(["eu"]), REGION, CUSTOMERS, "us", []),
        (LANDS, COUNTRY, REGION, "fr", ["eu"]),
        (None, DAY, DAY, "2031-01-01", []),
        (ROUND_TRIP, LEGS, p.multi(day=DAY), "from=2025-01-05|to=2025-01-05", ["day=2025-01-05"]),
        (ROUND_TRIP, LEGS, p.multi(day=DAY), "from=2025-01-05|to=2025-01-06", []),
    ],
)
def test_downstream_keys(
    mapping: m.PartitionMapping | None,
    upstream: p.Partitions | None,
    downstream: p.Partitions | None,
    key: str | None,
    expected: list[str],
) -> None:
    assert m.downstream_keys(mapping, upstream, downstream, key, NOW, DYNAMIC) == expected


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream", "what", "hint"),
    [
        (None, REGION, DAY, "no default mapping from static to daily (UTC)", "AllPartitions"),
        (None, REGION, CUSTOMERS, "no default mapping from static to dynamic 'customers'", "AllPartitions"),
        (None, CUSTOMERS, p.dynamic("x"), "no default mapping from dynamic 'customers' to dynamic 'x'", None),
        (None, REGION, p.static(["eu", "mars"]), "upstream has no partition 'mars'", "StaticMapping"),
        (None, MULTI, CUSTOMERS, "no default mapping from multi (day, region) to dynamic", None),
        (None, p.multi(a=DAY, b=DAY), DAY, "no default mapping from multi (a, b) to daily", None),
        (None, MULTI, p.multi(c=CUSTOMERS), "no default mapping from multi (day, region) to multi (c)", None),
        (None, p.multi(a=DAY), p.multi(a=REGION), "no default mapping from daily (UTC) to static", None),
        (m.Identity(), DAY, MONTH, "Identity between daily (UTC) and monthly (UTC)", "TimeWindow"),
        (m.Identity(), DAY, MADRID, "Identity between daily (UTC) and daily (Europe/Madrid)", "TimeWindow"),
        (m.Identity(), DAY, REGION, "Identity between partitions of time and others", None),
        (m.Identity(), MULTI, DAY, "the same dimensions", "MultiToSingle"),
        (m.Identity(), DAY, None, "downstream is not partitioned", "AllPartitions"),
        (m.Identity(), None, DAY, "upstream is not partitioned", "leave the mapping out"),
        (m.TimeWindow(), REGION, DAY, "partitions of time on both sides", None),
        (m.TimeWindow(), MULTI, MULTI, "TimeWindow is for one dimension", "MultiMapping"),
        (m.TimeWindow(1, 0), DAY, DAY, "TimeWindow(1, 0) holds no time", "start_offset"),
        (m.TimeWindow(-(10**9)), DAY, DAY, "reaches too far", "at most"),
        (m.StaticMapping({"eu": "sp"}), COUNTRY, REGION, "no upstream partition 'sp'", "'es'"),
        (m.StaticMapping({"ue": "es"}), COUNTRY, REGION, "no downstream partition 'ue'", "'eu'"),
        (m.StaticMapping({"eu": "es"}), p.multi(c=COUNTRY), None, "downstream is not partitioned", "AllPartitions"),
        (m.StaticMapping({"eu": "es"}), COUNTRY, None, "downstream is not partitioned", "AllPartitions"),
        (m.SpecificPartitions([]), REGION, DAY, "without a key", "at least one"),
        (m.SpecificPartitions(["x"]), REGION, DAY, "no upstream partition 'x'", "there are 'eu'"),
        (m.SpecificPartitions(["x"]), DAY, REGION, "'x' is not the key of daily", "like '2025-01-31'"),
        (m.SpecificPartitions(["day=2025-01-01"]), MULTI, None, "lacks region", None),
        (m.SpecificPartitions(["day=2025-01-01|region=x"]), MULTI, None, "no upstream partition 'x'", None),
        (m.MultiToSingle("dya"), MULTI, DAY, "no dimension 'dya'", "'day'"),
        (m.MultiToSingle("day"), DAY, DAY, "exactly one side", "MultiMapping"),
        (m.MultiToSingle("region"), MULTI, DAY, "no default mapping from static", None),
        (m.MultiMapping({"x": m.Identity()}), MULTI, MULTI, "no upstream dimension 'x'", "day, region"),
        (m.MultiMapping(renamed={"day": "x"}), MULTI, MULTI, "no downstream dimension 'x'", "day, region"),
        (m.MultiMapping({"region": m.Identity()}), MULTI, p.multi(day=DAY), "no dimension 'region'", None),
        (m.MultiMapping(), MULTI, DAY, "several dimensions on both sides", "MultiToSingle"),
        ("yesterday", DAY, DAY, "'yesterday' is not a partition mapping", "TimeWindow"),
    ],
)
def test_a_mapping_that_does_not_fit(
    mapping: m.PartitionMapping | None,
    upstream: p.Partitions | None,
    downstream: p.Partitions | None,
    what: str,
    hint: str | None,
) -> None:
    with pytest.raises(DefinitionError) as caught:
        m.validate_mapping(mapping, upstream, downstream, where="pipeline.py:12")
    assert what in caught.value.what
    assert hint is None or hint in (caught.value.hint or "")
    assert str(caught.value).startswith("pipeline.py:12")


@pytest.mark.parametrize(
    ("upstream", "downstream", "key"),
    [(DAY, DAY, "yesterday"), (DAY, DAY, None), (MULTI, MULTI, "day=2025-01-01"), (MULTI, MULTI, "day=x|region=eu")],
)
def test_a_malformed_key_is_refused(upstream: p.Partitions, downstream: p.Partitions, key: str | None) -> None:
    with pytest.raises(PartitionError):
        m.upstream_keys(None, upstream, downstream, key, NOW)
    with pytest.raises(PartitionError):
        m.downstream_keys(None, upstream, downstream, key, NOW)


@pytest.mark.parametrize(
    "mapping",
    [
        m.Identity(),
        m.AllPartitions(),
        m.LastPartition(),
        m.SpecificPartitions(["a", "b"]),
        m.TimeWindow(-1, -1),
        LANDS,
        m.MultiToSingle("day", m.TimeWindow(-1)),
        m.MultiMapping({"day": m.TimeWindow(-1), "region": LANDS}, {"day": "date"}),
    ],
)
def test_mappings_survive_json(mapping: m.PartitionMapping) -> None:
    assert msgspec.json.decode(msgspec.json.encode(mapping), type=m.PartitionMapping) == mapping
