// What a set of task runs is as a whole.
const URGENCY = [
  "failed",
  "upstream_failed",
  "cancelled",
  "paused",
  "retrying",
  "running",
  "deferred",
  "queued",
  "waiting",
  "skipped",
  "succeeded",
];

/** The state that asks for most, as the server judges it. */
export function worstOf(counts: Readonly<Record<string, number>>): string {
  return URGENCY.find((state) => (counts[state] ?? 0) > 0) ?? "waiting";
}

const FINAL: ReadonlySet<string> = new Set(["succeeded", "failed", "skipped", "upstream_failed", "cancelled"]);

/** How many have ended. */
export function endedOf(counts: Readonly<Record<string, number>>): number {
  return Object.entries(counts).reduce((sum, [state, count]) => sum + (FINAL.has(state) ? count : 0), 0);
}

/** In the order in which a bar shows them. */
export const BAR_ORDER: readonly string[] = [
  "succeeded",
  "running",
  "retrying",
  "deferred",
  "paused",
  "failed",
  "upstream_failed",
  "cancelled",
  "skipped",
  "queued",
  "waiting",
];

export function isFinal(state: string): boolean {
  return FINAL.has(state);
}
