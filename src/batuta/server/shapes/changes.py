"""What would change, as the API gives it."""

from __future__ import annotations

from typing import Annotated as A
from typing import Literal

from batuta.core.changes import AssetChange as Change
from batuta.core.changes import Breaking, Changes
from batuta.server.shapes.assets import Reason
from batuta.server.shapes.base import Given, Shape, doc


class ChangesAsked(Given):
    """Assets of which to tell what would change."""

    selection: A[
        str, doc("Which: keys, `layer:gold`, `+gold.revenue`, ...", "layer:gold", min_length=1, max_length=10_000)
    ] = "*"
    partitions: A[str, doc("Only of these: a key, a list `a,b`, or a range `a..b`.", max_length=100_000)] = ""
    environment: A[str, doc("As it would be in this environment; empty: in production.", "dev_anna")] = ""
    diffs: A[bool, doc("Whether to tell how code differs.")] = True


class CodeDiff(Shape):
    """How a text of code differs."""

    name: A[str, doc("Of which function, or other name; empty of a query.", "in_euros")]
    lines: A[
        list[str], doc("Its lines; each begins with `-`, `+`, a space, or `@@`.", ["-    return 1", "+    return 2"])
    ]


class ColumnDifference(Shape):
    """How a column would differ."""

    column: A[str, doc("Its name.", "amount")]
    kind: A[Literal["added", "removed", "type", "nullable"], doc("What of it differs.")]
    before: A[str, doc("Its type now; empty where it is not there.", "int64")]
    after: A[str, doc("Its type then; empty where it would not be there.", "int32")]
    breaking: A[bool, doc("Whether whoever reads it may not stand that.")]


class Reuse(Shape):
    """What would be copied, or left, rather than made again."""

    where: A[str, doc("The environment that has made the same; `production`; or `unchanged`: it is left.", "dev_anna")]
    partitions: A[int, doc("How many partitions of the asset.", 3)]


class AssetChange(Shape):
    """An asset that would be made."""

    asset: A[str, doc("Its key.", "gold.revenue")]
    how: A[
        Literal["added", "changed", "stale", "missing", "downstream"],
        doc(
            "`added`: never made; `changed`: by its code; `stale`: by its data; `missing`: some partitions; "
            "`downstream`: only since something upstream is made."
        ),
    ]
    partitions: A[list[str] | None, doc("Which partitions; null of an asset without any.")]
    partitions_total: A[int, doc("How many partitions there are.", 31)]
    reasons: A[list[Reason], doc("Why; the most frequent first.")]
    reuse: A[list[Reuse], doc("What of it would be copied, or left.")]
    diff: A[list[CodeDiff], doc("How its code differs from that which made it.")]
    note: A[str, doc("Why there is no `diff` where the code has changed.")]
    columns: A[list[ColumnDifference], doc("What would become of its columns.")]


class ReachedAsset(Shape):
    """An asset that a breaking change comes to."""

    asset: A[str, doc("Its key.", "gold.report")]
    columns: A[list[str], doc("Its columns whose values come of it; none: its rows, or not known.", ["amount"])]
    certain: A[bool, doc("False: it reads the asset, and may do so of this column.")]


class BreakingChange(Shape):
    """A change that whoever reads the asset may not stand."""

    asset: A[str, doc("Its key.", "silver.payments")]
    column: A[str, doc("Of which column; empty of the whole asset.", "amount")]
    text: A[str, doc("What breaks.", "amount: removed, it was int64")]
    reached: A[list[ReachedAsset], doc("What it comes to.")]


class ChangesFound(Shape):
    """What would change if what is stale of a selection were made now."""

    environment: A[str, doc("Where; empty: in production.", "dev_anna")]
    selected: A[list[str], doc("The assets that the selection stands for.")]
    assets: A[list[AssetChange], doc("Those that would be made, upstreams first.")]
    removed: A[list[str], doc("Assets that were made, and are not defined any more.")]
    breaking: A[list[BreakingChange], doc("What would break.")]
    fresh: A[list[str], doc("Those that would be left as they are.")]
    afterwards: A[list[str], doc("Assets that are not selected, and would be stale then.")]
    task_runs: A[int, doc("How many task runs it would take.", 12)]


def changes_found(found: Changes, *, visible: set[str] | None, diffs: bool) -> ChangesFound:
    """What was found, of the assets that may be seen (None: all)."""

    def shown(keys: tuple[str, ...]) -> list[str]:
        return [key for key in keys if visible is None or key in visible]

    return ChangesFound(
        environment=found.environment,
        selected=shown(found.selected),
        assets=[_change(one, diffs) for one in found.assets if visible is None or one.key in visible],
        removed=shown(found.removed),
        breaking=[_breaking(one, visible) for one in found.breaking if visible is None or one.asset in visible],
        fresh=shown(found.fresh),
        afterwards=shown(found.afterwards),
        task_runs=found.task_runs,
    )


def _change(one: Change, diffs: bool) -> AssetChange:
    return AssetChange(
        asset=one.key,
        how=one.how,
        partitions=None if one.partitions is None else list(one.partitions),
        partitions_total=one.of,
        reasons=[Reason(reason=text, partitions=count) for text, count in one.reasons],
        reuse=[Reuse(where=where, partitions=count) for where, count in one.reuse.items()],
        diff=[CodeDiff(name=text.name, lines=list(text.lines)) for text in one.diff] if diffs else [],
        note=one.note if diffs else "",
        columns=[
            ColumnDifference(
                column=change.column,
                kind=change.kind,
                before=change.before,
                after=change.after,
                breaking=change.breaking,
            )
            for change in one.columns
        ],
    )


def _breaking(one: Breaking, visible: set[str] | None) -> BreakingChange:
    return BreakingChange(
        asset=one.asset,
        column=one.column,
        text=one.text,
        reached=[
            ReachedAsset(asset=reached.asset, columns=list(reached.columns), certain=reached.certain)
            for reached in one.reached
            if visible is None or reached.asset in visible
        ],
    )
