"""How long a tick of automation takes at scale: `python -m bench.automation_scale [ASSETS] [PARTITIONED]`.

Layers of eager assets, each of which reads two of the layer before; some of them have 1,000 hourly partitions.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

from batuta.core.asset_index import AssetIndex
from batuta.core.automation import Automation, Changes, Ended, Launched, Made
from batuta.core.automation_state import encode
from batuta.core.condition_recipes import eager
from batuta.core.definitions import AssetDep, AssetSpec, Definitions
from batuta.core.partitions import hourly
from batuta.core.partitions import keys as keys_of

NOW = datetime(2025, 3, 1, tzinfo=UTC)
WIDTH = 100
T = TypeVar("T")


def project(count: int, partitioned: int) -> Definitions:
    """`count` assets, the last `partitioned` of them in chains of ten with 1,000 partitions each."""
    hours = hourly(NOW - timedelta(hours=1000))
    assets: list[AssetSpec] = []
    for number in range(count - partitioned):
        row, column = divmod(number, WIDTH)
        ups = [] if row == 0 else [(row - 1) * WIDTH + (column + step) % WIDTH for step in (0, 1)]
        deps = tuple(AssetDep(f"a{up}") for up in ups)
        assets.append(AssetSpec(f"a{number}", f"a{number}", deps, code_version="1", automation=eager()))
    for number in range(partitioned):
        deps = () if number % 10 == 0 else (AssetDep(f"p{number - 1}"),)
        key = f"p{number}"
        assets.append(AssetSpec(key, key, deps, partitions=hours, code_version="1", automation=eager()))
    return Definitions(assets=tuple(assets))


def main(count: int = 10_000, partitioned: int = 100) -> None:
    """Print a line for each kind of tick."""
    definitions = project(count, partitioned)
    index = timed("index", lambda: AssetIndex(definitions))
    at = NOW.timestamp() - 60
    hours = [asset for asset in definitions.assets if asset.partitions is not None]
    automation = timed("load", lambda: Automation(index, NOW))
    keys = keys_of(hours[0].partitions, NOW) if hours and hours[0].partitions else []
    made = [Made(asset.key, "", at, 1, "v1", "1") for asset in definitions.assets if asset.partitions is None]
    made += [Made(asset.key, key, at, 1, "v1", "1") for asset in hours for key in keys]
    automation = timed(f"load with {len(made):,} partitions made", lambda: Automation(index, NOW, made=made))
    timed("first tick (all assets)", lambda: automation.tick(Changes(), NOW))
    for second in range(3):
        timed("tick without news", partial(automation.tick, Changes(), NOW + timedelta(seconds=second)))
    last = range(count - partitioned - WIDTH, count - partitioned)
    leaves = [Made(f"a{number}", "", at, 1, "v2", "1") for number in last]
    timed(
        "tick: 100 assets made, none below", partial(automation.tick, Changes(made=leaves), NOW + timedelta(seconds=4))
    )
    timed("tick: afterwards", partial(automation.tick, Changes(), NOW + timedelta(seconds=5)))
    news = [Made(f"a{number}", "", at, 1, "v2", "1") for number in range(min(WIDTH, count - partitioned))]
    decision = timed(
        "tick: 100 assets made, 9,800 below", lambda: automation.tick(Changes(made=news), NOW + timedelta(seconds=9))
    )
    wanted = sum(len(partitions) for request in decision.requests for partitions in request.targets.values())
    print(f"    evaluated {decision.evaluated:,}, requested {wanted:,} in {len(decision.requests)} runs")
    launched = [Launched(request.key, number + 2) for number, request in enumerate(decision.requests)]
    timed("tick: runs launched", lambda: automation.tick(Changes(launched=launched), NOW + timedelta(seconds=10)))
    ended = [Ended(request.key, failed=False) for request in decision.requests]
    timed("tick: runs ended", lambda: automation.tick(Changes(ended=ended), NOW + timedelta(seconds=11)))
    timed("tick: afterwards", lambda: automation.tick(Changes(), NOW + timedelta(seconds=12)))
    timed("tick: without news", lambda: automation.tick(Changes(), NOW + timedelta(seconds=13)))
    if hours:
        one = [Made(hours[0].key, key, at, 1, "v2", "1") for key in keys[:500]]
        timed("tick: 500 partitions made", lambda: automation.tick(Changes(made=one), NOW + timedelta(seconds=20)))
        timed("tick: an hour later", lambda: automation.tick(Changes(), NOW + timedelta(hours=1)))
    state = timed("state", automation.state)
    print(f"    {len(timed('encode', lambda: encode(state))):,} bytes")


def timed(what: str, call: Callable[[], T]) -> T:
    """Print how long a call takes."""
    start = time.perf_counter()
    found = call()
    print(f"{(time.perf_counter() - start) * 1000:10.2f} ms  {what}")
    return found


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
