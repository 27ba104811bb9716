"""The glossary as the API tells it: terms, what is about them, and the texts by which assets are found.

Made once for a state of the assets and a glossary: both change seldom, and are asked for with every key that is typed.
"""

from __future__ import annotations

import msgspec

from batuta.core.columns import reported_columns
from batuta.core.finding import text_of_asset
from batuta.core.glossary import Glossary, TermUse
from batuta.server.access import Principal
from batuta.server.backend import Backend
from batuta.server.shapes.assets import ColumnPlace, GlossaryTerm, TermOfAsset


class _Known(msgspec.Struct):
    """What was made of a glossary and the assets of one state."""

    glossary: Glossary
    uses: dict[str, list[TermUse]]
    texts: dict[str, str]


def glossary_of(backend: Backend) -> Glossary:
    """The glossary as it is configured now."""
    return _known(backend).glossary


def asset_texts(backend: Backend) -> dict[str, str]:
    """By asset all that it is found by."""
    return _known(backend).texts


def terms_of_asset(backend: Backend, key: str) -> list[TermOfAsset]:
    """The terms that an asset or columns of it are about."""
    return [
        TermOfAsset(
            name=use.name,
            meaning=use.term.meaning,
            owner=use.term.owner,
            links=list(use.term.links),
            itself=use.itself,
            columns=list(use.columns),
        )
        for use in _known(backend).uses.get(key, ())
    ]


def all_terms(backend: Backend, who: Principal) -> list[GlossaryTerm]:
    """All terms with what is about them, as far as one may look at it."""
    known, places = _known(backend), backend.catalog.location_of
    shown = {
        name: GlossaryTerm(
            name=name,
            meaning=term.meaning,
            owner=term.owner,
            links=list(term.links),
            names=list(term.names),
            assets=[],
            columns=[],
        )
        for name, term in known.glossary.terms.items()
    }
    for key, uses in known.uses.items():
        if who.may("viewer", places.get(key, "")):
            for use in uses:
                if use.itself:
                    shown[use.name].assets.append(key)
                shown[use.name].columns.extend(ColumnPlace(asset=key, column=column) for column in use.columns)
    return list(shown.values())


def _known(backend: Backend) -> _Known:
    found, terms = backend.asset_states(), backend.project.config.glossary
    known: tuple[object, _Known] | None = found.shown.get("glossary")
    if known is None or known[0] is not terms:
        made = _Known(Glossary(terms), {}, {})
        for key, state in found.states.items():
            last = b"{}" if state.last is None else state.last.metadata or b"{}"
            columns = [name for name, _ in reported_columns(msgspec.json.decode(last))]
            uses = made.glossary.uses(state.spec, columns)
            if uses:
                made.uses[key] = uses
            made.texts[key] = text_of_asset(state.spec, columns, (use.name for use in uses))
        found.shown["glossary"] = known = (terms, made)
    return known[1]
