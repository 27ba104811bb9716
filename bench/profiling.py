"""Where the engine's thread spends its time on one workload: cProfile, switched on inside that thread."""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from pathlib import Path

from bench.harness import Settings
from bench.subject_batuta import WARM_UP, Measured, open_workspace
from bench.workloads import ALL

TOP = 30


def profile(workload: str, size: int, variant: str, postgres: str) -> None:
    """Run the workload once plainly and once profiled, and print the functions that took longest by themselves."""
    size = size or max(ALL[workload].sizes)
    with tempfile.TemporaryDirectory(prefix="batuta-bench-") as folder:
        settings = Settings(variant, str(Path(folder, "home")), postgres, {workload: [size]})
        with open_workspace(settings) as workspace:
            measured = Measured(workspace, variant.rpartition("-")[2])
            measure = measured.many_runs if workload == "runs" else measured.one_run(workload)
            measured.one_run("fan_out")(WARM_UP)
            plain_s = measure(size)
            profiler = cProfile.Profile()
            workspace.engine.call(profiler.enable)
            profiled_s = measure(size)
            workspace.engine.call(profiler.disable)
    print(f"{workload} {size:,} on {variant}: {plain_s:.3f} s, {plain_s / size * 1e6:.0f} us each", end="")
    print(f" ({profiled_s:.3f} s profiled). The engine's thread:")
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(TOP)
