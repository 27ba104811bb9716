import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Live } from "@/api/live";

class Source extends EventTarget {
  static CLOSED = 2;
  static made: Source[] = [];
  readyState = 1;
  onopen?: () => void;
  onerror?: () => void;
  constructor(readonly url: string) {
    super();
    Source.made.push(this);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
  say(id: number, kind = "run_started") {
    const data = JSON.stringify({ id, run: 1, kind, job: "nightly", location: "shop", data: {} });
    this.dispatchEvent(new MessageEvent("run", { data, lastEventId: String(id) }));
  }
}

describe("Live", () => {
  let queries: QueryClient;
  let stop: () => void;
  let live: Live;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("EventSource", Source);
    Source.made = [];
    queries = new QueryClient();
    live = new Live(queries, "/events?changes=also");
    stop = live.start();
  });

  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  it("gathers events and refreshes what they are about once", () => {
    const asked = vi.spyOn(queries, "invalidateQueries");
    for (let id = 1; id <= 300; id += 1) Source.made[0]?.say(id, "attempt_succeeded");
    expect(asked).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("asks the lists anew whose topic has changed", () => {
    const asked = vi.spyOn(queries, "invalidateQueries");
    const data = JSON.stringify({ topics: ["pools", "audit"] });
    Source.made[0]?.dispatchEvent(new MessageEvent("changed", { data, lastEventId: "7.3.00" }));
    vi.advanceTimersByTime(1_000);
    expect(asked.mock.calls.map(([filter]) => filter?.queryKey)).toEqual([["pools"], ["queue"], ["audit"]]);
  });

  it("opens a stream that was ended for good after the last event", () => {
    const first = Source.made[0];
    first?.say(41);
    if (first) first.readyState = Source.CLOSED;
    first?.onerror?.();
    vi.advanceTimersByTime(1_100);
    expect(Source.made.at(-1)?.url).toBe("/events?changes=also&after=41");
  });

  it("says that the connection is lost, and asks everything anew when it is back", () => {
    const asked = vi.spyOn(queries, "invalidateQueries");
    Source.made[0]?.onopen?.();
    expect(live.connection).toBe("open");
    Source.made[0]?.onerror?.();
    expect(live.connection).toBe("open");
    vi.advanceTimersByTime(3_000);
    expect(live.connection).toBe("lost");
    Source.made[0]?.onopen?.();
    expect(live.connection).toBe("open");
    expect(asked).toHaveBeenCalledWith();
  });

  it("does not listen while nobody looks", () => {
    const visible = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    document.dispatchEvent(new Event("visibilitychange"));
    vi.advanceTimersByTime(30_000);
    expect(Source.made[0]?.readyState).toBe(Source.CLOSED);
    visible.mockReturnValue("visible");
    document.dispatchEvent(new Event("visibilitychange"));
    expect(Source.made).toHaveLength(2);
  });
});
