"""The command: `python -m tests.simulation --seeds 100000` or `--seed 4711 [--story]`."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time

from tests.simulation.simulate import SimulationFailure, simulate, simulate_all

CHUNK = 100


def _chunk(seeds: range) -> tuple[int, str]:
    try:
        return simulate_all(seeds), ""
    except SimulationFailure as failure:
        return 0, str(failure)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many worlds to run (default 10000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default 0)")
    parser.add_argument("--seed", type=int, help="run just this one")
    parser.add_argument("--story", action="store_true", help="with --seed: print what happened")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8), help="processes (default: all cores)")
    options = parser.parse_args()
    if options.seed is not None:
        return _one(options.seed, options.story)
    began = time.monotonic()
    last = options.first + options.seeds
    chunks = [range(first, min(first + CHUNK, last)) for first in range(options.first, last, CHUNK)]
    events = 0
    with multiprocessing.Pool(options.jobs) as pool:
        for number, (count, failure) in enumerate(pool.imap(_chunk, chunks), 1):
            if failure:
                print(failure)
                return 1
            events += count
            if number % 50 == 0:
                print(f"{number * CHUNK} seeds, {events} events, {time.monotonic() - began:.0f} s", flush=True)
    print(f"{options.seeds} seeds hold: {events} events in {time.monotonic() - began:.1f} s")
    return 0


def _one(seed: int, story: bool) -> int:
    try:
        world = simulate(seed, story=story)
    except SimulationFailure as failure:
        print(failure)
        return 1
    if world.story is not None:
        print("\n".join(world.story))
    print(f"seed {seed} holds: {len(world.log)} events, {world.run.state}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
