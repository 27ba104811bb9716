"""Assets on the real engine, in threads and in processes: made, recorded, fresh, stale, held back."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta.authoring.resources import close_all
from batuta.core.states import RunState
from batuta.engine.materialize import Materialization, Mode
from batuta.engine.workspace import Workspace
from batuta.runtime.project import find_project

PIPELINE = """
import json
from pathlib import Path
from batuta import Resource, Resources, asset, check, context, partitions

FEED = Path(__file__).with_name("feed.json")
DAYS = partitions.daily("2025-01-01", end="2025-01-04")


class Log(Resource):
    path: str

    def note(self, text: str) -> None:
        with open(self.path, "a") as file:
            file.write(text + "\\n")


resources = Resources(log=Log(path=str(FEED.with_name("trace.txt"))))


@asset("bronze.amounts", layer="bronze", partitions=DAYS)
def bronze(context, log: Log) -> list[int]:
    log.note(context.key)
    return json.loads(FEED.read_text())[context.partition_key]


@check(bronze, blocking=True)
def positive(amounts: list[int]) -> bool:
    return min(amounts) > 0


@asset("silver.amounts", layer="silver", partitions=DAYS)
def silver(amounts: list[int], log: Log) -> list[int]:
    log.note(context().key)
    return sorted(amounts)


@asset("gold.total", layer="gold")
async def gold(silver__amounts: dict[str, list[int]], log: Log) -> int:
    log.note("gold.total")
    return sum(map(sum, silver__amounts.values()))
"""


class Lake:
    """The pipeline in a project of its own."""

    def __init__(self, root: Path, executor: str) -> None:
        self.root = root
        self.executor = executor
        (root / "pipeline.py").write_text(PIPELINE)
        (root / "batuta.toml").write_text('code = ["pipeline.py"]\n')
        self.feed({"2025-01-01": [3, 1], "2025-01-02": [2], "2025-01-03": [4]})

    def feed(self, days: dict[str, list[int]]) -> None:
        import json

        (self.root / "feed.json").write_text(json.dumps(days))

    def make(self, mode: Mode = "all", selection: str = "*", **more: str) -> tuple[RunState | None, list[str]]:
        """How the run ended, and what was executed in it."""
        trace = self.root / "trace.txt"
        trace.write_text("")
        with Workspace(find_project(str(self.root)), executor=self.executor, workers=2) as workspace:  # type: ignore[arg-type]
            made: Materialization = workspace.assets.plan(selection, mode=mode, **more)  # type: ignore[arg-type]
            if not made.plan.steps:
                return None, []
            state = workspace.start_plan(made.plan, skip_unchanged=mode == "stale").wait(60)
        return state, sorted(trace.read_text().split())

    def states(self) -> dict[str, set[str]]:
        """Of each asset the states of its partitions."""
        with Workspace(find_project(str(self.root)), executor="threads") as workspace:
            found: dict[str, set[str]] = {}
            for (asset, _), one in workspace.assets.freshness().items():
                found.setdefault(asset, set()).add(one.state)
            return found


@pytest.fixture(params=["threads", "processes"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    root = tmp_path / "lake"
    root.mkdir()
    return Lake(root, request.param)


def day(asset: str, *days: int) -> list[str]:
    return [f"{asset}[2025-01-0{one}]" for one in days]


def test_what_changed_is_made_and_what_came_out_the_same_stops_it(lake: Lake) -> None:
    everything = [*day("bronze.amounts", 1, 2, 3), "gold.total", *day("silver.amounts", 1, 2, 3)]
    assert lake.make("stale") == (RunState.SUCCEEDED, everything)
    assert lake.make("stale") == (None, [])
    lake.feed({"2025-01-01": [1, 3], "2025-01-02": [2], "2025-01-03": [4]})
    assert lake.make(selection="bronze.amounts", partitions="2025-01-01") == (
        RunState.SUCCEEDED,
        day("bronze.amounts", 1),
    )
    assert lake.make("stale") == (RunState.SUCCEEDED, day("silver.amounts", 1)), "sorted, they are the same: gold stays"
    assert lake.make("stale") == (None, [])
    assert lake.states() == {key: {"fresh"} for key in ("bronze.amounts", "silver.amounts", "gold.total")}


def test_code_that_changed_is_run_again(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "processes")  # in threads the module is loaded once
    lake.make()
    text = PIPELINE.replace("return sum(map(sum", "return 2 * sum(map(sum")
    (lake.root / "pipeline.py").write_text(f"# another first line\n{text}")
    assert lake.make("stale") == (RunState.SUCCEEDED, ["gold.total"])


def test_a_failed_blocking_check_cannot_be_got_around(lake: Lake) -> None:
    lake.feed({"2025-01-01": [3, 1], "2025-01-02": [-2], "2025-01-03": [4]})
    state, done = lake.make("stale")
    assert state is RunState.FAILED
    assert done == [*day("bronze.amounts", 1, 2, 3), *day("silver.amounts", 1, 3)]
    assert lake.make("stale") == (RunState.FAILED, []), "bronze is fresh, but not good"
    assert lake.make(selection="silver.amounts", partitions="2025-01-02") == (RunState.FAILED, [])
    lake.feed({"2025-01-01": [3, 1], "2025-01-02": [2], "2025-01-03": [4]})
    lake.make(selection="bronze.amounts", partitions="2025-01-02")
    assert lake.make("stale") == (RunState.SUCCEEDED, ["gold.total", *day("silver.amounts", 2)])


RESOURCE = """
from batuta import Resource, Resources, asset


class Client(Resource):
    path: str

    def note(self, text: str) -> None:
        with open(self.path, "a") as file:
            file.write(text + "\\n")

    def setup(self) -> None:
        self.note("setup")

    def teardown(self) -> None:
        self.note("teardown")


resources = Resources(client=Client(path={path!r}))


@asset
def a(client: Client) -> None: ...


@asset(deps=[a])
def b(client: Client) -> None: ...
"""


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_a_resource_lives_as_long_as_its_worker(tmp_path: Path, executor: str) -> None:
    trace = tmp_path / "life.txt"
    (tmp_path / "pipeline.py").write_text(RESOURCE.format(path=str(trace)))
    (tmp_path / "batuta.toml").write_text('code = ["pipeline.py"]\n')
    with Workspace(find_project(str(tmp_path)), executor=executor, workers=1) as workspace:  # type: ignore[arg-type]
        plan = workspace.assets.plan("*").plan
        assert workspace.start_plan(plan).wait(60) is RunState.SUCCEEDED
        assert trace.read_text().split() == ["setup"]
        if executor == "threads":
            close_all()  # as at the end of the process
    assert trace.read_text().split() == ["setup", "teardown"]
