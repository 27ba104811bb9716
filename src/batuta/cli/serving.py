"""Running the service in the foreground: what it says when it starts, what happens, and how it is stopped."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

import click

from batuta.cli import exits
from batuta.cli.formats import plural, when
from batuta.cli.output import Output, print_json
from batuta.cli.targets import project_at
from batuta.core.states import RUN_FINAL

if TYPE_CHECKING:
    from batuta.core.definitions import Definitions
    from batuta.core.run_graph import TaskRun
    from batuta.engine.active import ActiveRun
    from batuta.scheduler.location import CodeLocation
    from batuta.scheduler.service import Service

WATCH_S = 1.0
STARTS_SHOWN, SCHEDULES_SHOWN_OF = 3, 500


class Server(Protocol):
    """The HTTP server as part of this process."""

    @property
    def url(self) -> str:
        """Where it is reached."""

    def stop(self) -> None:
        """End it."""


def serve(kind: str, out: Output, *, stop_s: float | None, server: tuple[str | None, int | None] | None) -> int:
    """Run the service until a signal says to stop, or its engine fails. The exit code."""
    from batuta.runtime.service_log import set_up
    from batuta.scheduler.service import Service

    started = time.monotonic()
    project = project_at("")
    set_up(project.config.log)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # it tells each step of its own start
    service = Service(project, kind=kind)
    stopping = _Signals()
    service.add_observer(_Teller(out).changed)
    try:
        service.load()
        serving = _start_server(service, *server) if server is not None else None
        service.announce()
        _tell_start(service, serving, time.monotonic() - started, out)
        service.locations.observers.append(_LocationTeller(out, service.locations).changed)
        service.start()
        while not stopping.asked.wait(WATCH_S) and service.failure is None:
            pass
        out.note("stopping" + (": running tasks may end; once more stops at once" if service.engine.run_ids else ""))
        if serving is not None:
            serving.stop()
    finally:
        service.stop(stop_s)
    if service.failure is not None:
        raise service.failure
    left = len(service.engine.run_ids)
    out.note(f"stopped; {plural(left, 'run')} to go on with at the next start" if left else "stopped")
    return exits.OK


class _Signals:
    """SIGTERM and Ctrl-C ask to stop; the second one ends the process, and its host and workers with it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: Any) -> None:
        if self.asked.is_set():
            os._exit(exits.CANCELLED)
        self.asked.set()


def _start_server(service: Service, host: str | None, port: int | None) -> Server | None:
    if importlib.util.find_spec("litestar") is None or importlib.util.find_spec("uvicorn") is None:
        logging.getLogger("batuta").warning("there is no API and no UI here: pip install 'batuta[server]' brings them")
        return None
    from batuta.server.embedded import start

    return start(service, host=host, port=port)


def _tell_start(service: Service, server: Server | None, took_s: float, out: Output) -> None:
    if out.json:
        locations = [
            {"name": each.name, "trouble": str(each.trouble) if each.trouble else None} for each in service.locations
        ]
        url = server.url if server is not None else None
        print_json({"event": "started", "pid": os.getpid(), "url": url, "locations": locations})
        return
    out.say(click.style(f"batuta is up, after {took_s:.1f} s", bold=True))
    if server is not None:
        out.say(f"  {server.url}")
    out.say(f"  project   {service.project.root}")
    out.say(f"  store     {service.store.location}")
    for location in service.locations:
        out.say(f"  location  {location.name}: {_told(location)}")
    for at, name in _next_starts(service):
        out.say(f"  next      {when(at, time.time())}  {name}")
    out.say("  Ctrl-C stops it")


def _next_starts(service: Service) -> list[tuple[float, str]]:
    """The next few starts by the clock, of schedules that are on by their definition."""
    from batuta.core.schedule_specs import Custom
    from batuta.core.schedules import next_fire_at

    specs = [spec for version in service.locations.versions() for spec in version.definitions.schedules]
    if len(specs) > SCHEDULES_SHOWN_OF:
        return []
    found = [
        (at, spec.name)
        for spec in specs
        if spec.enabled and not isinstance(spec.timing, Custom)
        if (at := next_fire_at(spec, time.time())) is not None
    ]
    return sorted(found)[:STARTS_SHOWN]


def _told(location: CodeLocation) -> str:
    if location.current is None:
        return click.style(str(location.trouble), fg="red")
    text = _contents(location.current.definitions)
    return text if location.trouble is None else f"{text}\n{click.style(str(location.trouble), fg='red')}"


def _contents(definitions: Definitions) -> str:
    counts = (
        (len(definitions.jobs), "job"),
        (len(definitions.assets), "asset"),
        (len(definitions.schedules), "schedule"),
        (len(definitions.sensors), "sensor"),
    )
    return ", ".join(plural(count, what) for count, what in counts if count) or "nothing in it"


class _LocationTeller:
    """A line for each location that is loaded anew, or goes on as it was since its files are broken.

    What is broken in them is in the log. Called in any thread.
    """

    def __init__(self, out: Output, locations: Iterable[CodeLocation]) -> None:
        self._out = out
        self._told = {location.name: _state(location) for location in locations}

    def changed(self, location: CodeLocation) -> None:
        former, now = self._told.get(location.name), _state(location)
        self._told[location.name] = now
        if now == former or location.current is None:
            return
        goes_on = former is not None and former[0] == now[0] and bool(now[1])
        if self._out.json:
            event = "location_kept" if goes_on else "location_loaded"
            trouble = str(location.trouble) if location.trouble else None
            print_json({"event": event, "location": location.name, "trouble": trouble, "at": time.time()})
        elif not self._out.quiet:
            does = "goes on with its last good version" if goes_on else "is loaded anew"
            click.echo(f"{_clock()} location {location.name} {does}: {_contents_of(location)}")


def _state(location: CodeLocation) -> tuple[str, str]:
    """Which version serves, and what is wrong."""
    name = location.current.executor_name if location.current is not None else ""
    return name, str(location.trouble) if location.trouble is not None else ""


def _clock() -> str:
    """The time of day, by the clock that runs are recorded with: what is left out here is read from a coarser one."""
    return time.strftime("%H:%M:%S", time.localtime(time.time()))


def _contents_of(location: CodeLocation) -> str:
    return _contents(location.current.definitions) if location.current is not None else "nothing in it"


class _Teller:
    """A line for each run that begins or ends. Called in the engine's thread."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._begun: set[int] = set()

    def changed(self, active: ActiveRun, tasks: list[TaskRun]) -> None:
        final = active.run.state in RUN_FINAL
        if active.id in self._begun and not final:
            return
        if final:
            self._begun.discard(active.id)
        else:
            self._begun.add(active.id)
        state = str(active.run.state) if final else "started"
        if self._out.json:
            print_json({"event": f"run_{state}", "run": active.id, "job": active.row.job, "at": time.time()})
        elif not self._out.quiet:
            error = f": {active.error}" if state == "failed" and active.error else ""
            click.echo(f"{_clock()} run {active.id} of {active.row.job} {state}{error}")
