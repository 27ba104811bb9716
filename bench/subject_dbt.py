"""What `bench.dbt` measures in processes that stay: a script's name, the project's folder, how many rounds.

Prints the seconds of each round as JSON. The first round is not counted: it is what makes the process warm.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def rounds(repeats: int, once: Callable[[], Any]) -> list[float]:
    """How long each takes, after a first."""
    found: list[float] = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        once()
        found.append(time.perf_counter() - began)
    return found[1:]


def runner(folder: Path, repeats: int) -> list[float]:
    """`dbt build` in a process that has imported dbt and has the manifest."""
    from dbt.cli.main import dbtRunner  # type: ignore[import-not-found]

    os.chdir(folder / "dbt")  # seeds are read from there
    where = ["--project-dir", str(folder / "dbt"), "--profiles-dir", str(folder / "dbt")]
    where += ["--target-path", str(folder / "target"), "--log-path", str(folder / "dbt-logs"), "--quiet"]
    manifest = dbtRunner().invoke(["parse", *where]).result

    def build() -> None:
        done = dbtRunner(manifest=manifest).invoke(["build", *where])
        assert done.success, done.exception

    return rounds(repeats, build)


def batuta(folder: Path, repeats: int) -> list[float]:
    """A run in a workspace whose worker has dbt and the manifest."""
    from batuta.engine.workspace import Workspace
    from batuta.runtime.project import find_project

    with Workspace(find_project(str(folder))) as workspace:
        plan = workspace.assets.plan("*").plan

        def build() -> None:
            handle = workspace.start_plan(plan)
            assert handle.wait() == "succeeded", handle.active.error

        return rounds(repeats, build)


def describe(folder: Path, repeats: int) -> list[float]:
    """What the location's host does before it can answer, once the project is known."""
    from batuta.bridges.host import load

    return rounds(repeats, lambda: load("", str(folder), "shop").definitions())


if __name__ == "__main__":
    script, folder, repeats = sys.argv[1:]
    sys.path[0] = str(Path(__file__).resolve().parents[1] / "src")  # this folder has a module that is called dbt, too
    print(json.dumps(globals()[script](Path(folder), int(repeats))))
