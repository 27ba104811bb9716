"""The glossary: what words of the business mean, and which assets and columns they are about. Pure.

A tag `term:NAME` of an asset or a column names a term outright, and one that there is not is a mistake. Besides, a term
is about whatever is called like it, or like one of its `names`: a column, the last part of an asset's key, or
`asset.column` in full. Case, spaces, `_` and `-` make no difference: the column `net_revenue` means "Net revenue".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from batuta.core.errors import nearest

if TYPE_CHECKING:
    from batuta.core.definitions import AssetSpec, Problem

TAG = "term:"


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a word means, whom to ask, where there is more, and what else it is called."""

    meaning: str
    owner: str = ""
    links: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


class TermUse(NamedTuple):
    """A term and what of an asset it is about: the whole of it, or these columns."""

    name: str
    term: Term
    itself: bool
    columns: tuple[str, ...]


class Glossary:
    """The terms of a project, by whatever they are called."""

    def __init__(self, terms: Mapping[str, str | Term]) -> None:
        self.terms = {name: Term(one) if isinstance(one, str) else one for name, one in sorted(terms.items())}
        self._called = {_plain(name): name for name in self.terms}
        for name, term in self.terms.items():
            for other in term.names:
                self._called.setdefault(_plain(other), name)

    def uses(self, spec: AssetSpec, columns: Iterable[str] = ()) -> list[TermUse]:
        """The terms that an asset is about; `columns` are the names of those that it has besides the declared ones."""
        if not self.terms:
            return []
        itself = {self._called.get(_plain(name)) for name in (*_named(spec.tags), *_names_of(spec.key))}
        by_term: dict[str, dict[str, None]] = {}
        tagged = {column.name: _named(column.tags) for column in spec.columns}
        for column in dict.fromkeys((*tagged, *columns)):
            for name in (*tagged.get(column, ()), column, f"{spec.key}.{column}"):
                if (found := self._called.get(_plain(name))) is not None:
                    by_term.setdefault(found, {})[column] = None
        return [
            TermUse(name, term, name in itself, tuple(by_term.get(name, ())))
            for name, term in self.terms.items()
            if name in itself or name in by_term
        ]

    def problems(self, assets: Iterable[AssetSpec]) -> Iterator[Problem]:
        """Terms that are named by tags and that there are not."""
        from batuta.core.definitions import Problem

        told = set()
        for spec in assets:
            named = [(spec.key, name) for name in _named(spec.tags)]
            named += [(f"{spec.key}.{column.name}", name) for column in spec.columns for name in _named(column.tags)]
            for where, name in named:
                if _plain(name) not in self._called and (spec.place, name) not in told:
                    told.add((spec.place, name))
                    known = f"the glossary has {', '.join(self.terms)}" if self.terms else "there is no glossary"
                    hint = nearest(name, self.terms) or f"{known}; [glossary] in batuta.toml says what terms mean"
                    yield Problem(f"{where} has the tag '{TAG}{name}', but there is no such term", spec.place, hint)


def _named(tags: Iterable[str]) -> list[str]:
    return [tag.removeprefix(TAG).strip() for tag in tags if tag.startswith(TAG)]


def _names_of(key: str) -> tuple[str, str]:
    """An asset's key, and its last part."""
    return key, key.replace("/", ".").rpartition(".")[2]


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())
