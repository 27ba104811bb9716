"""What a location's configuration says of a dbt project, with all paths made whole."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from batuta.core.errors import DefinitionError
from batuta.core.glossary import Term
from batuta.runtime.project import LocationConfig, Project

DATA_VARIABLE = "BATUTA_DATA"
"""The environment variable by which dbt learns where the project keeps its data."""


@dataclass(frozen=True, slots=True)
class DbtSettings:
    """See the module. `layers` are the project's, `folders` the layer by the name of a folder."""

    name: str
    root: str
    home: str
    data: str
    profiles_dir: str
    target: str = ""
    profile: str = ""
    vars: dict[str, Any] = field(default_factory=dict)
    keys: str = "{layer}.{name}"
    source_keys: str = "{source}.{name}"
    layers: tuple[str, ...] = ()
    folders: dict[str, str] = field(default_factory=dict)
    glossary: dict[str, str | Term] = field(default_factory=dict)

    @property
    def work(self) -> str:
        """The folder in which dbt and we write."""
        return os.path.join(self.home, "dbt", self.name)


def settings_of(project: Project, location: LocationConfig) -> DbtSettings:
    """Raises DefinitionError for what cannot be."""
    root = project.root_of(location)
    where = project.file or project.root
    unknown = sorted(set(location.layers.values()) - set(project.config.layers))
    if unknown:
        hint = f"layers are {', '.join(project.config.layers)}"
        raise DefinitionError(
            f"layers of location {location.name!r}: there is no layer {unknown[0]!r}", where=where, hint=hint
        )
    for setting, names in (("keys", KEY_PARTS), ("source_keys", SOURCE_KEY_PARTS)):
        check_template(getattr(location, setting), names, f"{setting} of location {location.name!r}", where)
    return DbtSettings(
        name=location.name,
        root=root,
        home=project.home,
        data=project.data_path,
        profiles_dir=_profiles_dir(project, location, root),
        target=location.target,
        profile=location.profile,
        vars=location.vars,
        keys=location.keys,
        source_keys=location.source_keys,
        layers=project.config.layers,
        folders=location.layers,
        glossary=project.config.glossary,
    )


def _profiles_dir(project: Project, location: LocationConfig, root: str) -> str:
    """As it is configured; else beside the project, where dbt looks first; else where dbt looks next."""
    if location.profiles_dir:
        return os.path.normpath(os.path.join(project.root, os.path.expanduser(location.profiles_dir)))
    if os.path.isfile(os.path.join(root, "profiles.yml")):
        return root
    return os.environ.get("DBT_PROFILES_DIR") or os.path.expanduser("~/.dbt")


KEY_PARTS = ("layer", "schema", "name", "alias", "database", "package", "folder", "type")
SOURCE_KEY_PARTS = ("source", "name", "identifier", "schema", "database", "package")


def check_template(template: str, names: tuple[str, ...], what: str, where: str) -> None:
    """Raise DefinitionError for one with parts that there are not."""
    try:
        filled = template.format(**dict.fromkeys(names, "x"))
    except (KeyError, ValueError, IndexError, AttributeError) as error:
        hint = f"parts are {', '.join(f'{{{name}}}' for name in names)}"
        raise DefinitionError(f"{what}: {template!r} cannot be filled in: {error}", where=where, hint=hint) from None
    if filled == template or not any(f"{{{name}}}" in template for name in ("name", "alias", "identifier")):
        raise DefinitionError(f"{what}: {template!r} gives all the same key", where=where, hint="write {name} into it")
