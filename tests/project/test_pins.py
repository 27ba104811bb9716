"""requirements/ and pyproject.toml agree: what is declared is pinned, with hashes, and both sets have one truth."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?P<marker> ; .*?)?(?P<hashes>( --hash=sha256:[0-9a-f]{64})+)$")


def pins(name: str) -> dict[str, str]:
    """Version of each package pinned in requirements/`name`.txt; every entry must be a pin with hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for entry in re.sub(r" *\\\n *", " ", text).splitlines():
        pin = PIN.match(entry)
        assert pin, f"requirements/{name}.txt has an entry that is no pin with hashes: {entry[:80]}"
        found[canonicalize_name(pin["name"])] = pin["version"]
    return found


def declared(extra: str) -> list[Requirement]:
    """What the package itself and one extra ask for, extras of extras unfolded."""
    texts = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"][extra]]
    found = []
    for requirement in map(Requirement, texts):
        if requirement.name == PROJECT["name"]:
            found += [inner for name in requirement.extras for inner in declared(name)]
        else:
            found.append(requirement)
    return found


@pytest.mark.parametrize(("name", "extra"), [("demo", "demo"), ("test", "dev")])
def test_what_is_declared_is_pinned(name: str, extra: str) -> None:
    pinned = pins(name)
    for requirement in declared(extra):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version, f"{requirement} is not in requirements/{name}.txt: run `make pins`"
        assert requirement.specifier.contains(version), f"{requirement} is pinned to {version}: run `make pins`"


def test_the_test_set_holds_the_demo_set() -> None:
    assert pins("demo").items() <= pins("test").items()


@pytest.mark.parametrize("name", ["demo", "test"])
def test_the_editable_install_needs_nothing_that_is_not_pinned(name: str) -> None:
    assert {"hatchling", "editables"} <= pins(name).keys()
