"""Metadata in their JSON form: of every kind, and of every size."""

from __future__ import annotations

import base64
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.authoring import metadata as md

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


class Colour(Enum):
    RED = "red"


def test_every_kind_has_its_form() -> None:
    assert md.normalized(
        {
            "n": 3,
            "text": "x",
            "md": md.markdown("**x**"),
            "link": md.link("https://example.com", "there"),
            "path": Path("/a/b"),
            "table": md.table([{"a": 1, "b": None}, {"a": 2, "c": date(2025, 1, 2)}]),
            "nested": {"a": [1, (2, 3)], 4: {Colour.RED}},
        }
    ) == {
        "n": 3,
        "text": "x",
        "md": {"type": "markdown", "text": "**x**"},
        "link": {"type": "link", "url": "https://example.com", "title": "there"},
        "path": {"type": "path", "path": "/a/b"},
        "table": {"type": "table", "columns": ["a", "b", "c"], "rows": [[1, None, None], [2, None, "2025-01-02"]]},
        "nested": {"type": "json", "value": {"a": [1, [2, 3]], "4": ["red"]}},
    }


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (True, True),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (1 << 70, str(1 << 70)),
        (Decimal("1.10"), "1.10"),
        (timedelta(hours=1), "1:00:00"),
        (datetime(2025, 1, 2, tzinfo=UTC), "2025-01-02T00:00:00+00:00"),
        (Colour.RED, "red"),
        (b"abc", "(3 bytes)"),
        ("\ud800", "?"),
    ],
)
def test_scalars_are_made_json(value: Any, form: Any) -> None:
    assert md.normal(value) == form


def test_numpy_values_are_converted() -> None:
    import numpy as np

    assert md.normal(np.float32(1.5)) == 1.5
    assert md.normal(np.int64(3)) == 3
    assert md.normal(np.bool_(True)) is True
    assert md.normal(np.datetime64("2025-01-02")) == "2025-01-02"
    assert md.normal(np.array([1, 2])) == {"type": "json", "value": [1, 2]}


def test_frames_are_tables() -> None:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    rows = {"type": "table", "columns": ["a"], "rows": [[1], [2]]}
    for frame in (
        pl.DataFrame({"a": [1, 2]}),
        pd.DataFrame({"a": [1, 2]}),
        pa.table({"a": [1, 2]}),
        pl.LazyFrame({"a": [1, 2]}),
    ):
        assert md.normal(frame) == rows
    assert md.table([(1, "x")], columns=["n", "t"])["columns"] == ["n", "t"]
    assert md.table([(1, "x")])["columns"] == ["column 1", "column 2"]
    assert md.table([])["rows"] == []


def test_what_is_too_large_is_cut_and_says_so() -> None:
    import polars as pl

    table = md.table(pl.DataFrame({f"c{i}": range(1000) for i in range(60)}))
    assert (len(table["rows"]), table["rows_total"]) == (100, 1000)
    assert (len(table["columns"]), table["columns_total"]) == (50, 60)
    text = md.normal("x" * 100_000)
    assert len(text) < 21_000
    assert text.endswith("(100000 characters)")
    assert len(md.table([["y" * 10_000]])["rows"][0][0]) < 600
    assert "was left out" in md.plot(b"\x89PNG\r\n\x1a\n" + b"0" * 1_000_000)["text"]
    many = md.normalized({str(i): i for i in range(300)})
    assert many["..."] == "100 more were left out"


def test_plots_are_figures_pictures_or_files() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.plot([1, 2])
    for value in (figure, axes):
        made = md.normal(value)
        assert made["type"] == "plot"
        assert base64.b64decode(made["png"]).startswith(PNG[:8])
    plt.close(figure)
    assert md.normal(PNG)["type"] == "plot"
    assert md.plot("/a/b.png", "title") == {"type": "plot", "path": "/a/b.png", "title": "title"}
    assert md.plot(3)["type"] == "markdown"


def test_what_cannot_be_shown_is_named_and_never_fails() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert "Odd cannot be shown: no" in md.normal(Odd())
    deep: list[Any] = []
    deep.append(deep)
    msgspec.json.encode(md.normal(deep))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


@given(st.dictionaries(st.text() | st.integers(), _values))
def test_any_metadata_survive_json(values: dict[Any, Any]) -> None:
    done = md.normalized(values)
    assert msgspec.json.decode(msgspec.json.encode(done)) == done
