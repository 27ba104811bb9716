"""What a job says of its runs as a whole: how many at once, for how long, how urgent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from batuta.core.errors import DefinitionError, RequestError

_FIELD = re.compile(r"\{(\w+)\}")


class RunRules(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rules for the runs of a job.

    `runs_max`: how many are executed at a time; the configuration goes over it. `timeout_s`: a run that has not ended
    so long after its start is stopped and has failed. `priority`: higher ones are started first. `concurrency_key`:
    runs with the same key are executed one after the other; `{name}` in it stands for a parameter.
    """

    runs_max: int | None = None
    timeout_s: float | None = None
    priority: int = 0
    concurrency_key: str = ""


NONE = RunRules()


def validate(rules: RunRules, where: str) -> RunRules:
    """The rules. Raises DefinitionError."""
    if rules.runs_max is not None and rules.runs_max < 1:
        raise DefinitionError(f"runs_max is {rules.runs_max}", where=where, hint="give 1 or more, or None")
    if rules.timeout_s is not None and rules.timeout_s <= 0:
        raise DefinitionError(f"timeout_s is {rules.timeout_s}", where=where, hint="give seconds above 0, or None")
    return rules


def concurrency_key(rules: RunRules, params: Mapping[str, Any], job: str) -> str:
    """The key of a run with these parameters. Raises RequestError where it needs one that is not there."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in params:
            hint = f"parameters are {', '.join(params) or 'none'}"
            raise RequestError(f"the concurrency key of {job!r} needs parameter {match[1]!r}", hint=hint)
        return str(params[match[1]])

    return _FIELD.sub(value, rules.concurrency_key)


def overdue_at(started_at: float, timeout_s: float | None, deadline_at: float | None) -> tuple[float | None, str]:
    """When a run has taken too long, and what is to be said of it then."""
    if timeout_s is not None and (deadline_at is None or started_at + timeout_s <= deadline_at):
        return started_at + timeout_s, f"it did not end within {timeout_s:g} s"
    return deadline_at, "its deadline has passed"
