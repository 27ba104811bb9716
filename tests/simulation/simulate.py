"""Running seeds, and saying how to see a failing one again."""

from __future__ import annotations

from collections.abc import Iterable

from tests.simulation.world import World


class SimulationFailure(AssertionError):
    """A world in which a promise was broken; the text says how to replay it and tells the story."""


def simulate(seed: int, story: bool = False) -> World:
    """Let one world live. Raises SimulationFailure with its story."""
    world = World(seed, keep_story=story)
    try:
        live(world)
    except SimulationFailure:
        if story:
            raise
        return simulate(seed, story=True)  # the same again, this time writing it down
    return world


def live(world: World) -> None:
    """Let a world live. Raises SimulationFailure with what it has written down."""
    try:
        world.live()
    except Exception as error:
        raise SimulationFailure(_report(world, error)) from error


def simulate_all(seeds: Iterable[int]) -> int:
    """Let many worlds live; returns how many events they had."""
    return sum(len(simulate(seed).log) for seed in seeds)


def _report(world: World, error: Exception) -> str:
    lines = [f"seed {world.seed}: {type(error).__name__}: {error}", "", *(world.story or []), ""]
    lines += [f"{task!r}" for task in world.run.graph.runs]
    lines += ["", f"replay it: make simulate SEED={world.seed}"]
    lines += [f"or: python -m tests.simulation --seed {world.seed} --story"]
    return "\n".join(lines)
