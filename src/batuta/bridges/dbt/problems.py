"""What dbt says when something is wrong, as errors that name the file, the line, and what to do."""

# mypy: disable-error-code="import-not-found, import-untyped"

from __future__ import annotations

import os
import re

from batuta.bridges.dbt.fingerprint import project_files
from batuta.bridges.dbt.settings import DbtSettings
from batuta.core.errors import BatutaError, LoadError

_FILE = re.compile(r"([\w./\\-]+\.(?:sql|ya?ml|csv|py|md))")
_LINE = re.compile(r"\bline (\d+)")
_RULE = re.compile(r"^-{5,}$")
_HINTS = (
    (re.compile(r"Could not find profile named|profiles\.yml|The profile '.*' does not have a target"), "profile"),
    (re.compile(r"Env var required but not provided: '?([^'\n]+)"), "environment"),
    (re.compile(r"Required var '([^']+)' not found"), "variable"),
    (re.compile(r"Could not find adapter type (\w+)"), "adapter"),
    (re.compile(r"dbt found \d+ package\(s\) specified in|Run \"?dbt deps"), "packages"),
)


class DbtFailed(BatutaError):
    """A node of a dbt project failed; `hint` says where its SQL is."""


def explained(error: BaseException, settings: DbtSettings) -> LoadError:
    """Why a project cannot be loaded."""
    if isinstance(error, LoadError):
        return error
    text = _text(error)
    told = LoadError(text, where=_where(text, settings), hint=_hint(text, settings))
    if not type(error).__module__.startswith(("dbt", "dbt_common")):
        told.add_note(f"{type(error).__module__}.{type(error).__name__}")
    return told


def node_failure(message: str, file: str, line: int, hint: str) -> DbtFailed:
    """Why a node has failed."""
    return DbtFailed(without_headline(message), where=f"{file}:{line}" if line else file, hint=hint)


def outside_nodes(error: Exception, where: str) -> Exception:
    """What dbt raises where no node is to blame: its connection, a schema that cannot be made."""
    if type(error).__module__.startswith("dbt"):
        return DbtFailed(without_headline(str(error)), where=where)
    return error


def without_headline(message: str) -> str:
    """What went wrong, less the line that says in which node, which is told otherwise."""
    lines = [line.strip() for line in message.strip().splitlines()]
    if len(lines) > 1 and re.match(r"^(Runtime|Database|Compilation) Error( in .*)?$", lines[0]):
        lines = lines[1:]
    kept = [line for line in lines if line and not line.startswith("compiled code at ")]
    return "\n".join(kept) or message.strip()


def _text(error: BaseException) -> str:
    """The message, without rules and with one blank less at most."""
    message = str(error).strip() or type(error).__name__
    lines = [line.rstrip() for line in message.splitlines()]
    return "\n".join(line for line in lines if line and not _RULE.match(line))


def _where(text: str, settings: DbtSettings) -> str:
    """The first file of the project that the text names, with its line; where it names none, the one that is meant."""
    line = _LINE.search(text)
    number = f":{line[1]}" if line else ""
    for found in _FILE.findall(text):
        for folder in (settings.root, settings.profiles_dir, ""):
            if os.path.isfile(os.path.join(folder, found)):
                return os.path.join(folder, found) + number
        ends = [file for file in project_files(settings) if file.endswith(os.sep + found)]
        if len(ends) == 1:
            return ends[0] + number
    if "Syntax error near line" in text:
        return _no_yaml(settings) + number
    if "close tag" in text:
        return _unclosed(settings, text)
    return settings.root


def _no_yaml(settings: DbtSettings) -> str:
    """The configuration file that is no YAML."""
    import yaml  # dbt has it

    places = [os.path.join(settings.profiles_dir, "profiles.yml")]
    places += [os.path.join(settings.root, name) for name in ("dbt_project.yml", "packages.yml", "selectors.yml")]
    for place in places:
        try:
            with open(place, encoding="utf-8") as file:
                yaml.safe_load(file)
        except yaml.YAMLError:
            return place
        except OSError:
            continue
    return settings.root


def _unclosed(settings: DbtSettings, text: str) -> str:
    """The file in which a block is not closed, of which dbt tells the line alone."""
    from dbt_common.clients.jinja import extract_toplevel_blocks

    for path in project_files(settings):
        if path.endswith(".sql"):
            try:
                with open(path, encoding="utf-8") as file:
                    extract_toplevel_blocks(file.read())
            except Exception as error:
                line = _LINE.search(str(error))
                if str(error).strip() in text or (line and line[0] in text):
                    return f"{path}:{line[1]}" if line else path
    return settings.root


def _hint(text: str, settings: DbtSettings) -> str | None:
    for pattern, kind in _HINTS:
        found = pattern.search(text)
        if found is None:
            continue
        match kind:
            case "profile":
                return f"profiles are looked for in {settings.profiles_dir}; `profiles_dir` and `target` choose others"
            case "environment":
                return f"set {found[1].strip()} where Batuta runs, or give env_var a default"
            case "variable":
                return f"set it under vars: of the project or the location: vars = {{ {found[1]} = ... }}"
            case "adapter":
                return f"install dbt-{found[1]} in this location's environment"
            case "packages":
                return f"run `dbt deps` in {settings.root}"
    return None
