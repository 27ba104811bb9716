"""dbt at work in a warm worker: one node after the other, each as its own step, by dbt's own runners.

What `dbt build` does for a selection is done here for a node: schemas made, what there is looked up, the node compiled
with the variables of its partition, run, and its result told as what was made or how a check came out. Surprising:
dbt's queue of nodes is not used at all; order, skips, retries and blocking tests are the engine's.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from batuta.authoring.asset_environments import has_other_work
from batuta.authoring.code import CachedResult
from batuta.authoring.context import StepContext
from batuta.bridges.dbt.databases import Database
from batuta.bridges.dbt.environments import Elsewhere
from batuta.bridges.dbt.hooks import END, START, Hooks
from batuta.bridges.dbt.invocation import Invocation
from batuta.bridges.dbt.reporting import Reporter
from batuta.bridges.dbt.targets import Target
from batuta.bridges.dbt.variables import Window, variables_of, window_of
from batuta.bridges.dbt.watching import listening
from batuta.core.columns import SqlSource
from batuta.core.environments import CLEAR, CONFIG, PROMOTE
from batuta.core.values import NONE

FULL_REFRESH = "full_refresh"
"""A tag of a run: incremental models and seeds are made from nothing."""
NO_ASSETS: Mapping[str, str] = {}


class Session:
    """See the module. Made in the worker, at its first step."""

    def __init__(
        self, invocation: Invocation, queries: Mapping[str, SqlSource], assets: Mapping[str, str] = NO_ASSETS
    ) -> None:
        """`queries` of assets by their keys; `assets`: the key of each node that is one."""
        from dbt.task.build import BuildTask

        self._invocation = invocation
        self._config = invocation.config
        self._manifest = invocation.manifest
        self._adapter = invocation.adapter
        self._adapter.cache.clear()  # as compiling has left it
        self._database = Database(self._adapter, self._config.credentials)
        self._task = BuildTask(invocation.flags, self._config, self._manifest)
        self._task.num_nodes = 1
        self._schemas: set[tuple[str | None, str]] = set()
        self._cli_vars = dict(self._config.cli_vars)
        self._run_id = 0
        self._reporter = Reporter(invocation, self._adapter, queries)
        self._hooks = Hooks(invocation, self._task)
        self._elsewhere = Elsewhere(self._config, self._manifest, self._adapter, assets)

    def run(self, context: StepContext, target: Target) -> Any:
        """Run a step. Raises DbtFailed, TransientError."""
        if target.node in (START, END):
            self._run_hooks(context, target.node)
            return None
        context.partitions = target.partitions
        if has_other_work(context):
            self._other_work(context, target)
            return None
        return self._make(context, target)

    def _make(self, context: StepContext, target: Target, before: Mapping[str, Any] | None = None) -> Any:
        """Run a node. `before`: what an environment has of it, which is recorded of what is made of the same."""
        inputs = self._reporter.inputs(context, target) if not target.check else {}
        if context.config.get("skip_unchanged") and self._reporter.is_unchanged(context, target, inputs):
            return CachedResult(NONE)
        self._begin(context)
        node = self._node(target.node)
        with listening(self._invocation):
            fresh = self._database.open()
            try:
                with self._elsewhere.within(context, node) as production:
                    self._prepare(node, fresh)
                    if production is not None and not self._invocation.flags.FULL_REFRESH:
                        self._elsewhere.begin(node, production)
                    with self._variables(context, target):
                        result = self._result(node, target, context)
                        self._hooks.note(context, result)
                        self._reporter.report(context, target, node, result, inputs, before)
            finally:
                self._database.between_nodes()
        return None

    # ---- environments ----

    def _other_work(self, context: StepContext, target: Target) -> None:
        """Make in production what an environment has, which is how dbt's work is promoted; or drop it there."""
        asked = context.config.get(PROMOTE) or context.config[CLEAR]
        keys = asked["partitions"].get(target.asset)
        if not keys:
            return
        if CLEAR in context.config:
            self._clear(context, target, str(asked["environment"]))
            return
        of = {"environment": asked["environment"], "asset": target.asset, "partitions": list(keys)}
        answer = context.ask("environment_records", **of)
        there = context.ask("asset_records", wanted=[[target.asset, key] for key in keys])["records"]
        for key, record, now in zip(keys, answer["records"], there, strict=True):
            if record is None or (now is not None and all(now[name] == record[name] for name in now)):
                continue
            context.partition = key
            self._make(context, target, record)
            for verdict in answer["verdicts"]:
                if verdict["partition"] == key:
                    context.checked(target.asset, **verdict)

    def _clear(self, context: StepContext, target: Target, environment: str) -> None:
        node = self._node(target.node)
        there = replace(context, config={**context.config, CONFIG: environment})
        with listening(self._invocation):
            if self._database.open():
                self._refresh()
            try:
                with self._elsewhere.within(there, node):
                    self._elsewhere.clear(node)
            finally:
                self._database.between_nodes()

    def _run_hooks(self, context: StepContext, which: str) -> None:
        self._begin(context)
        with listening(self._invocation):
            if self._database.open():
                self._refresh()
            try:
                if which == START:
                    self._hooks.run_start()
                else:
                    self._hooks.run_end(context)
            finally:
                self._database.between_nodes()

    def close(self) -> None:
        """Let go of what others may want."""
        self._database.close()

    # ---- before ----

    def _begin(self, context: StepContext) -> None:
        """A run of ours is an invocation of dbt."""
        from dbt_common.invocation import reset_invocation_id

        if context.run_id != self._run_id:
            self._run_id = context.run_id
            reset_invocation_id()
            flags = self._invocation.flags
            wanted = context.tags.get(FULL_REFRESH, "false").lower() not in ("false", "0", "no")
            object.__setattr__(flags, "FULL_REFRESH", wanted)

    def _node(self, unique: str) -> Any:
        """A copy: running changes it, and it may be run again."""
        manifest = self._manifest
        for known in (manifest.nodes, manifest.unit_tests, manifest.sources, getattr(manifest, "functions", {})):
            if unique in known:
                return copy.deepcopy(known[unique])
        raise KeyError(unique)

    def _prepare(self, node: Any, fresh: bool) -> None:
        """What there is in the database, as far as others may have changed it; and the schema that the node needs."""
        from dbt.node_types import NodeType

        adapter = self._adapter
        makes = node.resource_type not in (NodeType.Unit, NodeType.Source) and (
            node.resource_type != NodeType.Test or node.is_relational
        )
        if fresh and not self._database.is_shared:
            self._refresh()
        relation = adapter.Relation.create_from(self._config, node).without_identifier() if makes else None
        if relation is not None and (relation.database, relation.schema) not in self._schemas:
            with self._connected():
                self._task.create_schemas(adapter, {relation})
            self._schemas.add((relation.database, relation.schema))
        if self._database.is_shared and (makes or fresh):
            with self._connected():
                adapter.set_relations_cache([], clear=True, required_schemas={relation} if relation else set())

    def _refresh(self) -> None:
        """Look up anew what there is: others may have had the file."""
        self._schemas.clear()
        self._adapter.cache.clear()
        with self._connected():
            self._task.populate_adapter_cache(self._adapter)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[None]:
        from dbt_common.events.contextvars import task_contextvars

        with task_contextvars(project_root=self._config.project_root), self._adapter.connection_named("master"):
            yield

    # ---- the node ----

    @contextlib.contextmanager
    def _variables(self, context: StepContext, target: Target) -> Iterator[None]:
        """dbt's variables are those of the partition meanwhile; what was compiled with others is forgotten."""
        window = window_of(context, target)
        self._config.cli_vars = {**self._cli_vars, **variables_of(context, target, window)}
        for node in self._manifest.nodes.values():
            if node.is_ephemeral_model and node.compiled:
                node.compiled, node.compiled_code = False, None
                node.extra_ctes, node.extra_ctes_injected, node._pre_injected_sql = [], False, None
        try:
            yield
        finally:
            self._config.cli_vars = self._cli_vars

    def _result(self, node: Any, target: Target, context: StepContext) -> Any:
        """What dbt's runner gives for it."""
        from dbt_common.events.contextvars import log_contextvars

        runner = self._runner(node, window_of(context, target) if target.batches else None)
        with log_contextvars(node_info=node.node_info):
            node.update_event_status(started_at=datetime.now(UTC).replace(tzinfo=None).isoformat())
            return runner.run_with_hooks(self._manifest)

    def _runner(self, node: Any, window: Window | None) -> Any:
        from dbt.graph.thread_pool import DbtThreadPool
        from dbt.node_types import NodeType
        from dbt.task.freshness import FreshnessRunner
        from dbt.task.run import MicrobatchBatchRunner, MicrobatchModelRunner

        if node.resource_type == NodeType.Source:
            return FreshnessRunner(self._config, self._adapter, node, 1, 1)
        kind = self._task.get_runner_type(node)
        if kind is not MicrobatchModelRunner:
            return kind(self._config, self._adapter, node, 1, 1)
        whole = MicrobatchModelRunner(self._config, self._adapter, node, 1, 1)
        if window is None:
            whole.set_parent_task(self._task)
            whole.set_pool(DbtThreadPool(1))
            return whole
        with self._adapter.connection_named("master"):
            exists, incremental = whole._has_relation(node), whole._is_incremental(node)
        batch = {0: (window.start, window.end)}
        return MicrobatchBatchRunner(self._config, self._adapter, node, 1, 1, 0, batch, exists, incremental)
