"""A small project of both kinds, for tests: Python assets and a dbt project over one DuckDB file."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from batuta.core.states import RunState
from batuta.engine.workspace import RunHandle, Workspace
from batuta.runtime.log_files import attempt_log_path
from batuta.runtime.log_read import read
from batuta.store.rows import RunRow, TaskRunRow
from tests.engine.projects import until

REPOSITORY = Path(__file__).parents[2]
DBT_PYTHON = REPOSITORY / ".venv-dbt"

TOML = f"""
name = "lake"
code = ["pipelines"]
[executor]
workers = 2
[[locations]]
name = "warehouse"
root = "dbt"
python = "{DBT_PYTHON}"
layers = {{ seeds = "bronze", snapshots = "gold" }}
"""
PYTHON = """
import json, os, time
from pathlib import Path

import duckdb

from batuta import Resources, asset, check, external_asset
from batuta.io import DuckDBIO
from batuta.partitions import daily

DATA = Path(__file__).parents[1] / "data"
resources = Resources(warehouse=DuckDBIO(DATA / "lake.duckdb"))
revenue = external_asset("gold.revenue")
silver = external_asset("silver.payments")
by_day = external_asset("gold.by_day", partitions=daily("2025-01-01", end="2025-01-05"))


@asset(key="bronze.payments", layer="bronze", io_manager="warehouse")
def payments() -> list[dict]:
    file = DATA / "payments.json"
    return json.loads(file.read_text()) if file.exists() else [
        {"id": 1, "day": "2025-01-01", "amount": 10}, {"id": 2, "day": "2025-01-02", "amount": 32},
    ]


@asset(key="report", deps=["gold.revenue"])
def report() -> int:
    with duckdb.connect(str(DATA / "lake.duckdb")) as connection:  # without patience: dbt has let go of it
        return connection.execute("select sum(revenue) from gold.revenue").fetchone()[0]


@asset(key="gate", deps=["silver.payments"])
def gate() -> None:
    (DATA / "waiting").touch()
    while not (DATA / "go").exists():
        time.sleep(0.01)


@asset(key="bronze.other", io_manager="warehouse")
def other() -> list[dict]:
    return [{"id": n} for n in range(1000)]
"""
FILES = {
    "dbt_project.yml": """
name: lake
version: "1.0"
profile: lake
models:
  lake:
    silver: {+schema: silver, +materialized: view}
    gold: {+schema: gold, +materialized: table}
    odd: {+schema: odd, +materialized: table}
seeds: {lake: {+schema: bronze}}
snapshots: {lake: {+schema: gold}}
""",
    "profiles.yml": """
lake:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: "{{ env_var('BATUTA_DATA') }}/lake.duckdb"
      schema: main
      threads: 4
""",
    "macros/names.sql": """
{% macro generate_schema_name(custom, node) %}{{ custom or target.schema }}{% endmacro %}
{% macro euros(column) %}{{ column }} * {{ var('rate', 1) }}{% endmacro %}
""",
    "seeds/currencies.csv": "code,name\nEUR,Euro\nUSD,Dollar\n",
    "models/silver/payments.sql": (
        "select id, cast(day as date) as day, amount from {{ source('bronze', 'payments') }}\n"
    ),
    "models/silver/doubled.sql": (
        "{{ config(materialized='ephemeral') }}\nselect id, day, 2 * amount as amount from {{ ref('payments') }}\n"
    ),
    "models/gold/revenue.sql": (
        "select day, sum({{ euros('amount') }}) as revenue from {{ ref('payments') }} group by day\n"
    ),
    "models/gold/twice.sql": "select sum(amount) as amount from {{ ref('doubled') }}\n",
    "models/gold/by_day.sql": """
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day', meta={'batuta': {
    'partitions': {'daily': {'start': '2025-01-01', 'end': '2025-01-05'}}, 'vars': {'this_day': '{key}'}}}) }}
select cast('{{ var("this_day") }}' as date) as day, '{{ var("batuta_partition_end") }}' as until, count(*) as payments
from {{ ref('payments') }} where day = '{{ var("this_day") }}'
""",
    "models/gold/batches.sql": """
{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='day', begin='2025-01-01',
    batch_size='day', meta={'batuta': {'partitions': 'batches'}}) }}
select day, count(*) as payments from {{ ref('payments') }} group by day
""",
    "models/gold/growing.sql": """
{{ config(materialized='incremental') }}
select {% if is_incremental() %}(select max(n) + 1 from {{ this }}){% else %}1{% endif %} as n
from {{ ref('currencies') }} limit 1
""",
    "models/gold/gated.sql": (
        "-- depends_on: {{ source('outside', 'gate') }}\nselect count(*) as n from {{ ref('payments') }}\n"
    ),
    "models/odd/broken.sql": "select no_such_column from {{ ref('payments') }}\n",
    "models/odd/below_broken.sql": "select * from {{ ref('broken') }}\n",
    "models/odd/wrong.sql": "select id + 1 as id from {{ ref('payments') }}\n",
    "models/odd/below_wrong.sql": "select * from {{ ref('wrong') }}\n",
    "snapshots/kept.yml": """
snapshots:
  - name: kept_currencies
    relation: ref('currencies')
    config: {unique_key: code, strategy: check, check_cols: all}
""",
    "tests/few_payments.sql": (
        "{{ config(severity='warn') }}\nselect * from {{ ref('payments') }} where amount > 30\n"
    ),
    "models/schema.yml": """
version: 2
sources:
  - name: bronze
    schema: bronze
    description: What the network sends
    tables:
      - name: payments
        columns:
          - {name: id, description: The number, data_type: integer, data_tests: [unique]}
  - name: outside
    tables:
      - name: gate
        meta: {batuta: {asset: gate}}
models:
  - name: payments
    description: Payments, typed
    config: {event_time: day, meta: {batuta: {owners: [anna], tags: {pii: "yes"}, group: sales}}}
    columns:
      - {name: amount, description: In cents, data_tests: [not_null]}
  - name: revenue
    description: Revenue by day
    columns: [{name: day, data_tests: [unique, not_null]}]
unit_tests:
  - name: adds_one
    model: wrong
    given: [{input: ref('payments'), rows: [{id: 1}]}]
    expect: {rows: [{id: 3}]}
  - name: sums
    model: revenue
    given: [{input: ref('payments'), rows: [{day: 2025-01-01, amount: 1}, {day: 2025-01-01, amount: 2}]}]
    expect: {rows: [{day: 2025-01-01, revenue: 3}]}
exposures:
  - name: board
    type: dashboard
    url: https://bi.example.com/board
    owner: {name: Ben, email: ben@example.com}
    depends_on: [ref('revenue')]
""",
}


def write_lake(root: Path) -> Path:
    """The project in a folder."""
    (root / "pipelines").mkdir(parents=True)
    (root / "pipelines" / "assets.py").write_text(PYTHON)
    (root / "batuta.toml").write_text(TOML)
    for name, text in FILES.items():
        file = root / "dbt" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "data").mkdir()
    return root


@dataclass
class Lake:
    """The project, opened: its processes are warm for as long as the tests take."""

    root: Path
    workspace: Workspace

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def home(self) -> Path:
        return self.root.parent / "home"

    def log(self, run_id: int, step: str) -> str:
        """What a step has said."""
        return "\n".join(line.text for line in read(attempt_log_path(self.home / "logs", run_id, step, 1)))

    def is_free(self) -> bool:
        """Whether nobody has the database open."""
        import duckdb

        try:
            duckdb.connect(str(self.data / "lake.duckdb")).close()
        except duckdb.IOException:
            return False
        return True

    def clear(self) -> None:
        """Nothing has been made."""
        until(self.is_free, "somebody keeps the file")
        for entry in self.data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def start(self, selection: str, **more: Any) -> RunHandle:
        """Begin to make assets."""
        tags = more.pop("tags", {})
        environment = more.pop("environment", "")
        skip = more.get("mode") == "stale"
        plan = self.workspace.assets_in(environment).plan(selection, **more).plan
        return self.workspace.start_plan(plan, tags=tags, skip_unchanged=skip, environment=environment)

    def make(self, selection: str, *, state: RunState = RunState.SUCCEEDED, **more: Any) -> RunRow:
        """Make assets; the run, which has ended so."""
        handle = self.start(selection, **more)
        assert handle.wait(100) is state, handle.active.error
        return self.run(handle.id)

    def run(self, run_id: int) -> RunRow:
        row = self.workspace.store.run(run_id)
        assert row is not None
        return row

    def tasks(self, run_id: int) -> dict[str, TaskRunRow]:
        """The task runs by step (and partition)."""
        rows = self.workspace.store.task_runs(run_id)
        return {f"{row.step}[{row.label}]" if row.label else row.step: row for row in rows}

    def states(self, run_id: int) -> dict[str, str]:
        return {key: row.state for key, row in self.tasks(run_id).items()}

    def metadata(self, asset: str, partition: str = "") -> dict[str, Any]:
        """Of the last time that it was made."""
        found: dict[str, Any] = msgspec.json.decode(
            self.workspace.store.asset_states([asset])[asset, partition].metadata
        )
        return found

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """What is in the database."""
        from batuta.io import DuckDBIO

        found: list[tuple[Any, ...]] = DuckDBIO(self.data / "lake.duckdb")._run(
            lambda connection: connection.execute(sql).fetchall(), read_only=True
        )
        return found
