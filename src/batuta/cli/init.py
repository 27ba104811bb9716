"""`batuta init`: a project that runs, from the templates in `scaffold/`."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

import click

from batuta.cli.output import Output, output_options
from batuta.core.errors import RequestError

STYLES = ("assets", "flow", "dag")
COMMANDS = {
    "assets": [
        ("batuta materialize --stale", "make the assets; a second time it says that all is fresh"),
        ("batuta lineage --html lineage.html", "draw what is made from what"),
        ("batuta show gold.revenue", "all about one asset"),
    ],
    "flow": [
        ("batuta run weather", "run the flow"),
        ('batuta run weather -p \'cities=["Rome", "Cairo"]\' --logs', "with parameters, and what tasks print"),
        ("batuta runs list", "what ran, and how it went"),
    ],
    "dag": [
        ("batuta graph nightly", "draw its steps"),
        ("batuta run nightly", "run it"),
        ("batuta runs show 1", "how that went"),
        ("batuta up", "have its schedule start it, until Ctrl-C"),
    ],
    "all": [
        ("batuta materialize --stale", "make the assets; a second time it says that all is fresh"),
        ("batuta run weather", "run the flow; `batuta run nightly` runs the DAG"),
        ("batuta lineage --html lineage.html", "draw what is made from what"),
        ("batuta up", "have schedules start all that by themselves, until Ctrl-C"),
    ],
}


@click.command()
@click.argument("folder", metavar="[DIR]", default=".")
@click.option(
    "--style", type=click.Choice([*STYLES, "all"]), default="all", show_default=True, help="What it begins with."
)
@output_options
def init(folder: str, style: str, out: Output) -> None:
    """Make a new project that runs.

    In DIR, or here. Files that are there already are never touched: then nothing is written at all.

    \b
    Examples:
      batuta init shop
      batuta init shop --style flow
    """
    root = Path(folder)
    wanted = scaffold(root.resolve().name, style)
    present = [name for name in wanted if (root / name).exists()]
    if present:
        shown = ", ".join(present[:5]) + (", …" if len(present) > 5 else "")
        raise RequestError(f"there is something in {folder} already: {shown}", hint="name a new folder")
    for name, text in wanted.items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            hint = "name a folder that may be written"
            raise RequestError(f"nothing can be written there: {why}", where=str(path), hint=hint) from None
    commands = next_commands(folder, style)
    out.document({"folder": str(root.resolve()), "files": list(wanted), "next": [command for command, _ in commands]})
    out.say(f"{click.style('✓', fg='green')} a project in {click.style(folder, bold=True)}: {', '.join(wanted)}")
    if not out.quiet:
        out.say("\nnext:")
        width = max(len(command) for command, _ in commands)
        for command, about in commands:
            padding = " " * (width - len(command)) if about else ""
            out.say(f"  {click.style(command, fg='cyan')}{padding}  {click.style(about, dim=True)}".rstrip())


def next_commands(folder: str, style: str) -> list[tuple[str, str]]:
    """What to type now, and what it does."""
    change = [] if os.path.samefile(folder, ".") else [(f"cd {folder}", "")]
    return [*change, *COMMANDS[style]]


def scaffold(name: str, style: str) -> dict[str, str]:
    """The files of a new project, by their place in it."""
    styles = STYLES if style == "all" else (style,)
    lines = "\n".join(f"    {command.ljust(44)} # {about}" for command, about in COMMANDS[style])
    wanted = {
        "batuta.toml": _template("batuta.toml"),
        ".gitignore": _template("gitignore"),
        "README.md": _template("README.md").replace("@commands@", lines),
        "conftest.py": '"""Makes `pipelines` importable for the tests."""\n',
    }
    for one in styles:
        wanted[f"pipelines/{one}.py"] = _template(f"{one}.py")
        wanted[f"tests/test_{one}.py"] = _template(f"test_{one}.py")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return {place: text.replace("@name@", quoted) for place, text in wanted.items()}


def _template(name: str) -> str:
    return (files("batuta.cli") / "scaffold" / f"{name}.tmpl").read_text(encoding="utf-8")
