"""What a command is about: which words name code, which project they belong to, and the workspace that opens both."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from batuta.core.errors import ParameterError, RequestError

if TYPE_CHECKING:
    from batuta.cli.output import Output
    from batuta.core.definitions import Definitions
    from batuta.engine.code import ExecutorKind
    from batuta.engine.workspace import Workspace
    from batuta.runtime.project import Project
    from batuta.store.rows import RunRow
    from batuta.store.store import Store

F = TypeVar("F", bound=Callable[..., Any])


def file_option(command: F) -> F:
    """`--file`, for what cannot be told from a word."""
    return click.option(
        "-f", "--file", metavar="FILE", help="The Python file, folder, module or code location (else the project's)."
    )(command)


def execution_options(command: F) -> F:
    """How steps are executed, for all commands that start or go on with runs."""
    for option in reversed(
        (
            click.option(
                "--executor",
                type=click.Choice(["processes", "threads", "inline"]),
                help="Where steps run: warm processes (default), threads, or one after the other in this one.",
            ),
            click.option("--workers", type=click.IntRange(1, 1024), metavar="N", help="How many steps at once."),
            click.option("--logs", "show_logs", is_flag=True, help="Show what tasks print, as they print it."),
            click.option("--plain", is_flag=True, help="Lines instead of a live picture."),
        )
    ):
        command = option(command)
    return command


def environment_option(command: F) -> F:
    """`--env`, for what may be done in an environment."""
    return click.option(
        "--env",
        "environment",
        metavar="NAME",
        default="",
        help="In an environment: it reads what production has and writes what is its own.",
    )(command)


def tell_environment(workspace: Workspace, name: str, out: Output) -> None:
    """Say that an environment is new, as its name may be misspelt. Raises RequestError for one that cannot be."""
    if not name:
        return
    from batuta.core.environments import checked_name
    from batuta.core.errors import nearest

    known = [row.name for row in workspace.store.environments.all()]
    if checked_name(name) not in known:
        hint = nearest(name, known)
        out.note(f"environment {name} is new" + (f" ({hint})" if hint else ""))


def split_target(words: Sequence[str], file: str | None) -> tuple[str, list[str]]:
    """The words that name code (one at most, the first), and the others.

    A word names code if it ends in .py or .sql, or is a folder with Python files in it and is written with a slash or
    there is no project here whose code would be meant instead.
    """
    if file is not None:
        return file, list(words)
    if words and _names_code(words[0]):
        return words[0], list(words[1:])
    return "", list(words)


def _names_code(word: str) -> bool:
    if word.endswith((".py", ".sql")):
        return True
    if not os.path.isdir(word) or not any(Path(word).glob("*.py")):
        return False
    return os.sep in word or word in (".", "..") or not project_at("").targets


def project_at(target: str) -> Project:
    """The project of a target, or of the working folder."""
    from batuta.runtime.project import find_project

    return find_project(target if target and os.path.exists(target) else "")


def open_workspace(target: str, *, executor: str | None = None, workers: int | None = None) -> Workspace:
    """A workspace for a target. Use it as a context manager."""
    from batuta.engine.workspace import Workspace

    kind: ExecutorKind | None = executor  # type: ignore[assignment]
    project = project_at(target)
    if project.config.locations and target in (each.name for each in project.locations) and not os.path.exists(target):
        return Workspace(project, location=target, executor=kind, workers=workers)
    return Workspace(project, target, executor=kind, workers=workers)


def workspace_of(row: RunRow, *, executor: str | None = None, workers: int | None = None) -> Workspace:
    """The workspace of the code that a run was started with: a file, the project, or its code locations."""
    from batuta.engine.active import LOCATIONS
    from batuta.engine.workspace import Workspace

    kind: ExecutorKind | None = executor or row.config.get("executor")  # type: ignore[assignment]
    project = project_at("")
    if row.config.get(LOCATIONS):
        return Workspace(project, executor=kind, workers=workers)
    if row.location in (each.name for each in project.locations) and not os.path.exists(row.location):
        return Workspace(project, location=row.location, executor=kind, workers=workers)
    return Workspace(project_at(row.location), row.location, executor=kind, workers=workers)


def load(workspace: Workspace) -> Definitions:
    """What the workspace defines; files that cannot be loaded are told of on standard error.

    Raises LoadError where nothing is left.
    """
    from batuta.cli.failures import problem_text
    from batuta.core.errors import LoadError

    definitions = workspace.definitions
    for problem in definitions.problems:
        where = str(problem.place) if problem.place.file else None
        click.echo(problem_text(problem.message, where, problem.hint, problem.detail, "warning"), err=True)
    if definitions.problems and not definitions.jobs and not definitions.assets:
        where = workspace.target or workspace.project.root
        raise LoadError("nothing could be loaded", where=where, hint="mend the problems above")
    return definitions


def open_store(*, must_exist: bool = True) -> Store:
    """The store of the project here, brought up to date; where it may only be read, as it is.

    Raises StoreError where there is none and there must be.
    """
    from batuta.store.errors import StoreMissing, StoreReadOnly
    from batuta.store.store import Store

    project = project_at("")
    path = sqlite_path(project)
    if path is not None and must_exist and not os.path.exists(path):
        raise StoreMissing(
            "there is no store yet", where=path, hint="`batuta run` makes one; or go to the project's folder (-C DIR)"
        )
    if not must_exist:
        project.make_home()
    try:
        return Store.open(project.store_url, durable=project.config.store.durable)
    except StoreReadOnly:
        if not must_exist:
            raise
        return Store.open(project.store_url, read_only=True)


def store_if_any(workspace: Workspace) -> Store | None:
    """The workspace's store, unless that would have to be made first."""
    path = sqlite_path(workspace.project)
    return workspace.store if path is None or os.path.exists(path) else None


def sqlite_path(project: Project) -> str | None:
    """The file of the store; None where it is on a server."""
    url = project.store_url
    if "://" not in url:
        return url
    scheme, _, rest = url.partition("://")
    return rest.removeprefix("/") if scheme.startswith("sqlite") else None


def parse_pairs(pairs: Iterable[str], option: str) -> dict[str, str]:
    """`name=value` options. Raises ParameterError."""
    given: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"{option} {pair!r} is not name=value", hint=f"write {option} name=value")
        if name in given:
            raise ParameterError(f"{option} gives {name!r} twice", hint="give it once")
        given[name.strip()] = value
    return given


def parse_params(pairs: Iterable[str], json_text: str | None) -> dict[str, Any]:
    """`-p name=value` and `--params-json`, as one. Raises ParameterError."""
    params: dict[str, Any] = {}
    if json_text is not None:
        params.update(_json_params(json_text))
    params.update(parse_pairs(pairs, "-p"))
    return params


def _json_params(text: str) -> Mapping[str, Any]:
    import msgspec

    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except OSError as error:
            what = f"--params-json: {error.strerror}"
            raise ParameterError(what, where=text[1:], hint="@FILE reads a file") from None
    try:
        data = msgspec.json.decode(text.encode())
    except msgspec.DecodeError as error:
        hint = """write --params-json '{"day": "2026-01-31"}'"""
        raise ParameterError(f"--params-json is not JSON: {error}", hint=hint) from None
    if not isinstance(data, dict):
        raise ParameterError("--params-json is not an object", hint="""write --params-json '{"name": "value"}'""")
    return data


def one_at_most(words: Sequence[str], what: str) -> str:
    """The only word, or "". Raises RequestError."""
    if len(words) > 1:
        raise RequestError(f"one {what} is expected, not {len(words)}: {' '.join(words)}")
    return words[0] if words else ""
