"""The duty that forgets: rows by `[retention]`, and the files of runs, a little at a time.

`batuta db prune` does the same in one go. Surprising: files of a run that is gone go before the last trace of it in the
store, so that a crash leaves none behind.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator

from batuta.core.states import RUN_FINAL
from batuta.runtime.observing_config import RetentionConfig
from batuta.store.retention import Ages, Forgetting
from batuta.store.rows import Audit, Leader, Pruned
from batuta.store.store import Store

NAME = "retention"
EVERY_S = 3_600.0
"""How often a round begins."""
ROUND_S = 1.0
"""How long one call goes on before it lets go of its lead for a moment."""
REST_S_MAX = 0.25
FOLDERS_AT_A_TIME = 500
FOLDERS = ("logs", "results")

logger = logging.getLogger("batuta.retention")


def ages_of(config: RetentionConfig) -> Ages:
    """How old rows may become. Signals are as old as ticks."""
    return Ages(
        runs=config.runs,
        keep_runs=config.keep_runs,
        ticks=config.ticks,
        signals=config.ticks,
        run_keys=config.run_keys,
        alerts=config.alerts,
        audit=config.audit,
        external=config.external,
    )


def delete_files(home: str, run_ids: list[int], folders: tuple[str, ...] = FOLDERS) -> None:
    """Delete what runs have left in a home folder."""
    for run_id in run_ids:
        for folder in folders:
            shutil.rmtree(os.path.join(home, folder, str(run_id)), ignore_errors=True)


def forget(store: Store, home: str, config: RetentionConfig, now: float, *, by: str = "") -> Pruned:
    """All that is old enough, in one go; others may write in between. `by`: who wants it, for the audit log."""
    pruned = store.forgetting(ages_of(config), now, on_runs=lambda ids: delete_files(home, ids)).all()
    if by:
        age = None if config.runs is None else float(config.runs)
        details = {"older_than_s": age, "keep": config.keep_runs, "runs": len(pruned.runs)}
        store.audit(Audit(by, "prune", "store", "", details), now=now)
    for _ in old_files(store, home, config, now):
        pass
    return pruned


def old_files(store: Store, home: str, config: RetentionConfig, now: float) -> Iterator[int]:
    """Delete the files of runs that finished long enough ago, although the runs stay. How many, some at a time."""
    for folder, age in (("logs", config.logs), ("results", config.results)):
        if age is not None:
            yield from _old_files(store, home, folder, now - age)


def _old_files(store: Store, home: str, folder: str, cutoff: float) -> Iterator[int]:
    place = os.path.join(home, folder)
    names = os.listdir(place) if os.path.isdir(place) else []
    ids = sorted(int(name) for name in names if name.isdecimal())
    for start in range(0, len(ids), FOLDERS_AT_A_TIME):
        rows = store.runs_numbered(ids[start : start + FOLDERS_AT_A_TIME])
        old = [row.id for row in rows if row.state in RUN_FINAL and (row.finished_at or cutoff) < cutoff]
        delete_files(home, old, (folder,))
        yield len(old)


class RetentionDuty:
    """See the module."""

    name = NAME
    leads = True

    def __init__(self, store: Store, home: str, config: RetentionConfig) -> None:
        self._store = store
        self._home = home
        self.config = config
        self._steps: Iterator[float] | None = None
        self._forgetting: Forgetting | None = None
        self._stopping = threading.Event()
        self.held_s_max = 0.0
        """The longest that one of its transactions has held the write lock."""

    def configure(self, config: RetentionConfig) -> None:
        """Forget by these ages from the next round on."""
        self.config = config

    def run_once(self, now: float, lead: Leader | None) -> float | None:
        """See `Duty`. A round that takes long is done in several calls."""
        if self._steps is None:
            self._forgetting = self._store.forgetting(
                ages_of(self.config), now, on_runs=lambda ids: delete_files(self._home, ids)
            )
            self._steps = self._round(self._forgetting, now)
        try:
            done = self._go_on(self._steps)
        except BaseException:
            self._steps = None
            raise
        if not done:
            return now
        self._steps = None
        self._tell(self._forgetting)
        return now + EVERY_S

    def _round(self, forgetting: Forgetting, now: float) -> Iterator[float]:
        yield from forgetting.steps()
        for _ in old_files(self._store, self._home, self.config, now):
            yield 0.0

    def _go_on(self, steps: Iterator[float]) -> bool:
        """Some steps, with a rest after each as long as it took; whether it was the last one."""
        ends_at = time.monotonic() + ROUND_S
        for held_s in steps:
            if self._stopping.wait(min(held_s, REST_S_MAX)) or time.monotonic() >= ends_at:
                return False
        return True

    def _tell(self, forgetting: Forgetting | None) -> None:
        if forgetting is None:
            return
        self.held_s_max = max(self.held_s_max, forgetting.held_s_max)
        rows = {table: count for table, count in forgetting.pruned.rows.items() if count}
        if rows:
            told = ", ".join(f"{count} {table}" for table, count in rows.items())
            logger.info("forgot %s", told, extra={"fields": {"held_ms_max": round(forgetting.held_s_max * 1_000, 1)}})

    def close(self) -> None:
        """Rest no more."""
        self._stopping.set()
