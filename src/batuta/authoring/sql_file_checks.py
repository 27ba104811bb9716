"""Rules in the block of a `.sql` file: `checks = ["has_rows", { not_null = "id" }, { in_range = "amount", min = 0 }]`.

A text is the name of a check made with `@check()`. A table names one rule of `batuta.checks`, with what it is about (a
list: one after the other, as in Python); what else stands in it are the rule's options.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_type_hints

from batuta.core.errors import DefinitionError, nearest

if TYPE_CHECKING:
    from batuta.quality.rules import Rule

RULES = (
    "accepted_values",
    "aggregate",
    "expression",
    "fresh",
    "in_range",
    "length",
    "matches",
    "metadata_drift",
    "not_null",
    "query",
    "rejected_values",
    "relationships",
    "row_count",
    "row_count_drift",
    "unique",
    "value_drift",
)
"""Those that data can say."""


def checks_of(said: Sequence[Any], where: str) -> tuple[list[str], list[Rule]]:
    """The names of checks, and the rules, of a list. Raises DefinitionError."""
    names: list[str] = []
    rules: list[Rule] = []
    for one in said:
        if isinstance(one, str):
            names.append(one)
        elif isinstance(one, dict):
            rules.append(_rule(one, where))
        else:
            hint = 'write "name_of_a_check", or { not_null = "id" }'
            raise DefinitionError(f"checks has {one!r}", where=where, hint=hint)
    return names, rules


def _rule(said: Mapping[str, Any], where: str) -> Rule:
    import batuta.checks

    kinds = [name for name in said if name in RULES]
    if len(kinds) != 1:
        what, hint = f"names {len(kinds)} rules", "write a table for each"
        if not kinds:
            what, hint = "names no rule", next((found for name in said if (found := nearest(name, RULES))), "")
        raise DefinitionError(
            f"checks: {dict(said)!r} {what}", where=where, hint=hint or f"rules are {', '.join(RULES)}"
        )
    (kind,) = kinds
    make = getattr(batuta.checks, kind)
    about = said[kind]
    options = {name: value for name, value in said.items() if name != kind}
    _check_names(kind, make, options, where)
    given = [] if about in (True, "", []) else about if isinstance(about, list) and not _takes_list(make) else [about]
    try:
        made: Rule = make(*given, **options)
    except DefinitionError as error:
        raise DefinitionError(f"checks: {error.what}", where=where, hint=error.hint) from None
    except TypeError as error:
        told = str(error).replace(f"{kind}() ", "")
        hint = f"it takes what batuta.checks.{kind} takes in Python"
        raise DefinitionError(f"checks: {kind}: {told}", where=where, hint=hint) from None
    return made


def _takes_list(make: Callable[..., Any]) -> bool:
    """Whether the first that it takes may be a list: of `relationships`, the columns."""
    first = next(iter(inspect.signature(make).parameters.values()))
    return first.kind is not inspect.Parameter.VAR_POSITIONAL and first.name == "columns"


def _check_names(kind: str, make: Callable[..., Any], options: Mapping[str, Any], where: str) -> None:
    """Every option is one that the rule has. Raises DefinitionError with the nearest."""
    parameters = inspect.signature(make).parameters
    known = [name for name, one in parameters.items() if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    more = next((name for name, one in parameters.items() if one.kind is one.VAR_KEYWORD), None)
    if more is not None:
        (unpacked,) = get_type_hints(make)[more].__args__
        known += unpacked.__annotations__
    for name in options:
        if name not in known:
            hint = nearest(name, known) or f"there are {', '.join(known)}"
            raise DefinitionError(f"checks: {kind} has no option {name!r}", where=where, hint=hint)
