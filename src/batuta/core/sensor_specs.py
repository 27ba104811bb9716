"""Sensors as plain records: what is looked at, how often, and what is started.

A sensor is a function of the user's, something built in that is looked at (`source`), or both: what the source sees is
then handed to the function. Constructors check nothing, so that an error can name the place in the author's file: see
`core.sensors.validate`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from batuta.core.place import Place


class Files(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="files"):
    """Files that are new, or have changed (`changes`), at a path, a pattern, or a URL that fsspec reads."""

    path: str
    changes: bool = True
    bytes_min: int = 0
    settled_s: float = 0.0  # so old has a file to be, so that nobody writes to it any more


class Rows(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="rows"):
    """Rows of a query after those seen before: `:cursor` in it is the greatest `key` so far, at first `start`."""

    connection: str
    sql: str
    key: str
    start: int | float | str = 0


class Answers(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="answers"):
    """An answer of HTTP that is good (below 400, or one of `statuses`) and another than before."""

    url: str
    method: str = "GET"
    statuses: tuple[int, ...] = ()
    headers: dict[str, str] = {}  # a value like `{secret:token}` is looked up
    timeout_s: float = 30.0


class Runs(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="runs"):
    """Runs of these jobs (none: of any), of any location, that end in one of these states."""

    jobs: tuple[str, ...] = ()
    states: tuple[str, ...] = ("succeeded",)
    location: str = ""


class Assets(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="assets"):
    """Materializations of these assets, of any location."""

    assets: tuple[str, ...]


class Webhook(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type", tag="webhook"):
    """Requests that are signed with the secret of that name, see `core.webhooks`."""

    secret: str


Source = Files | Rows | Answers | Runs | Assets | Webhook
RECORDED = (Runs, Assets, Webhook)
"""Sources that are in the store: each event is given once, and no process of the location is needed to see it."""


class SensorSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is looked at, and what is started: `job`, or (being empty) the selection of assets.

    `timeout_s` limits one evaluation. `params`, `tags` and `partition` are those of each run that a source without a
    function starts; they may hold text like `{path}`, see `core.sensors.filled`. `enabled` is what it is until a person
    says otherwise.
    """

    name: str
    job: str = ""
    selection: str = ""
    source: Source | None = None
    has_function: bool = True
    interval_s: float = 30.0
    timeout_s: float = 60.0
    enabled: bool = True
    params: dict[str, Any] = {}
    tags: dict[str, str] = {}
    partition: str = ""
    priority: int = 0
    description: str = ""
    place: Place = Place()


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A run that a sensor wants. At most one for its `key`, if it has one."""

    key: str = ""
    job: str = ""
    selection: str = ""
    params: dict[str, Any] = {}
    tags: dict[str, str] = {}
    partition: str = ""
    logical_at: float | None = None
    priority: int = 0


class Evaluated(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of one evaluation. `more`: there is more to be asked for, once this is recorded."""

    asked: tuple[Asked, ...] = ()
    reason: str = ""
    cursor: str = ""
    more: bool = False
