"""The code that made an asset, kept once for each of its versions, so that a later version can be compared with it.

Files are named from the folder of the file that defines the asset, so that another checkout of the project compares,
too. Surprising: values are no part of it, as a configured one may be secret; a version may differ where no text does.
"""

from __future__ import annotations

import msgspec

from batuta.core.columns import SqlSource


class CodePart(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A function, or a name of the project that it uses, as it is written. `file` is relative (see the module); it is
    "" where it is that of the asset."""

    name: str
    text: str
    file: str = ""


class CodeText(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The function of an asset first, and what it uses of the project; or the query that makes it."""

    parts: tuple[CodePart, ...] = ()
    sql: SqlSource | None = None


_encoder = msgspec.json.Encoder(order="deterministic")
_decoder = msgspec.json.Decoder(CodeText)


def encode_code(code: CodeText) -> bytes:
    """As JSON, the same bytes for the same code."""
    return _encoder.encode(code)


def decode_code(data: bytes | str) -> CodeText:
    """The inverse of `encode_code`."""
    return _decoder.decode(data)
