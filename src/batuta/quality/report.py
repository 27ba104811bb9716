"""Trying rules on a table by hand: in a test, a notebook, a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from batuta.core.errors import CheckFailed, DefinitionError
from batuta.io.scan import scanned
from batuta.quality.evaluate import Verdict
from batuta.quality.evaluate import evaluate as asked
from batuta.quality.given import Given
from batuta.quality.rules import Rule

_SIGNS = {"passed": "✓", "unknown": "?", "warned": "!", "failed": "✗"}


@dataclass(frozen=True)
class Report:
    """The verdicts, in the order of the rules; as text one a line."""

    verdicts: tuple[Verdict, ...]

    @property
    def passed(self) -> bool:
        """Whether none failed; warnings do not count."""
        return not any(verdict.outcome == "failed" for verdict in self.verdicts)

    def must_pass(self) -> None:
        """Raise CheckFailed with all that failed, if anything did."""
        failed = [verdict for verdict in self.verdicts if verdict.outcome == "failed"]
        if failed:
            told = "; ".join(f"{verdict.rule.name}: {verdict.text}" for verdict in failed)
            raise CheckFailed(f"{len(failed)} of {len(self.verdicts)} checks failed: {told}")

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    def __getitem__(self, name: str) -> Verdict:
        return next(verdict for verdict in self.verdicts if verdict.rule.name == name)

    def __str__(self) -> str:
        width = max((len(verdict.rule.name) for verdict in self.verdicts), default=0)
        lines = (f"{_SIGNS[one.outcome]} {one.rule.name:<{width}}  {one.text}".rstrip() for one in self.verdicts)
        return "\n".join(lines)


def evaluate(
    table: Any,
    rules: Sequence[Rule],
    *,
    others: Mapping[str, Any] | None = None,
    former: Mapping[str, Sequence[float]] | None = None,
    now: datetime | None = None,
) -> Report:
    """Ask a table (a frame of Polars or pandas, an Arrow table, a DuckDB relation, a list of dicts) whether rules hold.

    `others`: tables that rules refer to, by the key of their asset. `former`: for rules that learn, the values of
    before by the rule's name. Raises ResultError for what is no table.
    """
    for rule in rules:
        checked_rule(rule)
    with ExitStack() as stack:
        scan = stack.enter_context(scanned(table))
        given = Given(scan, table, others or {}, former or {}, now or datetime.now(UTC), stack=stack)
        return Report(tuple(asked(rules, given)))


def checked_rule(rule: object) -> Rule:
    """The rule. Raises DefinitionError for anything else."""
    if isinstance(rule, Rule):
        return rule
    raise DefinitionError(f"{rule!r} is no rule", hint="give rules of batuta.checks, like not_null('id')")
