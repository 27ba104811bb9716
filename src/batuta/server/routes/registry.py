"""All routes."""

from __future__ import annotations

from typing import Any

from batuta.server.routes.accounts import Access
from batuta.server.routes.artifacts import ArtifactRoutes
from batuta.server.routes.assets import AssetRoutes
from batuta.server.routes.backfills import Backfills
from batuta.server.routes.changes import ChangeRoutes
from batuta.server.routes.environments import Environments
from batuta.server.routes.health import health, ready
from batuta.server.routes.home import HomeRoutes
from batuta.server.routes.jobs import Jobs
from batuta.server.routes.lineage import LineageRoutes
from batuta.server.routes.live import Live
from batuta.server.routes.meta import openapi_document
from batuta.server.routes.metrics import metrics
from batuta.server.routes.oidc import OidcRoutes
from batuta.server.routes.openlineage import OpenLineageRoutes
from batuta.server.routes.runs import Runs
from batuta.server.routes.service import Checks, Locations, Operations, list_terms
from batuta.server.routes.settings import Records, Values
from batuta.server.routes.tasks import Tasks
from batuta.server.routes.tickers import Tickers
from batuta.server.routes.webhooks import send_webhook

CONTROLLERS: tuple[Any, ...] = (
    HomeRoutes,
    Runs,
    Tasks,
    ArtifactRoutes,
    Jobs,
    AssetRoutes,
    ChangeRoutes,
    Checks,
    list_terms,
    LineageRoutes,
    OpenLineageRoutes,
    Tickers,
    Backfills,
    Environments,
    Locations,
    Operations,
    Values,
    Records,
    Live,
    Access,
    OidcRoutes,
    send_webhook,
    openapi_document,
)
ROOT: tuple[Any, ...] = (health, ready, metrics)
