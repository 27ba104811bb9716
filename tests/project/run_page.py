"""Runs a Markdown page as its reader would: `python -m tests.project.run_page PAGE`, in the current directory.

All Python blocks share one `__main__`, and stand in the file page.py at the line numbers that they have in the page,
so that tracebacks point into the page and functions have a source. A `cd` in a console block holds for what follows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from tests.project.pages import Block, Command, PageError, blocks_to_run, commands

COMMAND_TIMEOUT_S = 100


def run_page(page: Path) -> int:
    """Run all blocks; returns how many there were. Raises PageError or whatever a Python block raises."""
    main = ModuleType("__main__")
    script = Path.cwd() / "page.py"
    main.__file__ = str(script)
    sys.modules["__main__"] = main
    blocks = blocks_to_run(page)
    for block in blocks:
        try:
            _run_block(block, main, script)
        except BaseException:
            print(f"{page.name}:{block.line}: this block failed", file=sys.stderr)
            raise
    return len(blocks)


def _run_block(block: Block, main: ModuleType, script: Path) -> None:
    if block.file is not None:
        _save(block, block.file)
    elif block.language == "python":
        _run_python(block, main, script)
    else:
        for command in commands(block):
            _run_command(command)


def _save(block: Block, name: str) -> None:
    """Write the block to the file it names; a Python file must load."""
    path = Path.cwd() / name
    if not path.resolve().is_relative_to(Path.cwd().resolve()):
        raise PageError(f"{name} lies outside the page's directory")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.code, encoding="utf-8")
    if path.suffix == ".py":
        load = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='page_file')"
        subprocess.run([sys.executable, "-c", load, str(path)], check=True, timeout=COMMAND_TIMEOUT_S)


def _run_python(block: Block, main: ModuleType, script: Path) -> None:
    before = script.read_text(encoding="utf-8").splitlines() if script.exists() else []
    before += [""] * (block.line - 1 - len(before))
    script.write_text("\n".join([*before, block.code]), encoding="utf-8")
    exec(compile("\n" * (block.line - 1) + block.code, str(script), "exec"), main.__dict__)


def _run_command(command: Command) -> None:
    """Run one command in a shell, and go where it went. Raises PageError when it fails or prints something else."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as where:
        shell = subprocess.run(
            ["sh", "-c", f"trap 'pwd > \"{where.name}\"' EXIT\n{command.text}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
        )
        os.chdir(where.read().strip() or ".")
    if shell.returncode != 0:
        raise PageError(f"`{command.text}` ended with exit code {shell.returncode}:\n{shell.stdout}")
    for line in command.expected:
        if line not in shell.stdout:
            raise PageError(f"`{command.text}` did not print\n  {line}\nbut\n{shell.stdout}")


if __name__ == "__main__":
    run_page(Path(sys.argv[1]))
