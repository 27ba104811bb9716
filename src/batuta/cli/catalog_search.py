"""`batuta catalog`: finding assets by words, and the glossary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from batuta.cli.group import Lazy, LazyGroup
from batuta.cli.output import Cell, Output, output_options, table
from batuta.cli.targets import file_option, load, open_workspace, store_if_any
from batuta.core.errors import RequestError

if TYPE_CHECKING:
    from batuta.core.definitions import AssetSpec
    from batuta.core.glossary import Glossary
    from batuta.engine.workspace import Workspace

CATALOG = {
    "search": Lazy("catalog_search:search", "Find assets, columns, checks, jobs and terms that have all the words."),
    "glossary": Lazy("catalog_search:glossary", "Show what words mean, and what is about them."),
    "history": Lazy("catalog_history:history", "Show how the columns of an asset changed, and what of it breaks."),
    "usage": Lazy("catalog_history:usage", "Show who reads an asset, how often, and when last."),
}
KINDS = ("asset", "column", "check", "job", "term")


@click.group(cls=LazyGroup, lazy=CATALOG)
def catalog() -> None:
    """Find assets by words, what words mean, how columns changed, and who reads what."""


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="WORDS")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these; may be repeated.")
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=30, show_default=True)
@file_option
@output_options
def search(words: tuple[str, ...], kinds: tuple[str, ...], limit: int, file: str | None, out: Output) -> None:
    """Find assets, columns, checks, jobs and terms that have all the words.

    They are looked for in names, descriptions, layers, groups, kinds, owners, tags, columns and terms; those that have
    them in their name come first.

    \b
    Examples:
      batuta catalog search revenue
      batuta catalog search net revenue --kind column
      batuta catalog search finance --json
    """
    from batuta.core.finding import best

    with open_workspace(file or "") as workspace:
        load(workspace)
        fit = ((one, one["name"], text) for one, text in _entries(workspace) if not kinds or one["kind"] in kinds)
        found = best(fit, " ".join(words), limit)
    out.document({"found": found})
    if found:
        rows = [(one["kind"], Cell(one["name"], bold=True), ", ".join(one["owners"]), _line(one)) for one in found]
        out.say(table(("KIND", "NAME", "OWNERS", ""), rows, indent="  "))
    else:
        out.note("nothing has all these words")


@click.command()
@click.argument("term", nargs=-1, metavar="[TERM]")
@file_option
@output_options
def glossary(term: tuple[str, ...], file: str | None, out: Output) -> None:
    """Show what words mean, and what is about them.

    \b
    Examples:
      batuta catalog glossary
      batuta catalog glossary net revenue
    """
    name = " ".join(term)
    with open_workspace(file or "") as workspace:
        load(workspace)
        terms = _terms(workspace, _glossary(workspace))
        if name:
            terms = [one for one in terms if one["name"].lower() == name.lower()]
            if not terms:
                _refuse(name, _glossary(workspace))
    out.document({"terms": terms})
    if terms:
        rows = [(Cell(one["name"], bold=True), one["owner"], _about(one), _line(one)) for one in terms]
        out.say(table(("TERM", "OWNER", "ABOUT", ""), rows, indent="  "))
    else:
        out.note("there is no glossary: [glossary] in batuta.toml says what words mean")


def _refuse(name: str, known: Glossary) -> None:
    from batuta.core.errors import nearest

    hint = nearest(name, known.terms) or "batuta catalog glossary lists them"
    raise RequestError(f"there is no term {name!r}", hint=hint)


def _glossary(workspace: Workspace) -> Glossary:
    from batuta.core.glossary import Glossary

    return Glossary(workspace.project.config.glossary)


def _entries(workspace: Workspace) -> Iterator[tuple[dict[str, Any], str]]:
    """All that may be found, each with the text that is looked through."""
    from batuta.core.finding import text_of_asset

    known, made = _glossary(workspace), _columns_made(workspace)
    definitions = workspace.definitions
    for spec in definitions.assets:
        columns = made.get(spec.key, [])
        uses = known.uses(spec, columns)
        terms = [use.name for use in uses]
        yield (
            _entry("asset", spec.key, spec.description, spec.owners, terms=terms),
            text_of_asset(spec, columns, terms),
        )
        yield from _column_entries(spec, columns, {name: use.name for use in uses for name in use.columns})
    for check in definitions.checks:
        yield _entry("check", check.key, check.description), f"{check.key} {check.description}".lower()
    for job in definitions.jobs:
        text = f"{job.name} {job.description} {' '.join((*job.tags, *job.owners))}".lower()
        yield _entry("job", job.name, job.description, job.owners), text
    for name, term in known.terms.items():
        owners = (term.owner,) if term.owner else ()
        yield _entry("term", name, term.meaning, owners), " ".join((name, term.meaning, *term.names, *owners)).lower()


def _column_entries(spec: AssetSpec, made: list[str], terms: dict[str, str]) -> Iterator[tuple[dict[str, Any], str]]:
    told = {column.name: column for column in spec.columns}
    for name in dict.fromkeys((*told, *made)):
        about, tags = (told[name].description, told[name].tags) if name in told else ("", ())
        term = terms.get(name, "")
        yield (
            _entry("column", f"{spec.key}.{name}", about, terms=[term] if term else []),
            " ".join((spec.key, name, about, *tags, term)).lower(),
        )


def _entry(
    kind: str, name: str, description: str, owners: tuple[str, ...] = (), terms: list[str] | None = None
) -> dict[str, Any]:
    return {"kind": kind, "name": name, "description": description, "owners": list(owners), "terms": terms or []}


def _columns_made(workspace: Workspace) -> dict[str, list[str]]:
    """The columns of each asset as it was made last, as far as they are known."""
    import msgspec

    from batuta.core.columns import reported_columns

    store = store_if_any(workspace)
    last: dict[str, Any] = {}
    for (asset, _), row in ({} if store is None else store.asset_states()).items():
        if asset not in last or last[asset].at < row.at:
            last[asset] = row
    return {
        asset: [name for name, _ in reported_columns(msgspec.json.decode(row.metadata or b"{}"))]
        for asset, row in last.items()
    }


def _terms(workspace: Workspace, known: Glossary) -> list[dict[str, Any]]:
    made = _columns_made(workspace)
    terms: dict[str, dict[str, Any]] = {
        name: {
            "name": name,
            "description": term.meaning,
            "owner": term.owner,
            "links": list(term.links),
            "names": list(term.names),
            "assets": [],
            "columns": [],
        }
        for name, term in known.terms.items()
    }
    for spec in workspace.definitions.assets:
        for use in known.uses(spec, made.get(spec.key, [])):
            if use.itself:
                terms[use.name]["assets"].append(spec.key)
            terms[use.name]["columns"] += [f"{spec.key}.{column}" for column in use.columns]
    return list(terms.values())


def _about(one: dict[str, Any]) -> str:
    found = [*one["assets"], *one["columns"]]
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def _line(one: dict[str, Any]) -> str:
    text: str = one["description"]
    return text.strip().partition("\n")[0]
