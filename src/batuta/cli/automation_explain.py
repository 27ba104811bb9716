"""`batuta automation explain`: a condition as a tree, with what each part holds for, as things stand now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.automation import Automated, explanation_data, found_in, locations_of, named
from batuta.cli.formats import ago
from batuta.cli.output import Output, output_options
from batuta.cli.targets import file_option, one_at_most, open_workspace, split_target
from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.core.definitions import Definitions
    from batuta.core.explanations import Explanation, Part, Told
    from batuta.engine.workspace import Workspace


@click.command("explain")
@click.argument("words", nargs=-1, required=True, metavar="[FILE] NAME")
@click.option("--partition", metavar="KEY", help="What it says of this partition only.")
@file_option
@output_options
def explain(words: tuple[str, ...], partition: str | None, file: str | None, out: Output) -> None:
    """Why an asset is made, or a job started, or why not.

    As things stand now: what the scheduler would find at its next tick, which need not run for it. Of an asset each
    part of its condition with the partitions that it holds for; of a job the assets that it still waits for.

    \b
    Examples:
      batuta automation explain gold.revenue
      batuta automation explain gold.revenue --partition 2026-01-31
      batuta automation explain settle --json
    """
    from batuta.scheduler.automation_explain import explain_now

    target, rest = split_target(words, file)
    name = one_at_most(rest, "name")
    with open_workspace(target) as workspace:
        locations = locations_of(workspace)
        one = named(found_in(locations, workspace.store), name, locations)
        if one.kind == "job":
            if partition is not None:
                raise RequestError(f"{name!r} is a job, not an asset", hint="leave --partition out")
            data, lines = _of_job(one, locations, workspace)
        else:
            why = explain_now(locations, workspace.store, one.name, partition, time.time())
            data, lines = explanation_data(why), list(_tree(why, partition))
    out.document({**one.data(), "now": data})
    _tell(one, lines, out)


def _tell(one: Automated, lines: list[str], out: Output) -> None:
    from batuta.cli.show import title

    if out.json:
        return
    state = "" if one.enabled else "; it is turned off"
    title(out, one.name, one.kind, f"{one.about}{state}")
    if one.tick is not None:
        runs = f" (run {', '.join(map(str, one.tick.runs))})" if one.tick.runs else ""
        out.say(f"  last tick {ago(one.tick.at, time.time())}: {one.tick.outcome}{runs}: {one.tick.reason}")
    out.say()
    for line in lines:
        out.say(line)


# ---- assets ----


def _tree(why: Explanation, partition: str | None) -> Iterator[str]:
    from batuta.scheduler.automation import reason

    if partition is not None:
        yield f"  of partition {partition}:"
    else:
        yield f"  now: {reason(why)}"
    yield from _part(why.condition, "  ", "  ")


def _part(part: Part, first: str, rest: str) -> Iterator[str]:
    name = part.label or part.words
    where = click.style(f" [{part.asset}]", fg="cyan") if part.asset else ""
    holds = click.style(f"  {part.holds}", dim=True)
    yield f"{first}{_sign(part.holds)} {click.style(name, bold=bool(part.label)) if part.label else name}{where}{holds}"
    for number, one in enumerate(part.parts):
        is_last = number == len(part.parts) - 1
        yield from _part(one, rest + ("└ " if is_last else "├ "), rest + ("  " if is_last else "│ "))


def _sign(told: Told) -> str:
    if not told.count:
        return click.style("✗", fg="red")
    if told.count < told.total:
        return click.style("◐", fg="yellow")
    return click.style("✓", fg="green")


# ---- jobs ----


def _of_job(
    one: Automated, locations: list[tuple[str, Definitions]], workspace: Workspace
) -> tuple[dict[str, Any], list[str]]:
    """What a job that is started by assets has seen, and waits for."""
    from batuta.core.asset_triggers import Pending, awaited, hear
    from batuta.scheduler.automation import event_of
    from batuta.scheduler.automation_memory import Loaded
    from batuta.scheduler.automation_world import world_of

    world = world_of(locations, {(one.location, one.ticker): True})
    loaded = Loaded(workspace.store, world, time.time())
    loaded.news.look(world.dynamic_names)
    trigger = world.triggers[one.location, one.name]
    pending = loaded.pending.get((one.location, one.name), Pending())
    news = [event_of(row) for _, row in loaded.news.made]
    pending, events = hear(trigger.on, pending, news)
    seen = pending.events if events is None else events
    missing = awaited(trigger.on, seen)
    lines = [f"  {click.style('✓', fg='green')} {_event(event)}" for event in seen[-20:]]
    lines += [f"  {click.style('…', fg='yellow')} {asset} was not made since it was started last" for asset in missing]
    shown = [{"asset": event.asset, "partition": event.partition, "run_id": event.run_id} for event in seen]
    return {"starts": events is not None, "seen": shown, "waits_for": missing}, lines


def _event(event: Any) -> str:
    name = f"{event.asset}[{event.partition}]" if event.partition else event.asset
    return f"{name} was made {ago(event.at, time.time())}" + (f" by run {event.run_id}" if event.run_id else "")
