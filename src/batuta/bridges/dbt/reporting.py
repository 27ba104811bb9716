"""From what dbt says of a node to what the engine records: data versions, metadata, verdicts, failures with their SQL.

Surprising: a view and an ephemeral model have a data version made of what they are made of, so that making one again
makes nothing stale that reads it; a table that is made again has new data.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from batuta.authoring.context import StepContext
from batuta.authoring.metadata import markdown, normalized, schema, table
from batuta.bridges.dbt.invocation import Invocation
from batuta.bridges.dbt.problems import DbtFailed, node_failure, without_headline
from batuta.bridges.dbt.targets import Target
from batuta.core.code_text import CodeText
from batuta.core.columns import SqlSource
from batuta.core.definitions import AssetDep
from batuta.core.errors import CheckFailed
from batuta.core.partition_mapping import AllPartitions, needed
from batuta.core.partitions import DynamicPartitions, MultiPartitions, Partitions
from batuta.io.frames import plain_type

ROWS_SAMPLED = 10
LINES_LOGGED_MAX = 400
_encoder = msgspec.json.Encoder(order="deterministic")


class Reporter:
    """See the module."""

    def __init__(self, invocation: Invocation, adapter: Any, queries: Mapping[str, SqlSource]) -> None:
        """`queries`: those that make assets, as far as they are known."""
        self._invocation = invocation
        self._adapter = adapter
        self._queries = queries
        self._told: dict[str, int] = {}  # by asset: the run that was told its query

    # ---- what it is made from ----

    def inputs(self, context: StepContext, target: Target) -> dict[str, str]:
        """The data versions that it is about to read, by asset[/partition]."""
        if not target.deps:
            return {}
        made = context.ask("versions_made", assets=[dep.asset for dep in target.deps])["versions"]
        found: dict[str, str] = {}
        for dep in target.deps:
            versions: Mapping[str, str] = made[dep.asset]
            for key in _read(context, dep, target, versions):
                found[f"{dep.asset}/{key}" if key else dep.asset] = versions[key]
        return found

    def is_unchanged(self, context: StepContext, target: Target, inputs: Mapping[str, str]) -> bool:
        """Whether it was made of the same, by the same code."""
        if target.check:
            return False
        key = context.partition if target.partitions is not None else ""
        (record,) = context.ask("asset_records", wanted=[[target.asset, key]])["records"]
        return record is not None and record["code_version"] == target.code_version and record["inputs"] == dict(inputs)

    # ---- what came of it ----

    def report(
        self,
        context: StepContext,
        target: Target,
        node: Any,
        result: Any,
        inputs: Mapping[str, str],
        before: Mapping[str, Any] | None = None,
    ) -> None:
        """Record it; as the same data as `before`, a record of it, where it was made of the same by the same code.

        Raises DbtFailed, CheckFailed.
        """
        status = str(result.status)
        if status in ("error", "runtime error", "partial success"):
            raise self._failure(node, result, status)
        if target.check:
            self._checked(context, target, node, result, status)
            return
        context.materialized(
            target.asset,
            partition=context.partition if target.partitions is not None else "",
            metadata=normalized(self._metadata(node, result)),
            data_version=_data_version(target, node, inputs) or _same_version(target, inputs, before),
            code_version=target.code_version,
            inputs=inputs,
            code=self._code(context, target),
        )

    def _code(self, context: StepContext, target: Target) -> CodeText | None:
        """Its query as it was described, once a run, or again with another attempt."""
        sql = self._queries.get(target.asset)
        if sql is None or (self._told.get(target.asset) == context.run_id and context.attempt == 1):
            return None
        self._told[target.asset] = context.run_id
        return CodeText(sql=sql)

    def _metadata(self, node: Any, result: Any) -> dict[str, Any]:
        """Rows, columns, and whatever the adapter has told."""
        told = {
            name: value for name, value in (result.adapter_response or {}).items() if name not in ("_message", "code")
        }
        found: dict[str, Any] = {"dbt_status": str(result.message or result.status)}
        if (rows := told.pop("rows_affected", None)) not in (None, -1):
            found["rows_affected"] = rows
        found |= told
        if getattr(node, "language", "sql") == "sql" and getattr(result.node, "compiled_path", None):
            found["compiled"] = os.path.join(self._invocation.config.project_root, result.node.compiled_path)
        if not node.is_ephemeral_model and node.resource_type != "function":
            self._look(node, found)
        return found

    def _look(self, node: Any, found: dict[str, Any]) -> None:
        """At what was made: its columns, and how many rows there are where counting them is cheap."""
        relation = self._adapter.Relation.create_from(self._invocation.config, node)
        try:
            with self._adapter.connection_named("batuta"):
                if self._adapter.type() == "duckdb":
                    self._look_at_duckdb(relation, node, found)
                    return
                columns = self._adapter.get_column_schema_from_query(f"select * from {relation} where false limit 0")
                found["columns"] = schema([(column.name, plain_type(column.data_type)) for column in columns])
        except Exception as error:  # metadata never fail the work that they describe
            found["columns_unknown"] = str(error).splitlines()[0]

    def _look_at_duckdb(self, relation: Any, node: Any, found: dict[str, Any]) -> None:
        """The same without the detours of adapters, which take longer than the queries."""
        cursor = self._adapter.connections.get_thread_connection().handle.cursor()
        columns = cursor.execute(f"describe {relation}").fetchall()
        found["columns"] = schema([(name, plain_type(kind)) for name, kind, *_ in columns])
        if node.get_materialization() != "view":
            found["rows"] = cursor.execute(f"select count(*) from {relation}").fetchone()[0]

    # ---- checks ----

    def _checked(self, context: StepContext, target: Target, node: Any, result: Any, status: str) -> None:
        passed = status == "pass"
        reason = "" if passed else without_headline(str(result.message or status))
        metadata: dict[str, Any] = {}
        if result.failures:
            metadata["failures"] = result.failures
        if not passed and node.resource_type == "test":
            metadata |= self._sample(result.node)
        if not passed and node.resource_type == "unit_test":
            metadata["difference"] = markdown(f"```\n{result.message}\n```")
            reason = "the rows are not those that were expected"
        if node.resource_type == "source":
            metadata |= _ages(result)
            reason = "" if passed else f"the newest row is {metadata.get('age', 'too old')}"
        blocking = target.blocking and status not in ("warn",)
        context.checked(
            target.asset,
            target.check,
            passed,
            partition=context.partition if target.partitions is not None else "",
            blocking=blocking,
            description=reason,
            metadata=normalized(metadata),
            outcome="" if status != "warn" else "warned",
        )
        if passed:
            return
        told = f": {reason}" if reason else ""
        if not blocking:
            context.log.warning("check %s:%s failed%s", target.asset, target.check, told)
            return
        if node.resource_type == "unit_test" and result.message:
            context.log.error("%s", str(result.message).strip())
        hint = f"what depends on {target.asset!r} is held back until it passes"
        if node.resource_type == "unit_test":
            hint = f"{target.asset!r} is held back until it passes"
        raise CheckFailed(f"check '{target.asset}:{target.check}' failed{told}", where=self._file(node), hint=hint)

    def _sample(self, node: Any) -> dict[str, Any]:
        """The first rows that a test has found."""
        sql = getattr(node, "compiled_code", None)
        if not sql:
            return {}
        try:
            with self._adapter.connection_named("batuta"):
                _, found = self._adapter.execute(f"select * from ({sql}\n) as failing limit {ROWS_SAMPLED}", fetch=True)
            rows = [dict(zip(found.column_names, row.values(), strict=True)) for row in found.rows]
        except Exception as error:
            return {"sample_unknown": str(error).splitlines()[0]}
        return {"sample": table(rows)} if rows else {}

    # ---- failures ----

    def _failure(self, node: Any, result: Any, status: str) -> DbtFailed:
        """What the database, or the compiler, has said; the SQL that it has said it of is logged."""
        compiled = result.node if getattr(result, "node", None) is not None else node
        path = _written(self._invocation, compiled)
        self._log_sql(compiled)
        message = str(result.message or status)
        if getattr(result, "batch_results", None) is not None:  # dbt says just ERROR, or how many
            said = self._invocation.said_last.removeprefix("Exception on worker thread. ")
            message = said if message == "ERROR" else f"{message}\n{said}"
        return node_failure(message, self._file(node), 0, f"its compiled SQL is {path}" if path else "")

    def _log_sql(self, node: Any) -> None:
        import logging

        sql = getattr(node, "compiled_code", None)
        if not sql:
            return
        lines = sql.strip().splitlines()
        shown = [f"{number:4} {line}" for number, line in enumerate(lines[:LINES_LOGGED_MAX], 1)]
        more = f"\n     ... {len(lines) - LINES_LOGGED_MAX} more" if len(lines) > LINES_LOGGED_MAX else ""
        logging.getLogger("dbt").error("the compiled SQL was\n%s%s", "\n".join(shown), more)

    def _file(self, node: Any) -> str:
        return os.path.join(str(self._invocation.config.project_root), node.original_file_path)


def _read(context: StepContext, dep: AssetDep, target: Target, versions: Mapping[str, str]) -> list[str]:
    """The partitions of an upstream asset that a step reads, of those that there are; "" where it has none."""
    made = [key for key in versions if key]
    if not made:
        return [""] if "" in versions else []
    own = target.partitions
    if isinstance(dep.mapping, AllPartitions) or (own is None and dep.mapping is None):
        return sorted(made)
    upstream = target.upstream.get(dep.asset) or own  # of a source that does not say: as its reader's
    if upstream is None:
        return sorted(made)
    key = None if own is None else context.partition
    now = datetime.fromtimestamp(time.time(), UTC)
    dynamic = {name: context.dynamic_partitions(name) for name in _dynamic_names(upstream, own)}
    wanted = needed(dep.mapping, upstream, own, key, now, dynamic).keys
    return [one for one in wanted if one in versions]


def _dynamic_names(*definitions: Partitions | None) -> list[str]:
    names: set[str] = set()
    for definition in definitions:
        parts = definition.dimensions.values() if isinstance(definition, MultiPartitions) else (definition,)
        names.update(part.name for part in parts if isinstance(part, DynamicPartitions))
    return sorted(names)


def _data_version(target: Target, node: Any, inputs: Mapping[str, str]) -> str:
    """Of what is no more than its definition and what that reads; "" where the data are new each time."""
    if node.resource_type == "seed" or node.get_materialization() in ("view", "ephemeral"):
        return hashlib.blake2b(_encoder.encode([target.code_version, dict(inputs)]), digest_size=16).hexdigest()
    return ""


def _same_version(target: Target, inputs: Mapping[str, str], before: Mapping[str, Any] | None) -> str:
    same = before is not None and (before["code_version"], before["inputs"]) == (target.code_version, dict(inputs))
    return str(before["data_version"]) if before is not None and same else ""


def _ages(result: Any) -> dict[str, Any]:
    """What the freshness of a source has told."""
    found: dict[str, Any] = {}
    if getattr(result, "max_loaded_at", None) is not None:
        found["max_loaded_at"] = result.max_loaded_at
    if getattr(result, "age", None) is not None:
        found["age"] = f"{result.age:.0f} s old"
    return found


def _written(invocation: Invocation, node: Any) -> str:
    """The file of the compiled SQL, if it came to be written."""
    for path in (getattr(node, "build_path", None), getattr(node, "compiled_path", None)):
        if path:
            full = os.path.join(str(invocation.config.project_root), path)
            if os.path.isfile(full):
                return full
    return ""
