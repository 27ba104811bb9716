"""Bytes at rest: local paths and fsspec URLs behind one interface, with atomic replacement of whole files.

A file is written under `<base>/.batuta-tmp/`, not beside its target: readers of whole directories (Polars for one)
refuse a directory in which a killed writer left a file of another kind. Leftovers are removed by the next write to that
base: a live writer holds a lock on its temporary directory, a dead one does not.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from batuta.core.errors import DefinitionError, StoreError

try:
    import fcntl
except ImportError:  # Windows: leftovers are told by their age alone
    fcntl = None  # type: ignore[assignment]

TEMP = ".batuta-tmp"
LEFTOVER_AGE_S = 24 * 3600  # where locks do not tell: older ones are leftovers
NAME_BYTES_MAX = 180

_plain = re.compile(r"[A-Za-z0-9_=+,-][A-Za-z0-9_.=+,-]{0,179}", re.ASCII).fullmatch
_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.=+,-")
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_full_text = re.compile(r"No space left|Disk quota|File too large|os error (28|122|27)\b").search


class StorageError(StoreError):
    """A file cannot be written or removed: full disk, missing permission, read-only place."""


def escape(name: str) -> str:
    """A file name for any text: one to one, never empty, hidden, a separator or longer than file systems allow."""
    if _plain(name):
        return name
    data = name.encode("utf-8", "surrogatepass")
    text = "".join(chr(b) if b in _SAFE and (i or b != 46) else f"%{b:02X}" for i, b in enumerate(data)) or "~"
    if len(text) > NAME_BYTES_MAX:
        text = f"{text[:120]}~{hashlib.blake2b(data, digest_size=16).hexdigest()}"
    return text


def hash_file(path: str) -> tuple[int, str]:
    """Size in bytes and content hash (BLAKE2b, 32 hex digits) of a local file."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
        return file.tell(), digest.hexdigest()


def hash_bytes(data: bytes) -> str:
    """The same hash of bytes in memory."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def storage_error(error: BaseException, target: str, *, ours: bool) -> StorageError | None:
    """What to tell where writing `target` failed: a full disk always, other OS errors only if the call was `ours`."""
    number = error.errno if isinstance(error, OSError) else None
    if number in _FULL or _full_text(str(error)):
        return StorageError(
            f"no space left to write {target}; its previous version, if any, is untouched",
            hint="free space (or raise the quota) there, then retry the run from its failures",
        )
    if ours and isinstance(error, OSError):
        reason = error.strerror or str(error) or type(error).__name__
        return StorageError(f"{target} cannot be written: {reason}", hint="check that the place exists and is writable")
    return None


@contextmanager
def _explained(target: str, *, ours: bool) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        explained = storage_error(error, target, ours=ours)
        if explained is None:
            raise
        raise explained from error


class LocalFiles:
    """Files under a local directory. `durable` waits for the disk, so that what is written outlives a power cut."""

    def __init__(self, base: str, *, durable: bool = True) -> None:
        self.base = os.path.abspath(os.path.expanduser(base))
        self.durable = durable

    def url(self, name: str) -> str:
        return os.path.join(self.base, name)

    def local_path(self, name: str) -> str | None:
        """The path under which other libraries can read it; None if there is none."""
        return os.path.join(self.base, name)

    def exists(self, name: str) -> bool:
        return os.path.isfile(self.url(name))

    def read(self, name: str) -> bytes:
        with open(self.url(name), "rb") as file:
            return file.read()

    def write(self, name: str, data: bytes) -> None:
        """Replace the whole file in one step."""
        with self.replacing(name) as draft, open(draft, "wb") as file:
            file.write(data)

    def delete(self, name: str) -> None:
        target = self.url(name)
        with _explained(target, ours=True), suppress(FileNotFoundError):
            os.unlink(target)

    def delete_folder(self, name: str) -> None:
        target = self.url(name)
        with _explained(target, ours=True), suppress(FileNotFoundError):
            shutil.rmtree(target)

    @contextmanager
    def replacing(self, name: str) -> Iterator[str]:
        """A path to write to; on leaving without an error, that file takes the place of `name` in one step."""
        target = self.url(name)
        with _explained(target, ours=True):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            temp, lock = _reserve(_temp_folder(self.base, os.path.dirname(target)))
        draft = os.path.join(temp, os.path.basename(target))
        try:
            with _explained(target, ours=False):
                yield draft
            with _explained(target, ours=True):
                if self.durable:
                    _sync(draft)
                os.replace(draft, target)
                if self.durable:
                    _sync(os.path.dirname(target))
        finally:
            shutil.rmtree(temp, ignore_errors=True)
            os.close(lock)


def _temp_folder(base: str, folder: str) -> str:
    """On the file system of `folder`, which may not be that of the base (a link, a mount): a rename must do."""
    same = os.stat(base).st_dev == os.stat(folder).st_dev
    return os.path.join(base if same else folder, TEMP)


def _reserve(parent: str) -> tuple[str, int]:
    """A new temporary directory with a lock on it, held by the returned descriptor until that is closed."""
    _clean(parent)
    while True:
        temp = os.path.join(parent, _token())
        try:
            os.mkdir(temp)
        except FileNotFoundError:
            os.makedirs(parent, exist_ok=True)
            continue
        try:
            lock = os.open(temp, os.O_RDONLY)
        except FileNotFoundError:  # taken for a leftover before it was locked
            continue
        with suppress(OSError):  # a file system without locks
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(temp):
            return temp, lock
        os.close(lock)


def _clean(parent: str) -> None:
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry in entries]
    except FileNotFoundError:
        return
    for name in names:
        temp = os.path.join(parent, name)
        try:
            lock = os.open(temp, os.O_RDONLY)
        except OSError:
            continue
        try:
            if _abandoned(lock, name):
                shutil.rmtree(temp, ignore_errors=True)
        finally:
            os.close(lock)


def _abandoned(lock: int, name: str) -> bool:
    if fcntl is not None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            pass
    return _is_old(name)


def _token() -> str:
    return f"{int(time.time()):x}-{secrets.token_hex(6)}"


def _is_old(name: str) -> bool:
    try:
        made_at = int(name.partition("-")[0], 16)
    except ValueError:
        return False
    return time.time() - made_at > LEFTOVER_AGE_S


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class RemoteFiles:
    """Files under an fsspec URL: uploaded under a temporary name, then moved. fsspec is imported at first use."""

    def __init__(self, base: str, storage_options: Mapping[str, Any] | None = None) -> None:
        self.base = base.rstrip("/")
        self.storage_options = dict(storage_options or {})

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise DefinitionError(f"{self.base} needs fsspec", hint="install it: pip install fsspec") from error
        try:
            fs, root = url_to_fs(self.base, **self.storage_options)
        except (ImportError, ValueError) as error:
            raise DefinitionError(f"{self.base} cannot be opened: {error}") from error
        self._clean(fs, root)
        return fs, root.rstrip("/")

    def __getstate__(self) -> dict[str, Any]:
        return {"base": self.base, "storage_options": self.storage_options}

    def url(self, name: str) -> str:
        return f"{self.base}/{name}"

    def local_path(self, name: str) -> str | None:
        return None

    def exists(self, name: str) -> bool:
        fs, root = self._opened
        return bool(fs.isfile(f"{root}/{name}"))

    def read(self, name: str) -> bytes:
        fs, root = self._opened
        data: bytes = fs.cat_file(f"{root}/{name}")
        return data

    def write(self, name: str, data: bytes) -> None:
        with self.replacing(name) as draft:
            Path(draft).write_bytes(data)

    def delete(self, name: str) -> None:
        fs, root = self._opened
        with _explained(self.url(name), ours=True), suppress(FileNotFoundError):
            fs.rm_file(f"{root}/{name}")

    def delete_folder(self, name: str) -> None:
        fs, root = self._opened
        with _explained(self.url(name), ours=True), suppress(FileNotFoundError):
            fs.rm(f"{root}/{name}", recursive=True)

    @contextmanager
    def replacing(self, name: str) -> Iterator[str]:
        target = self.url(name)
        with tempfile.TemporaryDirectory(prefix="batuta-") as folder:
            draft = os.path.join(folder, name.rpartition("/")[2])
            with _explained(target, ours=False):
                yield draft
            with _explained(target, ours=True):
                self._upload(draft, name)

    def _upload(self, draft: str, name: str) -> None:
        fs, root = self._opened
        temp, target = f"{root}/{TEMP}/{_token()}", f"{root}/{name}"
        for path in (temp, target):
            fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            fs.put_file(draft, temp)
            fs.mv(temp, target)
        except BaseException:
            with suppress(Exception):
                fs.rm_file(temp)
            raise
        fs.invalidate_cache()

    @staticmethod
    def _clean(fs: Any, root: str) -> None:
        with suppress(Exception):  # a place that cannot be listed can still be written to
            for path in fs.ls(f"{root}/{TEMP}", detail=False):
                if _is_old(path.rpartition("/")[2]):
                    fs.rm_file(path)


Files = LocalFiles | RemoteFiles


def open_files(
    base: str | os.PathLike[str], storage_options: Mapping[str, Any] | None = None, *, durable: bool = True
) -> Files:
    """The files under a local directory or an fsspec URL (`memory://`, `s3://bucket/lake`)."""
    text = os.fspath(base)
    text = text.removeprefix("file://")
    if "://" in text or "::" in text:
        return RemoteFiles(text, storage_options)
    return LocalFiles(text, durable=durable)


@lru_cache(maxsize=32)
def known_files(base: str, durable: bool = True) -> Files:
    """`open_files`, remembered: for callers that are given the base path on each call."""
    return open_files(base, durable=durable)
