"""Logs of attempts: the one place from which the rest of Batuta, and user code, takes what it needs of them.

`log_files` holds the format and the limit, `log_read` reads, `log_attempt` assembles lines, `log_capture` and
`log_worker` catch output in threads and in worker processes. An attempt that says nothing costs no file and no thread.
"""

from __future__ import annotations

import logging

from batuta.runtime.log_capture import ThreadAttempt, ThreadCapture
from batuta.runtime.log_files import LIMIT_BYTES, LogSink, attempt_log_path, remove_log
from batuta.runtime.log_read import LogLine, follow, read
from batuta.runtime.log_spool import recover_spool, remove_spool
from batuta.runtime.log_worker import WorkerCapture

__all__ = [
    "LIMIT_BYTES",
    "LogLine",
    "LogSink",
    "ThreadAttempt",
    "ThreadCapture",
    "WorkerCapture",
    "attempt_log_path",
    "follow",
    "get_logger",
    "read",
    "recover_spool",
    "remove_log",
    "remove_spool",
]


def get_logger(name: str = "batuta.task") -> logging.Logger:
    """A logger of the standard library whose INFO lines are seen, also where nobody has configured logging."""
    logger = logging.getLogger(name)
    if logger.level == logging.NOTSET and logger.getEffectiveLevel() > logging.INFO:
        logger.setLevel(logging.INFO)
    return logger
