"""What can be written is documented: commands, options, settings, variables, exit codes, errors, trigger rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest

import batuta
from batuta.authoring import options
from batuta.cli import exits
from batuta.cli.main import cli
from batuta.core import errors
from batuta.core.trigger_rules import TriggerRule
from batuta.runtime.project import Config

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, title: str) -> str:
    """From a heading that contains the title to the next of the same or a higher level."""
    found = re.search(rf"(?m)^(#+) .*{re.escape(title)}.*$", text)
    assert found, f"there is no heading with {title!r}"
    rest = text[found.end() :]
    end = re.search(rf"(?m)^#{{1,{len(found[1])}}} ", rest)
    return rest[: end.start()] if end else rest


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command below a group, by its words."""
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from commands(found, (*path, name))


COMMANDS = dict(commands(cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_documented_with_each_option(name: str) -> None:
    text = section(page("cli.md"), f"`batuta {name}`")
    given = [option for option in COMMANDS[name].params if isinstance(option, click.Option)]
    missing = [
        option.opts[-1] for option in given if not any(f"`{one}" in text or f", {one}" in text for one in option.opts)
    ]
    assert missing == []
    assert all(argument in text for argument in re.findall(r"[A-Z]{2,}", " ".join(_metavars(COMMANDS[name]))))


def _metavars(command: click.Command) -> list[str]:
    return [option.metavar or "" for option in command.params if isinstance(option, click.Argument)]


def test_options_of_the_command_itself_are_documented() -> None:
    text = page("cli.md")
    assert [option.opts[-1] for option in cli.params if option.opts[-1] not in text] == []


def settings(kind: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """Every setting of batuta.toml, dotted."""
    for one in msgspec.structs.fields(kind):
        if isinstance(one.type, type) and issubclass(one.type, msgspec.Struct):
            yield from settings(one.type, f"{prefix}{one.name}.")
        else:
            yield f"{prefix}{one.name}"


@pytest.mark.parametrize("setting", list(settings(Config)))
def test_setting_is_documented(setting: str) -> None:
    assert f"`{setting}`" in page("configuration.md")


def variables() -> set[str]:
    """The environment variables that our code names."""
    named = re.compile(r"\bBATUTA_[A-Z_]+\b")
    return {name for file in (ROOT / "src").rglob("*.py") for name in named.findall(file.read_text(encoding="utf-8"))}


def test_environment_variables_are_documented() -> None:
    assert [name for name in sorted(variables()) if f"`{name}`" not in page("configuration.md")] == []


def test_exit_codes_are_documented() -> None:
    rows = dict(re.findall(r"(?m)^\| (\d+) \| (.+?) \|", page("errors-and-exit-codes.md")))
    assert rows == {str(code): meaning for code, meaning in exits.MEANINGS}


def public_errors() -> list[str]:
    own = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)]
    exported = [name for name in batuta.__all__ if isinstance(getattr(batuta, name), type)]
    return sorted({*own, *(name for name in exported if issubclass(getattr(batuta, name), BaseException))})


@pytest.mark.parametrize("name", public_errors())
def test_error_is_documented(name: str) -> None:
    assert f"`{name}`" in page("errors-and-exit-codes.md")


@pytest.mark.parametrize("name", [name for name in options._SHOWN if name != "retry_backoff"])
def test_option_of_tasks_is_documented(name: str) -> None:
    assert re.search(rf"`{name}\b", section(page("tasks-and-flows.md"), "Options of a task"))


@pytest.mark.parametrize("rule", list(TriggerRule))
def test_trigger_rule_is_documented(rule: str) -> None:
    assert f"`{rule}`" in section(page("dags.md"), "Trigger rules")


@pytest.mark.parametrize("name", [name for name in vars(batuta.Automation) if not name.startswith("_")])
def test_condition_of_automation_is_documented(name: str) -> None:
    assert re.search(rf"`(Automation\.)?{name}\(", page("automation.md"))


NEEDED_BY_FEW = {
    *("DynamicPartitions", "MultiPartitions", "StaticPartitions", "TimePartitions", "Partitions", "PartitionMapping"),
    *("Metadata", "FileIO", "join_key", "split_key", "Condition", "OnAssets", "TriggeringEvent"),
}
"""Names for annotations, and for what few will write."""


@pytest.mark.parametrize("module", ["automation", "operators", "partitions", "metadata", "io", "schedules"])
def test_names_of_public_modules_are_documented(module: str) -> None:
    text = "".join(page(name) for name in ("automation.md", "dags.md", "assets.md", "schedules.md"))
    names = [name for name in getattr(batuta, module).__all__ if name not in NEEDED_BY_FEW]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


PAGES = [*ROOT.glob("*.md"), *DOCS.glob("**/*.md"), *ROOT.glob("examples/*/README.md")]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?ms)^```.*?^```$", "", text))
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    text = re.sub(r"(?ms)^```.*?^```$", "", file.read_text(encoding="utf-8"))
    broken = []
    for path, anchor in LINK.findall(text):
        target = (file.parent / path).resolve() if path else file
        if not target.exists():
            broken.append(path)
        elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
            broken.append(f"{path}#{anchor}")
    assert broken == []


def test_site_shows_every_page() -> None:
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert [file.name for file in DOCS.glob("*.md") if f"{file.name}\n" not in config] == []
