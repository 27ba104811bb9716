"""What users import: public names are there, type checkers see the same, and nothing is imported before its time."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import batuta
from batuta.authoring import operators as written_operators

SOURCE = Path(batuta.__file__).parent
MODULES = ("automation", "io", "metadata", "operators", "partitions", "schedules")


def seen_by_type_checkers(file: Path) -> dict[str, str]:
    """What stands under `if TYPE_CHECKING:` of a file: name -> `module:attribute` below batuta."""
    found = {}
    for node in ast.parse(file.read_text()).body:
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            continue
        for statement in node.body:
            if isinstance(statement, ast.ImportFrom):
                module = (statement.module or "").removeprefix("batuta").removeprefix(".")
                for alias in statement.names:
                    found[alias.asname or alias.name] = f"{module}:{alias.name}"
            elif isinstance(statement, ast.Assign):
                found[ast.unparse(statement.targets[0])] = found.pop(ast.unparse(statement.value))
    return found


def imported_on_demand() -> dict[str, str]:
    """The lazy table in the same form."""
    found = {}
    for name, where in batuta._WHERE.items():
        module, colon, attribute = where.partition(":")
        found[name] = f":{module}" if colon and not attribute else f"{module}:{attribute or name}"
    return found


def test_type_checkers_see_what_is_imported_on_demand() -> None:
    assert seen_by_type_checkers(SOURCE / "__init__.py") == imported_on_demand()


def test_type_checkers_see_every_operator() -> None:
    of_public = seen_by_type_checkers(SOURCE / "operators.py")
    assert of_public == seen_by_type_checkers(SOURCE / "authoring" / "operators" / "__init__.py")
    assert sorted(of_public) == sorted(written_operators.__all__)


@pytest.mark.parametrize("name", batuta.__all__)
def test_name_is_there(name: str) -> None:
    assert getattr(batuta, name) is not None


@pytest.mark.parametrize("module", MODULES)
def test_names_of_a_module_are_there_either_way(module: str) -> None:
    found = importlib.import_module(f"batuta.{module}")
    assert getattr(batuta, module) is found
    for name in found.__all__:
        assert getattr(found, name) is not None, name


def test_public_partitions_are_those_that_are_written() -> None:
    assert batuta.partitions.daily is importlib.import_module("batuta.core.partitions").daily


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(AttributeError, match="did you mean 'task_group'"):
        batuta.__getattr__("taskgroup")


def test_import_of_the_package_imports_none_of_its_parts() -> None:
    probe = "import sys, batuta; print([name for name in sys.modules if name.startswith('batuta.')])"
    run = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=SOURCE.parent)
    assert run.stdout.strip() == "[]", run.stderr
