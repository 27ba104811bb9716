"""Runs assets that a test defines: the real plan and state machine, steps one after the other in this thread."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from batuta.authoring.asset_graph import AssetGraph
from batuta.authoring.code import CachedResult
from batuta.authoring.context import StepContext
from batuta.core import events as ev
from batuta.core.asset_plan import Asked, plan_assets
from batuta.core.definitions import Definitions
from batuta.core.errors import RequestError
from batuta.core.records import Checked, Loaded, Materialized
from batuta.core.run import Run
from batuta.core.staleness import Freshness, Pair, Recorded, staleness, to_make
from batuta.core.states import RunState
from batuta.core.values import ErrorInfo
from batuta.runtime.steps import finished_value

LAYERS = ("bronze", "silver", "gold")
NOW = datetime(2025, 4, 1, tzinfo=UTC)


class Lake:
    """Assets with a folder for their data and a memory of what was made; also the `Talk` of their steps."""

    def __init__(self, path: Path, definitions: Sequence[Any], settings: dict[str, Any] | None = None) -> None:
        self.graph = AssetGraph.of(definitions, data_path=str(path), settings=settings)
        self.recorded: dict[Pair, Materialized] = {}
        self.checks: dict[tuple[str, str], Checked] = {}
        self.dynamic: dict[str, list[str]] = {}
        self.reads: list[tuple[str, int]] = []
        """What assets have read of others, and how many partitions."""
        self.asked: list[str] = []
        self.done: list[str] = []
        """Keys of the task runs that were executed by the last run, in order."""
        self.cached: list[str] = []
        self.errors: dict[str, BaseException] = {}

    @property
    def definitions(self) -> Definitions:
        assets, steps, checks = self.graph.specs(LAYERS)
        return Definitions(assets=assets, asset_steps=steps, checks=checks)

    # -- what the engine answers

    def ask(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        """See `engine.questions`."""
        self.asked.append(what)
        match what:
            case "asset_versions":
                found = [self.recorded.get((asset, key)) for asset, key in data["wanted"]]
                return {"versions": [one.data_version if one else "" for one in found]}
            case "asset_records":
                found = [self.recorded.get((asset, key)) for asset, key in data["wanted"]]
                return {
                    "records": [
                        one
                        and {"code_version": one.code_version, "data_version": one.data_version, "inputs": one.inputs}
                        for one in found
                    ]
                }
            case "former_values":
                return self._former(**data)
            case "asset_elsewhere":
                return {"record": None}
            case "dynamic_partitions":
                return {"keys": self.dynamic[data["name"]]}
        raise RequestError(f"there is no question {what!r}")

    def _former(
        self, asset: str, check: str, metadata: str, partition: str, by_partition: bool, limit: int
    ) -> dict[str, Any]:
        """What the engine finds in the store; here only the partitions before."""
        assert by_partition
        told = {key: one.metadata.get(metadata) for (name, key), one in self.recorded.items() if name == asset}
        if not metadata:
            told = {
                key: one.metadata["value"] for (name, key), one in self.checks.items() if name == f"{asset}:{check}"
            }
        before = sorted((key for key in told if key < partition and told[key] is not None), reverse=True)
        return {"values": [[key, 0.0, told[key]] for key in before[:limit]], "current": told.get(partition)}

    # -- running

    def run(self, *keys: str, partitions: Asked = None, **more: Any) -> dict[str, str]:
        """Make the assets (all, if none is named); the states of their task runs by key."""
        config = more.pop("config", {})
        wanted = keys or [one.key for one in self.definitions.assets if not one.external]
        plan = plan_assets(self.definitions, wanted, now=NOW, partitions=partitions, dynamic_keys=self.dynamic, **more)
        run = Run(plan)
        self.done, self.cached, self.errors = [], [], {}
        commands = run.advance(ev.RunStarted(at=0.0))
        while commands:
            command = commands.pop(0)
            if isinstance(command, ev.Dispatch):
                commands += run.advance(self._attempt(run, command, config))
        run.check()
        assert run.state in (RunState.SUCCEEDED, RunState.FAILED)
        return {task.key: str(task.state) for task in run.graph.runs}

    def run_stale(self, *keys: str) -> dict[str, str]:
        """Make what is stale."""
        wanted = keys or tuple(one.key for one in self.definitions.assets)
        only = to_make(self.definitions, self.history, wanted, now=NOW, dynamic_keys=self.dynamic)
        return self.run(*wanted, only=only.keys(), config={"skip_unchanged": True})

    def _attempt(self, run: Run, command: ev.Dispatch, config: dict[str, Any]) -> ev.Event:
        task = run.task(command.task)
        run.advance(ev.AttemptStarted(at=0.0, task=task.no, attempt=command.attempt))
        context = self.context(task.node.spec.key, partition=task.label, attempt=command.attempt, config=config)
        self.done.append(task.key)
        try:
            value = finished_value(self.graph.code(task.node.spec.key).run(context))
        except Exception as error:
            self.errors[task.key] = error
            return ev.AttemptFailed(at=0.0, task=task.no, attempt=command.attempt, error=ErrorInfo(message=str(error)))
        finally:
            self._hear(context.records)
        if isinstance(value, CachedResult):
            self.cached.append(task.key)
        return ev.AttemptSucceeded(at=0.0, task=task.no, attempt=command.attempt)

    def context(self, step: str, **more: Any) -> StepContext:
        """What a step of this lake sees."""
        return StepContext(run_id=1, job="test", step=step, talk=self, **{"attempt": 1, **more})

    def _hear(self, records: Sequence[Any]) -> None:
        for record in records:
            if isinstance(record, Materialized):
                self.recorded[record.asset, record.partition] = record
            elif isinstance(record, Loaded):
                self.reads.append((record.asset, record.partitions))
            else:
                self.checks[f"{record.asset}:{record.check}", record.partition] = record

    # -- looking

    @property
    def history(self) -> dict[Pair, Recorded]:
        """What is recorded, as staleness takes it."""
        return {p: Recorded(one.data_version, one.code_version, one.inputs) for p, one in self.recorded.items()}

    @property
    def freshness(self) -> dict[Pair, Freshness]:
        return staleness(self.definitions, self.history, now=NOW, dynamic_keys=self.dynamic)

    def value(self, asset: str, *partitions: str, annotation: Any = None) -> Any:
        """What is stored of an asset."""
        from batuta.io import InputContext

        partitioned = self.graph.partitions_of_key(asset) is not None
        context = InputContext(
            asset=asset, partitions=partitions, partitioned=partitioned, annotation=annotation, downstream="the test"
        )
        return self.graph.io_of(asset).load(context)
