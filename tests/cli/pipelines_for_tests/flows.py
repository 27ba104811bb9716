"""Flows of the project that the tests of the command line work on."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from batuta import artifact, context, flow, pause_for_input, task


@task
def numbers(count: int) -> list[int]:
    print(f"making {count} numbers")
    return list(range(count))


@task
def double(number: int, bad: int) -> int:
    if number == bad and not Path("mended").exists():
        raise ValueError(f"bad number {number}")
    return number * 2


@flow
def doubling(count: int = 3, bad: int = -1) -> int:
    """Doubles numbers and adds them up."""
    results = [double.submit(number, bad) for number in numbers(count)]
    return sum(result.result() for result in results)


@task
def bad(number: int) -> int:
    raise ValueError(f"bad number {number}")


@task
def other() -> None:
    raise KeyError("other")


@flow(name="all-bad")
def all_bad(count: int = 12) -> None:
    """Everything in it fails."""
    calls = [bad.submit(number) for number in range(count)]
    last = other.submit()
    for call in calls:
        call.wait()
    last.wait()
    raise RuntimeError("all bad")


@task
def waits(name: str) -> str:
    """Says that it runs, and waits until it may end."""
    Path(f"{name}.running").touch()
    while not Path("go").exists():
        context().check_cancelled()
        time.sleep(0.01)
    return name


@flow
def waiting(count: int = 1) -> list[str]:
    """Waits until there is a file `go`."""
    return [result.result() for result in waits.map([f"w{i}" for i in range(count)])]


@task
def stubborn() -> None:
    """Does not stop when it is asked to."""
    while True:
        try:
            Path("stubborn.running").touch()
            while not Path("go").exists():
                time.sleep(0.01)
            return
        except BaseException:
            Path("stubborn.asked").touch()


@flow
def hanging() -> None:
    stubborn()


@task
def note(text: str) -> str:
    with Path("notes").open("a") as file:
        file.write(text + "\n")
    return text


@flow
def asking() -> str:
    """Asks before it publishes."""
    note("before")
    answer: bool = pause_for_input("Really publish?", bool)
    return note(f"published {answer}")


@task(reads=["gold.revenue"])
def collect() -> int:
    return os.getpid()


@task(writes=["reports.daily"])
def publish(value: int) -> int:
    return value


@flow
def report() -> int:
    """Reads gold and writes a report."""
    return publish(collect())


@task
def crashes() -> None:
    print("about to crash", flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


@flow
def crashing() -> None:
    crashes()


@flow
def leaving() -> None:
    """Leaves artifacts."""
    artifact.markdown("# Done", "report")
    artifact.table([{"a": 1, "b": "x"}], "rows")
    artifact.file(b"abc", "half")
