"""Keys from the environment, a command and a file; texts encrypted with them; and what is said of a wrong one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from batuta.core.errors import StoreError
from batuta.store.encryption import KEY_VARIABLE, KeyRing, KeySource, fingerprint, new_key
from batuta.store.errors import KeyUnusable, StoreCorrupt, WrongKey


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return tmp_path / "home" / "secret.key"


def test_a_key_file_is_made_on_first_use_for_its_owner_alone(file: Path) -> None:
    source = KeySource(str(file))
    assert not source.exists
    with pytest.raises(KeyUnusable, match="there is no key"):
        source.ring()
    text = source.ring(make=True).encrypt(b"hunter22")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert KeySource(str(file)).exists
    assert KeySource(str(file)).ring(make=True).decrypt(text, "it") == b"hunter22"
    assert "hunter22" not in text
    assert os.listdir(file.parent) == ["secret.key"]


def test_a_file_that_another_process_made_meanwhile_counts(file: Path) -> None:
    KeySource(str(file)).write(["first"])
    KeySource(str(file)).write(["second"], anew=True)
    assert file.read_text() == "first\n"


def test_the_environment_goes_before_a_command_and_that_before_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [new_key() for _ in range(3)]
    KeySource(str(file)).write(keys[:1])
    assert KeySource(str(file)).ring().keys == keys[:1]
    assert KeySource(str(file), f"echo {keys[1]}").ring().keys == keys[1:2]
    monkeypatch.setenv(KEY_VARIABLE, f"{keys[2]}, {keys[0]}")
    assert KeySource(str(file), f"echo {keys[1]}").ring().keys == [keys[2], keys[0]]


def test_changed_keys_are_seen(file: Path, tmp_path: Path) -> None:
    source = KeySource(str(file))
    first = source.ring(make=True)
    assert source.ring() is first
    source.write([new_key(), *first.keys])
    assert source.ring().keys[1:] == first.keys
    other = tmp_path / "other.key"
    other.write_text(new_key())
    asked = KeySource(str(file), f"cat {other}")
    before = asked.ring()
    other.write_text(new_key())
    assert asked.ring() is before
    assert asked.ring(fresh=True).keys != before.keys


def test_old_keys_decrypt_and_the_first_encrypts() -> None:
    old, new = new_key(), new_key()
    text = KeyRing([old], "here").encrypt(b"x")
    both = KeyRing([new, old], "here")
    assert both.decrypt(text, "it") == b"x"
    assert not both.is_newest(text)
    assert both.is_newest(both.encrypt(b"x"))


def test_a_wrong_key_says_what_where_and_what_to_do() -> None:
    made, other = new_key(), new_key()
    text = KeyRing([made], "there").encrypt(b"hunter22")
    with pytest.raises(WrongKey) as caught:
        KeyRing([other], "/etc/secret.key").decrypt(text, "the secret 'token'")
    said = str(caught.value)
    assert said.startswith("/etc/secret.key: the secret 'token' was encrypted with key " + fingerprint(made))
    assert fingerprint(other) in said
    assert "set the secret 'token' again" in said
    assert isinstance(caught.value, StoreError)
    assert not any(secret in said for secret in (made, other, text, "hunter22"))


def test_damaged_data_are_told_from_a_wrong_key() -> None:
    ring = KeyRing([new_key()], "here")
    text = ring.encrypt(b"hunter22")
    for damaged in (text[:-4] + "AAA=", "hunter22", "b1:", text[:20]):
        with pytest.raises(StoreCorrupt, match="it is damaged"):
            ring.decrypt(damaged, "it")


@pytest.mark.parametrize("text", ["", "short", "x" * 44, "ä" * 44, "sekret-word-that-is-no-key-but-quite-long-x"])
def test_what_is_no_key_is_told_without_repeating_it(file: Path, text: str) -> None:
    KeySource(str(file)).write([text])
    with pytest.raises(KeyUnusable, match="no key") as caught:
        KeySource(str(file)).ring()
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(("command", "told"), [("echo sekret; exit 3", "exit code 3"), ("true", "there is no key")])
def test_a_command_that_fails(file: Path, command: str, told: str) -> None:
    with pytest.raises(KeyUnusable, match=told) as caught:
        KeySource(str(file), command).ring()
    assert "key_command" in str(caught.value)
    assert "sekret" not in str(caught.value)


def test_no_repr_has_a_key(file: Path) -> None:
    source = KeySource(str(file))
    ring = source.ring(make=True)
    assert ring.keys[0] not in f"{ring!r} {source!r}"
    assert fingerprint(ring.keys[0]) in repr(ring)
