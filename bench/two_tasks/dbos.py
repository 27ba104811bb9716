"""The smallest pipeline in DBOS; run by an environment that has it."""
# mypy: disable-error-code="import-not-found,untyped-decorator"

from dbos import DBOS


@DBOS.step()
def one() -> int:
    """One."""
    return 1


@DBOS.step()
def plus_one(number: int) -> int:
    """One more."""
    return number + 1


@DBOS.workflow()
def two() -> int:
    """One and one."""
    return plus_one(one())  # type: ignore[no-any-return, unused-ignore]


if __name__ == "__main__":
    DBOS(config={"name": "two", "system_database_url": "sqlite:///two.sqlite"})
    DBOS.launch()
    print("result", two(), flush=True)
    DBOS.destroy()
