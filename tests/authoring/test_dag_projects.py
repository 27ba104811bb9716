"""DAGs in a project's files: found with and without a name, run in worker processes, told where they are broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from batuta.engine.workspace import RunHandle, Workspace
from batuta.runtime import outputs
from batuta.runtime.project import find_project

PIPELINE = '''
from __future__ import annotations

from datetime import date

from batuta import DAG, TaskGroup, branch, dag, task, task_group
from batuta.operators import EmptyOperator, ShellOperator


@task
def days(count: int) -> list[int]:
    return list(range(count))


@task(retries=1)
def load(day: int, table: str) -> str:
    print("loading", day)
    return f"{table}-{day}"


@task
def join(parts: list[str]) -> str:
    return ",".join(parts)


@branch
def by_size(parts: list[str]) -> str:
    return "large" if len(parts) > 2 else "small"


@task_group
def table(name: str, count: int):
    return join(load.partial(table=name).expand(day=days(count)))


with DAG("nameless", params={"count": 3}) as _:
    loaded = [table(name, _.params["count"]) for name in ("a", "b")]
    by_size(loaded) >> [EmptyOperator(name="small"), EmptyOperator(name="large")]

for number in range(2):
    with DAG(f"loop-{number}"):
        ShellOperator(f"echo $BATUTA_JOB {number}", name="say")


@dag(schedule="@daily")
def nightly(day: date, mark: str = "!"):
    """Says the day."""
    ShellOperator(f"echo {day}{mark} {{{{ params.day.year + 1 }}}}", name="say")
'''

BROKEN = """
from batuta import DAG
from batuta.operators import EmptyOperator

with DAG("circle"):
    a, b = EmptyOperator(name="a"), EmptyOperator(name="b")
    a >> b >> a
"""


@pytest.fixture(params=["threads", "processes"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / f"code_of_{tmp_path.name}"  # a name of its own: modules of other tests stay imported
    folder.mkdir()
    (folder / "good.py").write_text(PIPELINE)
    (folder / "broken.py").write_text(BROKEN)
    (tmp_path / "batuta.toml").write_text(f'code = ["{folder.name}"]\n')
    with Workspace(find_project(str(tmp_path)), executor=request.param, workers=2) as opened:
        yield opened


def output(handle: RunHandle, key: str) -> object:
    task = handle.active.run.find(key)
    assert task is not None
    assert task.output is not None, task
    return outputs.load(task.output, handle.active.info)


def test_dags_are_found_and_run(workspace: Workspace) -> None:
    definitions = workspace.definitions
    assert [job.name for job in definitions.jobs] == ["nameless", "nightly", "loop-0", "loop-1"]
    (problem,) = definitions.problems
    assert "a cycle of 2: a -> b -> a" in problem.message
    assert (Path(problem.place.file).name, problem.place.line > 0) == ("broken.py", True)

    handle = workspace.start_job("nameless", {"count": "2"})
    assert handle.wait(60) == "succeeded"
    assert output(handle, "table__1.join") == "b-0,b-1"
    states = {run.key: str(run.state) for run in handle.active.run.graph.runs}
    assert (states["small"], states["large"]) == ("succeeded", "skipped")

    handle = workspace.start_job("nightly", {"day": "2026-01-31"})
    assert handle.wait(60) == "succeeded"
    assert output(handle, "say") == "2026-01-31! 2027"

    handle = workspace.start_job("loop-1")
    assert handle.wait(60) == "succeeded"
    assert output(handle, "say") == "loop-1 1"


def test_what_jobs_say_of_themselves(workspace: Workspace) -> None:
    job = workspace.job("nightly")
    assert (job.description, job.schedule, job.kind) == ("Says the day.", "@daily", "dag")
    assert job.params_schema["properties"]["day"] == {"type": "string", "format": "date"}
    assert job.params_schema["required"] == ["day"]
    assert Path(job.place.file).name == "good.py"
