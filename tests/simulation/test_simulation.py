"""The simulation over the seeds asked for (`--seeds`, `--seed`), and that it reaches what it is there for."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.simulate import SimulationFailure, live, simulate, simulate_all
from tests.simulation.world import World


@pytest.mark.simulation
def test_promises_hold(seeds: range) -> None:
    assert simulate_all(seeds) > 0


def test_a_seed_is_the_same_world_every_time() -> None:
    for seed in range(50):
        first, second = simulate(seed), simulate(seed)
        assert first.log == second.log


def test_worlds_are_eventful() -> None:
    """A simulation in which nothing goes wrong shows nothing."""
    seen: Counter[str] = Counter()
    for seed in range(400):
        world = simulate(seed, story=True)
        seen.update(type(event).__name__ for event in world.log)
        seen.update(f"task {task.state}" for task in world.run.graph.runs)
        seen.update(f"rule {task.node.spec.trigger_rule}" for task in world.run.graph.runs)
        seen.update([f"run {world.run.state}", f"kind {world.plan.kind}"])
        seen["crash"] += sum(line.startswith("CRASH") for line in world.story or [])
    rare = {name: count for name, count in seen.items() if count < 5}
    assert not rare
    expected = {"crash", "RestartAsked", "CancelAsked", "TasksRequested", "TasksDropped", "AttemptLost", "InputGiven"}
    expected |= {
        "AttemptDeferred",
        "TimerFired",
        "TriggerFired",
        "run failed",
        "run succeeded",
        "run cancelled",
        "rule one_failed",
    }
    expected |= {"task upstream_failed", "task skipped", "task cancelled", "kind flow", "kind dag", "kind assets"}
    assert expected <= set(seen)


def test_a_failure_says_how_to_see_it_again() -> None:
    world = World(7, keep_story=True)
    world.run.graph.nodes[0].every_pending += 1
    with pytest.raises(SimulationFailure) as caught:
        live(world)
    assert "make simulate SEED=7" in str(caught.value)
    assert "0.0 RunStarted" in str(caught.value)
