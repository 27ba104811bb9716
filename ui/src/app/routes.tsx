// Every URL of the UI, and the view that draws it, loaded when somebody first goes there. A view is a folder of
// src/views/ and touches nothing here but its own line.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { accessQueries } from "@/api/access";
import { queryClient } from "@/api/live";
import { parseSearch, stringifySearch, type Search } from "@/app/search";
import { AppFrame } from "@/app/shell/AppFrame";
import { Broken, NotFound } from "@/app/shell/Broken";

const root = createRootRoute({ component: Outlet, validateSearch: (search: Record<string, unknown>) => search as Search });

const login = createRoute({
  getParentRoute: () => root,
  path: "/login",
  component: lazyRouteComponent(() => import("@/views/login/LoginPage"), "LoginPage"),
});

/** All that is within the frame: for those who are logged in. */
const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: AppFrame,
  notFoundComponent: NotFound,
  beforeLoad: async ({ location }) => {
    const me = await queryClient.ensureQueryData(accessQueries.me()).catch(() => undefined);
    if (me?.method === "none") throw redirect({ to: "/login", search: { next: location.href } });
  },
});

const loads = new Map<string, () => Promise<unknown>>();

/** Begin to load the view that the browser's URL names, before anything else is known. */
export function loadAhead(): void {
  const route = router.matchRoutes(router.latestLocation).at(-1)?.fullPath ?? "";
  void loads.get(route)?.().catch(() => undefined); // whoever needs it says so
}

// One line for each view: its path, its file, the name of its component.
const view = <const Path extends string, Name extends string>(
  path: Path,
  load: () => Promise<Record<Name, React.ComponentType>>,
  name: Name,
) => {
  loads.set(path, load);
  return createRoute({
    getParentRoute: () => app,
    path,
    component: lazyRouteComponent(load as () => Promise<Record<string, React.ComponentType>>, name),
  });
};

const views = [
  view("/", () => import("@/views/home/HomePage"), "HomePage"),
  view("/lineage", () => import("@/views/lineage/LineagePage"), "LineagePage"),
  view("/assets", () => import("@/views/assets/AssetsPage"), "AssetsPage"),
  view("/assets/$key", () => import("@/views/assets/AssetPage"), "AssetPage"),
  view("/jobs", () => import("@/views/jobs/JobsPage"), "JobsPage"),
  view("/jobs/$job", () => import("@/views/jobs/JobPage"), "JobPage"),
  view("/runs", () => import("@/views/runs/RunsPage"), "RunsPage"),
  view("/runs/$run", () => import("@/views/runs/RunPage"), "RunPage"),
  view("/backfills", () => import("@/views/backfills/BackfillsPage"), "BackfillsPage"),
  view("/backfills/$backfill", () => import("@/views/backfills/BackfillPage"), "BackfillPage"),
  view("/schedules", () => import("@/views/schedules/SchedulesPage"), "SchedulesPage"),
  view("/schedules/$location/$name", () => import("@/views/schedules/SchedulePage"), "SchedulePage"),
  view("/sensors", () => import("@/views/sensors/SensorsPage"), "SensorsPage"),
  view("/sensors/$location/$name", () => import("@/views/sensors/SensorPage"), "SensorPage"),
  view("/automations", () => import("@/views/automations/AutomationsPage"), "AutomationsPage"),
  view("/automations/$location/$name", () => import("@/views/automations/AutomationPage"), "AutomationPage"),
  view("/ticks", () => import("@/views/ticks/TicksPage"), "TicksPage"),
  view("/checks", () => import("@/views/checks/ChecksPage"), "ChecksPage"),
  view("/glossary", () => import("@/views/glossary/GlossaryPage"), "GlossaryPage"),
  view("/pools", () => import("@/views/pools/PoolsPage"), "PoolsPage"),
  view("/alerts", () => import("@/views/alerts/AlertsPage"), "AlertsPage"),
  view("/locations", () => import("@/views/locations/LocationsPage"), "LocationsPage"),
  view("/locations/$location", () => import("@/views/locations/LocationPage"), "LocationPage"),
  view("/variables", () => import("@/views/variables/VariablesPage"), "VariablesPage"),
  view("/connections", () => import("@/views/connections/ConnectionsPage"), "ConnectionsPage"),
  view("/secrets", () => import("@/views/secrets/SecretsPage"), "SecretsPage"),
  view("/tokens", () => import("@/views/tokens/TokensPage"), "TokensPage"),
  view("/accounts", () => import("@/views/accounts/AccountsPage"), "AccountsPage"),
  view("/audit", () => import("@/views/audit/AuditPage"), "AuditPage"),
  view("/settings", () => import("@/views/settings/SettingsPage"), "SettingsPage"),
] as const;

export const router = createRouter({
  routeTree: root.addChildren([login, app.addChildren([...views])]),
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  defaultErrorComponent: Broken,
  defaultNotFoundComponent: NotFound,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
