// What runs elsewhere, of which OpenLineage events tell: queries. News tell when something was heard
// of it.
import { queryOptions } from "@tanstack/react-query";
import { call, client, type Schema } from "@/api/client";
import { keys } from "@/api/keys";

export type ExternalJob = Schema<"ExternalJob">;
export type ExternalRun = Schema<"ExternalRun">;
export type ExternalDatasetLink = Schema<"ExternalDatasetLink">;

const AGAIN_MS = 60_000;
const RUNS = 20;

export const externalQueries = {
  job: (key: string) =>
    queryOptions({
      queryKey: keys.lineage.of({ job: key }),
      queryFn: ({ signal }) => call(client.GET("/api/v1/lineage/jobs/{key}", { params: { path: { key } }, signal })),
      refetchInterval: AGAIN_MS,
    }),
  runs: (job: string) =>
    queryOptions({
      queryKey: keys.lineage.of({ runsOf: job }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/lineage/runs", { params: { query: { job, limit: RUNS } }, signal })),
      refetchInterval: AGAIN_MS,
    }),
  run: (number: string) =>
    queryOptions({
      queryKey: keys.lineage.of({ run: number }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/lineage/runs/{number}", { params: { path: { number } }, signal })),
    }),
  dataset: (key: string) =>
    queryOptions({
      queryKey: keys.lineage.of({ dataset: key }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/lineage/datasets/{key}", { params: { path: { key } }, signal })),
      refetchInterval: AGAIN_MS,
    }),
};
