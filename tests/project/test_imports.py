"""What an import may bring along: a start in milliseconds, and a runtime that fits beside any user's dependencies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
HEAVY = {
    "alembic", "apprise", "cryptography", "duckdb", "fsspec", "httpx", "jinja2", "matplotlib", "numpy", "pandas",
    "pandera", "polars", "psycopg", "pyarrow", "pydantic", "rich", "sqlalchemy",
}  # fmt: skip
PROBE = """
import importlib, json, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def packages_loaded_by(*modules: str) -> set[str]:
    """Top-level packages outside the standard library that importing the modules loads, in a fresh interpreter."""
    probe = subprocess.run(
        [sys.executable, "-c", PROBE, *modules],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
    )
    assert probe.returncode == 0, probe.stderr
    found = set(json.loads(probe.stdout)) - sys.stdlib_module_names
    return {name for name in found if not name.startswith("_sysconfigdata")}  # stdlib, named by platform


def modules_of(layer: str) -> list[str]:
    paths = sorted((SOURCE / "batuta" / layer).rglob("*.py"))
    names = [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]


def test_import_of_the_package_loads_no_heavy_library() -> None:
    assert packages_loaded_by("batuta") & HEAVY == set()


@pytest.mark.parametrize("layer", ["core", "io", "authoring", "executors"])
def test_layer_loads_no_heavy_library(layer: str) -> None:
    assert packages_loaded_by(*modules_of(layer)) & HEAVY == set()


def test_runtime_loads_only_the_standard_library_msgspec_and_cloudpickle() -> None:
    allowed = {"batuta"} | packages_loaded_by("msgspec", "cloudpickle")
    assert packages_loaded_by(*modules_of("runtime")) - allowed == set()


def test_a_heavy_library_would_be_seen() -> None:
    assert "pydantic" in packages_loaded_by("batuta", "pydantic") & HEAVY
