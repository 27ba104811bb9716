"""A project's folders and files are its own, whatever has the same name elsewhere on the path or was loaded before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from batuta.runtime.load import load_location

FLOW = """\
from batuta import flow
from {package}.names import NAME

@flow(name=NAME)
def named() -> None: ...
"""


def project(folder: Path, name: str, package: str = "pipelines", inits: bool = False) -> str:
    """A project of one flow that takes its name from a neighbouring file; its root."""
    files = folder / package
    files.mkdir(parents=True)
    (folder / "batuta.toml").write_text(f'code = ["{package}"]\n')
    (files / "names.py").write_text(f"NAME = {name!r}\n")
    (files / "jobs.py").write_text(FLOW.format(package=package))
    if inits:
        (files / "__init__.py").write_text("")
    return str(folder)


def jobs_of(root: str) -> list[str]:
    location = load_location("", root)
    assert not location.problems
    return list(location.found.jobs)


@pytest.mark.parametrize("inits", [False, True])
@pytest.mark.parametrize("loaded", [False, True])
def test_a_module_of_that_name_on_the_path_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inits: bool, loaded: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "pipelines.py").write_text("")
    monkeypatch.syspath_prepend(str(other))
    root = project(tmp_path / "shop", "mine", inits=inits)
    monkeypatch.delitem(sys.modules, "pipelines", raising=False)
    if loaded:
        __import__("pipelines")
    assert jobs_of(root) == ["mine"]


def test_two_projects_with_folders_of_one_name(tmp_path: Path) -> None:
    first, second = project(tmp_path / "a", "first"), project(tmp_path / "b", "second")
    assert [jobs_of(first), jobs_of(second), jobs_of(first)] == [["first"], ["second"], ["first"]]


def test_a_folder_named_like_a_library_leaves_the_library_alone(tmp_path: Path) -> None:
    import msgspec

    files = tmp_path / "msgspec"
    files.mkdir()
    (tmp_path / "batuta.toml").write_text('code = ["msgspec"]\n')
    (files / "jobs.py").write_text("from batuta import flow\n@flow\ndef alone() -> None: ...\n")
    assert jobs_of(str(tmp_path)) == ["alone"]
    assert sys.modules["msgspec"] is msgspec
