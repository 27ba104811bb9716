"""Logs of the service: one JSON object a line whatever is logged, with fields, and without secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from batuta.runtime.masking import forget_secrets, register_secret
from batuta.runtime.observing_config import LogConfig
from batuta.runtime.service_log import fields, set_up

logger = logging.getLogger("batuta.test")


@pytest.fixture
def root() -> Iterator[None]:
    """The root logger is given back as it was."""
    own = logging.getLogger()
    handlers, level = list(own.handlers), own.level
    yield
    own.handlers[:], own.level = handlers, level
    forget_secrets()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.usefixtures("root")
def test_json_has_an_object_a_line_with_fields() -> None:
    stream = io.StringIO()
    set_up(LogConfig(format="json"), stream)
    with fields(location="shop", duty="queue"):
        logger.warning("run %d\nfailed", 7, extra={"fields": {"run": 7, "task": "load", "duty": "own", "none": None}})
    logger.debug("not told")
    logger.info("plain", extra={"fields": {"message": "x", "odd": {1, 2}.__class__}})
    first, second = lines(stream)
    assert first.pop("at").endswith("Z")
    assert first == {
        "level": "warning",
        "logger": "batuta.test",
        "message": "run 7\nfailed",
        "location": "shop",
        "duty": "own",
        "run": 7,
        "task": "load",
    }
    assert (second["message"], second["message_"]) == ("plain", "x")


@pytest.mark.parametrize("kind", ["json", "text"])
@pytest.mark.usefixtures("root")
def test_secrets_are_in_neither_message_fields_nor_traceback(kind: Any) -> None:
    stream = io.StringIO()
    set_up(LogConfig(format=kind), stream)
    register_secret("hunter2-hunter2")
    try:
        raise ValueError("cannot log in with hunter2-hunter2")
    except ValueError:
        logger.exception("login by %s", "hunter2-hunter2", extra={"fields": {"url": "x://hunter2-hunter2@y"}})
    text = stream.getvalue()
    assert "hunter2" not in text
    assert "cannot log in with ***" in text
    assert "x://***@y" in text


@pytest.mark.usefixtures("root")
def test_text_is_for_people() -> None:
    stream = io.StringIO()
    set_up(LogConfig(level="error"), stream)
    logger.warning("not told")
    logging.getLogger("apprise").warning("nor this")
    logger.error("gone", extra={"fields": {"run": 7}})
    assert stream.getvalue().endswith(" ERROR batuta.test: gone [run=7]\n")
    assert len(stream.getvalue().splitlines()) == 1
