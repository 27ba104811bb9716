"""dbt on a server: several workers at once, hooks, and tables that other processes make meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batuta.core.states import RunState
from batuta.engine.environments import clearing, promotion
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project
from tests.bridges.lake import DBT_PYTHON

FILES = {
    "dbt_project.yml": """
name: shop
version: "1.0"
profile: shop
on-run-start: "create table if not exists heard (what text, results integer)"
on-run-end: "insert into heard values ('{{ schemas | join(',') }}', {{ results | length }})"
models: {shop: {+materialized: table}}
""",
    "models/a.sql": "{{ config(pre_hook='select pg_sleep(0.01)') }}\nselect 1 as id, pg_backend_pid() as pid\n",
    "models/b.sql": "select id + 1 as id, pg_backend_pid() as pid from {{ ref('a') }}\n",
    "models/c.sql": "select id + 2 as id from {{ ref('a') }}\n",
    "models/grows.sql": """
{{ config(materialized='incremental') }}
select count(*) as n from {{ ref('b') }} {% if is_incremental() %}where true{% endif %}
""",
    "models/schema.yml": """
version: 2
models:
  - name: a
    columns: [{name: id, data_tests: [not_null, unique]}]
  - name: c
    columns: [{name: id, data_tests: [{accepted_values: {arguments: {values: [4], quote: false}}}]}]
""",
}

DAYS = """
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day', meta={'batuta': {
    'partitions': {'daily': {'start': '2025-01-01', 'end': '2025-01-05'}}, 'vars': {'this_day': '{key}'}}}) }}
select '{{ var("this_day") }}' as day, count(*) as n from {{ ref('b') }}
"""


@pytest.fixture
def shop(postgres_url: str, tmp_path: Path) -> Path:
    """A dbt project on a database of the test's own."""
    from sqlalchemy import make_url

    url = make_url(postgres_url)
    host = url.host or url.query["host"]
    root = tmp_path / "shop"
    output: dict[str, Any] = {
        "type": "postgres",
        "host": host,
        "port": url.port or 5432,
        "user": url.username,
        "password": url.password or "none",
        "dbname": url.database,
        "schema": "public",
        "threads": 2,
    }
    lines = "".join(f"      {name}: {value}\n" for name, value in output.items())
    for name, text in {**FILES, "profiles.yml": f"shop:\n  target: dev\n  outputs:\n    dev:\n{lines}"}.items():
        file = root / "dbt" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "batuta.toml").write_text(f'[[locations]]\nname = "w"\nroot = "dbt"\npython = "{DBT_PYTHON}"\n')
    return root


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    import psycopg
    from sqlalchemy import make_url

    with psycopg.connect(
        make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as connection:
        return connection.execute(sql.encode()).fetchall()


def test_several_workers_with_hooks_around_them(shop: Path, postgres_url: str) -> None:
    with Workspace(find_project(str(shop))) as workspace:
        assets = workspace.assets
        assert assets.index.assets["a"].kinds == ("dbt", "postgres", "table")
        handle = workspace.start_plan(assets.plan("*").plan)
        assert handle.wait(100) is RunState.FAILED
        states = {row.step: row.state for row in workspace.store.task_runs(handle.id)}
        failed = {step for step, state in states.items() if state != "succeeded"}
        assert failed == {"c:accepted_values_c_id__False__4"}
        assert query(postgres_url, "select what, results from heard") == [("public", 7)]
        rows = {row.asset: row for row in workspace.store.asset_states().values()}
        assert b'"rows_affected":1' in rows["b"].metadata
        run = workspace.start_plan(workspace.assets_in("dev").plan("b grows").plan, environment="dev")
        assert run.wait(100) is RunState.SUCCEEDED
        assert query(postgres_url, "select id from public__dev.b") == [(2,)]
        assert query(postgres_url, "select count(*) from public__dev.grows") == [(2,)]  # production's, and one more
        assert query(postgres_url, "select count(*) from public.grows") == [(1,)]
        assert b'["id","int32"]' in rows["c"].metadata

        for _ in range(2):  # by whichever worker, which has to see what the other has made
            handle = workspace.start_plan(assets.plan("a b grows").plan)
            assert handle.wait(100) is RunState.SUCCEEDED, handle.active.error
        assert query(postgres_url, "select n from grows") == [(1,), (1,), (1,)]
        assert len(query(postgres_url, "select * from heard")) == 4


def test_an_environment_is_promoted_and_dropped(shop: Path, postgres_url: str) -> None:
    (shop / "dbt" / "models" / "days.sql").write_text(DAYS)
    with Workspace(find_project(str(shop))) as workspace:
        store, assets = workspace.store, workspace.assets
        for environment, partitions in (("", "2025-01-01"), ("dev", "2025-01-01,2025-01-02")):
            plan = workspace.assets_in(environment).plan("a b grows days", partitions=partitions).plan
            run = workspace.start_plan(plan, environment=environment)
            assert run.wait(100) is RunState.SUCCEEDED, run.active.error
        assert query(postgres_url, "select count(*) from public__dev.grows") == [(2,)]
        assert query(postgres_url, "select day from days") == [("2025-01-01",)]
        plan, config = promotion(store, assets, "dev")
        run = workspace.start_plan(plan, config=config)
        assert run.wait(100) is RunState.SUCCEEDED, run.active.error
        assert query(postgres_url, "select day from days order by day") == [("2025-01-01",), ("2025-01-02",)]
        assert query(postgres_url, "select count(*) from grows") == [(2,)]
        plan, config, unknown = clearing(store, assets, "dev", "ann")
        run = workspace.start_plan(plan, config=config)
        assert run.wait(100) is RunState.SUCCEEDED, run.active.error
        assert (unknown, store.environments.all()) == ([], [])
        left = "select count(*) from information_schema.tables where table_schema = 'public__dev'"
        assert query(postgres_url, left) == [(0,)]
        assert query(postgres_url, "select count(*) from days") == [(2,)]


def test_a_server_that_is_away_is_told(shop: Path) -> None:
    profiles = shop / "dbt" / "profiles.yml"
    profiles.write_text(profiles.read_text().replace("port: 5432", "port: 1"))
    with Workspace(find_project(str(shop))) as workspace:
        handle = workspace.start_plan(workspace.assets.plan("c").plan)
        assert handle.wait(100) is RunState.FAILED
        assert "port 1" in handle.active.error or ".s.PGSQL.1" in handle.active.error
