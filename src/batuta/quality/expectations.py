"""An expectation of Great Expectations as a rule: evaluated by that library itself, on the table as a pandas frame.

The surprising rule: whether it passed is the library's word (`mostly` has been thought of), so thresholds on the number
of rows say nothing here; how bad it is, and what it holds back, is said by the options as for all rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from batuta.core.errors import DefinitionError, ResultError
from batuta.core.records import Outcome
from batuta.quality.given import Given
from batuta.quality.literals import name_of
from batuta.quality.rules import SAMPLE_ROWS_MAX, Measured, Rule

_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": SAMPLE_ROWS_MAX}
_COLUMNS = ("column", "column_A", "column_B", "column_list")


@dataclass(slots=True)
class Met(Measured):
    """What was found, and whether that is as expected."""

    success: bool = True


@dataclass(frozen=True)
class Expectation(Rule):
    """One expectation: its type, and what it is told, as JSON."""

    kind: ClassVar[str] = "great_expectations"
    about_rows: ClassVar[bool] = False
    sql_only: ClassVar[bool] = False
    type: str = ""
    told: str = "{}"

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(json.loads(self.told))

    @property
    def columns(self) -> tuple[str, ...]:
        if self.type == "expect_column_to_exist":
            return ()
        named: list[Any] = []
        for key in _COLUMNS:
            value = self.arguments.get(key, [])
            named += value if isinstance(value, list) else [value]
        return tuple(dict.fromkeys(name for name in named if isinstance(name, str)))

    def default_name(self) -> str:
        named = self.columns or (str(self.arguments.get("column", "")),)
        return name_of(self.type.removeprefix("expect_"), *named)

    def text(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.arguments.items())
        return f"{self.type.replace('_', ' ')}{': ' if told else ''}{told}"

    def outcome(self, found: Measured) -> Outcome:
        if isinstance(found, Met) and found.success:
            return "passed"
        return "failed" if self.severity == "error" else "warned"

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        frame, validator = given.once("great_expectations", lambda: _opened(given))
        answer = _answer(validator, self.type, self.arguments)
        result: dict[str, Any] = answer["result"]
        good = bool(answer["success"])
        if result.get("element_count") is None:
            return _about_table(result, good, self.text())
        failing = int(result.get("unexpected_count") or 0)
        # The library counts what `mostly` is a share of the same way.
        rows = int(result["element_count"]) - int(result.get("missing_count") or 0)
        share = failing / rows if rows else 0.0
        words = f"{failing:,} of {rows:,} rows ({100 * share:.2g}%) fail" if failing else ""
        words += f"{', which is tolerated' if good and failing else ''}{f': {self.text()}' if failing else ''}"
        places = [n for n in result.get("partial_unexpected_index_list") or () if isinstance(n, int)]
        found = frame.iloc[places[:SAMPLE_ROWS_MAX]]
        sample = ([str(name) for name in found.columns], found.to_numpy(dtype=object).tolist()) if places else None
        return Met(
            failing, rows, words, {"failing": failing, "rows": rows, "share": share}, sample=sample, success=good
        )


def _about_table(result: Mapping[str, Any], good: bool, what: str) -> Met:
    observed = result.get("observed_value")
    metrics = {"observed": observed} if isinstance(observed, int | float) and not isinstance(observed, bool) else {}
    told = [] if observed is None else [f"it is {observed}"]
    told += [f"{name} {value}" for name, value in (result.get("details") or {}).items() if value]
    values = result.get("partial_unexpected_list") or []
    sample = (["value"], [[value] for value in values[:SAMPLE_ROWS_MAX]]) if values else None
    words = "; ".join(told)[:500]
    text = words if good else f"not as expected{f' ({words})' if words else ''}: {what}"
    return Met(int(not good), 1, text, metrics, sample=sample, success=good)


def _opened(given: Given) -> tuple[Any, Any]:
    """The table as a frame, and what validates it. No data context: a project's own one stays as it is."""
    import pandas as pd
    from great_expectations.core.batch import (  # type: ignore[import-not-found, unused-ignore]
        Batch,
    )
    from great_expectations.execution_engine.pandas_execution_engine import (  # type: ignore[import-not-found, unused-ignore]
        PandasExecutionEngine,
    )
    from great_expectations.validator.validator import (  # type: ignore[import-not-found, unused-ignore]
        Validator,
    )

    frame = given.value(pd.DataFrame).reset_index(drop=True)
    validator = Validator(PandasExecutionEngine(), batches=[Batch(data=frame)])
    validator.metrics_calculator.show_progress_bars = False
    return frame, validator


def _answer(validator: Any, kind: str, told: dict[str, Any]) -> dict[str, Any]:
    from great_expectations.exceptions.exceptions import (  # type: ignore[import-not-found, unused-ignore]
        ExpectationNotFoundError,
    )
    from great_expectations.expectations.expectation_configuration import (  # type: ignore[import-not-found, unused-ignore]
        ExpectationConfiguration,
    )

    configuration = ExpectationConfiguration(type=kind, kwargs=told)
    try:
        configuration.to_domain_obj()
    except ExpectationNotFoundError:
        hint = "import the module that defines it before the suite is evaluated"
        raise DefinitionError(f"Great Expectations has no {kind!r}", hint=hint) from None
    except (ValueError, TypeError) as error:  # what it is told does not fit: of pydantic
        lines = [line.strip() for line in str(error).splitlines()[1:]] or [str(error)]
        raise DefinitionError(f"{kind}: {'; '.join(lines)}"[:500], hint="see the expectation's kwargs") from None
    (found,) = validator.graph_validate(
        configurations=[configuration],
        runtime_configuration={"catch_exceptions": True, "result_format": _FORMAT},
    )
    answer: dict[str, Any] = found.to_json_dict()
    raised = answer.get("exception_info") or {}
    for one in (raised, *raised.values()):
        if isinstance(one, dict) and one.get("raised_exception"):
            told_first = str(one.get("exception_message") or "it raised").strip().splitlines()[0][:500]
            raise ResultError(f"{kind}: {told_first}", hint="Great Expectations evaluates it on a pandas frame")
    return answer
