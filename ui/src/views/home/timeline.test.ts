import { describe, expect, it } from "vitest";
import { axis, offsetOf, timeline } from "./timeline";

const NOW = Date.UTC(2026, 0, 31, 12);
const HOUR = 3_600_000;
const BEGIN = NOW - 6 * HOUR;
const END = NOW + 2 * HOUR;
const at = (hours: number) => new Date(NOW + hours * HOUR).toISOString();

function run(id: number, from: number, to: number | null, state = "succeeded", job = "nightly") {
  return { id, job, location: "shop", kind: "dag", state, created_at: at(from), started_at: at(from), finished_at: to === null ? null : at(to) };
}

describe("timeline", () => {
  it("puts runs at their times, one that still runs up to now", () => {
    const { rows } = timeline([run(1, -6, -4), run(2, -2, null, "running")], [], BEGIN, END, NOW, 10);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.bars.map(({ from, to }) => [from, to])).toEqual([[0, 0.25], [0.5, 0.75]]);
    expect(rows[0]?.lanes).toBe(1);
  });

  it("puts runs that overlap into lanes, three at most", () => {
    const runs = [1, 2, 3, 4].map((id) => run(id, -5 + id / 10, -1));
    const { rows } = timeline(runs, [], BEGIN, END, NOW, 10);
    expect(rows[0]?.bars.map((bar) => bar.lane)).toEqual([0, 1, 2, 2]);
  });

  it("shows the worst of those that share a spot, and how many there are", () => {
    const runs = [1, 2, 3].map((id) => run(id, -3 + id / 100_000, -3 + id / 100_000, id === 2 ? "failed" : "succeeded"));
    const { rows } = timeline(runs, [], BEGIN, END, NOW, 10);
    expect(rows[0]?.bars).toMatchObject([{ run: 2, state: "failed", count: 3 }]);
  });

  it("begins with what failed, and leaves out what is too much", () => {
    const runs = [run(1, -5, -4, "failed", "old"), run(2, -3, -2, "succeeded", "a"), run(3, -2, -1, "succeeded", "b")];
    const line = timeline(runs, [], BEGIN, END, NOW, 2);
    expect(line.rows.map((row) => row.job)).toEqual(["old", "b"]);
    expect(line.left).toBe(1);
  });

  it("shows what comes next, also of jobs that have not run", () => {
    const next = [{ schedule: "s", location: "shop", job: "new", selection: "", at: at(1) }];
    const { rows } = timeline([], next, BEGIN, END, NOW, 10);
    expect(rows[0]).toMatchObject({ job: "new", ticks: [{ at: 0.875, schedule: "s" }] });
  });

  it("leaves out what ended before", () => {
    expect(timeline([run(1, -9, -8)], [], BEGIN, END, NOW, 10).rows).toEqual([]);
  });
});

describe("axis", () => {
  it("has round times", () => {
    expect(axis(BEGIN + 60_000, END, 8, 0).map((each) => new Date(each).getUTCHours())).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
  });

  it("has times that are round in the zone", () => {
    const offset = offsetOf("Asia/Kolkata", NOW);
    expect(offset).toBe(5.5 * HOUR);
    expect(axis(NOW - 24 * HOUR, NOW, 4, offset).map((each) => new Date(each).getUTCMinutes())).toEqual([30, 30, 30, 30]);
  });
});
