"""Starting is quick, and help teaches."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest

from batuta.cli import exits
from batuta.cli.db import DB, db
from batuta.cli.group import COMMANDS, LazyGroup
from batuta.cli.main import cli as root
from batuta.cli.runs import RUNS, runs

START_MAX_S = 0.150
HEAVY = (
    "rich",
    "sqlalchemy",
    "pydantic",
    "jinja2",
    "cloudpickle",
    "alembic",
    "fsspec",
    "msgspec",
    "asyncio",
    "sqlite3",
)


def start(*args: str) -> tuple[str, float]:
    """The output of a command and the CPU seconds it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "batuta.cli.main", *args]
    out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return out, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("args", [("--help",), ("version",), ("runs", "--help"), ("run", "--help")])
def test_starting_takes_less_than_150_ms_of_cpu(args: tuple[str, ...]) -> None:
    assert min(start(*args)[1] for _ in range(5)) < START_MAX_S


def test_python_m_batuta_is_batuta() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def said(*args: str) -> tuple[int, str, str]:
        command = [sys.executable, "-m", "batuta", *args]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        return done.returncode, done.stdout, done.stderr

    code, out, _ = said("--help")
    assert (code, out.split()[:2]) == (exits.OK, ["Usage:", "batuta"])
    code, _, told = said("no-such-command")
    assert code == exits.USAGE
    assert "no-such-command" in told


@pytest.mark.parametrize("args", [["--help"], ["version"], ["materialize", "--help"], ["doctor", "--help"]])
def test_nothing_heavy_is_imported_for_help(args: list[str]) -> None:
    code = f"import sys\nfrom batuta.cli.main import run\nrun({args!r})\nprint('imported', *sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    ).stdout
    imported = out.rpartition("imported ")[2].split()
    assert "batuta.cli.main" in imported
    assert [name for name in HEAVY if name in imported] == []


def commands(group: click.Group, name: str = "batuta") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for each in group.list_commands(context):
        command = group.get_command(context, each)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{name} {each}")
        else:
            yield f"{name} {each}", command


ALL = list(commands(root))


@pytest.mark.parametrize(("name", "command"), ALL, ids=[name for name, _ in ALL])
def test_every_command_has_examples_and_json(name: str, command: click.Command) -> None:
    text = command.get_help(click.Context(command))
    if name == "batuta version":
        assert "--json" in text
        return
    assert "Examples:" in text
    assert name in text
    assert "--json" in text or name == "batuta completion"


@pytest.mark.parametrize("group", [root, runs, db], ids=["batuta", "runs", "db"])
def test_the_list_of_commands_says_what_the_commands_say(group: LazyGroup) -> None:
    context = click.Context(group)
    for name, entry in group.lazy.items():
        command = group.get_command(context, name)
        assert command is not None
        assert (command.help or "").strip().partition("\n")[0] == entry.help, name


def test_help_lists_commands_exit_codes_and_environment() -> None:
    text, _ = start("--help")
    for name in COMMANDS:
        assert f"\n  {name} " in text
    for code, meaning in exits.MEANINGS:
        assert f"{code:>3}  {meaning}" in text
    assert "BATUTA_HOME" in text
    assert {"list", "show", "launch", "watch", "cancel", "resume", "retry", "mark", "artifacts", "external"} == set(
        RUNS
    )
    assert {"upgrade", "prune", "info"} == set(DB)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_and_what_it_asks_for(shell: str) -> None:
    script, _ = start("completion", shell)
    assert "_BATUTA_COMPLETE" in script
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "_BATUTA_COMPLETE": "bash_complete",
        "COMP_WORDS": "batuta mat",
        "COMP_CWORD": "1",
    }
    command = [sys.executable, "-m", "batuta.cli.main"]
    out = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert out == "plain,materialize\n"
