"""Evaluating the rules of an asset in a run: its table asked where it is kept, every verdict recorded.

The surprising rule: a rule that was not able to tell (a column that is not there) does not hide the others, and fails
the step only where it blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from batuta.authoring import metadata
from batuta.authoring.asset_places import NO_PLACES, load, scan
from batuta.authoring.asset_rules import RuleSet
from batuta.authoring.asset_run import FunctionCode, Inputs, takes_what_there_is
from batuta.authoring.context import StepContext
from batuta.authoring.former import former_values, time_of
from batuta.core.definitions import AssetDep
from batuta.core.errors import CheckFailed
from batuta.core.partitions import window
from batuta.io.scan import Scan
from batuta.quality.evaluate import Verdict, evaluate
from batuta.quality.given import Given, History
from batuta.quality.rules import Rule

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph

SAMPLE_BYTES_MAX = 32 * 1024


class RulesCode(FunctionCode):
    """Evaluates rules of one asset. See `authoring.code.StepCode`."""

    definition: RuleSet

    def _deps_to_ask(self, context: StepContext) -> list[AssetDep]:
        """Only where not all that could be read needs to be there: a check records no inputs."""
        return [dep for dep in self.binding.deps if takes_what_there_is(dep, context.partitions)]

    def _called(self, context: StepContext, inputs: Inputs) -> Any:
        rules = self.definition
        with ExitStack() as stack:
            keys, places = inputs.keys[rules.asset], inputs.places.get(rules.asset, NO_PLACES)
            found = stack.enter_context(scan(self.graph, rules.asset, keys, context.key, places))
            given = RunGiven(
                found,
                graph=self.graph,
                context=context,
                keys=inputs.keys,
                places=inputs.places,
                asset=rules.asset,
                stack=stack,
            )
            return evaluate(rules.rules, given)

    def _finish(self, context: StepContext, inputs: Inputs, result: Any) -> None:
        conclude(context, self.definition.asset, result)


@dataclass
class RunGiven(Given):
    """What rules are given in a run: other assets by their IO managers, what was before by the engine."""

    graph: AssetGraph = field(kw_only=True)
    context: StepContext = field(kw_only=True)
    keys: dict[str, list[str] | None] = field(kw_only=True)
    places: dict[str, dict[str, str]] = field(kw_only=True)
    asset: str = field(kw_only=True, default="")  # "": it is not stored yet

    def __post_init__(self) -> None:
        self.ends_at = partition_end(self.context)

    def value(self, annotation: Any) -> Any:
        """The table, loaded by its IO manager as what is asked for; before it is written, the value that is there."""
        if not self.asset:
            return super().value(annotation)
        places = self.places.get(self.asset, NO_PLACES)
        return load(self.graph, self.asset, self.keys[self.asset], annotation, self.context.key, places)

    def history(self, rule: Rule) -> History:
        return former_values(self.context, self.graph, self.asset, rule)

    def opened(self, asset: str) -> Scan:
        places = self.places.get(asset, NO_PLACES)
        return self.stack.enter_context(scan(self.graph, asset, self.keys[asset], self.context.key, places))


def partition_end(context: StepContext) -> datetime | None:
    """When the time of the partition ends that is made or checked; None where it has no time."""
    if context.partitions is None or time_of(context.partitions) is None:
        return None
    return window(context.partitions, context.partition, context.step).end.astimezone(UTC)


# ---- what comes of it ----


def conclude(context: StepContext, asset: str, verdicts: Sequence[Verdict]) -> None:
    """Record all verdicts, and log those that did not pass. Raises CheckFailed where one holds back."""
    for verdict in verdicts:
        record(context, asset, verdict)
    held = [verdict for verdict in verdicts if verdict.holds_back]
    if held:
        told = "; ".join(f"{asset}:{verdict.rule.name}: {verdict.text}" for verdict in held)
        hints = [verdict.error.hint for verdict in held if verdict.error is not None and verdict.error.hint]
        raise CheckFailed(
            f"{'check' if len(held) == 1 else f'{len(held)} checks'} failed: {told}",
            hint="; ".join(dict.fromkeys(hints)) or f"what depends on {asset!r} is held back until it passes",
        )


def record(context: StepContext, asset: str, verdict: Verdict) -> None:
    """Record a verdict with its numbers and some of the rows that failed."""
    rule = verdict.rule
    values: dict[str, Any] = dict(verdict.numbers)
    if verdict.sample is not None:
        values["sample"] = sample_table(*verdict.sample)
    if verdict.error is not None and verdict.error.hint:
        values["hint"] = verdict.error.hint
    context.checked(
        asset,
        rule.name,
        verdict.passed,
        partition=context.partition if context.partitions is not None else "",
        blocking=rule.options.blocking,
        description=verdict.text,
        metadata=metadata.normalized(values),
        outcome=verdict.outcome,
    )
    if verdict.outcome in ("warned", "failed"):
        log = context.log.error if verdict.outcome == "failed" else context.log.warning
        log("check %s:%s %s: %s", asset, rule.name, verdict.outcome, verdict.text)


def sample_table(names: list[str], rows: list[list[Any]]) -> metadata.Metadata:
    """Rows as a small table: fewer of them where they are large."""
    import msgspec

    made = metadata.table(rows, names)
    while len(made["rows"]) > 1 and len(msgspec.json.encode(made)) > SAMPLE_BYTES_MAX:
        made = metadata.table(rows[: len(made["rows"]) // 2], names)
    return made
