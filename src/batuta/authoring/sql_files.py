"""`.sql` files as assets: TOML in a comment says what `sql_asset` would be told, and the rest of the file is the query.

    -- /// asset
    -- layer = "silver"
    -- partitions = { daily = "2026-01-01" }
    -- ///
    select ... from bronze.orders where placed_at >= :start and placed_at < :end

The block is that of inline script metadata (PEP 723), with `--` for `#`. A file without one is no asset: it may be the
template of an operator. Without `key` the path says it: `silver/orders.sql` is `silver.orders`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from batuta.authoring import partitions as parts
from batuta.authoring.assets import is_key
from batuta.authoring.automation import Automation, Freshness
from batuta.authoring.sql_asset import SqlAsset, sql_asset
from batuta.authoring.sql_file_checks import checks_of
from batuta.core.durations import seconds_of
from batuta.core.errors import BatutaError, DefinitionError, nearest
from batuta.core.partition_mapping import PartitionMapping
from batuta.core.partitions import Partitions, validate
from batuta.core.place import Place

_BLOCK = re.compile(r"^-- /// (?P<type>[\w-]+)[ \t]*$\n(?P<content>(?:^--(?:| .*)$\n)*?)^-- ///[ \t]*$", re.MULTILINE)
_OPENING = re.compile(r"^--[ \t]*///[ \t]*asset[ \t]*$", re.MULTILINE)
_PLAIN = {
    "key": str,
    "layer": str,
    "group": str,
    "description": str,
    "owners": (str, list),
    "kinds": (str, list),
    "tags": (dict, list),
    "metadata": dict,
    "columns": dict,
    "deps": list,
    "io_manager": str,
    "connection": str,
    "dialect": str,
    "materialized": str,
    "unique_key": (str, list),
    "cursor": str,
    "rebuild_on_change": bool,
    "parameters": dict,
    "code_version": str,
    "checks": list,
    "schema": dict,
    "evolution": str,
    "retries": int,
    "retry_delay_s": (int, float),
    "timeout_s": (int, float),
    "pool": str,
    "priority": int,
}
"""What is said as it is to `sql_asset`, and its types in TOML."""
_MADE = ("partitions", "partition_mappings", "automation", "freshness")
_WORDS = {str: "a text", list: "a list", dict: "a table", bool: "true or false", int: "a number", float: "a number"}


def sql_file(path: str, root: str) -> SqlAsset | None:
    """The asset of a file; None for one that has no block. `root`: what the key is made of the path below.

    Raises DefinitionError with file and line.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise DefinitionError(f"it is no UTF-8: {error.reason}", where=path, hint="save it as UTF-8") from None
    found = next((one for one in _BLOCK.finditer(text) if one["type"] == "asset"), None)
    if found is None:
        opened = _OPENING.search(text)
        if opened is None:
            return None
        hint = "every line of it begins with `-- `, and it ends with a line `-- ///`"
        raise DefinitionError("the block of the asset is not whole", where=f"{path}:{_line(text, opened)}", hint=hint)
    line = _line(text, found)
    said = _read(found["content"], path, line)
    at = Place(path, line)
    options = _options(said, f"{path}:{line}")
    options.setdefault("key", _key_of(path, root))
    if "description" not in options and (comment := _comment(text[found.end() :])):
        options["description"] = comment
    query = text[found.end() :]
    checks, rules = checks_of(options.pop("checks", []), f"{path}:{line}")
    made: SqlAsset = sql_asset(sql=query, place=at, checks=rules, **options)
    made.text_line = text.count("\n", 0, found.end()) + 1
    made.check_names = tuple(checks)
    return made


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1


def _read(content: str, path: str, line: int) -> dict[str, Any]:
    lines = [each[3:] if each.startswith("-- ") else each[2:] for each in content.splitlines()]
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        told = re.search(r"at line (\d+)", str(error))
        at = line + int(told[1]) if told else line
        what = re.sub(r" \(at line .*", "", str(error))
        hint = "it is TOML: texts stand in quotes, lists in [ ]"
        raise DefinitionError(f"the block of the asset is no TOML: {what}", where=f"{path}:{at}", hint=hint) from None


def _key_of(path: str, root: str) -> str:
    stem = os.path.splitext(os.path.relpath(path, root))[0]
    key = ".".join(part for part in stem.split(os.sep) if part not in ("", os.curdir))
    if not is_key(key) or os.pardir in stem:
        hint = 'say key = "..." in its block'
        raise DefinitionError(f"the path {stem!r} makes no key of an asset", where=path, hint=hint)
    return key


def _comment(text: str) -> str:
    """The comment right below the block."""
    lines = []
    for line in text.strip().splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").strip())
    return "\n".join(lines).strip()


def _options(said: Mapping[str, Any], where: str) -> dict[str, Any]:
    known = (*_PLAIN, *_MADE)
    options: dict[str, Any] = {}
    for name, value in said.items():
        if name not in known:
            hint = nearest(name, known) or f"there are {', '.join(known)}"
            raise DefinitionError(f"unknown setting {name!r}", where=where, hint=hint)
        if name in _PLAIN:
            kinds = _PLAIN[name]
            kinds = kinds if isinstance(kinds, tuple) else (kinds,)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                wanted = " or ".join(dict.fromkeys(_WORDS[kind] for kind in kinds))
                raise DefinitionError(f"{name} is {value!r}", where=where, hint=f"give {wanted}")
            options[name] = value
    for name, make in _MAKERS.items():
        if name in said:
            options[name] = make(said[name], where)
    return options


_PARTITIONS: dict[str, Callable[..., Partitions]] = {
    "hourly": parts.hourly,
    "daily": parts.daily,
    "weekly": parts.weekly,
    "monthly": parts.monthly,
    "static": parts.static,
    "dynamic": parts.dynamic,
}


def _partitions(value: Any, where: str) -> Partitions:
    """`{ daily = "2026-01-01", timezone = "..." }`, `{ static = [...] }`, or one such table per dimension."""
    hint = 'write { daily = "2026-01-01" }, { static = ["eu", "us"] }, { dynamic = "name" }, or one per dimension'
    if not isinstance(value, dict) or not value:
        raise DefinitionError(f"partitions is {value!r}", where=where, hint=hint)
    kinds = [kind for kind in value if kind in _PARTITIONS]
    try:
        if not kinds and all(isinstance(one, dict) for one in value.values()):
            dimensions: dict[str, Any] = {name: _partitions(one, where) for name, one in value.items()}
            return parts.multi(**dimensions)
        if len(kinds) == 1:
            plain = {name: str(one) if isinstance(one, date) else one for name, one in value.items()}
            made = _PARTITIONS[kinds[0]](plain.pop(kinds[0]), **plain)
            validate(made)
            return made
    except BatutaError as error:
        raise DefinitionError(f"partitions: {error.what}", where=where, hint=error.hint or hint) from None
    except (TypeError, ValueError) as error:
        raise DefinitionError(f"partitions: {error}", where=where, hint=hint) from None
    raise DefinitionError(f"partitions is {value!r}", where=where, hint=hint)


def _mappings(value: Any, where: str) -> dict[str, PartitionMapping]:
    hint = 'write { "silver.orders" = { window = [-6, 0] } }, or "all", "last", "identity", { only = ["2026-01-01"] }'
    if not isinstance(value, dict):
        raise DefinitionError(f"partition_mappings is {value!r}", where=where, hint=hint)
    made: dict[str, PartitionMapping] = {}
    for key, one in value.items():
        match one:
            case "all":
                made[key] = parts.AllPartitions()
            case "last":
                made[key] = parts.LastPartition()
            case "identity":
                made[key] = parts.Identity()
            case {"window": [int(start), int(end)]}:
                made[key] = parts.TimeWindow(start, end)
            case {"only": [*keys]}:
                made[key] = parts.SpecificPartitions([str(each) for each in keys])
            case {"dimension": str(name)}:
                made[key] = parts.MultiToSingle(name)
            case _:
                raise DefinitionError(f"the partition mapping of {key!r} is {one!r}", where=where, hint=hint)
    return made


def _automation(value: Any, where: str) -> Any:
    match value:
        case "eager":
            return Automation.eager()
        case {"on_cron": str(cron)}:
            return Automation.on_cron(cron, value.get("timezone", "UTC"))
    hint = 'write "eager", or { on_cron = "0 6 * * *", timezone = "UTC" }'
    raise DefinitionError(f"automation is {value!r}", where=where, hint=hint)


def _freshness(value: Any, where: str) -> Freshness:
    hint = 'write { max_age = "26h" }, or { by = "0 7 * * *", timezone = "UTC", within = "6h" }'
    if not isinstance(value, dict) or not value:
        raise DefinitionError(f"freshness is {value!r}", where=where, hint=hint)
    options = dict(value)
    try:
        for name in ("max_age", "within"):
            if name in options:
                options[name] = seconds_of(options[name])
        return Freshness(**options)
    except (TypeError, ValueError) as error:
        raise DefinitionError(f"freshness: {error}", where=where, hint=hint) from None


_MAKERS: dict[str, Callable[[Any, str], Any]] = {
    "partitions": _partitions,
    "partition_mappings": _mappings,
    "automation": _automation,
    "freshness": _freshness,
}
