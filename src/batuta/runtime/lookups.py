"""Variables, connections and secrets by name: the backends that are asked, in their order, until one knows it.

Every backend says what it knows as text: a variable as JSON (or plain text, where it is none), a connection as a URL or
a JSON object, a secret as it is. The surprising rule: a backend that fails is an error, not a reason to ask the next
one, since that might know an older or weaker value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Protocol, get_args

import msgspec

from batuta import plugins
from batuta.core.connections import Connection, checked_name, sounds_secret
from batuta.core.errors import BatutaError, DefinitionError, RequestError, TransientError, nearest
from batuta.runtime.masking import mask, register_secret
from batuta.runtime.project import Project

Kind = Literal["variable", "connection", "secret"]
KINDS: tuple[Kind, ...] = get_args(Kind)
GROUP = "batuta.secrets"
PREFIXES: dict[Kind, str] = {
    "variable": "BATUTA_VAR_",
    "connection": "BATUTA_CONN_",
    "secret": "BATUTA_SECRET_",
}
FILE_PREFIXES: dict[Kind, str] = {"variable": "variable.", "connection": "connection.", "secret": ""}
_FILE_BYTES_MAX = 1 << 20


class NotDefined(RequestError):
    """No backend knows a variable, connection or secret of that name."""


class Backend(Protocol):
    """Somewhere to look. One that a plugin brings may have `names(kind)` too, for hints and lists."""

    def get(self, kind: str, name: str) -> str | None:
        """The text of the `variable`, `connection` or `secret` of that name; None where it is not known here."""


class Environment:
    """Environment variables, see `variable_name`."""

    def get(self, kind: str, name: str) -> str | None:
        return os.environ.get(variable_name(kind, name))

    def names(self, kind: str) -> list[str]:
        """As far as they can be told: what was `-` or `.` is `_` there."""
        prefix = PREFIXES[_kind(kind)]
        found = (name.removeprefix(prefix).lower() for name in os.environ if name.startswith(prefix))
        return sorted(name for name in found if name)


class Files:
    """Folders with a file for each, as secrets are mounted into containers: `token`, `connection.warehouse`."""

    def __init__(self, folders: Sequence[str]) -> None:
        self.folders = list(folders)

    def get(self, kind: str, name: str) -> str | None:
        for folder in self.folders:
            path = os.path.join(folder, FILE_PREFIXES[_kind(kind)] + name)
            try:
                with open(path, encoding="utf-8") as file:
                    return file.read(_FILE_BYTES_MAX).removesuffix("\n").removesuffix("\r")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
            except (OSError, UnicodeDecodeError) as error:
                what = f"the {kind} {name!r} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}"
                raise DefinitionError(what, where=path, hint="make it readable, as text in UTF-8") from None
        return None

    def names(self, kind: str) -> list[str]:
        prefix = FILE_PREFIXES[_kind(kind)]
        others = tuple(other for other in FILE_PREFIXES.values() if other and other != prefix)
        found: set[str] = set()
        for folder in self.folders:
            entries = os.listdir(folder) if os.path.isdir(folder) else []
            found |= {name.removeprefix(prefix) for name in entries if name.startswith(prefix) and name[:1] != "."}
        return sorted(name for name in found if prefix or not name.startswith(others))


class Lookups:
    """The backends of a project. Safe to use from many threads, as far as plugins' backends are."""

    def __init__(self, project: Project, store: Backend) -> None:
        self.project = project
        self._builtin: dict[str, Callable[[], Backend]] = {
            "environment": Environment,
            "files": lambda: Files(project.secret_folders),
            "store": lambda: store,
        }
        self._made: dict[str, Backend] = {}

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the backends."""
        return self.project.config.secrets.backends

    def backend(self, name: str) -> Backend:
        """A backend, made when first needed. Raises DefinitionError, PluginError."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._builtin[name]() if name in self._builtin else self._plugin(name)
        return made

    def _plugin(self, name: str) -> Backend:
        where = f"{self.project.file or self.project.root}: [secrets] backends"
        kind = plugins.load(GROUP, name, builtin=self._builtin, where=where)
        options = self.project.config.secrets.options.get(name, {})
        try:
            made: Backend = kind(**options)
        except BatutaError:
            raise
        except Exception as error:
            what = f"the backend {name!r} cannot be made: {type(error).__name__}: {mask(str(error))}"
            raise DefinitionError(what, where=where, hint=f"see [secrets.options.{name}]") from error
        return made

    def text(self, kind: Kind, name: str) -> str:
        """What the first backend that knows it says. Raises NotDefined, and whatever makes a backend fail."""
        return self.find(kind, name)[0]

    def find(self, kind: Kind, name: str) -> tuple[str, str]:
        """`text`, and the backend that says so."""
        checked_name(name, kind)
        for one in self.order:
            found = self._ask(one, kind, name)
            if found is not None:
                register(kind, name, found)
                return found, one
        raise NotDefined(
            f"there is no {kind} {name!r}",
            where=f"looked in {', '.join(self.order) or 'no backend'}",
            hint=nearest(name, self.names(kind)) or _how_to_set(kind, name),
        )

    def _ask(self, backend: str, kind: Kind, name: str) -> str | None:
        found: Any
        try:
            found = self.backend(backend).get(kind, name)
        except BatutaError:
            raise
        except Exception as error:
            what = f"the backend {backend!r} failed for {kind} {name!r}: {type(error).__name__}: {mask(str(error))}"
            raise TransientError(
                what, hint="see whether it can be reached, or take it out of [secrets] backends"
            ) from None
        if found is None or isinstance(found, str):
            return found
        what = f"the backend {backend!r} gave a {type(found).__name__} for {kind} {name!r}"
        raise DefinitionError(what, hint="get(kind, name) has to give a text, or None")

    def names(self, kind: Kind) -> list[str]:
        """The names that backends can list; one that cannot, or fails, lists none."""
        found: set[str] = set()
        for one in self.order:
            try:
                listing = getattr(self.backend(one), "names", None)
                found |= set(listing(kind)) if listing is not None else set()
            except Exception:  # for hints only: what was asked for is told of elsewhere
                continue
        return sorted(found)


def register(kind: Kind, name: str, text: str) -> None:
    """Have it masked in this process, as far as it is secret: what is not is left readable."""
    for secret in secret_texts(kind, name, text):
        register_secret(secret)


def secret_texts(kind: Kind, name: str, text: str) -> Iterable[str]:
    """The secrets in it: all of a secret, the password of a connection, a variable whose name sounds like one."""
    if kind == "secret":
        return [text]
    if kind == "connection":
        return Connection.from_text(text, name=name).secrets
    return _leaves(variable_value(text), sounds_secret(name))


def variable_value(text: str) -> Any:
    """The value of a variable: JSON, or the text itself where it is none."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def variable_name(kind: str, name: str) -> str:
    """The environment variable for a name: its prefix, and `MAX_ROWS` for `max-rows`."""
    return PREFIXES[_kind(kind)] + re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def _kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise RequestError(f"there is nothing of kind {kind!r} to look up", hint=f"kinds are {', '.join(KINDS)}")
    return kind


def _leaves(value: Any, secret: bool) -> list[str]:
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in _leaves(item, secret or sounds_secret(key))]
    if isinstance(value, list):
        return [text for item in value for text in _leaves(item, secret)]
    return [str(value)] if secret and value is not None and not isinstance(value, bool) else []


def _how_to_set(kind: Kind, name: str) -> str:
    command = "connections add" if kind == "connection" else f"{kind}s set"
    return f"`batuta {command} {name}` sets it in the store, {variable_name(kind, name)} in the environment"
