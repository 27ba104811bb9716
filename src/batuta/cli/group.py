"""The commands and where they live. A command's module is imported when it is used, so that starting is quick.

The table repeats each command's one-line help; a test compares it with the command's own.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Lazy(NamedTuple):
    """A command that is not imported yet: `module:attribute`, its line in the list, and its section there."""

    where: str
    help: str
    section: str = "Commands"


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used; their list needs no import."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.lazy.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.where.partition(":")
        command = getattr(importlib.import_module(f"batuta.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in self.lazy and not name.startswith("-") and not ctx.resilient_parsing:
            from batuta.core.errors import nearest

            hint = nearest(name, self.lazy) or f"commands are {', '.join(self.lazy)}"
            raise click.UsageError(f"there is no command {name!r}: {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, entry in self.lazy.items():
            sections.setdefault(entry.section, []).append((name, entry.help))
        width = max(len(name) for name in self.lazy)
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])


COMMANDS = {
    "init": Lazy("init:init", "Make a new project that runs.", "Start"),
    "run": Lazy("run:run", "Run a flow or a DAG.", "Do"),
    "materialize": Lazy("materialize:materialize", "Make assets: all, selected, or just what changed.", "Do"),
    "plan": Lazy("plan:plan", "What would change if what is stale were made now.", "Do"),
    "backfill": Lazy("backfill:backfill", "Make a range of partitions of assets.", "Do"),
    "backfills": Lazy(
        "backfills:backfills", "Launch backfills, see how they fare, pause, cancel and retry them.", "Do"
    ),
    "up": Lazy("up:up", "Run everything unattended on this machine, until stopped.", "Serve"),
    "scheduler": Lazy("up:scheduler", "Run a scheduler alone: for several of them, on PostgreSQL.", "Serve"),
    "server": Lazy("server:server", "Serve the API and the UI alone.", "Serve"),
    "accounts": Lazy("accounts:accounts", "Say who may use the API and the UI.", "Serve"),
    "signals": Lazy("signals:signals", "Send signals that task runs wait for, and show them.", "Do"),
    "status": Lazy("status:status", "How the service does: its processes, code locations, queue and alerts.", "Serve"),
    "worker": Lazy("worker:worker", "Run steps here for a scheduler elsewhere.", "Serve"),
    "locations": Lazy("locations:locations", "List code locations, and load them anew.", "Serve"),
    "queue": Lazy("queue:queue", "What waits to run, and why.", "Serve"),
    "pools": Lazy("pools:pools", "List pools and set their slots.", "Serve"),
    "env": Lazy("env:env", "Work over production's data, into tables of your own.", "Do"),
    "test": Lazy("test:test", "Load and validate all definitions; report problems.", "Do"),
    "list": Lazy("list:list_", "List jobs, assets and checks.", "Look"),
    "show": Lazy("show:show", "Show a job or an asset in full.", "Look"),
    "catalog": Lazy(
        "catalog_search:catalog",
        "Find assets by words, what words mean, how columns changed, and who reads what.",
        "Look",
    ),
    "graph": Lazy("graph:graph", "Draw the steps of a job, or assets.", "Look"),
    "lineage": Lazy("lineage:lineage", "What an asset is made from, and what is made from it.", "Look"),
    "schedules": Lazy("schedules:schedules", "List schedules, show when they fire, turn them on and off.", "Look"),
    "sensors": Lazy("sensors:sensors", "List sensors, turn them on and off, see what they did and would do.", "Look"),
    "automation": Lazy("automation:automation", "List and explain what is made or started by itself.", "Look"),
    "runs": Lazy("runs:runs", "List, show, launch, watch, cancel, resume, retry and mark runs.", "Look"),
    "logs": Lazy("logs:logs", "Show what a run's tasks logged.", "Look"),
    "checks": Lazy(
        "checks:checks", "Show the last results of checks, all of them, or how they come out over time.", "Look"
    ),
    "alerts": Lazy("alerts:alerts", "See what is wrong and who was told; try channels and rules.", "Look"),
    "variables": Lazy("variables:variables", "Set, read and delete settings kept outside of the code.", "Settings"),
    "connections": Lazy("connections:connections", "Keep how systems are reached, and try it.", "Settings"),
    "secrets": Lazy("secrets:secrets", "Keep passwords, tokens and keys, encrypted at rest.", "Settings"),
    "plugins": Lazy("plugins:plugins", "Look at what installed packages add.", "Settings"),
    "audit": Lazy("audit:audit", "Look at who did what.", "Care"),
    "db": Lazy("db:db", "Upgrade, prune and describe the store.", "Care"),
    "doctor": Lazy("doctor:doctor", "Check that everything is in order here.", "Care"),
    "completion": Lazy("completion:completion", "Print the completion script for a shell.", "Care"),
    "version": Lazy("version:version", "Print the version.", "Care"),
}
