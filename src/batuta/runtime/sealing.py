"""Results that hold secrets are encrypted before they are recorded, and decrypted where a later step reads them.

What is recorded of a value between steps has to be that value, so it cannot be masked. The engine has the key and does
both for the steps that it runs; elsewhere this process does. Along go the secrets themselves: who reads the value masks
them from then on, too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from batuta.authoring.context import current_or_none
from batuta.runtime.masking import register_secret, secrets_in

if TYPE_CHECKING:
    from batuta.store.encryption import KeyRing

MARK = "s"
"""What stands before the codec of a sealed result."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[str], bytes]).decode


def sealed(data: bytes) -> bytes | None:
    """The data encrypted, where there are secrets in it that this process knows; else None.

    Raises StoreError, DefinitionError where there is no key: a secret is never recorded in clear.
    """
    secrets = secrets_in(data)
    return _asked("seal", _encode((secrets, data))) if secrets else None


def unsealed(data: bytes) -> bytes:
    """The inverse. Raises StoreError."""
    secrets, plain = _decode(_asked("unseal", data))
    for secret in secrets:
        register_secret(secret)
    return plain


def seal_here(data: bytes, ring: Callable[[], KeyRing]) -> bytes:
    """With the keys of `vault.sealing_ring`."""
    return ring().encrypt(data).encode()


def unseal_here(data: bytes, ring: Callable[[], KeyRing]) -> bytes:
    """With the keys of `vault.sealing_ring`."""
    return ring().decrypt(data.decode(), "a recorded result")


def _asked(what: str, data: bytes) -> bytes:
    context = current_or_none()
    if context is not None and context.talk is not None:
        answer: bytes = context.ask(what, data=data)["data"]
        return answer
    from batuta.runtime.vault import sealing_ring

    return (seal_here if what == "seal" else unseal_here)(data, sealing_ring)
