"""Makes .venv hold one set of pins and this project, editable: `python .ci/venv.py demo|test`; and .venv-dbt hold dbt.

pip installs uv, as pinned, and uv the rest: ten times faster, and the same whatever pip the Python came with (one older
than 23.3 refuses pins that some package asks for with an extra).

A stamp in each environment remembers the hash of what was installed, so that a second call does nothing. Standard
library only, and no syntax newer than Python 3.6, so that an old Python gets the message and not a SyntaxError.
"""

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
# The code location that the examples' dbt project is: dbt, and what a location needs; Batuta is not installed there.
DBT_VENV = os.path.join(ROOT, ".venv-dbt")
UI = os.path.join(ROOT, "src", "batuta", "server", "static", "index.html")
PIP = [VENV_PYTHON, "-m", "pip"]
UV = [VENV_PYTHON, "-m", "uv"]
# The sets that hold what each set holds: requirements/test.txt is requirements/demo.txt and more.
COVERED_BY = {"demo": ("demo", "test"), "test": ("test",)}
OLDEST, NEWEST = (3, 11), (3, 14)


def main(pins: str) -> int:
    """Bring both environments up to date, .venv with `pins`; returns the exit code."""
    version = "{}.{}".format(*sys.version_info)
    if pins not in COVERED_BY:
        return _fail(f"no such set of pins: {pins!r}; there are {', '.join(COVERED_BY)}")
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return _fail(f"this is Python {version}; Batuta needs 3.11 to 3.14")
    try:
        if not any(_is_installed(VENV, name) for name in COVERED_BY[pins]):
            _install(pins)
        if not _is_installed(DBT_VENV, "dbt"):
            _install_dbt()
    except subprocess.CalledProcessError as error:
        return _fail(f"this command failed, its output is above: {' '.join(error.cmd)}")
    return 0


def _install(pins: str) -> None:
    if not _venv_is_usable():
        print("Making .venv with Python {}.{}".format(*sys.version_info), flush=True)
        subprocess.check_call([sys.executable, "-m", "venv", "--clear", VENV])
    print(f"Installing requirements/{pins}.txt into .venv", flush=True)
    for name in COVERED_BY:
        if os.path.exists(_stamp(VENV, name)):
            os.remove(_stamp(VENV, name))
    _run([*PIP, "install", "--quiet", "--require-hashes", "-r", _requirements("uv")])
    _install_pins(VENV, pins)
    print("Installing Batuta, which builds its web UI where ui/ has changed", flush=True)
    _run([*UV, "pip", "install", "--quiet", "--python", VENV, "--no-deps", "--no-build-isolation", "--editable", ROOT])
    if not os.path.exists(UI):
        print(
            f"The web UI is not built; a page in its place says so. `{VENV_PYTHON} hatch_build.py` tells why.",
            flush=True,
        )
    _write_stamp(VENV, pins)


def _install_dbt() -> None:
    print("Installing requirements/dbt.txt into .venv-dbt", flush=True)
    _run([*UV, "venv", "--quiet", "--clear", "--python", VENV_PYTHON, DBT_VENV])
    _install_pins(DBT_VENV, "dbt")
    _write_stamp(DBT_VENV, "dbt")


def _install_pins(venv: str, pins: str) -> None:
    pinned = _requirements(pins)
    command = [*UV, "pip", "install", "--quiet", "--python", venv, "--require-hashes", "-r", pinned]
    command += ["--build-constraints", pinned]  # what a package without a wheel is built with
    _run(command, **_settings_of_pip())


def _settings_of_pip() -> "dict[str, str]":
    """What uv does not read of pip's settings, and cannot do without: another index, and who vouches for it."""
    settings = {}
    for variable, name in (("UV_DEFAULT_INDEX", "index-url"), ("SSL_CERT_FILE", "cert")):
        for place in ("global", "user", "site", ":env:"):
            command = [*PIP, "config", "get", f"{place}.{name}"]
            found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            if found.returncode == 0 and variable not in os.environ:
                settings[variable] = found.stdout.decode().strip()
    return settings


def _run(command: "list[str]", **settings: str) -> None:
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", **settings)
    subprocess.check_call(command, env=environment, cwd=ROOT)


def _venv_is_usable() -> bool:
    """Whether .venv runs, is of this Python's version, and has pip."""
    probe = "import sys, pip; sys.exit(sys.version_info[:2] != ({}, {}))".format(*sys.version_info)
    try:
        return subprocess.call([VENV_PYTHON, "-c", probe], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def _is_installed(venv: str, pins: str) -> bool:
    return _read(_stamp(venv, pins)) == _key(pins)


def _key(pins: str) -> str:
    """Hash of all that the installation depends on: pins, the project's metadata, the web UI, the Python, the place."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT} {os.environ.get('BATUTA_SKIP_UI', '')}".encode())
    sources = [_requirements(pins), _requirements("uv")]
    if pins in COVERED_BY:
        sources += [os.path.join(ROOT, name) for name in ("pyproject.toml", "hatch_build.py", "docs/openapi.json")]
        sources += _ui_sources()
    for path in sources:
        digest.update(_read(path).encode())
    return digest.hexdigest()


def _ui_sources() -> "list[str]":
    """The files that the web UI is built of; hatch_build.py builds it when the project is installed."""
    found = []
    for folder, folders, files in os.walk(os.path.join(ROOT, "ui")):
        folders[:] = [name for name in folders if name != "node_modules"]
        found += [os.path.join(folder, name) for name in files if not name.endswith((".d.ts", ".woff2", ".png"))]
    return sorted(found)


def _requirements(pins: str) -> str:
    return os.path.join(ROOT, "requirements", f"{pins}.txt")


def _stamp(venv: str, pins: str) -> str:
    return os.path.join(venv, f"installed-{pins}")


def _write_stamp(venv: str, pins: str) -> None:
    with open(_stamp(venv, pins), "w", encoding="utf-8") as file:
        file.write(_key(pins))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
