"""Plugins: what installed packages add to Batuta, found by their entry points and imported when first used.

A package says in its pyproject.toml, for example:

    [project.entry-points."batuta.secrets"]
    vault = "acme_batuta.vault:VaultBackend"

The surprising rule: a broken plugin is an error of whoever asks for that plugin, by name, and of nobody else; lists of
plugins load none of them.
"""

from __future__ import annotations

import functools
import importlib.metadata
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from batuta.core.errors import DefinitionError, nearest


class PluginError(DefinitionError):
    """A plugin is not there, cannot be imported, or is not what its group wants."""


class Group(NamedTuple):
    """One kind of plugin: what it is for, and the attributes that one must have."""

    what: str
    needs: tuple[str, ...] = ()


GROUPS = {
    "batuta.operators": Group(
        "an operator: a step, also one that waits, as a name of `batuta.operators`", ("execute",)
    ),
    "batuta.sensors": Group("a sensor: what makes one, as a name of `batuta.sensors`", ("__call__",)),
    "batuta.io_managers": Group("an IO manager: where assets are kept, as a name of `batuta.io`", ("store", "load")),
    "batuta.alert_channels": Group("a channel of alerts: a type in [alerts.channels]", ("send",)),
    "batuta.secrets": Group(
        "a backend of secrets: of variables and connections, too, as a name in [secrets] backends", ("get",)
    ),
    "batuta.authentication": Group(
        "an authentication: who sends a request, as `backend` in [server.authentication]", ("authenticate",)
    ),
    "batuta.ui_links": Group("a maker of links: to runs, task runs, assets and jobs in the API", ("__call__",)),
    "batuta.executors": Group("an executor: what makes one, as `executor` of a code location", ("__call__",)),
}


class Plugin(NamedTuple):
    """One entry point. `target` is `module:attribute`."""

    group: str
    name: str
    target: str
    package: str
    version: str

    @property
    def where(self) -> str:
        """For errors: which package says so."""
        return f"plugin {self.name!r} ({self.group}) of {self.package} {self.version}"

    def load(self) -> Any:
        """What it stands for. Raises PluginError, whatever goes wrong in the plugin's own code."""
        try:
            found = importlib.metadata.EntryPoint(self.name, self.target, self.group).load()
        except Exception as error:
            what = f"the plugin cannot be loaded from {self.target}: {type(error).__name__}: {error}"
            hint = f"mend it, or uninstall it: pip uninstall {self.package}"
            raise PluginError(what, where=self.where, hint=hint) from error
        missing = [name for name in GROUPS[self.group].needs if not hasattr(found, name)]
        if missing:
            what = f"{self.target} has no {missing[0]!r}, so it is not {GROUPS[self.group].what.partition(':')[0]}"
            raise PluginError(what, where=self.where, hint="see docs/plugins.md for what each kind has to have")
        return found


def plugins(group: str = "") -> list[Plugin]:
    """What is installed, of one group or of all, by group, name and package; nothing is imported."""
    groups = [group] if group else list(GROUPS)
    return [plugin for name in groups for plugin in _installed(name, tuple(sys.path))]


def names(group: str) -> list[str]:
    """The names that a group offers."""
    return list(dict.fromkeys(plugin.name for plugin in plugins(group)))


def load(group: str, name: str, *, builtin: Iterable[str] = (), where: str | None = None) -> Any:
    """The plugin of that name. Raises PluginError; its hint names the nearest, those `builtin` among them."""
    found = [plugin for plugin in plugins(group) if plugin.name == name]
    if not found:
        known = [*builtin, *names(group)]
        hint = nearest(name, known) or f"there are {', '.join(known) or 'none'}; `batuta plugins list` shows plugins"
        raise PluginError(f"there is no {_noun(group)} {name!r}", where=where, hint=hint)
    if len({plugin.target for plugin in found}) > 1:
        packages = " and ".join(plugin.package for plugin in found)
        what = f"several packages bring the {_noun(group)} {name!r}: {packages}"
        raise PluginError(what, where=where, hint="uninstall all of them but one")
    return found[0].load()


def attribute(group: str, name: str, module: str) -> Any:
    """The plugin as an attribute of one of our modules. Raises AttributeError where there is none of that name."""
    if name.startswith("_") or name not in names(group):
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    return load(group, name)


def _noun(group: str) -> str:
    return GROUPS[group].what.partition(":")[0].split(" ", 1)[1]


@functools.lru_cache(maxsize=64)
def _installed(group: str, path: tuple[str, ...]) -> list[Plugin]:
    """Looked for once per state of `sys.path`: reading the metadata of all packages costs tens of milliseconds."""
    found = []
    for entry in importlib.metadata.entry_points(group=group):
        package = entry.dist.name if entry.dist is not None else "?"
        version = entry.dist.version if entry.dist is not None else "?"
        found.append(Plugin(group, entry.name, entry.value, package, version))
    return sorted(set(found))
