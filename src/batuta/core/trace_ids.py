"""The numbers of traces and spans, made from what they stand for: everybody who knows a run knows its trace.

So a step can be told its place in a trace before anything of it is exported, and what is exported twice has the same
numbers. As in W3C Trace Context: 16 and 8 bytes, in hexadecimal. The scope is the identity of the store.
"""

from __future__ import annotations

import hashlib


def trace_id(scope: str, run_id: int) -> str:
    """The trace of a run."""
    return hashlib.blake2b(f"{scope}/{run_id}".encode(), digest_size=16).hexdigest()


def run_span(trace: str, part: int) -> str:
    """The span of a run; `part` counts how often it was restarted."""
    return _span(trace, f"run/{part}")


def task_span(trace: str, task: int, part: int) -> str:
    """The span of a task run of several attempts."""
    return _span(trace, f"task/{task}/{part}")


def attempt_span(trace: str, task: int, attempt: int) -> str:
    """The span of an attempt, or of a task run that had only this one."""
    return _span(trace, f"attempt/{task}/{attempt}")


def traceparent(trace: str, task: int, attempt: int) -> str:
    """What an attempt hands on to whatever it calls."""
    return f"00-{trace}-{attempt_span(trace, task, attempt)}-01"


def _span(trace: str, name: str) -> str:
    return hashlib.blake2b(f"{trace}/{name}".encode(), digest_size=8).hexdigest()
