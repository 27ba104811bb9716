// The timeline of a run, kept up to date: what events say at once, the rest by asking the server again, at most so
// often that asking takes a tenth of the time. It is none of the queries that every event makes old: at 200 events a
// second those of a run with 10,000 task runs would be asked for all the time.
import { useCallback, useEffect, useRef, useState } from "react";
import { call, client, type Schema } from "@/api/client";
import type { LiveEvent } from "@/api/concerns";
import { useLiveEvents } from "@/api/live";
import type { Try } from "./gantt/paint";
import { hear, timelineOf, type Gantt, type Timeline } from "./gantt/timeline";

const ASK_MS_MIN = 700;
const ASK_SHARE = 10;
const TRIES_MAX = 1_000;

export interface RunTimeline {
  timeline: Timeline | null;
  /** Changes with the timeline, which events change in place. */
  version: number;
  /** Changes when task runs or steps may have come that were not there. */
  grown: number;
  error: unknown;
  retry(): void;
}

export function useTimeline(run: number): RunTimeline {
  const [shown, setShown] = useState<{ run: number; timeline: Timeline | null; version: number; grown: number }>({
    run,
    timeline: null,
    version: 0,
    grown: 0,
  });
  const [error, setError] = useState<unknown>(null);
  const asking = useRef({
    busy: false,
    wanted: false,
    next: 0,
    timer: undefined as ReturnType<typeof setTimeout> | undefined,
    run: 0,
  });
  const current = useRef<Timeline | null>(null);

  const ask = useCallback(() => {
    const state = asking.current;
    if (state.busy) {
      state.wanted = true;
      return;
    }
    const wait = state.next - performance.now();
    clearTimeout(state.timer);
    if (wait > 0) {
      state.timer = setTimeout(ask, wait);
      return;
    }
    state.busy = true;
    state.wanted = false;
    const begun = performance.now();
    fetchPages(run)
      .then((pages) => {
        if (state.run !== run) return;
        const timeline = timelineOf(pages, performance.now());
        const grew = timeline.no.length !== current.current?.no.length;
        current.current = timeline;
        setError(null);
        setShown((before) => ({ run, timeline, version: before.version + 1, grown: before.grown + (grew ? 1 : 0) }));
      })
      .catch((problem: unknown) => setError(problem))
      .finally(() => {
        const took = performance.now() - begun;
        state.busy = false;
        state.next = performance.now() + Math.max(ASK_MS_MIN, took * ASK_SHARE);
        if (state.wanted) ask();
      });
  }, [run]);

  useEffect(() => {
    const state = asking.current;
    state.run = run;
    state.next = 0;
    current.current = null;
    ask();
    return () => {
      state.run = 0;
      clearTimeout(state.timer);
    };
  }, [run, ask]);

  useLiveEvents(
    useCallback(
      (events: readonly LiveEvent[]) => {
        const mine = events.filter((event) => event.run === run);
        if (mine.length === 0) return;
        const timeline = current.current;
        if (timeline === null || hear(timeline, mine)) ask();
        if (timeline !== null) setShown((before) => ({ ...before, version: before.version + 1 }));
      },
      [run, ask],
    ),
  );
  const own = shown.run === run ? shown : { timeline: null, version: 0, grown: 0 };
  return { timeline: own.timeline, version: own.version, grown: own.grown, error, retry: ask };
}

async function fetchPages(run: number): Promise<Gantt[]> {
  const pages: Gantt[] = [];
  let cursor: string | undefined;
  do {
    const page = await call(
      client.GET("/api/v1/runs/{run_id}/gantt", { params: { path: { run_id: run }, query: { cursor } } }),
    );
    pages.push(page);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return pages;
}

const EARLIER = ["attempt_failed", "attempt_lost", "attempt_deferred", "attempt_cancelled"];

/** The attempts before the last one of each task run, by its number, from the events that tell of them. */
export function triesOf(events: readonly Schema<"RunEvent">[], timeline: Timeline): Map<number, Try[]> {
  const tries = new Map<number, Try[]>();
  for (const event of events) {
    const i = event.task === null ? undefined : timeline.indexOf.get(event.task);
    if (i === undefined || Number(event.data.attempt) >= timeline.attempt[i]!) continue;
    const started = Number(event.data.started_at ?? 0);
    if (started <= 0) continue;
    const one = {
      start: started - timeline.origin / 1000,
      end: (Date.parse(event.at) - timeline.origin) / 1000,
      outcome: event.kind.slice("attempt_".length),
    };
    const list = tries.get(event.task!);
    if (list === undefined) tries.set(event.task!, [one]);
    else list.push(one);
  }
  return tries;
}

const NO_TRIES: ReadonlyMap<number, readonly Try[]> = new Map();

/** `triesOf` of a run, asked for when some task run has had several. */
export function useTries(run: number, timeline: Timeline | null): ReadonlyMap<number, readonly Try[]> {
  const [tries, setTries] = useState<ReadonlyMap<number, readonly Try[]>>(NO_TRIES);
  const again = timeline === null ? 0 : timeline.attempt.reduce((sum, attempt) => sum + Math.max(0, attempt - 1), 0);
  useEffect(() => {
    setTries(NO_TRIES);
  }, [run]);
  useEffect(() => {
    if (again === 0 || timeline === null) return;
    const gone = new AbortController();
    const query = { kind: EARLIER, limit: TRIES_MAX };
    call(client.GET("/api/v1/runs/{run_id}/events", { params: { path: { run_id: run }, query }, signal: gone.signal }))
      .then((page) => setTries(triesOf(page.items, timeline)))
      .catch(() => undefined); // the chart is good without them
    return () => gone.abort();
    // Anew for each further attempt; `timeline` is replaced more often than that.
  }, [run, again]);
  return tries;
}
