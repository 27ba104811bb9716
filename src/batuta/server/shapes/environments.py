"""Environments as the API takes and gives them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated as A
from typing import Literal

from batuta.server.shapes.base import Given, Shape, doc
from batuta.server.shapes.runs import Run


class Environment(Shape):
    """A place of one's own over production's data."""

    name: A[str, doc("Its name.", "dev_anna")]
    description: A[str, doc("What it is for.")]
    created_at: A[datetime, doc("When it was made.")]
    created_by: A[str, doc("Who made it.", "anna")]
    assets: A[int, doc("How many assets were made in it.", 3)]
    partitions: A[int, doc("How many partitions of them.", 12)]
    made_at: A[datetime | None, doc("When something was made in it last.")]


class EnvironmentList(Shape):
    """All environments."""

    items: A[list[Environment], doc("The environments, by name.")]


class AssetDifference(Shape):
    """How an asset of an environment differs from production's."""

    asset: A[str, doc("Its key.", "gold.revenue")]
    how: A[Literal["new", "changed", "same"], doc("`new`: production has none of it; `changed`: other data; `same`.")]
    partitions: A[list[str], doc("The partitions that differ; one that is empty where it has none.", ["2026-01-31"])]
    code_changed: A[bool, doc("Whether other code made it.", True)]
    rows: A[int | None, doc("Rows of the newest of them.", 1200)]
    rows_in_production: A[int | None, doc("Rows of the same in production.", 1100)]
    columns_added: A[list[str], doc("Columns that production has not.", ["euros"])]
    columns_removed: A[list[str], doc("Columns that only production has.")]
    types_changed: A[list[str], doc("Columns of another type, in words.", ["euros int64 → float64"])]
    checks_failed: A[list[str], doc("Blocking checks that have failed there.", ["has_rows"])]
    defined: A[bool, doc("Whether it is defined now; what is not can be neither promoted nor cleared.", True)]


class EnvironmentDetail(Shape):
    """An environment with what it has."""

    environment: A[Environment, doc("The environment.")]
    differences: A[list[AssetDifference], doc("What was made in it, in the order of the graph.")]


class Drop(Given):
    """How an environment is to be dropped."""

    keep_data: A[bool, doc("Forget it at once, and leave its tables and files where they are.")] = False


class Dropped(Shape):
    """An environment that is dropped, or is about to be."""

    run: A[Run | None, doc("The run that deletes its data, and forgets it with that; null: it is forgotten.")]
    left: A[list[str], doc("Assets that are not defined now, whose data stay where they are.", ["gold.old"])]


class Promote(Given):
    """What of an environment is to be taken to production."""

    selection: A[str, doc("The assets; empty: all that it has.", "layer:gold", max_length=10_000)] = ""
