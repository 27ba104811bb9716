"""What went wrong, in words: every error becomes an exit code, a text with a place and a hint, or one JSON document.

Nobody sees a traceback of ours for what they gave. A bug of ours leaves its traceback in a file and says where.
"""

from __future__ import annotations

import os
import time
import traceback
from typing import Any

import click

from batuta.cli import exits
from batuta.core.errors import (
    BatutaError,
    DefinitionError,
    InvariantError,
    RequestError,
    StoreError,
)
from batuta.runtime.masking import mask


def report(error: Exception, *, as_json: bool) -> int:
    """Say what went wrong; the exit code."""
    code = exit_code(error)
    if code == exits.BUG:
        return _bug(error, as_json)
    if as_json:
        from batuta.cli.output import print_json

        print_json({"error": document(error), "exit_code": code})
    elif isinstance(error, click.ClickException):
        error.show()
    else:
        click.echo(text(error), err=True)
    return code


def exit_code(error: BaseException) -> int:
    """The exit code that stands for an error."""
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException() | RequestError():
            return exits.USAGE
        case InvariantError():
            return exits.BUG
        case DefinitionError():
            return exits.UNLOADABLE
        case StoreError():
            return exits.STORE
        case BatutaError():
            return exits.FAILED
        case PermissionError() | FileNotFoundError() | FileExistsError() | IsADirectoryError() | NotADirectoryError():
            return exits.USAGE
    return exits.BUG


def document(error: BaseException) -> dict[str, Any]:
    """An error as JSON data."""
    if isinstance(error, BatutaError):
        data = {"kind": type(error).__name__, "what": error.what, "where": error.where or "", "hint": error.hint or ""}
        notes = getattr(error, "__notes__", None)
        return {**data, "detail": "\n".join(notes)} if notes else data
    if isinstance(error, click.ClickException):
        return {"kind": "UsageError", "what": error.format_message(), "where": "", "hint": ""}
    return {"kind": type(error).__name__, "what": str(error), "where": "", "hint": ""}


def text(error: BaseException) -> str:
    """An error for a terminal: what is wrong, where, the user's own traceback if there is one, and what to do."""
    if not isinstance(error, BatutaError):
        return f"{_label('error')} {error}"
    return problem_text(error.what, error.where, error.hint, "\n".join(getattr(error, "__notes__", [])))


def problem_text(what: str, where: str | None, hint: str | None, detail: str = "", label: str = "error") -> str:
    """One problem as text: the place on a line of its own, so that an editor can jump to it."""
    lines = [f"{_label(label)} {what}"]
    if where:
        lines.append(f"  at   {where}")
    if detail.strip():
        lines += [click.style(f"       {line}", dim=True) for line in detail.strip().splitlines()]
    if hint:
        lines.append(f"  {click.style('hint', fg='cyan')} {hint}")
    return "\n".join(lines)


def _label(label: str) -> str:
    return click.style(f"{label}:", fg="yellow" if label == "warning" else "red", bold=True)


def _bug(error: Exception, as_json: bool) -> int:
    file = _write_traceback(error)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    hint = f"the details are in {file}; please report them" if file else "please report it with the text above"
    if as_json:
        from batuta.cli.output import print_json

        document = {"kind": "Bug", "what": what, "where": file, "hint": hint}
        print_json({"error": document, "exit_code": exits.BUG})
        return exits.BUG
    if not file or os.environ.get("BATUTA_DEBUG"):
        click.echo(mask("".join(traceback.format_exception(error))), err=True)
    click.echo(problem_text(f"this is a bug in Batuta: {what}", None, hint), err=True)
    return exits.BUG


def _write_traceback(error: Exception) -> str:
    """The file with the traceback; in the project's home, else in the folder for temporary files."""
    import platform
    import sys
    import tempfile

    from batuta import __version__

    name = f"bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    head = f"batuta {__version__}, Python {platform.python_version()}, {platform.platform()}\n{' '.join(sys.argv)}\n\n"
    content = head + mask("".join(traceback.format_exception(error)))
    home = os.environ.get("BATUTA_HOME") or ".batuta"
    for folder in (home, tempfile.gettempdir()):
        try:
            if os.path.isdir(folder):
                path = os.path.abspath(os.path.join(folder, name))
                with open(path, "w", encoding="utf-8") as file:
                    file.write(content)
                return path
        except OSError:
            continue
    return ""
