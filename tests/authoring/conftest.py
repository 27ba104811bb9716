"""Fixtures of the authoring tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.authoring.dag_runs import DagRuns


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[DagRuns]:
    """An engine that runs the DAGs of the test."""
    made = DagRuns(tmp_path)
    yield made
    made.close()
