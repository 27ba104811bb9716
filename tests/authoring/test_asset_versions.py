"""Code versions: what makes them change, and what does not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from batuta.authoring import known_code, project_code
from batuta.authoring.asset_graph import AssetGraph
from batuta.authoring.asset_versions import function_version
from batuta.authoring.assets import asset

PIPELINE = """
import math
import json as js
from helpers import clean, LIMIT as BOUND
import helpers
import pkg.inner as deep

RATE = 1.5
TABLE = {"a": [1, 2]}
UNUSED = 1


class Model:
    width = 3

    def area(self):
        return self.width * BASE


BASE = 2


def local(x):
    \"\"\"Doc.\"\"\"
    return x * RATE


def a(x):
    return local(x) + math.sqrt(4)


def b(x):
    return clean(x) + BOUND


def c(x):
    return helpers.parse(js.dumps(x)), TABLE


def d(x):
    return Model().area()


def e(x):
    return deep.thing(x)


def alone(x):
    return x
"""
HELPERS = """
from more import deeper

LIMIT = 10


def clean(x):
    return deeper(x)


def parse(x):
    return x
"""
MORE = """
def deeper(x):
    return x + 1
"""


class Project:
    """A few modules in a folder, which can be written anew and imported anew."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = {
            "pipeline.py": PIPELINE,
            "helpers.py": HELPERS,
            "more.py": MORE,
            "pkg/__init__.py": "",
            "pkg/inner.py": "from .sibling import FACTOR\n\n\ndef thing(x):\n    return x * FACTOR\n",
            "pkg/sibling.py": "FACTOR = 3\n",
        }

    def load(self) -> ModuleType:
        for name, text in self.files.items():
            (self.root / name).parent.mkdir(exist_ok=True)
            (self.root / name).write_text(text)
        self.forget()
        spec = importlib.util.spec_from_file_location("pipeline", self.root / "pipeline.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["pipeline"] = module
        spec.loader.exec_module(module)
        return module

    def forget(self) -> None:
        from batuta.authoring import code_version

        for name in ("pipeline", "helpers", "more", "pkg", "pkg.inner", "pkg.sibling"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        project_code._parsed.cache_clear()
        known_code.content.cache_clear()
        code_version._functions_of.cache_clear()
        code_version._by_code.clear()
        for path in self.root.rglob("*.pyc"):
            path.unlink()

    def versions(self) -> dict[str, str]:
        module = self.load()
        return {name: function_version(getattr(module, name)) for name in ("a", "b", "c", "d", "e", "alone")}

    def changed(self, file: str, old: str, new: str) -> set[str]:
        """Which functions have another version after a change."""
        before = self.versions()
        assert old in self.files[file]
        self.files[file] = self.files[file].replace(old, new)
        after = self.versions()
        return {name for name in before if before[name] != after[name]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Project(tmp_path)
    yield made
    made.forget()


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("pipeline.py", "return x * RATE", "return x / RATE", {"a"}),
        ("pipeline.py", "RATE = 1.5", "RATE = 1.6", {"a"}),
        ("pipeline.py", "[1, 2]", "[1, 2, 3]", {"c"}),
        ("pipeline.py", "BASE = 2", "BASE = 3", {"d"}),
        ("pipeline.py", "width = 3", "width = 4", {"d"}),
        ("pipeline.py", "UNUSED = 1", "UNUSED = 2", set()),
        ("pipeline.py", '"""Doc."""', '"""Another."""', set()),
        ("pipeline.py", "def local(x):", "# a comment\n\n\ndef local(x):", set()),
        ("pipeline.py", "return x\n", "return -x\n", {"alone"}),
        ("helpers.py", "LIMIT = 10", "LIMIT = 11", {"b"}),
        ("helpers.py", "return x\n", "return [x]\n", {"c"}),
        ("more.py", "x + 1", "x + 2", {"b"}),
        ("pkg/sibling.py", "3", "4", {"e"}),
        ("pkg/inner.py", "x * FACTOR", "FACTOR * x", {"e"}),
    ],
)
def test_what_a_function_uses_of_the_project_counts(
    project: Project, file: str, old: str, new: str, changed: set[str]
) -> None:
    assert project.changed(file, old, new) == changed


def test_the_same_sources_elsewhere_have_the_same_versions(project: Project, tmp_path: Path) -> None:
    first = project.versions()
    other = Project(tmp_path / "elsewhere")
    other.root.mkdir()
    sys.path.insert(0, str(other.root))
    try:
        assert other.versions() == first
    finally:
        sys.path.remove(str(other.root))
        other.forget()


def _make(value: Any) -> Any:
    def made() -> Any:
        return value

    return made


def test_functions_of_one_code_differ_by_what_they_close_over() -> None:
    assert function_version(_make(1)) == function_version(_make(1)) != function_version(_make(2))
    assert function_version(_make(lambda: 1)) != function_version(_make(lambda: 2))


def test_functions_that_close_over_each_other_end() -> None:
    def ping(n: int) -> int:
        return pong(n - 1) if n else 0

    def pong(n: int) -> int:
        return ping(n - 1) if n else 1

    assert function_version(ping) == function_version(ping)


def test_a_version_can_be_said_and_config_counts(tmp_path: Path) -> None:
    def one(config: dict[str, Any]) -> None: ...

    def spec_version(settings: dict[str, Any] | None = None, **options: Any) -> str:
        graph = AssetGraph.of([asset("a", **options)(one)], data_path=str(tmp_path), settings=settings)
        return graph.specs(("bronze",))[0][0].code_version

    assert spec_version(code_version="7", config={}) == "7"
    plain = spec_version(config={"x": 1})
    assert plain == spec_version(config={"x": 1}) != spec_version(config={"x": 2})
    assert plain != spec_version({"assets": {"a": {"x": 3}}}, config={"x": 1})
    assert plain == spec_version({"assets": {"other": {"x": 3}}}, config={"x": 1})


def test_code_without_a_source_has_a_version() -> None:
    scope: dict[str, Any] = {"__name__": "nowhere"}
    exec("def made(x):\n    return x + 1\n\ndef other(x):\n    return x + 2\n", scope)
    assert function_version(scope["made"]) != function_version(scope["other"])
    assert function_version(print)
