"""`batuta locations`: the code locations of the project, as the service has them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from batuta.cli import exits
from batuta.cli.formats import iso, plural, when
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import open_store, project_at
from batuta.core.errors import RequestError, nearest

if TYPE_CHECKING:
    from batuta.core.definitions import Problem

RELOAD_WAIT_S = 60.0

LOCATIONS = {
    "list": Lazy("locations:list_locations", "List code locations: what they define, and what is wrong.", "Look"),
    "errors": Lazy("locations:errors", "Show all that is wrong in the files of code locations.", "Look"),
    "reload": Lazy("locations:reload", "Load a code location anew.", "Do"),
}


@click.group(cls=LazyGroup, lazy=LOCATIONS)
def locations() -> None:
    """List code locations, and load them anew."""


@click.command("list")
@output_options
def list_locations(out: Output) -> int:
    """List code locations: what they define, and what is wrong.

    \b
    Examples:
      batuta locations list
    """
    from batuta.cli.defined import recorded

    now = time.time()
    project = project_at("")
    with open_store() as store:
        known = {row.location: row for row in store.definitions()}
        defined = recorded(store)
    rows: list[dict[str, Any]] = []
    for config in project.locations:
        row, found = known.get(config.name), defined.get(config.name)
        rows.append(
            {
                "name": config.name,
                "python": config.python,
                "jobs": len(found.jobs) if found else 0,
                "assets": len(found.assets) if found else 0,
                "schedules": len(found.schedules) if found else 0,
                "version": row.hash if row else "",
                "loaded_at": iso(row.loaded_at) if row else None,
                "error": row.error if row else "",
            }
        )
    out.document({"locations": rows})
    cells = [
        [
            row["name"],
            row["python"] or "-",
            str(row["jobs"]),
            str(row["assets"]),
            str(row["schedules"]),
            row["version"][:8] or "-",
            when(known[row["name"]].loaded_at, now) if row["name"] in known else "never",
            Cell(row["error"], "red") if row["error"] else "",
        ]
        for row in rows
    ]
    headers = ["location", "python", "jobs", "assets", "schedules", "version", "loaded", ""]
    out.say(table(headers, cells, right=(2, 3, 4)))
    return exits.FAILED if any(row["error"] for row in rows) else exits.OK


@click.command()
@click.argument("name", metavar="[NAME]", required=False)
@output_options
def errors(name: str | None, out: Output) -> int:
    """Show all that is wrong in the files of code locations, as the service found it when it loaded them last.

    Of all locations without NAME. The exit code is 1 where anything is wrong.

    \b
    Examples:
      batuta locations errors
      batuta locations errors shop
    """
    import msgspec

    from batuta.cli.failures import problem_text
    from batuta.core.definitions import Problem

    _check_name(name)
    with open_store() as store:
        rows = [row for row in store.definitions() if row.error and name in (None, row.location)]
    found = {row.location: msgspec.json.decode(row.problems, type=tuple[Problem, ...]) for row in rows}
    out.document(
        {
            "locations": [
                {"name": row.location, "error": row.error, "problems": [_told(one) for one in found[row.location]]}
                for row in rows
            ]
        }
    )
    for row in rows:
        out.say(click.style(f"{row.location}: {plural(max(len(found[row.location]), 1), 'error')}", bold=True))
        if not found[row.location]:
            out.say(row.error)
        for one in found[row.location]:
            told = _told(one)
            out.say(problem_text(told["message"], told["place"], told["hint"], told["detail"]))
    if not rows:
        out.say("nothing is wrong")
    return exits.FAILED if rows else exits.OK


def _told(problem: Problem) -> dict[str, Any]:
    place = str(problem.place) if problem.place.file else ""
    return {"message": problem.message, "place": place, "hint": problem.hint, "detail": problem.detail}


def _check_name(name: str | None) -> list[str]:
    """The locations that are meant: that one, or all. Raises RequestError."""
    names = [each.name for each in project_at("").locations]
    if name is not None and name not in names:
        hint = nearest(name, names) or f"locations are {', '.join(names)}"
        raise RequestError(f"there is no code location {name!r}", hint=hint)
    return names if name is None else [name]


@click.command()
@click.argument("name", metavar="[NAME]", required=False)
@output_options
def reload(name: str | None, out: Output) -> int:
    """Load a code location anew.

    All of them without NAME. The service does it by itself when files change; this is for what else may have changed,
    an environment for example. Runs that are under way go on with the code that they began with.

    \b
    Examples:
      batuta locations reload
      batuta locations reload shop
    """
    from batuta.cli.live_runs import wait_for
    from batuta.runtime.people import person
    from batuta.scheduler.reloading import ask_for_reload

    wanted = _check_name(name)
    now = time.time()
    with open_store() as store:
        if not any(each.kind in ("up", "scheduler") for each in store.processes(now - 30)):
            raise RequestError("no scheduler runs here", hint="`batuta up` loads them when it starts")
        for each in wanted:
            ask_for_reload(store, each, by=person(), now=now)

        def loaded() -> bool:
            return all(row.loaded_at >= now for row in store.definitions() if row.location in wanted)

        in_time = wait_for(loaded, RELOAD_WAIT_S)
        errors = {row.location: row.error for row in store.definitions() if row.location in wanted and row.error}
    out.document({"reloaded": wanted if in_time else [], "errors": errors})
    for each in wanted:
        out.say(f"{each}: {errors.get(each) or ('loaded' if in_time else 'not loaded yet')}")
    return exits.FAILED if errors or not in_time else exits.OK
