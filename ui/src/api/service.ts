// What runs unattended: home, timeline, locations, tickers and ticks, backfills, pools and the queue, alerts, search.
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { useAct } from "@/api/act";
import { call, client, idempotencyKey, type Schema } from "@/api/client";
import { keys } from "@/api/keys";
import { ALL, PAGE, pages, type Query } from "@/api/pages";

export type Home = Schema<"Home">;
export type Timeline = Schema<"Timeline">;
export type Location = Schema<"Location">;
export type Ticker = Schema<"Ticker">;
export type TickerKind = Ticker["kind"];
export type Process = Schema<"Process">;
export type Tick = Schema<"Tick">;
export type Backfill = Schema<"Backfill">;
export type Pool = Schema<"Pool">;
export type Alert = Schema<"Alert">;
export type Found = Schema<"Found">;
export type TickerFilter = Query<"listTickers">;
export type TickFilter = Query<"listTicks">;
export type BackfillFilter = Query<"listBackfills">;
export type BackfillItemFilter = Query<"listBackfillItems">;
export type AlertFilter = Query<"listAlerts">;

/** No news tell of these, or not of all of it: they are asked again and again, while somebody looks. */
const AGAIN_MS = 10_000;
/** News tell of these; should some be missed, they are asked again, too. */
const SELDOM_MS = 60_000;

export const serviceQueries = {
  home: () =>
    queryOptions({
      queryKey: keys.home,
      queryFn: ({ signal }) => call(client.GET("/api/v1/home", { signal })),
      refetchInterval: AGAIN_MS,
    }),
  timeline: (span: Query<"getTimeline">) =>
    queryOptions({
      queryKey: keys.timeline(span),
      queryFn: ({ signal }) => call(client.GET("/api/v1/timeline", { params: { query: span }, signal })),
      placeholderData: keepPreviousData,
    }),
  nextTimes: (asked: Query<"listNextTimes"> = {}) =>
    queryOptions({
      queryKey: keys.nextTimes(asked),
      queryFn: ({ signal }) => call(client.GET("/api/v1/next-times", { params: { query: asked }, signal })),
    }),
  search: (text: string, kinds?: NonNullable<Query<"search">["kind"]>) =>
    queryOptions({
      queryKey: keys.search(text, kinds),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/search", { params: { query: { q: text, kind: kinds, limit: 30 } }, signal })),
      enabled: text.trim() !== "",
      placeholderData: keepPreviousData,
      staleTime: 5_000,
    }),
  /** All of them, for those who choose among them. */
  locations: () =>
    queryOptions({
      queryKey: keys.locations.choice,
      queryFn: async ({ signal }) =>
        (await call(client.GET("/api/v1/locations", { params: { query: { limit: ALL } }, signal }))).items,
      refetchInterval: SELDOM_MS,
    }),
  locationList: (filter: Query<"listLocations"> = {}) =>
    pages(
      keys.locations.list(filter),
      (cursor, signal) =>
        call(client.GET("/api/v1/locations", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
      { refetchInterval: SELDOM_MS },
    ),
  location: (location: string) =>
    queryOptions({
      queryKey: keys.locations.one(location),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/locations/{location}", { params: { path: { location } }, signal })),
      refetchInterval: SELDOM_MS,
    }),
  processes: (filter: Query<"listProcesses"> = {}) =>
    pages(
      [...keys.processes, filter],
      (cursor, signal) =>
        call(client.GET("/api/v1/processes", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
      { refetchInterval: AGAIN_MS },
    ),
  pools: (filter: Query<"listPools"> = {}) =>
    pages(
      [...keys.pools, filter],
      (cursor, signal) =>
        call(client.GET("/api/v1/pools", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
      { refetchInterval: AGAIN_MS },
    ),
  queue: (limit = 200) =>
    queryOptions({
      queryKey: [...keys.queue, limit],
      queryFn: ({ signal }) => call(client.GET("/api/v1/queue", { params: { query: { limit } }, signal })),
      refetchInterval: AGAIN_MS,
    }),
};

export const tickerQueries = {
  list: (filter: TickerFilter = {}) =>
    pages(
      keys.tickers.list(filter),
      (cursor, signal) =>
        call(client.GET("/api/v1/tickers", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
      { refetchInterval: SELDOM_MS },
    ),
  one: (kind: TickerKind, location: string, name: string) =>
    queryOptions({
      queryKey: keys.tickers.one(kind, location, name),
      queryFn: ({ signal }) =>
        call(
          client.GET("/api/v1/tickers/{kind}/{location}/{name}", { params: { path: { kind, location, name } }, signal }),
        ),
      refetchInterval: SELDOM_MS,
    }),
  next: (kind: TickerKind, location: string, name: string, count = 10) =>
    queryOptions({
      queryKey: keys.tickers.next(kind, location, name, count),
      queryFn: ({ signal }) =>
        call(
          client.GET("/api/v1/tickers/{kind}/{location}/{name}/next", {
            params: { path: { kind, location, name }, query: { count } },
            signal,
          }),
        ),
    }),
  ticks: (filter: TickFilter = {}) =>
    pages(
      keys.ticks.list(filter),
      (cursor, signal) =>
        call(client.GET("/api/v1/ticks", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
      { refetchInterval: SELDOM_MS },
    ),
};

export const environmentQueries = {
  list: () =>
    queryOptions({
      queryKey: keys.environments,
      queryFn: ({ signal }) => call(client.GET("/api/v1/environments", { signal })),
    }),
};

export const backfillQueries = {
  list: (filter: BackfillFilter = {}) =>
    pages(
      keys.backfills.list(filter),
      (cursor, signal) =>
        call(client.GET("/api/v1/backfills", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
      { refetchInterval: SELDOM_MS },
    ),
  one: (backfill: number) =>
    queryOptions({
      queryKey: keys.backfills.one(backfill),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/backfills/{backfill_id}", { params: { path: { backfill_id: backfill } }, signal })),
      refetchInterval: SELDOM_MS,
    }),
  items: (backfill: number, filter: BackfillItemFilter = {}) =>
    pages(keys.backfills.items(backfill, filter), (cursor, signal) =>
      call(
        client.GET("/api/v1/backfills/{backfill_id}/items", {
          params: { path: { backfill_id: backfill }, query: { limit: PAGE, ...filter, cursor } },
          signal,
        }),
      ),
    ),
  preview: (asked: Schema<"BackfillAsked">) =>
    queryOptions({
      queryKey: ["backfills", "preview", asked],
      queryFn: ({ signal }) => call(client.POST("/api/v1/backfills/preview", { body: asked, signal })),
    }),
};

export const alertQueries = {
  list: (filter: AlertFilter = {}) =>
    pages(
      keys.alerts.list(filter),
      (cursor, signal) =>
        call(client.GET("/api/v1/alerts", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
      { refetchInterval: AGAIN_MS },
    ),
};

/** Turn a schedule, sensor or automation on or off; `enabled: null`: as its definition says. */
export function useSwitchTicker() {
  return useAct({
    act: ({ ticker, enabled }: { ticker: Pick<Ticker, "kind" | "location" | "name">; enabled: boolean | null }) =>
      call(
        client.PUT("/api/v1/tickers/{kind}/{location}/{name}/switch", {
          params: { path: { kind: ticker.kind, location: ticker.location, name: ticker.name } },
          body: { enabled },
        }),
      ),
    changes: [keys.tickers.all, keys.jobs.all, keys.home],
    done: (_, { ticker, enabled }) =>
      `${ticker.name} is ${enabled === null ? "as defined" : enabled ? "switched on" : "switched off"}`,
  });
}

export function useReloadLocation() {
  return useAct({
    act: (location: string) =>
      call(client.POST("/api/v1/locations/{location}/reload", { params: { path: { location } } })),
    changes: [keys.locations.all, keys.home, keys.jobs.all, keys.assets.all, keys.lineage.all],
    done: (_, location) => `${location} is loaded anew`,
  });
}

export function useLaunchBackfill(options: { quiet?: boolean } = {}) {
  return useAct({
    act: ({ asked, key }: { asked: Schema<"BackfillAsked">; key?: string }) =>
      call(
        client.POST("/api/v1/backfills", {
          body: asked,
          params: { header: { "Idempotency-Key": key ?? idempotencyKey() } },
        }),
      ),
    changes: [keys.backfills.all, keys.runs.lists, keys.home],
    done: (backfill) => `Backfill ${backfill.id} is launched`,
    ...options,
  });
}

export function useActOnBackfill() {
  return useAct({
    act: ({ backfill, action }: { backfill: number; action: "pause" | "resume" | "cancel" | "retry" }) =>
      call(
        client.POST("/api/v1/backfills/{backfill_id}/{action}", { params: { path: { backfill_id: backfill, action } } }),
      ),
    changes: [keys.backfills.all, keys.runs.lists],
    done: (_, { backfill, action }) => `Backfill ${backfill}: ${action} is asked for`,
  });
}

export function useSettleAlert() {
  return useAct({
    act: (alert: number) =>
      call(client.POST("/api/v1/alerts/{alert_id}/settle", { params: { path: { alert_id: alert } } })),
    changes: [keys.alerts.all, keys.home],
    done: "The alert is settled",
  });
}

export function useSetPool(options: { quiet?: boolean } = {}) {
  return useAct({
    act: ({ pool, given }: { pool: string; given: Schema<"PoolGiven"> }) =>
      call(client.PUT("/api/v1/pools/{pool}", { params: { path: { pool } }, body: given })),
    changes: [keys.pools, keys.queue],
    done: (_, { pool }) => `Pool ${pool} is set`,
    ...options,
  });
}

export function useDeletePool() {
  return useAct({
    act: (pool: string) => call(client.DELETE("/api/v1/pools/{pool}", { params: { path: { pool } } })),
    changes: [keys.pools, keys.queue],
    done: (_, pool) => `Pool ${pool} is as configured`,
  });
}
