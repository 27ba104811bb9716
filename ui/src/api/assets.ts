// Assets, the lineage graph, and checks: queries.
import { queryOptions } from "@tanstack/react-query";
import { call, client, type Schema } from "@/api/client";
import { keys } from "@/api/keys";
import { PAGE, pages } from "@/api/pages";
import type { operations } from "@/api/schema";

export type Asset = Schema<"Asset">;
export type Check = Schema<"Check">;
type Query<Name extends keyof operations> = operations[Name] extends { parameters: { query?: infer Q } }
  ? NonNullable<Q>
  : never;
export type AssetFilter = Query<"listAssets">;
export type CheckFilter = Query<"listChecks">;
export type PartitionFilter = Query<"listPartitions">;

const of = (key: string) => ({ path: { key } });

export const assetQueries = {
  list: (filter: AssetFilter = {}) =>
    pages(keys.assets.list(filter), (cursor, signal) =>
      call(client.GET("/api/v1/assets", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
  one: (key: string) =>
    queryOptions({
      queryKey: keys.assets.one(key),
      queryFn: ({ signal }) => call(client.GET("/api/v1/assets/{key}", { params: of(key), signal })),
    }),
  partitions: (key: string, filter: PartitionFilter = {}) =>
    pages(keys.assets.part(key, "partitions", filter), (cursor, signal) =>
      call(
        client.GET("/api/v1/assets/{key}/partitions", {
          params: { ...of(key), query: { limit: PAGE, ...filter, cursor } },
          signal,
        }),
      ),
    ),
  partitionMap: (key: string, cells?: number) =>
    queryOptions({
      queryKey: keys.assets.part(key, "partition-map", { cells }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/assets/{key}/partition-map", { params: { ...of(key), query: { cells } }, signal })),
    }),
  materializations: (key: string, filter: Query<"listMaterializations"> = {}) =>
    pages(keys.assets.part(key, "materializations", filter), (cursor, signal) =>
      call(
        client.GET("/api/v1/assets/{key}/materializations", {
          params: { ...of(key), query: { limit: PAGE, ...filter, cursor } },
          signal,
        }),
      ),
    ),
  checkResults: (key: string, filter: Query<"listAssetChecks"> = {}) =>
    pages(keys.assets.part(key, "checks", filter), (cursor, signal) =>
      call(
        client.GET("/api/v1/assets/{key}/checks", {
          params: { ...of(key), query: { limit: PAGE, ...filter, cursor } },
          signal,
        }),
      ),
    ),
  preview: (key: string, partition?: string) =>
    queryOptions({
      queryKey: keys.assets.part(key, "preview", { partition }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/assets/{key}/preview", { params: { ...of(key), query: { partition } }, signal })),
    }),
  /** Why automation makes it, or does not, as things stand now. */
  automation: (key: string) =>
    queryOptions({
      queryKey: keys.assets.part(key, "automation"),
      queryFn: ({ signal }) => call(client.GET("/api/v1/assets/{key}/automation", { params: of(key), signal })),
    }),
  /** Rows as they are now, read by a process of its code location. */
  rows: (key: string, query: Query<"readAssetRows"> = {}) =>
    queryOptions({
      queryKey: keys.assets.part(key, "rows", query),
      queryFn: ({ signal }) => call(client.GET("/api/v1/assets/{key}/rows", { params: { ...of(key), query }, signal })),
      staleTime: 30_000,
    }),
  /** The versions of its table that can be read, newest first; asked of a process of its code location, too. */
  versions: (key: string) =>
    queryOptions({
      queryKey: keys.assets.part(key, "versions"),
      queryFn: ({ signal }) => call(client.GET("/api/v1/assets/{key}/versions", { params: of(key), signal })),
      staleTime: 30_000,
      retry: false,
    }),
  schemaChanges: (key: string) =>
    queryOptions({
      queryKey: keys.assets.part(key, "schema-changes"),
      queryFn: ({ signal }) => call(client.GET("/api/v1/assets/{key}/schema-changes", { params: of(key), signal })),
    }),
  series: (key: string, query: Query<"getMetadataSeries">) =>
    queryOptions({
      queryKey: keys.assets.part(key, "series", query),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/assets/{key}/series", { params: { ...of(key), query }, signal })),
    }),
  /** Its file, as it is now or as a run ran it. */
  source: (key: string, run?: number) =>
    queryOptions({
      queryKey: keys.assets.part(key, "source", { run }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/assets/{key}/source", { params: { ...of(key), query: { run } }, signal })),
    }),
  /** What a launch of a selection would do. */
  plan: (asked: Schema<"PlanAsked">) =>
    queryOptions({
      queryKey: keys.assets.plan(asked),
      queryFn: ({ signal }) => call(client.POST("/api/v1/assets/plan", { body: asked, signal })),
    }),
};

export const lineageQueries = {
  columns: (asked: Query<"getColumnLineage">) =>
    queryOptions({
      queryKey: keys.lineage.of({ columns: asked }),
      queryFn: ({ signal }) => call(client.GET("/api/v1/lineage/columns", { params: { query: asked }, signal })),
    }),
  /** What a change of a column (`asset.column`) affects. */
  impact: (of: string) =>
    queryOptions({
      queryKey: keys.lineage.of({ impact: of }),
      queryFn: ({ signal }) => call(client.GET("/api/v1/lineage/impact", { params: { query: { of } }, signal })),
    }),
  of: (asked: Query<"getLineage"> = {}) =>
    queryOptions({
      queryKey: keys.lineage.of(asked),
      queryFn: ({ signal }) => call(client.GET("/api/v1/lineage", { params: { query: asked }, signal })),
    }),
};

export type GlossaryTerm = Schema<"GlossaryTerm">;

/** What words mean, and what is about them. */
export const glossaryQuery = (text = "") =>
  queryOptions({
    queryKey: keys.glossary(text),
    queryFn: ({ signal }) => call(client.GET("/api/v1/glossary", { params: { query: { text } }, signal })),
  });

export const checkQueries = {
  list: (filter: CheckFilter = {}) =>
    pages(keys.checks.list(filter), (cursor, signal) =>
      call(client.GET("/api/v1/checks", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
  results: (filter: Query<"listCheckResults"> = {}) =>
    pages(keys.checks.results(filter), (cursor, signal) =>
      call(client.GET("/api/v1/checks/results", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
  quality: (days = 30) =>
    queryOptions({
      queryKey: keys.checks.quality(days),
      queryFn: ({ signal }) => call(client.GET("/api/v1/checks/quality", { params: { query: { days } }, signal })),
    }),
};
