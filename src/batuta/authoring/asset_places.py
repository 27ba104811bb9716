"""Loading assets where a run has them: in its environment, or in production.

Of one asset some partitions may be in the environment and the others in production: each part is loaded where it is,
and they are put together as if they lay in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from batuta.core.environments import stored_key
from batuta.io.base import InputContext, IOManager
from batuta.io.scan import Scan, scanned

if TYPE_CHECKING:
    from batuta.authoring.asset_graph import AssetGraph

Places = Mapping[str, str]
"""In which environment each partition of an asset is ("": production); those that are not there are in production."""

NO_PLACES: Places = {}


def by_place(keys: Sequence[str] | None, places: Places) -> list[tuple[str, tuple[str, ...] | None]]:
    """Environments, each with the partitions that are there; None: the asset has no partitions."""
    if keys is None:
        return [(places.get("", ""), None)]
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(places.get(key, ""), []).append(key)
    return [(environment, tuple(those)) for environment, those in found.items()] or [("", ())]


@contextmanager
def scan(
    graph: AssetGraph, asset: str, keys: Sequence[str] | None, downstream: str, places: Places = NO_PLACES
) -> Iterator[Scan]:
    """The same as a table that is asked in SQL, where it is kept; what is in two places is loaded for that."""
    parts = by_place(keys, places)
    if len(parts) == 1:
        ((environment, those),) = parts
        context = InputContext(
            asset=stored_key(asset, environment),
            partitions=those or (),
            partitioned=those is not None,
            downstream=downstream,
        )
        with IOManager.scan_of(graph.io_of(asset), context) as found:
            yield found
        return
    with scanned(load(graph, asset, keys, None, downstream, places), f"asset {asset!r}") as found:
        yield found


def load(
    graph: AssetGraph,
    asset: str,
    keys: Sequence[str] | None,
    annotation: Any,
    downstream: str,
    places: Places = NO_PLACES,
) -> Any:
    """The value of an asset, or of these partitions of it."""
    values = []
    for environment, those in by_place(keys, places):
        context = InputContext(
            asset=stored_key(asset, environment),
            partitions=those or (),
            partitioned=those is not None,
            annotation=annotation,
            downstream=downstream,
        )
        values.append(graph.io_of(asset).load(context))
    if len(values) == 1:
        return values[0]
    from batuta.io.joining import joined

    return joined(values, annotation, tuple(keys or ()), f"asset {asset!r}")
