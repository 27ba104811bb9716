// Which queries an event makes old: pure, so that live.ts only has to listen and wait.
import type { QueryKey } from "@tanstack/react-query";
import type { Schema } from "@/api/client";
import { keys } from "@/api/keys";

export type LiveEvent = Schema<"RunEvent"> & { job: string; location: string };

const OF_RUNS: readonly QueryKey[] = [
  keys.runs.lists, keys.jobs.all, keys.home, keys.timelines, keys.queue, keys.backfills.all, keys.pools,
];
const OF_STATE: ReadonlySet<string> = new Set([
  "run_started", "run_finished", "cancel_asked", "restart_asked", "input_given", "attempt_deferred",
]);

/** The beginnings of the keys of all queries that are old after these events, each once. */
export function concerns(events: readonly LiveEvent[]): QueryKey[] {
  const found = new Map<string, QueryKey>();
  const add = (key: QueryKey) => found.set(JSON.stringify(key), key);
  for (const event of events) {
    add(keys.runs.one(event.run));
    if (OF_STATE.has(event.kind)) OF_RUNS.forEach(add);
    if (event.kind === "asset_materialized" || event.kind === "check_evaluated" || event.kind === "run_finished") {
      [keys.assets.all, keys.lineage.all].forEach(add);
    }
    if (event.kind === "check_evaluated") add(keys.checks.all);
    if (event.kind === "run_finished") [keys.alerts.all, keys.ticks.all].forEach(add);
  }
  return [...found.values()];
}
