"""Python functions that run in an environment of their own, with requirements of their own.

The function's source text is sent, not the function: what it uses it must import inside, and get as arguments.
Arguments and result pass through files, as pickles or JSON.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import json
import os
import pickle
import tempfile
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from batuta.authoring.context import SkipTask, StepContext, current_or_none
from batuta.authoring.operators import processes
from batuta.authoring.operators.base import Operator, OperatorError
from batuta.authoring.operators.venv_build import environment
from batuta.authoring.options import make_options
from batuta.authoring.task import P, R, Task, place_of
from batuta.core.errors import DefinitionError

Serializer = Literal["pickle", "json"]
_SKIP_CODE = 99
_PICKLE_PROTOCOL = 4

_RUNNER = """\
import __future__, json, pickle, sys, traceback
source, name, serializer, given, result, report = sys.argv[1:]
space = {"__name__": "__batuta__", "__file__": source}
with open(given, "rb") as file:
    args, kwargs = json.load(file) if serializer == "json" else pickle.load(file)
try:
    with open(source, encoding="utf-8") as file:
        exec(compile(file.read(), source, "exec", __future__.annotations.compiler_flag), space)
    value = space[name](*args, **kwargs)
    if serializer == "json":
        data = json.dumps(value).encode()
    else:
        data = pickle.dumps(value, 4)
except BaseException as error:
    traceback.print_exc()
    said = {"type": type(error).__name__, "message": str(error)}
    frames = traceback.extract_tb(error.__traceback__)
    said["line"] = max([frame.lineno or 0 for frame in frames if frame.filename == source], default=0)
    with open(report, "w", encoding="utf-8") as file:
        json.dump(said, file)
    sys.exit(1)
with open(result, "wb") as file:
    file.write(data)
"""


class VenvFunction:
    """A function to be called in its own environment. Calling it builds the environment if there is none yet."""

    def __init__(
        self,
        function: Callable[..., Any],
        requirements: Sequence[str],
        *,
        python: str = "",
        serializer: Serializer = "pickle",
        system_site_packages: bool = False,
    ) -> None:
        """Raises DefinitionError for a function that needs names from outside."""
        self.function = function
        self.requirements = tuple(requirements)
        self.python = python
        self.serializer = serializer
        self.system_site_packages = system_site_packages
        self.source = _source(function)
        if serializer not in ("pickle", "json"):
            raise DefinitionError(
                f"serializer is {serializer!r}", where=_where(function), hint="use 'pickle' or 'json'"
            )
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it there and return its value. Raises OperatorError with what it raised."""
        context = current_or_none() or StepContext(run_id=0, job="", step=self.function.__name__, attempt=1)
        python = environment(
            self.requirements, context, python=self.python, system_site_packages=self.system_site_packages
        )
        with tempfile.TemporaryDirectory(prefix="batuta-venv-") as folder:
            return self._run(python, Path(folder), args, kwargs, context)

    def _run(self, python: str, folder: Path, args: Any, kwargs: Any, context: StepContext) -> Any:
        source, given, result, report = (folder / name for name in ("function.py", "given", "result", "report"))
        source.write_text(self.source, encoding="utf-8")
        given.write_bytes(self._packed((args, kwargs), context))
        runner = folder / "runner.py"
        runner.write_text(_RUNNER, encoding="utf-8")
        name = self.function.__name__
        argv = [python, "-I", str(runner), str(source), name, self.serializer, str(given), str(result), str(report)]
        env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        if context.traceparent:
            env["TRACEPARENT"] = context.traceparent
        code = processes.run(argv, context=context, env={**env, "PYTHONUNBUFFERED": "1"})
        if code == 0 and result.exists():
            return self._unpacked(result.read_bytes(), context)
        if code == _SKIP_CODE:
            raise SkipTask(f"{name} ended with exit code {code}")
        raise self._failure(code, report, context)

    def _packed(self, value: Any, context: StepContext) -> bytes:
        try:
            if self.serializer == "json":
                return json.dumps(value).encode()
            return pickle.dumps(value, _PICKLE_PROTOCOL)
        except Exception as error:
            raise OperatorError(
                f"the arguments of {self.function.__name__} cannot be sent as {self.serializer}: {error}",
                where=context.key,
                hint="pass plain data: numbers, texts, lists, dicts, paths",
            ) from None

    def _unpacked(self, data: bytes, context: StepContext) -> Any:
        if self.serializer == "json":
            return json.loads(data)
        try:
            return pickle.loads(data)
        except (ImportError, AttributeError) as error:
            raise OperatorError(
                f"the result of {self.function.__name__} is of a type not known outside its environment: {error}",
                where=context.key,
                hint='return plain data, or use serializer="json"',
            ) from None

    def _failure(self, code: int, report: Path, context: StepContext) -> OperatorError:
        place = place_of(self.function)
        if not report.exists():
            return OperatorError(
                f"{self.function.__name__} {processes.described(code)}", where=context.key, hint="see its log"
            )
        said = json.loads(report.read_text(encoding="utf-8"))
        first = inspect.getsourcelines(self.function)[1]
        line = first + said["line"] - 1 if said["line"] else place.line
        return OperatorError(
            f"{said['type']}: {said['message']}", where=f"{place.file}:{line}", hint="its traceback is in the log"
        )


class VenvOperator(Operator):
    """Calls `function(*args, **kwargs)` in an environment that uv makes of `requirements`; needs `batuta[venv]`.

    The environment is kept under `.batuta/venvs` by a hash of what is in it, and made once. `python` is a version or a
    path for uv, by default the Python that runs Batuta. The function must import what it uses inside itself.
    """

    template_fields = ("args", "kwargs")

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        requirements: Sequence[str],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        python: str = "",
        serializer: Serializer = "pickle",
        system_site_packages: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.call = VenvFunction(
            getattr(function, "fn", function),
            requirements,
            python=python,
            serializer=serializer,
            system_site_packages=system_site_packages,
        )
        self.args = list(args)
        self.kwargs = dict(kwargs or {})

    def execute(self, context: StepContext) -> Any:
        """Build the environment if need be, and call. Raises OperatorError."""
        return self.call(*self.args, **self.kwargs)


def python_venv(
    *,
    requirements: Sequence[str],
    python: str = "",
    serializer: Serializer = "pickle",
    system_site_packages: bool = False,
    **options: Any,
) -> Callable[[Callable[P, R]], Task[P, R]]:
    """A task whose function runs in an environment of its own, wherever it is called; see `VenvOperator`."""

    def decorate(function: Callable[P, R]) -> Task[P, R]:
        call: Any = VenvFunction(
            function, requirements, python=python, serializer=serializer, system_site_packages=system_site_packages
        )
        return Task(call, make_options(None, options, f"{_where(function)}: python_venv"))

    return decorate


def _where(function: Any) -> str:
    return str(place_of(function))


def _source(function: Any) -> str:
    """The function's own text, without decorators, at the left margin."""
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        raise DefinitionError(
            f"{function!r} cannot be sent to another environment", where=_where(function), hint="define it with def"
        )
    try:
        lines, _first = inspect.getsourcelines(function)
    except OSError:
        raise DefinitionError(
            f"the source of {function.__name__} cannot be read", where=_where(function), hint="keep it in a file"
        ) from None
    text = textwrap.dedent("".join(lines))
    tree = ast.parse(text).body[0]
    assert isinstance(tree, (ast.FunctionDef, ast.AsyncFunctionDef))
    if isinstance(tree, ast.AsyncFunctionDef):
        raise DefinitionError(f"{function.__name__} is async", where=_where(function), hint="define it with plain def")
    _check_names(function)
    kept = text.splitlines(keepends=True)
    blank = ["\n"] * (tree.lineno - 1)  # where decorators stood, so that line numbers stay
    return "".join([*blank, *kept[tree.lineno - 1 :]])


def _check_names(function: Any) -> None:
    code = function.__code__
    if code.co_freevars:
        raise DefinitionError(
            f"{function.__name__} uses {', '.join(code.co_freevars)} of the function around it",
            where=_where(function),
            hint="pass it as an argument",
        )
    unknown = sorted(name for name in _global_names(code) if not hasattr(builtins, name) and name != function.__name__)
    if unknown:
        raise DefinitionError(
            f"{function.__name__} uses {', '.join(unknown)}, which its own environment does not have",
            where=_where(function),
            hint="import modules inside the function, and pass values as arguments",
        )


def _global_names(code: Any) -> set[str]:
    """The global names that a function and those inside it read."""
    import dis

    names = {step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for const in code.co_consts:
        if inspect.iscode(const):
            names |= _global_names(const)
    return names
