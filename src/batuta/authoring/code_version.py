"""Hashes of code and of calls: what makes an asset stale, and what a cached result is found by.

The version of a function is that of its syntax tree: comments, blank lines and line numbers do not count, neither do
decorators. Simple values that it closes over, and its defaults, count.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import pickle
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from batuta.authoring.context import StepContext
from batuta.authoring.known_code import KNOWN, content
from batuta.authoring.options import Cache
from batuta.core.errors import DefinitionError

_SIMPLE = (str, int, float, bool, bytes, type(None))
_by_code: dict[types.CodeType, str] = {}


def code_version(function: Callable[..., Any]) -> str:
    """16 hex digits that change when the function's code does."""
    function = inspect.unwrap(function)
    if isinstance(function, functools.partial):
        return _digest([code_version(function.func), repr(function.args), repr(sorted(function.keywords.items()))])
    code = getattr(function, "__code__", None)
    if code is None:
        return _digest([f"{type(function).__module__}.{type(function).__qualname__}"])
    base = _by_code.get(code)
    if base is None:
        base = _by_code[code] = _code_digest(code)
    more = [repr(d) for d in (function.__defaults__ or ()) if isinstance(d, _SIMPLE)]
    more += [repr(v) for v in _closed_over(function) if isinstance(v, _SIMPLE)]
    return _digest([base, *more]) if more else base


def _closed_over(function: Any) -> list[Any]:
    values = []
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:  # not yet filled
            continue
    return values


def _code_digest(code: types.CodeType) -> str:
    data = content(code.co_filename)
    known = None if data is None else KNOWN.of(data, "code_version").digests
    name = f"{code.co_firstlineno} {code.co_name}"
    if known is not None and name in known:
        return known[name]
    tree = _functions_of(code.co_filename).get(code.co_firstlineno)
    if tree is None or not (isinstance(tree, ast.Lambda) or tree.name == code.co_name):
        return _digest([_code_text(code)])
    digest = _digest([ast.dump(_bare(tree))])
    if known is not None:
        known[name] = digest
        KNOWN.changed = True
    return digest


def _code_text(code: types.CodeType) -> str:
    """For code without a readable source (generated, typed at a prompt)."""
    consts = [_code_text(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, consts, code.co_names, code.co_varnames))


_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def _bare(tree: _Function) -> ast.AST:
    """The function without decorators and docstring."""
    if isinstance(tree, ast.Lambda):
        return tree
    body = tree.body
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return ast.Module(body=[ast.Expr(tree.args), *body], type_ignores=[])  # type: ignore[arg-type]


@functools.lru_cache(maxsize=4096)
def _functions_of(path: str) -> dict[int, _Function]:
    """The functions of a source file by the line that their code object says it starts at."""
    data = content(path)
    try:
        tree = ast.parse(b"" if data is None else data)
    except (SyntaxError, ValueError):
        return {}
    found: dict[int, _Function] = {}
    lambdas: dict[int, list[ast.Lambda]] = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[first] = node
        elif isinstance(node, ast.Lambda):
            lambdas.setdefault(node.lineno, []).append(node)
    for line, nodes in lambdas.items():
        if len(nodes) == 1:  # of several on one line nobody knows which one is meant
            found.setdefault(line, nodes[0])
    return found


def call_key(
    function: Callable[..., Any], cache: Cache, context: StepContext, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str:
    """What a cached result of this call is recorded under. Raises DefinitionError for arguments without a hash."""
    if cache.key is not None:
        return _digest(["key", context.step.split("-")[0], str(cache.key(context, {"args": args, **kwargs}))])
    parts = [f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}"]
    if cache.code:
        parts.append(code_version(function))
    if cache.inputs:
        try:
            parts.append(hashlib.blake2b(pickle.dumps((tuple(args), sorted(kwargs.items())), 5)).hexdigest())
        except Exception as error:
            raise DefinitionError(
                f"the arguments of {parts[0]} cannot be hashed for its cache: {error}",
                hint="give the cache a key: Cache(key=lambda context, arguments: ...)",
            ) from error
    return _digest(parts)


def fingerprint(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """A cheap hash of a call's arguments: enough to notice, on replay, that another call was made.

    Numbers and texts count by value, containers item by item (the first 1,000), other objects by type only.
    """
    parts: list[str] = []
    _describe(args, parts)
    if kwargs:
        _describe(kwargs, parts)
    return _digest(parts)


def _describe(value: Any, parts: list[str]) -> None:
    if len(parts) > 1000:
        return
    if isinstance(value, _SIMPLE):
        parts.append(repr(value) if not isinstance(value, (str, bytes)) or len(value) < 4096 else str(len(value)))
    elif isinstance(value, (list, tuple)):
        parts.append(str(len(value)))
        for item in value:
            _describe(item, parts)
            if len(parts) > 1000:
                break
    elif isinstance(value, Mapping):
        for key, item in value.items():
            parts.append(repr(key) if isinstance(key, _SIMPLE) else type(key).__qualname__)
            _describe(item, parts)
    else:
        parts.append(getattr(value, "key", "") if type(value).__name__ == "Future" else type(value).__qualname__)


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
