"""Virtual environments by what is in them: made once by uv, kept under the project's `.batuta/venvs`, shared by all.

Two that want the same at once: one builds, holding a lock, the other waits. A build that was cut short has no mark that
it is ready and is made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from batuta.authoring.context import StepContext
from batuta.authoring.operators import processes
from batuta.authoring.operators.base import OperatorError, pause
from batuta.core.errors import DefinitionError

_READY = "batuta-ready.json"
_ERROR_LINES = 15


def environment(
    requirements: Sequence[str], context: StepContext, *, python: str = "", system_site_packages: bool = False
) -> str:
    """The Python of an environment with `requirements` in it. Raises OperatorError where they cannot be installed."""
    wanted = {
        "requirements": sorted(requirements),
        "python": python or f"{sys.executable} {sys.version}",
        "system_site_packages": system_site_packages,
        "files": [_stamp(path) for path in sorted(requirements) if os.path.exists(path)],
    }
    text = json.dumps(wanted, sort_keys=True)
    folder = _home() / hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
    executable = folder / "bin" / "python"
    if not (folder / _READY).exists():
        with _locked(folder.with_suffix(".lock"), context):
            if not (folder / _READY).exists():
                _build(folder, executable, requirements, python, system_site_packages, context)
                (folder / _READY).write_text(text, encoding="utf-8")
    return str(executable)


def _home() -> Path:
    """The folder of all environments: in BATUTA_HOME, or in the nearest project above the working folder."""
    home = os.environ.get("BATUTA_HOME")
    if home:
        return Path(home) / "venvs"
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "batuta.toml").is_file() or (folder / ".batuta").is_dir():
            return folder / ".batuta" / "venvs"
    return here / ".batuta" / "venvs"


def _stamp(path: str) -> list[object]:
    """A requirement that is a file (a wheel) counts by its content's age and size too."""
    found = os.stat(path)
    return [path, found.st_mtime_ns, found.st_size]


@contextlib.contextmanager
def _locked(path: Path, context: StepContext) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:

        def taken() -> bool:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                return False

        while not taken():
            pause(context, 0.2)
        yield


def _build(
    folder: Path,
    executable: Path,
    requirements: Sequence[str],
    python: str,
    system_site_packages: bool,
    context: StepContext,
) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    context.log.info("making an environment with %s", ", ".join(requirements) or "nothing in it")
    uv = _uv(context)
    make = [uv, "venv", "--quiet", "--python", python or sys.executable, str(folder)]
    _uv_run([*make, "--system-site-packages"] if system_site_packages else make, "made", context)
    if requirements:
        # Requirements come by file: one that begins with a dash must not be an option.
        listed = folder / "requirements.txt"
        listed.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        install = [uv, "pip", "install", "--quiet", "--python", str(executable), "-r", str(listed)]
        _uv_run(install, "filled", context)


def _uv_run(argv: list[str], what: str, context: StepContext) -> None:
    said: deque[str] = deque(maxlen=_ERROR_LINES)
    env = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
    code = processes.run(argv, context=context, env=env, on_stderr=said.append)
    if code != 0:
        raise OperatorError(
            f"the environment cannot be {what}: {''.join(said).strip() or processes.described(code)}",
            where=context.key,
            hint="check requirements= and python=",
        )


def _uv(context: StepContext) -> str:
    try:
        import uv

        return str(uv.find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        hint = 'install the extra: pip install "batuta[venv]"'
        raise DefinitionError("uv is not installed", where=context.key, hint=hint)
    return found
