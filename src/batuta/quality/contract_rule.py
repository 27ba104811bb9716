"""The contract of an asset as a rule: the stored table has the columns that it promises, whoever wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

from batuta.core.contract import Contract, Evolution, breaches, null_breaches, shown
from batuta.io.duck_tables import quoted
from batuta.quality.given import Given
from batuta.quality.rules import Columns, Measured, Rule, RuleOptions, make_options

NAME = "schema"
_NONE = Contract(())


@dataclass(frozen=True)
class SchemaRule(Rule):
    kind: ClassVar[str] = "schema"
    about_rows: ClassVar[bool] = False
    contract: Contract = _NONE

    def default_name(self) -> str:
        return NAME

    def text(self) -> str:
        count = len(self.contract.columns)
        return f"the {count} columns of the contract" + ("" if self.contract.evolution == "exact" else ", and others")

    def aggregates(self, columns: Columns) -> dict[str, str]:
        asked = {f"null_{n}": name for n, name in enumerate(self.contract.not_null) if name in columns}
        return {"rows": "count(*)"} | {key: f"count(*) - count({quoted(name)})" for key, name in asked.items()}

    def measured(self, values: Mapping[str, Any], given: Given) -> Measured:
        found = given.scan.plain_columns
        if not found and not values["rows"]:  # an empty list of dicts: of its columns nothing is known
            return Measured(0, len(self.contract.columns))
        wrong = breaches(self.contract, found)
        nulls = {name: values.get(f"null_{n}", 0) for n, name in enumerate(self.contract.not_null)}
        wrong += null_breaches(self.contract, nulls, values["rows"])
        return Measured(len(wrong), len(self.contract.columns), text=shown(wrong) if wrong else "")


def schema_contract(columns: Any, *, evolution: Evolution = "exact", **options: Unpack[RuleOptions]) -> SchemaRule:
    """The table has these columns; see `@asset(schema=...)`, which enforces it before anything is written."""
    from batuta.quality.schemas import contract_of

    made = make_options("schema_contract", options, about_rows=False, per_row=False)
    return SchemaRule(made, contract_of(columns, evolution, "schema_contract()"))
