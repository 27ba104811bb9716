"""The code version of a node: what must be the same for its data to be taken as made by the same code.

That is its own text and configuration, the macros that it calls (and what they call), and the variables that any of
these ask for. Surprising: macros that dbt and its adapter bring count as unchanging; else upgrades would rebuild all.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any

import msgspec

_VARIABLE = re.compile(r"""\b(var|env_var)\s*\(\s*['"]([^'"]+)""")
_IRRELEVANT = ("docs", "meta", "tags", "group", "enabled", "access", "static_analysis")
_encoder = msgspec.json.Encoder(order="deterministic", enc_hook=str)


class Versions:
    """The code versions of one manifest's nodes. `variables`: the project's, as dbt has them."""

    def __init__(self, manifest: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        self._macros: Mapping[str, Any] = manifest["macros"]
        self._variables = variables
        self._internal = {"dbt", f"dbt_{manifest['metadata'].get('adapter_type', '')}"}
        self._texts: dict[str, tuple[str, ...]] = {}

    def of(self, node: Mapping[str, Any]) -> str:
        """16 hex digits."""
        digest = hashlib.blake2b(digest_size=8)
        config = {name: value for name, value in (node.get("config") or {}).items() if name not in _IRRELEVANT}
        text = node.get("raw_code") or ""
        digest.update(_encoder.encode([node["resource_type"], text, node.get("checksum"), config]))
        digest.update(_encoder.encode([node.get("relation_name"), node.get("contract")]))
        texts = [text, str(config)]
        for macro in sorted(self._reach(node)):
            texts.append(self._macros[macro]["macro_sql"])
            digest.update(texts[-1].encode())
        asked = sorted({found for each in texts for found in _VARIABLE.findall(each)})
        digest.update(_encoder.encode([(kind, name, self._value(kind, name)) for kind, name in asked]))
        return digest.hexdigest()

    def _value(self, kind: str, name: str) -> Any:
        if kind == "env_var":
            return os.environ.get(name)
        return self._variables.get(name)

    def _reach(self, node: Mapping[str, Any]) -> set[str]:
        """The macros of the project and its packages that a node comes to call."""
        found: set[str] = set()
        left = list(node["depends_on"].get("macros") or ())
        while left:
            name = left.pop()
            macro = self._macros.get(name)
            if macro is not None and name not in found and macro["package_name"] not in self._internal:
                found.add(name)
                left += macro["depends_on"].get("macros") or ()
        return found
