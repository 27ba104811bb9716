// News from /api/v1/events, of all runs and of which lists have changed: one stream for the whole page, which makes old
// queries be asked again.
//
// Events that come close together are answered with one refresh, at most every `GATHER_MS`. A page that nobody sees
// listens to nothing (a browser has six connections to a server, and more tabs than that), and goes on after the last
// event it heard once it is looked at again. Surprising: a stream that the server ends for good (401, 503) is opened
// anew by us, with `?after=`, since browsers come back by themselves only where the connection broke.
import { QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { concerns, concernsOf, type LiveEvent } from "@/api/concerns";

export type Connection = "connecting" | "open" | "lost";
type Listener = (events: readonly LiveEvent[], topics: ReadonlySet<string>) => void;

const GATHER_MS = 600;
const HIDDEN_MS = 20_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000];
/** A break shorter than that is nobody's business. */
const LOST_MS = 2_500;

export class Live {
  connection: Connection = "connecting";
  private source: EventSource | undefined;
  private last = "";
  private tries = 0;
  private gathered: LiveEvent[] = [];
  private topics = new Set<string>();
  private timers: Partial<Record<"gather" | "retry" | "hide" | "lost", ReturnType<typeof setTimeout>>> = {};
  private readonly watchers = new Set<() => void>();
  private readonly listeners = new Set<Listener>();

  constructor(
    private readonly queries: QueryClient,
    private readonly url = "/api/v1/events?changes=also",
  ) {}

  start(): () => void {
    this.open();
    document.addEventListener("visibilitychange", this.seen);
    return () => {
      document.removeEventListener("visibilitychange", this.seen);
      this.close();
      for (const timer of Object.values(this.timers)) clearTimeout(timer);
      this.timers = {};
    };
  }

  /** Be told when `connection` changes. */
  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  /** Be told of the events and topics themselves, gathered as they are for queries. */
  readonly listen = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private readonly seen = () => {
    clearTimeout(this.timers.hide);
    if (document.visibilityState === "hidden") {
      this.timers.hide = setTimeout(() => this.close(), HIDDEN_MS);
    } else if (this.source === undefined) {
      this.tries = 0;
      this.open();
      // Not all that changed has an event: what is looked at is asked anew.
      void this.queries.invalidateQueries();
    }
  };

  private open() {
    this.close();
    const source = new EventSource(this.last ? `${this.url}&after=${this.last}` : this.url);
    this.source = source;
    source.onopen = () => {
      const again = this.connection === "lost";
      this.tries = 0;
      this.say("open");
      if (again) void this.queries.invalidateQueries();
    };
    source.onerror = () => {
      this.timers.lost ??= setTimeout(() => this.say("lost"), LOST_MS);
      if (source.readyState === EventSource.CLOSED) this.retry();
    };
    source.addEventListener("run", (message) => this.hear(message, (data) => this.gathered.push(data as LiveEvent)));
    source.addEventListener("changed", (message) =>
      this.hear(message, (data) => (data as { topics: string[] }).topics.forEach((topic) => this.topics.add(topic))),
    );
  }

  private close() {
    this.source?.close();
    this.source = undefined;
    clearTimeout(this.timers.retry);
  }

  private retry() {
    this.close();
    const wait = RETRY_MS[Math.min(this.tries, RETRY_MS.length - 1)];
    this.tries += 1;
    this.timers.retry = setTimeout(() => this.open(), wait);
  }

  private hear(message: MessageEvent<string>, keep: (data: unknown) => void) {
    this.last = message.lastEventId || this.last;
    keep(JSON.parse(message.data));
    this.timers.gather ??= setTimeout(() => this.tell(), GATHER_MS);
  }

  private tell() {
    delete this.timers.gather;
    const [events, topics] = [this.gathered, this.topics];
    this.gathered = [];
    this.topics = new Set();
    for (const listener of this.listeners) listener(events, topics);
    const old = new Map([...concerns(events), ...concernsOf([...topics])].map((key) => [JSON.stringify(key), key]));
    for (const queryKey of old.values()) {
      // One that is under way is not begun again: with many events it would never end.
      void this.queries.invalidateQueries({ queryKey }, { cancelRefetch: false });
    }
  }

  private say(connection: Connection) {
    if (connection === "open") {
      clearTimeout(this.timers.lost);
      delete this.timers.lost;
    }
    if (connection === this.connection) return;
    this.connection = connection;
    for (const watcher of this.watchers) watcher();
  }
}

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: false,
      retry: (tries, error) => tries < 2 && isPassing(error),
    },
  },
});

function isPassing(error: unknown): boolean {
  const status = typeof error === "object" && error !== null && "status" in error ? Number(error.status) : 0;
  return status === 0 || status === 503;
}

export const live = new Live(queryClient);

/** Whether news reach us. */
export function useConnection(): Connection {
  return useSyncExternalStore(live.watch, () => live.connection);
}

/** Be told of events, some at a time; `listener` has to stay the same between renders (useCallback). */
export function useLiveEvents(listener: Listener): void {
  useEffect(() => live.listen(listener), [listener]);
}
