"""The hooks `on-run-start` and `on-run-end`: steps of a run of ours, before and after all nodes of it.

What the second is told of the nodes (`results`, `schemas`) comes from several workers, and a run may be resumed by
another process: each node leaves its result in a file until then.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import msgspec

from batuta.authoring.context import StepContext
from batuta.bridges.dbt.invocation import Invocation
from batuta.bridges.dbt.problems import DbtFailed, without_headline

START, END = "on-run-start", "on-run-end"


class Hooks:
    """See the module."""

    def __init__(self, invocation: Invocation, task: Any) -> None:
        self._invocation = invocation
        self._task = task
        operations = [node for node in invocation.manifest.nodes.values() if node.resource_type == "operation"]
        self._has_end = any(END in node.tags for node in operations)

    def _folder(self, context: StepContext) -> Path:
        return Path(self._invocation.settings.work, "runs", str(context.run_id))

    def note(self, context: StepContext, result: Any) -> None:
        """Leave the result of a node for the end of the run."""
        if not self._has_end:
            return
        folder = self._folder(context)
        folder.mkdir(parents=True, exist_ok=True)
        told = {
            "node": result.node.unique_id,
            "status": str(result.status),
            "message": result.message,
            "execution_time": result.execution_time,
            "failures": result.failures,
            "adapter_response": result.adapter_response,
            "timing": [one.to_dict() for one in result.timing],
        }
        file = folder / f"{context.key.replace(os.sep, '_')}.json"
        fresh = file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(told, enc_hook=str))
        fresh.rename(file)

    def run_start(self) -> None:
        """Run those before the nodes. Raises DbtFailed."""
        self._run(START, {})

    def run_end(self, context: StepContext) -> None:
        """Run those after the nodes, and forget what these have left. Raises DbtFailed."""
        results = [self._result(file) for file in sorted(self._folder(context).glob("*.json"))]
        good = [one for one in results if one.status not in ("error", "fail", "skipped") and one.node.is_relational]
        places = {(one.node.database, one.node.schema) for one in good}
        extras = {
            "results": results,
            "schemas": sorted({schema for _, schema in places}),
            "database_schemas": sorted(places, key=str),
        }
        self._run(END, extras)
        shutil.rmtree(self._folder(context), ignore_errors=True)

    def _result(self, file: Path) -> Any:
        from dbt.artifacts.schemas.results import TimingInfo
        from dbt.artifacts.schemas.run import RunResult

        told = msgspec.json.decode(file.read_bytes())
        manifest = self._invocation.manifest
        unique = told.pop("node")
        node = manifest.nodes.get(unique) or manifest.unit_tests.get(unique) or manifest.sources.get(unique)
        timing = [TimingInfo.from_dict(one) for one in told.pop("timing")]
        return RunResult(node=node, timing=timing, thread_id="batuta", batch_results=None, **told)

    def _run(self, which: str, extras: dict[str, Any]) -> None:
        from dbt.node_types import RunHookType

        adapter = self._invocation.adapter
        self._task.node_results = []
        with adapter.connection_named("master"):
            status = self._task.safe_run_hooks(adapter, RunHookType(which), extras)
        if str(status) != "success":
            failed = next((one for one in self._task.node_results if str(one.status) == "error"), None)
            what = without_headline(str(failed.message)) if failed is not None else str(status)
            raise DbtFailed(what, where=self._invocation.settings.root, hint=f"it is a hook {which} of the project")
