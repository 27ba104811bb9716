"""Small tasks for the DAGs of tests."""

from __future__ import annotations

from typing import Any

from batuta import task


@task
def one() -> int:
    return 1


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def numbers(count: int) -> list[int]:
    return list(range(count))


@task
def words() -> dict[str, Any]:
    return {"names": ["x", "y"], "sizes": {"x": 1, "y": 2}}


@task
def pair(a: Any, b: Any) -> tuple[Any, Any]:
    return (a, b)


@task
def total(values: list[int]) -> int:
    return sum(values)


@task
def same(value: Any) -> Any:
    return value


@task
def boom() -> None:
    raise ValueError("boom")
