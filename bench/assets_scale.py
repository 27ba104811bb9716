"""100,000 assets in a file: loaded, validated, sorted, encoded, selected; then planned and surveyed for staleness.

    python bench/assets_scale.py [count ...]

Prints seconds per stage, and JSON. The assets stand in a grid of 1,000 columns; each depends on three of the row above.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from batuta.core import definitions as defs
from batuta.core.asset_index import AssetIndex
from batuta.core.asset_plan import plan_assets
from batuta.core.staleness import Recorded, to_make
from batuta.runtime.load import load_location

NOW = datetime(2026, 1, 1, tzinfo=UTC)

PIPELINE = '''
from batuta.authoring.assets import asset

COUNT, WIDTH = {count}, 1000
ROWS = max(COUNT // WIDTH, 1)


def key(row, column):
    layer = ("bronze", "silver", "gold")[row * 3 // ROWS]
    return f"{{layer}}.table_{{row * WIDTH + column}}"


def make(number):
    row, column = divmod(number, WIDTH)

    @asset(
        key(row, column),
        layer=("bronze", "silver", "gold")[row * 3 // ROWS],
        group=f"group_{{column % 50}}",
        owners=["data@example.com"],
        kinds=["parquet"],
        tags={{"domain": f"domain_{{column % 20}}"}},
        deps=[key(row - 1, (column + shift) % WIDTH) for shift in (0, 1, 7)] if row else [],
    )
    def table():
        """One of very many tables."""

    return table


assets = [make(number) for number in range(COUNT)]
'''


def measure(count: int, folder: str) -> dict[str, float]:
    """Seconds of each stage for `count` assets."""
    file = Path(folder, f"pipeline_{count}.py")
    file.write_text(PIPELINE.format(count=count))
    seconds: dict[str, float] = {}
    started = time.perf_counter()

    def stage(name: str) -> None:
        nonlocal started
        now = time.perf_counter()
        seconds[name] = now - started
        started = now

    location = load_location(str(file), folder)
    stage("load")
    definitions = location.definitions()
    stage("validate and sort")
    data = defs.encode(definitions)
    defs.content_hash(data)
    stage("encode and hash")
    index = AssetIndex(definitions)
    selected = index.select(f"+{index.keys[-1]}")
    stage("select")
    seconds["all of that"] = sum(seconds.values())
    assert len(index.keys) == count
    assert not location.problems
    made = {
        (spec.key, ""): Recorded("1", spec.code_version, {dep.asset: "1" for dep in spec.deps})
        for spec in definitions.assets
    }
    made[index.keys[0], ""] = Recorded("2", definitions.assets[0].code_version, {})
    started = time.perf_counter()
    defs.decode(data)
    stage("decode")
    plan = plan_assets(index, selected, now=NOW)
    stage(f"plan of {len(plan.steps)} steps")
    stale = to_make(index, made, set(index.keys), now=NOW)
    stage(f"staleness, {len(stale)} stale")
    return seconds


def main() -> None:
    counts = [int(text) for text in sys.argv[1:]] or [10_000, 100_000]
    results = {}
    for count in counts:
        gc.collect()
        with tempfile.TemporaryDirectory() as folder:
            results[count] = measure(count, folder)
        print(f"{count} assets")
        for name, value in results[count].items():
            print(f"  {name:<30} {value:8.3f} s")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
