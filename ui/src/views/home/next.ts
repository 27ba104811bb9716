// What the clock starts next, a schedule a line: one that fires every minute is one line, too. Pure.
import type { Schema } from "@/api/client";

type NextTime = Schema<"NextTime">;

export interface Coming {
  first: NextTime;
  later: NextTime[];
}

/** Schedules in the order of their next times, each with those that follow. */
export function schedulesOf(times: readonly NextTime[]): Coming[] {
  const found = new Map<string, Coming>();
  for (const time of times) {
    const key = JSON.stringify([time.location, time.schedule]);
    const known = found.get(key);
    if (known === undefined) found.set(key, { first: time, later: [] });
    else known.later.push(time);
  }
  return [...found.values()];
}
