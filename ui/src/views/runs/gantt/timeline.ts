// The task runs of a run in time: what the server said, and what has been heard of since. Times are seconds from the
// run's begin. Pure but for `hear`, which changes the timeline in place: of 10,000 task runs a copy an event is much.
import type { LiveEvent } from "@/api/concerns";
import type { Schema } from "@/api/client";

export type Gantt = Schema<"Gantt">;

export interface Timeline {
  /** When second 0 is, in milliseconds since 1970. */
  origin: number;
  /** The server's now when it answered, in seconds, and when that was by our clock (performance.now). */
  now: number;
  heardAt: number;
  steps: string[];
  no: number[];
  step: number[];
  lane: string[];
  state: string[];
  attempt: number[];
  start: (number | null)[];
  end: (number | null)[];
  critical: ReadonlySet<number>;
  /** The index of a task run, by its number. */
  indexOf: Map<number, number>;
}

/** The timeline that pages of the API make. */
export function timelineOf(pages: readonly Gantt[], heardAt: number): Timeline {
  const first = pages[0];
  const made: Timeline = {
    origin: first?.origin == null ? Date.now() : Date.parse(first.origin),
    now: first?.now ?? 0,
    heardAt,
    steps: [],
    no: [],
    step: [],
    lane: [],
    state: [],
    attempt: [],
    start: [],
    end: [],
    critical: new Set(first?.critical_path ?? []),
    indexOf: new Map(),
  };
  const steps = new Map<string, number>();
  for (const page of pages) {
    const stepHere = page.steps.map((name) => {
      const known = steps.get(name) ?? steps.size;
      if (known === steps.size) steps.set(name, known);
      return known;
    });
    page.no.forEach((no, i) => {
      made.indexOf.set(no, made.no.length);
      made.no.push(no);
      made.step.push(stepHere[page.step[i]!]!);
      made.lane.push(page.lane[i]!);
      made.state.push(page.states[page.state[i]!]!);
      made.attempt.push(page.attempt[i]!);
      made.start.push(page.start[i]!);
      made.end.push(page.end[i]!);
    });
  }
  made.steps = [...steps.keys()];
  return made;
}

/** Events that change no task run. */
const OF_OTHERS: ReadonlySet<string> = new Set(["asset_materialized", "check_evaluated", "artifact_made"]);
const ENDS: Record<string, string> = {
  attempt_succeeded: "succeeded",
  attempt_failed: "failed",
  attempt_skipped: "skipped",
  attempt_cancelled: "cancelled",
  attempt_deferred: "deferred",
};

/**
 * Take in what has happened. An event says what became of one attempt, not what follows from it (whether it is tried
 * again, what it holds back): true means that there is more to it, so that the server has to be asked.
 */
export function hear(timeline: Timeline, events: readonly LiveEvent[]): boolean {
  let more = false;
  for (const event of events) {
    const i = event.task === null ? undefined : timeline.indexOf.get(event.task);
    const ended = ENDS[event.kind];
    if (event.kind !== "attempt_started" && ended === undefined) {
      more ||= !OF_OTHERS.has(event.kind);
      continue;
    }
    if (i === undefined || event.kind !== "attempt_succeeded") more = true;
    if (i === undefined) continue;
    const at = Date.parse(event.at);
    const attempt = Number(event.data.attempt ?? 0);
    if (attempt < timeline.attempt[i]!) continue;
    const again = attempt > timeline.attempt[i]!;
    timeline.attempt[i] = attempt;
    const began = Number(event.data.started_at ?? 0) * 1000 || (event.kind === "attempt_started" ? at : 0);
    if (began > 0) timeline.start[i] = (began - timeline.origin) / 1000;
    else if (again) timeline.start[i] = null;
    if (ended === undefined) {
      timeline.state[i] = "running";
      timeline.end[i] = null;
    } else {
      timeline.state[i] = ended;
      timeline.end[i] = (at - timeline.origin) / 1000;
    }
  }
  return more || events.length === 0;
}

/** Seconds from the run's begin to now, by the server's clock. */
export function nowOf(timeline: Timeline, clock: number): number {
  return timeline.now + (clock - timeline.heardAt) / 1000;
}

const MOVING: ReadonlySet<string> = new Set(["running"]);

/** Where a bar ends: of what runs now; null without a bar. */
export function endOf(timeline: Timeline, i: number, now: number): number | null {
  if (timeline.start[i] === null) return null;
  return timeline.end[i] ?? (MOVING.has(timeline.state[i]!) ? Math.max(now, timeline.start[i]!) : timeline.start[i]!);
}

/** The span of all bars: at least a moment, and without a bar from 0. */
export function spanOf(timeline: Timeline, now: number): { from: number; to: number } {
  let from = 0;
  let to = 0;
  let running = false;
  for (let i = 0; i < timeline.no.length; i++) {
    const start = timeline.start[i];
    if (start === null || start === undefined) continue;
    from = Math.min(from, start);
    to = Math.max(to, endOf(timeline, i, now)!);
    running ||= timeline.end[i] === null && MOVING.has(timeline.state[i]!);
  }
  return { from, to: Math.max(to, running ? now : 0, from + 0.05) };
}
