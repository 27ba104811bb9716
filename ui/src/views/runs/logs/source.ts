// A log as it is fetched: from its end, from any offset, further in both directions, and on and on as it is written.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { call, client, type Schema } from "@/api/client";
import { hasNewer, hasOlder, NOTHING, opened, withNewer, withOlder, type Entry, type Pages, type Range } from "./pages";

export interface LogOf {
  run: number;
  no: number;
  attempt: number;
}

export interface LogFilter {
  level?: "debug" | "info" | "warning" | "error" | "critical";
  text?: string;
}

const STEP_LINES = 450;
const BACK_BYTES = 48_000;
const LINES_MAX = 5_000;
const HEARD_MAX = 2_000;

export async function readRange(
  log: LogOf,
  query: LogFilter & { offset?: number; tail?: number; limit?: number },
  signal?: AbortSignal,
): Promise<Range> {
  return call(
    client.GET("/api/v1/runs/{run_id}/tasks/{no}/logs", {
      params: { path: { run_id: log.run, no: log.no }, query: { attempt: log.attempt, ...query } },
      signal,
    }),
  );
}

/** The records before an offset, at least some if there are any, and from where on they are all. */
export async function readBefore(log: LogOf, filter: LogFilter, offset: number, signal?: AbortSignal) {
  for (let bytes = BACK_BYTES; ; bytes *= 4) {
    const start = Math.max(0, offset - bytes);
    const lines: Entry[] = [];
    for (let at = start; at < offset;) {
      const range = await readRange(log, { ...filter, offset: at, limit: LINES_MAX }, signal);
      lines.push(...range.lines.filter((line) => line.offset < offset));
      if (range.next <= at) break;
      at = range.next;
    }
    // A place in the middle of a record belongs to the one before it.
    const from = start === 0 ? 0 : (lines[0]?.offset ?? start);
    if (lines.length > 0 || start === 0) return { lines, start: from };
  }
}

/** The next record with a text in it, or the one before; null: there is none. */
export async function findFrom(log: LogOf, filter: LogFilter, offset: number, forward: boolean): Promise<Entry | null> {
  if (!forward) return (await readBefore(log, filter, offset)).lines.at(-1) ?? null;
  // The server looks through some megabytes at a time.
  for (let at = offset; ; ) {
    const range = await readRange(log, { ...filter, offset: at, limit: 1 });
    if (range.lines[0] !== undefined || range.next <= at || range.next >= range.size) return range.lines[0] ?? null;
    at = range.next;
  }
}

/** What `find` finds from a place on, or else (`again`) from the other end on. */
export async function findAround<Found>(
  find: (offset: number) => Promise<Found | null>,
  from: number,
  otherEnd: number,
): Promise<{ found: Found | null; again: boolean }> {
  const next = await find(from);
  return next === null ? { found: await find(otherEnd), again: true } : { found: next, again: false };
}

export interface LogState {
  pages: Pages;
  error: unknown;
  /** Nothing has come yet. */
  loading: boolean;
  /** New records are added as they are written. */
  following: boolean;
  older(): void;
  newer(): void;
  /** Show the log from (around) an offset. */
  open(offset: number): void;
  /** Show its end, and what is written from now on. */
  follow(): void;
}

/** A log, first shown from its end, or around `at`. */
export function useLog(log: LogOf, filter: LogFilter, at: number | null): LogState {
  const { run, no, attempt } = log;
  const { level, text } = filter;
  const [pages, setPages] = useState<Pages>(NOTHING);
  const [error, setError] = useState<unknown>(null);
  const [loading, setLoading] = useState(true);
  const [following, setFollowing] = useState(false);
  const latest = useRef(pages);
  const busy = useRef<AbortController | null>(null);
  useLayoutEffect(() => {
    latest.current = pages;
  });

  /** Do one thing at a time; what is begun later and matters more ends what is under way. */
  const doing = useCallback(async (work: (signal: AbortSignal) => Promise<void>, urgent: boolean) => {
    if (busy.current !== null && !urgent) return;
    busy.current?.abort();
    const mine = new AbortController();
    busy.current = mine;
    try {
      await work(mine.signal);
      if (!mine.signal.aborted) setError(null);
    } catch (problem) {
      if (!mine.signal.aborted) setError(problem);
    } finally {
      if (busy.current === mine) {
        busy.current = null;
        setLoading(false);
      }
    }
  }, []);

  const place = { run, no, attempt };
  const wanted: LogFilter = { level, text: text || undefined };

  const follow = useCallback(() => {
    void doing(async (signal) => {
      const range = await readRange(place, { ...wanted, tail: STEP_LINES }, signal);
      const start = range.lines.length < STEP_LINES ? 0 : (range.lines[0]?.offset ?? 0);
      const made = opened(range, start);
      setPages({ ...made, end: Math.max(made.end, range.lines.length === 0 ? range.size : made.end) });
      setFollowing(true);
    }, true);
  }, [run, no, attempt, level, text]);

  const open = useCallback(
    (offset: number) => {
      void doing(async (signal) => {
        setFollowing(false);
        const range = await readRange(place, { ...wanted, offset, limit: STEP_LINES }, signal);
        const before = await readBefore(place, wanted, range.lines[0]?.offset ?? offset, signal);
        setPages(withOlder(opened(range, range.lines[0]?.offset ?? offset), before.lines, before.start));
      }, true);
    },
    [run, no, attempt, level, text],
  );

  const older = useCallback(() => {
    if (!hasOlder(latest.current)) return;
    void doing(async (signal) => {
      const found = await readBefore(place, wanted, latest.current.start, signal);
      setPages((before) => {
        const after = withOlder(before, found.lines, found.start);
        if (after.end < before.end) setFollowing(false);
        return after;
      });
    }, false);
  }, [run, no, attempt, level, text]);

  const newer = useCallback(() => {
    if (!hasNewer(latest.current)) return;
    void doing(async (signal) => {
      const range = await readRange(place, { ...wanted, offset: latest.current.end, limit: STEP_LINES }, signal);
      const end = range.lines.length < STEP_LINES ? Math.max(range.next, range.size) : range.next;
      setPages((before) => withNewer(before, range.lines, end, range.size, range.finished));
    }, false);
  }, [run, no, attempt, level, text]);

  useEffect(() => {
    setPages(NOTHING);
    setLoading(true);
    if (at === null) follow();
    else open(at);
    return () => busy.current?.abort();
    // Where it begins is decided once for each log and filter.
  }, [follow, open]);

  useStream(place, wanted, following && !loading && !pages.finished && !hasNewer(pages), pages.end, (lines, over) => {
    setPages((before) => {
      const end = lines.at(-1)?.end ?? before.end;
      return withNewer(before, lines, end, end, over);
    });
  });
  return { pages, error, loading, following, older, newer, open, follow };
}

/** Hear what is written while `on`; records that come at once are given at once, a frame's worth at a time. */
function useStream(
  log: LogOf,
  filter: LogFilter,
  on: boolean,
  from: number,
  heard: (lines: Entry[], over: boolean) => void,
): void {
  const latest = useRef({ heard, from });
  useLayoutEffect(() => {
    latest.current = { heard, from };
  });
  const { run, no, attempt } = log;
  const { level, text } = filter;
  useEffect(() => {
    if (!on || typeof EventSource === "undefined") return;
    const query = new URLSearchParams({ attempt: String(attempt), offset: String(latest.current.from) });
    if (level) query.set("level", level);
    if (text) query.set("text", text);
    const source = new EventSource(`/api/v1/runs/${run}/tasks/${no}/logs/stream?${query}`);
    let gathered: Entry[] = [];
    let frame = 0;
    const tell = (over: boolean) => {
      cancelAnimationFrame(frame);
      frame = 0;
      const lines = gathered;
      gathered = [];
      latest.current.heard(lines, over);
    };
    source.addEventListener("line", (event) => {
      gathered.push(JSON.parse((event as MessageEvent<string>).data) as Schema<"LogEntry">);
      // A page that nobody sees gets no frames.
      if (gathered.length >= HEARD_MAX) tell(false);
      else if (frame === 0) frame = requestAnimationFrame(() => tell(false));
    });
    source.addEventListener("end", () => {
      source.close();
      tell(true);
    });
    return () => {
      source.close();
      cancelAnimationFrame(frame);
    };
  }, [on, run, no, attempt, level, text]);
}
