"""The incremental evaluation of automation is the full one: over random projects and histories, tick by tick."""

from __future__ import annotations

from collections import Counter

import hypothesis.strategies as st
from hypothesis import given, settings

from batuta.core.automation import Automation, Decision, Launched
from batuta.core.automation_state import Kept, decode, encode
from tests.core.automation_histories import Dice, World, project, worked_on
from tests.core.automation_oracle import Oracle

EXAMPLES = 400


@settings(max_examples=EXAMPLES)
@given(seed=st.integers(0, 2**40), assets=st.integers(1, 6), ticks=st.integers(1, 12))
def test_a_tick_requests_what_a_full_evaluation_of_the_whole_history_requests(
    seed: int, assets: int, ticks: int
) -> None:
    compare(seed, assets, ticks)


def compare(seed: int, assets: int, ticks: int) -> Counter[str]:
    """Run one history through both. Returns how much happened."""
    dice = Dice(seed)
    world = World(dice, project(dice, assets))
    dynamic = {"customers": list(world.customers)}
    automation = Automation(world.index, world.now, dynamic_keys=dynamic)
    oracle = Oracle(world.index, dict(dynamic), world.now)
    seen: Counter[str] = Counter()
    for _ in range(ticks):
        what = dice.choice(["go on", "go on", "go on", "work", "restart"])
        if what == "work":
            world.index = oracle.index = worked_on(dice, world.index)
            automation.redefine(world.index)
        elif what == "restart" and _is_known_from_the_last(world):
            automation = _restarted(automation, world)
            seen["restarts"] += 1
        changes = world.go_on(oracle.fresh)
        decision = automation.tick(changes, world.now)
        assert _by_asset(decision) == oracle.tick(changes, world.now)
        _assert_remembers_the_same(automation, oracle, world, seen)
        oracle.fresh = decision.requests
        seen["requests"] += len(decision.requests)
        seen["skipped"] += len(oracle.known) - decision.evaluated
    return seen


def _restarted(automation: Automation, world: World) -> Automation:
    """Another process, which knows what is in the store and what the one before kept."""
    return Automation(
        world.index,
        world.now,
        state=decode(encode(automation.state())),
        made=world.made.values(),
        judged=world.judged.values(),
        launched=[Launched(key, run_id, targets) for key, (run_id, targets) in world.open.items()],
        dynamic_keys={"customers": list(world.customers)},
    )


def _is_known_from_the_last(world: World) -> bool:
    """Whether what each open run made is still what was made last: all that the store tells."""
    return all(world.made[pair].run_id == world.open[key][0] for key in world.open for pair in world.done[key])


def _by_asset(decision: Decision) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for request in decision.requests:
        for asset, partitions in request.targets.items():
            assert asset not in found
            found[asset] = frozenset(partitions)
    return found


def _assert_remembers_the_same(automation: Automation, oracle: Oracle, world: World, seen: Counter[str]) -> None:
    state = automation.state()
    assert state.roots.keys() == oracle.known.keys()
    for root, kept in state.roots.items():
        assert _keys(kept.held, root, world) == oracle.held[root], root
        nodes = [(name.partition(":")[2] or root, subset) for name, subset in kept.nodes.items()]
        found = Counter((asset, _keys(subset, asset, world)) for asset, subset in nodes)
        assert found == Counter((asset, keys) for (_, asset), keys in oracle.memory[root].items() if keys), root
        seen["held"] += bool(oracle.held[root])
        seen["nodes"] += len(nodes)


def _keys(kept: Kept, asset: str, world: World) -> frozenset[str]:
    if isinstance(kept, list):
        return frozenset(kept)
    bits = int(kept, 16)
    return frozenset(key for place, key in enumerate(world.keys(asset)) if bits >> place & 1)


def test_the_histories_have_everything_in_them_that_could_go_wrong() -> None:
    total: Counter[str] = Counter()
    for seed in range(60):
        total += compare(seed, 5, 8)
    assert min(total[what] for what in ("requests", "held", "nodes", "skipped", "restarts")) > 50, total
