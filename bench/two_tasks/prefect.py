"""The smallest pipeline in Prefect; run by an environment that has it."""
# mypy: disable-error-code="import-not-found,untyped-decorator"

from prefect import flow, task


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
    return plus_one(one())  # type: ignore[no-any-return, unused-ignore]


if __name__ == "__main__":
    print("result", two(), flush=True)
