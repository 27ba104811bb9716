import { describe, expect, it } from "vitest";
import { absoluteText, clockText, countText, durationText, partitionsText, plural, relativeText, sizeText } from "@/app/format";

const NOON = Date.UTC(2026, 0, 31, 12, 0, 7);

describe("format", () => {
  it.each([
    [0, "0 s"], [0.004, "<10 ms"], [0.85, "850 ms"], [3.21, "3.2 s"], [9.97, "10 s"], [59.6, "1 m 00 s"],
    [245, "4 m 05 s"], [7_800, "2 h 10 m"], [273_600, "3 d 4 h"], [-5, "0 s"],
  ])("duration of %d s", (seconds, text) => expect(durationText(seconds)).toBe(text));

  it.each([
    [0, "just now"], [12_000, "12 s ago"], [-300_000, "in 5 m"], [3 * 86_400_000, "3 d ago"], [-40 * 86_400_000, "in 40 d"],
    [100 * 86_400_000, "3 mo ago"], [1_000 * 86_400_000, "2 y ago"],
  ])("%d ms before now", (before, text) => expect(relativeText(NOON - before, NOON)).toBe(text));

  it("tells times in the zone that was chosen", () => {
    expect(absoluteText(NOON, "UTC")).toContain("2026-01-31 12:00:07");
    expect(clockText(NOON, "Asia/Kolkata")).toBe("17:30");
    expect(clockText(NOON, "UTC", true)).toBe("12:00:07");
  });

  it("tells counts and sizes", () => {
    expect(countText(1_234_567)).toBe("1,234,567");
    expect(countText(1_234_567, true)).toBe("1.2M");
    expect(sizeText(999)).toBe("999 B");
    expect(sizeText(1_250_000)).toBe("1.3 MB");
    expect(plural(1, "run")).toBe("1 run");
    expect(plural(2, "entry", "entries")).toBe("2 entries");
  });
});

it("many partitions are counted", () => {
  expect(partitionsText("2026-01-31")).toBe("2026-01-31");
  expect(partitionsText("a,b")).toBe("a, b");
  expect(partitionsText("2026-01-01,2026-01-02,2026-01-03")).toBe("3: 2026-01-01 … 2026-01-03");
});
