"""The load under which the service's processes are killed: schedules that never rest, flows, mapped DAGs, a backfill.

Every body leaves a line in a trace when it begins and when it ends, so that what really ran can be held against what is
recorded.
"""

from __future__ import annotations

from pathlib import Path

TRACE = "BATUTA_CHAOS_TRACE"
SCHEDULES = ("ticking", "mapping", "counting")
LOCATION = "chaos"
PARTITIONS = 89
"""Of the asset that is backfilled."""

CODE = """
import os, time
from datetime import timedelta
from batuta import DAG, Schedule, asset, context, flow, task
from batuta.partitions import daily


def every(name: str) -> Schedule:
    return Schedule(timedelta(seconds=HOW_OFTEN[name]), catch_up="all")


def mark(what: str) -> None:
    at = context()
    line = f"{what} {at.run_id} {at.step} {at.index} {at.partition or '-'} {at.attempt}\\n"
    fd = os.open(os.environ["BATUTA_CHAOS_TRACE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, line.encode())
    os.close(fd)


def work(seconds: float) -> None:
    mark("begin")
    time.sleep(seconds)
    mark("end")


@task(retries=2)
def piece(n: int) -> int:
    work(0.02 * (n % 4))
    return n


@task
def gathered(numbers: list[int]) -> int:
    work(0.01)
    return sum(numbers)


@flow(schedule=every("ticking"))
def ticking() -> int:
    return gathered(piece.map([1, 2, 3]).result())


@task
def listed() -> list[int]:
    work(0.0)
    return [1, 2, 3, 4]


with DAG("mapping", schedule=every("mapping")):
    gathered(piece.expand(n=listed()))


@task
def count() -> int:
    work(0.0)
    return 1


with DAG("counting", schedule=every("counting")):
    count()


@asset("days", partitions=daily("2025-01-01", end="2025-03-31"))
def days() -> str:
    work(0.02)
    return context().partition_key
"""


def write_load(folder: Path, *, seconds: dict[str, float], settings: str = "") -> Path:
    """A project with the load; `seconds` is how often each schedule fires."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "load.py").write_text(CODE.replace("HOW_OFTEN", repr(seconds)))
    (folder / "batuta.toml").write_text(
        f'name = "{LOCATION}"\ncode = ["load.py"]\n[executor]\nworkers = 2\n[service]\nwatch = false\n{settings}'
    )
    return folder
