"""Signed requests: what the sender of a webhook signs, and how that is verified.

The signature is HMAC-SHA256 over `TIMESTAMP.BODY` under a shared secret, sent as `X-Batuta-Signature: sha256=HEX` with
`X-Batuta-Timestamp: SECONDS`. A request that is older than the window is refused, and one that comes twice within it
has the same signature, which is its key: it starts nothing again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from batuta.core.errors import RequestError

SIGNATURE, TIMESTAMP = "x-batuta-signature", "x-batuta-timestamp"
WINDOW_S = 300.0
BODY_BYTES_MAX = 1 << 20


class Refused(RequestError):
    """A webhook that is not what it should be. Says nothing about the secret."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What stands in the header, for a sender."""
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """The signature of a request that is good. Raises Refused."""
    if not secret:
        raise Refused("this webhook has no secret", hint="set it: `batuta secrets set NAME`")
    if len(body) > BODY_BYTES_MAX:
        raise Refused(f"the body has {len(body):,} bytes, at most {BODY_BYTES_MAX:,} are taken")
    given = {name.lower(): value for name, value in headers.items()}
    sent, timestamp = given.get(SIGNATURE, ""), given.get(TIMESTAMP, "")
    if not sent or not timestamp:
        missing = "X-Batuta-Signature" if not sent else "X-Batuta-Timestamp"
        raise Refused(f"the header {missing} is missing")
    expected = signature(secret, timestamp, body)
    if not hmac.compare_digest(expected.encode(), sent.encode("utf-8", "replace")):
        raise Refused("the signature is wrong", hint="sign `TIMESTAMP.BODY` with HMAC-SHA256 under the shared secret")
    try:
        age_s = now - float(timestamp)
    except ValueError:
        raise Refused("X-Batuta-Timestamp is no number of seconds") from None
    if not -WINDOW_S <= age_s <= WINDOW_S:
        raise Refused(f"the request was signed more than {WINDOW_S:.0f} s ago, or ahead", hint="check the clocks")
    return sent
