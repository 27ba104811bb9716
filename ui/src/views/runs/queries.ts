// Queries of a run's page that not every event makes old: their keys begin otherwise than those of `runQueries`.
import { queryOptions } from "@tanstack/react-query";
import { call, client } from "@/api/client";

/** The steps of a run. Its counts are as old as it is; the timeline knows better (RunGraph). */
export function graphOf(run: number) {
  return queryOptions({
    queryKey: ["run-graph", run],
    queryFn: ({ signal }) =>
      call(client.GET("/api/v1/runs/{run_id}/graph", { params: { path: { run_id: run } }, signal })),
    staleTime: Infinity,
  });
}
