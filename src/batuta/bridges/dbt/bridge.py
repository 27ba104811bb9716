"""The bridge to dbt: described from what is kept, parsed anew when something changed, and run in warm workers.

The host parses (or takes what was parsed before); workers are forked from it with the manifest in memory. Surprising:
what a worker runs is the manifest that was described, whatever the files have become since.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from batuta.authoring.context import StepContext
from batuta.bridges.dbt.caching import About, Cache, Compiled
from batuta.bridges.dbt.describe import describe
from batuta.bridges.dbt.fingerprint import environment_hash, fingerprint, project_files
from batuta.bridges.dbt.settings import settings_of
from batuta.bridges.dbt.targets import Described
from batuta.core.definitions import Definitions
from batuta.core.errors import BatutaError, InvariantError, RequestError
from batuta.runtime.project import LocationConfig, Project

if TYPE_CHECKING:
    from batuta.bridges.dbt.invocation import Invocation
    from batuta.bridges.dbt.session import Session


class DbtBridge:
    """See `bridges.port.Bridge`."""

    def __init__(self, project: Project, location: LocationConfig) -> None:
        self.settings = settings_of(project, location)
        self.workers_max: int | None = None
        self.rests = False
        self._cache = Cache(self.settings.work)
        self._key = ""
        self._files: list[str] = []
        self._described: Described | None = None
        self._invocation: Invocation | None = None
        self._trouble: BatutaError | None = None
        self._session: Session | None = None

    # ---- in the host ----

    def describe(self) -> Definitions:
        """See the port. Raises LoadError for a project that dbt does not parse."""
        import os

        from batuta.bridges.dbt.settings import DATA_VARIABLE

        os.environ[DATA_VARIABLE] = self.settings.data
        self._files = project_files(self.settings)
        self._key = fingerprint(self.settings, self._files)
        found = self._cache.find(self._key)
        self._described, about = self._parsed() if found is None else found
        self.workers_max, self.rests = about.workers_max, about.rests
        return self._described.definitions

    def _parsed(self) -> tuple[Described, About]:
        from batuta.bridges.dbt.compiling import compiled_texts
        from batuta.bridges.dbt.databases import database_file
        from batuta.bridges.dbt.invocation import Invocation
        from batuta.bridges.dbt.versions import Versions

        invocation = self._invocation = Invocation(self.settings)
        data, variables = invocation.as_data(), invocation.variables
        known = Compiled(self.settings.work)
        texts = compiled_texts(invocation, Versions(data, variables), data, known.known())
        known.keep(texts)
        described = describe(data, self.settings, variables, texts)
        alone = database_file(invocation.config.credentials) is not None
        names = tuple(sorted(invocation.environment_variables))
        about = About(names, environment_hash(names), 1 if alone else invocation.config.threads, alone)
        self._cache.keep(self._key, described, about, invocation.packed())
        return described, about

    def files(self) -> Sequence[str]:
        """See the port."""
        return self._files

    def warm_up(self) -> None:
        """See the port: dbt imported, the manifest in memory. What is wrong is told by the steps."""
        from batuta.bridges.dbt.invocation import Invocation

        try:
            if self._invocation is None:
                self._invocation = Invocation(self.settings, self._cache.manifest(self._key))
        except BatutaError as error:
            self._trouble = error
        except OSError as error:
            self._trouble = RequestError(f"the manifest that was kept is gone: {error}", hint="start it again")

    # ---- in a worker ----

    def run_step(self, context: StepContext, hands_over: bool) -> Any:
        """See the port."""
        from batuta.bridges.dbt.problems import outside_nodes
        from batuta.bridges.dbt.session import Session

        if self._trouble is not None:
            raise self._trouble
        if self._described is None or self._invocation is None:
            raise InvariantError("a step was run before the project was described")
        target = self._described.targets.get(context.step)
        if target is None:
            raise InvariantError(f"there is no step {context.step!r}", hint="it was there when the run was planned")
        if self._session is None:
            assets = self._described.definitions.assets
            queries = {one.key: one.sql for one in assets if one.sql is not None}
            nodes = {one.metadata["dbt_node"]: one.key for one in assets if "dbt_node" in one.metadata}
            self._session = Session(self._invocation, queries, nodes)
        try:
            return self._session.run(context, target)
        except Exception as error:
            told = outside_nodes(error, self.settings.root)
            if told is error:
                raise
            raise told from error
        finally:
            if hands_over:
                self._session.close()

    def rest(self) -> None:
        """See the port."""
        if self._session is not None:
            self._session.close()

    def evaluate(self, what: str, data: dict[str, Any]) -> dict[str, Any]:
        """See the port: nothing of a dbt project is evaluated but its nodes."""
        raise RequestError(f"a dbt project has nothing to say about {what!r}", where=self.settings.root)
