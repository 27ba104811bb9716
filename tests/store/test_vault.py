"""Variables, connections and secrets in the store: encrypted, rotated, audited; a wrong key stops nothing else."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from batuta.core.errors import RequestError
from batuta.store import Store
from batuta.store.encryption import KEY_VARIABLE, KeySource, new_key
from batuta.store.errors import KeyUnusable, WrongKey
from batuta.store.rows import ConnectionRow, VariableRow
from batuta.store.vault import Vault

TOKEN = "hunter22-token"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeySource:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return KeySource(str(tmp_path / "secret.key"))


@pytest.fixture
def vault(store: Store, keys: KeySource) -> Vault:
    return store.vault(keys)


def actions(store: Store) -> list[tuple[str, str, str]]:
    return [(entry.action, entry.kind, entry.name) for entry in store.audit_entries()]


def texts(store: Store) -> str:
    """Everything that stands in the tables."""
    tables = ("all_variables", "all_connections")
    return repr([store._database.rows(name, name=None) for name in tables] + list(store.audit_entries()))


def test_variables_secrets_and_connections_are_kept(store: Store, vault: Vault) -> None:
    assert vault.put_variable("limit", "[1, 2]", by="ann", now=1.0, description="rows")
    assert vault.put_secret("token", TOKEN, by="ann", now=2.0)
    assert vault.put_connection("db", "postgresql", f'{{"password":"{TOKEN}"}}', by="ann", now=3.0, shown="x://")
    assert [vault.get(kind, name) for kind, name in (("variable", "limit"), ("secret", "token"))] == ["[1, 2]", TOKEN]
    assert vault.get("connection", "db") == f'{{"password":"{TOKEN}"}}'
    assert vault.variables(secret=False) == [VariableRow("limit", "[1, 2]", False, "rows", 1.0, "ann")]
    assert vault.variables(secret=True) == [VariableRow("token", "", True, "", 2.0, "ann")]
    assert vault.connections() == [ConnectionRow("db", "postgresql", "", 3.0, "ann")]
    assert [vault.names(kind) for kind in ("variable", "secret", "connection")] == [["limit"], ["token"], ["db"]]
    assert TOKEN not in texts(store)


def test_what_is_set_again_keeps_its_description(vault: Vault) -> None:
    vault.put_variable("x", "1", by="ann", now=1.0, description="why")
    assert not vault.put_variable("x", "2", by="bob", now=2.0)
    assert vault.variables(secret=False) == [VariableRow("x", "2", False, "why", 2.0, "bob")]


def test_a_variable_is_no_secret_of_the_same_name(vault: Vault) -> None:
    vault.put_variable("x", "1", by="ann", now=1.0)
    assert vault.get("secret", "x") is None
    with pytest.raises(RequestError, match="'x' is a variable already"):
        vault.put_secret("x", TOKEN, by="ann", now=2.0)
    assert not vault.delete("secret", "x", by="ann", now=2.0)
    assert vault.delete("variable", "x", by="ann", now=2.0)
    assert vault.put_secret("x", TOKEN, by="ann", now=3.0)
    with pytest.raises(RequestError, match="'x' is a secret already"):
        vault.put_variable("x", "1", by="ann", now=4.0)


def test_what_is_done_is_audited_without_what_is_secret(store: Store, vault: Vault) -> None:
    vault.put_secret("token", TOKEN, by="ann", now=1.0)
    vault.put_secret("token", TOKEN, by="ann", now=2.0)
    vault.put_connection("db", "postgresql", "{}", by="bob", now=3.0, shown="postgresql://u:***@h")
    vault.delete("secret", "token", by="bob", now=4.0)
    assert not vault.delete("secret", "token", by="bob", now=5.0)
    assert actions(store) == [
        ("delete", "secret", "token"),
        ("set", "connection", "db"),
        ("set", "secret", "token"),
        ("set", "secret", "token"),
    ]
    assert store.audit_entries(actor="ann", limit=1)[0].data == {"new": False}
    assert store.audit_entries(object_kind="connection")[0].data["url"] == "postgresql://u:***@h"


def test_a_wrong_key_stops_only_what_needs_it(store: Store, keys: KeySource, vault: Vault) -> None:
    vault.put_variable("x", "1", by="ann", now=1.0)
    vault.put_secret("old", TOKEN, by="ann", now=1.0)
    keys.write([new_key()])
    vault.put_secret("new", TOKEN, by="ann", now=2.0)
    with pytest.raises(WrongKey, match="the secret 'old' was encrypted with key"):
        vault.get("secret", "old")
    assert (vault.get("variable", "x"), vault.get("secret", "new")) == ("1", TOKEN)
    assert vault.names("secret") == ["new", "old"]
    assert vault.delete("secret", "old", by="ann", now=3.0)


def test_a_lost_key_file_is_not_made_anew(keys: KeySource, vault: Vault) -> None:
    vault.put_secret("old", TOKEN, by="ann", now=1.0)
    Path(keys.file).unlink()
    with pytest.raises(KeyUnusable, match="the key file is gone"):
        vault.put_secret("new", TOKEN, by="ann", now=2.0)
    with pytest.raises(KeyUnusable, match="there is no key"):
        vault.get("secret", "old")
    assert vault.put_variable("x", "1", by="ann", now=3.0)
    assert not Path(keys.file).exists()


def test_rotation_encrypts_all_anew(store: Store, keys: KeySource, vault: Vault) -> None:
    vault.put_secret("a", TOKEN, by="ann", now=1.0)
    vault.put_connection("db", "smtp", '{"x":1}', by="ann", now=1.0)
    sealed = vault.sealing_ring().encrypt(b"result")
    old, before = keys.ring().keys, texts(store)
    count, named = vault.rotate(by="ann")
    assert count == 3
    assert (keys.ring().fingerprints, len(keys.ring().keys)) == ([named], 1)
    assert keys.ring().keys != old
    assert (vault.get("secret", "a"), vault.get("connection", "db")) == (TOKEN, '{"x":1}')
    assert vault.sealing_ring().decrypt(sealed, "it") == b"result"
    assert actions(store)[0] == ("rotate", "secrets", "")
    assert texts(store) != before
    assert vault.variables(secret=True)[0].changed_by == "ann"


def test_the_old_key_reads_until_a_rotation_is_done(store: Store, keys: KeySource, vault: Vault) -> None:
    """As after a crash in the middle: the new key stands in the file, and nothing is encrypted with it yet."""
    vault.put_secret("a", TOKEN, by="ann", now=1.0)
    keys.write([new_key(), *keys.ring().keys])
    assert store.vault(KeySource(keys.file)).get("secret", "a") == TOKEN
    assert vault.rotate(by="ann")[0] == 1
    assert vault.get("secret", "a") == TOKEN


def test_rotation_with_given_keys(store: Store, keys: KeySource, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = new_key(), new_key()
    monkeypatch.setenv(KEY_VARIABLE, old)
    vault.put_secret("a", TOKEN, by="ann", now=1.0)
    with pytest.raises(RequestError, match="only one key"):
        vault.rotate(by="ann")
    monkeypatch.setenv(KEY_VARIABLE, f"{new},{old}")
    vault.rotate(by="ann")
    monkeypatch.setenv(KEY_VARIABLE, new)
    assert vault.get("secret", "a") == TOKEN
    assert not Path(keys.file).exists()


def test_a_rotation_that_cannot_read_everything_changes_nothing(store: Store, keys: KeySource, vault: Vault) -> None:
    vault.put_secret("lost", TOKEN, by="ann", now=1.0)
    keys.write([new_key()])
    vault.put_secret("a", TOKEN, by="ann", now=1.0)
    before = texts(store)
    with pytest.raises(WrongKey, match="the secret 'lost'"):
        vault.rotate(by="ann")
    assert texts(store) == before
    assert vault.get("secret", "a") == TOKEN


def test_the_key_of_results_is_made_once(store: Store, keys: KeySource, vault: Vault) -> None:
    assert vault.sealing_ring().keys == store.vault(keys).sealing_ring().keys


def test_what_is_written_while_the_key_is_rotated_can_be_read(store_url: str, store: Store, keys: KeySource) -> None:
    """Each side has connections and keys of its own, as two processes have."""
    store.vault(keys).put_secret("first", TOKEN, by="ann", now=1.0)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            with Store.open(store_url) as mine:
                vault = mine.vault(KeySource(keys.file))
                for number in range(40):
                    vault.put_secret(f"s{number}", f"{TOKEN}-{number}", by="bob", now=2.0)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    rotations = 0
    while any(writer.is_alive() for writer in writers):
        store.vault(KeySource(keys.file)).rotate(by="ann")
        rotations += 1
    assert failures == []
    assert rotations
    vault = store.vault(KeySource(keys.file))
    assert vault.unreadable() == []
    assert [vault.get("secret", f"s{number}") for number in range(40)] == [f"{TOKEN}-{n}" for n in range(40)]


def test_what_cannot_be_read_is_listed(keys: KeySource, vault: Vault) -> None:
    vault.put_secret("old", TOKEN, by="ann", now=1.0)
    vault.put_connection("db", "smtp", "{}", by="ann", now=1.0)
    assert vault.unreadable() == []
    keys.write([new_key()])
    vault.put_secret("new", TOKEN, by="ann", now=2.0)
    assert [str(error).partition(" was ")[0] for error in vault.unreadable()] == [
        f"{keys.file}: the secret 'old'",
        f"{keys.file}: the connection 'db'",
    ]
