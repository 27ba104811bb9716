"""dbt's events as log lines of the step that runs."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from typing import Any

from batuta.bridges.dbt.invocation import Invocation

_LEVELS = {"info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_COUNT = re.compile(r"^1 of 1 ")
_TOLD_OTHERWISE = ("CatchableExceptionOnRun", "GenericExceptionOnRun", "InternalErrorOnRun", "Formatting")


@contextlib.contextmanager
def listening(invocation: Invocation) -> Iterator[None]:
    """What dbt says meanwhile is logged with the step."""
    log = logging.getLogger("dbt")
    invocation.said_last = ""

    def heard(event: Any) -> None:
        if event.info.name == "GenericExceptionOnRun":
            invocation.said_last = str(event.data.exc)
        level = _LEVELS.get(str(event.info.level))
        text = _COLOURS.sub("", str(event.info.msg)).strip()
        if level is not None and text and event.info.name not in _TOLD_OTHERWISE:
            log.log(level, "%s", _COUNT.sub("", text))

    invocation.listener = heard
    try:
        yield
    finally:
        invocation.listener = lambda _event: None
