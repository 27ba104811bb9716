"""`batuta version`."""

from __future__ import annotations

import click

from batuta.cli.output import Output, output_options


@click.command()
@output_options
def version(out: Output) -> None:
    """Print the version."""
    from batuta import __version__

    out.document({"version": __version__})
    out.say(f"batuta {__version__}")
