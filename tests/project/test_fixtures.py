"""The databases that other tests build on are there, and one test's own."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, inspect, make_url, text


def test_store_url_is_a_database_of_its_own(store_url: str) -> None:
    engine = create_engine(store_url)
    try:
        with engine.begin() as connection:
            assert "kept" not in inspect(connection).get_table_names()
            connection.execute(text("CREATE TABLE kept (n INTEGER)"))
            connection.execute(text("INSERT INTO kept VALUES (1)"))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT n FROM kept")).scalar_one() == 1
    finally:
        engine.dispose()


def test_postgres_databases_differ_from_the_maintenance_database(postgres_server: str, postgres_url: str) -> None:
    assert make_url(postgres_url).drivername == "postgresql+psycopg"
    assert make_url(postgres_url).database != make_url(postgres_server).database


def test_the_store_of_a_test_is_its_own(batuta_home: Path, tmp_path: Path) -> None:
    assert batuta_home.parent == tmp_path
