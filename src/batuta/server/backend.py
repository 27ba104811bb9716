"""What handlers work with: the store, what is defined, how assets are, who is told of news; one per server.

With a scheduler in the same process its parts are used directly (launching validates parameters with the user's own
code); without one, runs are queued and requests written for whichever scheduler takes them.
"""

from __future__ import annotations

import functools
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from batuta.core import definitions as model
from batuta.core import plan as plans
from batuta.core.definitions import Definitions
from batuta.core.external_lineage import External
from batuta.core.lineage import Lineage
from batuta.core.plan import Plan
from batuta.engine.external import rules_of
from batuta.runtime.project import Project
from batuta.server.asking import Asking
from batuta.server.asset_states import AssetStates, AssetStatesKeeper
from batuta.server.catalog import Catalog, CatalogKeeper
from batuta.server.columns import ColumnsKeeper
from batuta.server.external import ExternalKeeper
from batuta.server.links import Links
from batuta.server.oidc import Oidc
from batuta.server.problems import NotFound
from batuta.store.rows import Audit, RunRow
from batuta.store.store import Store

if TYPE_CHECKING:
    from batuta.engine.column_lineage import ColumnKnowledge
    from batuta.runtime.lookups import Lookups
    from batuta.scheduler.metrics import Metrics
    from batuta.scheduler.service import Service

_PLANS_MAX = 200
_VERSIONS_MAX = 8


class Backend:
    """See the module. Safe to use from many threads."""

    def __init__(self, store: Store, project: Project, *, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.own_project = project
        """As this server has it; where a scheduler is part of the process, that one's counts."""
        self.clock = clock
        self.wake: Callable[..., None] = lambda *_: None
        """Tells the scheduler in this process, if there is one, that there is something for it to do."""
        oidc = project.config.server.oidc
        self.oidc: Oidc | None = (
            Oidc(oidc, lambda: self.lookups.text("secret", oidc.client_secret)) if oidc.issuer else None
        )
        self.logins: list[str] = ["password", *(["oidc"] if oidc.issuer else [])]
        """How one can log in."""
        self.service: Service | None = None
        """The scheduler in this process."""
        self.asking = Asking(self)
        self.links = Links()
        self._catalogs = CatalogKeeper(store)
        self._states = AssetStatesKeeper(store, clock)
        self._columns = ColumnsKeeper(store)
        self._external = ExternalKeeper(store)
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._versions: OrderedDict[tuple[str, str], Definitions] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def project(self) -> Project:
        """The project, as it is configured now."""
        return self.own_project if self.service is None else self.service.project

    @functools.cached_property
    def lookups(self) -> Lookups:
        """Where variables, connections and secrets are looked up."""
        from batuta.runtime.vault import lookups

        return lookups(self.project, self.store)

    @property
    def metrics(self) -> Metrics:
        """Those of the scheduler in this process, or of the store alone."""
        return self._metrics if self.service is None else self.service.observing.metrics

    @functools.cached_property
    def _metrics(self) -> Metrics:
        from batuta.scheduler.metrics import Metrics

        return Metrics(self.store, clock=self.clock)

    @property
    def home(self) -> str:
        """Where logs are."""
        return self.project.home

    @property
    def catalog(self) -> Catalog:
        """What is defined now."""
        return self._catalogs.current()

    def columns(self) -> ColumnKnowledge:
        """What is known of columns now."""
        return self._columns.current(self.catalog, self.external())

    def external(self) -> External:
        """What runs elsewhere, as far as it is known now."""
        return self._external.current(rules_of(self.project), self.asset_states)

    def lineage(self) -> Lineage:
        """What is made from what: of all locations, and elsewhere."""
        return self._external.lineage(self.catalog, self.external())

    def asset_states(self) -> AssetStates:
        """How all assets are now."""
        return self._states.current(self.catalog)

    def run(self, run_id: int) -> RunRow:
        """A run by number. Raises NotFound."""
        row = self.store.run(run_id) if 0 < run_id < 2**63 else None
        if row is None:
            raise NotFound(f"there is no run {run_id}", hint="GET /api/v1/runs lists them")
        return row

    def plan(self, plan_hash: str) -> Plan:
        """The plan that a run is pinned to. Raises NotFound."""
        with self._lock:
            if plan_hash in self._plans:
                self._plans.move_to_end(plan_hash)
                return self._plans[plan_hash]
        data = self.store.plan(plan_hash)
        if data is None:
            raise NotFound(f"the plan {plan_hash} is gone")
        found = plans.decode(data)
        with self._lock:
            self._plans[plan_hash] = found
            if len(self._plans) > _PLANS_MAX:
                self._plans.popitem(last=False)
        return found

    def definitions_then(self, location: str, version: str) -> Definitions | None:
        """What a code location defined in that version; None where it was not kept."""
        key = (location, version)
        with self._lock:
            if key in self._versions:
                self._versions.move_to_end(key)
                return self._versions[key]
        data = self.store.definitions_kept(location, version)
        if data is None:
            return None
        found = model.decode(data)
        with self._lock:
            self._versions[key] = found
            if len(self._versions) > _VERSIONS_MAX:
                self._versions.popitem(last=False)
        return found

    def note(self, actor: str, action: str, kind: str, name: str, **data: Any) -> None:
        """Write into the audit log."""
        self.store.audit(Audit(actor, action, kind, name, data), now=self.clock())

    def logs_path(self) -> str:
        """The folder of all logs."""
        return os.path.join(self.home, "logs")
