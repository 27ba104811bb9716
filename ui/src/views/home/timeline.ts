// Where runs and future times lie on the time line. Pure: times are milliseconds, places are parts of the width (0 to 1).
import type { Timeline } from "@/api/service";

export interface Span {
  id: string;
  label: string;
  /** Milliseconds before now, and after it. */
  back: number;
  ahead: number;
}

const HOUR = 3_600_000;

export const SPANS: readonly Span[] = [
  { id: "1h", label: "1 h", back: HOUR, ahead: HOUR / 4 },
  { id: "6h", label: "6 h", back: 6 * HOUR, ahead: 1.5 * HOUR },
  { id: "24h", label: "24 h", back: 24 * HOUR, ahead: 6 * HOUR },
  { id: "7d", label: "7 d", back: 168 * HOUR, ahead: 42 * HOUR },
];

export interface Bar {
  run: number;
  state: string;
  from: number;
  to: number;
  lane: number;
  /** How many runs it stands for: those that would lie on the same spot. */
  count: number;
}

export interface Row {
  job: string;
  location: string;
  lanes: number;
  bars: Bar[];
  /** Future times, each with the name of its schedule. */
  ticks: { at: number; schedule: string }[];
  failed: number;
}

export interface Line {
  rows: Row[];
  /** Jobs that have no row, as there are too many. */
  left: number;
}

type Run = Timeline["runs"][number];

const LANES_MAX = 3;
/** Bars closer than that share a spot. */
const SPOT = 1 / 400;
/** What is worst is seen, where several share a spot. */
const WEIGHT: Record<string, number> = { failed: 5, paused: 4, cancelling: 3, running: 3, queued: 2, cancelled: 1 };

export function timeline(runs: readonly Run[], next: Timeline["next"], begin: number, end: number, now: number, rowsMax: number): Line {
  const place = (at: number) => (at - begin) / (end - begin);
  const rows = new Map<string, Row & { last: number; spots: Map<string, Bar>; free: number[] }>();
  const rowOf = (job: string, location: string) => {
    const key = `${location}\n${job}`;
    let row = rows.get(key);
    if (!row) {
      row = { job, location, lanes: 1, bars: [], ticks: [], failed: 0, last: 0, spots: new Map(), free: [] };
      rows.set(key, row);
    }
    return row;
  };

  for (const run of [...runs].sort((a, b) => a.id - b.id)) {
    const from = Date.parse(run.started_at ?? run.created_at);
    const to = run.finished_at ? Date.parse(run.finished_at) : now;
    if (to < begin || from > end) continue;
    const row = rowOf(run.job, run.location);
    row.last = Math.max(row.last, to);
    if (run.state === "failed") row.failed += 1;
    const left = Math.max(0, place(from));
    const right = Math.max(left, Math.min(1, place(to)));
    const spot = right - left < SPOT ? `${Math.round(left / SPOT)}` : "";
    const there = spot && row.spots.get(spot);
    if (there) {
      there.count += 1;
      if ((WEIGHT[run.state] ?? 0) >= (WEIGHT[there.state] ?? 0)) Object.assign(there, { run: run.id, state: run.state });
      continue;
    }
    let lane = row.free.findIndex((until) => until <= left);
    if (lane < 0) lane = row.free.length < LANES_MAX ? row.free.length : LANES_MAX - 1;
    row.free[lane] = Math.max(right, left + SPOT);
    row.lanes = Math.max(row.lanes, lane + 1);
    const bar = { run: run.id, state: run.state, from: left, to: right, lane, count: 1 };
    row.bars.push(bar);
    if (spot) row.spots.set(spot, bar);
  }
  for (const each of next) {
    const at = Date.parse(each.at);
    if (at > end) continue;
    rowOf(each.job || each.selection || each.schedule, each.location).ticks.push({ at: place(at), schedule: each.schedule });
  }
  // First what failed, then what ran last; what will only run comes last.
  const ranked = [...rows.values()].sort((a, b) => Number(b.failed > 0) - Number(a.failed > 0) || b.last - a.last || a.job.localeCompare(b.job));
  const shown = ranked.slice(0, rowsMax).map(({ job, location, lanes, bars, ticks, failed }) => ({ job, location, lanes, bars, ticks, failed }));
  return { rows: shown, left: ranked.length - shown.length };
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880].map((minutes) => minutes * 60_000);

/** Round times between the two, not more than `most`; round in a zone that is `offset` milliseconds ahead of UTC. */
export function axis(begin: number, end: number, most: number, offset: number): number[] {
  const step = STEPS.find((each) => (end - begin) / each <= most) ?? 2880 * 60_000;
  const first = Math.ceil((begin + offset) / step) * step - offset;
  const found = [];
  for (let at = first; at <= end; at += step) found.push(at);
  return found;
}

/** How far ahead of UTC a zone is at a time, in milliseconds. */
export function offsetOf(zone: string, at: number): number {
  if (zone === "local") return -new Date(at).getTimezoneOffset() * 60_000;
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
  const wall = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return wall - Math.floor(at / 1000) * 1000;
}
