"""What there is to see besides a lakehouse that is well: runs that fail, take long, ask, fan out, take parameters."""

import logging
import time
from datetime import date
from enum import StrEnum
from pathlib import Path

from batuta import DAG, Schedule, SensorContext, Skip, asset, flow, pause_for_input, sensor, task
from batuta.io import DeltaIO

logger = logging.getLogger("drills")


class Size(StrEnum):
    """How much of it."""

    SMALL = "small"
    LARGE = "large"


@task
def extract(rows: int = 10) -> list[int]:
    """Reads rows."""
    logger.info("reading %d rows", rows)
    print("\x1b[32mdone\x1b[0m")
    return list(range(rows))


@task
def double(number: int) -> int:
    """Twice as much."""
    return 2 * number


@task(retries=1, retry_delay_s=0.1)
def load(numbers: list[int], marker: str) -> int:
    """Fails until the marker is there."""
    if not Path(marker).exists():
        logger.error("the warehouse refuses: %s is not there", marker)
        raise ConnectionError(f"the warehouse refuses: {marker} is not there")
    return sum(numbers)


@task
def report(total: int) -> str:
    """Says how much it was."""
    return f"{total} in all"


@flow
def flaky(marker: str = "/nonexistent/marker", rows: int = 5) -> str:
    """Fails in `load` **until the marker is there**; then a retry goes through.

    | step | what it does |
    | --- | --- |
    | extract | reads |
    | load | fails |
    """
    numbers = double.map(extract(rows))
    return report(load([each.result() for each in numbers], marker))


@flow
def approval(amount: float = 100.0) -> str:
    """Asks a person before it goes on."""
    answer = pause_for_input(f"Pay {amount}?", type=str)
    return f"answered: {answer}"


@task
def wait_a_while(seconds: float) -> None:
    """Takes its time, and says so."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        print("still waiting")
        time.sleep(0.2)


@flow
def slow(seconds: float = 60.0) -> None:
    """Takes long."""
    wait_a_while(seconds)


@asset(io_manager=DeltaIO("tables"), group="drills")
def counted() -> list[dict[str, float]]:
    """What it was when: a table with versions."""
    return [{"number": n, "made_at": time.time()} for n in range(3)]


@flow
def fan_out(count: int = 100) -> int:
    """Many task runs."""
    return sum(each.result() for each in double.map(range(count)))


@flow
def parameters(
    day: date, size: Size = Size.SMALL, limit: int | None = None, names: list[str] | None = None, dry_run: bool = True
) -> str:
    """Takes parameters of many types.

    Args:
        day: The day that it is about.
        limit: At most so many.
    """
    return f"{day} {size} {limit} {names} {dry_run}"


with DAG("chain", tags=["drill"], description="Three tasks, one after the other."):
    report(load(extract(3), "/"))


@sensor(job="chain", every_s=1, enabled=False)
def watcher(context: SensorContext) -> Skip:
    """Looks for a file that never comes."""
    return Skip("no file has come")


Schedule("0 3 * * *", job="chain", name="nightly-chain", timezone="Europe/Berlin", enabled=False)
