"""The selection language: text to a tree of frozen records, and back.

A space means or, a comma means and, as in dbt; `and`, `or`, `not` and parentheses say it in words. The surprising
rule: `a not b` is refused, because it reads like "a without b" but a space means or.

    selection := union
    union     := intersection ((space | "or" | "|") intersection)*
    intersection := operand (("," | "and" | "&") operand)*
    operand   := "not" operand | [depth]"+" reached | reached "+"[depth] | reached
    reached   := "(" union ")" | state | attribute ":" pattern | pattern
    pattern   := any of: bare text, "quoted" or 'quoted' text, * (any characters)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from batuta.core.errors import SelectionError, nearest

ATTRIBUTES = ("key", "tag", "layer", "group", "kind", "owner", "job", "location", "path")
STATES = ("stale", "changed", "missing", "failed")
ANY_DEPTH = -1
NESTING_MAX = 50
DEPTH_DIGITS_MAX = 6
SHOWN_AROUND = 50
"""How many characters of a long selection an error shows on either side of the fault."""


class Pattern(msgspec.Struct, frozen=True):
    """Literal parts with any characters between: `gold.*` is ("gold.", ""); one part is a literal."""

    parts: tuple[str, ...]

    @property
    def is_literal(self) -> bool:
        return len(self.parts) == 1

    def compiled(self) -> re.Pattern[str]:
        """A regular expression to be used with `fullmatch`; atomic groups keep it from backtracking."""
        first, *inner = map(re.escape, self.parts)
        if not inner:
            return re.compile(first)
        last = inner.pop()
        return re.compile(first + "".join(f"(?>.*?{part})" for part in inner if part) + ".*" + last, re.DOTALL)


class Match(msgspec.Struct, frozen=True, tag=True):
    """What has an attribute (one of ATTRIBUTES) that fits the pattern."""

    attribute: str
    pattern: Pattern


class InState(msgspec.Struct, frozen=True, tag=True):
    """What is in one of STATES, as whoever evaluates the selection knows it."""

    state: str


class Reach(msgspec.Struct, frozen=True, tag=True):
    """What `of` selects and what is up to `up` edges above and `down` edges below it; ANY_DEPTH: all."""

    of: Expression
    up: int = 0
    down: int = 0


class Complement(msgspec.Struct, frozen=True, tag=True):
    """All that `of` does not select."""

    of: Expression


class Intersection(msgspec.Struct, frozen=True, tag=True):
    """What all parts select; there are at least two."""

    parts: tuple[Expression, ...]


class Union(msgspec.Struct, frozen=True, tag=True):
    """What any part selects; there are at least two."""

    parts: tuple[Expression, ...]


Atom = Match | InState
Expression = Match | InState | Reach | Complement | Intersection | Union


class Selection(msgspec.Struct, frozen=True):
    """A parsed selection: its text, its tree, and for each atom in reading order where it stands in the text."""

    text: str
    root: Expression
    spans: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        return render(self.root)


def parse(text: str) -> Selection:
    """The selection that `text` writes down. Raises SelectionError that points at the column."""
    parser = _Parser(text)
    return Selection(text, parser.selection(), tuple(parser.spans))


def atoms(root: Expression) -> Iterator[Atom]:
    """The atoms of a tree in reading order."""
    match root:
        case Match() | InState():
            yield root
        case Reach() | Complement():
            yield from atoms(root.of)
        case Intersection() | Union():
            for part in root.parts:
                yield from atoms(part)


# -- to text


def render(root: Expression) -> str:
    """The text that parses to exactly this tree."""
    match root:
        case Match():
            is_key = root.attribute == "key"
            return _pattern_text(root.pattern, is_key) if is_key else f"{root.attribute}:{_pattern_text(root.pattern)}"
        case InState():
            return root.state
        case Reach():
            return f"{_plus(root.up, up=True)}{_inner(root.of, Match, InState)}{_plus(root.down, up=False)}"
        case Complement():
            return f"not {_inner(root.of, Match, InState, Reach, Complement)}"
        case Intersection():
            return " and ".join(_inner(part, Match, InState, Reach, Complement) for part in root.parts)
        case Union():
            return " or ".join(_inner(p, Match, InState, Reach, Complement, Intersection) for p in root.parts)


def _inner(root: Expression, *bare: type) -> str:
    return render(root) if isinstance(root, bare) else f"({render(root)})"


def _plus(depth: int, *, up: bool) -> str:
    if not depth:
        return ""
    digits = "" if depth == ANY_DEPTH else str(depth)
    return f"{digits}+" if up else f"+{digits}"


def _pattern_text(pattern: Pattern, is_key: bool = False) -> str:
    literals = [part for part in pattern.parts if part]
    if pattern.is_literal and (not literals or (is_key and _means_something(literals[0]))):
        return _quoted("".join(literals))
    return "*".join(
        part if _BARE.fullmatch(part) and not (is_key and ":" in part) else _quoted(part) if part else ""
        for part in pattern.parts
    )


def _means_something(word: str) -> bool:
    return word.lower() in _KEYWORDS or word in STATES or word.isdigit()


def _quoted(literal: str) -> str:
    if '"' not in literal:
        return f'"{literal}"'
    return "'\"'".join(f'"{piece}"' if piece else "" for piece in literal.split('"'))


# -- from text

_KEYWORDS = ("and", "or", "not")
_BARE = re.compile(r"""[^\s(),|&+*"']+""")
_KEYWORD = re.compile(r"(and|or|not)(?=[\s(),|&]|$)", re.IGNORECASE)
_UP = re.compile(r"([0-9]*)\+(?=[^\s),|&+])")
_DOWN = re.compile(r"\+([0-9]*)")
_ATTRIBUTE = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*):")
_SPACE = re.compile(r"\s*")
_END = " \t\r\n),|&"


class _Parser:
    """Recursive descent over the characters; `at` is the next one."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0
        self.spans: list[tuple[int, int]] = []

    def selection(self) -> Expression:
        self.skip_space()
        if self.at == len(self.text):
            raise SelectionError("the selection is empty", hint="`*` selects everything")
        root = self.union()
        if self.at < len(self.text):
            raise self.error("this parenthesis was never opened", hint="take it away, or open one before it")
        return root

    def union(self) -> Expression:
        part, _, ends_negated = self.intersection()
        parts = [part]
        while (here := self.skip_space()) < len(self.text) and self.text[here] != ")":
            joined = self.take("|") or self.take_keyword("or")
            part, starts_negated, now_negated = self.intersection()
            if not joined and (starts_negated or ends_negated):
                hint = "a space means or: write `and not` for what is in one but not in the other, or `or not`"
                raise self.error("`not` beside a space can be read in two ways", at=here, hint=hint)
            ends_negated = now_negated
            parts.append(part)
        return parts[0] if len(parts) == 1 else Union(tuple(parts))

    def intersection(self) -> tuple[Expression, bool, bool]:
        """The expression, and whether its first and its last operand start with a bare `not`."""
        self.skip_space()
        first = last = self.at_not()
        parts = [self.operand()]
        while True:
            self.skip_space()
            if not (self.take(",") or self.take("&") or self.take_keyword("and")):
                break
            self.skip_space()
            last = self.at_not()
            parts.append(self.operand())
        return parts[0] if len(parts) == 1 else Intersection(tuple(parts)), first, last

    def operand(self) -> Expression:
        self.skip_space()
        begin = self.at
        if self.take_keyword("not"):
            self.deeper(begin)
            negated = Complement(self.operand())
            self.nesting -= 1
            return negated
        up = self.depth(_UP)
        reached = self.reached()
        down = self.depth(_DOWN)
        if self.at < len(self.text) and self.text[self.at] not in _END and not self.text[self.at].isspace():
            raise self.after_operand()
        return Reach(reached, up, down) if up or down else reached

    def reached(self) -> Expression:
        begin = self.at
        if self.take("("):
            self.deeper(begin)
            inner = self.union()
            if not self.take(")"):
                raise self.error("this parenthesis is never closed", at=begin, hint="close it with `)`")
            self.nesting -= 1
            return inner
        return self.atom()

    def atom(self) -> Expression:
        begin = self.at
        if keyword := _KEYWORD.match(self.text, begin):
            word = keyword[1]
            example = "+(not x)" if word.lower() == "not" else f"x {word.lower()} y"
            raise self.error(f"`{word}` cannot stand here", hint=f'write {example}; for a key of that name "{word}"')
        named = _ATTRIBUTE.match(self.text, begin)
        if named:
            self.at = named.end()
        pattern, has_quotes = self.pattern()
        self.spans.append((begin, self.at))
        if named:
            return self.attribute(named, pattern)
        if pattern.is_literal and not has_quotes and pattern.parts[0] in STATES:
            return InState(pattern.parts[0])
        return Match("key", pattern)

    def attribute(self, named: re.Match[str], pattern: Pattern) -> Expression:
        name = named[1]
        if name == "state":
            if pattern.is_literal and pattern.parts[0] in STATES:
                return InState(pattern.parts[0])
            raise self.error(
                f"{'*'.join(pattern.parts)!r} is not a state", at=named.end(), hint=f"states are {', '.join(STATES)}"
            )
        if name not in ATTRIBUTES:
            known = f"attributes are {', '.join(ATTRIBUTES)}; quote a key that has a colon"
            hint = nearest(name, ATTRIBUTES, count=1) or known
            raise self.error(f"there is no attribute {name!r}", at=named.start(), hint=hint)
        return Match(name, pattern)

    def pattern(self) -> tuple[Pattern, bool]:
        """The pattern that stands here, and whether any of it is quoted."""
        parts, begin, has_quotes = [""], self.at, False
        while self.at < len(self.text):
            if bare := _BARE.match(self.text, self.at):
                parts[-1] += bare[0]
                self.at = bare.end()
            elif self.take("*"):
                if len(parts) == 1 or parts[-1]:  # `**` is `*`
                    parts.append("")
            elif self.text[self.at] in "\"'":
                parts[-1] += self.quoted()
                has_quotes = True
            else:
                break
        if self.at == begin:
            raise self.nothing_here()
        return Pattern(tuple(parts)), has_quotes

    def quoted(self) -> str:
        begin = self.at
        end = self.text.find(self.text[begin], begin + 1)
        if end < 0:
            raise self.error("this quote is never closed", hint=f"close it with {self.text[begin]}")
        self.at = end + 1
        return self.text[begin + 1 : end]

    def depth(self, plus: re.Pattern[str]) -> int:
        found = plus.match(self.text, self.at)
        if not found:
            return 0
        if len(found[1]) > DEPTH_DIGITS_MAX:
            raise self.error("this depth is too large", at=found.start(1), hint="a bare + reaches any depth")
        self.at = found.end()
        return int(found[1]) if found[1] else ANY_DEPTH

    def deeper(self, begin: int) -> None:
        self.nesting += 1
        if self.nesting > NESTING_MAX:
            raise self.error(f"nested deeper than {NESTING_MAX}", at=begin, hint="take parentheses away")

    def skip_space(self) -> int:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def take(self, character: str) -> bool:
        here = self.text.startswith(character, self.at)
        self.at += here
        return here

    def at_not(self) -> bool:
        found = _KEYWORD.match(self.text, self.at)
        return bool(found) and self.text[self.at] in "nN"

    def take_keyword(self, word: str) -> bool:
        found = _KEYWORD.match(self.text, self.at)
        if not found or found[1].lower() != word:
            return False
        self.at = found.end()
        return True

    def nothing_here(self) -> SelectionError:
        rest = self.text[self.at : self.at + 1]
        if not rest or rest.isspace():
            return self.error("something is missing here", hint="a key, a pattern, an attribute like tag:finance, or (")
        if rest == "+":
            return self.error("this + belongs to nothing", hint="write +x or x+ without a space between")
        return self.error(f"something is missing before `{rest}`", hint=f"a key that has a {rest} goes into quotes")

    def after_operand(self) -> SelectionError:
        if self.text[self.at] == "(":
            return self.error("a space or an operator is missing here", hint="write `x and (y)` or `x or (y)`")
        if self.text[self.at - 1] == ")":
            return self.error("a space or an operator is missing here", hint="write x and y, or x or y")
        return self.error("a + can only stand before or after a key", hint="a key that has a + goes into quotes")

    def error(self, what: str, *, at: int | None = None, hint: str) -> SelectionError:
        column = self.at if at is None else at
        return pointing(self.text, (column, column + 1), what, hint)


def pointing(text: str, span: tuple[int, int], what: str, hint: str | None) -> SelectionError:
    """An error whose text shows the selection with carets under `span`."""
    begin, end = span
    left, right = max(0, begin - SHOWN_AROUND), min(len(text), max(end, begin + SHOWN_AROUND))
    right = min(right, begin + 2 * SHOWN_AROUND)
    head, tail = "..." if left else "", "..." if right < len(text) else ""
    line = re.sub(r"\s", " ", text[left:right])
    carets = "^" * max(1, min(end, right) - begin)
    pointer = " " * (len(head) + begin - left) + carets
    return SelectionError(f"{what} (column {begin + 1})\n    {head}{line}{tail}\n    {pointer}", hint=hint)
