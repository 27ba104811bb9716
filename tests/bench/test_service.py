"""The bench of the service runs, at tiny sizes: every figure is there, and above nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.service import Figure, main, table


def test_every_figure_at_tiny_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "figures.json"
    assert main(["--tiny", "--patience", "0", "--store", "sqlite", "--json", str(path)]) == 0
    figures = {figure["name"]: figure["value"] for figure in json.loads(path.read_text())["figures"]}
    assert len(figures) == 13
    assert all(value > 0 for name, value in figures.items() if name != "idle CPU")
    shown = capsys.readouterr().out
    assert all(name in shown for name in figures)


def test_a_figure_that_one_store_lacks_is_a_dash() -> None:
    on = {"processor": "one", "cores": "2", "python": "3", "batuta": "0"}
    figures = [Figure("a", "ms", "sqlite", 3.0, 50.0), Figure("b", "s", "postgresql", 12.34)]
    assert table(figures, on, 1.0).rows == [
        ["", "sqlite", "postgresql", "goal"],
        ["a, ms", "3.00", "-", "50"],
        ["b, s", "-", "12.3", "-"],
    ]
