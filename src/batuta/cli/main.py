"""The way in: `batuta ...`. Parses, runs the command, and turns whatever happens into an exit code and a clear text."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from batuta.cli import exits
from batuta.cli.group import COMMANDS, LazyGroup

_CODES = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in exits.MEANINGS)

HELP = """Batuta runs data work: flows, DAGs and assets, on one engine.

A Python file is enough. A folder with batuta.toml is a project, whose code need not be named.

\b
Begin here:
  batuta init shop              a project with an example that runs
  batuta run pipeline.py        run the flow or DAG in a file
  batuta materialize --stale    make what changed, and say why
  batuta runs list              what ran, and how it went
"""

EPILOG = f"""\b
Exit codes:
{_CODES}

\b
Environment:
  BATUTA_HOME        folder of the store, logs and results (.batuta in the project)
  BATUTA_PROFILE     the profile of batuta.toml that goes over the rest
  BATUTA_STORE_URL   the store's database, for example postgresql://me@host/batuta
  NO_COLOR           print without colours

`batuta COMMAND --help` shows examples. Every command has --json.
"""


@click.group(
    cls=LazyGroup, lazy=COMMANDS, help=HELP, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.option("-C", "--project", metavar="DIR", help="Work as if started in this folder.")
@click.version_option(package_name="batuta", message="%(prog)s %(version)s", help="Print the version.")
def cli(project: str | None) -> None:
    if project is not None:
        try:
            os.chdir(project)
        except OSError as error:
            raise click.BadParameter(f"{project}: {error.strerror}", param_hint="--project") from None


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    given = list(sys.argv[1:] if args is None else args)
    code = run(given)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _pipe_closed()
    sys.exit(code)


def run(args: list[str]) -> int:
    """Run the command line; the exit code."""
    try:
        result: Any = cli.main(args=args, prog_name="batuta", standalone_mode=False, color=_color())
        return result if isinstance(result, int) else exits.OK
    except click.exceptions.Abort:
        click.echo("\ncancelled", err=True)
        return exits.CANCELLED
    except KeyboardInterrupt:
        click.echo("\ncancelled", err=True)
        return exits.CANCELLED
    except BrokenPipeError:
        return _pipe_closed()
    except Exception as error:
        from batuta.cli.failures import report

        return report(error, as_json="--json" in args)


def _color() -> bool | None:
    """None: colours where the output is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return True if os.environ.get("FORCE_COLOR") else None


def _pipe_closed() -> int:
    """Whoever read our output has read enough."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return exits.OK


if __name__ == "__main__":
    main()
