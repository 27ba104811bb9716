"""What holds for every file of the repository: no address of a registry, no path of somebody's machine, no giants."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src").rglob("*.py"))
LINES_MAX = 600

# Put together from pieces, so that this file does not hold what it looks for.
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted",
    "registry." + "npm" + "js",
    "registry." + "yarn" + "pkg",
    "deb." + "debian",
    "conda." + "anaconda",
    "proxy." + "golang",
]
REGISTRY = re.compile("|".join(re.escape(host) for host in REGISTRIES), re.IGNORECASE)
# An absolute path below a home or work directory: preceded by nothing that makes it part of a URL or a longer path.
MACHINE_PATH = re.compile(
    r"(?<![\w.:/~$}-])/(?:" + "|".join(["ho" + "me", "Us" + "ers", "ro" + "ot", "wo" + "rk"]) + r")/\w"
)


def tracked_files() -> list[Path]:
    # A checkout that belongs to another user is as good to read from.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listing.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def places(needle: re.Pattern[str]) -> list[str]:
    """Each place in a tracked text file where the needle stands: path, line number, line."""
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
            if needle.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line[:120]}")
    return found


def test_no_file_names_a_registry() -> None:
    assert places(REGISTRY) == []


def test_no_file_names_a_path_of_a_machine() -> None:
    assert places(MACHINE_PATH) == []


@pytest.mark.parametrize("text", ["https://" + REGISTRIES[0] + "/simple", "index = " + REGISTRIES[2]])
def test_a_registry_would_be_seen(text: str) -> None:
    assert REGISTRY.search(text)


def test_a_path_of_a_machine_would_be_seen_and_a_link_would_not() -> None:
    directory = "/ho" + "me/"
    assert MACHINE_PATH.search(f'open("{directory}ann/data.csv")')
    assert MACHINE_PATH.search(f"{directory}ann/data.csv")
    assert not MACHINE_PATH.search(f"see https://example.com{directory}page")
    assert not MACHINE_PATH.search(f"$PREFIX{directory}page")


def test_every_module_says_what_it_owns() -> None:
    silent = [str(path.relative_to(ROOT)) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_no_module_is_a_giant() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in MODULES}
    assert {path: count for path, count in lines.items() if count > LINES_MAX} == {}
