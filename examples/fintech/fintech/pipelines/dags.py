"""The legacy batch ETL as a DAG: settlement files per merchant, exported from gold and reconciled with it.

At the end of a month the files cover the month and a statement is added; on any other day they cover the day. Which of
the two it is, a branch decides at run time; how many files there are, the rows of gold decide. The surprising rule:
reconciling reads the files and gold anew and trusts nothing that exporting did.
"""

from datetime import date
from pathlib import Path

import polars as pl

from batuta import DAG, Param, RequestError, TaskGroup, branch, chain, context, external_asset, metadata, task
from batuta.operators import FileSensor, ShellOperator, SQLOperator
from fintech import payments
from fintech import settlement as files
from fintech.pipelines.assets import DAYS, FINANCE, settlement
from fintech.pipelines.storage import LAKEHOUSE, OUT, content_version

EXPORTS = OUT / "settlement"

settlement_files = external_asset(
    "exports.settlement_files",
    layer="gold",
    group="finance",
    kinds=["csv"],
    owners=[FINANCE],
    description="What merchants download: a file each for the day, or for the month at its end.",
    partitions=DAYS,
)


def _owed(day: date) -> pl.DataFrame:
    """Gold of the days that the files of a day cover."""
    first, last = files.period(day)
    table = context().load_asset(settlement, pl.DataFrame, partitions=f"{first}..{last}")
    assert isinstance(table, pl.DataFrame)
    return table


def _folder(day: date) -> Path:
    return EXPORTS / day.isoformat()


@task(reads=[settlement])
def stage(day: date, staging: str) -> str:
    """Gold of the period as one file, so that the exports do not all ask the lakehouse."""
    path = Path(staging) / "settlement.parquet"
    _owed(day).write_parquet(path)
    _folder(day).mkdir(parents=True, exist_ok=True)
    return str(path)


@branch
def closing(day: date) -> files.Closing:
    """Which group follows."""
    return files.closing(day)


@task(trigger_rule="none_failed_min_one_success")
def merchants_due(day: date, staged: str) -> list[str]:
    """The merchants to export; goes on after whichever group the branch chose."""
    return files.merchants_due(pl.read_parquet(staged), files.period(day))


@task
def export_file(merchant_id: str, day: date, staged: str) -> Path:
    """One merchant's file."""
    return files.export(pl.read_parquet(staged), merchant_id, files.period(day), _folder(day))


@task(reads=[settlement], writes=[settlement_files])
def reconcile(day: date, paths: list[Path]) -> int:
    """Compares every number of every file with gold; the number of files. RequestError where they differ."""
    found = files.reconcile(_owed(day), files.period(day), _folder(day), paths)
    numbers = {"files": found.files, "rows": found.rows, "net_eur": found.net_cents / 100}
    step = context()
    step.checked(
        settlement_files,
        "reconciles",
        found.exact,
        partition=day.isoformat(),
        blocking=True,
        description=f"{len(found.differences)} differences between {found.files} files and gold",
        metadata={**numbers, "differences": metadata.table([[one] for one in found.differences], ["difference"])},
    )
    if not found.exact:
        raise RequestError(f"the settlement files of {day} are not what gold says", hint=found.differences[0])
    more = {**numbers, "folder": metadata.path(_folder(day))}
    step.materialized(settlement_files, partition=day.isoformat(), metadata=more, data_version=content_version(paths))
    return found.files


with DAG(
    "settlement-export",
    description=__doc__ or "",
    params={"day": Param(payments.LAST_DAY, type=date, description="The day to settle.")},
    owners=FINANCE,
    tags=["finance", "legacy"],
    default_args={"retries": 1, "retry_delay_s": 2.0},
) as settlement_export:
    day = settlement_export.params["day"]
    staging = ShellOperator(f"mkdir -p '{OUT}/staging/{{{{ run_id }}}}' && cd \"$_\" && pwd", name="make_staging")
    clear = ShellOperator("rm -r '{{ output(\"make_staging\") }}'", name="clear_staging").as_teardown(setups=staging)

    with clear:
        arrived = FileSensor(
            f"{LAKEHOUSE}/gold/settlement/{{{{ params.day }}}}.parquet", poll_s=5, timeout_s=600, name="wait_for_gold"
        )
        staged = stage(day, staging.output)
        chosen = closing(day)
        with TaskGroup("month_end", description="A statement of the month beside the files.") as month_end:
            SQLOperator(
                f"copy (select merchant_id, merchant, sum(net_cents)::bigint as net_cents from read_parquet(:staged)"
                f" group by all order by all) to '{EXPORTS}/{{{{ params.day }}}}/statement.csv'",
                database="duckdb:///:memory:",
                parameters={"staged": staged},
                name="statement",
            )
        with TaskGroup("normal_day", description="Nothing but a look at the day's total.") as normal_day:
            SQLOperator(
                "select sum(net_cents) / 100.0 as net_eur from read_parquet(:staged)",
                database="duckdb:///:memory:",
                parameters={"staged": staged},
                returns="value",
                name="day_total",
            )
        due = merchants_due(day, staged)
        with TaskGroup("deliver") as deliver:
            exported = export_file.partial(day=day, staged=staged).expand(merchant_id=due)
            manifest = ShellOperator(
                "cksum settlement-*.csv > MANIFEST", cwd=f"{EXPORTS}/{{{{ params.day }}}}", name="manifest"
            )
            reconciled = reconcile(day, exported)
            exported >> [manifest, reconciled]
        chain(arrived, staged, chosen, [month_end, normal_day], due)
