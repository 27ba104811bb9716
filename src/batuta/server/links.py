"""Links that plugins bring to runs, task runs, assets and jobs: to a log system, a dashboard, a catalog.

Surprising: nobody waits for a plugin. One that is slow is asked in a thread of its own, and what it says late is there
when the same is looked at again; one that hangs is left alone. Nothing but `http` and `https` is let through.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from batuta import plugins
from batuta.core.definitions import AssetSpec, JobSpec
from batuta.plugins import Plugin
from batuta.server.shapes.base import Link
from batuta.store.rows import RunRow, TaskRunRow

GROUP = "batuta.ui_links"
WAIT_S = 0.25
KEPT_S = 60.0
KEPT_MAX = 2000
PENDING_MAX = 4
"""How many answers of one plugin may be late before it is asked no more."""
LINKS_MAX = 20
TITLE_CHARS, URL_CHARS = 200, 2000

logger = logging.getLogger("batuta.links")

Kind = Literal["run", "task_run", "asset", "job"]
Asked = tuple[Plugin, bytes]


class Links:
    """See the module. Safe to use from many threads."""

    def __init__(self, *, wait_s: float = WAIT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._wait_s = wait_s
        self._clock = clock
        self._known: OrderedDict[Asked, tuple[float, list[Link]]] = OrderedDict()
        self._pending: dict[Asked, threading.Event] = {}
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def of(self, kind: Kind, about: Mapping[str, Any]) -> list[Link]:
        """The links of all plugins that are installed, as far as they are known within `wait_s`."""
        found = plugins.plugins(GROUP)
        if not found:
            return []
        key = msgspec.json.encode((kind, about), order="deterministic")
        asked = [(plugin, key) for plugin in found]
        until = time.monotonic() + self._wait_s
        for late in [self._ask(one, kind, about) for one in asked]:
            if late is not None:
                late.wait(max(0.0, until - time.monotonic()))
        with self._lock:
            return [link for one in asked if one in self._known for link in self._known[one][1]]

    def _ask(self, asked: Asked, kind: Kind, about: Mapping[str, Any]) -> threading.Event | None:
        """Have it asked, where what it said is not known or old; what is set when it has answered."""
        with self._lock:
            known = self._known.get(asked)
            if known is not None and known[0] > self._clock() - KEPT_S:
                return None
            if asked in self._pending:
                return self._pending[asked]
            if sum(plugin is asked[0] or plugin == asked[0] for plugin, _ in self._pending) >= PENDING_MAX:
                return None
            answered = self._pending[asked] = threading.Event()
        arguments = (asked, kind, dict(about), answered)
        threading.Thread(target=self._answer, args=arguments, name="batuta-links", daemon=True).start()
        return answered

    def _answer(self, asked: Asked, kind: Kind, about: dict[str, Any], answered: threading.Event) -> None:
        links: list[Link] = []
        try:
            links = self._checked(asked[0], asked[0].load()(kind, about))
        except (Exception, SystemExit) as error:
            self._tell(asked[0], f"{type(error).__name__}: {error}")
        with self._lock:
            self._known[asked] = (self._clock(), links)
            self._known.move_to_end(asked)
            if len(self._known) > KEPT_MAX:
                self._known.popitem(last=False)
            self._pending.pop(asked, None)
        answered.set()

    def _checked(self, plugin: Plugin, said: Any) -> list[Link]:
        links = []
        for title, url in list(said)[:LINKS_MAX]:
            if _is_good(title, TITLE_CHARS) and _is_good(url, URL_CHARS) and _is_web(url):
                links.append(Link(title=title, url=url))
            else:
                self._tell(plugin, f"{str(url)[:200]!r} is left out: only http and https URLs with a title are shown")
        return links

    def _tell(self, plugin: Plugin, what: str) -> None:
        """Into the log, the same thing once."""
        told = f"{plugin.where}: {what}"
        with self._lock:
            if told in self._said or len(self._said) >= KEPT_MAX:
                return
            self._said.add(told)
        logger.warning("%s", told)


def _is_good(text: Any, chars_max: int) -> bool:
    return isinstance(text, str) and bool(text.strip()) and text.isprintable() and len(text) <= chars_max


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in url


# ---- what plugins are told ----


def run_links(links: Links, row: RunRow) -> list[Link]:
    """Of a run."""
    about = {
        "id": row.id,
        "job": row.job,
        "kind": row.kind,
        "location": row.location,
        "state": str(row.state),
        "partition": row.partition,
        "tags": row.tags,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }
    return links.of("run", about)


def task_links(links: Links, run: RunRow, row: TaskRunRow) -> list[Link]:
    """Of a task run."""
    about = {
        "run": run.id,
        "job": run.job,
        "location": run.location,
        "no": row.no,
        "step": row.step,
        "index": row.index if row.index >= 0 else None,
        "partition": row.label,
        "state": str(row.state),
        "attempt": row.attempt,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }
    return links.of("task_run", about)


def asset_links(links: Links, location: str, spec: AssetSpec) -> list[Link]:
    """Of an asset."""
    about = {
        "key": spec.key,
        "location": location,
        "layer": spec.layer,
        "group": spec.group,
        "kinds": list(spec.kinds),
        "owners": list(spec.owners),
        "tags": spec.tags,
    }
    return links.of("asset", about)


def job_links(links: Links, location: str, spec: JobSpec) -> list[Link]:
    """Of a job."""
    about = {
        "name": spec.name,
        "location": location,
        "kind": spec.kind,
        "owners": list(spec.owners),
        "tags": spec.tags,
    }
    return links.of("job", about)
