"""The text of the code that made assets, kept once for each version of it: see `rows.CodeRow`.

What no asset, in production or in an environment, was made by any more is forgotten with old runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from batuta.store.database import Database, Row
from batuta.store.rows import CodeRow


class CodeBook:
    """See the module."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def of(self, assets: Iterable[str]) -> dict[tuple[str, str], bytes]:
        """The code of these assets by key and code version."""
        rows = self._database.rows("asset_code_of", assets=json.dumps([*assets]))
        return {(asset, version): code.encode() for asset, version, code in rows}


def code_rows(rows: Iterable[CodeRow]) -> list[Row]:
    """The rows of a commit: one for each key, in one order, so that two commits never wait for each other."""
    first: dict[tuple[str, str], CodeRow] = {}
    for row in rows:
        first.setdefault((row.asset, row.code_version), row)
    return [(*key, row.code.decode(), row.run_id, row.at) for key, row in sorted(first.items())]
