"""Fixtures of the authoring tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.io import DuckDBIO, PostgresIO
from tests.authoring.dag_runs import DagRuns


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[DagRuns]:
    """An engine that runs the DAGs of the test."""
    made = DagRuns(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> DuckDBIO | PostgresIO:
    """A database for tables, of either kind."""
    if request.param == "duckdb":
        return DuckDBIO(tmp_path / "warehouse.duckdb")
    return PostgresIO(request.getfixturevalue("postgres_url"))
