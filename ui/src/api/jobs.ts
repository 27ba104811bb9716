// Jobs: queries.
import { queryOptions } from "@tanstack/react-query";
import { call, client, type Schema } from "@/api/client";
import { keys } from "@/api/keys";
import { PAGE, pages } from "@/api/pages";
import type { operations } from "@/api/schema";

export type Job = Schema<"Job">;
export type JobFilter = NonNullable<operations["listJobs"]["parameters"]["query"]>;

/** `location` is needed only where several define a job of that name. */
const of = (job: string, location: string) => ({ path: { job }, query: { location: location || undefined } });

export const jobQueries = {
  list: (filter: JobFilter = {}) =>
    pages(keys.jobs.list(filter), (cursor, signal) =>
      call(client.GET("/api/v1/jobs", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
    ),
  one: (job: string, location = "") =>
    queryOptions({
      queryKey: keys.jobs.one(job, location),
      queryFn: ({ signal }) => call(client.GET("/api/v1/jobs/{job}", { params: of(job, location), signal })),
    }),
  graph: (job: string, location = "") =>
    queryOptions({
      queryKey: keys.jobs.part(job, location, "graph"),
      queryFn: ({ signal }) => call(client.GET("/api/v1/jobs/{job}/graph", { params: of(job, location), signal })),
    }),
  grid: (job: string, location = "", limit = 30, cursor?: string) =>
    queryOptions({
      queryKey: keys.jobs.part(job, location, "grid", { limit, cursor }),
      queryFn: ({ signal }) => {
        const { path, query } = of(job, location);
        const params = { path, query: { ...query, limit, cursor } };
        return call(client.GET("/api/v1/jobs/{job}/grid", { params, signal }));
      },
    }),
  durations: (job: string, location = "", limit = 100) =>
    queryOptions({
      queryKey: keys.jobs.part(job, location, "durations", { limit }),
      queryFn: ({ signal }) => {
        const { path, query } = of(job, location);
        const params = { path, query: { ...query, limit } };
        return call(client.GET("/api/v1/jobs/{job}/durations", { params, signal }));
      },
    }),
  calendar: (job: string, location = "", days = 365) =>
    queryOptions({
      queryKey: keys.jobs.part(job, location, "calendar", { days }),
      queryFn: ({ signal }) => {
        const { path, query } = of(job, location);
        return call(client.GET("/api/v1/jobs/{job}/calendar", { params: { path, query: { ...query, days } }, signal }));
      },
    }),
  /** Its file, as it is now or as a run ran it. */
  source: (job: string, location = "", run?: number) =>
    queryOptions({
      queryKey: keys.jobs.part(job, location, "source", { run }),
      queryFn: ({ signal }) => {
        const { path, query } = of(job, location);
        return call(client.GET("/api/v1/jobs/{job}/source", { params: { path, query: { ...query, run } }, signal }));
      },
    }),
};
