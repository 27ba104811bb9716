"""Plugins by entry points: found without being imported, and a broken one stops nobody but who asks for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import batuta.io
import batuta.operators
from batuta import plugins
from batuta.core.errors import DefinitionError
from batuta.plugins import PluginError

MODULE = """
class Good:
    def execute(self, context): ...

class NoOperator:
    pass
"""


def install(folder: Path, name: str, points: str, module: str = MODULE) -> None:
    """A package as an installer leaves it."""
    info = folder / f"{name}-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text(points)
    (folder / f"{name}.py").write_text(module)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


POINTS = """
[batuta.operators]
GoodOperator = acme_a:Good
NoOperator = acme_a:NoOperator
Missing = acme_a:Missing
Raises = acme_b:X

[batuta.secrets]
acme = acme_none:Backend
"""


def test_a_broken_plugin_is_an_error_of_who_asks_for_it(site: Path) -> None:
    install(site, "acme_a", POINTS)
    install(site, "acme_b", "", module="raise RuntimeError('on purpose')")
    assert plugins.names("batuta.operators") == ["GoodOperator", "Missing", "NoOperator", "Raises"]
    assert not {"acme_a", "acme_b"} & sys.modules.keys()
    assert batuta.operators.GoodOperator.__name__ == "Good"
    assert batuta.operators.ShellOperator.__name__ == "ShellOperator"
    for name, told in (
        ("NoOperator", "acme_a:NoOperator has no 'execute', so it is not an operator"),
        ("Missing", "cannot be loaded from acme_a:Missing: AttributeError"),
        ("Raises", "cannot be loaded from acme_b:X: RuntimeError: on purpose"),
    ):
        with pytest.raises(PluginError, match=told) as caught:
            getattr(batuta.operators, name)
        assert str(caught.value).startswith(f"plugin {name!r} (batuta.operators) of acme_a 2.0: ")
        assert caught.value.hint
        assert isinstance(caught.value, DefinitionError)
    with pytest.raises(PluginError, match="cannot be loaded from acme_none:Backend: ModuleNotFoundError"):
        plugins.load("batuta.secrets", "acme")


def test_a_name_that_there_is_not(site: Path) -> None:
    install(site, "acme_a", POINTS)
    with pytest.raises(AttributeError, match=r"module 'batuta\..*operators' has no attribute 'GodOperator'"):
        _ = batuta.operators.GodOperator
    with pytest.raises(AttributeError, match=r"module 'batuta\.io' has no attribute 'CSVIO'"):
        _ = batuta.io.CSVIO
    with pytest.raises(PluginError, match="there is no backend of secrets 'acne'") as caught:
        plugins.load("batuta.secrets", "acne", builtin=["store"])
    assert caught.value.hint == "did you mean 'acme'?"


def test_two_packages_with_one_name(site: Path) -> None:
    install(site, "acme_a", "[batuta.operators]\nCopy = acme_a:Good\n")
    install(site, "acme_b", "[batuta.operators]\nCopy = acme_b:Good\n")
    with pytest.raises(PluginError, match="several packages bring the operator 'Copy': acme_a and acme_b"):
        plugins.load("batuta.operators", "Copy")
