"""The planted bugs fit the code as it is, and a bug that is planted is found."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, Mutant, hunt_all


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_it_fits(mutant: Mutant) -> None:
    compile(mutant.source(), mutant.module, "exec")


def test_names_are_different() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_a_planted_bug_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = [mutant for mutant in MUTANTS if mutant.name == "superseded attempts are heard"]
    assert hunt_all(chosen, jobs=1, seeds=20) == []
    assert "test_a_superseded_attempt_changes_nothing" in capsys.readouterr().out
