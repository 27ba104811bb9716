"""Logs of the service itself: lines for people, or a JSON object a line, with what they are about as fields.

Whoever logs gives fields by `extra={"fields": {"run": 7}}`, or by `fields(location="shop")` for all logged within.
Surprising: everything is masked as it is written, tracebacks too, so a secret in a library's own message stays one.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, TextIO

from batuta.runtime.masking import mask, masked
from batuta.runtime.observing_config import LogConfig

_fields: ContextVar[Mapping[str, Any]] = ContextVar("batuta_log_fields", default={})  # noqa: B039 - never changed
QUIET = ("apprise", "asyncio", "httpx", "urllib3", "watchfiles")
"""Libraries whose everyday messages are for their own developers."""


@contextlib.contextmanager
def fields(**known: Any) -> Iterator[None]:
    """What is logged within, in this thread, has these fields."""
    token = _fields.set({**_fields.get(), **known})
    try:
        yield
    finally:
        _fields.reset(token)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a record, without those that say nothing."""
    own = getattr(record, "fields", None)
    found = {**_fields.get(), **(own if isinstance(own, dict) else {})}
    return {name: value for name, value in found.items() if value is not None and value != ""}


class JsonFormatter(logging.Formatter):
    """An object a line: at, level, logger, message, the fields, and error with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage()),
        }
        for name, value in fields_of(record).items():
            line[name if name not in line else f"{name}_"] = masked(value)
        if record.exc_info:
            line["error"] = mask(self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """`2026-01-31 02:03:04 ERROR batuta.alerts: what happened [run=7 location=shop]`, by the local clock."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        told = " ".join(f"{name}={value}" for name, value in fields_of(record).items())
        text = super().formatMessage(record)
        return f"{text} [{told}]" if told else text

    def format(self, record: logging.LogRecord) -> str:
        return mask(super().format(record))


def set_up(config: LogConfig, stream: TextIO | None = None) -> logging.Handler:
    """Have this process log as the configuration says, on standard error or `stream`, and nowhere else."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if config.format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    set_level(config)
    return handler


def set_level(config: LogConfig) -> None:
    """Have this process log what the configuration wants logged."""
    level = logging.getLevelNamesMapping()[config.level.upper()]
    logging.getLogger().setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
