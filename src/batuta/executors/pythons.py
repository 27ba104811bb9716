"""Pythons of code locations: finding one, what it needs to run a location host, and our own package on its path.

A location's environment need not have Batuta in it, only msgspec and cloudpickle: our source is put on its path. Where
that stands in a `site-packages`, beside libraries of ours that must not come along, it goes there through a folder that
holds nothing but a link to it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

from batuta.core.errors import LoadError

NEEDED = ("msgspec", "cloudpickle")
_PROBE_S = 30.0


def find_python(python: str, project: str) -> str:
    """The interpreter that a location names: a file, or the folder of a virtual environment; relative to the project.

    Raises LoadError where there is none.
    """
    if os.sep not in python and not python.startswith("."):
        found = _on_path(python) or os.path.join(project, python)
    else:
        found = os.path.join(project, os.path.expanduser(python))
    if os.path.isdir(found):
        found = os.path.join(found, "bin", "python")
    if not os.path.isfile(found):
        hint = "correct `python` of this location: an interpreter, or the folder of a virtual environment"
        raise LoadError("there is no such Python", where=found, hint=hint)
    return found


def _on_path(name: str) -> str | None:
    import shutil

    return shutil.which(name)


def environment_for(python: str, home: str = "") -> dict[str, str]:
    """The environment of a location host: our own package can be imported, and `home` is the project's."""
    environment = dict(os.environ)
    if home:
        environment["BATUTA_HOME"] = home
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if os.path.basename(source) in ("site-packages", "dist-packages"):
        if python == sys.executable:
            return environment
        source = _linked(source, home)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (source, environment.get("PYTHONPATH", ""))))
    return environment


def _linked(source: str, home: str) -> str:
    """A folder with nothing in it but a link to our package."""
    folder = os.path.join(home or os.path.expanduser("~/.cache/batuta"), "package")
    os.makedirs(folder, exist_ok=True)
    link = os.path.join(folder, "batuta")
    wanted = os.path.join(source, "batuta")
    if not os.path.islink(link) or os.readlink(link) != wanted:
        fresh = f"{link}.{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(fresh)
        os.symlink(wanted, fresh)
        os.replace(fresh, link)
    return folder


def check_python(python: str, home: str = "") -> None:
    """Raise LoadError where a Python lacks what a location host needs: for when one has ended at once."""
    program = f"import sys\nif sys.version_info < (3, 11): sys.exit(sys.version)\nimport {', '.join(NEEDED)}"
    try:
        done = subprocess.run(
            [python, "-c", program],
            env=environment_for(python, home),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PROBE_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LoadError(f"its Python does not run: {error}", where=python, hint="is it an interpreter?") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        hint = f"a location needs Python 3.11 or newer with {' and '.join(NEEDED)}: `{python} -m pip install batuta`"
        raise LoadError(f"its Python cannot run a location host: {said[0]}", where=python, hint=hint)
