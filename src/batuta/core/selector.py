"""Answers selections over assets (or steps): first each atom, then their combination, all on sets of graph ids.

Indexes by attribute are built when a selection first asks for them and kept. The surprising rule: an atom that
matches nothing is an error (a misspelling, mostly), but a state in which nothing happens to be is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from typing import Protocol

from batuta.core.errors import SelectionError
from batuta.core.graph import Graph
from batuta.core.problems import SHOWN_MAX
from batuta.core.selection import (
    ANY_DEPTH,
    Atom,
    Complement,
    Expression,
    InState,
    Intersection,
    Match,
    Pattern,
    Reach,
    Selection,
    Union,
    atoms,
    parse,
    pointing,
    render,
)
from batuta.core.similar import similar


class Attributes(Protocol):
    """What can be asked of one asset; None and "" stand for none."""

    @property
    def tags(self) -> Mapping[str, str]: ...
    @property
    def layer(self) -> str | None: ...
    @property
    def group(self) -> str | None: ...
    @property
    def kinds(self) -> Collection[str]: ...
    @property
    def owners(self) -> Collection[str]: ...
    @property
    def jobs(self) -> Collection[str]: ...
    @property
    def location(self) -> str | None: ...
    @property
    def path(self) -> str | None: ...


class Selectable(Protocol):
    """What selections are about: `keys` in the order of answers, all of them nodes of `graph`."""

    @property
    def keys(self) -> Sequence[str]: ...
    @property
    def graph(self) -> Graph: ...
    def attributes(self, key: str) -> Attributes: ...


States = Mapping[str, Iterable[str]] | Callable[[str], Iterable[str]]
"""For a state the keys that are in it; asked only for states that a selection names."""

Index = dict[str, list[int]]

_VALUES: dict[str, Callable[[Attributes], Iterable[str | None]]] = {
    "tag": lambda of: of.tags,
    "tag=": lambda of: [f"{name}={value}" for name, value in of.tags.items()],
    "layer": lambda of: (of.layer,),
    "group": lambda of: (of.group,),
    "kind": lambda of: of.kinds,
    "owner": lambda of: of.owners,
    "job": lambda of: of.jobs,
    "location": lambda of: (of.location,),
    "path": lambda of: (of.path,),
}


class Selector:
    """Selections over one unchanging `Selectable`; `noun` is what its errors call one of them."""

    def __init__(self, over: Selectable, noun: str = "asset") -> None:
        self._graph = over.graph
        self._keys = over.keys
        self._attributes = over.attributes
        self._noun = noun
        self._indexes: dict[str, Index] = {}

    def select(
        self, selection: str | Selection, *, states: States | None = None, empty_ok: bool = False
    ) -> tuple[str, ...]:
        """The keys that `selection` stands for, in the order of the selectable.

        Raises SelectionError where it does not parse, names a state that `states` does not know, has an atom that
        matches nothing, or leaves nothing without naming a state; the last two not with `empty_ok`.
        """
        parsed = parse(selection) if isinstance(selection, str) else selection
        leaves = list(atoms(parsed.root))
        matched = [self._atom(leaf, parsed, i, states) for i, leaf in enumerate(leaves)]
        if not empty_ok:
            self._refuse_unmatched(parsed, leaves, matched)
        ids = self._combine(parsed.root, iter(matched))
        if not ids and not empty_ok and not any(isinstance(leaf, InState) for leaf in leaves):
            hint = "a comma and `and` keep what both sides match; a space and `or` add them up"
            raise SelectionError(f"no {self._noun} is left by {parsed.text!r}, though each part matches", hint=hint)
        return tuple([key for key, i in self._universe.items() if i in ids])

    # -- the universe

    @cached_property
    def _universe(self) -> dict[str, int]:
        """All keys that can be selected, with their ids in the graph."""
        ids = self._graph.ids
        return {key: ids[key] for key in self._keys}

    @cached_property
    def _all(self) -> Set[int]:
        return frozenset(self._universe.values())

    def _index(self, attribute: str) -> Index:
        """The ids by each value of `attribute`; under "" those without any."""
        if attribute not in self._indexes:
            index: Index = {}
            values, attributes = _VALUES[attribute], self._attributes
            for key, i in self._universe.items():
                for value in values(attributes(key)) or ("",):
                    index.setdefault(value or "", []).append(i)
            self._indexes[attribute] = index
        return self._indexes[attribute]

    # -- atoms

    def _atom(self, atom: Atom, selection: Selection, number: int, states: States | None) -> Set[int]:
        if isinstance(atom, InState):
            keys = _in_state(atom.state, states)
            if keys is None:
                what = f"which {self._noun}s are {atom.state} is not known here"
                raise pointing(selection.text, selection.spans[number], what, "select by key or attribute instead")
            universe = self._universe
            return {universe[key] for key in keys if key in universe}
        if atom.attribute == "key":
            return self._by_key(atom.pattern)
        if atom.attribute == "tag" and any("=" in part for part in atom.pattern.parts):
            return self._by_value("tag=", atom.pattern)
        return self._by_value(atom.attribute, atom.pattern)

    def _by_key(self, pattern: Pattern) -> Set[int]:
        universe = self._universe
        if pattern.is_literal:
            key = pattern.parts[0]
            return {universe[key]} if key in universe else set()
        if not any(pattern.parts):
            return self._all
        fits = pattern.compiled().fullmatch
        return {i for key, i in universe.items() if fits(key)}

    def _by_value(self, attribute: str, pattern: Pattern) -> Set[int]:
        index = self._index(attribute)
        if not pattern.is_literal:
            fits = pattern.compiled().fullmatch
            return set().union(*[ids for value, ids in index.items() if value and fits(value)])
        literal = pattern.parts[0]
        if attribute != "path" or not literal:
            return set(index.get(literal, ()))
        return set().union(*[ids for path, ids in index.items() if _has_components(path, literal)])

    # -- combination

    def _combine(self, root: Expression, matched: Iterator[Set[int]]) -> Set[int]:
        """The ids that `root` selects; `matched` are those of its atoms in reading order."""
        match root:
            case Match() | InState():
                return next(matched)
            case Reach(of, up, down):
                return self._reach(self._combine(of, matched), up, down)
            case Complement(of):
                return self._all - self._combine(of, matched)
            case Intersection(parts):
                sets = [self._combine(part, matched) for part in parts]
                return frozenset(sets[0]).intersection(*sets[1:])
            case Union(parts):
                return frozenset().union(*[self._combine(part, matched) for part in parts])

    def _reach(self, ids: Set[int], up: int, down: int) -> Set[int]:
        reached = set(ids)
        for depth, upstream in ((up, True), (down, False)):
            if depth:
                limit = None if depth == ANY_DEPTH else depth
                reached |= self._graph.reach_ids(ids, upstream=upstream, depth=limit)
        return reached if len(self._universe) == len(self._graph) else reached & self._all

    # -- errors

    def _refuse_unmatched(self, selection: Selection, leaves: Sequence[Atom], matched: Sequence[Set[int]]) -> None:
        unmatched = [
            (leaf, span)
            for leaf, span, ids in zip(leaves, selection.spans, matched, strict=True)
            if isinstance(leaf, Match) and not ids
        ]
        if not unmatched:
            return
        first, span = unmatched[0]
        if not self._universe:
            raise SelectionError(f"there are no {self._noun}s to select from", hint="define one first")
        error = pointing(selection.text, span, self._nothing(first), self._suggestion(first))
        if others := list(dict.fromkeys(render(leaf) for leaf, _ in unmatched[1:])):
            more = f" and {len(others) - SHOWN_MAX} more" if len(others) > SHOWN_MAX else ""
            listed = f"{error.what}\n  nor is there anything for {', '.join(others[:SHOWN_MAX])}{more}"
            raise SelectionError(listed, hint=error.hint)
        raise error

    def _nothing(self, atom: Match) -> str:
        text = "*".join(atom.pattern.parts)
        if atom.attribute == "key":
            return f"there is no {self._noun} {text!r}" if atom.pattern.is_literal else f"no key fits {text!r}"
        if not text:
            return f"no {self._noun} is without {atom.attribute}"
        return f"no {self._noun} has the {atom.attribute} {text!r}"

    def _suggestion(self, atom: Match) -> str | None:
        text = "*".join(atom.pattern.parts)
        if atom.attribute == "key":
            return similar(text, self._universe.keys()) or self._containing(text)
        with_value = atom.attribute == "tag" and "=" in text
        values = [value for value in self._index("tag=" if with_value else atom.attribute) if value]
        if not values:
            return f"no {self._noun} has a {atom.attribute}"
        if hint := similar(text, values):
            return hint
        shown = ", ".join(sorted(values)[:SHOWN_MAX])
        return f"there is {shown}{' and more' if len(values) > SHOWN_MAX else ''}"

    def _containing(self, text: str) -> str:
        part = text.strip("*")
        if part and (count := sum(part in key for key in self._universe)):
            return f"`*{part}*` fits {count} of the keys"
        return f"`*` selects every {self._noun}"


def _in_state(state: str, states: States | None) -> Iterable[str] | None:
    if states is None:
        return None
    return states(state) if callable(states) else states.get(state)


def _has_components(path: str, part: str) -> bool:
    """Whether `part` is some whole components of `path`: a directory above, a file's name, or all of it."""
    return f"/{part.removeprefix('./').strip('/')}/" in f"/{path.strip('/')}/"
