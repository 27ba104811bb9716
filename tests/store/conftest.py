"""A store on each database. Everything here runs on SQLite and on PostgreSQL alike: one suite that both must pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batuta.store import Store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    with Store.open(store_url) as opened:
        yield opened
