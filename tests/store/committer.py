"""A process that commits batches to a run until it is killed or done, and says after each how far it came.

`python -m tests.store.committer URL RUN OWNER SEED LAST`
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import batuta
from batuta.store import Store
from tests.store.samples import cached, materialization, task_ends, task_run, verdict

ROOT = Path(__file__).parents[2]
PATHS = os.pathsep.join([str(Path(batuta.__file__).parents[1]), str(ROOT)])
"""PYTHONPATH of a process that is to use the same code as the tests."""


def start(url: str, run_id: int, owner: str, seed: int, last: int) -> subprocess.Popen[bytes]:
    """Run this module; each line it prints is the number of the last event that is committed."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.committer", url, str(run_id), owner, str(seed), str(last)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": PATHS},
    )


def commit_until(url: str, run_id: int, owner: str, seed: int, last: int) -> None:
    choose = random.Random(seed)
    with Store.open(url, busy_s=60.0) as store:
        run = store.claim(run_id, owner, 10.0, now=0.0, force=True)
        done = run.seq
        os.write(1, b"%d\n" % done)
        while done < last:
            count = min(choose.choice([1, 1, 2, 7, 50, 300]), last - done)
            batch = task_ends(run, done + 1, count)
            # Task runs whose story goes on in later batches: number 0 counts all events.
            batch.task_runs.append(task_run(run, 0, "running", attempt=done + count))
            batch.materializations = [materialization(run, "counted", data_version=str(done + count))]
            batch.checks = [verdict(run, "counted", "c", task=done + count)]
            batch.cache = [cached(run, "counted", output=b"%d" % (done + count))]
            store.commit(batch)
            done += count
            os.write(1, b"%d\n" % done)


if __name__ == "__main__":
    commit_until(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
