"""The smallest pipeline in Batuta."""

from batuta import flow, task


@task
def one() -> int:
    """One."""
    return 1


@task
def plus_one(number: int) -> int:
    """One more."""
    return number + 1


@flow
def two() -> int:
    """One and one."""
    return plus_one(one())


if __name__ == "__main__":
    print("result", two(), flush=True)
