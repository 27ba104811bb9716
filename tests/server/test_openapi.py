"""The API's description: complete, as the repository has it, and true (schemathesis finds nothing)."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from batuta.engine.workspace import Workspace
from batuta.server import trials
from batuta.server.describe import document
from batuta.store import Store
from batuta.store.rows import ProcessRow

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(document())
    return found


def test_the_file_is_what_the_code_says() -> None:
    assert FILE.read_bytes() == document(), "run `python -m batuta.server.describe docs/openapi.json`"


def test_every_field_is_described(described: dict[str, Any]) -> None:
    for name, schema in described["components"]["schemas"].items():
        assert schema.get("properties") or "enum" in schema, name
        for field, one in schema.get("properties", {}).items():
            assert one.get("description"), (name, field)


def test_every_operation_is_named_and_described(described: dict[str, Any]) -> None:
    names = []
    for path, item in described["paths"].items():
        for method in item.keys() & set(METHODS):
            operation = item[method]
            names.append(operation["operationId"])
            assert operation["summary"], path
            assert operation["description"], path
            assert operation["tags"], path
            assert "application/problem+json" in operation["responses"]["400"]["content"], path
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (path, parameter["name"])
    assert len(names) == len(set(names))
    known = {tag["name"] for tag in described["tags"]}
    assert {tag for item in described["paths"].values() for one in item.values() for tag in one["tags"]} <= known


@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(
    api: httpx.Client, workspace: Workspace, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cursors, selections and names are texts that only some values of are right: that right texts are refused is no
    failure (`positive_data_acceptance`). What is asked of a location is not waited for: the scheduler only seems to
    live."""
    for name in ("CONNECT_S", "READ_S"):
        monkeypatch.setattr(trials, name, 0.2)
    for job in ("nightly", "doubling"):
        workspace.start_job(job).wait(30)
    now, long_s = time.time(), 600
    there = ProcessRow(id="h:1", kind="scheduler", host="h", pid=1, started_at=now, seen_at=now + long_s, info={})
    store.put_process(there)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{api.base_url}/api/v1/openapi.json"),
        *("--url", str(api.base_url), "--phases", "examples,fuzzing", "--max-examples", "2"),
        *("--exclude-checks", "positive_data_acceptance", "--exclude-path-regex", "events$|stream$"),
        *("--generation-deterministic", "--request-timeout", "60", "--no-color"),
    ]
    found = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert found.returncode == 0, found.stdout[-5000:]
