"""CPU time and memory of a tree of processes: memory is the sum of PSS, in which a page shared by n counts as 1/n."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import psutil


def tree(pid: int) -> list[psutil.Process]:
    """A process and everything below it, as far as it still lives."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def cpu_s(pids: Iterable[int]) -> float:
    """CPU seconds so far of these processes and everything below them."""
    total = 0.0
    for process in {each for pid in pids for each in tree(pid)}:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total


def server_of(url: str) -> int | None:
    """The main process of the PostgreSQL server at a URL, where its socket lies beside its data (as our own does)."""
    from sqlalchemy import make_url

    host = make_url(url).query.get("host", "") if url else ""
    try:
        return int(Path(str(host), "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def pss_mb(processes: Iterable[psutil.Process]) -> float:
    """Megabytes (10^6 bytes) of all of them; resident memory where the kernel does not tell PSS."""
    return sum(_pss_bytes(process) for process in processes) / 1e6


def _pss_bytes(process: psutil.Process) -> int:
    try:
        with open(f"/proc/{process.pid}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        return 0
    except FileNotFoundError:
        return _rss_bytes(process)
    except OSError:
        return 0  # it has ended meanwhile


def _rss_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
