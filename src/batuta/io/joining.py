"""Values of several partitions that were loaded apart, put together as one IO manager would have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from batuta.core.errors import ResultError
from batuta.io import frames
from batuta.io.frames import wants


def joined(values: Sequence[Any], annotation: Any, keys: Sequence[str], what: str) -> Any:
    """One value of several, as the consumer is annotated with. `keys`: the order of partitions in a dict.

    Raises ResultError for values that cannot be put together.
    """
    if all(isinstance(value, Mapping) for value in values):
        found = {key: one for value in values for key, one in value.items()}
        return {key: found[key] for key in dict.fromkeys((*keys, *found)) if key in found}
    if all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    kinds = {frames.kind_of(value) for value in values}
    if None not in kinds and len(kinds) == 1:
        return _tables(values, kinds.pop())
    if wants(annotation).kind == "rows":
        return list(values)
    shown = ", ".join(sorted({type(value).__name__ for value in values}))
    raise ResultError(
        f"{what}: partitions of an environment and of production cannot be put together ({shown})",
        hint="annotate the parameter with a frame, a list, or a dict of partitions; or make all of them in one place",
    )


def _tables(values: Sequence[Any], kind: Any) -> Any:
    """Columns that only some of them have are null in the others."""
    match kind:
        case "polars" | "lazy":
            import polars as pl

            return pl.concat(values, how="diagonal_relaxed")
        case "pandas":
            import pandas as pd

            return pd.concat(values, ignore_index=True)
        case "duckdb":
            return frames.from_arrow(_arrow(values), "duckdb")
        case _:
            return _arrow(values)


def _arrow(values: Sequence[Any]) -> Any:
    pa = frames.pyarrow()
    tables = [frames.to_arrow(value, frames.kind_of(value) or "stream") for value in values]
    return pa.concat_tables(tables, promote_options="permissive")
