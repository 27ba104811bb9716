"""Checks as Soda writes them, in YAML (`checks for orders:`), read as rules.

What is read is what has a rule that means the same; anything else is refused with its file and line, so that no check
is silently dropped. Surprising: Soda says when a check *passes* (`missing_count(id) = 0`), but below `warn:` and
`fail:` when it does not (`when > 10`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from batuta.core.errors import DefinitionError, nearest
from batuta.io.duck_tables import quoted
from batuta.quality.contract_rule import schema_contract
from batuta.quality.literals import name_of
from batuta.quality.row_rules import accepted_values, in_range, length, matches, not_null, rejected_values
from batuta.quality.rules import Rule
from batuta.quality.table_rules import aggregate, fresh, row_count, unique

FORMS = (
    "row_count, missing_count, missing_percent, duplicate_count, duplicate_percent, invalid_count, invalid_percent, "
    "min, max, avg, sum, stddev, freshness, schema"
)
_METRIC = re.compile(r"(?P<metric>[a-z_]+)\s*(?:\((?P<columns>[^)]*)\))?\s*(?P<condition>.*)", re.DOTALL)
_COMPARE = re.compile(r"(<=|>=|=|<|>)\s*(-?\d+(?:\.\d+)?)\s*(%?)")
_BETWEEN = re.compile(r"between\s+(-?\d+(?:\.\d+)?)\s+and\s+(-?\d+(?:\.\d+)?)")
_AGE = re.compile(r"<\s*((?:\d+\s*[dhms]\s*)+)")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_COUNTS = ("missing_count", "missing_percent", "invalid_count", "invalid_percent")
_AGGREGATES = ("min", "max", "avg", "sum", "stddev")
_LEVELS = {"warn": "warn", "fail": "error"}
_GENERAL = ("name", "warn", "fail", "filter")


class Check(NamedTuple):
    """One check as it is written, and where."""

    text: str
    told: dict[str, Any]
    where: str


def from_soda(path: str | Path, table: str = "") -> list[Rule]:
    """The rules of one table of a file of Soda checks; `table` may be left out where there is just one.

    Needs PyYAML. Raises DefinitionError, with file and line, for whatever is not understood.
    """
    tables = _read(Path(path))
    if not table and len(tables) == 1:
        (table,) = tables
    if table not in tables:
        known = f"it has checks for {', '.join(tables) or 'none'}"
        what = f"there are no checks for {table!r}" if table else "it has checks for several tables, or none"
        raise DefinitionError(what, where=str(path), hint=nearest(table, tables) or f"{known}: name one")
    rules: list[Rule] = []
    for check in tables[table]:
        try:
            rules += [_told_apart(rule, check, rules) for rule in _rules(check)]
        except DefinitionError as error:
            raise DefinitionError(error.what, where=check.where, hint=error.hint) from None
    return rules


def _told_apart(rule: Rule, check: Check, others: list[Rule]) -> Rule:
    """The rule; called after all of its text where another one has its name already."""
    if all(other.name != rule.name for other in others):
        return rule
    name = name_of(re.sub(r"\W+", "_", check.text.replace(">", "over").replace("<", "under")).strip("_").lower())
    return replace(rule, options=replace(rule.options, name=name))


def _read(path: Path) -> dict[str, list[Check]]:
    try:
        import yaml
    except ImportError:
        raise DefinitionError("from_soda() needs PyYAML", where=str(path), hint='pip install "batuta[soda]"') from None
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        return dict(_tables(root, loader.construct_object, path)) if root is not None else {}
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(f"it cannot be read: {error}", where=str(path), hint="give the path of a file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        said = getattr(error, "problem", None) or str(error)
        raise DefinitionError(f"it is not YAML: {said}", where=where, hint="see its indentation") from None


def _tables(root: Any, value_of: Callable[..., Any], path: Path) -> Iterator[tuple[str, list[Check]]]:
    if root.id != "mapping":
        raise DefinitionError("it has no checks", where=f"{path}:1", hint="write `checks for orders:`")
    for key, value in root.value:
        where = f"{path}:{key.start_mark.line + 1}"
        head, _, table = str(key.value).partition("checks for ")
        if head or not table.strip() or table.strip().startswith("each ") or " [" in table:
            hint = "write `checks for orders:`; filters and `for each` are not read"
            raise DefinitionError(f"{key.value!r} is not understood", where=where, hint=hint)
        if value.id != "sequence":
            raise DefinitionError("its checks are not a list", where=where, hint="write them as `- row_count > 0`")
        yield table.strip(), [_check(item, value_of, path) for item in value.value]


def _check(item: Any, value_of: Callable[..., Any], path: Path) -> Check:
    where = f"{path}:{item.start_mark.line + 1}"
    found = value_of(item, deep=True)
    if isinstance(found, str):
        return Check(found.strip(), {}, where)
    if isinstance(found, dict) and len(found) == 1:
        ((text, told),) = found.items()
        if isinstance(text, str) and isinstance(told, dict) and all(isinstance(name, str) for name in told):
            return Check(text.strip(), told, where)
    raise DefinitionError(f"{found!r} is no check", where=where, hint="write `- row_count > 0`")


def _rules(check: Check) -> list[Rule]:
    found = _METRIC.fullmatch(check.text)
    metric = found["metric"] if found else ""
    columns = [name.strip().strip('"') for name in ((found and found["columns"]) or "").split(",") if name.strip()]
    condition = found["condition"].strip() if found else ""
    options = _options(check)
    if metric == "schema" and not columns and not condition:
        return _schema(check, options)
    if metric == "row_count" and not columns:
        return [
            row_count(*_whole(low, high, strict), **{**options, **level})
            for low, high, strict, level in _bounds(check, condition)
        ]
    if metric in _COUNTS and len(columns) == 1:
        return [_counted(metric, columns[0], check, {**options, **_limits(check, condition, metric)})]
    if metric in ("duplicate_count", "duplicate_percent") and columns:
        _only_plain(check)
        if _COMPARE.fullmatch(condition) is None or condition.replace(" ", "").rstrip("%") not in ("=0", "<=0"):
            raise _refused(check, "duplicates are counted otherwise here: write `= 0`")
        return [unique(*columns, **options)]
    if metric in _AGGREGATES and len(columns) == 1:
        _only_plain(check)
        sql = f"{metric}({quoted(columns[0])})"
        options.setdefault("name", name_of(metric, columns[0]))
        return [
            aggregate(sql, *_near(low, high, strict), **{**options, **level})
            for low, high, strict, level in _bounds(check, condition)
        ]
    if metric == "freshness" and len(columns) == 1:
        _only_plain(check)
        age = _AGE.fullmatch(condition)
        if age is None:
            raise _refused(check, "write `freshness(updated_at) < 1d`, with d, h, m or s")
        parts = {_UNITS[unit]: int(count) for count, unit in re.findall(r"(\d+)\s*([dhms])", age[1])}
        return [fresh(columns[0], timedelta(**parts), **options)]
    raise _refused(check, nearest(metric, FORMS.split(", ")) or f"what is read: {FORMS}")


def _refused(check: Check, hint: str) -> DefinitionError:
    return DefinitionError(f"the check {check.text!r} is not understood", hint=hint)


def _options(check: Check) -> dict[str, Any]:
    """The options that all rules have. A name of Soda's is a sentence: ours is made of it."""
    options: dict[str, Any] = {}
    if name := check.told.get("name"):
        options |= {"name": name_of(re.sub(r"\W+", "_", str(name)).strip("_").lower()), "description": str(name)}
    if where := check.told.get("filter"):
        options["where"] = str(where)
    return options


def _only_plain(check: Check) -> None:
    for name in check.told:
        if name not in _GENERAL:
            raise _refused(check, f"`{name}:` is not read here")
    if {"warn", "fail"} & {*check.told} and _METRIC.fullmatch(check.text)["metric"] not in _AGGREGATES:  # type: ignore[index]
        raise _refused(check, "`warn:` and `fail:` are not read here")


def _conditions(check: Check, condition: str) -> Iterator[tuple[str, str]]:
    """(level or "", condition): when it passes, or of a level when it does not."""
    levels = [(level, check.told[level]) for level in _LEVELS if level in check.told]
    if condition:
        if levels:
            raise _refused(check, "a condition beside `warn:` and `fail:` says things twice")
        yield "", condition
        return
    if not levels:
        raise _refused(check, "it has no condition: write `= 0`, or `fail: when > 0` below it")
    for level, told in levels:
        if not isinstance(told, str) or not told.startswith("when "):
            raise _refused(check, f"write `{level}: when > 10`")
        yield level, told.removeprefix("when ").strip()


def _limits(check: Check, condition: str, metric: str) -> dict[str, Any]:
    """From how many rows on it warns or fails."""
    limits = {}
    for level, text in _conditions(check, condition):
        found = _COMPARE.fullmatch(text)
        compare = found[1] if found else ""
        if not level:
            compare = ">" if compare == "=" and found and float(found[2]) == 0 else _OPPOSITE.get(compare, "")
        if found is None or compare not in (">", ">="):
            raise _refused(check, "it is a limit from above: write `= 0` or `< 10`; or `when > 10` below `fail:`")
        share = "%" if metric.endswith("_percent") or found[3] else ""
        limits[f"{_LEVELS.get(level, 'error')}_if"] = f"{compare} {found[2]}{share}"
    return limits


Bounds = tuple[float | None, float | None, bool, dict[str, Any]]


def _bounds(check: Check, condition: str) -> Iterator[Bounds]:
    """(least, most, whether these themselves are too much, options) of a number."""
    for level, text in _conditions(check, condition):
        options: dict[str, Any] = {"severity": _LEVELS[level]} if level else {}
        if level == "warn" and "fail" in check.told:
            options["name"] = name_of("warn", check.text)
        if (between := _BETWEEN.fullmatch(text)) is not None and not level:
            yield float(between[1]), float(between[2]), False, options
            continue
        found = _COMPARE.fullmatch(text)
        compare = "" if found is None or found[3] else found[1]
        compare = _OPPOSITE.get(compare, "") if level else compare
        if found is None or not compare:
            raise _refused(check, "write `> 0`, `<= 10`, `= 5` or `between 1 and 10`; below `fail:` `when < 1`")
        number = float(found[2])
        low = number if compare in (">", ">=", "=") else None
        high = number if compare in ("<", "<=", "=") else None
        yield low, high, compare in ("<", ">"), options


def _whole(low: float | None, high: float | None, strict: bool) -> tuple[int | None, int | None]:
    if low is not None:
        low = math.floor(low) + 1 if strict else math.ceil(low)
    if high is not None:
        high = math.ceil(high) - 1 if strict else math.floor(high)
    return (None if low is None else int(low)), (None if high is None else int(high))


def _near(low: float | None, high: float | None, strict: bool) -> tuple[float | None, float | None]:
    """Bounds of which the number itself is within: the next one where it is not to be."""
    if strict:
        low = None if low is None else math.nextafter(low, math.inf)
        high = None if high is None else math.nextafter(high, -math.inf)
    return low, high


def _counted(metric: str, column: str, check: Check, options: Mapping[str, Any]) -> Rule:
    """A rule that counts rows. `valid ...` says which are good."""
    valid = {name: value for name, value in check.told.items() if name not in _GENERAL}
    if metric.startswith("missing"):
        if valid:
            raise _refused(check, f"`{next(iter(valid))}:` is not read here")
        return not_null(column, **options)
    match valid:
        case {"valid values": list(values), **rest} if not rest:
            return accepted_values(column, values, **options)
        case {"invalid values": list(values), **rest} if not rest:
            return rejected_values(column, values, **options)
        case {"valid regex": str(pattern), **rest} if not rest:
            return matches(column, pattern, full=False, **options)
        case {"valid length": int(size), **rest} if not rest:
            return length(column, size, size, **options)
    if valid and {*valid} <= {"valid min", "valid max"}:
        return in_range(column, valid.get("valid min"), valid.get("valid max"), **options)
    if valid and {*valid} <= {"valid min length", "valid max length"}:
        return length(column, valid.get("valid min length"), valid.get("valid max length"), **options)
    hint = "below it stands one of `valid values`, `invalid values`, `valid regex`, `valid min` and `valid max`, "
    raise _refused(check, f"{hint}`valid length`, `valid min length` and `valid max length`")


def _schema(check: Check, options: dict[str, Any]) -> list[Rule]:
    rules: list[Rule] = []
    for level, told in check.told.items():
        if level == "name":
            continue
        if level not in _LEVELS or not isinstance(told, dict):
            raise _refused(check, "write `fail:` or `warn:`, and below it `when required column missing: [id]`")
        columns: dict[str, str] = {}
        for when, named in told.items():
            if when == "when required column missing" and isinstance(named, list):
                columns = {**dict.fromkeys(map(str, named), "any"), **columns}
            elif when == "when wrong column type" and isinstance(named, dict):
                columns |= {str(name): str(kind) for name, kind in named.items()}
            else:
                hint = "what is read: `when required column missing: [id]`, `when wrong column type: {id: int64}`"
                raise _refused(check, f"not `{when}`; {hint}")
        more = {"severity": _LEVELS[level], **options}
        if level == "warn" and "fail" in check.told:
            more["name"] = "warn_schema"
        rules.append(schema_contract(columns, evolution="additive", **more))
    if not rules:
        raise _refused(check, "write `fail:` below it, and below that `when required column missing: [id]`")
    return rules
