"""Exit codes of `batuta`: what a script or a CI job may rely on. They are listed in `batuta --help`."""

from __future__ import annotations

OK = 0
FAILED = 1
USAGE = 2
UNLOADABLE = 3
STORE = 4
BUG = 70
PAUSED = 75
CANCELLED = 130
TERMINATED = 143

MEANINGS = (
    (OK, "all went well"),
    (FAILED, "a run or a check failed, or problems were found"),
    (USAGE, "wrong usage: an option, a parameter, a selection, a name"),
    (UNLOADABLE, "the definitions cannot be loaded"),
    (STORE, "the store cannot be used"),
    (BUG, "a bug of Batuta; a file with the details is named"),
    (PAUSED, "the run waits for an answer"),
    (CANCELLED, "cancelled, for example by Ctrl-C"),
    (TERMINATED, "ended by SIGTERM; the run can be resumed"),
)
