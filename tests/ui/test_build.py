"""What the build of the UI promises: types, components, size, and nothing in the repository that names a registry."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from batuta.server.static_ui import FOLDER
from tests.ui.browser import IMAGES

ROOT = Path(__file__).parents[2]
UI = ROOT / "ui"
FIRST_LOAD_BYTES_MAX = 500_000

needs_packages = pytest.mark.skipif(
    not (UI / "node_modules" / ".installed").is_file() and os.environ.get("CI") != "true",
    reason="the packages of ui/ are not installed: `make ui` says why",
)


def run(*command: str) -> None:
    """Run a tool of ui/."""
    environment = dict(os.environ, NO_COLOR="1", CI="true")
    done = subprocess.run(
        [sys.executable, "hatch_build.py", *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@needs_packages
@pytest.mark.timeout(300)
def test_types_fit_the_api_and_each_other() -> None:
    run("tsc", "--noEmit", "-p", ".")


@needs_packages
@pytest.mark.timeout(300)
def test_components_do_what_their_tests_say() -> None:
    run("vitest", "run")


@pytest.mark.skipif(not (FOLDER / "manifest.json").is_file(), reason="the web UI is not built")
def test_first_load_is_small() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    wanted: set[str] = set()

    def take(name: str) -> None:
        entry = manifest[name]
        for file in (entry["file"], *entry.get("css", ())):
            wanted.add(file)
        for each in entry.get("imports", ()):
            if manifest[each]["file"] not in wanted:
                take(each)

    take("index.html")
    take("src/views/home/HomePage.tsx")
    size = sum(len(gzip.compress((FOLDER / file).read_bytes(), 6)) for file in wanted)
    fonts = (FOLDER / "_app").glob("inter-latin-wght-normal-*.woff2")
    size += sum(path.stat().st_size for path in fonts)
    assert size < FIRST_LOAD_BYTES_MAX


@pytest.mark.skipif(not (FOLDER / "index.html").is_file(), reason="the web UI is not built")
def test_the_page_needs_no_inline_script() -> None:
    page = (FOLDER / "index.html").read_text()
    scripts = re.findall(r"<script([^>]*)>([^<]*)</script>", page)
    assert scripts
    for attributes, text in scripts:
        assert " src=" in attributes
        assert not text.strip()
    assert not re.search(r"\son\w+=|https?:|<style", page)


def test_the_lock_file_names_no_place() -> None:
    text = (UI / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert "://" not in text


def test_versions_are_exact() -> None:
    package = json.loads((UI / "package.json").read_text())
    versions = package["dependencies"] | package["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values()), versions


def test_pictures_of_the_docs_are_there_shown_and_small() -> None:
    pictures = {path.name: path.stat().st_size for path in IMAGES.iterdir()}
    shown = {
        name for page in IMAGES.parent.glob("*.md") for name in re.findall(r"\(images/([^)]+)\)", page.read_text())
    }
    assert shown == set(pictures)
    assert max(pictures.values()) <= 120_000
    assert sum(pictures.values()) <= 4_000_000
