"""kill -9 in the middle of a mixed run: what was recorded as made is not made again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from batuta.store.store import Store
from tests.cli.conftest import Cli, wait_until


@pytest.mark.timeout(400)
def test_finished_models_are_not_run_again(lake_folder: Path, batuta_home: Path) -> None:
    cli = Cli(lake_folder)
    process = cli.start("materialize", "+gold.gated")
    wait_until((lake_folder / "data" / "waiting").exists, "the run does not come to the gate")
    with Store.open(f"sqlite:///{batuta_home}/batuta.db") as store:
        wait_until(lambda: store.task_run(1, "silver.payments:few_payments") is not None, "its tests do not end")
        before = {row.step: row.state for row in store.task_runs(1)}
    assert (before["bronze.payments"], before["silver.payments"]) == ("succeeded", "succeeded")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (lake_folder / "data" / "go").touch()
    cli("runs", "resume", "1")
    tasks = {one["task"]: one for one in cli("runs", "show", "1", "--json").json["tasks"]}
    assert {one["state"] for one in tasks.values()} == {"succeeded"}
    finished = [step for step, state in before.items() if state == "succeeded"]
    assert {tasks[step]["attempt"] for step in finished} == {1}
