"""What stands between an asset's function and its table: the contract, and rules that send rows to quarantine.

Everything is judged before anything is written: first whether the columns are those of the contract, then which rows
are refused, then whether null stands where it must not. The quarantine is written first, so that a crash in between
leaves it newer than its asset, and the next attempt writes both again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from batuta.authoring import metadata
from batuta.authoring.asset_rules import QUARANTINE
from batuta.authoring.asset_values import AssetOut
from batuta.authoring.context import StepContext
from batuta.core.contract import Breach, breaches, null_breaches, shown
from batuta.core.environments import stored_key
from batuta.core.errors import ResultError
from batuta.io import frames
from batuta.io.base import OutputContext, describe

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph
    from batuta.authoring.asset_run import Inputs
    from batuta.io.queries import Count, Query
    from batuta.io.scan import Scan
    from batuta.quality.rules import Rule
    from batuta.quality.split import Held


class ContractBroken(ResultError):
    """A table is not what its asset promises: nothing of it was written."""


class Guard:
    """Lets the value of one asset in, or refuses it. Made for one materialization."""

    def __init__(self, graph: AssetGraph, context: StepContext, inputs: Inputs, out: AssetOut) -> None:
        self.graph = graph
        self.context = context
        self.inputs = inputs
        self.out = out
        self.contract = graph.contracts.get(out.key)
        self.rules: Sequence[Rule] = graph.rules_at_write(out.key)
        self.refused: dict[str, Any] | None = None
        """What is recorded of the quarantine, once it is written."""

    @contextmanager
    def admitted(self, value: Any) -> Iterator[Any]:
        """The value as it may be written, which is valid inside the block. Raises ContractBroken, CheckFailed."""
        if self.contract is None and not self.rules:
            yield value
            return
        kind = frames.kind_of(value)
        if kind is None:
            what = "a contract" if self.contract else "rules that refuse rows"
            raise ResultError(
                f"{self.what} has {what}, but its function returned a {type(value).__name__}, which is no table",
                hint="return a frame, an Arrow table, a DuckDB relation or a list of dicts; or leave schema= out",
            )
        if kind != "stream" and not (kind == "rows" and not value):
            self._check_columns(frames.columns_of(value, kind))
        if kind != "stream" and not self.rules and (self.contract is None or not self.contract.not_null):
            yield value
            return
        from batuta.quality.split import held, scanned_held

        with held(value) as table:
            if kind == "stream":  # what it holds is known once it was read
                with scanned_held(table, self.what) as scan:
                    self._check_columns(scan.plain_columns)
            yield self._judged(table)

    def over(self, query: Query) -> Query:
        """The query of an asset, whose transaction does not end well where the contract is broken."""
        if self.contract is None:
            return query
        settle = self._settle if self.contract.not_null else None
        return msgspec.structs.replace(query, admit=self._check_columns, settle=settle)

    def _settle(self, count: Count) -> None:
        assert self.contract is not None
        if wrong := null_breaches(self.contract, *count(self.contract.not_null)):
            raise self._broken(wrong)

    @property
    def what(self) -> str:
        return describe(self.out.key, self.context.partition_keys)

    def _check_columns(self, columns: Sequence[tuple[str, str]]) -> None:
        if self.contract is not None and (wrong := breaches(self.contract, columns)):
            raise self._broken(wrong)

    def _judged(self, table: Held) -> Any:
        good = table.value
        if self.rules:
            good = self._sorted_out(table)
        if self.contract is not None and self.contract.not_null:
            self._check_nulls(table, good)
        return good

    def _check_nulls(self, table: Held, good: Any) -> None:
        """Of what is left, the columns that have to have a value do."""
        assert self.contract is not None
        wrong = null_breaches(self.contract, *self._nulls(table, good, self.contract.not_null))
        if wrong:
            raise self._broken(wrong)

    def _nulls(self, table: Held, good: Any, names: Sequence[str]) -> tuple[dict[str, int], int]:
        """How many nulls there are in each of the columns that are there, and how many rows."""
        if (counted := frames.null_counts(good, names)) is not None:
            return counted
        from batuta.io.scan import scanned
        from batuta.quality.split import scanned_held

        with scanned_held(table, self.what) if good is table.value else scanned(good, self.what) as scan:
            return _nulls_in_sql(scan, names)

    def _broken(self, wrong: Sequence[Breach]) -> ContractBroken:
        assert self.contract is not None
        kept = self.contract.evolution
        hints = ["correct what it gives, or the contract (schema=)"]
        if kept == "exact" and any(one.sign == "+" for one in wrong):
            hints.append("evolution='additive' lets new columns in")
        self.context.checked(
            self.out.key,
            "schema",
            False,
            partition=self.context.partition if self.context.partitions is not None else "",
            blocking=True,
            description=shown(wrong),
            metadata={},
            outcome="failed",
        )
        return ContractBroken(
            f"{self.what} breaks its contract ({kept}); nothing was written:\n{shown(wrong)}", hint="; ".join(hints)
        )

    # ---- quarantine ----

    def _sorted_out(self, table: Held) -> Any:
        from batuta.authoring.rules_run import RunGiven, conclude
        from batuta.quality.evaluate import evaluate
        from batuta.quality.split import scanned_held, split

        with ExitStack() as stack:
            scan = stack.enter_context(scanned_held(table, self.what))
            given = RunGiven(
                scan,
                table.value,
                graph=self.graph,
                context=self.context,
                keys=self.inputs.keys,
                places=self.inputs.places,
                stack=stack,
            )
            verdicts = evaluate(self.rules, given)
            conclude(self.context, self.out.key, verdicts)
            for verdict in verdicts:
                if verdict.error is not None:
                    raise verdict.error
            if table.value is None or (table.kind == "rows" and not table.value):
                return table.value
            found = split(table, self.rules, given)
        self._store(found.bad, found.refused)
        return found.good if found.refused else table.value

    def _store(self, bad: Any, count: int) -> None:
        """Keep the refused rows of this partition, in place of those that were refused before."""
        from batuta.authoring.asset_run import stored_metadata
        from batuta.quality.split import content_hash

        context, key = self.context, self.out.key + QUARANTINE
        version = content_hash(bad)
        run, partition = str(context.run_id), context.partition if context.partitions is not None else ""
        stored = self.graph.io_of(key).store(
            OutputContext(
                asset=stored_key(key, context.environment),
                partitions=context.partition_keys,
                run_id=run,
                attempt=f"{run}.{context.key}.{context.attempt}",
            ),
            _labelled(bad, run, partition),
        )
        self.refused = {
            "asset": key,
            "metadata": metadata.normalized({**stored_metadata(stored), "rows": count}),
            "data_version": version,
        }
        if count:
            context.log.warning("%s: %d rows went to %s", self.what, count, key)


def _nulls_in_sql(scan: Scan, names: Sequence[str]) -> tuple[dict[str, int], int]:
    from batuta.io.duck_tables import quoted

    present = [name for name in names if name in scan.columns]
    if not present:
        return {}, 0
    counted = ", ".join(f"count(*) - count({quoted(name)})" for name in present)
    ((rows, *nulls),) = scan.rows(f"SELECT count(*), {counted} FROM this")
    return dict(zip(present, nulls, strict=True)), rows


def _labelled(bad: Any, run: str, partition: str) -> Any:
    """The refused rows with where they come from."""
    labels = {"quarantine_run": run, "quarantine_partition": partition}
    match frames.kind_of(bad):
        case "polars":
            import polars as pl

            return bad.with_columns(**{name: pl.lit(value) for name, value in labels.items()})
        case "pandas":
            return bad.assign(**labels)
        case _:
            pa = frames.pyarrow()
            for name, value in labels.items():
                bad = bad.append_column(name, pa.array([value] * bad.num_rows, pa.string()))
            return bad
