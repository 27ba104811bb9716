"""Versions of steps: what changes them, and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from batuta.authoring.dag import DAG
from batuta.authoring.operators import PythonOperator, ShellOperator
from batuta.authoring.step_version import step_version
from batuta.authoring.task import task


def double(x: int) -> int:
    return x * 2


def treble(x: int) -> int:
    return x * 3


@task
def add(a: int, b: int) -> int:
    return a + b


ARGUMENTS: list[Any] = [1, 1.0, "1", True, None, [1], [[1]], {"a": 1}, {"b": 1}, double, treble, Path("x"), object()]


def test_what_is_given_in_the_code_counts() -> None:
    versions = [step_version(double, argument) for argument in ARGUMENTS]
    assert len(set(versions)) == len(ARGUMENTS)
    assert versions == [step_version(double, argument) for argument in ARGUMENTS]
    assert step_version(treble, 1) != step_version(double, 1)


def test_objects_count_by_their_type_alone() -> None:
    assert step_version(double, object()) == step_version(double, object())
    assert step_version(double, Path("x")) == step_version(double, Path("y"))


def test_a_task_counts_by_its_function() -> None:
    assert step_version(double, add) == step_version(double, add.with_options(retries=3))
    assert step_version(double, add) == step_version(double, add.fn)


def versions_of(**given: Any) -> dict[str, str]:
    """Of the steps of a DAG that differs in some arguments."""
    with DAG("versions") as dag:
        add(given.get("a", 1), b=2)
        add.partial(a=1).expand(b=given.get("mapped", [1, 2]))
        ShellOperator(given.get("command", "true"), name="shell")
        ShellOperator.partial(name="shells").expand(command=given.get("commands", ["true", "false"]))
        PythonOperator(given.get("function", double), args=[1], name="python")
    return {step.key: step.code_version for step in dag.plan().steps}


@pytest.mark.parametrize(
    ("given", "step"),
    [
        ({"a": 3}, "add"),
        ({"mapped": [1, 3]}, "add__1"),
        ({"command": "false"}, "shell"),
        ({"commands": ["true", "exit 3"]}, "shells"),
        ({"function": treble}, "python"),
    ],
)
def test_an_argument_changes_the_version_of_its_own_step_alone(given: dict[str, Any], step: str) -> None:
    before, after = versions_of(), versions_of(**given)
    assert {key for key in before if before[key] != after[key]} == {step}
