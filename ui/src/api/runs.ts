// Runs: queries and changes.
import { queryOptions } from "@tanstack/react-query";
import { useAct } from "@/api/act";
import { call, client, idempotencyKey, type Schema } from "@/api/client";
import { keys } from "@/api/keys";
import { PAGE, pages } from "@/api/pages";
import type { operations } from "@/api/schema";

export type Run = Schema<"Run">;
export type TaskRun = Schema<"TaskRun">;
export type RunFilter = NonNullable<operations["listRuns"]["parameters"]["query"]>;
export type TaskFilter = NonNullable<operations["listTaskRuns"]["parameters"]["query"]>;
export type EventFilter = NonNullable<operations["listRunEvents"]["parameters"]["query"]>;
export type LogFilter = NonNullable<operations["readLog"]["parameters"]["query"]>;

const id = (run: number) => ({ path: { run_id: run } });

export const runQueries = {
  list: (filter: RunFilter = {}) =>
    pages(
      keys.runs.list(filter),
      (cursor, signal) =>
        call(client.GET("/api/v1/runs", { params: { query: { limit: PAGE, ...filter, cursor } }, signal })),
      { refetchInterval: 60_000 },
    ),
  one: (run: number) =>
    queryOptions({
      queryKey: keys.runs.one(run),
      queryFn: ({ signal }) => call(client.GET("/api/v1/runs/{run_id}", { params: id(run), signal })),
    }),
  tasks: (run: number, filter: TaskFilter = {}) =>
    pages(keys.runs.part(run, "tasks", filter), (cursor, signal) =>
      call(
        client.GET("/api/v1/runs/{run_id}/tasks", {
          params: { ...id(run), query: { limit: PAGE, ...filter, cursor } },
          signal,
        }),
      ),
    ),
  task: (run: number, no: number) =>
    queryOptions({
      queryKey: keys.runs.task(run, no),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/runs/{run_id}/tasks/{no}", { params: { path: { run_id: run, no } }, signal })),
    }),
  /** What a task run was given, and what it gave. */
  values: (run: number, no: number) =>
    queryOptions({
      queryKey: [...keys.runs.task(run, no), "values"],
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/runs/{run_id}/tasks/{no}/values", { params: { path: { run_id: run, no } }, signal })),
    }),
  log: (run: number, no: number, range: LogFilter = {}) =>
    queryOptions({
      queryKey: [...keys.runs.task(run, no), "log", range],
      queryFn: ({ signal }) =>
        call(
          client.GET("/api/v1/runs/{run_id}/tasks/{no}/logs", {
            params: { path: { run_id: run, no }, query: range },
            signal,
          }),
        ),
    }),
  gantt: (run: number, cursor?: string) =>
    queryOptions({
      queryKey: keys.runs.part(run, "gantt", { cursor }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/runs/{run_id}/gantt", { params: { ...id(run), query: { cursor } }, signal })),
    }),
  graph: (run: number) =>
    queryOptions({
      queryKey: keys.runs.part(run, "graph"),
      queryFn: ({ signal }) => call(client.GET("/api/v1/runs/{run_id}/graph", { params: id(run), signal })),
    }),
  /** The code of its version: of its job, or of one of its assets. */
  source: (run: number, asset?: string) =>
    queryOptions({
      queryKey: keys.runs.part(run, "source", { asset }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/runs/{run_id}/source", { params: { ...id(run), query: { asset } }, signal })),
    }),
  events: (run: number, filter: EventFilter = {}) =>
    pages(keys.runs.part(run, "events", filter), (cursor, signal) =>
      call(
        client.GET("/api/v1/runs/{run_id}/events", {
          params: { ...id(run), query: { limit: PAGE, ...filter, cursor } },
          signal,
        }),
      ),
    ),
  materializations: (run: number, asset?: string) =>
    queryOptions({
      queryKey: keys.runs.part(run, "materializations", { asset }),
      queryFn: ({ signal }) =>
        call(client.GET("/api/v1/runs/{run_id}/materializations", { params: { ...id(run), query: { asset } }, signal })),
    }),
  checks: (run: number) =>
    queryOptions({
      queryKey: keys.runs.part(run, "checks"),
      queryFn: ({ signal }) => call(client.GET("/api/v1/runs/{run_id}/checks", { params: id(run), signal })),
    }),
};

const CHANGES = [keys.runs.all, keys.jobs.all, keys.home, keys.timelines, keys.queue];

/** Launch a job or a selection of assets. `key`: the same for every try of the same launch. */
export function useLaunch(options: { quiet?: boolean } = {}) {
  return useAct({
    act: ({ launch, key }: { launch: Schema<"Launch">; key?: string }) =>
      call(
        client.POST("/api/v1/runs", {
          body: launch,
          params: { header: { "Idempotency-Key": key ?? idempotencyKey() } },
        }),
      ),
    changes: CHANGES,
    done: (launched) => `Run ${launched.run.id} of ${launched.run.job} is launched`,
    ...options,
  });
}

export function useCancelRun() {
  return useAct({
    act: ({ run, hard = false }: { run: number; hard?: boolean }) =>
      call(client.POST("/api/v1/runs/{run_id}/cancel", { params: id(run), body: { hard } })),
    changes: CHANGES,
    done: (_, { run }) => `Run ${run} is being cancelled`,
  });
}

/** Run again what failed, or the named tasks with all that is downstream of them. */
export function useRetryRun() {
  return useAct({
    act: ({ run, tasks = null }: { run: number; tasks?: string[] | null }) =>
      call(client.POST("/api/v1/runs/{run_id}/retry", { params: id(run), body: { tasks } })),
    changes: CHANGES,
    done: (_, { run }) => `Run ${run} is retried`,
  });
}

export function useResumeRun() {
  return useAct({
    act: ({ run }: { run: number }) => call(client.POST("/api/v1/runs/{run_id}/resume", { params: id(run) })),
    changes: CHANGES,
    done: (_, { run }) => `Run ${run} goes on`,
  });
}

/** Say how task runs have ended, or (`tasks` null) the run as a whole. */
export function useMarkRun() {
  return useAct({
    act: ({ run, mark }: { run: number; mark: Schema<"Mark"> }) =>
      call(client.POST("/api/v1/runs/{run_id}/mark", { params: id(run), body: mark })),
    changes: CHANGES,
    done: (_, { run, mark }) => `${mark.tasks?.join(", ") ?? `Run ${run}`} is marked as ${mark.state}`,
  });
}

export function useAnswerRun() {
  return useAct({
    act: ({ run, task, value }: { run: number; task: string; value: string }) =>
      call(client.POST("/api/v1/runs/{run_id}/answer", { params: id(run), body: { task, value } })),
    changes: CHANGES,
    done: (_, { task }) => `${task} is answered`,
  });
}
