"""`batuta server`: the HTTP API alone, over the store that schedulers work on."""

from __future__ import annotations

import click

from batuta.cli.output import Output, output_options


@click.command()
@click.option("--host", metavar="HOST", help="Where it listens ([server] host, by default 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port ([server] port, by default 8421); 0: any.")
@output_options
def server(host: str | None, port: int | None, out: Output) -> int:
    """Serve the API and the UI alone.

    For production, beside one or more `batuta scheduler`: what is launched here is queued for them, and what is asked
    of runs they carry out. Anywhere but on the loopback interface it starts only where there are accounts.

    \b
    Examples:
      batuta server
      batuta server --host 0.0.0.0 --port 8080
    """
    from batuta.cli.serving_api import serve_api

    return serve_api(host, port, out)
