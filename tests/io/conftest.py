"""A manager of tables with versions, of either format."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta.io.lake import LakeIO
from tests.io.lakes import FORMATS


@pytest.fixture(params=list(FORMATS))
def io(request: pytest.FixtureRequest, tmp_path: Path) -> LakeIO:
    return FORMATS[request.param](tmp_path / "lake")
