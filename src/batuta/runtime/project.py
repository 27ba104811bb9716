"""A project: a folder with `batuta.toml` (or `[tool.batuta]` in pyproject.toml), and where Batuta keeps its own files.

Without either, the folder one works in is a project with defaults. `BATUTA_HOME` moves the store and the files.
`BATUTA_PROFILE` names a table `[profiles.NAME]` of the configuration: what it says goes over the rest, and the project
has a home of its own under that name, so that one project lives in several sizes or places.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from batuta import plugins
from batuta.core import alert_specs
from batuta.core.alert_specs import Alerts
from batuta.core.durations import Seconds
from batuta.core.errors import DefinitionError, RequestError, nearest
from batuta.core.glossary import Term
from batuta.runtime.config_file import read_config
from batuta.runtime.observing_config import LogConfig, MetricsConfig, OpenLineageConfig, RetentionConfig, TracesConfig


class StoreConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url` is a SQLAlchemy URL; empty: SQLite in the home folder. `durable`: "full" also survives a power cut."""

    url: str = ""
    durable: Literal["normal", "full"] = "normal"


class ExecutorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`workers` None: one per core for processes, eight threads."""

    kind: Literal["processes", "threads", "inline"] = "processes"
    workers: int | None = None


SECRETS_BACKENDS = ("environment", "files", "store")
"""Those that need no plugin."""


class SecretsConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where variables, connections and secrets are looked for, in this order, and where the key of the store's is."""

    backends: tuple[str, ...] = SECRETS_BACKENDS
    files: tuple[str, ...] = ()  # folders with a file for each
    key_file: str = ""
    key_command: str = ""
    options: dict[str, dict[str, Any]] = {}  # of backends that plugins bring, by name


LocationKind = Literal["python", "dbt"]
"""What the code of a location is: ours, or a foreign project that a bridge runs."""

MARKS: dict[str, LocationKind] = {"dbt_project.yml": "dbt"}
"""A file in the folder of a location that tells of which kind it is."""


class LocationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code location: `code` below the folder `root`, imported by `python` in a host process of its own; or a foreign
    project in `root`, which a bridge runs with the library that is in `python`."""

    name: str
    root: str = ""  # relative to the project; empty: the project's own folder
    kind: LocationKind | None = None  # None: as the files in `root` tell
    code: tuple[str, ...] = ()  # empty: what the configuration in `root` says
    python: str = ""  # an interpreter, or the folder of a virtual environment; empty: the one that we run in
    workers: int | None = None
    remote: bool = False  # its code is with remote workers (`batuta worker`), not here
    executor: str = ""  # that a plugin brings; empty: worker processes
    executor_options: dict[str, Any] = {}
    # of kind dbt, see `bridges.dbt`
    target: str = ""  # of the profile; empty: its default
    profile: str = ""  # empty: that of dbt_project.yml
    profiles_dir: str = ""  # relative to the project; empty: `root`, where it has a profiles.yml, else as dbt does
    vars: dict[str, Any] = {}
    keys: str = "{layer}.{name}"  # how models, seeds and snapshots are called as assets
    source_keys: str = "{source}.{name}"
    layers: dict[str, str] = {}  # by a folder's name, the layer of what is in it


_DBT_SETTINGS = ("target", "profile", "profiles_dir", "vars", "keys", "source_keys", "layers")


class WorkersConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the scheduler listens for remote workers, with a token from BATUTA_WORKER_TOKEN.

    A worker that was not heard of for `lease_s` is lost, and what it did is done again elsewhere. `certificate` and
    `key` are PEM files: with them it speaks TLS (`wss://`), which it should wherever a network is not one's own.
    """

    listen: str = "127.0.0.1:8422"
    lease_s: float = 10.0
    certificate: str = ""
    key: str = ""


class QueueConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many runs are executed at a time, see `core.run_queue.Limits`."""

    runs_max: int | None = None
    jobs: dict[str, int] = {}
    locations: dict[str, int] = {}
    tags: dict[str, int] = {}
    keys: dict[str, int] = {}
    rates: dict[str, str] = {}
    ageing_s: float = 300.0


class ServiceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the scheduler process behaves. `runs_max`: how many runs one of them executes at a time."""

    runs_max: int = 256
    stop_s: float = 30.0
    watch: bool = True


class OidcConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where people log in elsewhere. `client_secret` is the name of a secret; `roles` are everybody's, by location."""

    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    public_url: str = ""  # how browsers reach this server; empty: by the name that they call it
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    name_claim: str = "email"
    groups_claim: str = "groups"
    roles: dict[str, str] = {}
    groups: dict[str, dict[str, str]] = {}


class AuthenticationConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who finds out who sends a request, besides our accounts: a backend that a plugin brings; empty: nobody."""

    backend: str = ""
    options: dict[str, Any] = {}
    timeout_s: Seconds = Seconds(10)


class ServerConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The HTTP API. `hosts`: names by which it may be called besides the address that it listens at; `*`: any."""

    host: str = "127.0.0.1"
    port: int = 8421
    hosts: tuple[str, ...] = ()
    oidc: OidcConfig = OidcConfig()
    authentication: AuthenticationConfig = AuthenticationConfig()


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `batuta.toml` may say."""

    name: str = ""
    code: tuple[str, ...] = ()
    layers: tuple[str, ...] = ("bronze", "silver", "gold")
    store: StoreConfig = StoreConfig()
    executor: ExecutorConfig = ExecutorConfig()
    pools: dict[str, int] = {}
    secrets: SecretsConfig = SecretsConfig()
    alerts: Alerts = Alerts()
    metrics: MetricsConfig = MetricsConfig()
    traces: TracesConfig = TracesConfig()
    openlineage: OpenLineageConfig = OpenLineageConfig()
    log: LogConfig = LogConfig()
    retention: RetentionConfig = RetentionConfig()
    locations: tuple[LocationConfig, ...] = ()
    glossary: dict[str, str | Term] = {}  # what words mean, see `core.glossary`
    queue: QueueConfig = QueueConfig()
    service: ServiceConfig = ServiceConfig()
    server: ServerConfig = ServerConfig()
    workers: WorkersConfig = WorkersConfig()
    data: str = "data"  # where IO managers write, relative to the project
    settings: dict[str, Any] = {}  # the project's own
    profiles: dict[str, dict[str, Any]] = {}


class Project(msgspec.Struct, frozen=True):
    """A project folder and its configuration."""

    root: str
    config: Config
    file: str = ""
    profile: str = ""
    has_own_code: bool = False
    """Whether `code` is a location of its own, beside those of the table."""

    @property
    def name(self) -> str:
        return self.config.name or os.path.basename(self.root)

    @property
    def home(self) -> str:
        """Where the store, logs and results are."""
        own = os.path.join("profiles", self.profile) if self.profile else ""
        return os.environ.get("BATUTA_HOME") or os.path.join(self.root, ".batuta", own).rstrip(os.sep)

    def make_home(self) -> str:
        """The home folder, made if it is not there; kept out of version control by a file in it.

        Raises StoreError where it cannot be written.
        """
        if not os.path.isdir(self.home):
            with written_in(self.home):
                os.makedirs(self.home, exist_ok=True)
                Path(self.home, ".gitignore").write_text("*\n")
        return self.home

    @property
    def store_url(self) -> str:
        """The store's URL: BATUTA_STORE_URL, the configured one, or SQLite in the home folder."""
        url = os.environ.get("BATUTA_STORE_URL") or self.config.store.url
        return url or f"sqlite:///{os.path.join(self.home, 'batuta.db')}"

    @property
    def data_path(self) -> str:
        """Where IO managers write by default."""
        data = self.config.data
        return data if "://" in data or os.path.isabs(data) else os.path.join(self.root, data)

    @property
    def key_file(self) -> str:
        """The file with the key of what is encrypted in the store."""
        return os.path.join(self.root, self.config.secrets.key_file or os.path.join(self.home, "secret.key"))

    @property
    def secret_folders(self) -> list[str]:
        """The folders in which secrets are looked for."""
        return [os.path.join(self.root, folder) for folder in self.config.secrets.files]

    @property
    def targets(self) -> list[str]:
        """The files, folders and modules that define the project's jobs and assets."""
        return list(self.config.code)

    @property
    def locations(self) -> tuple[LocationConfig, ...]:
        """Its code locations. The project's own code is one, the first; without a table of others, the only one."""
        own = LocationConfig(self.name, workers=self.config.executor.workers)
        return (own, *self.config.locations) if self.has_own_code else self.config.locations or (own,)

    def root_of(self, location: LocationConfig) -> str:
        """The folder of a location."""
        return os.path.normpath(os.path.join(self.root, location.root))

    def kind_of(self, location: LocationConfig) -> LocationKind:
        """What the code of a location is."""
        return _kind_of(location, self.root_of(location))

    def at_location(self, name: str) -> Project:
        """The project as the code of one of its locations sees it: with that one's folder, code and settings.

        A location whose folder has a configuration of its own has the settings, layers and data of that.
        Raises RequestError.
        """
        chosen = next((each for each in self.locations if each.name == name), None)
        if chosen is None:
            known = [each.name for each in self.locations]
            hint = nearest(name, known) or f"locations are {', '.join(known)}"
            raise RequestError(f"there is no code location {name!r}", where=self.file or self.root, hint=hint)
        if not self.config.locations:
            return self
        root = self.root_of(chosen)
        own = read_project(Path(root)) if root != self.root and os.path.isdir(root) else None
        config = own.config if own is not None else msgspec.structs.replace(self.config, data=self.data_path)
        code = chosen.code or (config.code if self.kind_of(chosen) == "python" else ())
        config = msgspec.structs.replace(config, name=name, code=code, locations=())
        return Project(root, config, (own or self).file, self.profile)


@contextlib.contextmanager
def written_in(home: str) -> Iterator[None]:
    """Say it as a StoreError where a home folder does not let us write."""
    try:
        yield
    except OSError as error:
        from batuta.store.errors import StoreFull, StoreReadOnly

        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free some room there, or set BATUTA_HOME to a folder on another disk"
            raise StoreFull("the disk is full", where=home, hint=hint) from None
        why = os.strerror(error.errno).lower() if error.errno else str(error)
        hint = "set BATUTA_HOME to a folder that may be written; where this one is read-only, it can still be looked at"
        raise StoreReadOnly(f"nothing can be written there: {why}", where=home, hint=hint) from None


def find_project(start: str = "") -> Project:
    """The project that `start` (a file or folder; by default the working folder) belongs to.

    Raises DefinitionError for a configuration file that is not right.
    """
    folder = Path(start or os.getcwd()).resolve()
    if not folder.is_dir():
        folder = folder.parent
    for place in (folder, *folder.parents):
        found = read_project(place)
        if found is not None:
            return found
    return Project(root=str(folder), config=Config())


_own: list[Project] = []


def project_here() -> Project:
    """The project whose code this process has loaded, where it is there for one (a location host and its workers);
    else that of the working folder."""
    return _own[-1] if _own else find_project()


def be_there_for(project: Project) -> None:
    """This process is there for that project's code alone."""
    _own[:] = [project]


CONFIG_FILES = ("batuta.toml", "pyproject.toml")
"""Where a project is configured; the first that does counts."""


def read_project(folder: Path) -> Project | None:
    """The project whose configuration is in that folder; None where there is none. Raises DefinitionError."""
    file = folder / "batuta.toml"
    if file.is_file():
        return _made(folder, _parse(file, None) or Config(), file)
    file = folder / "pyproject.toml"
    if file.is_file():
        config = _parse(file, "batuta")
        if config is not None:
            return _made(folder, config, file)
    return None


def _made(folder: Path, config: Config, file: Path) -> Project:
    """The project, whose `code` is a location of its own unless one of the table is there for it."""
    own = bool(config.code and config.locations) and not any(_takes_code(each, folder) for each in config.locations)
    if own and any(each.name == (config.name or folder.name) for each in config.locations):
        what = f"two locations are called {config.name or folder.name!r}: one is that of the project's own code"
        raise DefinitionError(what, where=str(file), hint="give the project, or the other, another name")
    return Project(str(folder), config, str(file), os.environ.get("BATUTA_PROFILE", ""), own)


def _takes_code(location: LocationConfig, folder: Path) -> bool:
    """Whether it names no code of its own, so that the project's is meant."""
    root = os.path.normpath(folder / location.root)
    if location.code or _kind_of(location, root) != "python":
        return False
    return root == str(folder) or read_project(Path(root)) is None


def _kind_of(location: LocationConfig, root: str) -> LocationKind:
    if location.kind is not None:
        return location.kind
    if location.code:
        return "python"
    return next((kind for name, kind in MARKS.items() if os.path.isfile(os.path.join(root, name))), "python")


def _parse(file: Path, tool: str | None) -> Config | None:
    return read_config(file, tool, Config, os.environ.get("BATUTA_PROFILE", ""), _mistakes)


_DEFAULT_LOCATION = LocationConfig("")


def _mistakes(config: Config) -> Iterator[tuple[tuple[str | int, ...], str, str | None]]:
    """What is wrong with settings that are of the right type."""
    if config.alerts.channels or config.alerts.rules:
        types = tuple(plugins.names("batuta.alert_channels"))
        for path, what, hint in alert_specs.mistakes(config.alerts, types):
            yield ("alerts", *path), what, hint
    for number, name in enumerate(config.secrets.backends):
        if name not in SECRETS_BACKENDS and name not in (known := plugins.names("batuta.secrets")):
            there = (*SECRETS_BACKENDS, *known)
            hint = nearest(name, there) or f"there are {', '.join(there)}; a plugin brings others"
            yield ("secrets", "backends", number), f"there is no backend of secrets {name!r}", hint
    for number, location in enumerate(config.locations):
        if any(location.name == other.name for other in config.locations[:number]):
            yield ("locations", number, "name"), f"two locations are called {location.name!r}", "rename one of them"
        if location.kind == "python":
            for setting in _DBT_SETTINGS:
                if getattr(location, setting) != getattr(_DEFAULT_LOCATION, setting):
                    what = f"location {location.name!r} is of Python, and {setting!r} is for dbt"
                    yield ("locations", number, setting), what, 'take it out, or write kind = "dbt"'
        if location.kind == "dbt" and location.code:
            what = f"location {location.name!r} is a dbt project, which has no `code`"
            yield ("locations", number, "code"), what, "take it out: the project is in `root`"
        if location.executor and location.remote:
            what = f"location {location.name!r} is remote: its steps run with remote workers, and in no executor here"
            yield ("locations", number, "executor"), what, "take one of the two out"
        if location.executor_options and not location.executor:
            what = f"location {location.name!r} has options of an executor, and names none"
            yield ("locations", number, "executor_options"), what, 'name one: executor = "NAME"'
    if config.server.authentication.options and not config.server.authentication.backend:
        yield ("server", "authentication", "options"), "there are options of no backend", 'name it: backend = "NAME"'
    if config.secrets.key_file and config.secrets.key_command:
        yield ("secrets", "key_command"), "the key is in a file, and a command prints it", "give one of the two"
