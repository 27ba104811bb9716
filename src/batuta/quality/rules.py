"""What every rule about a table has in common: its options, how bad it is when it fails, what it asks, what it found.

A rule is data; asking is the work of `quality.evaluate`. The surprising rule: a rule is asked with others in one query,
so what it wants to know are aggregates over the table, by names of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict

from batuta.core.errors import DefinitionError, nearest
from batuta.core.records import Outcome
from batuta.quality.thresholds import ANY, Threshold, threshold

if TYPE_CHECKING:
    from batuta.quality.given import Given

Severity = Literal["warn", "error"]
Columns = Mapping[str, str]
"""The columns of a table by name, with their DuckDB types."""

SAMPLE_ROWS = 5
SAMPLE_ROWS_MAX = 20


class RuleOptions(TypedDict, total=False):
    """What all rules can be told.

    - `name`: an identifier, unique for its asset; by default what the rule is about, like `not_null_id`.
    - `severity`: `"error"` (fails) or `"warn"`; `warn_if`, `error_if`: from how many failing rows on ("> 10", ">= 1%").
    - `blocking`: what depends on the asset is held back when it fails; a warning never holds back.
    - `where`: an SQL condition; other rows are not looked at.
    - `sample`: how many of the offending rows are kept with the verdict, at most 20; 0 for none.
    - `on_fail="quarantine"`: rows that fail do not get into the asset, but into its quarantine.
    - `description`: for people.
    """

    name: str
    severity: Severity
    blocking: bool
    warn_if: str | int
    error_if: str | int
    where: str
    sample: int
    on_fail: Literal["quarantine"]
    description: str


@dataclass(frozen=True, slots=True)
class Options:
    """The options as they are meant. No `warn` or `error`: it never is."""

    name: str = ""
    warn: Threshold | None = None
    error: Threshold | None = ANY
    blocking: bool = False
    where: str = ""
    sample: int = SAMPLE_ROWS
    quarantine: bool = False
    description: str = ""


@dataclass(slots=True)
class Measured:
    """What a rule found. `failing` of `rows`; a rule that is not about rows has 1 failing thing or none.

    `text` says it in words; `metrics` are numbers for trends. `unknown`: it cannot be told. `rejects` is a query for
    rows that fail, `sample` (names, rows) such rows where no query gives them.
    """

    failing: int
    rows: int = 1
    text: str = ""
    metrics: dict[str, Any] = field(default_factory=dict)
    unknown: bool = False
    rejects: str = ""
    sample: tuple[list[str], list[list[Any]]] | None = None


@dataclass(frozen=True)
class Rule:
    """See the module. A subclass says what it asks (`aggregates`) and what the answers mean (`measured`)."""

    options: Options

    kind: ClassVar[str] = ""
    about_rows: ClassVar[bool] = True
    """Whether it finds failing rows, so that thresholds on their number make sense."""
    sql_only: ClassVar[bool] = True
    """Whether it needs nothing but the aggregates; else it asks more by itself, or reads the table as a frame."""

    @property
    def name(self) -> str:
        return self.options.name or self.default_name()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is about, which must exist."""
        return ()

    @property
    def reads(self) -> tuple[str, ...]:
        """Other assets that it reads."""
        return ()

    @property
    def severity(self) -> Severity:
        """How bad it is at most."""
        return "error" if self.options.error is not None else "warn"

    @property
    def description(self) -> str:
        return self.options.description or self.text()

    def default_name(self) -> str:
        raise NotImplementedError

    def text(self) -> str:
        """What has to hold, in words."""
        raise NotImplementedError

    def aggregates(self, columns: Columns) -> dict[str, str]:
        """SQL over the rows of the table, by names of its own."""
        return {}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        """What the answers to `aggregates` mean."""
        raise NotImplementedError

    def filtered(self, condition: str = "") -> str:
        """A FILTER for an aggregate: of the rows that are looked at, those where a condition holds."""
        parts = [f"({part})" for part in (self.options.where, condition) if part]
        return f" FILTER (WHERE {' AND '.join(parts)})" if parts else ""

    def outcome(self, found: Measured) -> Outcome:
        """How bad it is."""
        if found.unknown:
            return "unknown"
        for limit, level in ((self.options.error, "failed"), (self.options.warn, "warned")):
            if limit is not None and limit.reached(found.failing, found.rows):
                return level  # type: ignore[return-value]
        return "passed"

    def renamed(self, name: str) -> Rule:
        """The same under another name."""
        return dataclasses.replace(self, options=dataclasses.replace(self.options, name=name))


@dataclass(frozen=True)
class RowRule(Rule):
    """A rule that each row passes or fails by itself. Null, where it is not what the rule is about, passes."""

    def failing(self, columns: Columns) -> str:
        """The SQL condition that holds of rows that fail."""
        raise NotImplementedError

    def aggregates(self, columns: Columns) -> dict[str, str]:
        return {
            "failing": f"count(*){self.filtered(self.failing(columns))}",
            "rows": f"count(*){self.filtered()}",
        }

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        conditions = [f"({part})" for part in (self.options.where, self.failing(given.scan.columns)) if part]
        return Measured(
            values["failing"], values["rows"], rejects=f"SELECT * FROM this WHERE {' AND '.join(conditions)}"
        )


_KNOWN = frozenset(RuleOptions.__annotations__)


def make_options(
    kind: str, given: Mapping[str, Any], *, about_rows: bool = True, severity: Severity = "error", per_row: bool = True
) -> Options:
    """The options of a rule. Raises DefinitionError for what is unknown, of the wrong kind, or contradicts itself."""
    what = f"{kind}()"
    for name in given:
        if name not in _KNOWN:
            hint = nearest(name, _KNOWN) or f"options are {', '.join(sorted(_KNOWN))}"
            raise DefinitionError(f"{what} has an unknown option {name!r}", hint=hint)
    _check_kinds(what, given)
    warn, error = _limits(what, given, about_rows, severity)
    blocking, quarantine = given.get("blocking", False), given.get("on_fail") is not None
    if blocking and error is None:
        hint = "leave out one of blocking=True and severity='warn' (or warn_if=)"
        raise DefinitionError(f"{what} blocks, but does no more than warn, which holds nothing back", hint=hint)
    if quarantine and not per_row:
        hint = "it does not say of each row by itself whether it is good"
        raise DefinitionError(f"{what} cannot send rows to quarantine", hint=hint)
    return Options(
        given.get("name", ""),
        warn,
        error,
        blocking,
        given.get("where", ""),
        given.get("sample", SAMPLE_ROWS),
        quarantine,
        given.get("description", ""),
    )


def _check_kinds(what: str, given: Mapping[str, Any]) -> None:
    for name, wanted in (("name", str), ("where", str), ("description", str), ("blocking", bool), ("sample", int)):
        if name in given and not isinstance(given[name], wanted):
            raise DefinitionError(f"{what}: {name}= is {given[name]!r}", hint=f"give a {wanted.__name__}")
    if given.get("name") and not given["name"].isidentifier():
        hint = "use letters, digits and _"
        raise DefinitionError(f"{what}: {given['name']!r} cannot be a check's name", hint=hint)
    if not 0 <= given.get("sample", 0) <= SAMPLE_ROWS_MAX:
        hint = f"0 to {SAMPLE_ROWS_MAX} rows are kept with a verdict"
        raise DefinitionError(f"{what}: sample= is {given['sample']}", hint=hint)
    if given.get("severity", "warn") not in ("warn", "error"):
        hint = "it is 'warn' or 'error'"
        raise DefinitionError(f"{what}: severity= is {given['severity']!r}", hint=hint)
    if given.get("on_fail") not in (None, "quarantine"):
        hint = "it is 'quarantine', or left out"
        raise DefinitionError(f"{what}: on_fail= is {given['on_fail']!r}", hint=hint)


def _limits(
    what: str, given: Mapping[str, Any], about_rows: bool, severity: Severity
) -> tuple[Threshold | None, Threshold | None]:
    """From when on it warns, and from when on it fails."""
    told = {name: threshold(given[name], f"{what}: {name}=") for name in ("warn_if", "error_if") if name in given}
    if told and not about_rows:
        hint = "it does not count rows: severity= says how bad it is"
        raise DefinitionError(f"{what} has no {' and no '.join(f'{name}=' for name in told)}", hint=hint)
    if told:
        if "severity" in given and f"{given['severity']}_if" not in told:
            hint = f"{given['severity']}_if= says when, or leave severity= out"
            raise DefinitionError(f"{what}: severity={given['severity']!r} contradicts its thresholds", hint=hint)
        return told.get("warn_if"), told.get("error_if")
    if given.get("severity", severity) == "warn":
        return ANY, None
    return None, ANY
