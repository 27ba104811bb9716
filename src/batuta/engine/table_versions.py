"""Which version of an asset's table a run wrote, as it was recorded with what the run made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from batuta.core.environments import CONFIG
from batuta.core.errors import RequestError
from batuta.io.versions import TABLE_VERSION

if TYPE_CHECKING:
    from batuta.store.store import Store


def versions_written(store: Store, asset: str, run: int) -> tuple[str, list[str]]:
    """The environment of the run, and the versions; none where it did not make the asset. Raises RequestError."""
    row = store.run(run)
    if row is None:
        raise RequestError(f"there is no run {run}", hint="`batuta runs list` shows the last ones")
    environment = str(row.config.get(CONFIG, ""))
    made = store.environments.made_by(run) if environment else store.materializations(asset, run_id=run)
    found = []
    for one in made:
        version = msgspec.json.decode(one.metadata or b"{}").get(TABLE_VERSION)
        if one.asset == asset and version:
            found.append(str(version))
    return environment, found
