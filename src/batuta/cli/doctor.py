"""`batuta doctor`: is everything in order here? Each finding is ok, a warning or a failure, with what to do."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from batuta.cli import exits
from batuta.cli.formats import plural, short_path, size
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import file_option, one_at_most, open_workspace, project_at, split_target, sqlite_path
from batuta.core.errors import BatutaError

if TYPE_CHECKING:
    from batuta.runtime.project import Project
    from batuta.store.rows import RunRow
    from batuta.store.store import Store

Level = Literal["ok", "warn", "fail"]
ROOM_WARN_BYTES = 1 << 30
ROOM_FAIL_BYTES = 50 << 20
STORE_SLOW_S = 0.1
EXTRAS = {
    "polars": "polars",
    "pandas": "pandas",
    "arrow": "pyarrow",
    "duckdb": "duckdb",
    "postgres": "psycopg",
    "pandera": "pandera",
    "http": "httpx",
    "venv": "uv",
    "notify": "apprise",
    "secrets": "cryptography",
}
_COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}


class Finding(NamedTuple):
    """One line of the report."""

    level: Level
    about: str
    told: str
    todo: str = ""


@click.command()
@click.argument("words", nargs=-1, metavar="[FILE]")
@file_option
@output_options
def doctor(words: tuple[str, ...], file: str | None, out: Output) -> int:
    """Check that everything is in order here.

    Python, versions, the project file, the store, the key of secrets, disk space, the code, plugins, extras, runs that
    nobody executes. Exits with 1 if something failed; warnings are no failure.

    \b
    Examples:
      batuta doctor
      batuta doctor pipeline.py --json
    """
    target, rest = split_target(words, file)
    one_at_most(rest, "file")
    findings = list(_examine(target))
    out.document({"findings": [finding._asdict() for finding in findings]})
    rows = [(Cell(f.level, _COLORS[f.level], bold=f.level == "fail"), f.about, f.told) for f in findings]
    if not out.json:
        for finding, line in zip(findings, table(("", "", ""), rows).splitlines(), strict=True):
            if out.quiet and finding.level == "ok":
                continue
            out.say(line)
            if finding.todo:
                out.say(f"      {click.style('→', fg='cyan')} {finding.todo}")
    return exits.FAILED if any(finding.level == "fail" for finding in findings) else exits.OK


def _examine(target: str) -> Iterator[Finding]:
    yield from _python()
    try:
        project = project_at(target)
    except BatutaError as error:
        yield Finding("fail", "project", f"{error.where}: {error.what}", error.hint or "")
        return
    yield from _guarded("project", lambda: _project(project))
    yield from _guarded("disk", lambda: _disk(project))
    yield from _guarded("store", lambda: _store(project))
    yield from _guarded("code", lambda: _code(project, target))
    yield from _guarded("plugins", _plugins)
    yield _extras()


def _guarded(about: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What looking into it finds, or why it cannot be looked into."""
    try:
        yield from list(look())
    except BatutaError as error:
        where = f"{error.where}: " if error.where else ""
        yield Finding("fail", about, where + error.what.partition("\n")[0], error.hint or "")
    except OSError as error:
        yield Finding("fail", about, f"{error.filename or ''}: {error.strerror}")


def _python() -> Iterator[Finding]:
    from batuta import __version__

    told = f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]} at {sys.executable}"
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        yield Finding("ok", "Python", told)
    else:
        yield Finding("warn", "Python", told, "Batuta is tested on Python 3.11 to 3.14")
    yield Finding("ok", "Batuta", f"{__version__} at {short_path(os.path.dirname(os.path.dirname(__file__)))}")


def _project(project: Project) -> Iterator[Finding]:
    if not project.file:
        todo = "`batuta init` makes one; a single Python file needs none"
        yield Finding("warn", "project", f"no batuta.toml in {short_path(project.root)} or above", todo)
        return
    yield Finding("ok", "project", f"{project.name} ({short_path(project.file)})")
    for code in project.targets:
        path = os.path.join(project.root, code)
        is_module = not code.endswith(".py") and os.sep not in code and find_spec_quietly(code.partition(".")[0])
        if not os.path.exists(path) and not is_module:
            todo = f"mend `code` in {short_path(project.file)}"
            yield Finding("fail", "project", f"code = {code!r} is not there", todo)


def _disk(project: Project) -> Iterator[Finding]:
    place = project.home
    while not os.path.isdir(place):
        place = os.path.dirname(place) or "."
    free = shutil.disk_usage(place).free
    told = f"{size(free)} free for {short_path(project.home)}"
    todo = "make room; `batuta db prune --older-than 30d --vacuum` forgets old runs"
    if free < ROOM_FAIL_BYTES:
        yield Finding("fail", "disk", told, todo)
    else:
        yield Finding("warn" if free < ROOM_WARN_BYTES else "ok", "disk", told, todo if free < ROOM_WARN_BYTES else "")
    if not os.access(place, os.W_OK):
        yield Finding("fail", "disk", f"{place} cannot be written to", "change its rights, or set BATUTA_HOME")


def _store(project: Project) -> Iterator[Finding]:
    from batuta.store.revisions import NEWEST
    from batuta.store.store import Store

    path = sqlite_path(project)
    if path is not None and not os.path.exists(path):
        yield Finding("ok", "store", f"none yet; the first run makes {short_path(path)}")
        return
    started = time.monotonic()
    with Store.open(project.store_url, upgrade=False, durable=project.config.store.durable) as store:
        store.set_meta("doctor", str(int(time.time())))
        took = time.monotonic() - started
        told = f"{short_path(store.location)}, schema {NEWEST}, {size(store.size())}, a write in {took * 1000:.0f} ms"
        slow = took > STORE_SLOW_S
        yield Finding("warn" if slow else "ok", "store", told, "is the disk busy, or the server far?" if slow else "")
        yield from _runs(store)
        yield from _secrets(project, store)
        yield from _alerts(project, store)


def _runs(store: Store) -> Iterator[Finding]:
    """Runs that wait for somebody."""
    from batuta.cli.live_runs import is_executed

    now = time.time()
    open_runs = store.runs(states=["queued", "running", "cancelling"], limit=500)
    left = [row for row in open_runs if not is_executed(row, now)]
    if left:
        todo = f"`batuta runs resume {left[0].id}` goes on with one, `batuta runs cancel {left[0].id}` ends it"
        told = f"{plural(len(left), 'run was', 'runs were')} left unfinished by an engine that is gone: {_ids(left)}"
        yield Finding("warn", "runs", told, todo)
    paused = store.runs(states="paused", limit=100)
    if paused:
        told = f"{plural(len(paused), 'run waits', 'runs wait')} for an answer: {_ids(paused)}"
        yield Finding("warn", "runs", told, f"`batuta runs show {paused[0].id}` says what it asks")


def _alerts(project: Project, store: Store) -> Iterator[Finding]:
    """Channels that do not take their messages."""
    if not project.config.alerts.channels:
        return
    waiting = store.alerts.troubled()
    for channel, (count, error) in waiting.items():
        told = f"{plural(count, 'message')} to {channel!r} could not be delivered: {error.partition(chr(10))[0]}"
        yield Finding("warn", "alerts", told, f"`batuta alerts test {channel}` tries it")
    if not waiting:
        yield Finding("ok", "alerts", f"{plural(len(project.config.alerts.rules), 'rule')}, nothing waits to be told")


def _secrets(project: Project, store: Store) -> Iterator[Finding]:
    """Whether what is encrypted can be read, and by whom the key can."""
    from batuta.runtime.vault import keys_of

    vault = store.vault(keys_of(project))
    count = len(vault.names("secret")) + len(vault.names("connection"))
    if not count:
        return
    broken = vault.unreadable()
    for error in broken[:5]:
        yield Finding("fail", "secrets", f"{error.where}: {error.what}", error.hint or "")
    told = f"{count - len(broken)} of {plural(count, 'secret or connection', 'secrets and connections')} can be read"
    keys = vault.keys
    if keys.is_file and keys.exists and os.stat(keys.file).st_mode & 0o077:
        yield Finding("warn", "secrets", f"{told}; others may read {short_path(keys.file)}", "chmod 600 that file")
    else:
        yield Finding("ok" if not broken else "warn", "secrets", f"{told}, with the key of {short_path(keys.where)}")


def _plugins() -> Iterator[Finding]:
    """Plugins that are broken; each would be an error of whoever asks for it."""
    from batuta import plugins

    found = plugins.plugins()
    for plugin in found:
        try:
            plugin.load()
        except BatutaError as error:
            yield Finding("warn", "plugins", f"{error.where}: {error.what}", error.hint or "")
    if found:
        yield Finding("ok", "plugins", ", ".join(f"{plugin.name} ({plugin.package})" for plugin in found))


def _ids(rows: list[RunRow]) -> str:
    return ", ".join(str(row.id) for row in rows[:10]) + (", …" if len(rows) > 10 else "")


def _code(project: Project, target: str) -> Iterator[Finding]:
    if not target and project.config.locations:
        names = ", ".join(location.name for location in project.config.locations)
        yield Finding("ok", "code", f"in code locations: {names}; `batuta doctor --file NAME` checks one")
        return
    if not target and not project.targets:
        yield Finding("ok", "code", "none is configured; name a file to have it checked")
        return
    with open_workspace(target) as workspace:
        definitions = workspace.definitions
        told = (
            f"{plural(len(definitions.jobs), 'job')}, {plural(len(definitions.assets), 'asset')}, "
            f"{plural(len(definitions.checks), 'check')}"
        )
        yield Finding("ok" if not definitions.problems else "warn", "code", told)
        for problem in definitions.problems:
            yield Finding("fail", "code", f"{short_path(str(problem.place))}: {problem.message}", problem.hint)


def _extras() -> Finding:
    there = [name for name, module in EXTRAS.items() if find_spec_quietly(module)]
    absent = [name for name in EXTRAS if name not in there]
    told = f"{', '.join(there) or 'none'} installed"
    return Finding("ok", "extras", told + (f"; not: {', '.join(absent)}" if absent else ""))


def find_spec_quietly(module: str) -> bool:
    """Whether a module could be imported, without importing it."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
