"""What the figures were measured on, and how quiet it was."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


def describe() -> dict[str, str]:
    """Processor, cores, memory, systems and versions."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "batuta": _commit(),
    }


def busy_percent(over_s: float = 1.0) -> float:
    """How much of all cores is used, by anybody, while this process waits."""
    return float(psutil.cpu_percent(interval=over_s))


def wait_until_quiet(below_percent: float, patience_s: float) -> float:
    """Wait until others leave the cores alone, at most so long; returns how busy they were at the end."""
    until = time.monotonic() + patience_s
    while True:
        busy = busy_percent()
        if busy < below_percent or time.monotonic() > until:
            return busy


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            for line in info:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _commit() -> str:
    from batuta import __version__

    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return f"{__version__} ({found.stdout.strip()})" if found.returncode == 0 else __version__
