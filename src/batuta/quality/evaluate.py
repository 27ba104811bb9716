"""Asking a table whether rules hold: all that SQL can tell in one scan, then what needs more, then rows that fail.

What goes wrong with one rule is a verdict about that rule, with the `error`, and the others are told all the same. The
surprising rule: the one query of all is asked rule by rule only where it fails, to find out which one it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from batuta.core.errors import BatutaError, DefinitionError, ResultError, nearest
from batuta.core.records import Outcome
from batuta.io.duck_tables import quoted
from batuta.io.scan import Scan
from batuta.quality.frame_rules import Sample
from batuta.quality.given import Given
from batuta.quality.rules import Measured, Rule

NO_ROWS = "no rows"


@dataclass(slots=True)
class Verdict:
    """How a rule came out: `failing` of `rows`, in words, with numbers for trends and rows that failed.

    `error`: why it was not able to tell at all, which counts as bad as it could have been.
    """

    rule: Rule
    outcome: Outcome
    text: str = ""
    failing: int = 0
    rows: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    sample: Sample | None = None
    error: BatutaError | None = None

    @property
    def passed(self) -> bool:
        return self.outcome in ("passed", "unknown")

    @property
    def holds_back(self) -> bool:
        """Whether nothing that depends on the asset may go on."""
        return self.outcome == "failed" and self.rule.options.blocking

    @property
    def numbers(self) -> dict[str, Any]:
        """What is kept for trends: `failing`, `rows` and `share` where it is about rows, and its own."""
        if not self.rule.about_rows or self.error is not None:
            return dict(self.metrics)
        share = self.failing / self.rows if self.rows else 0.0
        return {"failing": self.failing, "rows": self.rows, "share": share, **self.metrics}


def evaluate(rules: Sequence[Rule], given: Given) -> list[Verdict]:
    """A verdict for each rule, in their order. Raises nothing but what says that the table itself cannot be read."""
    columns = given.scan.columns
    verdicts: dict[int, Verdict] = {}
    asked: dict[int, dict[str, str]] = {}
    for n, rule in enumerate(rules):
        absent = [name for name in rule.columns if name not in columns]
        if absent and not columns and not given.scan.plain_columns:
            verdicts[n] = Verdict(rule, "passed", NO_ROWS)
        elif absent:
            verdicts[n] = broken(rule, no_column(absent[0], columns))
        else:
            asked[n] = rule.aggregates(columns)
    answers = _answers(given.scan, asked)
    for n, rule in enumerate(rules):
        answer = answers.get(n, {})
        if n not in verdicts:
            verdicts[n] = broken(rule, answer) if isinstance(answer, Exception) else _verdict(rule, answer, given)
    return [verdicts[n] for n in range(len(rules))]


Answers = dict[int, Mapping[str, Any] | Exception]


def _answers(scan: Scan, asked: Mapping[int, Mapping[str, str]]) -> Answers:
    """What SQL gives for all rules, in one query if that works."""
    import duckdb

    wanted = {(n, name): sql for n, parts in asked.items() for name, sql in parts.items()}
    if not wanted:
        return {}
    try:
        return _asked_at_once(scan, wanted)
    except duckdb.Error as error:
        if len(asked) == 1:
            return dict.fromkeys(asked, error)
    found: Answers = {}
    for n, parts in asked.items():
        found.update(_answers(scan, {n: parts}))
    return found


def _asked_at_once(scan: Scan, wanted: Mapping[tuple[int, str], str]) -> Answers:
    # Rules often want the same, such as the number of rows.
    places = {sql: f"a{place}" for place, sql in enumerate(dict.fromkeys(wanted.values()))}
    listed = ", ".join(f"{sql} AS {place}" for sql, place in places.items())
    # With a count in it, what is no aggregate is an error of its own, rather than a row for each row.
    ((_, *row),) = scan.rows(f"SELECT count(*), {listed} FROM this")
    values = dict(zip(places, row, strict=True))
    found: dict[int, dict[str, Any]] = {}
    for (n, name), sql in wanted.items():
        found.setdefault(n, {})[name] = values[sql]
    return dict(found)


def _verdict(rule: Rule, values: Mapping[str, Any], given: Given) -> Verdict:
    try:
        found = rule.measured(values, given)
        verdict = Verdict(rule, rule.outcome(found), "", found.failing, found.rows, found.metrics)
        verdict.text = _told(verdict, found)
        if found.failing and rule.options.sample:
            verdict.sample = _sample(rule, found, given.scan)
    except MemoryError:
        raise
    except Exception as error:  # whatever the function of a user raises
        return broken(rule, error)
    return verdict


def _told(verdict: Verdict, found: Measured) -> str:
    rule = verdict.rule
    if not rule.about_rows or not found.failing:
        return found.text
    share = 100 * found.failing / found.rows if found.rows else 100.0
    told = f"{found.failing:,} of {found.rows:,} rows ({share:.2g}%) fail"
    if verdict.outcome == "passed":
        limits = [str(limit) for limit in (rule.options.warn, rule.options.error) if limit is not None]
        told += f", which is tolerated (not {' nor '.join(limits)})"
    return f"{told}: {found.text or rule.text()}"


def _sample(rule: Rule, found: Measured, scan: Scan) -> Sample | None:
    size = rule.options.sample
    if found.sample is not None:
        return found.sample[0], found.sample[1][:size]
    if not found.rejects:
        return None
    # Times with a zone are cut to text: as Python objects they would need one more library.
    columns = scan.rows(f"DESCRIBE {found.rejects}")
    shown = ", ".join(
        f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" if kind == "TIMESTAMP WITH TIME ZONE" else quoted(name)
        for name, kind, *_ in columns
    )
    rows = scan.rows(f"SELECT {shown} FROM ({found.rejects}) LIMIT {size}")
    return [name for name, *_ in columns], [list(row) for row in rows]


# ---- what goes wrong ----


def broken(rule: Rule, error: Exception) -> Verdict:
    """The verdict of a rule that was not able to tell."""
    told = explained(rule, error)
    outcome: Outcome = "failed" if rule.severity == "error" else "warned"
    return Verdict(rule, outcome, f"cannot be evaluated: {told.what}", error=told)


def no_column(name: str, columns: Mapping[str, str]) -> DefinitionError:
    """The error for a column that the table does not have."""
    known = list(columns)
    hint = nearest(name, known) or f"columns are {', '.join(known[:20])}" + (", ..." if len(known) > 20 else "")
    return DefinitionError(f"there is no column {name!r}", hint=hint)


_NOT_FOUND = re.compile(r'Referenced column "([^"]+)" not found')


def explained(rule: Rule, error: Exception) -> BatutaError:
    """What was wrong with a rule, as one of our errors."""
    if isinstance(error, BatutaError):
        return error
    first = (str(error).strip().splitlines() or [""])[0]
    if type(error).__module__.partition(".")[0] not in ("duckdb", "_duckdb"):
        return ResultError(f"{type(error).__name__}: {first}"[:500], hint=f"the rule {rule.name!r} raised it")
    if found := _NOT_FOUND.search(first):
        candidates = re.findall(r'"([^"]+)"', str(error).partition("Candidate bindings:")[2].partition("\n")[0])
        hint = nearest(found[1], candidates) or (f"columns are {', '.join(candidates)}" if candidates else None)
        return DefinitionError(f"there is no column {found[1]!r}", hint=hint)
    return DefinitionError(first[:500], hint=f"look at the SQL and at the types of the columns: {rule.text()[:200]}")
