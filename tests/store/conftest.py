"""A store on each database. Everything here runs on SQLite and on PostgreSQL alike: one suite that both must pass."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from batuta.store import Store


@pytest.fixture(params=["sqlite", "empty_postgres"])
def empty_store_url(request: pytest.FixtureRequest) -> str:
    """SQLAlchemy URL of a database in which no store was made: the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    with Store.open(store_url) as opened:
        yield opened
