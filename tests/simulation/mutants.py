"""Bugs planted in the core, one at a time, to see that the simulation and the tests catch each of them.

`python -m tests.simulation.mutants` plants all of mutants.txt, `... NAME` one; sources are changed in memory only.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import io
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, ModuleType

CORE = Path(__file__).parents[2] / "src" / "batuta" / "core"
SEEDS = 2_000
TESTS = ["tests/core/test_trigger_rules.py", "tests/core/test_retry.py"]


@dataclass(frozen=True)
class Mutant:
    """One planted bug: in `module`, the lines `right` (there just once) become `wrong`."""

    name: str
    module: str
    right: str
    wrong: str

    def source(self) -> str:
        """The module's text with the bug in it."""
        text = "\n" + (CORE / f"{self.module}.py").read_text()
        count = text.count(f"\n{self.right}\n")
        if count != 1:
            raise LookupError(f"{self.name!r} is {count} times in {self.module}: bring mutants.txt in line with it")
        return text.replace(f"\n{self.right}\n", f"\n{self.wrong}\n")[1:]


def read(text: str) -> list[Mutant]:
    """The mutants of a file: `# name`, `@ module`, then lines that stay (" "), go ("-") or come ("+")."""
    mutants = []
    for block in text.strip().split("\n\n"):
        name, module, *lines = block.splitlines()
        right = [line[1:] for line in lines if line[0] in " -"]
        wrong = [line[1:] for line in lines if line[0] in " +"]
        mutants.append(Mutant(name[2:], module[2:], "\n".join(right), "\n".join(wrong)))
    return mutants


MUTANTS = read(Path(__file__).with_suffix(".txt").read_text())


class _Planted(importlib.machinery.SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(f"batuta.core.{mutant.module}", str(CORE / f"{mutant.module}.py"))
        self.mutant = mutant

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.mutant.source(), self.path, "exec", dont_inherit=True)


class _Planter(MetaPathFinder):
    """Gives one module with a bug in it."""

    def __init__(self, mutant: Mutant) -> None:
        self.loader = _Planted(mutant)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.loader.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.loader.path, loader=self.loader)


def _hunt(mutant: Mutant, seeds: int) -> int:
    """In a process of its own: plant the bug, then look for it."""
    sys.meta_path.insert(0, _Planter(mutant))
    import pytest

    from tests.simulation.simulate import SimulationFailure, simulate

    found = "-"
    for seed in range(seeds):
        try:
            simulate(seed)
        except SimulationFailure:
            found = str(seed + 1)
            break
    tests = [*TESTS, *sorted(str(path) for path in Path("tests/core").glob("test_run*.py"))]
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()):
        failed = pytest.main(["-q", "-x", "-p", "no:cacheprovider", *tests]) != 0
    names = [line.split("::")[1].split(" ")[0] for line in out.getvalue().splitlines() if line.startswith("FAILED")]
    print(f"{found}\t{names[0] if names else 'a test' if failed else '-'}")
    return 0


def hunt_all(mutants: Sequence[Mutant], jobs: int, seeds: int) -> list[Mutant]:
    """Look for each bug in a process of its own; returns those that nobody caught."""
    missed = []

    def hunt(mutant: Mutant) -> tuple[Mutant, str, str]:
        command = [sys.executable, "-m", "tests.simulation.mutants", "--hunt", mutant.name, "--seeds", str(seeds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=CORE.parents[2])
        seed, _, test = done.stdout.strip().partition("\t")
        return mutant, seed or "?", test or done.stderr[-300:]

    print(f"{'planted':48}  {'seeds until caught':>18}  caught by the test")
    with ThreadPoolExecutor(jobs) as pool:
        for mutant, seed, test in pool.map(hunt, mutants):
            print(f"{mutant.name:48}  {seed:>18}  {test}", flush=True)
            if seed in "-?" and test == "-":
                missed.append(mutant)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="plant just these")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"worlds for each bug at most (default {SEEDS})")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--hunt", help=argparse.SUPPRESS)
    options = parser.parse_args()
    by_name = {mutant.name: mutant for mutant in MUTANTS}
    if options.hunt:
        return _hunt(by_name[options.hunt], options.seeds)
    missed = hunt_all([by_name[name] for name in options.names] or MUTANTS, options.jobs, options.seeds)
    print(f"{len(missed)} missed" + "".join(f"\n  {mutant.name}" for mutant in missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
