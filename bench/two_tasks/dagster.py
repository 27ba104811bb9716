"""The smallest pipeline in Dagster; run by an environment that has it, with DAGSTER_HOME set."""
# mypy: disable-error-code="import-not-found,untyped-decorator"

from dagster import DagsterInstance, job, op


@op
def one() -> int:
    """One."""
    return 1


@op
def plus_one(number: int) -> int:
    """One more."""
    return number + 1


@job
def two() -> None:
    """One and one."""
    plus_one(one())


if __name__ == "__main__":
    with DagsterInstance.get() as instance:
        print("result", two.execute_in_process(instance=instance).output_for_node("plus_one"), flush=True)
