// Which queries an event, or a topic that has changed, makes old: pure, so that live.ts only has to listen and wait.
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

/** Topics of `event: changed`, and what they make old. */
const OF_TOPIC: Readonly<Record<string, readonly QueryKey[]>> = {
  accounts: [keys.accounts, keys.me],
  alerts: [keys.alerts.all, keys.home],
  assets: [keys.assets.all, keys.lineage.all],
  audit: [keys.audit.all],
  backfills: [keys.backfills.all],
  checks: [keys.checks.all],
  connections: [keys.connections],
  environments: [keys.environments],
  external: [keys.lineage.all, keys.assets.all],
  locations: [
    keys.locations.all, keys.home, keys.jobs.all, keys.assets.all, keys.lineage.all, keys.tickers.all, keys.nextTimesOfAll,
  ],
  pools: [keys.pools, keys.queue],
  runs: OF_RUNS,
  secrets: [keys.secrets],
  tickers: [keys.tickers.all, keys.jobs.all, keys.home, keys.nextTimesOfAll],
  ticks: [keys.ticks.all, keys.tickers.all, keys.home, keys.nextTimesOfAll],
  tokens: [keys.tokens.all],
  variables: [keys.variables],
};

/** The beginnings of the keys of all queries that are old after these topics have changed. */
export function concernsOf(topics: readonly string[]): readonly QueryKey[] {
  return topics.flatMap((topic) => OF_TOPIC[topic] ?? []);
}

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
