"""Where variables, connections and secrets are looked for, in which order, and what is said of backends that fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from batuta import plugins
from batuta.core.errors import BatutaError, DefinitionError, ParameterError, TransientError
from batuta.runtime import lookups
from batuta.runtime.lookups import Kind, Lookups, NotDefined
from batuta.runtime.masking import forget_secrets, mask
from batuta.runtime.project import Config, Project, SecretsConfig


class Memory:
    """A backend that knows what it is given, and what it was asked."""

    def __init__(self, **known: Any) -> None:
        self.known = known
        self.asked: list[str] = []

    def get(self, kind: str, name: str) -> Any:
        self.asked.append(f"{kind} {name}")
        found = self.known.get(name)
        if isinstance(found, Exception):
            raise found
        return found

    def names(self, kind: str) -> list[str]:
        return list(self.known)


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


def made(root: Path, store: Any = None, **settings: Any) -> Lookups:
    return Lookups(Project(str(root), Config(secrets=SecretsConfig(**settings))), store or Memory())


def test_the_first_backend_that_knows_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mounted").mkdir()
    (tmp_path / "mounted" / "token").write_text("from-a-file\n")
    store = Memory(token="from-the-store", other="other-store")
    found = made(tmp_path, store, files=("none", "mounted"))
    assert found.text("secret", "token") == "from-a-file"
    assert found.text("secret", "other") == "other-store"
    monkeypatch.setenv("BATUTA_SECRET_TOKEN", "from-the-environment")
    assert found.text("secret", "token") == "from-the-environment"
    assert store.asked == ["secret other"]
    turned = made(tmp_path, store, files=("mounted",), backends=("store", "environment"))
    assert turned.text("secret", "token") == "from-the-store"


@pytest.mark.parametrize(
    ("kind", "variable", "file"),
    [
        ("variable", "BATUTA_VAR_MAX_ROWS_2", "variable.max-rows.2"),
        ("connection", "BATUTA_CONN_MAX_ROWS_2", "connection.max-rows.2"),
        ("secret", "BATUTA_SECRET_MAX_ROWS_2", "max-rows.2"),
    ],
)
def test_names_in_the_environment_and_of_files(
    kind: Kind, variable: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / file).write_text("smtp://one")
    found = made(tmp_path, files=(".",))
    assert found.text(kind, "max-rows.2") == "smtp://one"
    assert found.names(kind) == ["max-rows.2"]
    monkeypatch.setenv(variable, "smtp://two")
    assert found.text(kind, "max-rows.2") == "smtp://two"
    others: list[Kind] = [other for other in lookups.KINDS if other != kind]
    assert [found.names(other) for other in others] == [[], []]


def test_what_is_nowhere_is_told_with_the_nearest_and_how_to_set_it(tmp_path: Path) -> None:
    with pytest.raises(NotDefined) as caught:
        made(tmp_path, Memory(warehouse="x")).text("connection", "warehose")
    assert str(caught.value) == (
        "looked in environment, files, store: there is no connection 'warehose'\n  hint: did you mean 'warehouse'?"
    )
    with pytest.raises(NotDefined, match="`batuta variables set x` sets it in the store, BATUTA_VAR_X in the"):
        made(tmp_path).text("variable", "x")


def test_what_is_secret_is_masked_from_then_on(tmp_path: Path) -> None:
    store = Memory(
        token="hunter22",
        db="postgresql://etl:pass-word@dbhost/x?api_key=0123456789",
        limit='{"rows": "visible", "password": "pass-two", "list": [{"token": 987654321}]}',
        api_key='"key-three"',
        plain="plain text",
    )
    found = made(tmp_path, store)
    assert found.text("secret", "token") == "hunter22"
    for kind, name in (("connection", "db"), ("variable", "limit"), ("variable", "api_key"), ("variable", "plain")):
        found.text(kind, name)  # type: ignore[arg-type]
    hidden = "hunter22 pass-word 0123456789 pass-two 987654321 key-three"
    assert mask(hidden) == " ".join(["***"] * 6)
    assert mask("etl dbhost visible plain text") == "etl dbhost visible plain text"


def test_a_backend_that_fails_is_not_passed_over(tmp_path: Path) -> None:
    store = Memory(token=OSError("no route"), ours=DefinitionError("it is sealed"), number=5)
    found = made(tmp_path, store, backends=("store", "environment"))
    with pytest.raises(TransientError, match="the backend 'store' failed for secret 'token': OSError: no route"):
        found.text("secret", "token")
    with pytest.raises(DefinitionError, match="it is sealed"):
        found.text("secret", "ours")
    with pytest.raises(DefinitionError, match="gave a int for secret 'number'"):
        found.text("secret", "number")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "token").touch(mode=0)
    with pytest.raises(DefinitionError, match="cannot be read"):
        made(tmp_path, files=(".",)).text("secret", "token")


def test_a_file_that_is_no_text_is_told_without_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DefinitionError, match="it is no text"):
        made(tmp_path, files=(".",)).text("secret", "token")


@pytest.mark.parametrize("name", ["../token", "a/b", "", ".hidden"])
def test_names_that_would_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError):
        made(tmp_path, files=(".",)).text("secret", name)


def test_a_connection_that_is_none_is_told_without_its_text(tmp_path: Path) -> None:
    with pytest.raises(BatutaError) as caught:
        made(tmp_path, Memory(db="postgresql://etl:pass-word@h:port/x")).text("connection", "db")
    assert "pass-word" not in str(caught.value)
    assert "connection 'db'" in str(caught.value)


def test_an_unknown_backend_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(plugins.PluginError) as caught:
        made(tmp_path, backends=("environmet",)).text("secret", "token")
    assert "did you mean 'environment'?" in str(caught.value)
    assert "[secrets] backends" in str(caught.value)
