"""What all tests share: databases to test on, where a test's own store lies, how long generated tests run.

PostgreSQL comes from a PyPI package and is started once per xdist worker on a unix socket;
BATUTA_TEST_POSTGRES_DSN names a running server instead, on which each test makes and drops a database of its own.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hypothesis
import pytest

from tests.postgres import own_server

POSTGRES_DSN_VARIABLE = "BATUTA_TEST_POSTGRES_DSN"
SEEDS_PER_TEST = 500

hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

_database_numbers = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("batuta")
    group.addoption("--seeds", type=int, default=10_000, help="how many seeds the simulation runs (default 10000)")
    group.addoption("--seed", type=int, help="the one seed that the simulation replays")
    group.addoption("--soak-hours", type=int, default=4, help="simulated hours of the soak test (default 4)")
    group.addoption("--soak-schedules", type=int, default=60, help="schedules of the soak test (default 60)")
    group.addoption("--kills", type=int, default=10, help="at how many random instants chaos tests kill (default 10)")
    group.addoption("--screenshots", action="store_true", help="take the pictures of the web UI that docs/ show")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that takes `seeds` a range of them: many tests of a few seeds each spread over the workers."""
    if "seeds" in metafunc.fixturenames:
        metafunc.parametrize("seeds", _seed_ranges(metafunc.config), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")


def _seed_ranges(config: pytest.Config) -> list[range]:
    one: int | None = config.getoption("--seed")
    if one is not None:
        return [range(one, one + 1)]
    total: int = config.getoption("--seeds")
    return [range(first, min(first + SEEDS_PER_TEST, total)) for first in range(0, total, SEEDS_PER_TEST)]


@pytest.fixture(scope="session")
def kills(pytestconfig: pytest.Config) -> int:
    """At how many random instants a chaos test kills its victim."""
    count: int = pytestconfig.getoption("--kills")
    return count


@pytest.fixture(autouse=True)
def batuta_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the test's own store, so that no test writes into the repository or sees another's runs."""
    home = tmp_path / ".batuta"
    monkeypatch.setenv("BATUTA_HOME", str(home))
    return home


@pytest.fixture(autouse=True)
def own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a project puts its folder on the path; the next test's own projects are not to find it there."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """SQLAlchemy URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SQLAlchemy URL of the maintenance database of a PostgreSQL server that tests may make databases on."""
    dsn = os.environ.get(POSTGRES_DSN_VARIABLE)
    if dsn:
        from sqlalchemy import make_url

        yield make_url(dsn).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    else:
        # The parent of the base directory is the one that all workers share.
        with own_server(lock=tmp_path_factory.getbasetemp().parent / "postgres.lock") as url:
            yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """Name of a database with the tables of a store, which tests get copies of: quicker than making the tables."""
    from batuta.store import Store

    name = f"batuta_template_{os.getpid()}"
    with _database(postgres_server, name) as url:
        Store.open(url).close()
        yield name


@pytest.fixture
def empty_postgres_url(postgres_server: str) -> Iterator[str]:
    """SQLAlchemy URL of a PostgreSQL database with nothing in it, dropped after the test."""
    with _database(postgres_server, _next_name()) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """SQLAlchemy URL of a PostgreSQL database of this test's own, where a store is, or will be; dropped after it."""
    with _database(postgres_server, _next_name(), f'TEMPLATE "{postgres_template}" STRATEGY FILE_COPY') as url:
        yield url


def _next_name() -> str:
    return f"batuta_test_{os.getpid()}_{next(_database_numbers)}"


@contextmanager
def _database(server: str, name: str, how: str = "") -> Iterator[str]:
    import psycopg
    from sqlalchemy import make_url

    url = make_url(server)
    admin = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" {how}')
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """SQLAlchemy URL of a database with nothing recorded: the test runs once on SQLite and once on PostgreSQL."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
