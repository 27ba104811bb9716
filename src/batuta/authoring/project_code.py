"""What a function uses of the project's own code, found in the sources: helpers, classes, constants, across modules.

The unit is a top-level name of a module with the statements that bind it. Only sources count, never values, so a
constant that is a path or a date does not differ between machines and days; comments and docstrings do not count.
Surprising rule: a name counts where it only could be meant, as locals are not told from globals of the same name.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

from batuta.authoring.known_code import KNOWN, Bound, FileFacts, Function, Outline, Uses, content

Name = tuple[str, str]
"""A module and a top-level name in it."""


class Source:
    """One file of the project, parsed only for what is not known of its content. Raises SyntaxError, ValueError.

    `package` is that of the module, by which relative imports are told. `facts`: what is known of it, where that is not
    to be kept.
    """

    def __init__(self, data: bytes, package: str, file: str = "", facts: FileFacts | None = None) -> None:
        self.file = file
        self._data = data
        self._package = package
        self._facts = facts or KNOWN.of(data, f"package {package}")
        if self._facts.outline is None:
            self._facts.outline = self._tree.outline
            KNOWN.changed = True
        self.imported = self._facts.outline.imported
        self.functions = self._facts.outline.functions
        self._bound_at = self._facts.outline.lines

    @functools.cached_property
    def _tree(self) -> _Tree:
        return _Tree(_without_docstrings(ast.parse(self._data)), self._package)

    @functools.cached_property
    def _lines(self) -> list[str]:
        return self._data.decode("utf-8", "replace").splitlines()

    def text_of(self, function: Function) -> str:
        """A function as it is written, with its decorators."""
        return "\n".join(self._lines[function.first - 1 : function.last])

    def text_bound(self, name: str) -> str:
        """The statements that bind a name, as they are written; "" where none does."""
        return "\n".join("\n".join(self._lines[first - 1 : last]) for first, last in self._bound_at.get(name, ()))

    def uses_in(self, function: Function) -> Uses:
        """What a function refers to, with its defaults but without its decorators."""
        found = self._facts.uses.get(function.first)
        if found is None:
            node = self._tree.functions[function.first]
            found = self._facts.uses[function.first] = uses_of([node.args, *node.body])
            KNOWN.changed = True
        return found

    def bound(self, name: str) -> Bound | None:
        """What binds a name in this file, other than imports."""
        if name not in self._bound_at:
            return None
        found = self._facts.bound.get(name)
        if found is None:
            nodes = self._tree.statements[name]
            text = "\n".join(map(ast.dump, nodes))
            digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
            found = self._facts.bound[name] = Bound(digest, uses_of(nodes))
            KNOWN.changed = True
        return found


class _Tree:
    """The syntax tree of a file, with what is found in it by name and line."""

    def __init__(self, tree: ast.Module, package: str) -> None:
        self.statements: dict[str, list[ast.stmt]] = {}
        self.functions: dict[int, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._imported: dict[str, tuple[str, str]] = {}
        for statement in _top_level(tree.body):
            self._take(statement, package)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.functions[_lines_of(node)[0]] = node

    @property
    def outline(self) -> Outline:
        """What is to be known of it without parsing it again."""
        return Outline(
            self._imported,
            {name: [_lines_of(one) for one in nodes] for name, nodes in self.statements.items()},
            {first: Function(node.name, *_lines_of(node)) for first, node in self.functions.items()},
        )

    def _take(self, statement: ast.stmt, package: str) -> None:
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                self.statements.setdefault(name, []).append(statement)
            case ast.Assign(targets=targets):
                self._assign(targets, statement)
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
                self._assign([target], statement)
            case ast.ImportFrom(names=aliases):
                module = _absolute(statement, package)
                for alias in aliases:
                    self._imported[alias.asname or alias.name] = (module, alias.name)
            case ast.Import(names=aliases):
                for alias in aliases:
                    top = alias.name.partition(".")[0]
                    self._imported[alias.asname or top] = (alias.name if alias.asname else top, "")

    def _assign(self, targets: Iterable[ast.expr], statement: ast.stmt) -> None:
        for target in targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    self.statements.setdefault(node.id, []).append(statement)


def _lines_of(node: ast.stmt) -> tuple[int, int]:
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    return first, node.end_lineno or first


def used_by(module: str, uses: Uses) -> dict[Name, str]:
    """All top-level names of the project that code in `module` with these uses leads to, with their hashes."""
    found: dict[Name, str] = {}
    waiting = [*_resolved(module, uses)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        source = source_of(name[0])
        bound = source.bound(name[1]) if source else None
        if bound is not None:
            found[name] = bound.digest
            waiting += _resolved(name[0], bound.uses)
    return found


def uses_of(nodes: Iterable[ast.AST]) -> Uses:
    """What the code refers to."""
    names: set[str] = set()
    attributes: set[tuple[str, str]] = set()
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute) and (path := _path(node)):
                attributes.add(path)
    return Uses(frozenset(names), frozenset(attributes))


def _path(node: ast.Attribute) -> tuple[str, str] | None:
    """`("a.b", "c")` of `a.b.c`."""
    parts: list[str] = []
    value: ast.expr = node.value
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    if not isinstance(value, ast.Name):
        return None
    return ".".join([value.id, *reversed(parts)]), node.attr


def _resolved(module: str, uses: Uses) -> Iterator[Name]:
    """The project's top-level names that these uses can mean in `module`."""
    source = source_of(module)
    if source is None:
        return
    for name in uses.names:
        if source.bound(name) is not None:
            yield module, name
        elif name in source.imported:
            origin, original = source.imported[name]
            if original:
                yield from _origin(origin, original)
    for path, attribute in uses.attributes:
        head, _, rest = path.partition(".")
        if head not in source.imported:
            continue
        origin, original = source.imported[head]
        full = ".".join(part for part in (origin, original, rest) if part)
        if full in sys.modules:
            yield from _origin(full, attribute)


def _origin(module: str, name: str) -> Iterator[Name]:
    """Where a name of `module` is bound, through re-exports."""
    for _ in range(20):  # a circle of re-exports ends too
        source = source_of(module)
        if source is None:
            return
        if source.bound(name) is not None:
            yield module, name
            return
        if name not in source.imported or not source.imported[name][1]:
            return
        module, name = source.imported[name]


def source_of(module: str) -> Source | None:
    """The parsed source of a loaded module of the project; None for libraries and for what has no source."""
    loaded = sys.modules.get(module)
    file = getattr(loaded, "__file__", None)
    if not isinstance(loaded, ModuleType) or not file or _is_library(file):
        return None
    return _parsed(file, getattr(loaded, "__package__", None) or "")


@functools.cache
def _parsed(file: str, package: str) -> Source | None:
    data = content(file)
    try:
        return None if data is None else Source(data, package, file)
    except (SyntaxError, ValueError):
        return None


@functools.cache
def _is_library(file: str) -> bool:
    """Whether the file belongs to Python, an installed package or Batuta itself."""
    path = os.path.realpath(file)
    return any(path.startswith(folder) for folder in _library_folders()) or "site-packages" in path.split(os.sep)


@functools.lru_cache(maxsize=1)
def _library_folders() -> tuple[str, ...]:
    ours = os.path.dirname(os.path.dirname(__file__))
    folders = {*map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib")), ours}
    return tuple(os.path.realpath(folder) + os.sep for folder in folders if folder)


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
            first: Any = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return tree


def _top_level(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, also those below if, try and with."""
    for statement in body:
        yield statement
        for name in ("body", "orelse", "finalbody", "handlers"):
            if isinstance(statement, ast.If | ast.Try | ast.With):
                for inner in getattr(statement, name, ()):
                    yield from _top_level(inner.body if isinstance(inner, ast.ExceptHandler) else [inner])


def _absolute(statement: ast.ImportFrom, package: str) -> str:
    if not statement.level:
        return statement.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - statement.level + 1]
    return ".".join([*base, statement.module] if statement.module else base)
