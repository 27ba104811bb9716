"""`batuta backfills`: many partitions or logical times, run by the service, so many at once.

What is defined comes from the store, where a service has been started on it, else from the code. `batuta backfill`
makes a range in one run, here and now.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from batuta.cli.defined import defined, recorded
from batuta.cli.formats import ago, iso, number, parse_date, plural
from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import environment_option, open_store, open_workspace, parse_pairs, parse_params
from batuta.core.errors import RequestError
from batuta.runtime.people import person

if TYPE_CHECKING:
    from batuta.core.backfills import Action, Backfill, Mode
    from batuta.core.definitions import Definitions
    from batuta.core.joined import Joined
    from batuta.scheduler.backfill_plan import Preview
    from batuta.store.backfill_box import BackfillRow
    from batuta.store.store import Store

BACKFILLS = {
    "launch": Lazy("backfills:launch", "Run many partitions or logical times, so many at once."),
    "list": Lazy("backfills:list_backfills", "List backfills, newest first."),
    "show": Lazy("backfills:show", "Show a backfill, and what is the matter with its items."),
    "pause": Lazy("backfills:pause", "Submit nothing more for now; what is under way ends."),
    "resume": Lazy("backfills:resume", "Go on with a paused backfill."),
    "cancel": Lazy("backfills:cancel", "Stop a backfill, and the runs that are under way."),
    "retry": Lazy("backfills:retry", "Run again what failed or was stopped, and nothing else."),
}
_COLORS = {"succeeded": "green", "failed": "red", "running": "blue", "paused": "yellow", "cancelling": "yellow"}
_STATES = ("waiting", "submitted", "succeeded", "failed", "cancelled")
SHOWN_MAX = 10


@click.group(cls=LazyGroup, lazy=BACKFILLS)
def backfills() -> None:
    """Launch backfills, see how they fare, pause, cancel and retry them."""


class Wish(NamedTuple):
    """What the command line says of a backfill."""

    word: str
    partitions: str
    first: str | None
    last: str | None
    every: str
    mode: Mode
    location: str


def _location(store: Store, wish: Wish) -> tuple[str, Definitions, Joined | None]:
    """The location that defines the job, or the only one, with its definitions; and what selections are over, where
    that is more: those of all locations, one that is called "". Raises RequestError."""
    from batuta.core.joined import joined, named

    found = recorded(store)
    if not found:
        with open_workspace("") as workspace:
            found = defined(workspace)
    if wish.location:
        if wish.location not in found:
            raise RequestError(f"there is no code location {wish.location!r}", hint=f"locations: {', '.join(found)}")
        return wish.location, found[wish.location], None
    both = joined([named(one, name) for name, one in found.items()])
    for name, one in found.items():
        if len(found) == 1 or any(job.name == wish.word for job in one.jobs):
            return name, one, both
    return "", both.definitions, both


def _spec(store: Store, wish: Wish, **more: Any) -> tuple[Backfill, Definitions, Joined | None]:
    from batuta.core.backfills import Backfill
    from batuta.scheduler.backfill_plan import timing_for

    location, definitions, whole = _location(store, wish)
    is_job = any(job.name == wish.word for job in definitions.jobs)
    first = None if wish.first is None else parse_date(wish.first)
    last = first if wish.last is None else parse_date(wish.last)
    timing = timing_for(definitions, wish.word, wish.every) if is_job and first is not None else None
    spec = Backfill(
        job=wish.word if is_job else "",
        selection="" if is_job else wish.word,
        location=location,
        partitions=wish.partitions,
        first=first,
        last=last,
        timing=timing,
        mode=wish.mode,
        **more,
    )
    return spec, definitions, whole


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="JOB | SELECTION")
@click.option("--partitions", default="", metavar="KEYS", help="A range a..b, a list a,b, a period, latest:7, all.")
@click.option("--from", "first", metavar="TIME", help="Of a job: the first logical time.")
@click.option("--to", "last", metavar="TIME", help="Of a job: the last logical time, included.")
@click.option(
    "--every", default="", metavar="WHEN", help="How often: daily, a cron, a schedule; else as it is scheduled."
)
@click.option("--missing", "mode", flag_value="missing", help="Only partitions that were never made.")
@click.option("--stale", "mode", flag_value="stale", help="Only partitions that are missing or stale.")
@click.option("--failed", "mode", flag_value="failed", help="Only partitions that failed when last made.")
@click.option(
    "--batch", type=click.IntRange(0), default=1, show_default=True, help="Partitions of a run; 0: all in one."
)
@click.option("--runs", "runs_max", type=click.IntRange(1), default=10, show_default=True, help="Runs at once.")
@click.option("--newest", is_flag=True, help="Begin with the newest.")
@click.option("--priority", type=int, default=0, help="Of its runs.")
@click.option("-p", "--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the runs; may be repeated.")
@click.option("--location", default="", metavar="NAME", help="The code location, where there are several.")
@environment_option
@click.option("--preview", is_flag=True, help="Say which partitions and how many runs, and stop.")
@output_options
def launch(
    words: tuple[str, ...],
    partitions: str,
    first: str | None,
    last: str | None,
    every: str,
    mode: Mode | None,
    batch: int,
    runs_max: int,
    newest: bool,
    priority: int,
    pairs: tuple[str, ...],
    tags: tuple[str, ...],
    location: str,
    environment: str,
    preview: bool,
    out: Output,
) -> None:
    """Run many partitions of assets, or a job for many logical times, so many at once.

    The service (`batuta up`) does it; it goes on where it was when that is stopped. `batuta backfill` makes a range of
    partitions in one run, here.

    \b
    Examples:
      batuta backfills launch bronze.rates --partitions 2025 --preview
      batuta backfills launch 'bronze.rates+' --partitions 2025-01..2025-03 --missing --runs 4
      batuta backfills launch nightly --from 2025-01-01 --to 2025-01-31 --every daily
    """
    from batuta.scheduler.backfill_plan import planned

    wish = Wish(" ".join(words), partitions, first, last, every, mode or "all", location)
    now = time.time()
    with open_store(must_exist=False) as store:
        spec, definitions, whole = _spec(
            store,
            wish,
            batch=batch,
            runs_max=runs_max,
            order="newest" if newest else "oldest",
            priority=priority,
            params=parse_params(pairs, None),
            tags=parse_pairs(tags, "--tag"),
            environment=environment,
        )
        found = planned(definitions, store, spec, now, whole)
        if environment and not preview:
            store.environments.make(environment, by=person(), now=now)
        made = None if preview else store.backfills.create(found.spec, found.items, by=person(), now=now)
    labels = [item.label for item in found.items]
    out.document({"id": made, **found.data, "items": labels if preview else labels[:SHOWN_MAX]})
    _tell(found, labels, out)
    if made is not None:
        out.say(f"backfill {made} launched; see `batuta backfills show {made}`")


def _tell(found: Preview, labels: list[str], out: Output) -> None:
    spec = found.spec
    of = f" of {', '.join(found.assets[:5])}{', ...' if len(found.assets) > 5 else ''}" if found.assets else ""
    what = "partition" if spec.first is None else "logical time"
    out.say(f"{plural(len(labels), 'run')} for {plural(found.chosen - found.left_out, what)}{of}")
    if labels:
        shown = labels if len(labels) <= SHOWN_MAX else [*labels[: SHOWN_MAX // 2], "...", *labels[-SHOWN_MAX // 2 :]]
        out.say(f"  {', '.join(shown)}")
    if found.left_out:
        why = {"missing": "made already", "stale": "fresh", "failed": "not failed"}.get(spec.mode, "excluded")
        out.say(f"  {number(found.left_out)} left out: {why}")
    elif found.made:
        out.say(f"  {number(found.made)} of them are made already, and are made again")
    for key, count in found.follow.items():
        out.say(f"  with them {plural(count, 'partition')} of {key}")


@click.command("list")
@click.option("--state", metavar="STATE", help="Only those: running, paused, cancelling, succeeded, failed, cancelled.")
@click.option("--before", type=int, metavar="ID", help="Only those before this one: the next page.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@output_options
def list_backfills(state: str | None, before: int | None, limit: int, out: Output) -> None:
    """List backfills, newest first.

    \b
    Examples:
      batuta backfills list
      batuta backfills list --state running --json
    """
    now = time.time()
    with open_store() as store:
        rows = store.backfills.page(state=state, before=before, limit=limit)
        counts = store.backfills.counts([row.id for row in rows])
    out.document({"backfills": [_data(row, counts[row.id]) for row in rows]})
    lines = [
        (
            str(row.id),
            row.spec.job or row.spec.selection,
            Cell(row.state, _COLORS.get(row.state)),
            _progress(counts[row.id]),
            Cell(ago(row.created_at, now), dim=True),
        )
        for row in rows
    ]
    if lines:
        out.say(table(("ID", "OF", "STATE", "RUNS", "LAUNCHED"), lines, right=(0,)))
    else:
        out.note("there are no backfills")


def _progress(counts: dict[str, int]) -> str:
    return ", ".join(f"{number(counts[state])} {state}" for state in _STATES if counts.get(state))


def _data(row: BackfillRow, counts: dict[str, int]) -> dict[str, Any]:
    spec = row.spec
    return {
        "id": row.id,
        "job": spec.job or None,
        "assets": spec.selection or None,
        "location": spec.location,
        "partitions": spec.partitions or None,
        "from": iso(spec.first),
        "to": iso(spec.last),
        "environment": spec.environment,
        "mode": spec.mode,
        "batch": spec.batch,
        "runs_max": spec.runs_max,
        "order": spec.order,
        "state": row.state,
        "runs": counts,
        "created_by": row.created_by,
        "created_at": iso(row.created_at),
        "finished_at": iso(row.finished_at),
    }


@click.command()
@click.argument("backfill_id", type=int, metavar="ID")
@click.option("--all", "every", is_flag=True, help="All items, not only those that failed or are under way.")
@output_options
def show(backfill_id: int, every: bool, out: Output) -> None:
    """Show a backfill, and its items that failed or are under way.

    \b
    Examples:
      batuta backfills show 3
      batuta backfills show 3 --all --json
    """
    now = time.time()
    states = None if every else ["submitted", "failed"]
    with open_store() as store:
        row = store.backfills.get(backfill_id)
        counts = store.backfills.counts([backfill_id])[backfill_id]
        items = store.backfills.items(backfill_id, states=states, limit=200_000 if every or out.json else 50)
    out.document(
        {
            **_data(row, counts),
            "items": [
                {"no": one.no, "label": one.item.label, "state": one.state, "attempt": one.attempt}
                | {"run": one.run_id, "error": one.error or None}
                for one in items
            ],
        }
    )
    out.say(f"backfill {row.id} of {row.spec.job or row.spec.selection}: {row.state}, {_progress(counts)}")
    if row.spec.environment:
        out.say(f"  in environment {row.spec.environment}")
    out.say(f"  launched {ago(row.created_at, now)} by {row.created_by or 'nobody'}")
    lines = [
        (one.item.label, Cell(one.state, _COLORS.get(one.state)), str(one.run_id or ""), one.error[:120])
        for one in items
    ]
    if lines:
        out.say(table(("ITEM", "STATE", "RUN", ""), lines))


def _act(backfill_id: int, action: Action, done: str, out: Output) -> None:
    with open_store() as store:
        state = store.backfills.act(backfill_id, action, by=person(), now=time.time())
    out.document({"id": backfill_id, "state": str(state)})
    out.say(f"backfill {backfill_id} {done}")


@click.command()
@click.argument("backfill_id", type=int, metavar="ID")
@output_options
def pause(backfill_id: int, out: Output) -> None:
    """Submit nothing more for now; what is under way ends.

    \b
    Examples:
      batuta backfills pause 3
    """
    _act(backfill_id, "pause", "is paused", out)


@click.command()
@click.argument("backfill_id", type=int, metavar="ID")
@output_options
def resume(backfill_id: int, out: Output) -> None:
    """Go on with a paused backfill.

    \b
    Examples:
      batuta backfills resume 3
    """
    _act(backfill_id, "resume", "goes on", out)


@click.command()
@click.argument("backfill_id", type=int, metavar="ID")
@output_options
def cancel(backfill_id: int, out: Output) -> None:
    """Stop a backfill, and the runs that are under way.

    \b
    Examples:
      batuta backfills cancel 3
    """
    _act(backfill_id, "cancel", "is being cancelled", out)


@click.command()
@click.argument("backfill_id", type=int, metavar="ID")
@output_options
def retry(backfill_id: int, out: Output) -> None:
    """Run again what failed or was stopped, and nothing else.

    \b
    Examples:
      batuta backfills retry 3
    """
    _act(backfill_id, "retry", "tries again what failed", out)
