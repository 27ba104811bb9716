"""What a running step may ask the engine, and the answers. Every question is a method named after it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.core.errors import BatutaError, RequestError
from batuta.core.states import TaskState
from batuta.core.values import Handle
from batuta.engine.artifacts import Artifacts
from batuta.engine.former import former
from batuta.engine.later import Given, Later
from batuta.engine.table_versions import versions_written
from batuta.runtime.outputs import refuse_secrets
from batuta.runtime.protocol import Ask, Reply
from batuta.store.rows import CheckRow, MaterializationRow

if TYPE_CHECKING:
    from batuta.engine.active import ActiveRun
    from batuta.engine.engine import Engine


RUNS_REMEMBERED_MAX = 8


class Questions:
    """Answers for the steps of all runs of one engine. A method returns the answer, or a `Later`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._artifacts = Artifacts(engine)
        self._recorded: dict[int, dict[str, dict[str, dict[str, Any]]]] = {}  # by run and asset: see `_records`

    def ask(self, active: ActiveRun, task: int, ask: Ask, reply: Callable[[Reply], None]) -> None:
        """Reply now, or, where the answer is a `Later`, when it is known."""
        try:
            answer: Given | Later = self._answer(active, task, ask.what, ask.data)
        except BatutaError as error:
            answer = error
        except TypeError as error:
            answer = RequestError(f"{ask.what}: {error}")
        if isinstance(answer, Later):
            answer.then(lambda given: reply(_as_reply(ask.id, given)))
        else:
            reply(_as_reply(ask.id, answer))

    def _answer(self, active: ActiveRun, task: int, what: str, data: dict[str, Any]) -> Given | Later:
        method = getattr(self, f"on_{what}", None)
        if method is None:
            raise RequestError(f"there is no question {what!r}", where=f"run {active.id}")
        answer: Given | Later = method(active, task, **data)
        return answer

    def on_output(self, active: ActiveRun, task: int, step: str, index: int | None = None) -> dict[str, Any]:
        """Outputs of a step of the same run: `handles` (one, or those of all its succeeded task runs) and `many`."""
        node = active.run.graph.by_key.get(step)
        if node is None:
            known = ", ".join(list(active.run.graph.by_key)[:20])
            raise RequestError(f"this run has no step {step!r}", hint=f"steps are: {known}")
        runs = [run for run in node.runs if run.state is TaskState.SUCCEEDED]
        if index is not None:
            runs = [run for run in runs if run.index == index]
        handles = [msgspec.to_builtins(run.output or Handle(), builtin_types=(bytes,)) for run in runs]
        return {"handles": handles, "many": node.spec.expansion is not None and index is None}

    def on_artifact(self, active: ActiveRun, task: int, **data: Any) -> dict[str, Any]:
        """Record something to be looked at, see `core.artifacts.ArtifactGiven`."""
        self._artifacts.made(active, task, data)
        return {}

    def on_cache(self, active: ActiveRun, task: int, key: str) -> dict[str, Any]:
        """The recorded result for a cache key, if it is still good."""
        row = self._engine.store.cache_get(key, self._engine.now())
        if row is None:
            return {"output": None}
        handle = msgspec.json.decode(row.output, type=Handle)
        return {"output": msgspec.to_builtins(handle, builtin_types=(bytes,))}

    def on_dynamic_partitions(self, active: ActiveRun, task: int, name: str) -> dict[str, Any]:
        """The keys of a dynamic partitions definition."""
        return {"keys": self._engine.store.dynamic_partitions(name)}

    def on_add_dynamic_partitions(self, active: ActiveRun, task: int, name: str, keys: list[str]) -> dict[str, Any]:
        """Add keys to one."""
        self._engine.store.add_dynamic_partitions(name, keys, now=self._engine.now())
        return {}

    def on_asset_versions(self, active: ActiveRun, task: int, wanted: list[list[str]]) -> dict[str, Any]:
        """Current data versions of [asset, partition] pairs; "" where it was never made.

        For a run in an environment also in which of the two, it or production, each of them is.
        """
        found: dict[tuple[str, str], str] = {}
        missing = []
        for asset, partition in wanted:
            version = active.versions.get((asset, partition))
            if version is None:
                missing.append((asset, partition))
            else:
                found[(asset, partition)] = version
        places = active.places
        if missing:
            states = self._states(active, sorted({asset for asset, _ in missing}))
            for pair in missing:
                state = states.get(pair)
                found[pair] = state[0].data_version if state else ""
            if active.plan.kind == "assets":
                # Kept for the other partitions' steps. Where another run makes one meanwhile, an older version than was
                # read is recorded, and the asset is stale afterwards: the safe side.
                for pair, (row, environment) in states.items():
                    active.versions.setdefault(pair, row.data_version)
                    places.setdefault(pair, environment)
            else:
                places = places | {pair: environment for pair, (_, environment) in states.items()}
        answer: dict[str, Any] = {"versions": [found[(asset, partition)] for asset, partition in wanted]}
        if active.environment:
            answer["environments"] = [places.get((asset, partition), "") for asset, partition in wanted]
        return answer

    def _states(self, active: ActiveRun, assets: list[str]) -> dict[tuple[str, str], tuple[MaterializationRow, str]]:
        """What is recorded of assets as a run sees them, and in which environment."""
        store = self._engine.store
        states = {pair: (row, "") for pair, row in store.asset_states(assets).items()}
        if active.environment:
            own = store.environments.states(active.environment, assets)
            states |= {pair: (row, active.environment) for pair, row in own.items()}
        return states

    def on_versions_made(self, active: ActiveRun, task: int, assets: list[str]) -> dict[str, Any]:
        """Current data versions by asset and partition, of all partitions that were ever made, and in which environment
        each is: for code that does not know which there are."""
        found: dict[str, dict[str, str]] = {asset: {} for asset in assets}
        places: dict[str, dict[str, str]] = {asset: {} for asset in assets}
        for (asset, partition), (state, environment) in self._states(active, sorted(found)).items():
            found[asset][partition] = state.data_version
            places[asset][partition] = environment
        for (asset, partition), version in active.versions.items():
            if asset in found and (version or partition in found[asset]):
                found[asset][partition] = version
                places[asset][partition] = active.places.get((asset, partition), "")
        return {"versions": found, "environments": places}

    def on_asset_records(self, active: ActiveRun, task: int, wanted: list[list[str]]) -> dict[str, Any]:
        """What was recorded of [asset, partition] pairs before this run came to them; None where never made."""
        return {"records": [self._records(active, asset).get(partition) for asset, partition in wanted]}

    def _records(self, active: ActiveRun, asset: str) -> dict[str, dict[str, Any]]:
        """The records of an asset by partition: one query a run, however many partitions ask."""
        run = active.id
        if run not in self._recorded:
            if len(self._recorded) >= RUNS_REMEMBERED_MAX:
                self._recorded.clear()
            self._recorded[run] = {}
        of_run = self._recorded[run]
        if asset not in of_run:
            of_run[asset] = {
                partition: {
                    "code_version": row.code_version,
                    "data_version": row.data_version,
                    "inputs": msgspec.json.decode(row.inputs),
                }
                for (_, partition), (row, _) in self._states(active, [asset]).items()
            }
        return of_run[asset]

    def on_versions_written(self, active: ActiveRun, task: int, asset: str, run: int) -> dict[str, Any]:
        """The versions of an asset's table that a run recorded, and in which environment it was."""
        environment, versions = versions_written(self._engine.store, asset, run)
        return {"environment": environment, "versions": versions}

    def on_former_values(self, active: ActiveRun, task: int, asset: str, **asked: Any) -> dict[str, Any]:
        """What was recorded before of a number, nearest first, and what is recorded of it now: see `former`."""
        return former(self._engine.store, asset, **asked)

    def on_asset_elsewhere(
        self, active: ActiveRun, task: int, asset: str, partition: str, code_version: str, inputs: dict[str, str]
    ) -> dict[str, Any]:
        """What was made elsewhere (in an environment, or in production) by this code of these inputs; or None."""
        store = self._engine.store
        found = [("", row) for (_, one), row in store.asset_states([asset]).items() if one == partition]
        found += store.environments.having(asset, partition, code_version)
        for environment, row in found:
            if environment == active.environment or row.code_version != code_version or not row.data_version:
                continue
            if msgspec.json.decode(row.inputs) == inputs:
                return {"record": _record(row, environment)}
        return {"record": None}

    def on_environment_records(
        self, active: ActiveRun, task: int, environment: str, asset: str, partitions: list[str]
    ) -> dict[str, Any]:
        """What an environment has of the partitions of an asset (None: nothing of its own), and verdicts of checks."""
        book = self._engine.store.environments
        states = book.states(environment, [asset])
        rows = [states.get((asset, partition)) for partition in partitions]
        return {
            "records": [None if row is None else _record(row, environment) for row in rows],
            "verdicts": [_verdict(row) for row in book.verdicts(environment).values() if row.asset == asset],
        }

    def on_launch(self, active: ActiveRun, task: int, job: str, params: dict[str, Any], key: str = "") -> Later:
        """Start a run of another job, at most once for `key`; gives its id.

        On a thread of its own: validating the parameters runs the user's code, and it is this engine that hears of it.
        """
        refuse_secrets(params, f"job {job!r}")
        later = Later()
        engine = self._engine

        def launch() -> None:
            try:
                run_id = engine.launch(job, params, trigger="parent", parent=(active.id, task), key=key)
                given: Given = {"run_id": run_id}
            except BatutaError as error:
                given = error
            engine.post(lambda: later.give(given))

        threading.Thread(target=launch, name=f"batuta-launch-{job}", daemon=True).start()
        return later

    def on_run_state(self, active: ActiveRun, task: int, run_id: int) -> dict[str, Any]:
        """The state of any run."""
        row = self._engine.store.run(run_id)
        if row is None:
            raise RequestError(f"there is no run {run_id}")
        return {"state": row.state}

    def on_start_child(self, active: ActiveRun, task: int, **data: Any) -> dict[str, Any]:
        """Start (or find again) the run of a nested flow whose body the asker will run."""
        return self._engine.children.start(active, task, data)

    def on_end_child(self, active: ActiveRun, task: int, **data: Any) -> dict[str, Any] | Later:
        """The body of a nested flow has ended."""
        return self._engine.children.end(active, data)

    def on_lookup(self, active: ActiveRun, task: int, kind: Any, name: str, optional: bool = False) -> Later:
        """The text of a variable, connection or secret; see `runtime.lookups`."""
        return self._engine.lookups.look_up(kind, name, optional)

    def on_seal(self, active: ActiveRun, task: int, data: bytes) -> Later:
        """A result that holds secrets, encrypted."""
        return self._engine.lookups.seal(data)

    def on_unseal(self, active: ActiveRun, task: int, data: bytes) -> Later:
        """The inverse."""
        return self._engine.lookups.unseal(data)


def _record(row: MaterializationRow, environment: str) -> dict[str, Any]:
    """A materialization for a step."""
    return {
        "code_version": row.code_version,
        "data_version": row.data_version,
        "inputs": msgspec.json.decode(row.inputs),
        "metadata": msgspec.json.decode(row.metadata),
        "environment": environment,
    }


def _verdict(row: CheckRow) -> dict[str, Any]:
    """A verdict as a step reports it again."""
    return {
        "check": row.check,
        "passed": row.passed,
        "partition": row.partition,
        "blocking": row.blocking,
        "description": row.description,
        "metadata": msgspec.json.decode(row.metadata),
        "outcome": row.outcome,
    }


def _as_reply(ask_id: int, given: Given) -> Reply:
    if isinstance(given, BatutaError):
        return Reply(ask_id, error=(given.what, given.where or "", given.hint or ""))
    return Reply(ask_id, given)
