"""A DAG of the project that the tests of the command line work on."""

from __future__ import annotations

from batuta import DAG, task


@task(reads=["gold.revenue"])
def merchants() -> list[int]:
    return [1, 2, 3]


@task(writes=["exports.settlement"])
def export(merchant: int) -> str:
    return f"{merchant}.csv"


@task(trigger_rule="all_done")
def reconcile(files: list[str]) -> int:
    return len(files)


with DAG("settle", schedule="0 6 * * *", description="Settlement files per merchant") as settle:
    reconcile(export.expand(merchant=merchants()))
