"""dbt's own setting up, once per process: flags, profile, project, configuration, and the manifest, parsed or known.

What `dbt build` does before it runs anything, with dbt's code, but for reading and parsing what is known already.
Imports dbt. Surprising: dbt keeps much of this in globals, so there is one per process, which lasts as long as that.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from batuta.bridges.dbt.problems import explained
from batuta.bridges.dbt.settings import DATA_VARIABLE, DbtSettings
from batuta.core.errors import LoadError

MISSING_HINT = (
    "install dbt-core and the adapter of its database in this location's environment (`python` in batuta.toml)"
)

OLDEST, BELOW = (1, 10), (2, 0)
"""Of dbt-core: tested are 1.10 and 1.11."""
_LEFT_LOCKS = "ignore::UserWarning:multiprocessing.resource_tracker"


def must_be_supported(found: str, where: str) -> None:
    """Raise LoadError for a version of dbt-core that is not known to work."""
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:2])
    if not OLDEST <= numbers < BELOW:
        least, less = (".".join(map(str, one)) for one in (OLDEST, BELOW))
        hint = f"install 'dbt-core>={least},<{less}' in this location's environment"
        what = f"dbt-core {found} is not supported: it takes {least} at least, and less than {less}"
        raise LoadError(what, where=where, hint=hint)


class Invocation:
    """See the module. `config` is dbt's RuntimeConfig, `manifest` its Manifest; raises LoadError."""

    def __init__(self, settings: DbtSettings, manifest: bytes | None = None) -> None:
        """`manifest`: one that was parsed before, see `packed`."""
        self.settings = settings
        self.listener: Callable[[Any], None] = lambda _event: None
        """Hears dbt's events."""
        self.said_last = ""
        """What it was told last of an exception that dbt keeps to itself."""
        os.environ[DATA_VARIABLE] = settings.data
        os.environ["DO_NOT_TRACK"] = "1"
        # dbt has locks of multiprocessing, whose tracker would tell of each worker that we end that it left them.
        told = os.environ.get("PYTHONWARNINGS")
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (told, _LEFT_LOCKS)))
        os.makedirs(settings.work, exist_ok=True)
        os.chdir(settings.root)
        if not os.path.isfile(os.path.join(settings.root, "dbt_project.yml")):
            hint = "name the folder of the project: root = ..."
            raise LoadError("there is no dbt_project.yml", where=settings.root, hint=hint)
        if not os.path.isfile(os.path.join(settings.profiles_dir, "profiles.yml")):
            hint = "write it beside dbt_project.yml, or say where it is: profiles_dir = ..."
            raise LoadError(f"there is no profiles.yml in {settings.profiles_dir}", where=settings.root, hint=hint)
        try:
            import dbt.cli.main  # noqa: F401 - whether it is there
        except ImportError as error:
            raise LoadError(f"dbt cannot be imported: {error}", where=settings.root, hint=MISSING_HINT) from None
        must_be_supported(version("dbt-core"), settings.root)
        try:
            self._set_up(manifest)
        except Exception as error:
            raise explained(error, settings) from error

    def _set_up(self, packed: bytes | None) -> None:
        import dbt.mp_context
        from dbt.adapters.factory import get_adapter
        from dbt.cli import requires

        dbt.mp_context._MP_CONTEXT = threading  # locks of this process: those of several outlive one that is killed
        context = _context(self.settings)
        context.obj = {"manifest": None, "callbacks": [lambda event: self.listener(event)]}

        def with_manifest(context: Any) -> None:
            if packed is not None:
                context.obj["manifest"] = _unpacked(packed)
            requires.setup_manifest(context, write=False)

        step = with_manifest
        for needed in (requires.runtime_config, requires.catalogs, requires.project, requires.profile):
            step = needed(step)
        self._context = context  # closing it would close the adapter
        requires.preflight(step)(context)
        self.flags = context.obj["flags"]
        self.config = context.obj["runtime_config"]
        self.manifest = context.obj["manifest"]
        self.adapter = get_adapter(self.config)

    @property
    def variables(self) -> dict[str, Any]:
        """The variables of the root project, as its nodes see them."""
        return {**self.config.vars.to_dict(), **self.config.cli_vars}

    @property
    def environment_variables(self) -> set[str]:
        """The environment variables that the project and the profile have asked for."""
        found = set(self.manifest.env_vars)
        for one in (self.config.project_env_vars, self.config.profile_env_vars):
            found |= set(one or ())
        return found

    def packed(self) -> bytes:
        """The manifest, to be known by another process."""
        from dbt.parser.manifest import extended_mashumaro_encoder

        data: bytes = self.manifest.to_msgpack(extended_mashumaro_encoder)
        return data

    def as_data(self) -> dict[str, Any]:
        """The manifest as dbt writes it to `manifest.json`."""
        data: dict[str, Any] = self.manifest.writable_manifest().to_dict(omit_none=False)
        return data


def _unpacked(packed: bytes) -> Any:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    manifest = Manifest.from_msgpack(packed, decoder=extended_mashumuro_decoder)
    manifest.build_parent_and_child_maps()
    manifest.build_flat_graph()
    return manifest


def _context(settings: DbtSettings) -> Any:
    """The click context of a `dbt build` with the location's settings."""
    import json

    from dbt.cli.main import cli

    args = ["--project-dir", settings.root, "--profiles-dir", settings.profiles_dir]
    args += ["--target-path", os.path.join(settings.work, "target"), "--log-path", os.path.join(settings.work, "logs")]
    args += ["--vars", json.dumps(settings.vars, default=str)] if settings.vars else []
    args += ["--target", settings.target] if settings.target else []
    args += ["--profile", settings.profile] if settings.profile else []
    quiet = ["--log-level", "none", "--log-level-file", "none", "--no-use-colors", "--no-send-anonymous-usage-stats"]
    parent = cli.make_context("dbt", [*quiet, "--no-write-json", "--no-version-check", "build"])
    parent.invoked_subcommand = "build"
    context = cli.commands["build"].make_context("build", args, parent=parent)
    context.__enter__()
    return context
