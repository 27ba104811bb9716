"""`batuta automation`: what is made or started by itself, why, and why not; and turning it on and off.

Reads the store, as the scheduler left it: nothing is evaluated for good here, and no scheduler has to run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click
import msgspec

from batuta.cli.defined import defined
from batuta.cli.formats import ago, iso
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import file_option, one_at_most, open_workspace, split_target, store_if_any
from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.core.asset_triggers import AssetTriggerSpec
    from batuta.core.definitions import AssetSpec, Definitions
    from batuta.core.explanations import Explanation
    from batuta.engine.workspace import Workspace
    from batuta.store.rows import TickRow
    from batuta.store.store import Store

AUTOMATION = {
    "list": Lazy("automation:list_automation", "List what is made or started by itself.", "Look"),
    "explain": Lazy("automation_explain:explain", "Why an asset is made, or a job started, or why not.", "Look"),
    "on": Lazy("automation:turn_on", "Turn an asset's automation, or what starts a job, on.", "Do"),
    "off": Lazy("automation:turn_off", "Turn an asset's automation, or what starts a job, off.", "Do"),
}


@click.group(cls=LazyGroup, lazy=AUTOMATION)
def automation() -> None:
    """List and explain what is made or started by itself."""


@dataclass
class Automated:
    """An asset with a condition, or a job that is started by assets."""

    name: str
    kind: str  # asset | job
    location: str
    about: str
    enabled: bool
    tick: TickRow | None = None
    freshness: str = ""

    @property
    def ticker(self) -> str:
        """What its ticks are called."""
        from batuta.scheduler.automation_world import trigger_name

        return trigger_name(self.name) if self.kind == "job" else self.name

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        tick = self.tick
        return {
            "name": self.name,
            "kind": self.kind,
            "location": self.location,
            "condition": self.about,
            "freshness": self.freshness or None,
            "enabled": self.enabled,
            "last_tick": tick
            and {"at": iso(tick.at), "outcome": tick.outcome, "reason": tick.reason, "runs": tick.runs},
        }


# ---- what there is ----


def locations_of(workspace: Workspace) -> list[tuple[str, Definitions]]:
    """The definitions of each code location."""
    return list(defined(workspace).items())


def found_in(locations: list[tuple[str, Definitions]], store: Store | None) -> list[Automated]:
    """All that is automated, assets first, with the last tick of each."""
    from batuta.scheduler.automation import KIND
    from batuta.scheduler.automation_world import trigger_name

    switched = store.asset_feed.switched(KIND) if store is not None else {}
    ticks = {(row.location, row.name): row for row in store.asset_feed.latest_ticks(KIND)} if store is not None else {}
    found: list[Automated] = []
    for location, definitions in locations:
        for spec in definitions.assets:
            if spec.automation is not None:
                name = location, spec.key
                found.append(_asset(spec, location, switched.get(name, True), ticks.get(name)))
    for location, definitions in locations:
        for trigger in definitions.asset_triggers:
            name = location, trigger_name(trigger.job)
            found.append(_job(trigger, location, switched.get(name, trigger.enabled), ticks.get(name)))
    return found


def _asset(spec: AssetSpec, location: str, enabled: bool, tick: TickRow | None) -> Automated:
    from batuta.cli.catalog import automation_text

    freshness = str(spec.freshness) if spec.freshness is not None else ""
    return Automated(spec.key, "asset", location, automation_text(spec), enabled, tick, freshness)


def _job(trigger: AssetTriggerSpec, location: str, enabled: bool, tick: TickRow | None) -> Automated:
    from batuta.core.asset_triggers import text

    return Automated(trigger.job, "job", location, f"on {text(trigger.on)}", enabled, tick)


def named(found: list[Automated], name: str, locations: list[tuple[str, Definitions]]) -> Automated:
    """The one of that name. Raises RequestError, which tells what is not automated from what is not there."""
    from batuta.core.similar import similar

    for one in found:
        if name in (one.name, one.ticker):
            return one
    for _location, definitions in locations:
        if any(spec.key == name for spec in definitions.assets):
            hint = "give it automation=, like Automation.eager(); `batuta materialize` makes it by hand"
            raise RequestError(f"asset {name} is not automated", hint=hint)
        if any(spec.name == name for spec in definitions.jobs):
            hint = "give it schedule=on_assets(...); `batuta runs launch` starts it by hand"
            raise RequestError(f"no asset starts job {name}", hint=hint)
    hint = similar(name, [one.name for one in found]) or "`batuta automation list` shows what there is"
    raise RequestError(f"nothing automated is called {name!r}", hint=hint)


# ---- commands ----


@click.command("list")
@click.argument("words", nargs=-1, metavar="[FILE]")
@file_option
@output_options
def list_automation(words: tuple[str, ...], file: str | None, out: Output) -> None:
    """List what is made or started by itself.

    \b
    Examples:
      batuta automation list
      batuta automation list --json
    """
    target, rest = split_target(words, file)
    if rest:
        raise RequestError(f"{rest[0]!r} is not a Python file", hint="`batuta automation explain NAME` shows one")
    with open_workspace(target) as workspace:
        found = found_in(locations_of(workspace), store_if_any(workspace))
    out.document({"automation": [one.data() for one in found]})
    if found:
        out.say(_table(found, time.time()))
    else:
        out.note("nothing is automated: write @asset(automation=Automation.eager()), or schedule= with assets")


def _table(found: list[Automated], now: float) -> str:
    rows = []
    for one in found:
        state = Cell("on", "green") if one.enabled else Cell("off", dim=True)
        last = Cell("never", dim=True)
        if one.tick is not None:
            color = {"launched": "green", "failed": "red"}.get(one.tick.outcome)
            last = Cell(f"{one.tick.outcome} {ago(one.tick.at, now)}", color)
        rows.append((Cell(one.name, bold=True), one.kind, one.about, one.freshness, state, last))
    return table(("NAME", "KIND", "WHEN", "FRESHNESS", "STATE", "LAST TICK"), rows, indent="  ")


@click.command("on")
@click.argument("words", nargs=-1, required=True, metavar="[FILE] NAME")
@file_option
@output_options
def turn_on(words: tuple[str, ...], file: str | None, out: Output) -> None:
    """Turn an asset's automation, or what starts a job, on.

    An asset begins anew: what happened while it was off does not count, but for what is missing.

    \b
    Examples:
      batuta automation on gold.revenue
    """
    _switch(words, file, True, out)


@click.command("off")
@click.argument("words", nargs=-1, required=True, metavar="[FILE] NAME")
@file_option
@output_options
def turn_off(words: tuple[str, ...], file: str | None, out: Output) -> None:
    """Turn an asset's automation, or what starts a job, off.

    It stays off, whatever the code says, until it is turned on. Runs that were started go on.

    \b
    Examples:
      batuta automation off gold.revenue
    """
    _switch(words, file, False, out)


def _switch(words: tuple[str, ...], file: str | None, enabled: bool, out: Output) -> None:
    from batuta.runtime.people import person
    from batuta.scheduler.automation import KIND

    target, rest = split_target(words, file)
    name = one_at_most(rest, "name")
    with open_workspace(target) as workspace:
        locations = locations_of(workspace)
        one = named(found_in(locations, None), name, locations)
        workspace.store.switch(KIND, one.location, one.ticker, enabled, now=time.time(), by=person())
    out.document({"name": one.name, "enabled": enabled})
    out.say(f"{one.kind} {one.name} is {'on' if enabled else 'off'}")


def explanation_data(why: Explanation) -> dict[str, Any]:
    """An explanation as JSON data."""
    data: dict[str, Any] = msgspec.to_builtins(why)
    return {**data, "at": iso(why.at)}
