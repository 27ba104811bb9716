"""Loading a code location: importing its files and collecting the flows, DAGs, assets and checks found in them.

A file that cannot be loaded is a problem of that file alone: the others are loaded all the same.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from batuta.authoring import collected, registry
from batuta.authoring.asset_access import AssetAccess
from batuta.authoring.asset_graph import AssetGraph
from batuta.authoring.code import JobCode, StepCode
from batuta.authoring.collected import Found
from batuta.authoring.context import StepContext
from batuta.authoring.known_code import KNOWN
from batuta.authoring.quiet import collector_paused
from batuta.core.definitions import Definitions, Place, Problem
from batuta.core.errors import BatutaError, DuplicateKeyError, InvariantError, LoadError, nearest
from batuta.core.glossary import Glossary
from batuta.io.files import escape
from batuta.runtime.calls import CallCode, LiveCallCode, find_task
from batuta.runtime.failures import error_info
from batuta.runtime.flow_body import FlowBody
from batuta.runtime.live import Live
from batuta.runtime.masking import mask
from batuta.runtime.project import Project, find_project
from batuta.runtime.protocol import RunInfo, StepRequest


@dataclass(slots=True)
class Location:
    """A loaded code location."""

    name: str
    project: Project
    found: Found
    problems: list[Problem] = field(default_factory=list)
    live: Live | None = None
    _graph: AssetGraph | None = None
    transport_for: Any = None
    """(request) -> transport of a flow body; set by the worker that runs it."""

    workers_max: int | None = None
    """How many workers it stands; None: any number."""
    rests: bool = False
    known_code: str = ""
    """The file in which is kept what was found out about its sources; empty: nowhere."""

    def files(self) -> list[str]:
        """The files that it is made of: of the modules that were imported from its folder."""
        top = self.project.root + os.sep
        files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        return sorted({file for file in files if isinstance(file, str) and file.startswith(top)})

    def before_workers(self) -> None:
        """The first worker is about to be forked: all that it needs is here."""

    def rest(self) -> None:
        """See `runtime.steps.CodeSource`: nothing of it is open between steps."""

    def definitions(self) -> Definitions:
        """All of it in the neutral model. Raises DefinitionError for what is wrong across files."""
        config = self.project.config
        made = self.found.definitions(self.name, config.layers, tuple(self.problems))
        if self.known_code:
            KNOWN.keep(self.known_code)
        unknown = tuple(Glossary(config.glossary).problems(made.assets))
        return msgspec.structs.replace(made, problems=(*made.problems, *unknown)) if unknown else made

    def warm(self) -> None:
        """Import what its steps are going to need, so that workers that are forked from this process have it."""
        self.found.assets.warm()

    def job(self, name: str) -> JobCode:
        """A job by name. Raises InvariantError: the control plane knows which there are."""
        job = self.found.jobs.get(name)
        if job is None:
            raise InvariantError(f"location {self.name!r} has no job {name!r}")
        return job

    def access_assets(self, context: StepContext) -> AssetAccess:
        """See `StepContext.load_asset`. A script's assets are those of the project that it stands in."""
        if self._graph is None:
            own = self.found.assets
            if not own.makers and self.project.targets:
                own = load_location("", self.project.root).found.assets
            self._graph = own
        return AssetAccess(self._graph, context)

    def code_for(self, info: RunInfo, request: StepRequest) -> StepCode:
        """See `runtime.steps.CodeSource`."""
        if request.code:
            if self.live is not None and self.live.call_of(info.run_id, request.step) is not None:
                return LiveCallCode(self.live, info, request)
            return CallCode(find_task(request.code, info), info, request)
        if request.kind == "flow":
            flow = self.found.flows.get(info.job)
            if flow is None:
                raise LoadError(f"there is no flow {info.job!r} in it any more", where=self.name)
            from_text = bool(info.config.get("params_from_text", True))
            return FlowBody(flow, info, self.transport_for(request), from_text, request.fresh)
        if info.kind == "assets":
            return self.found.asset_code(request.step)
        return self.job(info.job).code(request.step)


def load_location(target: str = "", project_root: str = "", location: str = "") -> Location:
    """Load `target`: a Python file, a folder, a module's name, or (empty) what the project's configuration names.

    With `location` that is one of the project's code locations. Raises LoadError where there is nothing to load;
    problems of single files are in the result.
    """
    project = find_project(project_root or (target if os.path.exists(target) else ""))
    if location:
        project = project.at_location(location)
    _importable(project.root)
    targets = [target] if target else project.targets
    if not targets:
        if project.config.locations:
            names = ", ".join(each.name for each in project.config.locations)
            hint = f"name one of its code locations with --file: {names}"
            raise LoadError("it has to be said which code location", where=project.file or project.root, hint=hint)
        raise LoadError(
            "nothing to load",
            where=project.file or project.root,
            hint='name a file (`batuta run pipeline.py`), or set code = ["pipelines"] in batuta.toml',
        )
    name = project.name if not target or os.path.isdir(target) else os.path.splitext(os.path.basename(target))[0]
    cache = os.path.join(project.home, "cache", f"sql-{escape(location or name)}.msgpack")
    loaded = Location(name, project, Found(project.data_path, project.config.settings, sql_cache=cache))
    code = os.path.join(project.home, "cache", f"code-{escape(location or name)}.msgpack")
    KNOWN.read(code)
    loaded.known_code = code
    with collector_paused():
        for one in targets:
            for module in _modules(one, project, loaded.problems):
                _collect(loaded, module)
            _collect_sql(loaded, one, project)
    loaded.problems = _told_once(loaded.problems)
    return loaded


def _told_once(problems: list[Problem]) -> list[Problem]:
    """A broken module is a problem of each that imports it, too: one is enough."""
    return list({(problem.message, problem.place): problem for problem in reversed(problems)}.values())[::-1]


def location_of_modules(modules: Iterable[ModuleType], project: Project, live: Live | None = None) -> Location:
    """A location made of modules that are loaded already (a script and what it imported)."""
    location = Location(project.name, project, Found(project.data_path, project.config.settings), live=live)
    for module in modules:
        _collect(location, module)
    return location


def _collect(location: Location, module: ModuleType) -> None:
    try:
        collected.collect(location.found, module)
    except DuplicateKeyError:
        raise
    except BatutaError as error:
        file, line = _place_in(error.where or "", module)
        location.problems.append(Problem(mask(error.what), Place(file, line), error.hint or ""))


def _collect_sql(location: Location, target: str, project: Project) -> None:
    """Add the `.sql` files of a target that are assets."""
    path = target if os.path.isabs(target) else os.path.join(project.root, target)
    if os.path.isdir(path):
        root, files = path, [str(file) for file in sorted(Path(path).rglob("*.sql")) if not _is_hidden(file, path)]
    elif path.endswith(".sql") and os.path.isfile(path):
        root, files = os.path.dirname(path), [path]
    else:
        return
    if not files:
        return
    from batuta.authoring.sql_files import sql_file

    for file in files:
        try:
            asset = sql_file(os.path.realpath(file), os.path.realpath(root))
            if asset is not None:
                location.found.add(asset)
        except DuplicateKeyError:
            raise
        except BatutaError as error:
            where, line = _place_at(error.where or "", file)
            location.problems.append(Problem(error.what, Place(where, line), error.hint or ""))


def _place_at(where: str, file: str) -> tuple[str, int]:
    name, _, rest = where.partition(":")
    digits = rest.partition(":")[0]
    return (name, int(digits)) if digits.isdigit() and os.path.exists(name) else (file, 0)


def _place_in(where: str, module: ModuleType) -> tuple[str, int]:
    file, _, rest = where.partition(":")
    digits = rest.partition(":")[0]
    if digits.isdigit() and os.path.exists(file):
        return file, int(digits)
    return getattr(module, "__file__", "") or module.__name__, 0


def _importable(root: str) -> None:
    """Put the project's folder first on the path: its code comes before what happens to be installed."""
    if sys.path[:1] != [root]:
        sys.path[:] = [root, *(place for place in sys.path if place != root)]


def _modules(target: str, project: Project, problems: list[Problem]) -> Iterator[ModuleType]:
    """The modules of one target; what cannot be imported becomes a problem."""
    path = target if os.path.isabs(target) else os.path.join(project.root, target)
    if not os.path.exists(path) and os.path.exists(target):
        path = os.path.abspath(target)
    if os.path.isdir(path):
        for file in sorted(Path(path).rglob("*.py")):
            if not _is_hidden(file, path):
                yield from _import_file(str(file), project, problems)
    elif path.endswith(".sql") and os.path.isfile(path):
        return  # see `_collect_sql`
    elif os.path.isfile(path):
        yield from _import_file(path, project, problems)
    elif target.endswith(".py") or os.sep in target:
        raise LoadError("there is no such file or folder", where=target, hint=f"looked in {project.root}")
    elif not _is_module(target):
        problems.append(_no_such_code(target, project))
    else:
        yield from _guarded(lambda: importlib.import_module(target), target, problems)


def _is_hidden(file: Path, folder: str) -> bool:
    return any(part.startswith((".", "__pycache__")) for part in file.relative_to(folder).parts)


def _is_module(name: str) -> bool:
    """Whether its top package can be found; what is wrong inside of it shows when it is imported."""
    try:
        return importlib.util.find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


def _no_such_code(target: str, project: Project) -> Problem:
    """The configuration, or a person, names code that is not there."""
    there = [path.name for path in Path(project.root).iterdir() if path.is_dir() or path.suffix == ".py"]
    near = nearest(target, there)
    hint = near or f"name a file or folder in {project.root}, or a module that can be imported"
    return Problem(f"there is no file, folder or module {target!r}", Place(project.file or target), hint)


def _import_file(path: str, project: Project, problems: list[Problem]) -> Iterator[ModuleType]:
    path = os.path.realpath(path)
    name = _module_name(path, os.path.realpath(project.root))
    loaded = sys.modules.get(name)
    if loaded is not None and os.path.realpath(getattr(loaded, "__file__", "") or "") == path:
        yield loaded
        return
    yield from _guarded(lambda: _execute(path, name, os.path.realpath(project.root)), path, problems)


def _module_name(path: str, root: str) -> str:
    """`pkg.module` below the project, else a name made of the path."""
    stem = os.path.splitext(path)[0]
    if stem.startswith(root + os.sep):
        parts = stem[len(root) + 1 :].split(os.sep)
        if parts[-1] == "__init__" and len(parts) > 1:
            parts.pop()
        if all(part.isidentifier() for part in parts) and not _is_taken(parts[0], root):
            return ".".join(parts)
    return f"{os.path.basename(stem)}_{hashlib.blake2b(path.encode(), digest_size=4).hexdigest()}"


def _is_taken(top: str, root: str) -> bool:
    """Whether a library that this process uses already has the name of a folder or file of the project."""
    loaded = sys.modules.get(top)
    if top in sys.stdlib_module_names:
        return True
    places = [getattr(loaded, "__file__", None) or "", *getattr(loaded, "__path__", ())]
    return any(folder in place for folder in _library_folders() for place in places)


@functools.cache
def _library_folders() -> tuple[str, ...]:
    """Where this Python's libraries are installed; working it out takes longer than importing a small file."""
    return tuple({sysconfig.get_path(kind) + os.sep for kind in ("purelib", "platlib")})


def _claim_packages(name: str, root: str) -> None:
    """Make the packages above a module those of the project.

    Python itself would prefer any module of that name, wherever on the path, to a folder without `__init__.py`.
    """
    _importable(root)
    parts = name.split(".")
    for depth in range(1, len(parts)):
        package, folder = ".".join(parts[:depth]), os.path.join(root, *parts[:depth])
        loaded = sys.modules.get(package)
        if loaded is not None and folder in map(os.path.realpath, getattr(loaded, "__path__", ())):
            continue
        for other in [known for known in sys.modules if known == package or known.startswith(f"{package}.")]:
            del sys.modules[other]
        if not os.path.isfile(os.path.join(folder, "__init__.py")):
            spec = ModuleSpec(package, None, is_package=True)
            spec.submodule_search_locations = [folder]
            sys.modules[package] = importlib.util.module_from_spec(spec)


def _execute(path: str, name: str, root: str) -> ModuleType:
    if "." in name:
        _claim_packages(name, root)
        return importlib.import_module(name)
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LoadError("it is not a Python file", where=path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    registry.forget(name)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _import_hint(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"install {error.name} in this location's environment, or correct its name"
    ours = re.match(r"cannot import name '(\w+)' from 'batuta'", str(error))
    if isinstance(error, ImportError) and ours:
        import batuta
        from batuta.authoring import operators

        name = ours[1]
        if name in operators.__all__:
            return f"operators are in their own module: `from batuta.operators import {name}`"
        return nearest(name, batuta.__all__) or ""
    return ""


def _without_machinery(text: str) -> str:
    """A traceback that begins where the user's file does, not in Python's import system."""
    kept: list[str] = []
    machinery = False
    for line in text.splitlines(keepends=True):
        if not line.startswith("    "):  # a frame begins, or the traceback ends; source lines stand deeper
            machinery = line.startswith(('  File "<frozen importlib', f'  File "{importlib.__file__}"'))
        if not machinery:
            kept.append(line)
    return "".join(kept)


def _guarded(load: Any, target: str, problems: list[Problem]) -> Iterator[ModuleType]:
    try:
        module = load()
    except SyntaxError as error:
        text = (error.text or "").rstrip()
        problems.append(
            Problem(
                f"syntax error: {error.msg}",
                Place(error.filename or target, error.lineno or 0),
                detail=f"{text}\n{' ' * ((error.offset or 1) - 1)}^" if text else "",
            )
        )
        return
    except BatutaError as error:  # its text has a place: a traceback would say the same again
        info = error_info(error)
        problems.append(Problem(mask(error.what), Place(info.file or target, info.line), error.hint or ""))
        return
    except (Exception, SystemExit) as error:
        info = error_info(error)
        hint = _import_hint(error)
        place = Place(info.file or target, info.line)
        problems.append(Problem(f"{info.type}: {info.message}", place, hint, _without_machinery(info.traceback)))
        return
    yield module
