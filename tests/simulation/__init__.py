"""The deterministic simulation of the run state machine: a whole world in which everything that can go wrong does.

`python -m tests.simulation --seeds 100000` runs many worlds, `--seed 4711 --story` replays one and tells its story.
"""
