"""`batuta up` and `batuta scheduler`: the service, in this process, until it is told to stop."""

from __future__ import annotations

import click

from batuta.cli.output import Output, output_options


@click.command()
@click.option("--host", metavar="HOST", help="Where the API and the UI listen ([server] host, by default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port ([server] port, by default 8421); 0: any.")
@click.option("--no-server", is_flag=True, help="Without the API and the UI.")
@click.option("--stop-after", type=float, metavar="SECONDS", help="How long running tasks may take to end at a stop.")
@output_options
def up(host: str | None, port: int | None, no_server: bool, stop_after: float | None, out: Output) -> int:
    """Run everything unattended on this machine, until stopped.

    Schedules, sensors, automations, backfills, the queue, the code locations with their workers, and the API. Code is
    loaded anew when its files change. Ctrl-C lets running tasks end (30 s), twice stops at once; the next start goes on
    where this one ended.

    \b
    Examples:
      batuta up
      batuta up --port 9000
      batuta up --no-server
    """
    from batuta.cli.serving import serve

    return serve("up", out, stop_s=stop_after, server=None if no_server else (host, port))


@click.command()
@click.option("--stop-after", type=float, metavar="SECONDS", help="How long running tasks may take to end at a stop.")
@output_options
def scheduler(stop_after: float | None, out: Output) -> int:
    """Run a scheduler alone: for several of them, on PostgreSQL.

    All share the work; any may end, or be killed, and the others carry on. On SQLite there is one at a time.

    \b
    Examples:
      BATUTA_STORE_URL=postgresql://me@host/batuta batuta scheduler
    """
    from batuta.cli.serving import serve

    return serve("scheduler", out, stop_s=stop_after, server=None)
