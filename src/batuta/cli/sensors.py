"""`batuta sensors`: what looks at the outside, what it did, and what it would do now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import defined, exits
from batuta.cli.defined import Known
from batuta.cli.formats import ago, duration, iso, when
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store, open_workspace, project_at, store_if_any
from batuta.core.errors import RequestError
from batuta.runtime.people import person

if TYPE_CHECKING:
    from batuta.core.sensor_specs import SensorSpec
    from batuta.store.rows import TickerRow
    from batuta.store.store import Store

KIND = "sensor"
SENSORS = {
    "list": Lazy("sensors:list_sensors", "List sensors, and how they fare."),
    "on": Lazy("sensors:turn_on", "Turn a sensor on."),
    "off": Lazy("sensors:turn_off", "Turn a sensor off."),
    "ticks": Lazy("sensors:show_ticks", "Show the evaluations of a sensor, newest first."),
    "evaluate": Lazy("sensors:evaluate", "Evaluate a sensor now, and start nothing."),
    "reset": Lazy("sensors:reset", "Have a sensor begin anew, or from a cursor."),
}
_COLORS = {"launched": "green", "failed": "red"}


@click.group(cls=LazyGroup, lazy=SENSORS)
def sensors() -> None:
    """List sensors, turn them on and off, see what they did and would do."""


def named(store: Store, name: str) -> Known:
    """The sensor called `NAME` or `LOCATION/NAME`. Raises RequestError."""
    return defined.named(store, KIND, name)


@click.command("list")
@output_options
def list_sensors(out: Output) -> None:
    """List sensors, and how they fare.

    \b
    Examples:
      batuta sensors list
    """
    now = time.time()
    with open_workspace("") as workspace:
        found = defined.known(defined.defined(workspace), KIND)
        store = store_if_any(workspace)
        tickers = {(row.location, row.name): row for row in store.tickers(KIND)} if store is not None else {}
    rows = [(one, tickers.get((one.location, one.spec.name))) for one in found]
    out.document({"sensors": [_data(one, ticker) for one, ticker in rows]})
    if not rows:
        out.note("no sensors: write one with @sensor, see `batuta.sensors`")
        return
    lines = [
        (
            one.spec.name,
            one.location,
            _looks_at(one.spec),
            one.spec.job or one.spec.selection or "what it says",
            f"every {_interval(one.spec.interval_s)}",
            Cell("on", "green") if _is_on(one.spec, ticker) else Cell("off", dim=True),
            _state(ticker, now),
        )
        for one, ticker in rows
    ]
    out.say(table(("SENSOR", "LOCATION", "LOOKS AT", "STARTS", "", "", "LAST"), lines))


def _is_on(spec: SensorSpec, ticker: TickerRow | None) -> bool:
    return spec.enabled if ticker is None or ticker.enabled is None else ticker.enabled


def _interval(interval_s: float) -> str:
    return f"{interval_s:g} s" if interval_s < 60 else duration(interval_s)


def _looks_at(spec: SensorSpec) -> str:
    return type(spec.source).__name__.lower() if spec.source is not None else "function"


def _state(ticker: TickerRow | None, now: float) -> Cell | str:
    if ticker is None or ticker.ticked_at is None:
        return Cell("never evaluated", dim=True)
    if ticker.failures:
        return Cell(f"failed {ticker.failures} times in a row, {ago(ticker.ticked_at, now)}", "red")
    return f"{ago(ticker.ticked_at, now)}{f': {ticker.state}' if ticker.state else ''}"


def _data(one: Known, ticker: TickerRow | None) -> dict[str, Any]:
    spec = one.spec
    return {
        "name": spec.name,
        "location": one.location,
        "source": _looks_at(spec),
        "job": spec.job or None,
        "assets": spec.selection or None,
        "every_s": spec.interval_s,
        "timeout_s": spec.timeout_s,
        "on": _is_on(spec, ticker),
        "description": spec.description,
        "place": str(spec.place),
        "cursor": ticker.cursor if ticker else "",
        "failures": ticker.failures if ticker else 0,
        "ticked_at": iso(ticker.ticked_at) if ticker else None,
        "next_at": iso(ticker.next_at) if ticker else None,
    }


def _switch(name: str, enabled: bool, out: Output) -> None:
    with open_store(must_exist=False) as store:
        one = named(store, name)
        store.switch(KIND, one.location, one.spec.name, enabled, now=time.time(), by=person())
    out.document({"name": one.spec.name, "location": one.location, "on": enabled})
    out.say(f"sensor {one.spec.name} is {'on' if enabled else 'off'}")


@click.command("on")
@click.argument("name", metavar="NAME")
@output_options
def turn_on(name: str, out: Output) -> None:
    """Turn a sensor on, whatever its definition says.

    \b
    Examples:
      batuta sensors on new-files
    """
    _switch(name, True, out)


@click.command("off")
@click.argument("name", metavar="NAME")
@output_options
def turn_off(name: str, out: Output) -> None:
    """Turn a sensor off. It goes on from its cursor when it is turned on again.

    \b
    Examples:
      batuta sensors off shop/new-files
    """
    _switch(name, False, out)


@click.command("reset")
@click.argument("name", metavar="NAME")
@click.option("--cursor", default="", metavar="TEXT", help="Where to begin; empty: as if it had never been evaluated.")
@output_options
def reset(name: str, cursor: str, out: Output) -> None:
    """Have a sensor begin anew, or from a cursor.

    Runs that were started for a run key are not started again.

    \b
    Examples:
      batuta sensors reset orders
      batuta sensors reset orders --cursor 1200
    """
    from batuta.core.sensors import checked_cursor

    with open_store() as store:
        one = named(store, name)
        known = store.set_cursor(
            KIND, one.location, one.spec.name, checked_cursor(cursor), now=time.time(), by=person()
        )
    if not known:
        raise RequestError(f"the sensor {name!r} has never been evaluated", hint="it begins anew anyway")
    out.document({"name": one.spec.name, "location": one.location, "cursor": cursor})
    out.say(f"sensor {one.spec.name} begins {f'from {cursor[:60]!r}' if cursor else 'anew'}")


@click.command("ticks")
@click.argument("name", metavar="NAME")
@click.option("--outcome", type=click.Choice(["launched", "skipped", "failed"]), help="Only those.")
@click.option("--before", type=int, metavar="ID", help="Only ticks before this one: the next page.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@output_options
def show_ticks(name: str, outcome: str | None, before: int | None, limit: int, out: Output) -> None:
    """Show the evaluations of a sensor, newest first: what came of each, and why.

    One that finds nothing for the same reason as the one before it leaves no tick.

    \b
    Examples:
      batuta sensors ticks new-files
      batuta sensors ticks new-files --outcome failed --json
    """
    now = time.time()
    with open_store() as store:
        one = named(store, name)
        found = store.ticks(
            kind=KIND, location=one.location, name=one.spec.name, outcome=outcome, before=before, limit=limit
        )
    out.document(
        {
            "ticks": [
                {
                    "id": tick.id,
                    "at": iso(tick.at),
                    "ended_at": iso(tick.ended_at),
                    "outcome": tick.outcome,
                    "reason": tick.reason,
                    "runs": tick.runs,
                    "cursor": tick.cursor,
                    "data": tick.data,
                }
                for tick in found
            ]
        }
    )
    lines = [
        (
            str(tick.id),
            when(tick.at, now),
            Cell(tick.outcome, _COLORS.get(tick.outcome)),
            _runs(tick.runs),
            tick.reason.splitlines()[0][:160] if tick.reason else "",
        )
        for tick in found
    ]
    if lines:
        out.say(table(("ID", "WHEN", "OUTCOME", "RUNS", "WHY"), lines, right=(0,)))
    else:
        out.note("no such ticks")


def _runs(ids: list[int]) -> str:
    shown = ", ".join(map(str, ids[:5]))
    return shown if len(ids) <= 5 else f"{shown}, ... ({len(ids)})"


@click.command("evaluate")
@click.argument("name", metavar="NAME")
@click.option("--cursor", metavar="TEXT", help="From this cursor; by default that of its last tick.")
@output_options
def evaluate(name: str, cursor: str | None, out: Output) -> int:
    """Evaluate a sensor now, and start nothing: what it would ask for, and its next cursor.

    \b
    Examples:
      batuta sensors evaluate new-files
      batuta sensors evaluate orders --cursor 1200 --json
    """
    from batuta.scheduler.consulting import CodeOf
    from batuta.scheduler.sensor_trial import try_sensor

    with open_store(must_exist=False) as store:
        one = named(store, name)
        with CodeOf(project_at(""), one.location, lambda: store, by=person()) as code:
            found = try_sensor(store, one.location, one.spec, cursor, time.time(), code.ask)
    requests = [
        {"run_key": asked.key, "job": asked.job or one.spec.job, "assets": asked.selection or one.spec.selection}
        | {"params": asked.params, "tags": asked.tags, "partition": asked.partition}
        for asked in found.asked
    ]
    out.document({"requests": requests, "reason": found.reason, "cursor": found.cursor, "more": found.more})
    for request in requests:
        target = request["job"] or request["assets"] or "nothing: it says neither job nor assets"
        key = f" ({request['run_key']})" if request["run_key"] else ""
        out.say(f"would start {target}{key} {request['params'] or ''}".rstrip())
    if not requests:
        out.say(f"would start nothing{f': {found.reason}' if found.reason else ''}")
    out.say(f"cursor afterwards: {found.cursor!r}" + ("; there is more" if found.more else ""))
    return exits.OK
