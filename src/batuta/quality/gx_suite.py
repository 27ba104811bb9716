"""A suite of Great Expectations (1.x), read as rules: from its JSON, or as the object that a project has made.

The surprising rule: reading a file does not import Great Expectations, which takes seconds; its place on the disk says
which expectations it has.
"""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict, Unpack

from batuta.core.errors import DefinitionError, nearest
from batuta.quality.expectations import Expectation
from batuta.quality.literals import name_of
from batuta.quality.rules import Rule, RuleOptions, Severity, make_options
from batuta.quality.table_rules import query

LIBRARY = "great_expectations"
QUERY = "unexpected_rows_expectation"
_OWN = ("name", "severity", "blocking", "sample", "description")
_SEVERITIES: dict[str, Severity] = {"critical": "error", "warning": "warn", "info": "warn"}
_SQL_ONLY = ("expect_query_results_to_match_comparison", "expect_table_row_count_to_equal_other_table")


class SuiteOptions(TypedDict, total=False):
    """What all expectations of a suite can be told; `meta={"batuta": {...}}` of one of them says it of that one."""

    severity: Severity
    blocking: bool
    sample: int


def from_great_expectations(
    suite: Any, *, parameters: Mapping[str, Any] | None = None, **options: Unpack[SuiteOptions]
) -> list[Rule]:
    """The rules of a suite: the path of its JSON, or an `ExpectationSuite`; an `Expectation` alone is a suite of one.

    An expectation's severity counts: `critical` fails, `warning` and `info` warn; `blocking=True` is of those that
    fail. `parameters` are the values of `{"$PARAMETER": ...}`. Raises DefinitionError for what is not understood.
    """
    where = str(suite) if isinstance(suite, str | Path) else f"the suite {getattr(suite, 'name', None) or 'given'!r}"
    if importlib.util.find_spec(LIBRARY) is None:
        hint = 'pip install "batuta[great-expectations]"'
        raise DefinitionError("from_great_expectations() needs Great Expectations", where=where, hint=hint)
    for name in options:
        if name not in SuiteOptions.__annotations__:
            hint = "options are blocking, sample, severity; all others are said in the suite"
            raise DefinitionError(f"from_great_expectations() has no option {name!r}", where=where, hint=hint)
    rules: list[Rule] = []
    for n, told in enumerate(_expectations(suite, where), start=1):
        place = f"{where}: expectation {n}"
        try:
            rule = _rule(told, parameters or {}, options)
        except DefinitionError as error:
            raise DefinitionError(error.what, where=place, hint=error.hint) from None
        taken = [other.name for other in rules]
        if rule.options.name in taken:
            hint = "give each a name of its own"
            raise DefinitionError(f"two expectations are called {rule.name!r}", where=place, hint=hint)
        rules.append(rule if rule.name not in taken else rule.renamed(_free(rule.name, taken)))
    return rules


def _free(name: str, taken: list[str]) -> str:
    return next(told for n in range(2, len(taken) + 3) if (told := f"{name}_{n}") not in taken)


def _expectations(suite: Any, where: str) -> list[Any]:
    if isinstance(suite, str | Path):
        try:
            read = json.loads(Path(suite).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            hint = "give the path of a file"
            raise DefinitionError(f"it cannot be read: {error}", where=where, hint=hint) from None
        except ValueError as error:
            raise DefinitionError(f"it is not JSON: {error}", where=where, hint="save the suite anew") from None
    elif hasattr(suite, "to_json_dict"):
        read = suite.to_json_dict()
    elif hasattr(suite, "configuration"):  # one expectation
        read = {"expectations": [suite.configuration.to_json_dict()]}
    else:
        hint = "give the path of its JSON, an ExpectationSuite or an Expectation"
        raise DefinitionError(f"{suite!r} is no suite", hint=hint)
    found = read.get("expectations") if isinstance(read, dict) else None
    if not isinstance(found, list) or not found:
        hint = 'it is {"name": ..., "expectations": [...]}'
        raise DefinitionError("it has no expectations", where=where, hint=hint)
    return found


def _rule(told: Any, parameters: Mapping[str, Any], options: Mapping[str, Any]) -> Rule:
    # "expectation_type" is what 0.x called it.
    kind = (told.get("type") or told.get("expectation_type")) if isinstance(told, dict) else None
    if not isinstance(kind, str) or not isinstance(arguments := told.get("kwargs", {}), dict):
        hint = 'it is {"type": "expect_...", "kwargs": {...}}'
        raise DefinitionError(f"{str(told)[:100]!r} is no expectation", hint=hint)
    if kind in _SQL_ONLY:
        hint = "batuta.checks.query() asks the same in SQL"
        raise DefinitionError(f"{kind!r} is evaluated in a database only, not on a table", hint=hint)
    _must_be_known(kind)
    arguments = _filled({name: value for name, value in arguments.items() if name != "batch_id"}, parameters)
    made = make_options(kind, _options(told, options), about_rows=False, per_row=False)
    if kind == QUERY:
        return _by_query(arguments, _options(told, options))
    return Expectation(made, kind, json.dumps(arguments, sort_keys=True))


def _options(told: Mapping[str, Any], of_all: Mapping[str, Any]) -> RuleOptions:
    meta = told.get("meta") if isinstance(told.get("meta"), dict) else {}
    own = meta.get("batuta", {}) if meta else {}
    if not isinstance(own, dict) or not {*own} <= {*_OWN}:
        hint = f"it is an object of {', '.join(_OWN)}"
        raise DefinitionError(f'meta["batuta"] is {own!r}', hint=hint)
    severity = str(told.get("severity") or "critical").lower()
    if severity not in _SEVERITIES:
        raise DefinitionError(f"severity is {severity!r}", hint="it is critical, warning or info")
    options: dict[str, Any] = {"severity": _SEVERITIES[severity], **of_all, **own}
    if options["severity"] == "warn" and "blocking" not in own:
        options.pop("blocking", None)
    notes = told.get("notes") or (meta or {}).get("notes")
    if notes and "description" not in own:
        options["description"] = " ".join(notes) if isinstance(notes, list) else str(notes)
    return options  # type: ignore[return-value]


def _filled(value: Any, parameters: Mapping[str, Any]) -> Any:
    """With the values of the suite's parameters."""
    if isinstance(value, list):
        return [_filled(one, parameters) for one in value]
    if not isinstance(value, dict):
        return value
    if "$PARAMETER" not in value:
        return {name: _filled(one, parameters) for name, one in value.items()}
    name = str(value["$PARAMETER"])
    if name not in parameters:
        hint = nearest(name, parameters) or f"give it: parameters={{{name!r}: ...}}"
        raise DefinitionError(f"the parameter {name!r} has no value", hint=hint)
    return parameters[name]


def _by_query(arguments: Mapping[str, Any], options: RuleOptions) -> Rule:
    """Rows that a query finds: asked by DuckDB, as pandas knows no SQL."""
    sql = str(arguments.get("unexpected_rows_query") or "")
    options.setdefault("name", name_of("unexpected_rows", re.sub(r"\{batch\}", "this", sql)))
    return query(sql.replace("{batch}", "this"), **options)


def _must_be_known(kind: str) -> None:
    known = {*_on_disk()}
    if LIBRARY in sys.modules:  # a project's own ones are there then
        from great_expectations.expectations.registry import (  # type: ignore[import-not-found, unused-ignore]
            list_registered_expectation_implementations,
        )

        known |= {*list_registered_expectation_implementations()}
    if known and kind not in known:
        hint = nearest(kind, known) or "import the module that defines it first"
        raise DefinitionError(f"Great Expectations has no {kind!r}", hint=hint)


def _on_disk() -> Iterator[str]:
    spec = importlib.util.find_spec(LIBRARY)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        for path in (Path(place) / "expectations" / "core").glob("*expect*.py"):
            yield path.stem
