"""What `batuta variables`, `connections` and `secrets` share: the vault, and reading a value without showing it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batuta.core.errors import ParameterError, RequestError

if TYPE_CHECKING:
    from batuta.cli.output import Output
    from batuta.runtime.lookups import Kind, Lookups
    from batuta.store.vault import Vault


@contextlib.contextmanager
def open_vault() -> Iterator[Vault]:
    """The vault of the project here; its store is made where there is none."""
    from batuta.cli.targets import open_store, project_at
    from batuta.runtime.vault import keys_of

    with open_store(must_exist=False) as store:
        yield store.vault(keys_of(project_at("")))


@contextlib.contextmanager
def vault_if_any() -> Iterator[Vault | None]:
    """The vault of the project here, or None where there is no store: looking makes none."""
    from batuta.cli.targets import project_at
    from batuta.runtime.vault import opened

    with opened(project_at("")) as vault:
        yield vault


def lookups_here() -> Lookups:
    """All backends of the project here, in their order."""
    from batuta.cli.targets import project_at
    from batuta.runtime.vault import lookups

    return lookups(project_at(""))


def read_hidden(what: str, file: str | None = None, *, otherwise: str = "") -> str:
    """A value that must not stand on the command line: from a file, standard input, or a prompt that does not show it.

    One newline at its end is not part of it. Raises ParameterError where there is none; `otherwise` is how else it can
    be given.
    """
    if file is not None and file != "-":
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            told = getattr(error, "strerror", None) or "it is no text in UTF-8"
            raise ParameterError(f"the {what} cannot be read: {told}", where=file, hint="name another file") from None
    elif sys.stdin.isatty():
        text = click.prompt(f"{what} (it is not shown)", hide_input=True, confirmation_prompt=True, err=True)
    else:
        text = sys.stdin.read()
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise ParameterError(f"the {what} is empty", hint=f"give it at the prompt or on standard input{otherwise}")
    return text


def delete(kind: Kind, name: str, out: Output) -> None:
    """Delete it from the store. Raises RequestError where it is not there."""
    from batuta.core.errors import nearest
    from batuta.runtime.people import person

    with open_vault() as vault:
        if not vault.delete(kind, name, by=person(), now=time.time()):
            hint = nearest(name, vault.names(kind)) or f"`batuta {kind}s list` shows those there are"
            raise RequestError(f"the store has no {kind} {name!r}", hint=hint)
    out.document({"deleted": name})
    out.say(f"{kind} {name} is deleted")


def elsewhere(kind: Kind, known: set[str]) -> list[tuple[str, str]]:
    """(name, backend) of those that other backends than the store list, where they come before it or it has none."""
    lookups = lookups_here()
    found: dict[str, str] = {}
    for backend in lookups.order:
        if backend == "store":
            continue
        listing: Any = getattr(lookups.backend(backend), "names", None)
        before = "store" not in lookups.order or lookups.order.index(backend) < lookups.order.index("store")
        for name in listing(kind) if listing is not None else ():
            if before or name not in known:
                found.setdefault(name, backend)
    return sorted(found.items())
