"""Reading `batuta.toml` into records: profiles merged, names checked, every mistake told with its file and line.

Surprising: a setting is looked for in the text again when it is wrong; files that are right are read once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from batuta.core.durations import HINT, Seconds, decode_hook
from batuta.core.errors import DefinitionError, nearest
from batuta.runtime.config_places import Part, line_of

T = TypeVar("T", bound=msgspec.Struct)


def read_config(
    file: Path,
    tool: str | None,
    kind: type[T],
    profile: str,
    mistakes: Callable[[T], Iterable[tuple[tuple[Part, ...], str, str | None]]],
) -> T | None:
    """What a file configures; None for one without `[tool.NAME]`. Raises DefinitionError.

    `mistakes` are what is wrong with settings of the right type: path, what, hint.
    """
    text = ""
    try:
        text = file.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = _line_told(str(error))
        hint = "texts stand in quotes, lists in [ ], one setting a line"
        raise DefinitionError(f"it is not valid TOML: {error}", where=f"{file}{line}", hint=hint) from None
    base: tuple[Part, ...] = ()
    if tool is not None:
        base = ("tool", tool)
        data = data.get("tool", {}).get(tool)
        if data is None:
            return None

    def place(path: Sequence[Part]) -> str:
        line = line_of(text, (*base, *path))
        if line is None and profile:
            line = line_of(text, (*base, "profiles", profile, *path))
        return f"{file}:{line}" if line else str(file)

    _check_names(data, kind, (), place)
    data = _with_profile(data, profile, str(file))
    try:
        config = msgspec.convert(data, kind, dec_hook=decode_hook)
    except msgspec.ValidationError as error:
        raise _refusal(error, data, kind, place) from None
    for wrong, what, advice in mistakes(config):
        raise DefinitionError(what, where=place(wrong), hint=advice)
    return config


Place = Callable[[Sequence[Part]], str]


def _refusal(error: msgspec.ValidationError, data: Any, kind: Any, place: Place) -> DefinitionError:
    """A value of the wrong type, with its path and line."""
    what, _, told = str(error).partition(" - at `$")
    path: list[Part] = []
    for name, number in re.findall(r"\.([\w-]+)|\[(\d+|\.\.\.)\]", told.rstrip("`")):
        if number == "...":
            path.append(_culprit(data, kind, path))
        else:
            path.append(name or int(number))
    setting = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
    what = f"{setting}: {what[:1].lower()}{what[1:]}" if setting else what
    return DefinitionError(what, where=place(path), hint=_allowed(kind, path))


def _culprit(data: Any, kind: Any, path: Sequence[Part]) -> str:
    """The key of the table at `path` whose value is wrong, which msgspec does not tell."""
    table = data
    for part in path:
        table = table[part]
    for key in table:
        try:
            msgspec.convert(_with(data, path, {key: table[key]}), kind, dec_hook=decode_hook)
        except msgspec.ValidationError:
            return str(key)
    return "..."


def _with(data: Any, path: Sequence[Part], value: Any) -> Any:
    """A copy of `data` with another value at `path`."""
    if not path:
        return value
    copy = list(data) if isinstance(data, list) else dict(data)
    copy[path[0]] = _with(data[path[0]], path[1:], value)  # type: ignore[index]
    return copy


def _check_names(data: Any, kind: Any, path: tuple[Part, ...], place: Place) -> None:
    """Raise DefinitionError for a setting that there is not, with the nearest that there is."""
    if not isinstance(data, dict):
        return
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in data.items():
        if name not in fields:
            hint = nearest(name, fields) or f"settings are {', '.join(fields)}"
            setting = ".".join(str(part) for part in (*path, name) if isinstance(part, str))
            raise DefinitionError(f"unknown setting {setting!r}", where=place((*path, name)), hint=hint)
        for key, below, one in _below(value, fields[name]):
            _check_names(below, one, (*path, name, *key), place)


def _below(value: Any, kind: Any) -> Iterable[tuple[tuple[Part, ...], Any, Any]]:
    """The tables in a setting whose names are known: itself, the items of a list, the values of a table."""
    if is_struct(kind):
        return [((), value, kind)]
    args = get_args(kind)
    if get_origin(kind) is dict and is_struct(args[1]) and isinstance(value, dict):
        return [((key,), item, args[1]) for key, item in value.items()]
    if get_origin(kind) is tuple and is_struct(args[0]) and isinstance(value, list):
        return [((number,), item, args[0]) for number, item in enumerate(value)]
    return [one for each in args if is_struct(each) for one in _below(value, each)]


def _allowed(kind: Any, path: Sequence[Part]) -> str | None:
    """What a setting may be, where that is a short list."""
    for part in path:
        if isinstance(part, int):
            kind = next(iter(get_args(kind)), None)
        elif get_origin(kind) is dict:
            kind = get_args(kind)[1]
        else:
            of = next((one for one in (kind, *get_args(kind)) if is_struct(one)), None)
            fields = {field.name: field.type for field in msgspec.structs.fields(of)} if of else {}
            kind = fields.get(str(part))
    if Seconds in (kind, *get_args(kind)):
        return HINT
    choices = next((get_args(one) for one in (kind, *get_args(kind)) if get_origin(one) is Literal), ())
    return f"it may be {', '.join(repr(choice) for choice in choices)}" if choices else None


def is_struct(kind: Any) -> bool:
    """Whether it is a record of settings."""
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _line_told(text: str) -> str:
    """`:3` of a message that says "at line 3"."""
    found = re.search(r"at line (\d+)", text)
    return f":{found[1]}" if found else ""


def _with_profile(data: dict[str, Any], profile: str, where: str) -> dict[str, Any]:
    """The configuration with what a profile says on top. Raises DefinitionError for one that is not there."""
    if not profile:
        return data
    profiles = data.get("profiles", {})
    if not isinstance(profiles, dict) or profile not in profiles:
        known = list(profiles) if isinstance(profiles, dict) else []
        hint = nearest(profile, known) or f"profiles are {', '.join(known) or 'none'}; BATUTA_PROFILE names one"
        raise DefinitionError(f"there is no profile {profile!r}", where=where, hint=hint)
    merged: dict[str, Any] = _merged(data, profiles[profile])
    return merged


def _merged(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = {**below, **above}
    for name in below.keys() & above.keys():
        merged[name] = _merged(below[name], above[name])
    return merged
