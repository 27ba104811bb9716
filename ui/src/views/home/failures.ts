// What failed, by job: a job that fails every minute is one trouble, not a thousand.
import type { Run } from "@/api/runs";

export interface Failure {
  last: Run;
  count: number;
}

export function failures(failed: readonly Run[]): Failure[] {
  const found = new Map<string, Failure>();
  for (const run of failed) {
    const key = `${run.location}\n${run.job}`;
    const known = found.get(key);
    if (!known) found.set(key, { last: run, count: 1 });
    else found.set(key, { last: run.id > known.last.id ? run : known.last, count: known.count + 1 });
  }
  return [...found.values()].sort((a, b) => b.last.id - a.last.id);
}
