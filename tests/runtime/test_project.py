"""Projects: where their configuration and files are, and profiles."""

from __future__ import annotations

from pathlib import Path

import pytest

from batuta.core.errors import DefinitionError
from batuta.runtime.project import Project, find_project

CONFIG = """
name = "shop"
data = "lake"
pools = { db = 2, api = 1 }

[profiles.full]
data = "lake-full"
pools = { db = 4 }
settings.assets."bronze.sales" = { rows = 1_000_000 }
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project; its home is its own."""
    monkeypatch.delenv("BATUTA_HOME")
    monkeypatch.delenv("BATUTA_PROFILE", raising=False)
    (tmp_path / "batuta.toml").write_text(CONFIG)
    return tmp_path


def test_a_file_deep_in_a_project_belongs_to_it(root: Path) -> None:
    (root / "jobs").mkdir()
    file = root / "jobs" / "nightly.py"
    file.touch()
    project = find_project(str(file))
    assert (project.root, project.name) == (str(root), "shop")
    assert project.data_path == str(root / "lake")
    assert project.home == str(root / ".batuta")


def test_a_profile_goes_over_the_rest_and_has_a_home_of_its_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATUTA_PROFILE", "full")
    project = find_project(str(root))
    assert project.data_path == str(root / "lake-full")
    assert project.config.pools == {"db": 4, "api": 1}
    assert project.config.settings == {"assets": {"bronze.sales": {"rows": 1_000_000}}}
    assert project.home == str(root / ".batuta" / "profiles" / "full")
    assert project.store_url != find_project_without_profile(root, monkeypatch).store_url


def find_project_without_profile(root: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("BATUTA_PROFILE")
    return find_project(str(root))


def test_batuta_home_beats_the_profile(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BATUTA_PROFILE", "full")
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / "elsewhere"))
    assert find_project(str(root)).home == str(tmp_path / "elsewhere")


def test_a_profile_that_is_not_there_is_refused_with_the_nearest(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATUTA_PROFILE", "fulll")
    with pytest.raises(DefinitionError, match=r"there is no profile 'fulll'(.|\n)*'full'") as refused:
        find_project(str(root))
    assert refused.value.where == str(root / "batuta.toml")
