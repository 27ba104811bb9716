"""What is known of source files is kept by their content: a process that comes later parses only what has changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LOAD = """
import ast, json, sys
parsed, parse = [], ast.parse
ast.parse = lambda data, *more, **named: (parsed.append(bytes(data).decode().splitlines()[0][2:]), parse(data))[1]
from batuta.runtime.load import load_location
found = load_location("", sys.argv[1]).definitions()
versions = {f"{job.name}.{step.key}": step.code_version for job in found.jobs for step in job.plan.steps}
print(json.dumps({"parsed": parsed, "versions": versions}))
"""
HELPERS = """# helpers
RATE = 2

def shared(n):
    return n * RATE
"""
JOB = """# {name}
from batuta import DAG, task
from helpers import shared

@task
def load(n: int = 1) -> int:
    return shared(n) + {number}

with DAG("{name}"):
    load()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BATUTA_HOME", str(tmp_path / ".batuta"))
    (tmp_path / "helpers.py").write_text(HELPERS)
    for number, name in enumerate(("one", "two")):
        (tmp_path / f"{name}.py").write_text(JOB.format(name=name, number=number))
    (tmp_path / "batuta.toml").write_text('code = ["one.py", "two.py"]\n')
    (tmp_path / ".batuta").mkdir()
    return tmp_path


def loaded(project: Path) -> Any:
    """Which files a new process parses for it, and the versions of its steps."""
    command = [sys.executable, "-c", LOAD, str(project)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=project, env=env)
    return json.loads(said.stdout)


def test_only_what_has_changed_is_parsed_again(project: Path) -> None:
    first = loaded(project)
    assert set(first["parsed"]) == {"helpers", "one", "two"}
    again = loaded(project)
    assert again == {"parsed": [], "versions": first["versions"]}

    (project / "one.py").write_text(JOB.format(name="one", number=5))
    changed = loaded(project)
    assert set(changed["parsed"]) == {"one"}
    assert changed["versions"]["one.load"] != first["versions"]["one.load"]
    assert changed["versions"]["two.load"] == first["versions"]["two.load"]

    (project / "helpers.py").write_text(HELPERS.replace("RATE = 2", "RATE = 3"))
    helped = loaded(project)
    assert set(helped["parsed"]) == {"helpers"}
    assert helped["versions"]["two.load"] != first["versions"]["two.load"], "what it uses of another file counts"

    (project / "helpers.py").write_text(HELPERS)
    (project / "one.py").write_text(JOB.format(name="one", number=0))
    assert loaded(project)["versions"] == first["versions"]


def test_what_is_kept_may_be_damaged_or_lost(project: Path) -> None:
    first = loaded(project)
    (kept,) = (project / ".batuta" / "cache").glob("code-*.msgpack")
    kept.write_bytes(b"\xff damaged")
    assert loaded(project) == first
    assert loaded(project)["parsed"] == []
