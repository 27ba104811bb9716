"""The secrets this process knows, and how they are kept out of text.

One set per process, because secrets arrive at random places and logs leave at others. The surprising rule: values
shorter than four characters are not masked, since `***` for every "1" or "no" would make all logs unreadable.

Forms of a secret that count: itself; as in a repr, in JSON, in a URL; in hexadecimal; in Base64 (standard and URL-safe,
alone or within something longer, as in an `Authorization` header); and the longer lines of one that has several. What
is not found: other encodings, encryption, compression, and a secret that is cut over two lines.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

MASK = "***"
SECRET_CHARS_MIN = 4
# A line of a multi-line secret (a PEM key) is masked by itself from this length on: prints arrive line by line.
SECRET_LINE_CHARS_MIN = 8
# What is sure of a secret's Base64 within something longer is looked for from this length on.
BASE64_CHARS_MIN = 6
# In more bytes than these only the secrets themselves are looked for: a form costs some milliseconds a megabyte.
SEARCHED_BYTES_MAX = 1 << 16
# From so many forms on, text is compared by its pieces of four characters, which costs the same for any number.
FORMS_FEW = 250

_lock = threading.Lock()
_known: dict[str, tuple[str, ...]] = {}  # each secret's forms
_secrets: tuple[str, ...] = ()  # all forms of all of them
_by_start: dict[str, tuple[str, ...]] = {}  # forms by their first characters
_longest = 0


def register_secret(value: str) -> bool:
    """Replace `value` by `***` in all that is masked from now on; False where it is too short to be masked.

    Its other forms count as well, see the module.
    """
    global _known, _secrets, _by_start, _longest
    if len(value) < SECRET_CHARS_MIN:
        return False
    if value in _known:
        return True
    with _lock:
        # Replaced, never changed: `mask` reads it without the lock.
        _known = {**_known, value: tuple(sorted(_forms(value)))}
        forms = sorted({form for forms in _known.values() for form in forms})
        starts: dict[str, tuple[str, ...]] = {}
        for form in forms:
            start = form[:SECRET_CHARS_MIN]
            starts[start] = (*starts.get(start, ()), form)
        _secrets, _by_start = tuple(forms), starts
        _longest = max(map(len, _secrets))
    return True


def forget_secrets() -> None:
    """Mask nothing any more."""
    global _known, _secrets, _by_start, _longest
    with _lock:
        _known, _secrets, _by_start, _longest = {}, (), {}, 0


def longest_secret() -> int:
    """Characters of the longest form of a secret; 0 without secrets. Who cuts text must not cut inside one."""
    return _longest


def mask(text: str) -> str:
    """The text with `***` for each secret in it; secrets that overlap or touch become one `***`."""
    if not _secrets:
        return text
    spans = _spans(text)
    if not spans:
        return text
    spans.sort()
    pieces: list[str] = []
    position = 0
    covered = -1
    for start, end in spans:
        if start > covered:
            pieces += (text[position:start], MASK)
        position = covered = max(covered, end)
    pieces.append(text[position:])
    return "".join(pieces)


def masked(value: Any, *, numbers: bool = True) -> Any:
    """`value` with all texts in it masked, keys of dicts too, and `numbers` whose digits are a secret."""
    if not _secrets:
        return value
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {masked(key): masked(item, numbers=numbers) for key, item in value.items()}
    if isinstance(value, list | tuple):
        items = [masked(item, numbers=numbers) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        return MASK if has_secret(str(value)) else value
    return value


def masked_json(data: bytes) -> bytes:
    """A JSON document with all texts in it masked."""
    if not _secrets or not has_secret(data.decode()):
        return data
    import msgspec

    return msgspec.json.encode(masked(msgspec.json.decode(data), numbers=False))


def has_secret(text: str) -> bool:
    """Whether `mask` would change it."""
    return bool(_secrets) and bool(_spans(text))


def secrets_in(data: bytes) -> tuple[str, ...]:
    """The secrets that stand in these bytes as UTF-8; in large data only as they are, not in their other forms."""
    found = []
    for secret, forms in _known.items():
        looked_for = forms if len(data) <= SEARCHED_BYTES_MAX else (secret,)
        if any(form.encode("utf-8", "surrogatepass") in data for form in looked_for):
            found.append(secret)
    return tuple(found)


def _spans(text: str, few: int = FORMS_FEW) -> list[tuple[int, int]]:
    """Where forms of secrets stand in the text, in no order."""
    if len(_secrets) <= few:
        return [span for secret in _secrets for span in _places(text, secret)]
    starts, size = _by_start, SECRET_CHARS_MIN
    if starts.keys().isdisjoint([text[i : i + size] for i in range(len(text) - size + 1)]):
        return []
    return [
        (i, i + len(form))
        for i in range(len(text) - size + 1)
        for form in starts.get(text[i : i + size], ())
        if text.startswith(form, i)
    ]


def _places(text: str, secret: str) -> list[tuple[int, int]]:
    found = []
    start = text.find(secret)
    while start >= 0:
        found.append((start, start + len(secret)))
        start = text.find(secret, start + 1)
    return found


def _forms(value: str) -> set[str]:
    encodable = value.encode("utf-8", "surrogatepass")
    forms = {value, encodable.hex(), encodable.hex().upper(), *_base64_forms(encodable)}
    if not value.isalnum():
        import json
        from urllib.parse import quote, quote_plus

        forms |= {repr(value)[1:-1], json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
        forms |= {quote(encodable), quote(encodable, safe=""), quote_plus(encodable)}
    forms |= {line for line in map(str.strip, value.splitlines()) if len(line) >= SECRET_LINE_CHARS_MIN}
    return forms


def _base64_forms(data: bytes) -> set[str]:
    """Its Base64, and the characters that are the same wherever it begins in something longer (three ways to align)."""
    import base64

    forms = {base64.b64encode(data).decode()}
    for before, unsure in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        end = len(text) - ((before + len(data)) % 3 != 0)
        if end - unsure >= BASE64_CHARS_MIN:
            forms.add(text[unsure:end])
    return forms | {form.replace("+", "-").replace("/", "_") for form in forms}
