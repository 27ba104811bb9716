"""`batuta worker`: steps of a code location run here, for schedulers elsewhere."""

from __future__ import annotations

import os
import signal
from typing import Any

import click

from batuta.cli import exits
from batuta.cli.output import Output, output_options, print_json
from batuta.core.errors import RequestError


@click.command()
@click.option("--connect", "urls", multiple=True, required=True, metavar="URL", help="A scheduler; may be repeated.")
@click.option("--location", metavar="NAME", help="The location that this is, as the scheduler calls it.")
@click.option("--name", metavar="NAME", help="What this worker is called (else its machine and process).")
@click.option("--slots", type=click.IntRange(1, 1024), metavar="N", help="How many steps at once (else one a core).")
@click.option(
    "--stop-after",
    type=float,
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="How long running steps may take to end at a stop.",
)
@output_options
def worker(
    urls: tuple[str, ...], location: str | None, name: str | None, slots: int | None, stop_after: float, out: Output
) -> int:
    """Run steps here for a scheduler elsewhere.

    Code and data stay here, the schedule and the records there: it is this process that connects, so no port is opened
    here. Both sides need the same BATUTA_WORKER_TOKEN. Ctrl-C lets running steps end, twice stops at once.

    \b
    Examples:
      batuta worker --connect ws://scheduler:8422
      batuta worker --connect wss://scheduler:8422 --location spark --slots 8
    """
    from batuta.cli.targets import project_at
    from batuta.executors.remote_client import check_address
    from batuta.scheduler.remote_process import WorkerProcess, WorkerSettings, default_name
    from batuta.scheduler.remote_workers import TOKEN_VARIABLE

    for url in urls:
        check_address(url)
    project = project_at("")
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        hint = f"set {TOKEN_VARIABLE} to the same as where the scheduler runs"
        raise RequestError("a worker needs the token of its scheduler", hint=hint)
    settings = WorkerSettings(
        urls=urls,
        token=token,
        location=location or project.name,
        name=name or default_name(),
        slots=slots or project.config.executor.workers or os.cpu_count() or 2,
        stop_s=stop_after,
    )
    process = WorkerProcess(project, settings)
    asked = False

    def on_signal(_number: int, _frame: Any) -> None:
        nonlocal asked
        process.stop(at_once=asked)
        asked = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    if out.json:
        print_json({"event": "started", "pid": os.getpid(), "worker": settings.name, "location": settings.location})
    else:
        out.say(click.style(f"worker {settings.name} of {settings.location}", bold=True))
        out.say(f"  steps     {settings.slots} at once")
        for url in urls:
            out.say(f"  scheduler {url}")
        out.say("  Ctrl-C stops it")
    process.run()
    out.note("stopped")
    return exits.OK
