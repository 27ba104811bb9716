"""Rules about tables, to be listed in `@asset(checks=[...])`, and to be tried on any frame.

from batuta.checks import evaluate, in_range, not_null, unique

report = evaluate(frame, [not_null("id"), unique("id"), in_range("amount", min=0)])
report.must_pass()
"""

from __future__ import annotations

from batuta.authoring.asset_rules import on
from batuta.core.columns import Column
from batuta.quality.contract_rule import schema_contract
from batuta.quality.frame_rules import pandera, predicate
from batuta.quality.gx_suite import from_great_expectations
from batuta.quality.learned_rules import metadata_drift, row_count_drift, value_drift
from batuta.quality.report import Report, evaluate
from batuta.quality.row_rules import (
    accepted_values,
    expression,
    in_range,
    length,
    matches,
    not_null,
    rejected_values,
)
from batuta.quality.rules import Rule
from batuta.quality.soda import from_soda
from batuta.quality.table_rules import aggregate, fresh, query, relationships, row_count, unique

__all__ = [
    "Column",
    "Report",
    "Rule",
    "accepted_values",
    "aggregate",
    "evaluate",
    "expression",
    "fresh",
    "from_great_expectations",
    "from_soda",
    "in_range",
    "length",
    "matches",
    "metadata_drift",
    "not_null",
    "on",
    "pandera",
    "predicate",
    "query",
    "rejected_values",
    "relationships",
    "row_count",
    "row_count_drift",
    "schema_contract",
    "unique",
    "value_drift",
]
