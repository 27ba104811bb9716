"""Encryption at rest: where the keys come from, and what they make of texts. The algorithm is Fernet (AES-128-CBC with
HMAC-SHA256), by the library cryptography, which is imported when something is encrypted or read for the first time.

Several keys may be in force: the first one encrypts, all of them decrypt. The surprising rule: what is encrypted starts
with the fingerprint of its key, so that a wrong key is told from damaged data, and by name. No error repeats a key, or
what was encrypted.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from batuta.core.errors import DefinitionError
from batuta.store.errors import KeyUnusable, StoreCorrupt, WrongKey

KEY_VARIABLE = "BATUTA_SECRET_KEY"
COMMAND_TIMEOUT_S = 60.0
_MARK = "b1"
_NEW_KEY_HINT = "`batuta secrets new-key` prints a new one"


def new_key() -> str:
    """A key: 32 random bytes as URL-safe Base64."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def fingerprint(key: str) -> str:
    """Eight hex digits that name a key and tell nothing of it."""
    return hashlib.blake2b(key.encode(), digest_size=4, person=b"batuta-key").hexdigest()


class KeyRing:
    """The keys in force, the first one for encrypting. `where` says where they came from."""

    def __init__(self, keys: Sequence[str], where: str) -> None:
        self.keys = list(dict.fromkeys(keys))
        self.where = where
        for number, key in enumerate(self.keys, 1):
            _check(key, f"{where}, key {number}" if len(self.keys) > 1 else where)
        if not self.keys:
            raise KeyUnusable("there is no key", where=where, hint=_NEW_KEY_HINT)
        self.fingerprints = [fingerprint(key) for key in self.keys]
        self._fernet = _library(where).MultiFernet([_library(where).Fernet(key) for key in self.keys])

    def __repr__(self) -> str:
        return f"<keys {', '.join(self.fingerprints)} of {self.where}>"

    def encrypt(self, data: bytes) -> str:
        """As text, with the first key."""
        return f"{_MARK}:{self.fingerprints[0]}:{self._fernet.encrypt(data).decode()}"

    def decrypt(self, text: str, what: str) -> bytes:
        """The inverse. Raises WrongKey, StoreCorrupt that name `what` it is."""
        mark, _, rest = text.partition(":")
        made_with, _, token = rest.partition(":")
        if mark != _MARK or not token:
            raise StoreCorrupt(f"{what} is damaged in the store", hint="set it again")
        if made_with not in self.fingerprints:
            raise WrongKey(
                f"{what} was encrypted with key {made_with}, which is not here: there is {self._told()}",
                where=self.where,
                hint=f"give that key back ({KEY_VARIABLE} takes several, separated by commas), or set {what} again",
            )
        try:
            data: bytes = self._fernet.decrypt(token)
            return data
        except _library(self.where).InvalidToken:
            raise StoreCorrupt(f"{what} is damaged in the store", where=self.where, hint="set it again") from None

    def is_newest(self, text: str) -> bool:
        """Whether it was encrypted with the first key."""
        return text.startswith(f"{_MARK}:{self.fingerprints[0]}:")

    def _told(self) -> str:
        return f"key{'s' if len(self.keys) > 1 else ''} {', '.join(self.fingerprints)}"


@dataclass
class KeySource:
    """Where keys come from: BATUTA_SECRET_KEY, else what `command` prints, else `file`, which is made on first use."""

    file: str
    command: str = ""
    _known: dict[Any, KeyRing] = field(default_factory=dict, repr=False)

    @property
    def where(self) -> str:
        """What errors name."""
        if os.environ.get(KEY_VARIABLE):
            return f"the environment variable {KEY_VARIABLE}"
        return "[secrets] key_command" if self.command else self.file

    @property
    def is_file(self) -> bool:
        """Whether the keys are ours to write."""
        return self.where == self.file

    def ring(self, *, make: bool = False, fresh: bool = False) -> KeyRing:
        """The keys as they are now; `make` a key file if there is none. `fresh`: run the command again.

        Raises KeyUnusable.
        """
        given = os.environ.get(KEY_VARIABLE, "")
        stamp: Any = given or self.command or self._stamp(make)
        ring = self._known.get(stamp)
        if ring is None or (fresh and self.command and not given):
            text = given or (self._asked() if self.command else self._read())
            ring = KeyRing(_keys_in(text), self.where)
            self._known = {stamp: ring}
        return ring

    @property
    def exists(self) -> bool:
        """Whether there are keys, without making any."""
        return not self.is_file or os.path.exists(self.file)

    def _stamp(self, make: bool) -> tuple[int, int, int]:
        if make and not os.path.exists(self.file):
            self.write([new_key()], anew=True)
        try:
            stat = os.stat(self.file)
        except OSError as error:
            what = (
                "there is no key" if isinstance(error, FileNotFoundError) else f"no key can be read: {error.strerror}"
            )
            hint = f"put the key file back, or give the key by {KEY_VARIABLE}"
            raise KeyUnusable(what, where=self.file, hint=hint) from None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _read(self) -> str:
        try:
            with open(self.file, encoding="utf-8") as file:
                return "\n".join(line for line in file.read().splitlines() if not line.startswith("#"))
        except (OSError, UnicodeDecodeError) as error:
            what = f"no key can be read: {getattr(error, 'strerror', None) or 'it is no text'}"
            raise KeyUnusable(what, where=self.file, hint="put the key file back") from None

    def _asked(self) -> str:
        where = "[secrets] key_command"
        try:
            run = subprocess.run(
                self.command, shell=True, stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT_S, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            told = f"{COMMAND_TIMEOUT_S:g} s were not enough" if isinstance(error, subprocess.TimeoutExpired) else error
            raise KeyUnusable(f"the command for the key failed: {told}", where=where, hint="run it by hand") from None
        if run.returncode:
            what = f"the command for the key ended with exit code {run.returncode}"
            raise KeyUnusable(what, where=where, hint="run it by hand, and see what it says on standard error")
        return run.stdout.decode("utf-8", "replace")

    def write(self, keys: Sequence[str], *, anew: bool = False) -> None:
        """Replace the key file in one step, mode 0600; `anew`: unless another process has made it just now.

        Raises KeyUnusable.
        """
        folder = os.path.dirname(os.path.abspath(self.file))
        try:
            os.makedirs(folder, exist_ok=True)
            number, draft = tempfile.mkstemp(dir=folder, prefix=".secret-")  # mode 0600
            try:
                with open(number, "w", encoding="utf-8") as file:
                    file.write("".join(f"{key}\n" for key in keys))
                    file.flush()
                    os.fsync(file.fileno())
                if anew:
                    with contextlib.suppress(FileExistsError):
                        os.link(draft, self.file)
                else:
                    os.replace(draft, self.file)
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(draft)
        except OSError as error:
            hint = f"make the folder writable, or give a key by {KEY_VARIABLE}"
            raise KeyUnusable(f"the key cannot be written: {error.strerror}", where=self.file, hint=hint) from None


def _keys_in(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _check(key: str, where: str) -> None:
    try:
        size = len(base64.urlsafe_b64decode(key)) if key.isascii() else 0
    except (binascii.Error, ValueError):
        size = 0
    if size != 32:
        what = "what is there is no key: it has to be 32 bytes as URL-safe Base64"
        raise KeyUnusable(what, where=where, hint=_NEW_KEY_HINT)


def _library(where: str) -> Any:
    try:
        from cryptography import fernet
    except ModuleNotFoundError:
        hint = 'install the extra: pip install "batuta[secrets]"'
        raise DefinitionError("cryptography is not installed", where=where, hint=hint) from None
    return fernet
