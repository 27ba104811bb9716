"""Environments as stored: which there are, and what was made and checked in each.

Surprising: an environment is made anew by a commit of a run in it, so that one that was dropped under a run does not
take that run's other records with it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from batuta.store import audit
from batuta.store.database import Database
from batuta.store.queries import check_row, materialization_row
from batuta.store.rows import Audit, CheckRow, EnvironmentRow, MaterializationRow

Pair = tuple[str, str]


class EnvironmentBook:
    """See the module."""

    def __init__(self, database: Database[Any]) -> None:
        self._database = database

    def all(self) -> list[EnvironmentRow]:
        """All of them, by name."""
        return [EnvironmentRow(*row) for row in self._database.rows("all_environments")]

    def make(self, name: str, *, by: str, now: float, description: str = "") -> bool:
        """Make one; False where it is there already."""
        with self._database.transaction() as transaction:
            (made,) = transaction.each([("put_environments", [(name, description, now, by)])])
            if made:
                audit.append(transaction, [Audit(by, "create", "environment", name)], now)
        return bool(made)

    def drop(self, name: str, *, by: str, now: float) -> bool:
        """Forget one and all that was recorded in it; False where it is not there. Data is for the caller to delete."""
        with self._database.transaction() as transaction:
            gone = transaction.run("delete_environment", name=name)
            if gone:
                audit.append(transaction, [Audit(by, "drop", "environment", name)], now)
        return bool(gone)

    def states(self, name: str, assets: Iterable[str] | None = None) -> dict[Pair, MaterializationRow]:
        """What was made in an environment, of all assets or of these."""
        listed = None if assets is None else json.dumps([*assets])
        rows = self._database.rows("environment_states", environment=name, assets=listed)
        return {(row[0], row[1]): materialization_row(row) for row in rows}

    def made_by(self, run_id: int) -> list[MaterializationRow]:
        """What a run made in its environment, and was not made again since."""
        rows = self._database.rows("environment_states_of_run", run_id=run_id)
        return [materialization_row(row) for row in rows]

    def judged_by(self, run_id: int) -> list[CheckRow]:
        """What a run found of checks in its environment, and was not evaluated again since."""
        return [check_row(row) for row in self._database.rows("environment_verdicts_of_run", run_id=run_id)]

    def verdicts(self, name: str) -> dict[tuple[str, str, str], CheckRow]:
        """The last verdicts of checks in an environment, by asset, check, partition."""
        rows = self._database.rows("environment_verdicts", environment=name)
        return {(row[0], row[1], row[2]): check_row(row) for row in rows}

    def forget(self, name: str, asset: str) -> None:
        """Forget what was made of an asset in an environment, so that production's is read again."""
        with self._database.transaction() as transaction:
            transaction.run("delete_environment_asset", environment=name, asset=asset)

    def having(self, asset: str, partition: str, code_version: str) -> list[tuple[str, MaterializationRow]]:
        """What any environment has of a partition that was made by this code, newest first."""
        rows = self._database.rows("environments_with", asset=asset, partition=partition, code_version=code_version)
        return [(row[0], materialization_row(row[1:])) for row in rows]
