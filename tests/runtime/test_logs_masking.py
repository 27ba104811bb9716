"""Secrets are kept out of text: whole, escaped, overlapping, line by line, and written in pieces."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batuta.runtime import masking
from batuta.runtime.log_attempt import STDOUT, AttemptLog
from batuta.runtime.log_files import LIMIT_BYTES_MIN
from batuta.runtime.logs import read
from batuta.runtime.masking import MASK, forget_secrets, has_secret, mask, masked, register_secret, secrets_in


@pytest.fixture(autouse=True)
def no_secrets() -> Iterator[None]:
    forget_secrets()
    yield
    forget_secrets()


def texts(path: Path) -> list[str]:
    return [line.text for line in read(path)]


def test_text_without_secrets_is_the_same_object() -> None:
    text = "nothing to hide"
    assert mask(text) is text


def test_each_occurrence_is_masked() -> None:
    assert register_secret("hunter2")
    assert mask("hunter2 and hunter2, not hunter3") == "*** and ***, not hunter3"


@pytest.mark.parametrize("value", ["", "1", "abc"])
def test_short_values_are_refused(value: str) -> None:
    assert not register_secret(value)
    assert mask("abc 1") == "abc 1"


def test_overlapping_and_touching_secrets_leave_nothing() -> None:
    register_secret("abcdef")
    register_secret("defghi")
    assert mask("<abcdefghi>") == "<***>"
    assert mask("<abcdefabcdef>") == "<***>"


def test_escaped_forms_are_masked() -> None:
    secret = 'p@ss "word"\n/ä'
    register_secret(secret)
    for form in (secret, repr(secret), json.dumps(secret), json.dumps(secret, ensure_ascii=False), quote(secret)):
        assert "word" not in mask(f"value: {form}")


@given(st.binary(max_size=5), st.text(min_size=6, max_size=20), st.binary(max_size=5))
def test_encoded_forms_are_masked_wherever_they_begin(before: bytes, secret: str, after: bytes) -> None:
    forget_secrets()
    register_secret(secret)
    data = before + secret.encode("utf-8", "surrogatepass") + after
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(data).decode()
        assert MASK in mask(text)
        assert all(data.hex() not in mask(form) for form in (data.hex(), data.hex().upper()))
    assert mask(secret.encode("utf-8", "surrogatepass").hex().upper()) == MASK


def test_data_are_masked_in_all_their_parts() -> None:
    register_secret("hunter22")
    register_secret("12345678")
    data = {"a": ["hunter22", 1, None, True, {"hunter22": "say hunter22"}], "b": 12345678, "c": (1.5, "x")}
    assert masked(data) == {"a": ["***", 1, None, True, {"***": "say ***"}], "b": "***", "c": (1.5, "x")}
    assert has_secret("say hunter22")
    assert secrets_in(b"\x00hunter22") == ("hunter22",)


def test_lines_of_a_multi_line_secret_are_masked_by_themselves() -> None:
    register_secret("-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7\nxyz\n-----END KEY-----")
    assert mask("MIIEpAIBAAKCAQEA7") == "***"
    assert mask("xyz") == "xyz"


@given(st.text("ab", max_size=60), st.lists(st.text("ab", min_size=4, max_size=8), min_size=1, max_size=3))
def test_no_secret_survives(text: str, secrets: list[str]) -> None:
    forget_secrets()
    for secret in secrets:
        register_secret(secret)
    masked = mask(text)
    assert not any(secret in masked for secret in secrets)
    if not any(secret in text for secret in secrets):
        assert masked == text


@given(st.text("abc", max_size=80), st.lists(st.text("abc", min_size=4, max_size=9), min_size=1, max_size=5))
def test_many_secrets_are_found_as_few_are(text: str, secrets: list[str]) -> None:
    """The two ways to look for them give the same spans."""
    forget_secrets()
    for secret in secrets:
        register_secret(secret)
    assert sorted(masking._spans(text, few=0)) == sorted(masking._spans(text, few=1_000))


def test_a_secret_written_in_pieces_does_not_reach_the_file(tmp_path: Path) -> None:
    register_secret("correct horse battery")
    log = AttemptLog(tmp_path / "a.log")
    for piece in ("the password is cor", "rect ho", "rse", " battery", ", keep it\n"):
        log.write(STDOUT, piece)
        log.flush(STDOUT)
    log.close()
    assert texts(tmp_path / "a.log") == ["the password is ***, keep it"]


def test_a_secret_in_a_line_too_long_to_keep_does_not_reach_the_file(tmp_path: Path) -> None:
    """The line is written in pieces; wherever the cut falls, no part of the secret is on both sides of it."""
    secret = "correct-horse-battery"
    register_secret(secret)
    for shift in range(0, 200, 7):
        path = tmp_path / f"{shift}.log"
        log = AttemptLog(path, LIMIT_BYTES_MIN)
        line = "x" * shift + f"{secret}." * 30
        for start in range(0, len(line), 5):
            log.write(STDOUT, line[start : start + 5])
        log.close()
        assert "".join(texts(path)) == "x" * shift + "***." * 30


def test_bytes_are_masked_too(tmp_path: Path) -> None:
    register_secret("passwörd")
    log = AttemptLog(tmp_path / "a.log")
    encoded = "say passwörd\n".encode()
    log.write_bytes(STDOUT, encoded[:8])
    log.write_bytes(STDOUT, encoded[8:])
    log.close()
    assert texts(tmp_path / "a.log") == ["say ***"]
