"""The measured side: a process that is told cases, runs them one after the other and writes a JSON line about each.

Standard library only and nothing newer than Python 3.10: it also runs in the environments of other projects. Figures
go to a file, because what is measured may print whatever it likes.
"""

from __future__ import annotations

import argparse
import json
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

Workload = Callable[[int], float]
"""Do the work of that size, see that all of it was done, and return the seconds that it took."""

DETAIL_MAX = 600


class NotDone(Exception):
    """A workload ended without having done (or recorded) what it should."""


@dataclass(frozen=True)
class Settings:
    """What a subject is opened with. `sizes` are the sizes to come, by workload: graphs are written ahead of time."""

    variant: str
    home: str
    postgres: str = ""
    sizes: dict[str, list[int]] = field(default_factory=dict)

    def sizes_of(self, workload: str) -> list[int]:
        """The sizes of one workload, none where it is not asked for."""
        return self.sizes.get(workload, [])


@dataclass(frozen=True)
class Subject:
    """What can be measured of it, and the versions it runs on."""

    workloads: Mapping[str, Workload]
    versions: Mapping[str, str]


Open = Callable[[Settings], AbstractContextManager[Subject]]


def clock() -> float:
    """Seconds, for differences."""
    return time.perf_counter()


def expect(found: object, wanted: object, what: str) -> None:
    """Raise NotDone unless they are equal."""
    if found != wanted:
        raise NotDone(f"{what}: {found!r} where {wanted!r} was expected")


def serve(open_subject: Open) -> None:
    """The main function of a measured process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True, help="file for the JSON lines")
    parser.add_argument("--home", required=True, help="empty folder")
    parser.add_argument("--variant", default="")
    parser.add_argument("--postgres", default="", help="URL of an empty database")
    parser.add_argument("--cases", type=json.loads, required=True, help="JSON: [[workload, size, repeats], ...]")
    options = parser.parse_args()
    cases: list[tuple[str, int, int]] = [tuple(case) for case in options.cases]
    sizes: dict[str, list[int]] = {}
    for workload, size, _repeats in cases:
        sizes.setdefault(workload, []).append(size)
    settings = Settings(options.variant, options.home, options.postgres, sizes)
    with open(options.out, "a", encoding="utf-8") as out:

        def say(**line: Any) -> None:
            out.write(json.dumps(line) + "\n")
            out.flush()

        with open_subject(settings) as subject:
            say(versions=dict(subject.versions))
            for number, (workload, size, repeats) in enumerate(cases):
                say(begin=number)
                say(end=number, **_run(subject, workload, size, repeats))


def _run(subject: Subject, workload: str, size: int, repeats: int) -> dict[str, Any]:
    if workload not in subject.workloads:
        return {"error": "it has no such thing"}
    seconds: list[float] = []
    try:
        for _ in range(repeats):
            seconds.append(subject.workloads[workload](size))
    except Exception as error:
        traceback.print_exc()
        return {"seconds": seconds, "error": f"{type(error).__name__}: {error}"[:DETAIL_MAX]}
    return {"seconds": seconds}
