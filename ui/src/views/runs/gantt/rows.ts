// The rows of a Gantt chart: task runs, those of one step (or of one task that a flow calls often) under one head that
// opens and closes.
import type { Timeline } from "./timeline";

export type Row =
  | { kind: "task"; i: number; depth: 0 | 1; label: string }
  | { kind: "group"; key: string; members: number[]; open: boolean };

export interface Groups {
  /** In the order of their first task run. */
  list: { key: string; members: number[] }[];
}

/** Which task runs belong together: by step, and of a flow by the task it calls (`fetch-0`, `fetch-1`: `fetch`). */
export function groupsOf(timeline: Timeline, isFlow: boolean): Groups {
  const members = new Map<string, number[]>();
  const keyOf = isFlow ? timeline.steps.map(taskOf) : timeline.steps;
  for (let i = 0; i < timeline.no.length; i++) {
    const key = keyOf[timeline.step[i]!]!;
    const list = members.get(key);
    if (list === undefined) members.set(key, [i]);
    else list.push(i);
  }
  const list = [...members].map(([key, group]) => ({ key, members: group }));
  return {
    list: list.sort((a, b) => begin(timeline, a.members) - begin(timeline, b.members) || a.members[0]! - b.members[0]!),
  };
}

/** The task that a call of a flow is of: `fetch` of `fetch-3`. */
export function taskOf(step: string): string {
  return step.replace(/-\d+$/, "");
}

function begin(timeline: Timeline, members: number[]): number {
  let first = Infinity;
  for (const i of members) first = Math.min(first, timeline.start[i] ?? Infinity);
  return first === Infinity ? Number.MAX_VALUE : first;
}

/** What is shown: only task runs that `wanted` says, groups of one without a head. */
export function rowsOf(
  timeline: Timeline,
  groups: Groups,
  isOpen: (key: string) => boolean,
  wanted: (i: number) => boolean = () => true,
): Row[] {
  const rows: Row[] = [];
  for (const { key, members: all } of groups.list) {
    const members = all.filter(wanted);
    if (members.length === 0) continue;
    if (all.length === 1) {
      rows.push({ kind: "task", i: members[0]!, depth: 0, label: labelOf(timeline, members[0]!) });
      continue;
    }
    const open = isOpen(key);
    rows.push({ kind: "group", key, members, open });
    if (open) for (const i of members) rows.push({ kind: "task", i, depth: 1, label: labelOf(timeline, i) });
  }
  return rows;
}

/** `load`, `load[3]`. */
export function labelOf(timeline: Timeline, i: number): string {
  const step = timeline.steps[timeline.step[i]!]!;
  return timeline.lane[i] === "" ? step : `${step}[${timeline.lane[i]}]`;
}

/** How many of some task runs are in each state. */
export function countsOf(timeline: Timeline, members: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const i of members) counts[timeline.state[i]!] = (counts[timeline.state[i]!] ?? 0) + 1;
  return counts;
}
