// Many bars as one picture: how many of a group's task runs were under way at each time, by what became of them.
import { endOf, type Timeline } from "./timeline";

export interface Density {
  from: number;
  /** Seconds of a bin. */
  step: number;
  bins: number;
  /** By state: how many were under way in each bin, on average. */
  states: { state: string; counts: Float32Array }[];
  most: number;
}

/** Bins of equal length over a span. The cost is a bin's for each begin and end, and one sum over the bins. */
export function densityOf(
  timeline: Timeline,
  members: readonly number[],
  from: number,
  to: number,
  bins: number,
  now: number,
): Density {
  const step = Math.max(1e-9, (to - from) / bins);
  const byState = new Map<string, Float32Array>();
  for (const i of members) {
    const start = timeline.start[i];
    const end = endOf(timeline, i, now);
    if (start === null || start === undefined || end === null || end < from || start > to) continue;
    let counts = byState.get(timeline.state[i]!);
    if (counts === undefined) byState.set(timeline.state[i]!, (counts = new Float32Array(bins + 1)));
    add(counts, (start - from) / step, (end - from) / step, bins);
  }
  const most = new Float32Array(bins);
  const states = [...byState].map(([state, differences]) => {
    const counts = new Float32Array(bins);
    let sum = 0;
    for (let b = 0; b < bins; b++) {
      sum += differences[b]!;
      counts[b] = sum;
      most[b]! += sum;
    }
    return { state, counts };
  });
  return { from, step, bins, states, most: most.reduce((a, b) => Math.max(a, b), 0) };
}

/** Every bin that a bar touches counts it whole: a bar of a moment is still seen. */
function add(differences: Float32Array, start: number, end: number, bins: number): void {
  const first = Math.max(0, Math.min(bins - 1, Math.floor(start)));
  const last = Math.max(first, Math.min(bins - 1, Math.ceil(end) - 1));
  differences[first]! += 1;
  differences[last + 1]! -= 1;
}
